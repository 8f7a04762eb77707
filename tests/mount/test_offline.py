# SPDX-License-Identifier: Apache-2.0
"""Without the registry, because nobody is to ask it or because it says
nothing."""

import errno
import os
import time

import pytest

from registry.process import wait_until
from support.images import oci_image
from support.layers import image_of, layer
from support.system import fails_with, run
from support.tars import file
from support.waiting import PROMPT

LAYER = layer([file("f", b"content\n")])
IMAGE = image_of(LAYER)
OTHER = oci_image()


def stale(path):
    return run("getfattr", "--absolute-names", "--only-values", "-n",
               "user.oci.stale", path, check=False).stdout


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
    assert (root / "app/1.0.tar").read_bytes()


@pytest.fixture
def remembered(mount, proxy, client, tmp_path):
    """Mounts again with the cache of a mount that has seen all but what 2.0
    names."""
    IMAGE.push(client, "app", "1.0")
    OTHER.push(client, "app", "2.0")
    cache = f"cache={tmp_path}/kept"
    first = mount(proxy, cache)
    read_all(first)
    first.unmount()
    return lambda *options: mount(proxy, cache, *options)


def test_what_was_seen_is_shown_and_nothing_is_asked(remembered, proxy):
    with proxy.requests() as seen:
        root = remembered("offline", "tag_ttl=0")
        for _ in range(2):
            read_all(root)
        assert "user.oci.digest" in os.listxattr(root / "app/1.0")
    assert len(seen) == 0


def test_what_was_not_seen_is_said_not_to_be_asked_for(remembered, proxy):
    with proxy.requests() as seen:
        root = remembered("offline")
        root.expect_error(f"app/2.0.*{proxy.address}.* is not asked, since the "
                          "mount is offline")
        root.allow_error("is offline")
        for name in ("app/2.0/config.json", "app/3.0", "nope", "nope/1.0",
                     f"app/@sha256:{'0' * 64}"):
            with fails_with(errno.ENETUNREACH):
                os.stat(root / name)
        # It is listed, so it is there.
        assert os.stat(root / "app/2.0")
    assert len(seen) == 0


def test_nothing_can_be_written(remembered, proxy):
    with proxy.requests() as seen:
        root = remembered("offline", "delete")
        root.expect_error("app/3.0.*offline")
        with fails_with(errno.EROFS):
            (root / "app/1.0.tar").write_bytes(b"")
        with fails_with(errno.ENETUNREACH):
            (root / "app/3.0.tar").write_bytes(b"")
        with fails_with(errno.EROFS):
            os.rmdir(root / "app/1.0")
    assert len(seen) == 0


def test_no_connection_is_made(remembered, registry, proxy, binary, home,
                               tmp_path):
    """Not even one that is given up, nor for a name."""
    trace = tmp_path / "trace"
    point = tmp_path / "point"
    point.mkdir()
    command = [binary, "-f", "-o", f"offline,cache={tmp_path}/kept",
               proxy.address, point]
    script = ('"$@" & until ls "$MNT/app" >/dev/null 2>&1; do :; done; '
              'cat "$MNT/app/1.0/rootfs/f"; ls "$MNT/none"; '
              'fusermount3 -u "$MNT"; wait')
    result = run("strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o",
                 trace, "bash", "-c", script, "bash", *command,
                 env=home.environment() | {
                     "MNT": str(point), "ASAN_OPTIONS": "detect_leaks=0"},
                 check=False)
    assert result.stdout == "content\n", result
    assert "AF_INET" not in trace.read_text()


def test_many_hosts(mount, proxy, client, tmp_path):
    IMAGE.push(client, "app", "1.0")
    cache = f"cache={tmp_path}/kept"
    first = mount([], cache)
    assert os.listdir(first / proxy.address / "app") == ["1.0"]
    first.unmount()
    with proxy.requests() as seen:
        root = mount([], cache, "offline")
        assert os.listdir(root / proxy.address / "app") == ["1.0"]
        with fails_with(errno.ENOENT):
            os.stat(root / "registry.invalid")
    assert len(seen) == 0


def test_a_registry_that_is_gone_is_shown_as_an_earlier_mount_saw_it(
        mount, make_registry, tmp_path):
    registry = make_registry()
    IMAGE.push(registry.client(), "app", "1.0")
    cache = f"cache={tmp_path}/kept"
    first = mount([], cache)
    assert os.listdir(first / registry.address / "app") == ["1.0"]
    assert (first / registry.address / "app/1.0/rootfs/f").read_text()
    first.unmount()
    registry.stop()
    second = mount([], cache)
    here = second / registry.address
    assert os.listdir(here / "app") == ["1.0"]
    assert (here / "app/1.0/rootfs/f").read_bytes() == b"content\n"
    assert second.log().count("cannot be reached; its tags") == 1


def test_a_tag_that_an_earlier_mount_saw_move(mount, proxy, client, tmp_path):
    """The latest of what was seen counts, and what is gone is gone."""
    cache = f"cache={tmp_path}/kept"
    for image in (IMAGE, OTHER):
        image.push(client, "app", "1.0")
        root = mount(proxy, cache)
        assert (root / "app/1.0/manifest.json").read_bytes() == image.data
        root.unmount()
    root = mount(proxy, cache, "offline")
    assert (root / "app/1.0/manifest.json").read_bytes() == OTHER.data


def test_no_stale(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, "tag_ttl=1", "no_stale")
    root.expect_error("app.*503")
    assert (root / "app/1.0/rootfs/f").read_bytes() == b"content\n"
    proxy.answers("/", status=503)

    def fails():
        try:
            os.stat(root / "app/1.0")
            os.listdir(root / "app")
        except OSError as error:
            assert error.errno == errno.EIO
            return True
        return False
    wait_until(fails, "tag_ttl to pass")
    with fails_with(errno.EIO):
        os.listdir(root / "app")
    # What a digest names is no tag.
    here = root / f"app/@{IMAGE.digest}"
    assert (here / "manifest.json").read_bytes() == IMAGE.data
    assert (here / "rootfs/f").read_bytes() == b"content\n"
    proxy.heal()
    assert (root / "app/1.0/rootfs/f").read_bytes() == b"content\n"
    assert "cannot be reached: " in root.log()
    assert "as they were last seen" not in root.log()


def test_a_silent_registry_costs_one_wait(mount, proxy, client):
    """However many names nothing is known of, and whoever asks."""
    timeout, tags = 2, [f"{number}.0" for number in range(20)]
    for tag in tags:
        OTHER.push(client, "app", tag)
    root = mount(proxy, f"timeout={timeout}")
    root.allow_error("app.*(answer|time)")
    assert sorted(os.listdir(root / "app")) == sorted(tags)
    hold = proxy.falls_silent("/")
    start = time.monotonic()
    for tag in tags:
        run("cat", root / f"app/{tag}/config.json", check=False)
    run("ls", "-l", root / "app", check=False)
    run("ls", root / "other", check=False)
    assert time.monotonic() - start < 3 * timeout + PROMPT
    hold.release()
