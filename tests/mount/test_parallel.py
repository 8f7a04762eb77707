# SPDX-License-Identifier: Apache-2.0
"""A name that waits for the registry holds up no other in its directory."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.process import wait_until
from support.images import oci_image
from support.waiting import PROMPT, end, promptly, silent

TAGS = 24
THREADS = 24
CROWD = 150


def threads(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@pytest.fixture
def root(mount, proxy, client):
    """With two tags of which the mount knows one, believed for long."""
    oci_image().push(client, "app", "1.0", "2.0")
    root = mount(proxy, "timeout=20", "tag_ttl=600")
    assert sorted(os.listdir(root / "app")) == ["1.0", "2.0"]
    os.listdir(root / "app/1.0")
    return root


def test_a_lookup_in_the_mount_point(root, proxy):
    with silent(proxy, "/v2/nope/", "stat", root / "nope:1.0") as lookup:
        assert promptly("ls", root.path) == "app\n"
        assert "uptime" in promptly("cat", root / ".registryfs/status.json")
        assert promptly("ls", root / "app/2.0")
        assert promptly("stat", root / "app:1.0.tar")
        assert end(lookup) == -signal.SIGKILL


@pytest.mark.parametrize("command", [
    ["stat"], ["getfattr", "-d"], ["cp", "/dev/null"]],
    ids=lambda command: command[0])
def test_what_looks_for_a_tag(root, proxy, command):
    wanted = root / "app/3.0"
    with silent(proxy, "/manifests/3.0", *command, wanted) as lookup:
        assert promptly("ls", root / "app") == "1.0\n2.0\n"
        assert promptly("ls", root / "app/2.0")
        assert promptly("stat", root / "app/2.0.tar")
        assert end(lookup) == -signal.SIGKILL


@pytest.mark.parametrize("command", [
    "exec mkdir {}", "exec ln -s 1.0 {}", "echo >{}"])
def test_what_is_about_to_change_a_directory(root, proxy, command):
    """The kernel gives it the directory alone; but what it knows of that it
    asks for all the same, and other directories are nobody's."""
    wanted = root / "app/3.0"
    with silent(proxy, "/manifests/3.0",
                "sh", "-c", command.format(wanted)) as change:
        assert promptly("cat", root / "app/1.0/manifest.json")
        assert promptly("ls", root.path) == "app\n"
        assert promptly("stat", root / "app:2.0.tar")
        assert end(change) == -signal.SIGKILL


def test_a_look_into_an_image(root, proxy):
    layer = root / "app/1.0/layers/01.tar.gz"
    # The kernel goes on reading ahead for one who is gone.
    root.allow_error("app/blobs")
    with silent(proxy, "/blobs/", "cat", layer) as reader:
        assert promptly("ls", root / "app/1.0/layers")
        assert promptly("cat", root / "app/1.0/manifest.json")
        assert promptly("stat", root / "app/2.0/layers/01.tar.gz")
        assert end(reader) == -signal.SIGKILL


def test_who_waits_for_the_same_name(root, proxy, client):
    """The kernel lets one of them ask; each gets the answer."""
    oci_image().push(client, "app", "3.0")
    with ThreadPoolExecutor(THREADS) as pool:
        with proxy.requests() as seen:
            inodes = set(pool.map(
                lambda _: os.stat(root / "app/3.0").st_ino, range(THREADS)))
    assert len(inodes) == 1
    assert seen.count("HEAD", "/manifests/3.0") >= 1


def test_many_names_at_once(root, client):
    """Looked up, listed, made and removed in one directory by many threads."""
    image = oci_image()
    image.push(client, "new", *(f"t{number}" for number in range(TAGS)))
    names = [f"t{number % TAGS}" for number in range(4 * TAGS)]

    def work(numbered):
        number, name = numbered
        scratch = root / "new" / f".scratch-{number}"
        if number % 4 == 0:
            scratch.mkdir()
            (scratch / "file").write_text("x")
        elif number % 4 == 1:
            scratch.write_text("x")
            scratch.unlink()
        elif number % 4 == 2:
            assert set(os.listdir(root / "new")) >= set(names)
        assert (root / "new" / name / "manifest.json").read_bytes() == (
            image.data)
        return os.stat(root / "new" / name / "manifest.json").st_ino
    with ThreadPoolExecutor(THREADS) as pool:
        inodes = set(pool.map(work, enumerate(names)))
    assert len(inodes) == 1


def test_more_than_hundred_that_wait(root, proxy):
    """Each takes a thread, and somebody has to hear of an interrupt."""
    hold = proxy.falls_silent("/v2/nope")
    children = [subprocess.Popen(["stat", root / f"nope:{number}"],
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
                for number in range(CROWD)]
    try:
        hold.wait_reached()
        wait_until(lambda: threads(root.pid) > CROWD, "a thread for each")
        assert promptly("ls", root.path) == "app\n"
        for child in children:
            child.kill()
        start = time.monotonic()
        for child in children:
            child.wait()
        assert time.monotonic() - start < PROMPT
    finally:
        for child in children:
            child.kill()
        hold.release()
