# SPDX-License-Identifier: Apache-2.0
"""rootfs: all layers merged, by the image specification's layer.md.

Each case is written down with what has to come of it. Most are also given to
umoci; where a case is not, its name says what the peers do not agree about.
"""

import os
from dataclasses import replace

import pytest

from support.images import index_of, linux
from support.layers import image_of
from support.tars import (
    CHARACTERS, device, directory, file, hard_link, opaque, octets, symlink,
    whiteout)
from support.trees import assert_same_tree, outline
from support.unpacked import umoci_rootfs

DIR_D = [directory("d"), file("d/a", b"a"), directory("d/sub"),
         file("d/sub/b", b"b")]
OF_DIR_D = {"d/": None, "d/a": b"a", "d/sub/": None, "d/sub/b": b"b"}


def as_link(marker):
    """The same whiteout as a hard link, as overlay's tools write them."""
    return hard_link(marker.name, ".wh..wh.plnk/1.2")


# name: (layers, what the merged tree is)
CASES = {
    "a file replaces a file": (
        [[file("f", b"old", xattrs={"user.old": b"1"})], [file("f", b"new")]],
        {"f": b"new"}),
    "a whiteout of a file": ([DIR_D, [whiteout("d/a")]],
                             {"d/": None, "d/sub/": None, "d/sub/b": b"b"}),
    "a whiteout of a directory": ([DIR_D, [whiteout("d")]], {}),
    "a whiteout of what is not there": (
        [DIR_D, [whiteout("d/x"), whiteout("x")]], OF_DIR_D),
    "a whiteout of a symlink leaves its target": (
        [[*DIR_D, symlink("l", "d")], [whiteout("l")]], OF_DIR_D),
    "a whiteout before what the layer itself adds": (
        [[file("f", b"old")], [whiteout("f"), file("f", b"new")]],
        {"f": b"new"}),
    "a whiteout after what the layer itself adds": (
        [[file("f", b"old")], [file("f", b"new"), whiteout("f")]],
        {"f": b"new"}),
    "a directory that is removed and made again": (
        [DIR_D, [whiteout("d"), directory("d"), file("d/new", b"new")]],
        {"d/": None, "d/new": b"new"}),
    "removed in one layer and made again in the next": (
        [DIR_D, [whiteout("d")], [directory("d"), file("d/new", b"new")]],
        {"d/": None, "d/new": b"new"}),
    "an opaque directory": (
        [DIR_D, [directory("d"), opaque("d"), file("d/new", b"new")]],
        {"d/": None, "d/new": b"new"}),
    "an opaque directory, the marker last": (
        [DIR_D, [directory("d"), file("d/new", b"new"), directory("d/sub"),
                 file("d/sub/new", b"new"), opaque("d")]],
        {"d/": None, "d/new": b"new", "d/sub/": None, "d/sub/new": b"new"}),
    "an opaque directory without an entry of its own": (
        [DIR_D, [opaque("d")]], {"d/": None}),
    "an opaque directory below": (
        [DIR_D, [opaque("d/sub"), file("d/sub/new", b"new")]],
        {"d/": None, "d/a": b"a", "d/sub/": None, "d/sub/new": b"new"}),
    "opaque is for the layers below alone": (
        [DIR_D, [opaque("d"), file("d/two", b"2")], [file("d/three", b"3")]],
        {"d/": None, "d/two": b"2", "d/three": b"3"}),
    "a file over a directory": ([DIR_D, [file("d", b"file")]],
                                {"d": b"file"}),
    "a directory over a file": (
        [[file("d", b"file")], DIR_D], OF_DIR_D),
    "a file over a directory, and a directory again": (
        [DIR_D, [file("d", b"file")], [directory("d"), file("d/new", b"n")]],
        {"d/": None, "d/new": b"n"}),
    "a symlink over a directory": (
        [DIR_D, [symlink("d", "elsewhere")]], {"d": "-> elsewhere"}),
    "a directory over a symlink": (
        [[directory("t"), file("t/x", b"x"), symlink("d", "t")], DIR_D],
        OF_DIR_D | {"t/": None, "t/x": b"x"}),
    "a device over a file": (
        [[file("f", b"file")], [device("f", CHARACTERS, 1, 3)]],
        {"f": "char 1:3"}),
    "parents without an entry": (
        [[file("a/b/c", b"c")], [file("a/x/y", b"y")]],
        {"a/": None, "a/b/": None, "a/b/c": b"c", "a/x/": None,
         "a/x/y": b"y"}),
    "prefixes": (
        [[file("./a/one", b"1"), file("/a/two", b"2")],
         [whiteout("./a/two"), file("a//three", b"3")]],
        {"a/": None, "a/one": b"1", "a/three": b"3"}),
    "whiteouts with other prefixes than what they remove": (
        [[file("./one"), file("/two"), file("three")],
         [whiteout("one"), whiteout("./two"), whiteout("/three")]], {}),
    "duplicate entries": (
        [[file("f", b"1"), file("f", b"2")],
         [file("f", b"3"), file("f", b"4")]],
        {"f": b"4"}),
    "a duplicate of another type": (
        [[directory("d"), file("d/x"), file("d", b"file")]], {"d": b"file"}),
    "names that are no UTF-8": (
        [[file(b"\xff/\xfe", b"old"), file(b"\xff/\xfd", b"stays")],
         [whiteout(b"\xff/\xfe")]],
        {"\udcff/": None, "\udcff/\udcfd": b"stays"}),
    "hard links": (
        [[file("a", b"one"), hard_link("b", "a")]], {"a": b"one", "b": b"one"}),
    "a hard link loses one of its names": (
        [[file("a", b"one"), hard_link("b", "a")], [whiteout("a")]],
        {"b": b"one"}),
    "a hard link's name is replaced": (
        [[file("a", b"one"), hard_link("b", "a")], [file("a", b"two")]],
        {"a": b"two", "b": b"one"}),
    "a hard link to the layer below": (
        [[file("a", b"one")], [hard_link("b", "a")]],
        {"a": b"one", "b": b"one"}),
    "a layer without entries": ([DIR_D, [], []], OF_DIR_D),
    "symlinks out of the tree": (
        [[symlink("up", "../../../../etc/passwd"), symlink("root", "/etc"),
          symlink("loop", "loop"), symlink("none", "no/such/file")]],
        {"up": "-> ../../../../etc/passwd", "root": "-> /etc",
         "loop": "-> loop", "none": "-> no/such/file"}),
    "a whiteout as a hard link": (
        [DIR_D, [as_link(whiteout("d/a"))]],
        {"d/": None, "d/sub/": None, "d/sub/b": b"b"}),
    "an opaque marker as a hard link": (
        [DIR_D, [directory("d"), as_link(opaque("d")), file("d/n", b"n")]],
        {"d/": None, "d/n": b"n"}),
}

