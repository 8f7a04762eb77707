# SPDX-License-Identifier: Apache-2.0
"""A disk with less room than a layer needs, or with none: what is read is right
all the same, and is kept again when there is room."""

import contextlib
import errno
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.faults import Hold, corrupt
from registry.process import wait_until
from support.caches import files_in
from support.chunked import chunked
from support.estargz import estargz
from support.images import layer_of_size, oci_image
from support.layers import image_of, layer
from support.system import fails_with, run
from support.tars import directory, file
from support.trees import outline
from support.waiting import MARGIN, end, silent

MIB = 1 << 20
MEMORY_LIMIT = 64 * MIB
BLOB = "app/1.0/layers/01.tar.gz"
NOT_KEPT = "warning: what is read is not kept.* {}/"
FORMS = {"plain": lambda entries: layer(entries, "plain"),
         "gzip": layer,
         "zstd": lambda entries: layer(entries, "zstd"),
         "zstd-frames": lambda entries: layer(entries, "zstd-frames"),
         "xz": lambda entries: layer(entries, "xz"),
         "estargz": estargz,
         "chunked": chunked}
# Of an image that is small.
SMALL = [directory("etc"), file("etc/passwd", "root:x:0:0\n"),
         file("data", random.Random(3).randbytes(300_000))]


def contents(count=8, size=8 * MIB):
    return {f"dir/{number}": random.Random(number).randbytes(size)
            for number in range(count)}


LARGE = contents()


def entries_of(files):
    return [directory("dir"),
            *(file(name, data) for name, data in files.items())]


@pytest.fixture(scope="module")
def large():
    """64 MiB that cannot be compressed."""
    return layer(entries_of(LARGE))


@pytest.fixture
def disk(tmp_path):
    """A small disk for the cache: disk("size=8m", …)."""
    path = tmp_path / "disk"
    path.mkdir()

    def make(*options):
        run("mount", "-t", "tmpfs", "-o", ",".join(["mode=700", *options]),
            "tmpfs", path)
        return path
    yield make
    if os.path.ismount(path):
        run("umount", "--lazy", path)


@pytest.fixture
def small(disk):
    return disk("size=8m")


@pytest.fixture
def mount_on(mount, proxy):
    """Mounts with the cache on a disk."""
    def start(directory, registry=proxy, **more):
        root = mount(registry, f"cache={directory}/cache", **more)
        root.cache = directory / "cache"
        return root
    return start


@pytest.fixture
def shown(mount_on, client, small, large):
    """An image with a large layer, and the small disk."""
    image_of(large).push(client, "app", "1.0")
    return mount_on(small)


def fill(directory):
    """Takes all room on the disk: what can be put back is the file's name."""
    with open(directory / "fill", "wb", buffering=0) as filled, \
            fails_with(errno.ENOSPC):
        while True:
            filled.write(bytes(4096))
    return directory / "fill"


