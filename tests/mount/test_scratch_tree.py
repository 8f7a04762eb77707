# SPDX-License-Identifier: Apache-2.0
"""Scratch directories take any tree, as a local file system does."""

import errno
import filecmp
import io
import os
import random
import tarfile
from pathlib import Path

import pytest

from registry.process import wait_until
from support.system import fails_with, run
from support.tars import (
    BLOCKS, CHARACTERS, device, directory, fifo, file, hard_link, sparse,
    symlink, tar_bytes)
from support.trees import assert_rsync_agrees, assert_same_tree, outline
from support.unpacked import untar

ODD = [directory("d", mode=0o2750, gid=5), file("d/setuid", b"x", mode=0o4711),
       file("d/linked", b"linked", uid=3), hard_link("d/hard", "d/linked"),
       directory("empty", mode=0o1777, uid=9), directory(b"\xff\xfe"),
       file(b"\xff\xfe/\xfd", b"raw"), symlink("out", "../../etc/passwd"),
       symlink("long", "t" * 4000), symlink(b"odd\xff", b"\xff"), fifo("fifo"),
       device("null", CHARACTERS, 1, 3), device("disk", BLOCKS, 8, 17),
       file("n" * 255, b"long"), file("new\nline", b"n"),
       file("nanoseconds", mtime=1_700_000_000_123_456_789),
       file("old", mtime=0), file("owner", uid=4_000_000_000),
       file("noted", b"", xattrs={"user.note": b"\0\xff", "user.empty": b"",
                                  "trusted.note": b"t"}),
       file("ping", b"x", xattrs={"security.capability": bytes.fromhex(
           "0100000200200000000000000000000000000000")}),
       file("large", random.Random(1).randbytes(3_000_001)),
       sparse("sparse", 1 << 20, [(65536, b"s" * 4096),
                                  ((1 << 20) - 3, b"end")])]

COPIES = {
    "cp": lambda source, target: run("cp", "-a", f"{source}/.", target),
    "rsync": lambda source, target: run("rsync", "-aHAX", f"{source}/", target),
    "tar": lambda source, target: run(
        "sh", "-c", 'tar -C "$1" --xattrs --xattrs-include="*" -c . |'
        'tar -C "$2" --xattrs --xattrs-include="*" -xp', "sh", source, target),
}


@pytest.fixture
def odd(tmp_path):
    tree = untar(tar_bytes(ODD), tmp_path / "odd")
    # rsync leaves a time alone that differs by less than a second.
    os.utime(tree, (1_600_000_000, 1_600_000_000))
    return tree


def contents(mounted):
    """The files on the disk."""
    return sorted((mounted.cache / "private").glob("*/*"))


@pytest.mark.parametrize("how", COPIES)
def test_a_copied_tree_is_the_same(how, new, odd):
    COPIES[how](odd, new)
    # GNU tar rounds no times, but tells its own format of no nanoseconds.
    ignore = [("nanoseconds", "mtime")] if how == "tar" else []
    assert_same_tree(odd, new, ignore=ignore)
    if how != "tar":
        assert_rsync_agrees(odd, new)
    run("diff", "-r", "--no-dereference", odd / "d", new / "d")


def test_what_is_read_from_it_is_what_was_copied_in(new, odd, tmp_path):
    run("cp", "-a", f"{odd}/.", new)
    (tmp_path / "back").mkdir()
    COPIES["rsync"](new, tmp_path / "back")
    assert_same_tree(odd, tmp_path / "back")
    tar = run("tar", "-C", new, "--xattrs", "-c", ".", text=False).stdout
    assert outline(untar(tar, tmp_path / "tar")) == outline(odd)


def test_it_is_listed_and_removed(app, new, odd, mounted):
    run("cp", "-a", odd, new / "odd")
    assert os.listdir(app) == [".new"]
    assert contents(mounted)
    run("rm", "-rf", new)
    assert os.listdir(app) == []
    wait_until(lambda: not contents(mounted), "the contents' end")


