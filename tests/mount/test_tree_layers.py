# SPDX-License-Identifier: Apache-2.0
"""layers/NN: what is in one layer, as its tar has it."""

import errno
import os
import stat

import pytest

from registry.client import digest_of
from support.chunked import chunked
from support.compression import COMPRESSIONS
from support.estargz import estargz
from support.images import OCI_GZIP_LAYER, Blob, artifact, oci_image
from support.layers import image_of, layer, layer_of_tar
from support.system import run
from support.tars import (
    SECOND, directory, file, hard_link, opaque, pax_global, symlink, tar_bytes,
    whiteout)
from support.trees import assert_same_tree, outline, walk
from support.unpacked import untar

BASE = [directory("etc"), file("etc/motd", b"hello\n"),
        file("etc/gone", b"old"), directory("srv"), file("srv/old", b"old")]
TOP = [directory("etc"), whiteout("etc/gone"), directory("srv"), opaque("srv"),
       file("srv/new", b"new")]

# A layer that is read in many pieces, whatever it is compressed with.
MANY = [directory("many"), *(
    file(f"many/{number:03}", b"%d," % number * number * 10,
         mtime=number * SECOND)
    for number in range(200)), symlink("many/link", "000"),
    hard_link("many/hard", "many/007", mtime=7 * SECOND)]

# How a layer can be made of entries.
MAKERS = {name: lambda entries, name=name: layer(entries, name)
          for name in COMPRESSIONS} | {
    "estargz": estargz,
    "estargz-chunks": lambda entries: estargz(
        entries, chunk_size=1000, prefetched=5),
    "estargz-shared": lambda entries: estargz(
        entries, chunk_size=1000, share_below=5000),
    "chunked": chunked,
    "chunked-old": lambda entries: chunked(entries, chunk_size=1000, old=True)}


def test_each_layer_has_its_tree_beside_its_blob(shown):
    layers = shown(BASE, layer(TOP, "zstd"), layer(TOP, "plain")) / "layers"
    assert sorted(os.listdir(layers)) == [
        "01", "01.tar.gz", "02", "02.tar.zst", "03", "03.tar"]


def test_a_layer_shows_its_own_entries(shown):
    layers = shown(BASE, TOP) / "layers"
    assert outline(layers / "01") == {
        "etc/": None, "etc/motd": b"hello\n", "etc/gone": b"old",
        "srv/": None, "srv/old": b"old"}


def test_whiteouts_have_their_names(shown):
    assert outline(shown(BASE, TOP) / "layers/02") == {
        "etc/": None, "etc/.wh.gone": b"", "srv/": None,
        "srv/.wh..wh..opq": b"", "srv/new": b"new"}


@pytest.mark.parametrize("how", MAKERS)
def test_every_form_of_a_layer_shows_the_same(shown, tmp_path, how):
    root = untar(tar_bytes(MANY), tmp_path / "untarred")
    assert_same_tree(shown(MAKERS[how](MANY)) / "layers/01", root,
                     ignore=[("", "mtime"), ("", "mode")])


def test_parents_without_an_entry(shown):
    root = shown([file("a/b/c/file", b"deep"), file("a/file")]) / "layers/01"
    assert outline(root) == {
        "a/": None, "a/b/": None, "a/b/c/": None, "a/b/c/file": b"deep",
        "a/file": b""}
    assert os.stat(root / "a").st_mode & 0o7777 == 0o755


def test_the_last_of_duplicate_entries(shown):
    root = shown([file("twice", b"first", mode=0o600), file("other"),
                  file("twice", b"second", mode=0o640),
                  file("dir"), directory("dir"), file("dir/in", b"in"),
                  directory("file"), file("file", b"now a file")])
    assert outline(root / "layers/01") == {
        "twice": b"second", "other": b"", "dir/": None, "dir/in": b"in",
        "file": b"now a file"}
    assert os.stat(root / "layers/01/twice").st_mode & 0o777 == 0o640


def test_a_file_of_a_hard_link_outlives_its_first_name(shown):
    root = shown([file("a", b"linked"), hard_link("b", "a"),
                  file("a", b"again")]) / "layers/01"
    assert outline(root) == {"a": b"again", "b": b"linked"}
    assert os.stat(root / "b").st_nlink == 1


def test_odd_names(shown):
    odd = ["./dot", "/slash", "./", ".//twice//slashed", "./a/./b",
           "trailing/", b"\xff\xfe", "new\nline", "back\\slash", " ", "*",
           "n" * 255, "/".join(["deep"] * 60), "ümläut"]
    expected = ["dot", "slash", "twice/slashed", "a/b", "trailing",
                b"\xff\xfe", "new\nline", "back\\slash", " ", "*",
                "n" * 255, "/".join(["deep"] * 60), "ümläut"]
    entries = [directory(name) if name in ("./", "trailing/")
               else file(name, b"here") for name in odd]
    root = os.fsencode(shown(entries) / "layers/01")
    for name in expected:
        path = os.path.join(root, os.fsencode(name))
        if name == "trailing":
            assert os.path.isdir(path)
        else:
            with open(path, "rb") as opened:
                assert opened.read() == b"here", name
    assert len(os.listdir(root)) == len(expected)


def test_records_for_all_entries(shown):
    """A global header, as `git archive` writes one with its commit. It is no
    file."""
    entries = [pax_global({"comment": "a commit"}), file("a"),
               pax_global({"comment": "another"}), file("b")]
    assert outline(shown(entries) / "layers/01") == {"a": b"", "b": b""}