# aufs kept its own things under such names, and docker passes over them; umoci
# unpacks them, or fails.
RESERVED = {
    "reserved names": (
        [[*DIR_D, directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", b"x"),
          file(".wh..wh.aufs", b"x")]], OF_DIR_D),
    "whiteouts of nothing and of the directory itself": (
        [DIR_D, [file("d/.wh."), file("d/.wh.."), file("d/.wh...")]],
        OF_DIR_D),
}
ALL = CASES | RESERVED


@pytest.mark.parametrize("case", ALL)
def test_merged(shown, case):
    layers, expected = ALL[case]
    assert outline(shown(*layers) / "rootfs") == expected


def below(name, entry):
    """The same entry in a directory of that name."""
    link = octets(entry.link)
    if entry.kind == b"1":
        link = octets(name) + b"/" + link
    return replace(entry, link=link, name=(
        octets(name) + b"/" + octets(entry.name).lstrip(b"./")))


def all_in_one(cases):
    """The cases' layers, each case in a directory of its own."""
    depth = max(len(layers) for layers, _ in cases.values())
    merged = [[] for _ in range(depth)]
    for name, (layers, _) in cases.items():
        # umoci makes a parent without an entry with today's time.
        merged[0] += [directory(name)]
        for number, entries in enumerate(layers):
            merged[number] += [_hidden(below(name, entry))
                               for entry in entries]
    return merged


def _hidden(entry):
    """lstrip() took the dot of a whiteout at the top, too."""
    head, slash, tail = octets(entry.name).rpartition(b"/")
    if tail.startswith(b"wh."):
        tail = b"." + tail
    return replace(entry, name=head + slash + tail)


def test_umoci_agrees(shown, tmp_path):
    layers = all_in_one(CASES)
    peer = umoci_rootfs(image_of(*layers), tmp_path)
    for name, (_, expected) in CASES.items():
        assert outline(peer / name) == expected, name
    assert_same_tree(shown(*layers) / "rootfs", peer, ignore=_unsaid(peer))


def _unsaid(peer):
    """Of a directory without an entry, nobody said when it was changed; and a
    peer changes the time of one that it puts something into later."""
    paths = [path.rstrip("/") for path, what in outline(peer).items()
             if what is None]
    return [(path, "mtime") for path in paths] + [("", "mtime"), ("", "mode")]


