# SPDX-License-Identifier: Apache-2.0
"""Pushes that take long, that end too early, that cannot be: what the writer is
told, what is kept, and that nothing else waits."""

import contextlib
import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.faults import Hold, cut
from registry.process import wait_until
from support.archives import docker_archive, plain_layer
from support.images import oci_image
from support.system import run

IMAGE = oci_image(plain_layer({"data": random.Random(6).randbytes(600_000)}))
ARCHIVE = docker_archive([("app:1.0", IMAGE)])

# What is done at once takes less; what waits for something takes more.
AT_ONCE = 3


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "image.tar"
    path.write_bytes(ARCHIVE)
    return path


def reason(app):
    """Why the push failed whose bytes were kept."""
    assert os.listdir(app) == [".1.0.failed"]
    return os.getxattr(app / ".1.0.failed", "user.registryfs.error").decode()


def try_again(app, client):
    run("mv", app / ".1.0.failed", app / "1.0")
    assert os.listdir(app) == ["1.0"]
    assert client.tags("app") == ["1.0"]
    assert (app / "1.0/config.json").read_bytes() == IMAGE.config.data


@contextmanager
def at_once():
    start = time.monotonic()
    yield
    assert time.monotonic() - start < AT_ONCE


@contextmanager
def copying(archive, target):
    """cp in the background."""
    with subprocess.Popen(["cp", archive, target], text=True,
                          stderr=subprocess.PIPE) as writer:
        yield writer


# What the registry says, and what the writer is told.

@pytest.mark.parametrize("status, code, message, expected", [
    (400, "MANIFEST_INVALID", "the manifest is bad", errno.EINVAL),
    (401, "UNAUTHORIZED", "log in first", errno.EACCES),
    (403, "DENIED", "you may not", errno.EACCES),
    (403, "DENIED", "tag 1.0 is immutable", errno.EPERM),
    (403, "DENIED", "the quota of the project is used up", errno.EPERM),
    # A file that is open exists: ENOENT is no answer to write().
    (404, "NAME_UNKNOWN", "no such project", errno.EIO),
    (409, "TAG_EXISTS", "the tag cannot be overwritten", errno.EPERM),
    (413, "SIZE_INVALID", "the manifest is too large", errno.EFBIG),
    (500, "UNKNOWN", "something broke", errno.EIO),
    (503, "UNAVAILABLE", "come back later", errno.EIO),
    (507, "UNKNOWN", "the disk is full", errno.ENOSPC)])
@pytest.mark.parametrize("path", ["/manifests/", "/blobs/uploads/"])
def test_refusal(mounted, app, client, proxy, path, status, code, message,
                 expected):
    mounted.expect_error(message)
    proxy.refuses(path, method="PUT", status=status, code=code,
                  message=message)
    with pytest.raises(OSError) as failure:
        (app / "1.0.tar").write_bytes(ARCHIVE)
    assert failure.value.errno == expected
    assert message in reason(app)
    mounted.wait_for_log(rf"1\.0\.tar is kept .*: .*{message}")
    assert client.tags("app") == []
    proxy.heal()
    try_again(app, client)


def test_a_failure_in_the_middle_loses_nothing(mounted, app, client, proxy):
    """What comes through a pipe cannot be had again."""
    mounted.expect_error("not today")
    refusal = proxy.refuses("/blobs/uploads/", method="POST", status=403,
                            code="DENIED", message="not today")
    end = ARCHIVE.index(b"manifest.json")
    with pytest.raises(PermissionError), \
            open(app / "1.0.tar", "wb", buffering=0) as file:
        file.write(ARCHIVE[:end])
        wait_until(lambda: refusal.used, "the layer's refusal")
        for start in range(end, len(ARCHIVE), 100):
            file.write(ARCHIVE[start:start + 100])
            time.sleep(0.01)  # so that one of them finds out
    padded = (app / ".1.0.failed").read_bytes().ljust(len(ARCHIVE), b"\0")
    assert padded == ARCHIVE
    proxy.heal()
    try_again(app, client)