def forget(path):
    """The kernel asks for its bytes again."""
    with open(path, "rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def sha256(path):
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def hex_of(blob):
    return blob.digest.partition(":")[2]


def assert_tree(path, files=LARGE):
    found = sorted(path.rglob("*"))
    assert [entry.relative_to(path).as_posix() for entry in found] == (
        ["dir", *sorted(files)])
    for name, data in files.items():
        assert (path / name).read_bytes() == data, name


def cached(path):
    return int(os.getxattr(path, "user.oci.cached"))


@pytest.mark.parametrize("tool", ["cat", "cp", "sha256sum"])
def test_the_blob(shown, large, tmp_path, tool):
    path = shown / BLOB
    if tool == "sha256sum":
        assert run(tool, path).stdout.split()[0] == hex_of(large)
        return
    with open(tmp_path / "out", "wb") as out:
        if tool == "cat":
            subprocess.run(["cat", path], stdout=out, check=True, timeout=120)
        else:
            run("cp", path, tmp_path / "out", timeout=120)
    assert sha256(tmp_path / "out") == hex_of(large)


def test_it_comes_once(shown, proxy, large):
    """A reader in order needs no byte of it twice, but for the end of it."""
    proxy_bytes = proxy.requests()
    with proxy_bytes as seen:
        assert sha256(shown / BLOB) == hex_of(large)
    assert seen.count("GET", large.digest) <= 2


def test_the_trees(shown):
    assert_tree(shown / "app/1.0/layers/01")
    assert_tree(shown / "app/1.0/rootfs")


def test_the_blob_when_its_tree_was_read(shown, large):
    assert_tree(shown / "app/1.0/rootfs")
    assert sha256(shown / BLOB) == hex_of(large)


@pytest.mark.parametrize("form", FORMS)
def test_the_trees_of_each_format(mount_on, client, small, form):
    # More than a span of zstd can have; of xz that would take long.
    files = contents(3, 3 * MIB if form == "xz" else 6 * MIB)
    image_of(FORMS[form](entries_of(files))).push(client, "app", "1.0")
    assert_tree(mount_on(small) / "app/1.0/rootfs", files)


@pytest.mark.parametrize("options", [[], ["ro"]], ids=["rw", "ro"])
def test_anywhere(mount, proxy, client, small, large, options):
    image_of(large).push(client, "app", "1.0")
    root = mount(proxy, f"cache={small}/cache", *options)
    path = root / BLOB
    result = subprocess.run(["tail", "-c", "100000", path],
                            capture_output=True, check=True, timeout=120)
    assert result.stdout == large.data[-100_000:]
    result = subprocess.run(
        ["dd", f"if={path}", "bs=4096", "skip=9000", "count=100"],
        capture_output=True, check=True, timeout=120)
    assert result.stdout == large.data[9000 * 4096:9100 * 4096]
    chance = random.Random(1)
    with open(path, "rb", buffering=0) as opened:
        for _ in range(30):
            offset = chance.randrange(len(large.data))
            assert os.pread(opened.fileno(), 50_000, offset) == (
                large.data[offset:offset + 50_000])


def test_two_readers(shown, large):
    """One of them is much slower."""
    with open(shown / BLOB, "rb", buffering=0) as slow, \
            ThreadPoolExecutor(2) as pool:
        start = slow.read(4096)
        whole = [pool.submit(sha256, shown / BLOB) for _ in range(2)]
        assert [one.result() for one in whole] == [hex_of(large)] * 2
        assert start + slow.read() == large.data


def test_the_archive(shown, large):
    with tarfile.open(shown / "app/1.0/image.tar") as archive:
        (member,) = (one for one in archive.getmembers()
                     if one.size == len(large.data))
        found = hashlib.file_digest(archive.extractfile(member), "sha256")
    assert found.hexdigest() == hex_of(large)


@pytest.mark.parametrize("name", [BLOB, "app/1.0/rootfs/dir/5",
                                  "app/1.0/image.tar"])
def test_damage(shown, proxy, large, name):
    proxy.sends(f"/blobs/{large.digest}", corrupt(40 * MIB))
    shown.allow_error(large.digest)
    with fails_with(errno.EIO):
        sha256(shown / name)
    proxy.heal()

    def reads():
        with contextlib.suppress(OSError):
            return sha256(shown / name)
    # The kernel had read ahead, and what was wrong may be on its way again.
    wait_until(reads, "the right bytes")


def test_damage_when_it_was_right(shown, proxy, large):
    """It was verified, and comes again: another one, this time."""
    with open(shown / BLOB, "rb", buffering=0) as opened:
        while opened.read(MIB):
            pass
        proxy.sends(f"/blobs/{large.digest}", corrupt(100))
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        shown.allow_error(large.digest)
        with fails_with(errno.EIO):
            os.pread(opened.fileno(), 4096, 20 * MIB)
        proxy.heal()
        assert os.pread(opened.fileno(), 4096, 20 * MIB) == (
            large.data[20 * MIB:20 * MIB + 4096])


@pytest.mark.parametrize("name, offset", [(BLOB, 44 * MIB),
                                          ("app/1.0/rootfs/dir/5", 4 * MIB)])
def test_silence(mount, proxy, client, small, large, name, offset):
    """What is fetched again ends in time, and when it is interrupted."""
    image_of(large).push(client, "app", "1.0")
    root = mount(proxy, f"cache={small}/cache", "timeout=2")
    for path in sorted((root / "app/1.0/rootfs/dir").iterdir()):
        sha256(path)
    hold = proxy.falls_silent("/blobs/")
    root.allow_error(large.digest)
    forget(root / name)
    start = time.monotonic()
    with open(root / name, "rb", buffering=0) as opened, \
            fails_with(errno.ETIMEDOUT):
        os.pread(opened.fileno(), 4096, offset)
    assert time.monotonic() - start < 3 * 2 + MARGIN
    hold.release()
    proxy.heal()
    with silent(proxy, "/blobs/", "cat", root / name) as reader:
        assert end(reader, signal.SIGINT) != 0
    proxy.heal()
    sha256(root / name)


def test_somebody_else_fills_the_disk(mount_on, client, proxy, disk):
    """While it is read, from a reader who had the front of it."""
    stored = layer_of_size(32 * MIB)
    oci_image(stored).push(client, "app", "1.0")
    directory = disk("size=64m")
    root = mount_on(directory)
    hold = Hold(at=16 * MIB)
    proxy.sends(f"/blobs/{stored.digest}", hold)
    with open(root / BLOB, "rb", buffering=0) as opened:
        start = opened.read(4096)
        hold.wait_reached()
        filled = fill(directory)
        hold.release()
        assert start + opened.read() == stored.data
    assert cached(root / BLOB) == 0
    filled.unlink()

    def kept():
        forget(root / BLOB)
        assert sha256(root / BLOB) == hex_of(stored)
        return cached(root / BLOB) == len(stored.data)
    # Until the kernel has closed the file, it is the one that is not kept.
    wait_until(kept, "a blob that is kept")


def test_parts_are_kept_when_there_is_room(mount_on, client, proxy, disk,
                                           large):
    image_of(large).push(client, "app", "1.0")
    directory = disk("size=100m")
    root = mount_on(directory)
    os.listdir(root / "app/1.0/rootfs")
    shutil.rmtree(root.cache / "blobs")
    root.unmount()
    root = mount_on(directory)
    filled = fill(directory)
    first, *others = sorted(LARGE)
    tree = root / "app/1.0/rootfs"
    assert (tree / first).read_bytes() == LARGE[first]
    filled.unlink()
    with proxy.requests() as seen:
        assert (tree / others[0]).read_bytes() == LARGE[others[0]]
    assert len(seen) > 0
    assert any((root.cache / "parts").iterdir())


def test_the_log_says_it_once(shown, small, large):
    for _ in range(2):
        assert sha256(shown / BLOB) == hex_of(large)
    assert_tree(shown / "app/1.0/rootfs")
    found = re.findall(NOT_KEPT.format(small), shown.log())
    assert len(found) == 1, shown.log()


def test_memory(mount_on, client, small, large, plain_binary):
    image_of(large).push(client, "app", "1.0")
    root = mount_on(small, program=plain_binary)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(sha256, [root / BLOB] * 4))
    assert results == [hex_of(large)] * 4
    assert_tree(root / "app/1.0/rootfs")
    assert sha256(root / BLOB) == hex_of(large)
    sha256(root / "app/1.0/image.tar")
    index = sum(path.stat().st_size
                for path in (root.cache / "derived").iterdir())
    assert root.peak_memory() <= MEMORY_LIMIT + index


