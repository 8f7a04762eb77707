# SPDX-License-Identifier: Apache-2.0
"""The cache: shared by mounts, kept between them, bounded."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.faults import Hold, slow
from registry.process import wait_until
from support.images import layer_of_size, oci_image

KIB = 1024
MIB = 1 << 20


@pytest.fixture
def shared(tmp_path):
    """The option that gives mounts one cache."""
    return f"cache={tmp_path}/shared"


@pytest.fixture
def push_layers(client):
    """Pushes images of one layer each, as tags 0, 1, …; returns the layers."""
    def push(count, size=600 * KIB):
        layers = [layer_of_size(size, seed=seed) for seed in range(count)]
        for number, layer in enumerate(layers):
            oci_image(layer).push(client, "app", str(number))
        return layers
    return push


def layer_path(root, tag=0):
    return root / f"app/{tag}/layers/01.tar.gz"


def cached_bytes(directory):
    """What the cache's files take; some may be leaving just now."""
    total = 0
    for file in directory.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            pass
    return total


def test_the_next_mount_reuses_it(mount, proxy, shared, push_layers):
    (layer,) = push_layers(1)
    first = mount(proxy, shared)
    layer_path(first).read_bytes()
    (first / "app/0/config.json").read_bytes()
    first.unmount()
    second = mount(proxy, shared)
    with proxy.requests() as seen:
        assert layer_path(second).read_bytes() == layer.data
        (second / "app/0/config.json").read_bytes()
    assert seen.count(path="/blobs/") == 0
    # What the tag names has to be asked, the manifest itself is known.
    assert seen.count("GET", "/manifests/sha256:") == 0


def test_another_mount_reuses_it(mount, proxy, shared, push_layers):
    (layer,) = push_layers(1)
    first, second = mount(proxy, shared), mount(proxy, shared)
    layer_path(first).read_bytes()
    with proxy.requests() as seen:
        assert layer_path(second).read_bytes() == layer.data
    assert seen.count("GET", "/blobs/") == 0


def test_two_mounts_at_once_fetch_once(mount, proxy, shared, push_layers):
    (layer,) = push_layers(1)
    mounts = [mount(proxy, shared), mount(proxy, shared)]
    proxy.sends(f"/blobs/{layer.digest}", slow(2 * MIB))
    with proxy.requests() as seen, ThreadPoolExecutor(2) as readers:
        results = readers.map(
            lambda root: layer_path(root).read_bytes(), mounts)
        assert list(results) == [layer.data, layer.data]
    assert seen.count("GET", f"/blobs/{layer.digest}") == 1


def test_what_is_named_by_digest_survives_the_registry(mount, make_registry,
                                                       shared):
    registry = make_registry()
    image = oci_image().push(registry.client(), "app", "1.0")
    root = mount(registry, shared)
    path = root / f"app@{image.digest}"
    (path / "layers/01.tar.gz").read_bytes()
    (path / "config.json").read_bytes()
    registry.stop()
    assert (path / "manifest.json").read_bytes() == image.data
    assert (path / "config.json").read_bytes() == image.config.data
    assert (path / "layers/01.tar.gz").read_bytes() == image.layers[0].data


def test_it_is_bounded(mount, proxy, push_layers):
    layers = push_layers(5)
    limit = 2 * MIB
    root = mount(proxy, f"cache_size={limit}")
    for number, layer in enumerate(layers):
        assert layer_path(root, number).read_bytes() == layer.data
    wait_until(lambda: cached_bytes(root.cache) <= limit, "the eviction")


def used_long_ago(cache, layer, hours):
    """Makes a blob look as if nobody had used it for that long."""
    (file,) = (cache / "blobs").rglob(layer.digest.split(":")[1])
    then = time.time() - 3600 * hours
    os.utime(file, (then, then))


def test_the_least_recently_used_go_first(mount, proxy, push_layers, tmp_path):
    cache = tmp_path / "shared"
    options = [f"cache={cache}", f"cache_size={2 * MIB}"]
    layers = push_layers(4)
    first = mount(proxy, *options)
    for number in (0, 1, 2):
        layer_path(first, number).read_bytes()
    first.unmount()
    for hours, number in [(3, 0), (2, 1), (1, 2)]:
        used_long_ago(cache, layers[number], hours)
    second = mount(proxy, *options)
    layer_path(second, 0).read_bytes()  # now 1 is the oldest
    layer_path(second, 3).read_bytes()  # and this needs its room
    second.unmount()
    third = mount(proxy, *options)
    with proxy.requests() as seen:
        for number in (3, 0, 1):
            assert layer_path(third, number).read_bytes() == (
                layers[number].data)
    assert [seen.count("GET", layers[number].digest)
            for number in (3, 0, 1)] == [0, 0, 1]


def test_what_is_open_stays(mount, proxy, push_layers):
    layers = push_layers(5)
    root = mount(proxy, f"cache_size={MIB}")
    with open(layer_path(root), "rb", buffering=0) as opened:
        assert os.pread(opened.fileno(), 10, 0) == layers[0].data[:10]
        for number in (1, 2, 3, 4):
            layer_path(root, number).read_bytes()
        # Not from the kernel's pages.
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with proxy.requests() as seen:
            assert opened.read() == layers[0].data
        assert seen.count("GET", "/blobs/") == 0


def test_a_blob_larger_than_the_cache(mount, proxy, push_layers):
    (layer,) = push_layers(1, size=3 * MIB)
    root = mount(proxy, f"cache_size={MIB}")
    assert layer_path(root).read_bytes() == layer.data


def test_a_crash_while_fetching(mount, proxy, shared, push_layers):
    (layer,) = push_layers(1, size=2 * MIB)
    hold = Hold(at=MIB)
    proxy.sends(f"/blobs/{layer.digest}", hold, times=1)
    first = mount(proxy, shared)
    with subprocess.Popen(["cat", layer_path(first)],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as reader:
        hold.wait_reached()
        first.kill()
        reader.send_signal(signal.SIGKILL)
    hold.release()
    second = mount(proxy, shared)
    assert layer_path(second).read_bytes() == layer.data


def test_a_cache_directory_is_made(mount, registry, tmp_path):
    mount(registry, f"cache={tmp_path}/a/b/cache")
    assert (tmp_path / "a/b/cache").stat().st_mode & 0o777 == 0o700


def test_the_default_is_in_the_users_cache_directory(
        mount, registry, client, home):
    oci_image().push(client, "app", "1.0")
    root = mount(registry, cache=False)
    (root / "app/1.0/layers/01.tar.gz").read_bytes()
    assert cached_bytes(home.path / ".cache/registryfs") > 0
