# SPDX-License-Identifier: Apache-2.0
"""registryfs status: what the mounts of a user do now, for people."""

import json
import re
import signal
import subprocess

import pytest

from registry.process import wait_until
from support.daemon import discard_mount
from support.images import oci_image
from support.system import run
from support.tars import file, tar_bytes
from support.terminal import Terminal


@pytest.fixture
def status(binary):
    """Runs the command to its end."""
    def execute(*arguments, **options):
        return run(binary, "status", *arguments, check=False, **options)
    return execute


def test_what_one_mount_does(mount, registry, client, status):
    oci_image().push(client, "app", "1.0")
    root = mount(registry)
    (root / "app/1.0/manifest.json").read_bytes()
    result = status(root.path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    said = json.loads((root / ".registryfs/status.json").read_text())
    assert re.fullmatch(rf"{root.path}: {registry.address}, for \d+ s, "
                        rf"pid {root.pid}", lines[0])
    assert re.fullmatch(r"  cache    [\d.]+ k?B of 10.7 GB in "
                        rf"{said['cache']['directory']}", lines[1])
    assert re.fullmatch(r"  network  \d+ requests; .* received; .* sent",
                        lines[2])
    assert len(lines) == 3


def test_all_mounts_of_the_user(mount, registry, status):
    first, second = mount(registry), mount(registry, "ro")
    text = status().stdout
    assert f"{first.path}: {registry.address}, for" in text
    assert f"{second.path}: {registry.address}, read-only, for" in text


def test_a_mount_point_of_any_name(mount, registry, status, tmp_path):
    root = mount(registry, directory=tmp_path / "a b\\c\x1b[31m")
    assert str(root.path).replace("\x1b", r"\x1b") in status().stdout


def test_others_mounts_are_left_out(mount, registry, other_user, binary):
    root = mount(registry)
    program = other_user.copy_in(binary)
    text = other_user.run(program, "status").stdout
    assert str(root.path) not in text
    assert text == "nothing is mounted\n"


def test_pushes(mount, proxy, status, tmp_path):
    archive = tmp_path / "app.tar"
    archive.write_bytes(tar_bytes([file("a", b"x" * 1000)]))
    root = mount(proxy)
    hold = proxy.falls_silent(r"/blobs/uploads/", method="POST")
    (root / "app").mkdir()
    with subprocess.Popen(["cp", archive, root / "app/1.0.tar"]) as push:
        wait_until(lambda: "  push " in status(root.path).stdout, "a push")
        text = status(root.path).stdout
        assert re.search(rf"^  push     {re.escape(proxy.address)}/app:1\.0 "
                         r"(receiving|sending), 0 of \d layers; .* read, 0 B "
                         r"sent; \d+ s$", text, re.M), text
        proxy.heal()
        hold.release()
        assert push.wait() == 0
    assert "  pushes   1 done, 0 failed" in status(root.path).stdout


def test_what_a_registry_still_allows(mount, proxy, client, status):
    oci_image().push(client, "app", "1.0")
    proxy.says("/manifests/", {"RateLimit-Limit": "100;w=21600",
                               "RateLimit-Remaining": "76;w=21600"})
    root = mount(proxy)
    (root / "app/1.0/manifest.json").read_bytes()
    assert (f"  limit    {proxy.address}: 76 of 100 requests left in 6 h 0 min"
            in status(root.path).stdout)


def test_a_mount_whose_daemon_has_ended(mount, registry, status):
    root = mount(registry)
    root.kill()
    sentence = (f"{root.path}: the registryfs of this mount has ended: unmount "
                f"it with fusermount3 -u {root.path}")
    try:
        result = status(root.path)
        assert (result.returncode, result.stderr) == (
            1, f"registryfs: {sentence}\n")
        assert f"{sentence}\n" in status().stdout
    finally:
        discard_mount(root.path)


@pytest.mark.parametrize("arguments, sentence", [
    (["/nowhere"], "/nowhere/.registryfs/status.json"),
    (["/tmp", "/usr"], r"status takes one \[MOUNTPOINT\]"),
    (["--what"], "unknown option --what; see registryfs status --help")])
def test_what_is_wrong_is_said(status, arguments, sentence):
    result = status(*arguments)
    assert result.returncode == 1
    assert re.search(sentence, result.stderr)


def test_a_file_that_is_no_status(status, tmp_path):
    (tmp_path / ".registryfs").mkdir()
    (tmp_path / ".registryfs/status.json").write_text("no")
    result = status(tmp_path)
    assert result.returncode == 1
    assert "is not a status of registryfs" in result.stderr


def test_watched_on_a_terminal(mount, registry, binary, home):
    """Each second it is drawn over what was there, until Ctrl-C."""
    root = mount(registry)
    terminal = Terminal(home.environment(), binary, "status", "--watch",
                        root.path)
    terminal.expect("\033[H\033[J")
    terminal.expect("received, ")  # a rate: from the second time on
    assert terminal.shown.count("\033[H\033[J") >= 2
    terminal.type("\x03")
    assert terminal.finish() == -signal.SIGINT


def test_watched_where_there_is_no_terminal(mount, registry, binary):
    root = mount(registry)
    with subprocess.Popen([binary, "status", "--watch", root.path],
                          stdout=subprocess.PIPE, text=True) as watching:
        lines = [watching.stdout.readline() for _ in range(5)]
        watching.terminate()
    assert "\033" not in "".join(lines)
    assert lines[3] == "\n"
    assert lines[4].startswith(f"{root.path}: ")
