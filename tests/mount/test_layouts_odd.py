# SPDX-License-Identifier: Apache-2.0
"""Image layouts beside what else there is on a disk: other tools, other mounts,
locks, names and file systems that a layout was not made for."""

import errno
import os
import re
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from registry.faults import Hold
from registry.process import wait_until
from support import plain_fs
from support.archives import REF_NAME, oci_archive
from support.daemon import discard_mount
from support.engines import skopeo
from support.layers import image_of
from support.layouts import (
    assert_valid, blob_path, layout_of, locked, rename)
from support.system import fails_with, run
from support.tars import file


# Seconds, as the option.
TIMEOUT = 2


def small(n):
    return image_of([file("n", str(n).encode())])


def archive(n):
    return oci_archive([("1", small(n))])


@pytest.fixture
def box(tmp_path):
    return layout_of(tmp_path / "box", v1=small(1))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of two MiB."""
    disk = tmp_path / "disks/small"
    disk.mkdir(parents=True)
    run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk)
    yield disk
    run("umount", "--lazy", disk)


@pytest.fixture(scope="module")
def plain_fs_program(tmp_path_factory):
    return plain_fs.build(tmp_path_factory.mktemp("plain-fs"))


@pytest.fixture(params=[True, False], ids=["rename that keeps", "plain rename"])
def plain_disk(plain_fs_program, tmp_path, request):
    """A file system without hard links."""
    with plain_fs.mounted(plain_fs_program, tmp_path,
                          takes_flags=request.param) as disk:
        with pytest.raises(OSError):
            (disk / "file").touch()
            (disk / "link").hardlink_to(disk / "file")
        (disk / "file").unlink()
        yield disk


@pytest.fixture
def mounted(mount, box):
    return mount(f"oci:{box}", "delete")


def test_no_tag_of_what_garbage_collection_took(mounted, box, tmp_path):
    """umoci removes what nothing names yet: the tag is not put."""
    (tmp_path / "app.tar").write_bytes(archive(2))
    mounted.expect_error("another program removed blobs")
    with locked(box) as unlock:
        with subprocess.Popen(["cp", tmp_path / "app.tar", mounted / "2.tar"],
                              stderr=subprocess.DEVNULL) as copier:
            mounted.wait_for_log("is locked: waiting for")
            run("umoci", "gc", "--layout", box)
            unlock()
            assert copier.wait(20) == 1
    assert set(assert_valid(box)) == {"1"}
    run("cp", tmp_path / "app.tar", mounted / "2.tar")
    assert set(assert_valid(box)) == {"1", "2"}


def mount_fails(binary, tmp_path, home, what):
    """What is said where nothing can be mounted."""
    mnt = tmp_path / "mnt"
    mnt.mkdir(exist_ok=True)
    try:
        done = subprocess.run(
            [binary, "-f", "-o", f"cache={tmp_path}/cache", what, mnt],
            capture_output=True, text=True, timeout=20,
            env=home.environment())
    finally:
        discard_mount(mnt)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_another_version_of_layouts(binary, tmp_path, home, box):
    """One that we do not know can mean anything; 1.x is what we know."""
    (box / "oci-layout").write_text('{"imageLayoutVersion": "2.0.0"}')
    said = mount_fails(binary, tmp_path, home, f"oci:{box}")
    assert f"{box}/oci-layout" in said
    assert 'version "2.0.0"' in said


def test_another_1_x_version(mount, box):
    (box / "oci-layout").write_text('{"imageLayoutVersion": "1.1.0"}')
    assert os.listdir(mount(f"oci:{box}").path) == ["1"]


def test_a_layout_without_its_prefix(binary, tmp_path, home, box):
    for what in (box, tmp_path):
        said = mount_fails(binary, tmp_path, home, str(what))
        assert f"oci:{what}" in said, said


def test_an_empty_directory(mount, tmp_path):
    """What can be done with it is said."""
    (tmp_path / "empty").mkdir()
    mounted = mount(f"oci:{tmp_path}/empty")
    assert "mkdir" in mounted.log()
    assert f"{tmp_path}/empty has no image layout yet" in mounted.log()


def test_a_full_disk_says_which(mount, tmp_path, small_disk):
    box = layout_of(small_disk / "box", v1=small(1))
    mounted = mount(f"oci:{box}")
    big = image_of([file("a", os.urandom(3 << 20))])
    mounted.expect_error(f"{box}/blobs/sha256/[0-9a-f]{{64}}: write: No")
    with fails_with(errno.ENOSPC):
        (mounted / "2.tar").write_bytes(oci_archive([("1", big)]))
    assert set(assert_valid(box)) == {"1"}


def test_messages_name_a_layout_once(mounted, box):
    blob_path(box, small(1).digest).unlink()
    mounted.expect_error(f": 1: oci:{box}: the layout does not have manifest")
    with fails_with(errno.EIO):
        os.listdir(mounted / "1")


@contextmanager
def written_over_and_over(path, text):
    over = threading.Event()

    def write():
        while not over.wait(0.02):
            path.write_bytes(text)
    path.write_bytes(text)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def test_a_lock_that_stays(mount, box):
    """As a stopped process holds it: that process is named, and nothing waits
    without end."""
    mounted = mount(f"oci:{box}", "delete", f"timeout={TIMEOUT}")
    mounted.expect_error(
        f"{box}/oci-layout is locked by process {os.getpid()}, .* {TIMEOUT} s")
    with locked(box):
        begun = time.monotonic()
        with fails_with(errno.EBUSY):
            (mounted / "2").symlink_to("1")
        assert TIMEOUT <= time.monotonic() - begun < 3 * TIMEOUT
    (mounted / "2").symlink_to("1")
    assert set(assert_valid(box)) == {"1", "2"}


def test_a_push_while_a_lock_stays(mount, box):
    mounted = mount(f"oci:{box}", "delete", f"timeout={TIMEOUT}")
    mounted.expect_error("is locked by process")
    with locked(box):
        begun = time.monotonic()
        with fails_with(errno.EBUSY):
            (mounted / "2.tar").write_bytes(archive(2))
        assert time.monotonic() - begun < 3 * TIMEOUT
    os.rename(mounted / ".2.failed", mounted / "2.tar")
    assert set(assert_valid(box)) == {"1", "2"}


def test_an_index_that_stays_broken(mount, box):
    """Written again and again, and never whole."""
    mounted = mount(f"oci:{box}", f"timeout={TIMEOUT}")
    mounted.expect_error(f"{box}/index.json cannot be read: .*; programs kept "
                         f"writing it for {TIMEOUT} seconds")
    whole = (box / "index.json").read_bytes()
    with written_over_and_over(box / "index.json", b"{"):
        begun = time.monotonic()
        with fails_with(errno.EIO):
            os.listdir(mounted.path)
        assert TIMEOUT <= time.monotonic() - begun < 3 * TIMEOUT
    (box / "index.json").write_bytes(whole)
    assert os.listdir(mounted.path) == ["1"]


def listing(path, **more):
    """As ls gives it, which cannot make the test itself wait without end."""
    return run("ls", path, timeout=20, **more).stdout.split()


def test_mounts_in_the_trees_of_each_other(mount, tmp_path):
    """Neither goes into the other, which would go into it."""
    trees = [tmp_path / name for name in "ab"]
    for tree in trees:
        layout_of(tree / "app", v1=small(1))
        (tree / "m").mkdir()
    mounts = [mount(f"oci:{tree}", mountpoint=other / "m")
              for tree, other in (trees, trees[::-1])]
    for mounted, tree in zip(mounts, trees):
        assert listing(mounted.path) == ["app"]
        assert listing(mounted / "app") == ["1"]
        assert run("ls", mounted / "m", check=False, timeout=20).returncode
        mounted.wait_for_log(
            f"{tree}/m is left out: a registryfs is mounted there")
        listing(mounted.path)
        assert mounted.log().count("is left out") == 1
        mounted.expect_error(f"a registryfs is mounted on {tree}/m")
        with fails_with(errno.EINVAL):
            (mounted / "m/x").mkdir(parents=True)
            (mounted / "m/x/1.tar").write_bytes(archive(1))


def test_another_file_system_in_a_tree(mount, tmp_path, small_disk):
    """It may well have layouts: what the user mounts there belongs there."""
    tree = small_disk.parent
    layout_of(tree / "app", v1=small(1))
    layout_of(small_disk / "team/web", v2=small(2))
    mounted = mount(f"oci:{tree}")
    assert listing(mounted.path) == ["app", "small"]
    assert listing(mounted / "small/team/web/2/rootfs") == ["n"]


def test_a_link_that_leads_through_a_mount(mount, tmp_path):
    """Of another tree: what is there is not asked for."""
    layout_of(tmp_path / "other/app", v1=small(1))
    other = mount(f"oci:{tmp_path}/other")
    layout_of(tmp_path / "tree/app", v2=small(2))
    layout_of(tmp_path / "elsewhere", v3=small(3))
    (tmp_path / "tree/linked").symlink_to(other / "app/1")
    (tmp_path / "tree/there").symlink_to("../elsewhere")
    (tmp_path / "tree/round").symlink_to("round")
    mounted = mount(f"oci:{tmp_path}/tree")
    assert listing(mounted.path) == ["app", "there"]
    assert listing(mounted / "there") == ["3"]


def test_directories_that_cannot_be_read(mount, other_user, binary):
    """They are there, and nobody is told that they are not."""
    place = other_user.new_directory()
    for name in ("app", "closed", "team/web"):
        layout_of(place / "tree" / name, v1=small(1))
    other_user.own(place / "tree")
    for name, mode in (("closed", 0), ("team", 0o311)):
        os.chown(place / "tree" / name, 0, 0)
        os.chmod(place / "tree" / name, mode)
    mounted = mount(f"oci:{place}/tree", directory=place / "mount",
                    user=other_user, program=other_user.copy_in(binary))
    assert other_user.run("ls", mounted.path).stdout.split() == [
        "app", "closed", "team"]
    for name in ("closed", "team"):
        mounted.expect_error(f"cannot open {place}/tree/{name}: Permission")
        done = other_user.run("ls", mounted / name, check=False)
        assert "Permission denied" in done.stderr
        assert mounted.log().count(
            f"warning: cannot open {place}/tree/{name}") == 1


def test_a_file_system_without_hard_links(mount, plain_disk):
    (plain_disk / "tree").mkdir()
    tree = plain_disk / "tree"
    mounted = mount(f"oci:{tree}", "delete")
    (mounted / "team/app").mkdir(parents=True)
    (mounted / "team/app/1.tar").write_bytes(archive(1))
    (mounted / "team/app/2").symlink_to("1")
    (mounted / "other").mkdir()
    (mounted / "other/3").symlink_to("../team/app/1")
    digest = small(1).digest
    assert assert_valid(tree / "team/app") == {"1": digest, "2": digest}
    assert assert_valid(tree / "other") == {"3": digest}
    assert skopeo("inspect", f"oci:{tree}/other:3").stdout


def test_a_tag_that_skopeo_drops(mount, box, client, proxy):
    """It writes index.json as it read it when it began."""
    mounted = mount(f"oci:{box}", "delete")
    small(2).push(client, "app", "1.0")
    hold = Hold(at=1)
    proxy.sends("/v2/app/blobs/", hold)
    with subprocess.Popen(
            ["skopeo", "--insecure-policy", "copy", "-q",
             "--src-tls-verify=false", f"docker://{proxy.address}/app:1.0",
             f"oci:{box}:skopeo"]) as copier:
        hold.wait_reached()
        (mounted / "mine.tar").write_bytes(archive(3))
        (mounted / "removed").symlink_to("1")
        (mounted / "removed").rmdir()
        hold.release()
        assert copier.wait(20) == 0
    wait_until(lambda: "skopeo" in os.listdir(mounted.path), "skopeo's tag")
    said = re.findall(r"warning: (.*)", mounted.log())
    (line,) = [line for line in said if "is gone" in line]
    assert line.startswith("mine is gone: another program wrote "
                           f"{box}/index.json without this tag")
    command = re.search("`(ln -s .*)`", line)[1]
    run("sh", "-c", command, cwd=mounted.path)
    assert assert_valid(box) == {
        "1": small(1).digest, "skopeo": small(2).digest,
        "mine": small(3).digest}
    assert mounted.log().count("is gone") == 1


def test_names_that_can_be_no_tags(mount, tmp_path):
    """They are not listed, and the log says where the images are."""
    box = layout_of(tmp_path / "tree/app", **{
        f"v{n}": small(n) for n in range(8)})
    for n in range(1, 7):
        rename(box, n, **{REF_NAME: f"no tag {n}"})
    mounted = mount(f"oci:{tmp_path}/tree")
    assert listing(mounted / "app") == ["0", "7"]
    (line,) = [line for line in mounted.log().splitlines()
               if "can be no tags" in line]
    assert f"{box}/index.json" in line and "and others" in line
    path = re.search('"no tag 2" is ([^,]*),', line)[1]
    assert (mounted / path / "rootfs/n").read_text() == "2"
    rename(box, 0, **{REF_NAME: "0"})
    rename(box, 7, **{REF_NAME: "8"})
    wait_until(lambda: listing(mounted / "app") == ["0", "8"], "the change")
    assert mounted.log().count("can be no tags") == 1
