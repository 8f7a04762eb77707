# SPDX-License-Identifier: Apache-2.0
"""Image layouts beside what else there is on a disk: other tools, other mounts,
locks, names and file systems that a layout was not made for."""

import errno
import os
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from support.archives import oci_archive
from support.daemon import discard_mount
from support.layers import image_of
from support.layouts import assert_valid, blob_path, layout_of, locked
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
    disk = tmp_path / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk)
    yield disk
    run("umount", "--lazy", disk)


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
