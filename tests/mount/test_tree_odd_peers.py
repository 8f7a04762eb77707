# SPDX-License-Identifier: Apache-2.0
"""Layers of shapes that the public reports of other engines tell of, as umoci
and podman unpack them. Where they do not agree, the case says with which of
them we do, and the specification's sentence decides (image-spec, layer.md)."""

import os

import pytest

from support.engines import skopeo_copy
from support.layers import image_of, layer_of_tar
from support.system import run
from support.tars import (
    BLOCKS, CHARACTERS, Entry, device, directory, fifo, file, hard_link,
    opaque, pax_global, sparse, symlink, tar_bytes, whiteout)
from support.trees import assert_same_tree, outline
from support.unpacked import podman_rootfs, umoci_rootfs

A = [directory("a", mode=0o700, uid=1000, gid=1000, mtime=15 * 10**17),
     file("a/foo", b"1")]
TARGET = [directory("target"), file("target/keep", b"k"),
          symlink("link", "/target")]
ETC = [directory("etc"), file("etc/passwd", b"p"), file("etc/hostname", b"h"),
       file("top", b"t")]
D_XY = [directory("d"), file("d/x", b"old"), file("d/y", b"old")]
LONG = "/".join(["d" * 200] * 8) + "/" + "f" * 255
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
HOLES = [(0, b"s" * 4096), (1 << 20, b"s" * 4096), (5_000_192, b"end")]

# Their trees are the same.
AGREED = {
    # A directory without an entry of its own, in a layer above.
    "removed and made again": [A, [whiteout("a")], [file("a/baz", b"3")]],
    "described below": [A, [file("a/baz", b"3")]],
    "removed and made in one": [A, [whiteout("a"), file("a/baz", b"3")]],
    "opaque, and described below": [A, [opaque("a"), file("a/baz", b"3")]],
    "opaque, described below that": [
        A, [file("a/bar", b"2")], [opaque("a"), file("a/baz", b"3")],
        [file("a/top", b"4")]],
    "opaque, and removed below": [
        A, [whiteout("a")], [opaque("a"), file("a/baz", b"3")]],
    "opaque root": [[directory(".", mode=0o711, uid=5), *ETC],
                    [opaque("."), file("only", b"o")]],
    # Whiteouts and what is beside them.
    "removed, with contents below": [
        [directory("a"), directory("a/b"), file("a/b/old", b"1")],
        [directory("a"), whiteout("a/b"), file("a/b/c/d", b"x")]],
    "whiteout in front": [D_XY, [whiteout("d/x"), file("d/x", b"new")]],
    "opaque behind": [D_XY, [directory("d"), file("d/x", b"new"),
                             opaque("d")]],
    "opaque above": [[*D_XY, directory("d/s"), file("d/s/o", b"1")],
                     [directory("d"), opaque("d"), directory("d/s"),
                      file("d/s/n", b"2")]],
    "removed above": [[directory("d"), directory("d/s"), file("d/s/o", b"1")],
                      [whiteout("d"), directory("d/s"), file("d/s/n", b"2")]],
    "in the lowest layer": [[directory("root"), opaque("root"),
                             file("root/a", b"1"), whiteout("root/gone")]],
    "nearly opaque": [ETC, [directory("etc"), file("etc/.wh..wh..opqX"),
                            file(".wh..wh..opqX")]],
    "whiteouts of other types": [ETC, [directory("etc/.wh.passwd"),
                                       symlink("etc/.wh.hostname", "x")]],
    # Links where others have directories.
    "entry through a link": [[directory("a"), directory("real"),
                              file("real/k", b"1"), symlink("a/b", "../real"),
                              file("a/b/n", b"x")]],
    "directory over a link": [TARGET, [directory("link"),
                                       file("link/new", b"n")]],
    "opaque over a link": [TARGET, [directory("link"), opaque("link"),
                                    file("link/new", b"n")]],
    "file over a directory": [[directory("d"), file("d/x", b"1")],
                              [file("d", b"file")],
                              [directory("d"), file("d/z", b"2")]],
    # What headers say.
    "empty records": [[file("f", b"x", pax={
        "SCHILY.xattr.user.overlay.origin": "", "SCHILY.xattr.user.a": "v"})]],
    "owners": [[file("f", uid=2_097_152, gid=4_294_967_294),
                file("g", uid=4_294_967_295, gid=2**31),
                file("h", uid=7, gid=4_294_967_295),
                directory("d", uid=4_294_967_295, gid=4_294_967_295)]],
    "owners by GNU": [[file("f", uid=3_000_000_000, gid=2_097_153,
                            form="gnu")]],
    "long names": [[file(LONG, b"x"), symlink("l", "/".join(["t" * 200] * 10)),
                    file("n" * 255, b"y")]],
    "long names by GNU": [[file(LONG, b"x", form="gnu"),
                           symlink("l", "/".join(["t" * 200] * 10),
                                   form="gnu")]],
    "modes": [[file("s", mode=0o6755), directory("tmp", mode=0o1777),
               file("none", mode=0), file("more", mode=0o107644)]],
    "devices": [[device("null", CHARACTERS, 1, 3), device("sda", BLOCKS, 8, 0),
                 fifo("fifo"), device("large", CHARACTERS, 300, 70_000)]],
    "attributes": [[file("ping", mode=0o755, pax={
        "SCHILY.xattr.user.k=v": "eq", "LIBARCHIVE.xattr.user.b": "aGVs",
        "SCHILY.xattr.security.capability": CAPABILITY})]],
    "version 7": [[Entry("dir/", b"\0", mode=0o755),
                   Entry("dir/f", b"\0", b"1"), Entry("old", b"\0", b"abc")]],
    **{f"sparse {form}": [[sparse("holes", 5_000_195, HOLES, form),
                           sparse("all", 1 << 20, [], form), file("empty")]]
       for form in ("pax-0.0", "pax-0.1", "pax-1.0")},
}
# podman removes the layer's own file as well, and has no times before 1970.
AS_UMOCI = {
    "whiteout behind": [D_XY, [directory("d"), file("d/x", b"new"),
                               whiteout("d/x")]],
    "old times": [[file("neg", mtime=-12_345 * 10**9),
                   file("part", mtime=-1_500_000_000),
                   file("gnu", mtime=-12_345 * 10**9, form="gnu"),
                   file("zero", mtime=0)]],
}
# umoci 0.4 does not know it, though it is in every archive of git's.
AS_PODMAN = {
    "global header": [[pax_global({"comment": "0123456789abcdef", "uid": "77"}),
                       file("a", b"1"), file("b", b"2")]],
}