def test_the_upper_layers_attributes_of_a_directory(shown):
    layers = [
        [directory("d", mode=0o700, uid=1, mtime=10**9,
                   xattrs={"user.one": b"1"}), file("d/one", b"1")],
        [directory("d", mode=0o1777, uid=2, mtime=2 * 10**9)],
        [file("d/three", b"3")]]
    root = shown(*layers) / "rootfs"
    assert outline(root) == {"d/": None, "d/one": b"1", "d/three": b"3"}
    status = os.stat(root / "d")
    # The third layer has no entry of it, and says nothing of it.
    assert (status.st_mode & 0o7777, status.st_uid, status.st_mtime) == (
        0o1777, 2, 2)
    assert "user.one" not in os.listxattr(root / "d")


def test_the_same_directory_in_a_hundred_layers(shown):
    layers = [[directory("d", mode=0o700 + number % 8, mtime=number * 10**9),
               file(f"d/{number:03}", b"%d" % number)]
              for number in range(100)]
    root = shown(*layers) / "rootfs"
    assert sorted(os.listdir(root / "d")) == [
        f"{number:03}" for number in range(100)]
    assert (root / "d/042").read_bytes() == b"42"
    status = os.stat(root / "d")
    assert (status.st_mode & 0o7777, status.st_mtime) == (0o700 + 99 % 8, 99)


def test_the_root_directory_has_attributes_too(shown):
    root = shown([directory("./", mode=0o751, uid=3, mtime=5 * 10**9)],
                 [file("x")])
    # Known to whoever has entered it: nobody else waits for the layers.
    os.listdir(root / "rootfs")
    status = os.stat(root / "rootfs")
    assert (status.st_mode & 0o7777, status.st_uid, status.st_mtime) == (
        0o751, 3, 5)


def test_hard_links_across_layers_are_one_file(shown):
    root = shown([file("a", b"one"), hard_link("b", "a")],
                 [hard_link("c", "a"), hard_link("dir/d", "b")],
                 [whiteout("b")]) / "rootfs"
    statuses = [os.stat(root / name) for name in ("a", "c", "dir/d")]
    assert len({status.st_ino for status in statuses}) == 1
    assert [status.st_nlink for status in statuses] == [3, 3, 3]
    assert (root / "c").read_bytes() == b"one"


def test_a_hard_link_to_what_is_gone(shown):
    """A link is to what was there when it was made; without that it is no
    file, and hides none."""
    root = shown([file("a", b"one")], [whiteout("a")],
                 [hard_link("b", "a"), file("c", b"c")]) / "rootfs"
    assert "a" not in os.listdir(root)
    assert (root / "c").read_bytes() == b"c"


def test_link_counts_after_a_name_is_gone(shown):
    root = shown([file("a", b"one"), hard_link("b", "a"),
                  hard_link("c", "a")], [whiteout("a"), file("c", b"two")])
    assert os.stat(root / "rootfs/b").st_nlink == 1
    # The layer itself has all three.
    assert os.stat(root / "layers/01/b").st_nlink == 3


def test_names_that_lead_out(shown):
    """Whatever becomes of such an entry, it is nothing outside, and the
    others are there."""
    root = shown([file("good", b"good"), file("../escaped", b"bad"),
                  file("a/../../escaped", b"bad"), whiteout("../good"),
                  hard_link("link", "../../manifest.json"),
                  file("a/b", b"b")], [whiteout("a/../../layers")])
    assert (root / "rootfs/good").read_bytes() == b"good"
    assert (root / "rootfs/a/b").read_bytes() == b"b"
    assert "escaped" not in os.listdir(root)
    assert sorted(os.listdir(root / "layers")) == [
        "01", "01.tar.gz", "02", "02.tar.gz"]
    assert not {"..", "."} & {name for _, names, files in os.walk(
        root / "rootfs") for name in names + files}


def test_other_platforms(mount, registry, client):
    images = [(image_of([file("etc/arch", name.encode())], architecture=name),
               linux(name)) for name in ("amd64", "arm64")]
    index_of(images).push(client, "app", "1.0")
    root = mount(registry, "platform=linux/amd64") / "app/1.0"
    for name in ("amd64", "arm64"):
        path = root / f"platforms/linux-{name}/rootfs/etc/arch"
        assert path.read_text() == name
    assert (root / "rootfs/etc/arch").read_text() == "amd64"
    same = [os.stat(path / "rootfs/etc/arch").st_ino
            for path in (root, root / "platforms/linux-amd64")]
    assert same[0] == same[1]


def test_layers_that_repeat(shown):
    """The same layer twice in an image: the second removes again what the
    first removed."""
    remove = [whiteout("d/a")]
    root = shown(DIR_D, remove, [file("d/a", b"back")], remove)
    assert outline(root / "rootfs") == {
        "d/": None, "d/sub/": None, "d/sub/b": b"b"}
