# SPDX-License-Identifier: Apache-2.0
"""Bits that the disk of the cache forgets: what is read is right all the same,
and the log says what was wrong."""

import errno
import os
import random

import pytest

from support.caches import files_in, flip
from support.catalogs import blob_file
from support.images import layer_of_size, oci_image
from support.layers import image_of, layer
from support.system import fails_with, run
from support.tars import directory, file

KIB = 1024
MIB = 1 << 20
SIZE = 3 * MIB
LAYER = "app/1.0/layers/01.tar.gz"


@pytest.fixture
def stored():
    return layer_of_size(SIZE)


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


@pytest.fixture
def kept(mount, registry, client, stored, shared):
    """The file of the layer, kept by a mount that is gone."""
    oci_image(stored).push(client, "app", "1.0")
    first = mount(registry, f"cache={shared}")
    assert (first / LAYER).read_bytes() == stored.data
    first.unmount()
    (path,) = (shared / "blobs").rglob(stored.digest.split(":")[1])
    return path


def zero(path):
    size = path.stat().st_size
    os.truncate(path, 0)
    os.truncate(path, size)


DAMAGE = {
    "the first byte": lambda path: flip(path, 0),
    "a byte": lambda path: flip(path, 1_000_000),
    "the last byte": lambda path: flip(path, SIZE - 1),
    "zeros": zero,
    "a block of zeros": lambda path: path.write_bytes(
        path.read_bytes()[:MIB] + bytes(4 * KIB)
        + path.read_bytes()[MIB + 4 * KIB:]),
}


