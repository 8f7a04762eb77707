# SPDX-License-Identifier: Apache-2.0
"""The tests' own layers: peers have to read in them what was said."""

import gzip
import io
import os
import stat
import subprocess
import tarfile

import pytest

from registry.client import digest_of
from support.chunked import chunked
from support.compression import COMPRESSIONS
from support.estargz import OWN_NAMES, estargz, toc_of
from support.layers import image_of, layer
from support.tars import (
    CHARACTERS, MTIME, SECOND, device, directory, fifo, file, hard_link,
    pax_global, sparse, symlink, tar_bytes)
from support.trees import (
    assert_rsync_agrees, assert_same_tree, differences, outline, read_tree)
from support.unpacked import podman_rootfs, umoci_rootfs, untar

KIB = 1024
SPARSE_FORMS = ("gnu", "pax-0.0", "pax-0.1", "pax-1.0")
# Thirty extents: the old format has four in its header, 21 in each block.
EXTENTS = [(number * 16 * KIB, b"%03d." % number * 128)
           for number in range(30)]

ENTRIES = [
    directory("etc", mode=0o2750, gid=8),
    file("etc/motd", b"hello\n", uid=7, mode=0o4711),
    # As tar writes it: with the attributes of what it is a link to, which
    # podman gives to both, and umoci ignores.
    hard_link("etc/same", "etc/motd", uid=7, mode=0o4711),
    symlink("etc/link", "../outside"),
    file("empty"),
    file("attributes", b"x", xattrs={"user.note": b"no\xffUTF-8"}),
    file("fraction", mtime=MTIME * SECOND + 123_456_789),
    file("data", bytes(range(256)) * 1000),
    file("holes", b"front" + bytes(100_000) + b"back" * 5000),
    file("zeros", bytes(5000)),
    *(file(f"small-{number}", b"%d" % number * 100) for number in range(20)),
    device("null", CHARACTERS, 1, 3), fifo("fifo")]


@pytest.fixture
def unpack(tmp_path):
    """What umoci makes of an image of these layers."""
    def unpack(*layers):
        directory = tmp_path / f"image-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        return umoci_rootfs(image_of(*layers), directory)
    return unpack


def test_gnu_tar_reads_what_was_said(tmp_path):
    root = untar(tar_bytes(ENTRIES), tmp_path / "root")
    status = os.lstat(root / "etc/motd")
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_nlink,
            status.st_mtime_ns) == (0o4711, 7, 2, MTIME * SECOND)
    assert os.stat(root / "fraction").st_mtime_ns == (
        MTIME * SECOND + 123_456_789)
    assert os.getxattr(root / "attributes", "user.note") == b"no\xffUTF-8"
    assert os.readlink(root / "etc/link") == "../outside"
    assert os.lstat(root / "null").st_rdev == os.makedev(1, 3)
    assert stat.S_ISFIFO(os.lstat(root / "fifo").st_mode)
    for entry in ENTRIES:
        if entry.data:
            assert (root / entry.name).read_bytes() == entry.data


