# SPDX-License-Identifier: Apache-2.0
"""Blobs: fetched once, readable while they arrive, served only when right."""

import errno
import mmap
import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from registry.faults import Hold, corrupt, cut, slow
from support.images import layer_of_size, oci_image

MIB = 1 << 20
# More than the kernel reads ahead of a reader at its beginning.
PAGE_CACHE_AHEAD = 256 * 1024

LAYER = "app/1.0/layers/01.tar.gz"


@pytest.fixture
def layer():
    return layer_of_size(MIB)


@pytest.fixture
def mounted(client, proxy, mount, layer):
    """A mount of the proxy, where LAYER is the layer."""
    oci_image(layer).push(client, "app", "1.0")
    return mount(proxy)


@pytest.fixture
def path(mounted):
    return mounted / LAYER


@pytest.fixture
def blob(layer):
    """The layer's part of a request's path."""
    return f"/blobs/{layer.digest}"


@contextmanager
def background(function, *arguments):
    """Runs the function in a thread; yields its future."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(function, *arguments)


def read_at(path, offset, size):
    with open(path, "rb", buffering=0) as file:
        return os.pread(file.fileno(), size, offset)


def test_read_whole(path, layer):
    assert path.read_bytes() == layer.data


def test_read_anywhere(path, layer):
    chance = random.Random(1)
    with open(path, "rb", buffering=0) as file:
        for _ in range(200):
            offset = chance.randrange(len(layer.data))
            size = chance.randrange(1, 50_000)
            assert os.pread(file.fileno(), size, offset) == (
                layer.data[offset:offset + size])


def test_read_past_the_end(path, layer):
    assert read_at(path, len(layer.data), 10) == b""
    assert read_at(path, len(layer.data) - 3, 10) == layer.data[-3:]
    assert read_at(path, 10 * len(layer.data), 10) == b""


def test_map(mount, registry, client, layer):
    """Not through the proxy: this process waits in a page fault, all of its
    threads with it."""
    oci_image(layer).push(client, "app", "1.0")
    with open(mount(registry) / LAYER, "rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert mapped[:] == layer.data


def test_a_large_blob(mount, registry, client):
    layer = layer_of_size(64 * MIB)
    oci_image(layer).push(client, "app", "1.0")
    root = mount(registry)
    result = subprocess.run(
        ["sha256sum", root / "app/1.0/layers/01.tar.gz"],
        capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.split()[0] == layer.digest.split(":")[1]


def test_many_readers_one_transfer(path, proxy, blob, layer):
    proxy.sends(blob, slow(4 * MIB))
    with proxy.requests() as seen, ThreadPoolExecutor(16) as readers:
        results = list(readers.map(lambda _: path.read_bytes(), range(16)))
    assert all(data == layer.data for data in results)
    assert seen.count("GET", blob) == 1


def test_a_second_reader_costs_nothing(path, proxy, layer):
    path.read_bytes()
    with proxy.requests() as seen:
        assert path.read_bytes() == layer.data
    assert len(seen) == 0, seen


def test_the_front_is_readable_before_the_end(path, proxy, blob, layer):
    hold = Hold(at=MIB // 2)
    proxy.sends(blob, hold)
    with open(path, "rb", buffering=0) as file:
        assert file.read(4096) == layer.data[:4096]
        hold.wait_reached()
        hold.release()
    assert path.read_bytes() == layer.data


def test_the_end_waits_for_the_digest(path, proxy, blob, layer):
    size = len(layer.data)
    hold = Hold(at=size - 1)
    proxy.sends(blob, hold)
    with background(read_at, path, size - 4096, 4096) as tail:
        hold.wait_reached()
        # All bytes but one are here, so what is read elsewhere is served…
        assert read_at(path, 0, 4096) == layer.data[:4096]
        assert not tail.done()
        hold.release()
        # …and this only now.
        assert tail.result() == layer.data[-4096:]


def cached_files(mounted, digest):
    """Files of the cache that hold something of the blob."""
    value = digest.split(":")[1]
    return [file for part in ("blobs", "partial")
            for file in (mounted.cache / part).rglob(f"*{value}*")
            if file.stat().st_size]


def test_a_corrupt_blob_is_refused_and_dropped(mounted, proxy, blob, layer):
    proxy.sends(blob, corrupt(at=10))
    mounted.expect_error(f"{layer.digest}.*sha256:[0-9a-f]{{64}}")
    with pytest.raises(OSError) as failure:
        read_at(mounted / LAYER, len(layer.data) - 10, 10)
    assert failure.value.errno == errno.EIO
    assert cached_files(mounted, layer.digest) == []
    proxy.heal()
    assert (mounted / LAYER).read_bytes() == layer.data


def test_a_reader_of_corrupt_bytes_learns_of_it(mounted, proxy, blob, layer):
    """The front was served before the end showed that it was wrong. That the
    next transfer is right must not hide it: the kernel asks again by itself
    for what it failed to read ahead."""
    proxy.sends(blob, corrupt(at=10), times=1)
    mounted.expect_error(layer.digest)
    with pytest.raises(OSError) as failure:
        (mounted / LAYER).read_bytes()
    assert failure.value.errno == errno.EIO
    # Nothing of it stays in the kernel's pages.
    assert (mounted / LAYER).read_bytes() == layer.data


def test_a_blob_of_the_wrong_size_is_refused(mounted, proxy, blob, layer):
    proxy.answers(blob, status=200, body=layer.data + b"more", method="GET")
    mounted.expect_error(layer.digest)
    with pytest.raises(OSError) as failure:
        read_at(mounted / LAYER, len(layer.data) - 10, 10)
    assert failure.value.errno == errno.EIO


def test_a_blob_that_is_gone(mounted, proxy, blob, layer):
    """A registry's garbage collection took what a manifest still names. The
    name is there all the same."""
    os.listdir(mounted / "app/1.0/layers")
    proxy.refuses(blob, status=404, code="BLOB_UNKNOWN", message="gone")
    mounted.expect_error(f"{layer.digest}, although a manifest names it")
    with pytest.raises(OSError) as failure:
        (mounted / LAYER).read_bytes()
    assert failure.value.errno == errno.EIO


def test_a_broken_transfer_is_resumed(mounted, proxy, blob, layer):
    proxy.sends(blob, cut(after=300_000), times=1)
    with proxy.requests() as seen:
        assert (mounted / LAYER).read_bytes() == layer.data
    first, second = seen.matching("GET", blob)
    assert second.headers["range"] == "bytes=300000-"
    assert second.status == 206
    assert second.received == len(layer.data) - 300_000


def test_a_transfer_that_breaks_often_is_resumed_often(mounted, proxy, blob,
                                                       layer):
    proxy.sends(blob, cut(after=300_000), times=3)
    with proxy.requests() as seen:
        assert (mounted / LAYER).read_bytes() == layer.data
    received = [request.received for request in seen.matching("GET", blob)]
    assert sum(received) == len(layer.data)
    assert len(received) == 4


def test_a_server_without_ranges(mounted, proxy, blob, layer):
    proxy.sends(blob, cut(after=300_000), times=1)
    proxy.ignores_range(blob)
    assert (mounted / LAYER).read_bytes() == layer.data


def test_a_transfer_that_never_succeeds(mounted, proxy, blob, layer):
    proxy.hangs_up(blob)
    mounted.expect_error(layer.digest)
    with pytest.raises(OSError):
        (mounted / LAYER).read_bytes()
    proxy.heal()
    assert (mounted / LAYER).read_bytes() == layer.data


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_a_blocked_reader_can_be_interrupted(mounted, proxy, blob, signum):
    hold = Hold(at=PAGE_CACHE_AHEAD)
    proxy.sends(blob, hold)
    with subprocess.Popen(["cat", mounted / LAYER],
                          stdout=subprocess.DEVNULL) as reader:
        hold.wait_reached()
        start = time.monotonic()
        reader.send_signal(signum)
        assert reader.wait(30) == -signum
        assert time.monotonic() - start < 2
    hold.release()


def test_a_blocked_lookup_can_be_interrupted(mounted, proxy):
    hold = proxy.falls_silent("/manifests/1.0")
    with subprocess.Popen(["ls", mounted / "app/1.0"],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as lister:
        hold.wait_reached()
        start = time.monotonic()
        lister.send_signal(signal.SIGINT)
        assert lister.wait(30) == -signal.SIGINT
        assert time.monotonic() - start < 2
    hold.release()


def test_an_interrupted_reader_leaves_the_others_alone(mounted, proxy, blob,
                                                       layer):
    hold = Hold(at=PAGE_CACHE_AHEAD)
    proxy.sends(blob, hold)
    with proxy.requests() as seen, \
            background((mounted / LAYER).read_bytes) as other, \
            subprocess.Popen(["cat", mounted / LAYER],
                             stdout=subprocess.DEVNULL) as reader:
        hold.wait_reached()
        reader.send_signal(signal.SIGINT)
        reader.wait(30)
        hold.release()
        assert other.result() == layer.data
    assert seen.count("GET", blob) == 1


def test_slow_blobs_hold_up_nothing_else(mount, proxy, client):
    """As many as other clients transfer at once (6) stand still; what a
    listing needs of another image does not queue behind them."""
    layers = [layer_of_size(300_000, seed=seed) for seed in range(6)]
    for number, layer in enumerate(layers):
        oci_image(layer).push(client, "app", str(number))
    oci_image().push(client, "app", "free")
    root = mount(proxy)
    holds = [Hold(at=200_000) for _ in layers]
    for layer, hold in zip(layers, holds):
        proxy.sends(f"/blobs/{layer.digest}", hold)
    paths = [root / f"app/{number}/layers/01.tar.gz" for number in range(6)]
    with ThreadPoolExecutor(len(paths)) as readers:
        results = readers.map(lambda path: path.read_bytes(), paths)
        try:
            for hold in holds:
                hold.wait_reached()
            start = time.monotonic()
            assert sorted(os.listdir(root / "app/free/layers")) == [
                "01", "01.tar.gz"]
            assert (root / "app/free/config.json").read_bytes()
            assert time.monotonic() - start < 5
        finally:
            for hold in holds:
                hold.release()
        assert list(results) == [layer.data for layer in layers]
