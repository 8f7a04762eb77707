# SPDX-License-Identifier: Apache-2.0
"""A registry that says once that it lacks a layer or a part of one: that is no
name's end, and the next one who asks gets it."""

import errno
import os

import pytest

from support.caches import evict_blobs
from support.chunked import chunked
from support.estargz import estargz
from support.layers import image_of
from support.tars import file

ENTRIES = [file("etc/hosts", b"127.0.0.1 localhost\n"),
           file("etc/motd", b"hello\n" * 20000), file("data/f", b"f" * 9000)]
IMAGES = {"gzip": image_of(ENTRIES), "estargz": image_of(estargz(ENTRIES)),
          "zstd:chunked": image_of(chunked(ENTRIES))}


def lost(call):
    with pytest.raises(OSError) as failure:
        call()
    return failure.value.errno


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("kind", IMAGES)
def test_a_layer_that_is_lost_for_a_moment(mount, proxy, client, kind, status):
    image = IMAGES[kind].push(client, "app", "1.0")
    root = mount(proxy, "tag_ttl=3600")
    root.allow_error("app.*(does not have|404|410)")
    blob = f"/blobs/{image.layers[0].digest}"
    rootfs = root / "app/1.0/rootfs"
    proxy.refuses(blob, status=status, code="BLOB_UNKNOWN", message="gone")
    assert lost((rootfs / "etc/hosts").read_bytes) == errno.EIO
    assert lost((rootfs / "etc/hosts").stat) == errno.EIO
    assert lost(lambda: os.listdir(rootfs / "etc")) == errno.EIO
    proxy.heal()
    assert (rootfs / "etc/hosts").read_bytes() == b"127.0.0.1 localhost\n"
    assert sorted(os.listdir(rootfs / "etc")) == ["hosts", "motd"]
    with pytest.raises(FileNotFoundError):
        (rootfs / "etc/nothing").stat()


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("kind", IMAGES)
def test_a_part_that_is_lost_for_a_moment(mount, proxy, client, kind, status):
    """Its index is there, and the bytes of one file are not."""
    image = IMAGES[kind].push(client, "app", "1.0")
    first = mount(proxy)
    assert (first / "app/1.0/rootfs/etc/hosts").read_bytes()
    first.unmount()
    evict_blobs(first.cache)
    root = mount(proxy, f"cache={first.cache}")
    root.allow_error("app.*(does not have|404|410)")
    motd = root / "app/1.0/rootfs/etc/motd"
    assert motd.stat().st_size == 120000
    proxy.refuses(f"/blobs/{image.layers[0].digest}", status=status,
                  code="BLOB_UNKNOWN", message="gone")
    assert lost(motd.read_bytes) == errno.EIO
    proxy.heal()
    assert motd.read_bytes() == b"hello\n" * 20000
