# SPDX-License-Identifier: Apache-2.0
"""Tars that have a name twice, as `tar -r` of a changed file makes them, or
lead through a link to nothing. umoci unpacks them; docker and podman refuse
such a layer. What is pushed of one is what comes of it, and every engine
unpacks that."""

import gzip
import os

import pytest

from registry.client import digest_of
from support.engines import skopeo_copy
from support.images import Layer, index_of, platform_images
from support.layers import image_of, layer_of_tar
from support.system import run
from support.tars import (
    Entry, directory, file, hard_link, sparse, symlink, tar_bytes, whiteout)
from support.trees import assert_same_tree, outline
from support.unpacked import podman_rootfs, umoci_rootfs, umoci_unpack

D = directory("d", mode=0o751, uid=3)
AROUND = [directory("etc", mode=0o700, gid=4), file("etc/motd", b"hello\n",
          xattrs={"user.note": b"kept"}, mtime=1_600_000_000_123_456_789)]
LAST = [file("last", b"l" * 700)]

# name: (entries, what is there of them)
TWICE = {
    "file": ([file("f", b"one"), file("f", b"two!")], {"f": b"two!"}),
    "same": ([file("f", b"one"), file("f", b"one")], {"f": b"one"}),
    "spelt otherwise": (
        [file("./f", b"1"), file("d//f", b"2"), file("/d/./f", b"3"),
         file("x/../f", b"4")], {"f": b"4", "d/": None, "d/f": b"3"}),
    "directory": ([D, file("d/x", b"x"), directory("d/", mode=0o700)],
                  {"d/": None, "d/x": b"x"}),
    "root": ([directory("./"), file("f", b"f"), directory(".", mode=0o711)],
             {"f": b"f"}),
    "directory and file": ([D, file("d/x"), file("d", b"d")], {"d": b"d"}),
    "file and directory": (
        [file("d", b"1"), D, file("d/x", b"x")], {"d/": None, "d/x": b"x"}),
    "link of what is replaced": (
        [file("f", b"one"), hard_link("h", "f"), hard_link("i", "f"),
         file("f", b"two")], {"f": b"two", "h": b"one", "i": b"one"}),
    "links before and after": (
        [file("f", b"one"), hard_link("h", "f"), file("f", b"two"),
         hard_link("i", "f")], {"f": b"two", "h": b"one", "i": b"two"}),
    "link and file": (
        [file("f", b"one"), hard_link("h", "f"), file("h", b"two")],
        {"f": b"one", "h": b"two"}),
    "file and link": (
        [file("f", b"one"), file("h", b"two"), hard_link("h", "f")],
        {"f": b"one", "h": b"one"}),
    "link twice": ([file("f", b"one"), hard_link("h", "f"),
                    hard_link("h", "f")], {"f": b"one", "h": b"one"}),
    "link out of what is replaced": (
        [D, file("d/x", b"x"), hard_link("h", "d/x"), file("d", b"d")],
        {"d": b"d", "h": b"x"}),
    "symbolic link": ([symlink("l", "a"), symlink("l", "b")], {"l": "-> b"}),
    "symbolic link and file": (
        [symlink("l", "f"), file("l", b"l"), file("f", b"f")],
        {"l": b"l", "f": b"f"}),
    "through a symbolic link": (
        [D, symlink("l", "d"), file("l/x", b"x"), symlink("l", "d")],
        {"d/": None, "d/x": b"x", "l": "-> d"}),
    "through a symbolic link to nothing": (
        [symlink("l", "new/dir"), file("l/x", b"x")],
        {"l": "-> new/dir", "new/": None, "new/dir/": None,
         "new/dir/x": b"x"}),
    "through what is a directory then": (
        [D, symlink("l", "d"), file("l/x", b"x"), directory("l")],
        {"d/": None, "d/x": b"x", "l/": None}),
}
# umoci 0.4 has no sparse files that GNU tar writes, and links nothing to
# itself.
ODDER = {
    "sparse": ([file("f", b"one"), sparse("f", 1 << 20, [(65536, b"s" * 4096)],
                                          "gnu")],
               {"f": bytes(65536) + b"s" * 4096 + bytes((1 << 20) - 69632)}),
    "contiguous": ([file("f", b"one"), Entry("f", b"7", b"two")],
                   {"f": b"two"}),
    "link to itself": ([file("f", b"one"), hard_link("f", "f")],
                       {"f": b"one"}),
}
ALL = TWICE | ODDER
SHOWN = {"etc/": None, "etc/motd": b"hello\n", "last": b"l" * 700}
ROOT = [("", what) for what in ("mtime", "mode")]
# Into which something is put later, or which nothing describes.
UNSAID = [*ROOT, *((name, "mtime")
                   for name in ("d", "x", "l", "new", "new/dir"))]


