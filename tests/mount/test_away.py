# SPDX-License-Identifier: Apache-2.0
"""A registry that is away for longer than tag_ttl: what is kept is read by
every path, and says how old it is."""

import errno
import os
import subprocess
import time
from calendar import timegm

import pytest

from registry.process import wait_until
from support.images import oci_image
from support.layers import image_of, layer
from support.system import fails_with, run
from support.tars import file
from support.waiting import promptly, silent

TTL = 1
TIMEOUT = 7  # longer than what is prompt
# And what a registry says to who asks too often.
GATEWAYS = [429, 500, 504]
LAYER = layer([file("f", b"content\n")])
IMAGE = image_of(LAYER)
OTHER = oci_image()


def stale(path):
    result = run("getfattr", "--absolute-names", "--only-values", "-n",
                 "user.oci.stale", path, check=False)
    return result.stdout


def read_all(root):
    """Every way to what is kept."""
    assert os.listdir(root.path) == ["app"]
    assert sorted(os.listdir(root / "app")) == ["1.0", "2.0"]
    for directory in ("app/1.0", "app:1.0", f"app/@{IMAGE.digest}",
                      f"app@{IMAGE.digest}"):
        here = root / directory
        assert (here / "manifest.json").read_bytes() == IMAGE.data
        assert (here / "config.json").read_bytes() == IMAGE.config.data
        assert (here / "layers/01.tar.gz").read_bytes() == LAYER.data
        assert (here / "rootfs/f").read_bytes() == b"content\n"
        assert os.stat(here / "image.tar").st_size > 0
    assert (root / "app/1.0.tar").read_bytes() == (
        root / "app:1.0.tar").read_bytes()


@pytest.fixture
def known(mount, proxy, client):
    """Mounted, and all of it seen but what 2.0 names."""
    IMAGE.push(client, "app", "1.0")
    OTHER.push(client, "app", "2.0")
    root = mount(proxy, f"tag_ttl={TTL}", f"timeout={TIMEOUT}")
    read_all(root)
    assert stale(root / "app/1.0") == stale(root / "app") == ""
    return root


def wait_until_stale(path):
    return wait_until(lambda: stale(path), "tag_ttl to pass")


@pytest.mark.parametrize("status", GATEWAYS)
def test_everything_that_is_kept_is_read(known, proxy, status):
    before = time.time()
    proxy.answers("/", status=status)
    seen = wait_until_stale(known / "app/1.0")
    assert before - 60 < timegm(time.strptime(
        seen, "%Y-%m-%dT%H:%M:%SZ")) <= time.time()
    for _ in range(2):
        read_all(known)
    for path in ("", "app", "app/1.0.tar", "app:1.0"):
        assert wait_until_stale(known / path)
    assert known.log().count("cannot be reached; its tags") == 1
    proxy.heal()
    wait_until(lambda: not stale(known / "app/1.0"), "the registry")
    read_all(known)
    known.wait_for_log("can be reached again")


def test_a_registry_that_is_gone(mount, make_registry):
    registry = make_registry()
    for image, tag in ((IMAGE, "1.0"), (OTHER, "2.0")):
        image.push(registry.client(), "app", tag)
    root = mount(registry, f"tag_ttl={TTL}")
    read_all(root)
    registry.stop()
    wait_until_stale(root / "app/1.0")
    read_all(root)
    registry.start()
    wait_until(lambda: not stale(root / "app/1.0"), "the registry")
    read_all(root)


def test_who_has_waited_once_waits_no_more(known, proxy):
    """Of a registry that says nothing."""
    hold = proxy.falls_silent("/")
    wait_until_stale(known / "app/1.0")
    start = time.monotonic()
    while time.monotonic() - start < TIMEOUT + TTL:
        assert promptly("cat", known / "app/1.0/rootfs/f") == "content\n"
        promptly("ls", known / "app")
    hold.release()


def test_what_was_never_seen_is_no_name_that_is_missing(known, proxy):
    known.expect_error("(app|nope).*503")
    proxy.answers("/", status=503)
    wait_until_stale(known / "app/1.0")
    for path in ("app/3.0", f"app/@sha256:{'0' * 64}", "app/2.0/config.json",
                 "nope", "nope/1.0"):
        with fails_with(errno.EIO):
            os.stat(known / path)
    # It is listed, so it is there.
    assert os.stat(known / "app/2.0")


def test_a_tag_that_moves_meanwhile(known, proxy, client):
    proxy.answers("/", status=502)
    wait_until_stale(known / "app/1.0")
    OTHER.push(client, "app", "1.0", "new")
    assert (known / "app/1.0/manifest.json").read_bytes() == IMAGE.data
    proxy.heal()
    wait_until(lambda: (known / "app/1.0/manifest.json").read_bytes() ==
               OTHER.data, "the tag")
    wait_until(lambda: "new" in os.listdir(known / "app"), "the list")


def test_a_refusal_is_an_answer(known, proxy):
    known.expect_error("app.*denied")
    proxy.refuses("/", status=403, code="DENIED", message="denied")
    with fails_with(errno.EACCES):
        wait_until(lambda: not (known / "app/1.0/manifest.json").read_bytes(),
                   "tag_ttl to pass")


def test_nothing_is_removed_by_an_old_list(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, f"tag_ttl={TTL}", "delete=recursive")
    root.expect_error("cannot be reached, so that its tags are not known")
    empty = b'{"name": "app", "tags": []}'
    proxy.answers("/app/tags/list", status=200, body=empty, times=1)
    assert os.listdir(root / "app") == []
    proxy.answers("/", status=503)
    wait_until(lambda: os.listdir(root / "app") == [] and stale(root / "app"),
               "tag_ttl to pass")
    assert run("rmdir", root / "app", check=False).returncode != 0
    proxy.heal()
    wait_until(lambda: os.listdir(root / "app") == ["1.0"], "the list")


def test_those_who_wait_together_are_told_together(mount, proxy, client):
    """Not one after the other, each after a time-out of its own."""
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, "timeout=3")
    root.expect_error("app.*(time|answer)")
    start = time.monotonic()
    with silent(proxy, "/tags/list", "ls", root / "app") as first:
        others = [subprocess.Popen(["ls", root / "app"],
                                   stderr=subprocess.DEVNULL)
                  for _ in range(8)]
        assert first.wait() != 0
        took = time.monotonic() - start
        assert all(other.wait() != 0 for other in others)
        assert time.monotonic() - start < 2 * took + 3