def test_trying_again_in_vain(mounted, app, client, proxy):
    mounted.expect_error("not today")
    refusal = proxy.refuses("/manifests/", method="PUT", status=403,
                            code="DENIED", message="not today")
    with pytest.raises(PermissionError):
        (app / "1.0.tar").write_bytes(ARCHIVE)
    for _ in range(2):
        with pytest.raises(PermissionError):
            os.rename(app / ".1.0.failed", app / "1.0")
        assert "not today" in reason(app)
    assert refusal.used == 3
    proxy.heal()
    try_again(app, client)


@pytest.mark.parametrize("path, method", [
    ("/manifests/", "PUT"), ("/blobs/uploads/", "POST"),
    ("/blobs/uploads/", "PUT")])
def test_a_rate_limit_is_waited_for(app, client, proxy, path, method):
    limit = proxy.answers(path, method=method, status=429,
                          headers={"Retry-After": "1"}, times=1)
    (app / "1.0.tar").write_bytes(ARCHIVE)
    assert limit.used == 1
    assert client.tags("app") == ["1.0"]


def test_an_upload_that_breaks_is_made_again(app, client, proxy):
    broken = proxy.receives("/blobs/uploads/", cut(after=10_000), method="PUT",
                            times=1)
    (app / "1.0.tar").write_bytes(ARCHIVE)
    assert broken.used == 1
    assert client.tags("app") == ["1.0"]


def test_an_upload_that_always_breaks(mounted, app, client, proxy):
    mounted.expect_error("pushing app:1.0")
    proxy.receives("/blobs/uploads/", cut(after=10_000), method="PUT")
    with pytest.raises(OSError):
        (app / "1.0.tar").write_bytes(ARCHIVE)
    assert reason(app)
    proxy.heal()
    try_again(app, client)


def test_the_registry_is_down(mount, registry, client):
    mounted = mount(registry, "timeout=2")
    mounted.expect_error("pushing app:1.0")
    app = mounted / "app"
    app.mkdir()
    with open(app / "1.0.tar", "wb", buffering=0) as file:
        registry.stop()
        with pytest.raises(OSError) as failure:
            file.write(ARCHIVE)
            os.fsync(file.fileno())
        with pytest.raises(OSError):
            os.fsync(file.fileno())
        os.ftruncate(file.fileno(), 0)
    assert failure.value.errno == errno.ECONNREFUSED
    registry.start()
    (app / "1.0.tar").write_bytes(ARCHIVE)
    assert client.tags("app") == ["1.0"]


# Whoever loses patience.

def interrupt(writer, hold, signum):
    """Signals cp while the registry does not answer."""
    hold.wait_reached()
    with at_once():
        writer.send_signal(signum)
        assert writer.wait(AT_ONCE) == -signum
    hold.release()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("path", ["/manifests/", "/blobs/uploads/"])
def test_interrupted(mounted, app, client, proxy, archive, path, signum):
    mounted.expect_error("interrupted")
    hold = proxy.falls_silent(path, method="PUT")
    with proxy.requests() as seen:
        with copying(archive, app / "1.0.tar") as writer:
            interrupt(writer, hold, signum)
        assert "interrupted" in reason(app)
    assert seen.count("PUT", path) == 1
    assert client.tags("app") == []
    proxy.heal()
    with proxy.requests() as seen:
        try_again(app, client)
    assert seen.count("PUT", "/manifests/") == 1


def test_interrupted_while_renaming(app, client, proxy):
    (app / ".new").write_bytes(ARCHIVE)
    hold = proxy.falls_silent("/manifests/", method="PUT")
    with subprocess.Popen(["mv", app / ".new", app / "1.0"]) as writer:
        interrupt(writer, hold, signal.SIGINT)
    assert sorted(os.listdir(app)) == [".1.0.failed", ".new"]
    assert (app / ".new").read_bytes() == ARCHIVE
    proxy.heal()
    try_again(app, client)


PERSISTENT_WRITER = """
import os, signal, sys
signal.signal(signal.SIGUSR1, lambda *_: None)
data = open(sys.argv[1], "rb").read()
os.write(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), data)
"""