# Layers are looked at one by one, as overlay engines unpack them: a link or a
# file of a layer below is no directory to go through, but hidden by one. umoci
# goes through the link, and refuses the file.
AS_OVERLAY = {
    "entry over a link": (
        [TARGET, [file("link/new", b"n")]],
        {"link/": None, "link/new": b"n", "target/": None,
         "target/keep": b"k"}),
    "whiteout over a link": (
        [TARGET, [whiteout("link/keep")]],
        {"link/": None, "target/": None, "target/keep": b"k"}),
    "entry over a file": (
        [[directory("a"), file("a/b", b"file")], [file("a/b/c/d", b"x")]],
        {"a/": None, "a/b/": None, "a/b/c/": None, "a/b/c/d": b"x"}),
}
# No engine unpacks these; what there is of them can be read.
READ_ALONE = {
    "a name too long": ([[file("n" * 300, b"y"), file("ok", b"1")]],
                        {"ok": b"1"}),
    "entry in a file": ([[file("a", b"1"), file("a/b", b"2")]],
                        {"a/": None, "a/b": b"2"}),
    "link to a directory": ([[directory("d"), hard_link("h", "d")]],
                            {"d/": None}),
    "whiteouts of nothing": ([ETC, [file(".wh."), file("etc/.wh.."),
                                    file("new", b"n")]],
                             {"etc/": None, "etc/passwd": b"p",
                              "etc/hostname": b"h", "top": b"t", "new": b"n"}),
}


def unsaid(tree):
    """Nobody says when a directory without an entry was changed, and podman
    changes the time of one that a layer puts something into."""
    return [("", "mtime"), ("", "mode"), *(
        (path.rstrip("/"), "mtime")
        for path, what in outline(tree).items() if what is None)]


