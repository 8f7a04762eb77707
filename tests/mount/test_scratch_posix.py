# SPDX-License-Identifier: Apache-2.0
"""What POSIX says of files, names and attributes, in scratch directories."""

import ctypes
import errno
import filecmp
import mmap
import os
import shutil
import socket
import stat

from registry.process import wait_until
from support.system import fails_with, run
from support.trees import outline

RENAME_EXCHANGE = 2
AT_FDCWD = -100


def contents(mounted):
    """The files on the disk."""
    return list((mounted.cache / "private").glob("*/*"))


# --- Files ---


def test_files_are_written_anywhere_and_cut(new):
    path = new / "file"
    with open(path, "w+b") as opened:
        opened.write(b"0123456789")
        opened.seek(5)
        opened.write(b"five")
        opened.flush()
        assert path.read_bytes() == b"01234five9"
        opened.truncate(3)
        assert path.read_bytes() == b"012"
        opened.truncate(6)
        assert path.read_bytes() == b"012\0\0\0"
    with open(path, "ab") as opened:
        opened.write(b"end")
    assert path.read_bytes() == b"012\0\0\0end"
    os.truncate(path, 0)
    assert path.stat().st_size == 0
    path.write_bytes(b"new")
    path.write_bytes(b"n")
    assert path.read_bytes() == b"n"


def test_an_unlinked_file_goes_on(new, mounted):
    with open(new / "file", "w+b") as opened:
        opened.write(b"x" * 10)
        opened.flush()
        (new / "file").unlink()
        assert not (new / "file").exists()
        opened.write(b"y")
        opened.seek(0)
        assert opened.read() == b"x" * 10 + b"y"
        assert os.fstat(opened.fileno()).st_nlink == 0
        assert contents(mounted)
    wait_until(lambda: not contents(mounted), "the content's end")


def test_mapped_files_are_written(new):
    path = new / "mapped"
    path.write_bytes(b"." * 10_000)
    with open(path, "r+b") as opened:
        with mmap.mmap(opened.fileno(), 0) as mapped:
            mapped[5000:5004] = b"here"
    shutil.copy(path, new / "copy")
    assert path.read_bytes()[4998:5006] == b"..here.."
    assert filecmp.cmp(path, new / "copy", shallow=False)


def test_holes_stay(new):
    with open(new / "file", "wb") as opened:
        opened.seek(1 << 20)
        opened.write(b"data")
    with open(new / "file", "rb") as opened:
        assert os.lseek(opened.fileno(), 0, os.SEEK_DATA) == 1 << 20
        assert os.lseek(opened.fileno(), 0, os.SEEK_HOLE) == 0
        with fails_with(errno.ENXIO):
            os.lseek(opened.fileno(), (1 << 20) + 4, os.SEEK_DATA)
    run("cp", "--sparse=always", new / "file", new / "copy")
    assert os.stat(new / "copy").st_blocks * 512 < 1 << 20
    assert filecmp.cmp(new / "file", new / "copy", shallow=False)


def test_copies_need_not_pass_through_the_program(new):
    (new / "a").write_bytes(b"0123456789")
    (new / "b").write_bytes(b"..............")
    with open(new / "a", "rb") as a, open(new / "b", "r+b") as b:
        assert os.copy_file_range(a.fileno(), b.fileno(), 4, 2, 1) == 4
    assert (new / "b").read_bytes() == b".2345........."


# --- Names ---


def test_links_are_counted(new):
    (new / "a").write_text("a")
    os.link(new / "a", new / "b")
    assert os.stat(new / "a").st_nlink == 2
    assert os.path.samefile(new / "a", new / "b")
    (new / "a").unlink()
    assert os.stat(new / "b").st_nlink == 1
    assert os.stat(new).st_nlink == 2
    (new / "d/e").mkdir(parents=True)
    assert os.stat(new).st_nlink == 3
    assert os.stat(new / "d").st_nlink == 3
    os.rename(new / "d/e", new / "e")
    assert os.stat(new).st_nlink == 4
    assert os.stat(new / "d").st_nlink == 2
    os.rename(new / "e", new / "d")
    assert os.stat(new).st_nlink == 3


def test_renames(new):
    for name in ("a", "b", "full/in", "empty/"):
        (new / name).parent.mkdir(exist_ok=True)
        if name[-1] == "/":
            (new / name).mkdir()
        else:
            (new / name).write_text(name)
    with open(new / "b") as before:
        os.rename(new / "a", new / "b")
        assert before.read() == "b"
    assert (new / "b").read_text() == "a"
    with fails_with(errno.ENOTEMPTY):
        os.rename(new / "empty", new / "full")
    with fails_with(errno.ENOTDIR):
        os.rename(new / "empty", new / "b")
    with fails_with(errno.EISDIR):
        os.rename(new / "b", new / "empty")
    with fails_with(errno.EINVAL):
        os.rename(new / "full", new / "full/below")
    os.link(new / "b", new / "same")
    os.rename(new / "b", new / "same")
    assert sorted(os.listdir(new)) == ["b", "empty", "full", "same"]
    os.rename(new / "full", new / "empty")
    assert outline(new) == {"b": b"a", "same": b"a", "empty/": None,
                            "empty/in": b"full/in"}