def test_whoever_writes_again_after_a_signal(mounted, app, proxy, archive):
    """Python and Go do, as often as they are told EINTR."""
    mounted.expect_error("interrupted")
    hold = proxy.falls_silent("/manifests/", method="PUT", times=1)
    with subprocess.Popen(
            [sys.executable, "-c", PERSISTENT_WRITER, archive, app / "1.0.tar"],
            stderr=subprocess.PIPE, text=True) as writer:
        hold.wait_reached()
        writer.send_signal(signal.SIGUSR1)
        try:
            assert writer.wait(AT_ONCE) != 0
            assert "Input/output error" in writer.stderr.read()
        finally:
            writer.kill()
            hold.release()
    assert "interrupted" in reason(app)


def test_killed_in_the_middle(mounted, app, client, proxy, archive):
    mounted.expect_error("the archive is truncated")
    with proxy.requests() as seen:
        with subprocess.Popen(
                ["bash", "-c", 'exec cat "$1" - > "$2"', "bash",
                 "/dev/stdin", app / "1.0.tar"],
                stdin=subprocess.PIPE) as writer:
            writer.stdin.write(ARCHIVE[:100_000])
            writer.stdin.flush()
            wait_until(lambda: os.stat(app / "1.0.tar").st_size == 100_000,
                       "the writer")
            writer.kill()
        wait_until(lambda: os.listdir(app) == [".1.0.failed"], "its close")
    assert seen.count("PUT", "/manifests/") == 0
    assert client.tags("app") == []
    assert (app / ".1.0.failed").read_bytes() == ARCHIVE[:100_000]


# Nobody else waits.

@pytest.mark.parametrize("path", ["/manifests/", "/blobs/uploads/"])
def test_a_slow_push_holds_up_nobody(mounted, app, client, proxy, archive,
                                     path):
    hold = Hold(at=0)
    proxy.receives(f"/app/.*{path}|/app{path}", hold, method="PUT")
    with copying(archive, app / "1.0.tar") as writer:
        hold.wait_reached()
        with at_once():
            assert run("ls", "-l", app).stdout
            assert os.listdir(mounted.path) == ["app"]
            (mounted / "other").mkdir()
            (mounted / "other/1.0.tar").write_bytes(ARCHIVE)
            assert client.tags("other") == ["1.0"]
        assert writer.poll() is None
        hold.release()
        assert writer.wait(30) == 0
    assert os.listdir(app) == ["1.0"]


def test_a_slow_rename_holds_up_no_other_directory(mounted, app, proxy):
    hold = Hold(at=0)
    proxy.receives("/app/manifests/", hold, method="PUT")
    (app / ".new").write_bytes(ARCHIVE)
    (mounted / "other").mkdir()
    with subprocess.Popen(["mv", app / ".new", app / "1.0"]) as writer:
        hold.wait_reached()
        with at_once():
            assert sorted(os.listdir(mounted.path)) == ["app", "other"]
            (mounted / "other/1.0.tar").write_bytes(ARCHIVE)
        hold.release()
        assert writer.wait(30) == 0


@contextmanager
def looking_at(directory):
    """Somebody lists all of it again and again, and is gone after the block."""
    ended = threading.Event()

    def look():
        while not ended.is_set():
            # What is being pushed may change while it is listed.
            run("ls", "-lR", directory, check=False)

    with ThreadPoolExecutor(1) as looker:
        result = looker.submit(look)
        try:
            yield
        finally:
            ended.set()
        result.result()


def test_many_at_once(mounted, app, client, proxy):
    """While others look on all the time. Each blob is sent once:
    docker-registry refuses a manifest while a blob of it is linked again."""
    tags = sorted(f"{number}.0" for number in range(12))

    def push(tag):
        run("cp", archive_of(tag), app / f"{tag}.tar")
        return (app / tag / "config.json").read_bytes()

    def archive_of(tag):
        path = mounted.path.parent / tag
        path.write_bytes(ARCHIVE)
        return path

    with (proxy.requests() as seen, looking_at(app),
          ThreadPoolExecutor(6) as writers):
        configs = list(writers.map(push, tags))
    assert configs == [IMAGE.config.data] * len(tags)
    assert seen.count("PUT", "/blobs/uploads/") == len(IMAGE.blobs)
    assert client.tags("app") == tags


# The end of the mount.

