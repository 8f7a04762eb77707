# SPDX-License-Identifier: Apache-2.0
"""A tree through the mount is the tree that others unpack."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.archives import write_layout
from support.chunked import chunked
from support.engines import skopeo_copy
from support.estargz import estargz
from support.layers import image_of, layer_of_tar
from support.rootfs import (
    debian_image, many_files, many_layers_image)
from support.system import run
from support.tars import (
    BLOCKS, CHARACTERS, device, directory, fifo, file, hard_link, opaque,
    sparse, symlink, tar_bytes, whiteout)
from support.trees import assert_rsync_agrees, assert_same_tree, read_tree
from support.unpacked import (
    buildah_rootfs, podman_rootfs, umoci_rootfs, umoci_unpack, untar)

# The root directory has no entry in these images: peers make it as they like.
ROOT = [("", what) for what in ("mtime", "mode")]

ODD = [
    [directory("d", mode=0o2750, gid=5), file("d/setuid", b"x", mode=0o4711),
     file("d/linked", b"linked", uid=3), hard_link("d/hard", "d/linked", uid=3),
     directory("gone"), file("gone/file"), directory("opaque"),
     file("opaque/old"), file("to-dir"), directory("to-file"),
     file("to-file/in"), directory(b"\xff\xfe"), file(b"\xff\xfe/\xfd", b"raw"),
     symlink("out", "../../../../etc/passwd"), symlink("loop", "loop"),
     symlink(b"odd\xff", b"\xff"), fifo("fifo"),
     device("null", CHARACTERS, 1, 3), device("disk", BLOCKS, 8, 17),
     file("n" * 255, b"long"), file("new\nline", b"n"),
     file("nanoseconds", mtime=1_700_000_000_123_456_789),
     file("old", mtime=0), file("owner", uid=4_000_000_000),
     file("noted", xattrs={"user.note": b"\0\xff"}),
     sparse("sparse", 1 << 20, [(65536, b"s" * 4096),
                                ((1 << 20) - 3, b"end")])],
    [directory("d", mode=0o1777, uid=9, gid=6),
     file("d/linked", b"another", uid=4), whiteout("gone"),
     directory("opaque", mode=0o711), opaque("opaque"), file("opaque/new"),
     directory("to-dir"), file("to-dir/in", b"in"), file("to-file", b"file"),
     symlink("d/relative", "../out"), whiteout("old")]]

# JSON has no names that are no UTF-8, eStargz no nanoseconds, and Go's writers
# know no sparse files.
IN_A_TOC = [[entry for entry in entries
             if not isinstance(entry.name, bytes) and not entry.extents
             and not entry.mtime % 10**9] for entries in ODD]


def umoci(image, reference, podman, tmp_path):
    return umoci_rootfs(image, tmp_path)


def podman_mount(image, reference, podman, tmp_path):
    return podman_rootfs(podman, reference)


def buildah_mount(image, reference, podman, tmp_path):
    return buildah_rootfs(podman, reference)


@pytest.fixture
def both(mount, registry, client, podman, tmp_path):
    """An image through the mount, and as a peer has it."""
    def both(image, peer):
        image.push(client, "app", "1.0")
        reference = f"{registry.address}/app:1.0"
        other = peer(image, reference, podman, tmp_path)
        return mount(registry) / "app/1.0/rootfs", other
    return both


@pytest.mark.parametrize("peer", [umoci, podman_mount, buildah_mount])
def test_odd_things(both, peer):
    ours, theirs = both(image_of(*ODD), peer)
    assert_same_tree(ours, theirs, ignore=ROOT)


@pytest.mark.parametrize("make", [
    estargz, lambda entries: estargz(entries, chunk_size=512, share_below=999),
    chunked, lambda entries: chunked(entries, chunk_size=512)],
    ids=["estargz", "estargz-chunks", "chunked", "chunked-chunks"])
def test_indexed_layers_are_what_their_tars_say(mount, registry, client,
                                                tmp_path, make):
    """umoci reads no zstd, and is given the tars."""
    image_of(*map(make, IN_A_TOC)).push(client, "app", "1.0")
    theirs = umoci_rootfs(image_of(*IN_A_TOC), tmp_path)
    assert_same_tree(mount(registry) / "app/1.0/rootfs", theirs, ignore=ROOT)


def test_a_debian_tree(both, tmp_path):
    ours, theirs = both(debian_image(tmp_path), umoci)
    # umoci puts things into the root after it has set its time.
    assert_same_tree(ours, theirs, ignore=[("", "mtime")])
    os.utime(theirs, ns=(0, os.stat(ours).st_mtime_ns))
    assert_rsync_agrees(ours, theirs)
    assert len(read_tree(ours, contents=False)) > 2000


def test_fifty_thousand_files(mount, registry, client):
    tar = tar_bytes(many_files())
    image_of(layer_of_tar(tar)).push(client, "app", "1.0")
    # In memory: a disk takes ten seconds for as many.
    with TemporaryDirectory(dir="/dev/shm") as scratch:
        assert_same_tree(mount(registry) / "app/1.0/rootfs",
                         untar(tar, Path(scratch) / "untarred"), ignore=ROOT)


def test_a_hundred_layers(both):
    ours, theirs = both(many_layers_image(), umoci)
    assert_same_tree(ours, theirs, ignore=ROOT)


@pytest.mark.parametrize("options", [
    [], ["--dest-compress-format", "zstd"],
    ["--dest-compress-format", "zstd:chunked"]],
    ids=["gzip", "zstd", "zstd:chunked"])
def test_what_skopeo_compressed(mount, registry, tmp_path, options):
    """containers/image writes layers by its own hand."""
    layers = IN_A_TOC if "zstd:chunked" in options else ODD
    theirs = umoci_rootfs(image_of(*layers), tmp_path)
    skopeo_copy(f"oci:{tmp_path}/layout:tag",
                f"docker://{registry.address}/app:1.0", *options)
    assert_same_tree(mount(registry) / "app/1.0/rootfs", theirs, ignore=ROOT)


def test_what_umoci_packed(mount, registry, tmp_path):
    """A layer as another tool's difference of two trees."""
    bundle, layout = tmp_path / "bundle", tmp_path / "layout"
    write_layout(layout, [("tag", image_of(*ODD[:1]))])
    run("umoci", "unpack", "--image", f"{layout}:tag", bundle)
    root = Path(bundle / "rootfs")
    (root / "to-dir").unlink()
    (root / "d/new").write_text("new")
    run("umoci", "repack", "--image", f"{layout}:changed", bundle)
    skopeo_copy(f"oci:{layout}:changed", f"docker://{registry.address}/app:1.0")
    theirs = umoci_unpack(layout, "changed", tmp_path / "again")
    assert_same_tree(mount(registry) / "app/1.0/rootfs", theirs, ignore=ROOT)