def assert_same(ours, theirs, ignore_root=True):
    ignored = unsaid(theirs)
    if not ignore_root:
        ignored.remove(("", "mode"))
    assert_same_tree(ours, theirs, ignore=ignored)


@pytest.fixture
def pushed(mount, registry, client):
    def push(layers):
        image = image_of(*layers)
        image.push(client, "app", "1.0")
        return image, mount(registry) / "app/1.0/rootfs"
    return push


@pytest.mark.parametrize("case", AGREED | AS_UMOCI)
def test_as_umoci(pushed, tmp_path, case):
    layers = (AGREED | AS_UMOCI)[case]
    image, shown = pushed(layers)
    assert_same(shown, umoci_rootfs(image, tmp_path), case != "opaque root")


@pytest.mark.parametrize("case", AGREED | AS_PODMAN)
def test_as_podman(pushed, registry, podman, case):
    _, shown = pushed((AGREED | AS_PODMAN)[case])
    assert_same(shown, podman_rootfs(podman, f"{registry.address}/app:1.0"),
                case != "opaque root")


@pytest.mark.parametrize("case", AS_OVERLAY)
def test_as_overlay(pushed, case):
    layers, expected = AS_OVERLAY[case]
    _, shown = pushed(layers)
    assert outline(shown) == expected


@pytest.mark.parametrize("case", READ_ALONE)
def test_what_engines_refuse(pushed, registry, podman, case):
    layers, expected = READ_ALONE[case]
    _, shown = pushed(layers)
    assert outline(shown) == expected
    assert podman("pull", "-q", "--tls-verify=false",
                  f"{registry.address}/app:1.0", check=False).returncode != 0


def test_a_global_header_is_not_pushed(mount, registry, podman, tmp_path):
    """So that all engines can unpack what git has packed."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_text("f")
    run("git", "init", "-q", tree)
    run("git", "-C", tree, "add", "file")
    run("git", "-C", tree, "-c", "user.name=n", "-c", "user.email=e", "commit",
        "-qm", "m")
    run("git", "-C", tree, "archive", "-o", tmp_path / "tree.tar", "HEAD")
    mounted = mount(registry)
    (mounted / "app").mkdir()
    run("cp", tmp_path / "tree.tar", mounted / "app/1.0")
    shown = mounted / "app/1.0/rootfs"
    assert outline(shown) == {"file": b"f"}
    reference = f"{registry.address}/app:1.0"
    skopeo_copy(f"docker://{reference}", f"oci:{tmp_path}/layout:1.0")
    run("umoci", "raw", "unpack", "--image", f"{tmp_path}/layout:1.0",
        tmp_path / "unpacked")
    assert_same(shown, tmp_path / "unpacked")


def test_an_opaque_directory_waits_for_who_describes_it(mount, proxy, client):
    """What is in it is known from the top layer alone."""
    image_of(A, [file("a/bar", b"2")], [opaque("a"), file("a/baz", b"3")]).push(
        client, "app", "1.0")
    shown = mount(proxy) / "app/1.0/rootfs"
    assert (shown / "a/baz").read_bytes() == b"3"
    assert os.listdir(shown / "a") == ["baz"]
    status = os.stat(shown / "a")
    assert (status.st_mode & 0o7777, status.st_uid) == (0o700, 1000)


@pytest.mark.parametrize("fields", [
    {"size": b"00000001200\0"}, {"chksum": b"0000000\0"}])
def test_a_layer_that_nobody_reads(mount, registry, client, podman, fields):
    """A header that is wrong is an error of reading, never a shorter tree."""
    tar = tar_bytes([file("first", b"1"), file("odd", b"22", fields=fields),
                     file("last", b"3")])
    image_of(layer_of_tar(tar)).push(client, "app", "1.0")
    mounted = mount(registry)
    mounted.expect_error("tar offset")
    with pytest.raises(OSError):
        os.listdir(mounted / "app/1.0/rootfs")
    result = podman("pull", "-q", "--tls-verify=false",
                    f"{registry.address}/app:1.0", check=False)
    assert result.returncode != 0