def test_a_layer_without_entries(shown):
    root = shown([], layer_of_tar(b"", "gzip"))
    assert outline(root / "layers/01") == outline(root / "layers/02") == {}


def test_a_tar_without_an_end(shown):
    """Some writers leave out the two blocks of zeros."""
    tar = tar_bytes(BASE, end=False)
    root = shown(layer_of_tar(tar, "gzip")) / "layers/01"
    assert (root / "srv/old").read_bytes() == b"old"


def test_layers_are_told_by_their_bytes(shown):
    """Media types lie: a gzip layer that is plain, a plain one that is not."""
    plain, packed = layer(BASE, "plain"), layer(BASE, "zstd")
    as_gzip = [Blob(OCI_GZIP_LAYER, one.data) for one in (plain, packed)]
    root = shown(*map(_as_layer, as_gzip))
    assert outline(root / "layers/01") == outline(root / "layers/02")
    assert (root / "layers/02/etc/motd").read_bytes() == b"hello\n"


def _as_layer(blob):
    made = layer(BASE)
    return type(made)(blob.media_type, blob.data, diff_id=made.diff_id)


@pytest.mark.parametrize("tar", [
    b"no tar at all" * 100, tar_bytes(BASE)[:1700],
    tar_bytes([file("a", fields={"chksum": b"0000000\0"})]),
    tar_bytes([file("a", pax={"size": "-5"})])],
    ids=["text", "cut", "checksum", "negative"])
def test_what_is_no_tar(mount, proxy, client, tar):
    made = layer_of_tar(tar, "gzip")
    image_of(made).push(client, "app", "1.0")
    mounted = mount(proxy)
    mounted.expect_error(made.digest)
    with pytest.raises(OSError) as failure:
        os.listdir(mounted / "app/1.0/layers/01")
    assert failure.value.errno in (errno.EINVAL, errno.EIO)
    # The blob is nevertheless what the registry has.
    assert (mounted / "app/1.0/layers/01.tar.gz").read_bytes() == made.data


def test_it_costs_nothing_until_it_is_entered(shown, proxy):
    directory = shown(BASE, TOP)
    with proxy.requests() as seen:
        run("ls", "-l", directory)
        run("ls", "-l", directory / "layers")
    assert [request for request in seen.matching("GET", "/blobs/")
            if digest_of(layer(BASE).data) in request.path
            or digest_of(layer(TOP).data) in request.path] == []


def inodes(root):
    """Of the files: a directory is one of an image, too."""
    return {path: status.st_ino for path, status in walk(root)
            if not stat.S_ISDIR(status.st_mode)}


def test_a_layer_has_the_same_inodes_wherever_it_is(mount, registry, client):
    layers = [layer(BASE), layer(TOP)]
    image_of(*layers).push(client, "app", "1.0", "2.0")
    image_of(layers[1], layers[0]).push(client, "mirror/app", "3.0")
    root = mount(registry)
    expected = inodes(root / "app/1.0/layers/01")
    assert inodes(root / "app/2.0/layers/01") == expected
    assert inodes(root / "mirror/app/3.0/layers/02") == expected
    assert len(set(expected.values())) == len(expected)


def test_inodes_outlive_the_mount(mount, registry, client):
    image_of(BASE).push(client, "app", "1.0")
    first = mount(registry)
    before = inodes(first / "app/1.0/layers/01")
    first.unmount()
    assert inodes(mount(registry) / "app/1.0/layers/01") == before


def test_readdir_agrees_with_stat(shown):
    root = shown(MANY, TOP)
    for path in ("layers/01", "layers/01/many", "layers/02", "rootfs",
                 "rootfs/many"):
        for entry in os.scandir(root / path):
            status = entry.stat(follow_symlinks=False)
            assert entry.inode() == status.st_ino, entry.path
            assert entry.is_dir(follow_symlinks=False) == (
                os.path.isdir(entry.path) and not entry.is_symlink())


def test_a_directory_of_ten_thousand_entries(shown):
    names = [f"{number:05}" for number in range(10_000)]
    root = shown([file(f"all/{name}") for name in names]) / "layers/01/all"
    assert sorted(os.listdir(root)) == names


def test_nothing_can_be_written(mount, registry, client):
    image_of(BASE).push(client, "app", "1.0")
    mounted = mount(registry)
    mounted.allow_error("mkdir|remove|open|create|rename")
    root = mounted / "app/1.0"
    for path in ("layers/01", "rootfs"):
        for change in (lambda: os.mkdir(root / path / "new"),
                       lambda: os.unlink(root / path / "etc/motd"),
                       lambda: open(root / path / "etc/motd", "wb"),
                       lambda: open(root / path / "new", "wb"),
                       lambda: os.rename(root / path / "etc/motd",
                                         root / path / "etc/other")):
            with pytest.raises(OSError) as failure:
                change()
            assert failure.value.errno in (errno.EROFS, errno.EPERM,
                                           errno.EACCES)
    assert outline(root / "rootfs")["etc/motd"] == b"hello\n"


def test_an_artifact_has_no_trees(mount, registry, client):
    """Its layers are files of any kind."""
    artifact({"report.txt": b"text"}).push(client, "app", "1.0")
    entries = os.listdir(mount(registry) / "app/1.0")
    assert "rootfs" not in entries
    assert "files" in entries


def test_an_image_without_layers(mount, registry, client):
    oci_image(scratch=True).push(client, "app", "1.0")
    root = mount(registry) / "app/1.0"
    assert os.listdir(root / "layers") == []
    assert os.listdir(root / "rootfs") == []