def test_a_push_survives_the_signal_that_ends_the_mount(mounted, app, client,
                                                        proxy, archive):
    hold = Hold(at=0)
    proxy.receives("/manifests/", hold, method="PUT")
    with copying(archive, app / "1.0.tar") as writer:
        hold.wait_reached()
        mounted.signal(signal.SIGTERM)
        mounted.wait_for_log("ending on signal")
        hold.release()
        mounted.finish()
        # Its close has nobody to answer it, so it may say that it failed.
        writer.wait(30)
    assert client.tags("app") == ["1.0"]


def test_a_push_that_cannot_end_fails_with_the_mount(mount, proxy, client,
                                                     archive):
    mounted = mount(proxy, "timeout=2")
    mounted.expect_error("pushing app:1.0")
    (mounted / "app").mkdir()
    hold = proxy.falls_silent("/manifests/", method="PUT")
    with copying(archive, mounted / "app/1.0.tar") as writer:
        hold.wait_reached()
        mounted.signal(signal.SIGTERM)
        mounted.finish()
        assert writer.wait(30) != 0
    hold.release()
    assert client.tags("app") == []


def test_a_mount_that_is_pushed_to_is_busy(mounted, app, client, proxy,
                                           archive):
    hold = Hold(at=0)
    proxy.receives("/manifests/", hold, method="PUT")
    with copying(archive, app / "1.0.tar") as writer:
        hold.wait_reached()
        result = run("fusermount3", "-u", mounted.path, check=False)
        assert "busy" in result.stderr
        hold.release()
        assert writer.wait(30) == 0
    assert client.tags("app") == ["1.0"]


def test_a_crash_ends_the_writer(mounted, app, client, proxy, archive):
    hold = proxy.falls_silent("/manifests/", method="PUT")
    with copying(archive, app / "1.0.tar") as writer:
        hold.wait_reached()
        mounted.kill()
        assert writer.wait(30) != 0
    hold.release()
    assert client.tags("app") == []


# The local disk.

@pytest.fixture
def small_disk(tmp_path):
    """A cache directory with room for 2 MiB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", directory)
    yield directory
    run("umount", "-l", directory)


def spooled(mounted):
    """Bytes of files without a name that the daemon has on its disk, but for
    its events."""
    total = -os.stat(mounted / ".registryfs/events").st_size
    for descriptor in Path(f"/proc/{mounted.pid}/fd").iterdir():
        # The daemon goes on opening and closing while it is looked at.
        with contextlib.suppress(FileNotFoundError):
            if str(mounted.cache) in os.readlink(descriptor):
                total += os.stat(descriptor).st_size
    return total


def test_the_bytes_of_a_push_go_with_it(mounted, app):
    """The kernel does not forget the file that they were for a long time."""
    for name in ("1.0", "2.0.tar"):
        (app / name).write_bytes(ARCHIVE)
    (app / ".new").write_bytes(ARCHIVE)
    os.rename(app / ".new", app / "3.0")
    wait_until(lambda: spooled(mounted) == 0, "their end")


def test_the_bytes_of_a_scratch_file_go_with_it(mounted, app):
    (app / ".scratch").write_bytes(ARCHIVE)
    assert spooled(mounted) == len(ARCHIVE)
    with open(app / ".scratch", "rb") as file:
        os.unlink(app / ".scratch")
        assert file.read() == ARCHIVE
    wait_until(lambda: spooled(mounted) == 0, "their end")


def test_the_local_disk_is_full(mount, registry, client, tmp_path, small_disk):
    mounted = mount(registry, f"cache={small_disk}")
    mounted.expect_error("app/1.0.tar: the bytes cannot be kept in the cache: "
                         ".*No space left")
    app = mounted / "app"
    app.mkdir()
    large = tmp_path / "large.tar"
    large.write_bytes(docker_archive([("app:1.0", oci_image(plain_layer(
        {"data": random.Random(7).randbytes(4_000_000)})))]))
    result = run("cp", large, app / "1.0.tar", check=False)
    assert result.returncode != 0
    assert "No space left on device" in result.stderr
    assert "cannot be kept" in reason(app)
    assert client.tags("app") == []
    run("rm", "-f", *app.iterdir())
    (app / "1.0.tar").write_bytes(ARCHIVE)
    assert client.tags("app") == ["1.0"]