def tar_of(name):
    return tar_bytes([*AROUND, *ALL[name][0], *LAST])


@pytest.fixture
def as_engines(registry, podman, tmp_path):
    """A tag's tree as podman and umoci unpack it is the one that is shown."""
    def check(shown):
        reference = f"{registry.address}/app:1.0"
        assert_same_tree(shown, podman_rootfs(podman, reference), ignore=UNSAID)
        skopeo_copy(f"docker://{reference}", f"oci:{tmp_path}/layout:1.0")
        assert_same_tree(shown, umoci_unpack(tmp_path / "layout", "1.0",
                                             tmp_path / "umoci"), ignore=UNSAID)
    return check


@pytest.mark.parametrize("name", ALL)
def test_a_root_file_system(mount, registry, as_engines, name):
    mounted = mount(registry)
    (mounted / "app").mkdir()
    (mounted / "app/1.0.tar").write_bytes(tar_of(name))
    shown = mounted / "app/1.0/rootfs"
    assert outline(shown) == SHOWN | ALL[name][1]
    assert os.stat(shown / "etc/motd").st_mtime_ns == 1_600_000_000_123_456_789
    assert os.getxattr(shown / "etc/motd", "user.note") == b"kept"
    as_engines(shown)


@pytest.mark.parametrize("name", TWICE)
def test_the_tree_is_what_umoci_makes_of_the_tar(mount, registry, client,
                                                 tmp_path, name):
    """Of the tar as it stands."""
    tar = tar_of(name)
    theirs = umoci_rootfs(image_of(layer_of_tar(tar)), tmp_path)
    mounted = mount(registry)
    (mounted / "app").mkdir()
    (mounted / "app/1.0.tar").write_bytes(tar)
    assert_same_tree(mounted / "app/1.0/rootfs", theirs, ignore=UNSAID)


@pytest.mark.parametrize("compression", ["plain", "gzip"])
@pytest.mark.parametrize("name", ["file", "links before and after"])
def test_one_more_layer(mount, registry, client, as_engines, name, compression):
    image_of([file("base", b"base")]).push(client, "app", "1.0")
    mounted = mount(registry)
    tar = tar_of(name)
    (mounted / "app/1.0/layers/more.tar").write_bytes(
        gzip.compress(tar) if compression == "gzip" else tar)
    shown = mounted / "app/1.0/rootfs"
    assert outline(shown) == SHOWN | ALL[name][1] | {"base": b"base"}
    as_engines(shown)


def test_a_platform_of_an_index(mount, registry, client, as_engines):
    index_of(platform_images()).push(client, "app", "1.0")
    mounted = mount(registry, "platform=linux/amd64")
    platforms = mounted / "app/1.0/platforms"
    (platforms / "linux-amd64.tar").write_bytes(tar_of("file"))
    shown = platforms / "linux-amd64/rootfs"
    assert outline(shown) == SHOWN | ALL["file"][1]
    assert len(os.listdir(platforms)) == 2
    as_engines(shown)


def test_a_layer_that_links_to_the_one_below(mount, registry, client,
                                             as_engines):
    image_of([file("base", b"base", uid=7)]).push(client, "app", "1.0")
    mounted = mount(registry)
    (mounted / "app/1.0/layers/more.tar").write_bytes(tar_bytes(
        [file("f", b"1"), file("f", b"2"), hard_link("h", "base", uid=7)]))
    shown = mounted / "app/1.0/rootfs"
    assert outline(shown) == {"base": b"base", "f": b"2", "h": b"base"}
    as_engines(shown)


def test_a_whiteout_after_the_file_that_stays(mount, registry, client,
                                              as_engines):
    """A whiteout is of what is below; podman and docker remove both."""
    image_of([file("f", b"old"), file("g", b"old")]).push(client, "app", "1.0")
    mounted = mount(registry)
    (mounted / "app/1.0/layers/more.tar").write_bytes(tar_bytes(
        [file("f", b"new"), whiteout("f"), whiteout("g")]))
    shown = mounted / "app/1.0/rootfs"
    assert outline(shown) == {"f": b"new"}
    as_engines(shown)