@pytest.mark.parametrize("options", [[], ["ro"]], ids=["rw", "ro"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_layer_as_it_is_stored(mount, proxy, kept, stored, shared, damage,
                                 options):
    DAMAGE[damage](kept)
    root = mount(proxy, f"cache={shared}", *options)
    with proxy.requests() as seen:
        assert (root / LAYER).read_bytes() == stored.data
    assert seen.count("GET", stored.digest) == 1
    root.wait_for_log(f"warning: .*{kept.name} is damaged, and removed")
    assert os.getxattr(root / LAYER, "user.oci.verified") == b"yes"
    root.unmount()
    again = mount(proxy, f"cache={shared}", *options)
    with proxy.requests() as seen:
        assert (again / LAYER).read_bytes() == stored.data
    assert seen.count("GET", "/blobs/") == 0
    assert "damaged" not in again.log()


def test_a_block_is_enough(mount, proxy, kept, stored, shared):
    """What is elsewhere is not looked at, nor fetched."""
    flip(kept, 2 * MIB)
    root = mount(proxy, f"cache={shared}")
    with proxy.requests() as seen, \
            open(root / LAYER, "rb", buffering=0) as opened:
        assert os.pread(opened.fileno(), 100, MIB) == (
            stored.data[MIB:MIB + 100])
    assert seen.count("GET", "/blobs/") == 0


def test_a_reader_in_the_middle(mount, proxy, kept, stored, shared):
    root = mount(proxy, f"cache={shared}")
    with open(root / LAYER, "rb", buffering=0) as opened:
        assert opened.read(MIB) == stored.data[:MIB]
        flip(kept, SIZE - 100)
        assert opened.read(SIZE) + opened.read() == stored.data[MIB:]
    root.wait_for_log(f"{kept.name} is damaged")


def test_a_file_that_is_cut_under_a_reader(mount, proxy, kept, stored, shared):
    root = mount(proxy, f"cache={shared}")
    with open(root / LAYER, "rb", buffering=0) as opened:
        assert opened.read(MIB) == stored.data[:MIB]
        os.truncate(kept, MIB)
        rest = opened.read(SIZE)
        while more := opened.read(SIZE):
            rest += more
        assert rest == stored.data[MIB:]
    root.wait_for_log(f"{kept.name} is damaged")


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_archive(mount, registry, kept, stored, shared, tmp_path, damage):
    clean = mount(registry)
    wanted = (clean / "app/1.0.tar").read_bytes()
    DAMAGE[damage](kept)
    root = mount(registry, f"cache={shared}")
    saved = tmp_path / "saved.tar"
    run("cp", root / "app/1.0.tar", saved)
    assert saved.read_bytes() == wanted
    assert (root / "app/1.0/image.tar").read_bytes() == wanted
    root.wait_for_log(f"{kept.name} is damaged")
    run("skopeo", "inspect", f"docker-archive:{saved}")


def test_a_copy_that_sends_bytes(mount, proxy, client, kept, stored, shared):
    """The registry does not mount the blob, so that it is sent."""
    flip(kept, MIB)
    proxy.refuses("mount=", method="POST", status=405, code="UNSUPPORTED",
                  message="no mounts here")
    root = mount(proxy, f"cache={shared}")
    (root / "other").mkdir()
    run("cp", root / "app/1.0.tar", root / "other/1.0.tar")
    assert client.blob("other", stored.digest) == stored.data
    root.wait_for_log(f"{kept.name} is damaged")


def test_nothing_wrong_is_served_without_the_registry(mount, proxy, kept,
                                                      stored, shared):
    flip(kept, MIB)
    root = mount(proxy, f"cache={shared}")
    proxy.refuses("/blobs/", status=403, code="DENIED", message="not today")
    root.expect_error("not today")
    with fails_with(errno.EACCES):
        (root / LAYER).read_bytes()
    proxy.heal()
    assert (root / LAYER).read_bytes() == stored.data


def test_what_comes_in_its_place_is_wrong(mount, registry, kept, stored,
                                          shared):
    """Two disks: nobody has it any more."""
    flip(kept, MIB)
    flip(blob_file(registry.storage, stored.digest), 2 * MIB)
    root = mount(registry, f"cache={shared}")
    root.expect_error(stored.digest)
    with fails_with(errno.EIO):
        (root / LAYER).read_bytes()
    with fails_with(errno.EIO):
        (root / "app/1.0/image.tar").read_bytes()
    blob_file(registry.storage, stored.digest).write_bytes(stored.data)
    assert (root / LAYER).read_bytes() == stored.data


@pytest.mark.parametrize("damage", [None, *DAMAGE])
def test_a_cache_of_an_earlier_version(mount, proxy, kept, stored, shared,
                                       damage):
    """It has no checksums: the whole blob is hashed, once."""
    size = kept.stat().st_size
    assert size > len(stored.data)
    os.truncate(kept, len(stored.data))
    if damage:
        DAMAGE[damage](kept)
    root = mount(proxy, f"cache={shared}")
    assert os.getxattr(root / LAYER, "user.oci.verified") == b"pending"
    with proxy.requests() as seen:
        assert (root / LAYER).read_bytes() == stored.data
    assert seen.count("GET", "/blobs/") == (1 if damage else 0)
    assert os.getxattr(root / LAYER, "user.oci.verified") == b"yes"
    root.unmount()
    assert kept.stat().st_size == size


@pytest.mark.parametrize("gone", [False, True], ids=["kept", "gone"])
def test_a_layer_that_is_kept_decoded(mount, proxy, client, shared, gone):
    """One zstd frame: what was decoded is damaged, and is decoded again."""
    data = random.Random(5).randbytes(20 * MIB)
    made = layer([directory("d"), file("d/file", data)], "zstd")
    image_of(made).push(client, "app", "1.0")
    first = mount(proxy, f"cache={shared}")
    assert (first / "app/1.0/rootfs/d/file").read_bytes() == data
    first.unmount()
    for path in files_in(shared / "blobs"):
        if path.name == made.digest[7:] and gone:
            path.unlink()
        elif path.stat().st_size > MIB:
            flip(path, 10 * MIB)
    root = mount(proxy, f"cache={shared}")
    assert (root / "app/1.0/rootfs/d/file").read_bytes() == data
    root.wait_for_log("is damaged, and removed")
    again = mount(proxy, f"cache={shared}")
    assert (again / "app/1.0/rootfs/d/file").read_bytes() == data
    assert "damaged" not in again.log()


def test_two_mounts_of_one_cache(mount, proxy, kept, stored, shared):
    """Both have the damaged file open; one of them fetches."""
    roots = [mount(proxy, f"cache={shared}") for _ in range(2)]
    opened = [open(root / LAYER, "rb", buffering=0) for root in roots]
    try:
        for one in opened:
            assert one.read(100) == stored.data[:100]
        flip(kept, MIB + 5)
        with proxy.requests() as seen:
            for one in opened:
                assert os.pread(one.fileno(), 300, MIB) == (
                    stored.data[MIB:MIB + 300])
                assert os.pread(one.fileno(), 300, SIZE - 500) == (
                    stored.data[SIZE - 500:SIZE - 200])
        assert seen.count("GET", "/blobs/") == 1
    finally:
        for one in opened:
            one.close()