@pytest.mark.parametrize("form", SPARSE_FORMS)
def test_gnu_tar_reads_sparse_files(tmp_path, form):
    size = 20 << 30
    far = [*EXTENTS, (size - 3, b"end")]
    entries = [sparse("file", 1 << 20, EXTENTS, form),
               sparse("huge", size, far, form),
               sparse("hole", 5000, [], form)]
    root = untar(tar_bytes(entries), tmp_path / "root")
    assert (root / "file").read_bytes() == entries[0].content
    assert (root / "hole").read_bytes() == bytes(5000)
    with open(root / "huge", "rb") as huge:
        assert os.pread(huge.fileno(), 100, size - 4) == b"\0end"
        offset, data = EXTENTS[-1]
        assert os.pread(huge.fileno(), len(data), offset) == data


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_what_does_not_fit_into_a_header(form):
    said = [file("n" * 200, uid=4_000_000_000, form=form),
            symlink("link", "t" * 200, mtime=-5 * SECOND, form=form),
            file("late", mtime=7_258_118_400 * SECOND, form=form)]
    with tarfile.open(fileobj=io.BytesIO(tar_bytes(said))) as tar:
        for entry, member in zip(said, tar.getmembers(), strict=True):
            assert (member.name, member.uid, member.linkname, member.mtime) == (
                entry.name, entry.uid, entry.link or "",
                entry.mtime // SECOND)


def test_a_global_header():
    entries = [pax_global({"uid": "77"}), file("a"), file("b")]
    with tarfile.open(fileobj=io.BytesIO(tar_bytes(entries))) as tar:
        assert [member.uid for member in tar] == [77, 77]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressions_are_read_by_their_tools(compression):
    tools = {"plain": ["cat"], "gzip": ["gzip", "-dc"],
             "zstd": ["zstd", "-dc"], "xz": ["xz", "-dc"],
             "bzip2": ["bzip2", "-dc"]}
    made = layer(ENTRIES, compression)
    tar = subprocess.run(tools[compression.split("-")[0]], input=made.data,
                         check=True, capture_output=True).stdout
    assert tar == tar_bytes(ENTRIES)
    assert digest_of(tar) == made.diff_id


@pytest.mark.parametrize("options", [
    {}, {"chunk_size": 16 * KIB}, {"prefetched": 3},
    {"chunk_size": 16 * KIB, "share_below": 50 * KIB}])
def test_estargz_is_a_gzip_layer(unpack, options):
    made = estargz(ENTRIES, **options)
    assert_same_tree(unpack(ENTRIES), unpack(made), without=OWN_NAMES)


def test_the_toc_of_estargz_leads_to_the_chunks():
    made = estargz(ENTRIES, chunk_size=16 * KIB, share_below=20 * KIB)
    inner = 0
    for chunk in toc_of(made)["entries"]:
        if "chunkDigest" not in chunk:
            continue
        stream = gzip.GzipFile(fileobj=io.BytesIO(made.data[chunk["offset"]:]))
        stream.seek(chunk.get("innerOffset", 0))
        left = chunk.get("size", 256_000) - chunk.get("chunkOffset", 0)
        data = stream.read(chunk.get("chunkSize") or left)
        # The last chunk of the file of 256,000 bytes is all that is left.
        assert digest_of(data) == chunk["chunkDigest"] or (
            chunk["type"] == "chunk" and "chunkSize" not in chunk)
        inner += "innerOffset" in chunk
    assert inner > 10


@pytest.mark.parametrize("options", [
    {}, {"chunk_size": 4 * KIB}, {"old": True, "chunk_size": 4 * KIB}])
def test_chunked_is_a_zstd_layer(client, registry, podman, unpack, options):
    """podman checks the diffID, too."""
    image_of(chunked(ENTRIES, **options)).push(client, "app", "1.0")
    pulled = podman_rootfs(podman, f"{registry.address}/app:1.0")
    # A root directory without an entry of its own is as its maker likes it.
    assert_same_tree(unpack(ENTRIES), pulled,
                     ignore=[("", "mtime"), ("", "mode")])


def test_a_difference_is_told(tmp_path):
    """Each of the attributes that a tree is compared by."""
    left, right = tmp_path / "left", tmp_path / "right"
    for root in (left, right):
        untar(tar_bytes(ENTRIES), root)
    assert differences(read_tree(left), read_tree(right), ignore=[
        ("", "mtime")]) == []
    os.truncate(right / "data", 10)
    os.setxattr(right / "empty", "user.more", b"1")
    os.chown(right / "zeros", 5, 6)
    os.chmod(right / "holes", 0o600)
    (right / "fifo").unlink()
    (right / "etc/same").unlink()
    found = differences(read_tree(left), read_tree(right), ignore=["mtime"])
    assert {tuple(line.split(": ")[:2]) for line in found} == {
        ("'data'", "content"), ("'data'", "size"), ("'empty'", "xattrs"),
        ("'zeros'", "uid"), ("'zeros'", "gid"), ("'holes'", "mode"),
        ("'fifo'", "only left"), ("'etc/same'", "only left"),
        ("'etc/motd'", "links"), ("'etc/motd'", "nlink")}
    with pytest.raises(AssertionError, match="data"):
        assert_rsync_agrees(left, right)


def test_an_outline(tmp_path):
    root = untar(tar_bytes(ENTRIES[:4] + [
        file(b"\xff"), device("null", CHARACTERS, 1, 3), fifo("fifo")]),
        tmp_path / "root")
    assert outline(root) == {
        "etc/": None, "etc/motd": b"hello\n", "etc/same": b"hello\n",
        "etc/link": "-> ../outside", "\udcff": b"", "null": "char 1:3",
        "fifo": "fifo"}
