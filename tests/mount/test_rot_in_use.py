# SPDX-License-Identifier: Apache-2.0
"""Blobs that are damaged in the cache after they were read, by a mount that has
them open: what is read again was compared again, or is fetched again."""

import os
import random

import pytest

from registry.process import wait_until
from support.caches import files_in, flip
from support.images import gzip_layer, layer_of_size, oci_image
from support.indexes import forget_kernel_caches

MIB = 1 << 20
LARGE = layer_of_size(2 * MIB)
SMALL = gzip_layer({"etc/motd": random.Random(1).randbytes(20_000)})
IMAGE = oci_image(LARGE, SMALL)
FILES = ("config.json", "layers/01.tar.gz", "layers/02.tar.gz", "image.tar")
OPTIONS = {"rw": [], "ro": ["ro"]}


def zero(path):
    size = path.stat().st_size
    os.truncate(path, 0)
    os.truncate(path, size)


def zero_and_keep_times(path):
    before = path.stat()
    zero(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGE = {
    "zeros": zero,
    "a bit": lambda path: flip(path, path.stat().st_size // 2),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 3),
    "emptied": lambda path: os.truncate(path, 0),
    # What was written has the time of what was there before.
    "kept times": zero_and_keep_times,
}


def contents(root):
    return {name: (root / "app/1.0" / name).read_bytes() for name in FILES}


def has_its_name(root, blob):
    """It gets it when its bytes are on the disk."""
    return any(path.name == blob.digest[7:]
               for path in files_in(root.cache / "blobs"))


@pytest.fixture(params=OPTIONS)
def root(request, mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    return mount(proxy, *OPTIONS[request.param])


@pytest.fixture
def opened(root):
    """Keeps all of them open."""
    held = [os.open(root / "app/1.0" / name, os.O_RDONLY) for name in FILES]
    yield held
    for descriptor in held:
        os.close(descriptor)


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_read_before(root, opened, damage):
    right = contents(root)
    for blob in IMAGE.blobs:
        wait_until(lambda: has_its_name(root, blob), "a name of the blob")
    for path in files_in(root.cache / "blobs"):
        DAMAGE[damage](path)
    forget_kernel_caches()
    assert contents(root) == right
    # And what is kept then is right.
    forget_kernel_caches()
    assert contents(root) == right
    for name, descriptor in zip(FILES, opened):
        assert os.pread(descriptor, 1 << 30, 0) == right[name]


def test_nothing_is_fetched_where_only_the_times_changed(root, opened, proxy):
    right = contents(root)
    for blob in IMAGE.blobs:
        wait_until(lambda: has_its_name(root, blob), "a name of the blob")
    for path in files_in(root.cache / "blobs"):
        os.utime(path)
    forget_kernel_caches()
    with proxy.requests() as seen:
        assert contents(root) == right
    assert seen.count("GET", "/blobs/") == 0
    assert "damaged" not in root.log()


def damage_file(cache, blob, damage):
    (path,) = [path for path in files_in(cache / "blobs")
               if path.name == blob.digest[7:]]
    damage(path)
    forget_kernel_caches()


@pytest.mark.parametrize("damage", DAMAGE)
def test_files_of_a_layer(mount, proxy, client, tmp_path, damage):
    """Read by its index, from a blob that is kept whole."""
    content = random.Random(3).randbytes(12 * MIB)
    made = gzip_layer({"first": b"1", "large": content})
    oci_image(made).push(client, "app", "1.0")
    options = f"cache={tmp_path / 'shared'}"
    first = mount(proxy, options)
    assert (first / "app/1.0/rootfs/large").read_bytes() == content
    assert (first / "app/1.0/layers/01.tar.gz").read_bytes() == made.data
    first.unmount()
    root = mount(proxy, options, "ro")
    with open(root / "app/1.0/rootfs/large", "rb", buffering=0) as opened:
        assert opened.read(1) == content[:1]
        damage_file(tmp_path / "shared", made, DAMAGE[damage])
        assert opened.read(len(content)) == content[1:]
