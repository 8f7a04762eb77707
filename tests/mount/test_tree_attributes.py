# SPDX-License-Identifier: Apache-2.0
"""What a tar says of a file, stat says too."""

import errno
import os
import stat
import struct

import pytest

from support.chunked import chunked
from support.compression import gzip_member, zstd_frame
from support.estargz import estargz
from support.images import OCI_GZIP_LAYER, Layer
from support.layers import OCI_ZSTD_LAYER, image_of, layer
from support.system import run
from support.tars import (
    BLOCKS, CHARACTERS, MTIME, SECOND, device, directory, fifo, file,
    hard_link, headers, octets, sparse, symlink)
from support.trees import KINDS, outline

KIB = 1024
MIB = 1 << 20
GIB = 1 << 30
# VFS_CAP_REVISION_2 with the effective bit, and cap_net_raw: capabilities(7).
NET_RAW = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
# user::rwx user:7:r-x group::r-x mask::r-x other::---, as the kernel has it.
ACL = struct.pack("<I" + "HHI" * 5, 2, 1, 7, 0xffffffff, 2, 5, 7,
                  4, 5, 0xffffffff, 16, 5, 0xffffffff, 32, 0, 0xffffffff)

ENTRIES = [
    directory("dir", mode=0o750, uid=1, gid=2),
    directory("sticky", mode=0o1777), directory("setgid", mode=0o2755),
    file("file", b"1234", mode=0o640, uid=1000, gid=1001),
    file("setuid", b"x", mode=0o4755), file("nothing", b"x", mode=0),
    file("owner", uid=4_000_000_000, gid=4_000_000_000),
    file("gnu-owner", uid=4_000_000_000, gid=3_000_000_000, form="gnu"),
    file("nanoseconds", mtime=MTIME * SECOND + 123_456_789),
    file("before-1970", mtime=-86_400 * SECOND),
    file("gnu-before-1970", mtime=-86_400 * SECOND, form="gnu"),
    file("fraction-before-1970", mtime=-5 * SECOND // 2),
    file("year-2200", mtime=7_258_118_400 * SECOND),
    file("epoch", mtime=0),
    symlink("link", "file"), symlink("long-link", "t" * 1000, uid=5),
    symlink("gnu-link", "t/" * 150, form="gnu"),
    symlink("odd-link", b"\xff\n../x"),
    file("/".join(["long" * 20] * 5), b"pax"),
    file("/".join(["gnu" * 20] * 5), b"gnu", form="gnu"),
    file("p" * 155 + "/" + "n" * 100, b"ustar",
         fields={"name": b"n" * 100, "prefix": b"p" * 155}),
    device("null", CHARACTERS, 1, 3, mode=0o666),
    device("disk", BLOCKS, 8, 1), device("large", CHARACTERS, 4095, 262_143),
    fifo("fifo", mode=0o622),
    file("xattrs", xattrs={"user.note": b"\0bytes\xff", "user.short": b"1",
                           "user.long": b"v" * 4000}),
    directory("xattr-dir", xattrs={"user.note": b"of a directory"}),
    file("capable", b"#!", mode=0o755,
         xattrs={"security.capability": NET_RAW}),
    file("acl", mode=0o750, xattrs={"system.posix_acl_access": ACL}),
]


def expected_of(entry):
    kinds = {"0": "file", "1": "file", "2": "symlink", "3": "char",
             "4": "block", "5": "directory", "6": "fifo"}
    found = {"type": kinds[entry.kind.decode()], "mode": oct(entry.mode),
             "uid": entry.uid, "gid": entry.gid, "mtime": entry.mtime,
             "xattrs": entry.xattrs}
    if entry.kind in (CHARACTERS, BLOCKS):
        found["device"] = entry.device
    if entry.kind == b"2":
        found["target"] = octets(entry.link)
        found["size"] = len(octets(entry.link))
    elif entry.kind != b"5":
        found["size"] = len(entry.data)
    return found


def found_at(path):
    status = os.lstat(path)
    kind = KINDS[stat.S_IFMT(status.st_mode)]
    found = {"type": kind, "mode": oct(stat.S_IMODE(status.st_mode)),
             "uid": status.st_uid, "gid": status.st_gid,
             "mtime": status.st_mtime_ns,
             "xattrs": {name: os.getxattr(path, name, follow_symlinks=False)
                        for name in os.listxattr(path, follow_symlinks=False)}}
    if kind in ("char", "block"):
        found["device"] = (os.major(status.st_rdev), os.minor(status.st_rdev))
    if kind == "symlink":
        found["target"] = os.readlink(os.fsencode(path))
    if kind != "directory":
        found["size"] = status.st_size
    return found


def test_what_the_tar_says(shown):
    root = shown(ENTRIES)
    for tree in ("layers/01", "rootfs"):
        assert {entry.name: found_at(root / tree / entry.name)
                for entry in ENTRIES} == {
            entry.name: expected_of(entry) for entry in ENTRIES}


# Their times are whole seconds, and their device numbers Go's.
@pytest.mark.parametrize("make", [estargz, chunked])
def test_what_a_table_of_contents_says(shown, make):
    entries = [entry for entry in ENTRIES
               if not entry.name.startswith("fraction") and entry.name not in (
                   "odd-link", "nanoseconds", "large")]
    root = shown(make(entries)) / "rootfs"
    assert {entry.name: found_at(root / entry.name) for entry in entries} == {
        entry.name: expected_of(entry) for entry in entries}


def test_nanoseconds_of_chunked(shown):
    said = MTIME * SECOND + 123_456_789
    root = shown(chunked([file("file", mtime=said)])) / "rootfs"
    assert os.stat(root / "file").st_mtime_ns == said


def test_link_counts(shown):
    root = shown([file("one"), file("a", b"three", mode=0o640),
                  hard_link("b", "a", mode=0o640), directory("d"),
                  hard_link("d/c", "b", mode=0o640)])
    for tree in ("layers/01", "rootfs"):
        statuses = [os.stat(root / tree / name) for name in ("a", "b", "d/c")]
        assert len({status.st_ino for status in statuses}) == 1
        assert {status.st_nlink for status in statuses} == {3}
        assert {status.st_mode & 0o777 for status in statuses} == {0o640}
        assert os.stat(root / tree / "one").st_nlink == 1


def test_owners_are_the_images_for_root(shown):
    root = shown([file("f", uid=12, gid=34)], options=["no_squash"])
    status = os.stat(root / "rootfs/f")
    assert (status.st_uid, status.st_gid) == (12, 34)


def test_squashed_owners(shown):
    root = shown([file("f", b"x", uid=12, gid=34, mode=0o4640),
                  directory("d", uid=5, mode=0o700)], options=["squash"])
    for name in ("f", "d"):
        status = os.stat(root / "rootfs" / name)
        assert (status.st_uid, status.st_gid) == (os.getuid(), os.getgid())
    assert os.stat(root / "layers/01/f").st_uid == os.getuid()


PRIVATE = [directory("own", mode=0o700), file("own/secret", b"s", mode=0o600),
           file("shadow", b"x", mode=0, uid=0, gid=42),
           directory("closed", mode=0), file("closed/file", b"in")]


@pytest.fixture
def mount_as(mount, proxy, client, other_user, binary):
    """The image directory in a mount of a user without rights."""
    def start(*layers, options=()):
        image_of(*layers).push(client, "app", "1.0")
        started = mount(proxy, *options, user=other_user,
                        directory=other_user.new_directory(),
                        program=other_user.copy_in(binary))
        return started / "app/1.0"
    return start


def test_a_user_reads_all_of_an_image(mount_as, other_user):
    root = mount_as(PRIVATE) / "rootfs"
    for name, data in (("own/secret", "s"), ("shadow", "x"),
                       ("closed/file", "in")):
        assert other_user.run("cat", root / name).stdout == data
        owner = other_user.run("stat", "-c", "%u", root / name).stdout
        assert int(owner) == other_user.uid
    listed = other_user.run("find", root, "-printf", "%P\n").stdout
    assert set(listed.split()) == {
        "own", "own/secret", "shadow", "closed", "closed/file"}


def test_a_user_copies_an_image(mount_as, other_user):
    """What is copied with its modes can be removed again."""
    root = mount_as(PRIVATE + [file("setuid", b"x", mode=0o4755)])
    copy = other_user.new_directory()
    other_user.run("cp", "-a", root / "rootfs", copy)
    assert other_user.run("cat", copy / "rootfs/own/secret").stdout == "s"


def test_holes_can_be_found(shown, tmp_path):
    """By programs that copy sparse files: they read what there is."""
    entry = sparse("huge", 8 << 40, [(3 * MIB, b"one" * 999),
                                     (5 << 40, b"two")], "pax-1.0")
    path = shown([entry, file("plain", b"all of it")]) / "rootfs"
    with open(path / "huge", "rb") as huge:
        found = [os.lseek(huge.fileno(), *seek) for seek in (
            (0, os.SEEK_HOLE), (0, os.SEEK_DATA), (3 * MIB, os.SEEK_DATA),
            (3 * MIB, os.SEEK_HOLE), (4 * MIB, os.SEEK_DATA))]
        with pytest.raises(OSError) as failure:
            os.lseek(huge.fileno(), 6 << 40, os.SEEK_DATA)
    assert found == [0, 3 * MIB, 3 * MIB, 3 * MIB + 2997, 5 << 40]
    assert failure.value.errno == errno.ENXIO
    with open(path / "plain", "rb") as plain:
        assert os.lseek(plain.fileno(), 0, os.SEEK_HOLE) == 9
    run("cp", "--sparse=always", path / "huge", tmp_path / "copy")
    assert os.stat(tmp_path / "copy").st_size == 8 << 40


@pytest.mark.parametrize("form", ["gnu", "pax-0.0", "pax-0.1", "pax-1.0"])
def test_sparse_files(shown, form):
    extents = [(number * 16 * KIB, b"%03d." % number * 128)
               for number in range(30)]
    size = 20 * GIB
    entries = [sparse("file", 1 << 20, extents, form, mode=0o600),
               sparse("huge", size, [*extents, (size - 3, b"end")], form),
               sparse("hole", 5000, [], form), file("after", b"after")]
    root = shown(entries) / "rootfs"
    assert sorted(os.listdir(root)) == ["after", "file", "hole", "huge"]
    assert (root / "file").read_bytes() == entries[0].content
    assert (root / "hole").read_bytes() == bytes(5000)
    assert (root / "after").read_bytes() == b"after"
    assert os.stat(root / "file").st_mode & 0o777 == 0o600
    assert os.stat(root / "huge").st_size == size
    with open(root / "huge", "rb", buffering=0) as huge:
        assert os.pread(huge.fileno(), 100, size - 4) == b"\0end"
        assert os.pread(huge.fileno(), 100, size // 2) == bytes(100)
        offset, data = extents[-1]
        assert os.pread(huge.fileno(), 1000, offset - 300) == (
            bytes(300) + data + bytes(1000 - 300 - len(data)))
    # A hole takes no room: `du` and `cp --sparse=auto` look there.
    assert os.stat(root / "huge").st_blocks * 512 < GIB


# A stream of zeros is the same piece again and again.
PIECE = 1 << 20


def zeros_between(first, last, size, compress):
    """first, zeros, last: together of that size, quickly compressed."""
    whole, rest = divmod(size - len(first) - len(last), PIECE)
    return (compress(first) + compress(bytes(PIECE)) * whole
            + compress(bytes(rest) + last))


@pytest.mark.parametrize("media_type, compress, size, form", [
    (OCI_GZIP_LAYER, gzip_member, 5 * GIB + 5, "gnu"),
    # More than a header's octal digits can say.
    (OCI_ZSTD_LAYER, zstd_frame, 9 * GIB, "gnu"),
    (OCI_ZSTD_LAYER, zstd_frame, 9 * GIB, "pax")])
def test_a_file_of_many_gigabytes(shown, media_type, compress, size, form):
    # The last 512 bytes are the file's own, the 1024 behind it the tar's end.
    padding = bytes(-size % 512 + 1024)
    start = headers(file("before")) + headers(
        file("large", size=size, form=form))
    stream = zeros_between(start, b"end" + padding,
                           len(start) + size + len(padding), compress)
    root = shown(Layer(media_type, stream, diff_id="sha256:" + "0" * 64))
    assert os.stat(root / "rootfs/large").st_size == size
    with open(root / "rootfs/large", "rb", buffering=0) as large:
        assert os.pread(large.fileno(), 100, size - 4) == b"\0end"
        assert os.pread(large.fileno(), 4096, size // 2) == bytes(4096)


def test_attributes_that_are_ours(shown):
    """Asked for by name; not listed, so that nobody copies them."""
    made = layer([file("f", b"x", xattrs={"user.note": b"theirs"}),
                  directory("d"), symlink("l", "f")])
    root = shown(made, [file("other")])
    for path in ("layers/01/f", "rootfs/f", "rootfs/d"):
        assert os.getxattr(root / path, "user.oci.layer") == (
            made.digest.encode())
        assert os.getxattr(root / path, "user.oci.verified") == b"layer"
    assert os.listxattr(root / "rootfs/f") == ["user.note"]
    assert os.listxattr(root / "rootfs/d") == []
    assert os.getxattr(root / "rootfs/other", "user.oci.layer") != (
        made.digest.encode())


@pytest.mark.parametrize("make", [estargz, chunked])
def test_what_vouches_for_a_file(shown, make):
    made = make([file("f", b"x")])
    path = shown(made) / "rootfs/f"
    assert os.getxattr(path, "user.oci.verified") == b"toc"
    assert os.getxattr(path, "user.oci.layer") == made.digest.encode()


def test_an_attribute_that_is_not_there(shown):
    path = shown([file("f")]) / "rootfs/f"
    for name in ("user.none", "user.oci.none", "security.selinux"):
        with pytest.raises(OSError) as failure:
            os.getxattr(path, name)
        assert failure.value.errno in (errno.ENODATA, errno.EOPNOTSUPP)


def test_an_image_cannot_say_what_we_say(shown):
    """A tar's own user.oci.verified would be a lie that looks like ours."""
    path = shown([file("f", b"x", xattrs={"user.oci.verified": b"toc"})])
    assert os.getxattr(path / "rootfs/f", "user.oci.verified") == b"layer"


def test_tools_see_what_stat_says(shown):
    root = shown(ENTRIES) / "rootfs"
    assert "cap_net_raw" in run("getcap", root / "capable").stdout
    assert "user:7:r-x" in run("getfacl", "-n", root / "acl").stdout
    found = run("find", root, "-perm", "-4000", "-printf", "%P\n").stdout
    assert found == "setuid\n"
    assert outline(root)["large"] == "char 4095:262143"
