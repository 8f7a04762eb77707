# SPDX-License-Identifier: Apache-2.0
"""Entries that Go's writers do not make: types that nobody knows, dumps, names
in odd places; and what of a layer is not shown in the tree of its image."""

import os
import stat

import pytest

from support.chunked import chunked
from support.estargz import estargz
from support.layers import layer, layer_of_tar
from support.system import run
from support.tars import (
    CHARACTERS, GNU_MAGIC, Entry, device, directory, encoded, file, hard_link,
    pax_global, pax_record)
from support.trees import outline

DUMPED = Entry("tmp/", b"D", b"Ya\0\0", mode=0o1777, uid=7, gid=8, form="gnu")
VOLUME = Entry("the volume", b"V", form="gnu")


def test_types_that_nobody_knows_are_files(shown):
    root = shown([Entry("contiguous", b"7", b"abc"), Entry("odd", b"Z", b"z"),
                  file("known", b"k")]) / "rootfs"
    assert outline(root) == {"contiguous": b"abc", "odd": b"z", "known": b"k"}


def test_directories_of_a_dump(shown):
    """tar -g writes them, with the names in them for contents."""
    root = shown([VOLUME, DUMPED, file("tmp/a", b"a"),
                  Entry("empty/", b"D", b"\0", form="gnu")]) / "rootfs"
    assert outline(root) == {"tmp/": None, "tmp/a": b"a", "empty/": None}
    status = os.stat(root / "tmp")
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (
        0o1777, 7, 8)


def test_what_gnu_tar_dumps(shown, tmp_path):
    (tmp_path / "tree/tmp").mkdir(parents=True)
    (tmp_path / "tree/file").write_text("f")
    run("tar", "-C", tmp_path / "tree", "-g", tmp_path / "state", "-cf",
        tmp_path / "dump", ".")
    root = shown(layer_of_tar((tmp_path / "dump").read_bytes())) / "rootfs"
    assert outline(root) == {"tmp/": None, "file": b"f"}


def test_headers_of_solaris(shown):
    header = Entry("x", b"X", pax_record("path", "n" * 120))
    root = shown([header, file("short", b"x")]) / "rootfs"
    assert outline(root) == {"n" * 120: b"x"}


def test_names_as_old_go_wrote_them(shown):
    """A prefix where GNU tar has times."""
    old = file("name", b"x", fields={
        "magic": GNU_MAGIC, "prefix": b"a/long/directory"})
    assert outline(shown([old]) / "rootfs") == {
        "a/": None, "a/long/": None, "a/long/directory/": None,
        "a/long/directory/name": b"x"}


def test_headers_without_entries(shown):
    alone = b"".join(encoded(Entry("x", b"x", pax_record("path", "a"))))
    root = shown([pax_global({"comment": "c"})], [VOLUME],
                 layer_of_tar(alone + bytes(1024))) / "rootfs"
    assert os.listdir(root) == []


OVERLAY = {"trusted.overlay.opaque": b"y", "trusted.overlay.redirect": b"/etc",
           "user.overlay.opaque": b"y"}
NOWHERE = {"nowhere": b"n", "com.apple.quarantine": b"q"}
KEPT = {"user.note": b"n", "trusted.note": b"t"}
ATTRIBUTES = OVERLAY | NOWHERE | KEPT
MARKED = [directory("d", xattrs=ATTRIBUTES), file("f", b"f", xattrs=ATTRIBUTES),
          hard_link("hard", "f"), file("plain", b"p", xattrs=KEPT)]


def xattrs(path):
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


@pytest.mark.parametrize("make", [layer, estargz, chunked])
def test_attributes_that_are_the_layers_own(shown, make):
    """As a lower directory of an overlay the tree would be read otherwise."""
    image = shown(make([file("under")]), make(MARKED))
    for name in ("d", "f", "hard"):
        assert xattrs(image / "rootfs" / name) == KEPT
        assert xattrs(image / "layers/02" / name) == ATTRIBUTES
        with pytest.raises(OSError):
            os.getxattr(image / "rootfs" / name, "trusted.overlay.opaque")
    assert xattrs(image / "rootfs/plain") == KEPT


def test_links_whose_attributes_are_not_all_shown(shown):
    image = shown(MARKED)
    statuses = [os.stat(image / "rootfs" / name) for name in ("f", "hard")]
    assert len({status.st_ino for status in statuses}) == 1
    assert {status.st_nlink for status in statuses} == {2}
    entries = {entry.name: entry.inode()
               for entry in os.scandir(image / "rootfs")}
    assert entries["f"] == entries["hard"] == statuses[0].st_ino
    assert (image / "rootfs/hard").read_bytes() == b"f"


def test_a_tree_that_says_more_of_a_directory(shown):
    """The attributes are those of the entry that came last."""
    root = shown([directory("d", xattrs=ATTRIBUTES), directory("d"),
                  directory("e"), directory("e", xattrs=ATTRIBUTES)])
    assert xattrs(root / "rootfs/d") == {}
    assert xattrs(root / "rootfs/e") == KEPT
    assert xattrs(root / "layers/01/e") == ATTRIBUTES


WHITEOUTS = [[directory("d"), file("d/gone", b"g"), file("kept", b"k"),
              directory("dir"), file("dir/in")],
             [directory("d"), device("d/gone", CHARACTERS, 0, 0),
              device("dir", CHARACTERS, 0, 0), device("null", CHARACTERS, 1, 3),
              device("zero", CHARACTERS, 0, 0)]]


def test_devices_that_are_whiteouts(shown):
    image = shown(*WHITEOUTS)
    shows = {"d/": None, "kept": b"k", "null": "char 1:3"}
    assert outline(image / "rootfs") == shows
    assert not os.path.lexists(image / "rootfs/zero")
    assert outline(image / "layers/02") == {
        "d/": None, "d/gone": "char 0:0", "dir": "char 0:0",
        "zero": "char 0:0", "null": "char 1:3"}