def test_a_repository_with_one_is_not_empty(app, new, mounted):
    mounted.expect_error("app: the repository is not empty, there are scratch "
                         "directories in it")
    with fails_with(errno.ENOTEMPTY):
        app.rmdir()
    new.rmdir()
    app.rmdir()
    assert os.listdir(mounted.path) == []


def test_room_is_counted(new):
    (new / "full").write_bytes(b"x" * 1_000_000)
    with open(new / "holes", "wb") as holes:
        holes.truncate(100_000_000)
    blocks = {name: os.stat(new / name).st_blocks for name in os.listdir(new)}
    assert blocks["full"] * 512 >= 1_000_000
    assert blocks["holes"] * 512 < 1_000_000
    assert int(run("du", "-s", new).stdout.split()[0]) < 3_000
    assert os.statvfs(new).f_bavail > 0


def test_programs_work_in_it(new, tmp_path):
    run("git", "init", "-q", new / "repo")
    (new / "repo/file").write_text("hello\n")
    run("git", "-C", new / "repo", "add", "file")
    run("git", "-C", new / "repo", "-c", "user.name=n", "-c", "user.email=e",
        "commit", "-q", "-m", "message")
    run("git", "clone", "-q", new / "repo", new / "clone")
    assert (new / "clone/file").read_text() == "hello\n"
    (new / "module.py").write_text("print(6 * 7)\n")
    run("/usr/bin/python3", "-m", "compileall", "-q", new)
    assert run("/usr/bin/python3", "-c", "import module",
               cwd=new).stdout == "42\n"
    assert list((new / "__pycache__").iterdir())
    (new / "a.c").write_text("int main(void) { return 3; }\n")
    run("cc", "-o", new / "a.out", new / "a.c")
    assert run(new / "a.out", check=False).returncode == 3


def test_several_scratch_directories_are_one_file_system(app, new, odd):
    run("cp", "-a", odd / "d", new)
    (app / ".other").mkdir()
    os.rename(new / "d", app / ".other/d")
    os.link(app / ".other/d/setuid", new / "setuid")
    assert os.path.samefile(app / ".other/d/setuid", new / "setuid")
    os.rename(new, app / ".other/new")
    os.rename(app / ".other", app / ".third")
    assert sorted(os.listdir(app)) == [".third"]
    assert outline(app / ".third/new") == {"setuid": b"x"}
    # mv copies what leaves one to be one.
    run("mv", app / ".third/d", app / ".fourth")
    assert_same_tree(odd / "d", app / ".fourth")


def test_names_of_repositories_and_tags_are_none(app, mounted):
    for name in ("new", "1.0-rc", "a_b"):
        (app / name).mkdir()
        with fails_with(errno.EPERM):
            os.mkfifo(app / name / "fifo")
    mounted.expect_error("fifo: nothing of this type can be created in this")
    mounted.expect_error("not a valid repository name")
    with fails_with(errno.EINVAL):
        (mounted / ".new").mkdir()
    (app / ".new").mkdir()
    mounted.expect_error("an image needs a repository")
    with fails_with(errno.EPERM):
        os.rename(app / ".new", mounted / ".new")


# --- Users ---


