# SPDX-License-Identifier: Apache-2.0
"""Tars of root file systems that engines do not unpack become layers that they
do: sparse and contiguous files, dumps, volume labels."""

import gzip
import os

import pytest

from registry.client import digest_of
from support.compression import COMPRESSIONS
from support.engines import skopeo_copy
from support.images import Layer
from support.layers import image_of
from support.system import run
from support.tars import (
    Entry, directory, file, hard_link, pax_record, sparse, symlink, tar_bytes)
from support.trees import assert_same_tree, outline
from support.unpacked import podman_rootfs, umoci_unpack

MIB = 1 << 20
DATA = b"s" * 4096
HOLES = [(65536, DATA), (MIB, DATA)]
SIZE = 2 * MIB
AROUND = [directory("etc", mode=0o751, uid=3), file("etc/motd", b"hello\n",
          xattrs={"user.note": b"kept"}, mtime=1_600_000_000_123_456_789),
          symlink("link", "etc/motd")]
MORE = [file("last", b"l" * 700), hard_link("hard", "last")]


def between(*entries):
    return tar_bytes([*AROUND, *entries, *MORE])


ODD = {
    "gnu-sparse": between(sparse("holes", SIZE, HOLES, "gnu", uid=5)),
    "pax-0.1": between(sparse("holes", SIZE, HOLES, "pax-0.1")),
    "pax-1.0": between(sparse("holes", SIZE, HOLES, "pax-1.0",
                              xattrs={"user.note": b"on holes"})),
    "all-hole": between(sparse("holes", SIZE, [], "gnu")),
    "contiguous": between(Entry("odd", b"7", b"contents")),
    "unknown": between(Entry("odd", b"Z", b"contents")),
    "dump": between(Entry("d/", b"D", b"Ya\0\0", mode=0o1777, uid=7,
                          form="gnu"), file("d/a", b"a")),
    "volume": tar_bytes([Entry("label", b"V", form="gnu"), *AROUND, *MORE]),
    "solaris": between(Entry("x", b"X", pax_record("path", "n" * 120)),
                       file("short", b"x")),
}
odd = pytest.mark.parametrize("name", ODD)
ROOT = [("", what) for what in ("mtime", "mode")]


@pytest.fixture
def as_pushed(mount, registry, client, podman, tmp_path):
    """What was pushed, in the mount and as engines unpack it, is this tree."""
    def check(mounted, expected):
        shown = mounted / "app/1.0/rootfs"
        found = outline(shown)
        assert found == expected
        reference = f"{registry.address}/app:1.0"
        assert_same_tree(shown, podman_rootfs(podman, reference), ignore=ROOT)
        skopeo_copy(f"docker://{reference}", f"oci:{tmp_path}/layout:1.0")
        assert_same_tree(shown, umoci_unpack(tmp_path / "layout", "1.0",
                                             tmp_path / "umoci"), ignore=ROOT)
    return check


def tree_of(mount, registry, client, tar):
    """The tree that the mount shows of such a layer as it is."""
    image_of(Layer("application/vnd.oci.image.layer.v1.tar", tar,
                   diff_id=digest_of(tar))).push(client, "odd", "1.0")
    return outline(mount(registry) / "odd/1.0/rootfs")


@odd
def test_a_root_file_system(mount, registry, client, as_pushed, name):
    expected = tree_of(mount, registry, client, ODD[name])
    mounted = mount(registry)
    (mounted / "app").mkdir()
    (mounted / "app/1.0.tar").write_bytes(ODD[name])
    as_pushed(mounted, expected)
    assert os.getxattr(mounted / "app/1.0/rootfs/etc/motd",
                       "user.note") == b"kept"
    assert os.stat(mounted / "app/1.0/rootfs/etc/motd").st_mtime_ns == (
        1_600_000_000_123_456_789)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed(mount, registry, client, as_pushed, compression):
    expected = tree_of(mount, registry, client, ODD["gnu-sparse"])
    mounted = mount(registry)
    (mounted / "app").mkdir()
    (mounted / "app/1.0.tar").write_bytes(
        COMPRESSIONS[compression](ODD["gnu-sparse"]))
    as_pushed(mounted, expected)


@pytest.mark.parametrize("compression", ["plain", "gzip", "xz"])
@pytest.mark.parametrize("name", ["gnu-sparse", "dump"])
def test_one_more_layer(mount, registry, client, as_pushed, name, compression):
    expected = tree_of(mount, registry, client, ODD[name])
    image_of([file("base", b"base")]).push(client, "app", "1.0")
    mounted = mount(registry)
    (mounted / "app/1.0/layers/odd.tar").write_bytes(
        COMPRESSIONS[compression](ODD[name]))
    as_pushed(mounted, expected | {"base": b"base"})


def test_what_gnu_tar_writes(mount, registry, as_pushed, tmp_path):
    """As Debian's rootfs tarballs are made, and backups."""
    tree = tmp_path / "tree"
    (tree / "tmp").mkdir(parents=True)
    with open(tree / "holes", "wb") as opened:
        opened.truncate(MIB)
        opened.seek(300_000)
        opened.write(DATA)
    (tree / "file").write_bytes(b"f")
    run("tar", "-C", tree, "-S", "-g", tmp_path / "state", "-V", "label",
        "-cf", tmp_path / "odd.tar", ".")
    mounted = mount(registry)
    (mounted / "app").mkdir()
    run("cp", tmp_path / "odd.tar", mounted / "app/1.0.tar")
    as_pushed(mounted, outline(tree))


@pytest.mark.parametrize("format", ["gzip", "estargz", "zstd:chunked"])
def test_with_a_table_of_contents(mount, registry, as_pushed, client, format):
    """A sparse file that is written out can be in one."""
    expected = tree_of(mount, registry, client, ODD["gnu-sparse"])
    mounted = mount(registry, f"compression={format}")
    (mounted / "app").mkdir()
    (mounted / "app/1.0.tar").write_bytes(ODD["gnu-sparse"])
    assert outline(mounted / "app/1.0/rootfs") == expected


def test_a_plain_tar_stays_as_it_is(app, client):
    tar = between(Entry("old", b"\0", b"v7"))
    (app / "1.0.tar").write_bytes(tar)
    (layer,) = client.manifest("app", "1.0").json()["layers"]
    assert gzip.decompress(client.blob("app", layer["digest"])) == tar


def test_a_file_that_says_to_be_endless(mounted, app):
    """Its zeros would be written until the disk is full, and the registry's."""
    mounted.expect_error("holes is too large without the holes")
    with pytest.raises(OSError):
        (app / "1.0.tar").write_bytes(tar_bytes(
            [sparse("holes", 1 << 40, [(0, DATA)], "gnu")]))
    assert not (app / "1.0").exists()