# Where there is no room at all.

def full(directory):
    fill(directory)


def without_inodes(directory):
    with fails_with(errno.ENOSPC):
        for number in range(1000):
            (directory / f"{number}").touch()


def read_only(directory):
    run("mount", "-o", "remount,ro", directory)


STATES = {"full": full, "without inodes": without_inodes,
          "read-only": read_only}


def heal(directory):
    run("mount", "-o", "remount,rw", directory)
    for path in directory.iterdir():
        if path.is_file():
            path.unlink()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("state", STATES)
def test_no_room_at_all(mount_on, client, disk, state, form):
    directory = disk("size=8m", "nr_inodes=200")
    image = image_of(FORMS[form](SMALL), [file("top", "2")])
    image.push(client, "app", "1.0")
    root = mount_on(directory)
    STATES[state](directory)
    whole = {"etc/": None, "etc/passwd": b"root:x:0:0\n",
             "data": SMALL[2].data, "top": b"2"}
    assert outline(root / "app/1.0/rootfs") == whole
    for layer_file in (root / "app/1.0/layers").glob("*.tar*"):
        assert f"sha256:{sha256(layer_file)}" in {
            one.digest for one in image.layers}
    heal(directory)
    root.unmount()
    assert not files_in(root.cache / "blobs")
    root = mount_on(directory)
    assert outline(root / "app/1.0/rootfs") == whole
    assert files_in(root.cache / "blobs")


@pytest.mark.parametrize("state", [full, read_only])
def test_no_room_from_the_start(mount_on, client, disk, state):
    directory = disk("size=8m")
    image_of(SMALL, [file("top", "2")]).push(client, "app", "1.0")
    (directory / "cache").mkdir(mode=0o700)
    state(directory)
    root = mount_on(directory)
    assert (root / "app/1.0/rootfs/data").read_bytes() == SMALL[2].data
    assert (root / "app/1.0/rootfs/top").read_bytes() == b"2"
    with tarfile.open(root / "app/1.0/image.tar") as archive:
        assert "manifest.json" in archive.getnames()


def test_an_index_that_fits_nowhere(mount_on, client, disk):
    """It is too large to be held in memory."""
    directory = disk("size=8m")
    image_of([file(f"{number:099}") for number in range(160_000)]).push(
        client, "app", "1.0")
    root = mount_on(directory)
    filled = fill(directory)
    root.expect_error(f"{root.cache}.*directory .option cache.*No space left")
    with fails_with(errno.ENOSPC):
        os.listdir(root / "app/1.0/rootfs")
    filled.unlink()
    run("mount", "-o", "remount,size=200m", directory)
    assert len(os.listdir(root / "app/1.0/rootfs")) == 160_000


def test_a_cache_that_vanished(mount_on, client, tmp_path):
    image_of(SMALL).push(client, "app", "1.0")
    root = mount_on(tmp_path / "above")
    os.listdir(root / "app/1.0")
    while root.cache.exists():
        shutil.rmtree(tmp_path / "above", ignore_errors=True)
    (tmp_path / "above").write_text("in its place")
    assert (root / "app/1.0/rootfs/data").read_bytes() == SMALL[2].data
    (tmp_path / "above").unlink()
    stored = next((root / "app/1.0/layers").glob("*.tar.gz"))
    with open(stored, "rb") as opened:
        opened.read()