def test_a_user_builds_what_is_roots(mount, binary, registry, other_user, odd):
    """As in a fakeroot: who mounted may set any owner, which is recorded."""
    started = mount(registry, directory=other_user.new_directory(),
                    program=other_user.copy_in(binary), user=other_user)
    source = other_user.new_directory() / "source"
    run("cp", "-a", odd / "d", source)
    os.chown(source, 0, 5)
    for path in source.iterdir():
        path.chmod(0o755)
    source.parent.chmod(0o755)
    source.chmod(0o1777)
    app = started / "app"
    other_user.run("mkdir", app)
    other_user.run("mkdir", app / ".new", app / ".gone")
    for name in (".new", ".gone"):
        other_user.run("cp", "-a", source, app / name / "tree")
    other_user.run("touch", app / ".new/own")
    other_user.run("chown", "7:8", app / ".new/tree/setuid")
    assert other_user.run("stat", "-c", "%u %a", app / ".new/tree"
                          ).stdout == f"{other_user.uid} 1777\n"
    other_user.run("rm", "-rf", app / ".gone")
    assert other_user.run("ls", "-A", app).stdout == ".new\n"
    other_user.run("mv", app / ".new", app / "1.0")
    layer = other_user.run("cat", app / "1.0/layers/01.tar.gz", text=False)
    with tarfile.open(fileobj=io.BytesIO(layer.stdout)) as tar:
        owners = {member.name: (member.uid, member.gid) for member in tar}
    own = (other_user.uid, os.stat(source.parent).st_gid)
    assert owners == {".": own, "own": own, "tree": (0, 5),
                      "tree/hard": (3, 0), "tree/linked": (3, 0),
                      "tree/setuid": (7, 8)}


def test_others_are_bound_by_modes(mount, registry, other_user):
    started = mount(registry, "allow_other",
                    directory=other_user.new_directory())
    (started / "app").mkdir()
    new = started / "app/.new"
    new.mkdir()
    new.chmod(0o755)
    (new / "secret").write_text("secret")
    (new / "secret").chmod(0o600)
    for command in (["cat", new / "secret"], ["touch", new / "file"],
                    ["rm", "-f", new / "secret"],
                    ["chown", "nobody", new / "secret"]):
        assert other_user.run(*command, check=False).returncode
    (new / "open").mkdir()
    (new / "open").chmod(0o1777)
    other_user.run("touch", new / "open/file")
    assert (new / "open/file").stat().st_uid == other_user.uid


# --- Its end ---


def test_what_is_lost_with_the_mount_is_said(mounted, app, new, odd):
    run("cp", "-a", odd / "d", new)
    (app / ".empty").mkdir()
    mounted.unmount()
    assert "app/.new: a directory with 4 entries was not pushed and is lost" \
        in mounted.log()
    assert ".empty" not in mounted.log()
    assert not list((mounted.cache / "private").iterdir())


def test_a_crash_leaves_nothing_for_long(mount, registry, new, mounted, odd):
    run("cp", "-a", odd, new)
    alive = mount(registry, f"cache={mounted.cache}", cache=False)
    (alive / "app").mkdir()
    (alive / "app/.other").mkdir()
    (alive / "app/.other/file").write_text("kept")
    assert len(list((mounted.cache / "private").iterdir())) == 2
    mounted.kill()
    run("fusermount3", "-uz", mounted.path)
    mount(registry, f"cache={mounted.cache}", cache=False)
    wait_until(lambda: len(list((mounted.cache / "private").iterdir())) == 1,
               "the end of what was left behind")
    assert (alive / "app/.other/file").read_text() == "kept"


def test_many_files_need_few_descriptors(mount, registry, plain_binary,
                                         tmp_path):
    files = 20_000
    source = tmp_path / "source"
    for number in range(files):
        path = source / str(number % 100) / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n")
    started = mount(registry, program=plain_binary)
    (started / "app").mkdir()
    (started / "app/.new").mkdir()
    before = started.peak_memory()
    run("cp", "-a", source, started / "app/.new/tree")
    assert len(os.listdir(f"/proc/{started.pid}/fd")) < 30
    assert started.peak_memory() - before < files * 1000
    assert filecmp.dircmp(source / "7", started / "app/.new/tree/7"
                          ).diff_files == []
    os.rename(started / "app/.new", started / "app/1.0")
    assert len(os.listdir(started / "app/1.0/rootfs/tree/7")) == files / 100
    assert started.peak_memory() - before < files * 1500
    assert not list(Path(started.cache / "private").glob("*/*"))
