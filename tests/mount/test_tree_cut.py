# SPDX-License-Identifier: Apache-2.0
"""A layer whose tar ends too early is read as far as it goes, as engines do."""

import errno
import gzip
import os

import pytest

from support.compression import COMPRESSIONS
from support.layers import image_of, layer_of_tar
from support.tars import BLOCK, directory, file, pax_record, tar_bytes, Entry
from support.trees import assert_same_tree, outline
from support.unpacked import podman_rootfs, umoci_rootfs

ENTRIES = [directory("etc"), file("etc/motd", b"hello\n"),
           file("last", b"l" * 700)]
OUTLINE = {"etc/": None, "etc/motd": b"hello\n", "last": b"l" * 700}
# Padding of 324 bytes ends it.
UNENDED = tar_bytes(ENTRIES, end=False)
ROOT = [("", what) for what in ("mtime", "mode")]

ENOUGH = {
    "no end marker": UNENDED, "half of one": UNENDED + bytes(BLOCK),
    "a part of a block": UNENDED[:-1], "no padding": UNENDED[:-324],
    "headers of no entry": UNENDED + tar_bytes(
        [Entry("x", b"x", pax_record("path", "a"))], end=False),
}
HEADER = tar_bytes([file("lost")], end=False)


@pytest.mark.parametrize("compression", ["plain", "gzip", "zstd"])
@pytest.mark.parametrize("how", ENOUGH)
def test_what_engines_do_not_miss(shown, how, compression):
    root = shown(layer_of_tar(ENOUGH[how], compression))
    assert outline(root / "rootfs") == OUTLINE
    assert outline(root / "layers/01") == OUTLINE


@pytest.mark.parametrize("peer", ["umoci", "podman"])
@pytest.mark.parametrize("how", ENOUGH)
def test_peers_read_them(mount, registry, client, podman, tmp_path, how, peer):
    image = image_of(layer_of_tar(ENOUGH[how]))
    image.push(client, "app", "1.0")
    theirs = umoci_rootfs(image, tmp_path) if peer == "umoci" else (
        podman_rootfs(podman, f"{registry.address}/app:1.0"))
    assert_same_tree(mount(registry) / "app/1.0/rootfs", theirs, ignore=ROOT)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_cut_in_the_contents_of_a_file(mounted, client, compression):
    """No reader of that file takes what is there for all of it. The others have
    what is theirs."""
    cut = UNENDED[:-324 - 300]
    image_of(layer_of_tar(cut, compression)).push(client, "app", "1.0")
    mounted.expect_error("the layer's tar is truncated before byte")
    root = mounted / "app/1.0/rootfs"
    assert sorted(os.listdir(root)) == ["etc", "last"]
    assert (root / "etc/motd").read_bytes() == b"hello\n"
    assert (root / "last").stat().st_size == 700
    with pytest.raises(OSError) as failure:
        (root / "last").read_bytes()
    assert failure.value.errno == errno.EIO


@pytest.mark.parametrize("cut", [
    UNENDED + HEADER[:100], UNENDED + bytes(100), UNENDED[:700],
    UNENDED + tar_bytes([Entry("x", b"x", b"1" * 9)], end=False)[:BLOCK + 5]],
    ids=["header", "zeros", "first header", "records"])
def test_cut_in_a_header(mounted, client, cut):
    """Nobody knows what it should have."""
    image_of(layer_of_tar(cut)).push(client, "app", "1.0")
    mounted.expect_error("the layer's tar is truncated")
    with pytest.raises(OSError) as failure:
        os.listdir(mounted / "app/1.0/rootfs")
    assert failure.value.errno == errno.EIO


def test_compression_that_is_cut_off(mounted, client):
    """That is no end of the layer, wherever it cuts the tar."""
    made = layer_of_tar(UNENDED)
    cut = type(made)(made.media_type, gzip.compress(UNENDED, mtime=0)[:-9],
                     diff_id=made.diff_id)
    image_of(cut).push(client, "app", "1.0")
    mounted.expect_error("the layer's tar is truncated")
    with pytest.raises(OSError) as failure:
        os.listdir(mounted / "app/1.0/rootfs")
    assert failure.value.errno == errno.EIO