def test_a_whiteout_that_is_linked_to_a_file(mount, registry, client,
                                             as_engines):
    """What links to it would be linked to what engines do not unpack."""
    image_of([file("f", b"old"), file("g", b"old")]).push(client, "app", "1.0")
    mounted = mount(registry)
    (mounted / "app/1.0/layers/more.tar").write_bytes(tar_bytes(
        [file("a", b"a"), hard_link(".wh.f", "a"), file(".wh.g", b"b"),
         hard_link("b", ".wh.g"), file("c", b"1"), file("c", b"2")]))
    shown = mounted / "app/1.0/rootfs"
    assert outline(shown) == {"a": b"a", "b": b"b", "c": b"2"}
    as_engines(shown)


def test_what_tar_appends(mount, registry, as_engines, tmp_path):
    tree, tar = tmp_path / "tree", tmp_path / "rootfs.tar"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/motd").write_text("old\n")
    os.link(tree / "etc/motd", tree / "etc/issue")
    run("tar", "-C", tree, "-cf", tar, ".")
    (tree / "etc/motd").unlink()
    (tree / "etc/motd").write_text("new\n")
    run("tar", "-C", tree, "-rf", tar, "./etc")
    mounted = mount(registry)
    (mounted / "app").mkdir()
    run("cp", tar, mounted / "app/1.0")
    shown = mounted / "app/1.0/rootfs"
    assert outline(shown) == outline(tree)
    as_engines(shown)


def test_docker_pulls_all(mount, registry, docker):
    mounted = mount(registry)
    (mounted / "app").mkdir()
    for number, name in enumerate(ALL):
        (mounted / f"app/{number}.tar").write_bytes(tar_of(name))
        reference = f"{registry.address}/app:{number}"
        docker("pull", "-q", reference)
        docker("rmi", reference)


@pytest.mark.parametrize("format", ["estargz", "zstd:chunked"])
def test_with_a_table_of_contents(mount, registry, format):
    """Which has room for a name once."""
    mounted = mount(registry, f"compression={format}")
    (mounted / "app").mkdir()
    (mounted / "app/1.0.tar").write_bytes(tar_of("file"))
    assert outline(mounted / "app/1.0/rootfs") == SHOWN | ALL["file"][1]
    assert "without a table" not in mounted.log()


BROKEN = {
    "the entry a/b cannot be unpacked: its parent is not a directory":
        [file("a"), file("a/b")],
    "the entry h cannot be unpacked: it is a hard link to a directory":
        [directory("d"), hard_link("h", "d")],
    "n cannot be unpacked: its name leads nowhere":
        [file("n" * 256)],
    "the entry h cannot be unpacked: it is a hard link to f, which the tar": [
        hard_link("h", "f"), file("f", b"late")],
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_what_nobody_unpacks_is_no_image(mounted, app, sentence):
    """tar fails with such a tar, too."""
    mounted.expect_error(sentence)
    with pytest.raises(OSError):
        (app / "1.0.tar").write_bytes(tar_bytes(
            [*AROUND, *BROKEN[sentence], *LAST]))
    assert not (app / "1.0").exists()


def test_what_nobody_unpacks_is_no_layer(mount, registry, client):
    image_of([file("base", b"base")]).push(client, "app", "1.0")
    mounted = mount(registry)
    mounted.expect_error("the entry a/b cannot be unpacked")
    with pytest.raises(OSError):
        (mounted / "app/1.0/layers/more.tar").write_bytes(
            tar_bytes([file("a"), file("a/b")]))
    assert os.listdir(mounted / "app/1.0/rootfs") == ["base"]


def test_an_archive_keeps_its_layers(mount, registry, client):
    """Their digests are the image's own."""
    tar = tar_bytes([file("f", b"1"), file("f", b"2")])
    image = image_of(Layer("application/vnd.oci.image.layer.v1.tar+gzip",
                           gzip.compress(tar, mtime=0), diff_id=digest_of(tar)))
    image.push(client, "app", "1.0")
    mounted = mount(registry)
    (mounted / "app/2.0.tar").write_bytes(
        (mounted / "app/1.0.tar").read_bytes())
    assert (mounted / "app/2.0/config.json").read_bytes() == (
        mounted / "app/1.0/config.json").read_bytes()
    assert outline(mounted / "app/2.0/rootfs") == {"f": b"2"}