def test_names_are_exchanged(new):
    (new / "d").mkdir()
    (new / "d/file").write_text("file")
    (new / "x").mkdir()
    rename = ctypes.CDLL(None, use_errno=True).renameat2
    assert rename(AT_FDCWD, bytes(new / "d/file"), AT_FDCWD, bytes(new / "x"),
                  RENAME_EXCHANGE) == 0
    assert outline(new) == {"d/": None, "d/file/": None, "x": b"file"}
    assert os.stat(new).st_nlink == os.stat(new / "d").st_nlink == 3


def test_what_names_cannot(new):
    (new / "d").mkdir()
    (new / "d/file").touch()
    with fails_with(errno.ENOTEMPTY):
        os.rmdir(new / "d")
    with fails_with(errno.EISDIR):
        os.unlink(new / "d")
    with fails_with(errno.ENOTDIR):
        os.rmdir(new / "d/file")
    with fails_with(errno.EEXIST):
        os.mkdir(new / "d")
    with fails_with(errno.EEXIST):
        os.link(new / "d/file", new / "d/file")
    with fails_with(errno.ENOENT):
        os.unlink(new / "none")
    with fails_with(errno.ENAMETOOLONG):
        os.mkdir(new / ("n" * 256))
    with fails_with(errno.ENAMETOOLONG):
        os.stat(new / ("n" * 256))
    (new / ("n" * 255)).mkdir()


def test_a_removed_directory_is_empty_for_good(new):
    (new / "d").mkdir()
    gone = os.open(new / "d", os.O_PATH)
    os.rmdir(new / "d")
    with fails_with(errno.ENOENT):
        os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=gone)
    os.close(gone)


def test_a_directory_is_read_again(new):
    libc = ctypes.CDLL(None)
    libc.fdopendir.restype = libc.readdir.restype = ctypes.c_void_p

    def names(stream):
        """The name is the last field of struct dirent."""
        while entry := libc.readdir(ctypes.c_void_p(stream)):
            yield ctypes.string_at(entry + 19).decode()
    (new / "a").touch()
    stream = libc.fdopendir(os.open(new, os.O_RDONLY))
    assert sorted(names(stream)) == [".", "..", "a"]
    (new / "b").touch()
    (new / "a").unlink()
    libc.rewinddir(ctypes.c_void_p(stream))
    assert sorted(names(stream)) == [".", "..", "b"]
    libc.closedir(ctypes.c_void_p(stream))


# --- Attributes ---


def test_times(new):
    path = new / "file"
    path.touch()
    os.utime(path, ns=(1_000_000_001, 2_000_000_002))
    status = path.stat()
    assert (status.st_atime_ns, status.st_mtime_ns) == (
        1_000_000_001, 2_000_000_002)
    above = new.stat()
    (new / "other").touch()
    assert new.stat().st_mtime_ns > above.st_mtime_ns
    path.chmod(0o600)
    assert path.stat().st_ctime_ns > status.st_ctime_ns
    assert path.stat().st_mtime_ns == 2_000_000_002
    path.write_text("x")
    assert path.stat().st_mtime_ns > 2_000_000_002


def test_modes(new):
    (new / "d").mkdir()
    os.chown(new / "d", 5, 6)
    os.chmod(new / "d", 0o2755)
    (new / "d/below").mkdir()
    (new / "d/file").touch()
    assert (new / "d/below").stat().st_gid == 6
    assert (new / "d/below").stat().st_mode & stat.S_ISGID
    assert (new / "d/file").stat().st_gid == 6
    assert not (new / "d/file").stat().st_mode & stat.S_ISGID
    os.chmod(new / "d/file", 0o4755)
    os.chown(new / "d/file", 1, 1)
    assert (new / "d/file").stat().st_mode & 0o7777 == 0o755


def test_attributes(new):
    path = new / "file"
    path.touch()
    os.setxattr(path, "user.a", b"1", os.XATTR_CREATE)
    with fails_with(errno.EEXIST):
        os.setxattr(path, "user.a", b"2", os.XATTR_CREATE)
    with fails_with(errno.ENODATA):
        os.setxattr(path, "user.b", b"2", os.XATTR_REPLACE)
    os.setxattr(path, "user.a", b"longer", os.XATTR_REPLACE)
    os.setxattr(path, "user.0", b"")
    assert os.listxattr(path) == ["user.0", "user.a"]
    assert os.getxattr(path, "user.a") == b"longer"
    os.removexattr(path, "user.a")
    with fails_with(errno.ENODATA):
        os.getxattr(path, "user.a")
    with fails_with(errno.ENODATA):
        os.removexattr(path, "user.a")
    # ACLs name the users of this machine; no layer has them.
    result = run("setfacl", "-m", "u:7:r", path, check=False)
    assert "Operation not supported" in result.stderr


def test_sockets_can_be_bound(new):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(new / "socket"))
    assert stat.S_ISSOCK(os.lstat(new / "socket").st_mode)
