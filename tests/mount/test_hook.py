# SPDX-License-Identifier: Apache-2.0
"""A command for each event."""

import itertools
import json
import os
import time

import pytest

from registry.process import wait_until
from registry.proxy import Answer
from support.archives import docker_archive, plain_layer
from support.control import events
from support.images import oci_image
from support.system import run

ARCHIVE = docker_archive([("app:1.0", oci_image(plain_layer({"a": b"b"})))])


@pytest.fixture
def hooked(mount, registry, tmp_path):
    """Mounts with a hook, a script of that text."""
    def start(script):
        path = tmp_path / "hook.sh"
        path.write_text(script)
        root = mount(registry, f"hook=OUT={tmp_path} sh {path}")
        (root / "app").mkdir()
        return root
    return start


def test_it_gets_each_event_in_order(hooked, tmp_path):
    root = hooked('cat >>$OUT/lines; env >>$OUT/env; '
                  'echo "$REGISTRYFS_EVENT" >>$OUT/names\n')
    for tag in ("1.0", "2.0"):
        (root / f"app/{tag}.tar").write_bytes(ARCHIVE)
    out = tmp_path / "names"
    wait_until(lambda: out.exists() and len(out.read_text().split()) == 6,
               "six events")
    lines = (tmp_path / "lines").read_text().splitlines()
    assert [json.loads(line) for line in lines] == events(root)
    assert out.read_text().split() == [
        event["event"] for event in events(root)]
    env = (tmp_path / "env").read_text()
    digest = events(root)[-1]["digest"]
    for field in ("EVENT=push-done", "REPOSITORY=app", "TAG=2.0",
                  f"DIGEST={digest}", "BY=this mount",
                  f"MOUNTPOINT={root.path}"):
        assert f"REGISTRYFS_{field}\n" in env


def test_what_it_prints_and_that_it_fails_is_logged(hooked):
    root = hooked('echo "it says $REGISTRYFS_TAG"; echo too >&2; exit 3\n')
    (root / "app/1.0.tar").write_bytes(ARCHIVE)
    for text in ("hook: it says 1.0", "hook: too",
                 "hook: REGISTRYFS_EVENT=push-done: .*failed with status 3"):
        root.wait_for_log(text)


def test_one_at_a_time(hooked, tmp_path):
    root = hooked('mkdir $OUT/lock || echo both >>$OUT/both; sleep 0.1; '
                  'rmdir $OUT/lock; echo >>$OUT/done\n')
    (root / "app/1.0.tar").write_bytes(ARCHIVE)
    done = tmp_path / "done"
    wait_until(lambda: done.exists() and len(done.read_text()) == 3,
               "three events")
    assert not (tmp_path / "both").exists()


def test_it_ends_with_the_mount(hooked, tmp_path):
    """With all that it has started."""
    root = hooked('sleep 1000 & echo $$ $! >$OUT/pids; wait\n')
    (root / "app/1.0.tar").write_bytes(ARCHIVE)
    pids = tmp_path / "pids"
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2,
               "the hook")
    start = time.monotonic()
    root.unmount()
    assert time.monotonic() - start < 10
    for pid in pids.read_text().split():
        wait_until(lambda: not os.path.exists(f"/proc/{pid}") or
                   "zombie" in open(f"/proc/{pid}/status").read(), "its end")


def test_it_may_use_the_mount(mount, registry, tmp_path):
    """Which does not wait for it."""
    script = tmp_path / "hook.sh"
    script.write_text('[ "$REGISTRYFS_EVENT $REGISTRYFS_TAG" = "push-done 1.0" '
                      '] || exit 0\n'
                      'ln -s 1.0 "$REGISTRYFS_MOUNTPOINT/app/stable"\n')
    root = mount(registry, f"hook=sh {script}")
    (root / "app").mkdir()
    (root / "app/1.0.tar").write_bytes(ARCHIVE)
    wait_until(lambda: "stable" in os.listdir(root / "app"), "the hook")
    assert run("cat", root / "app/stable/manifest.json").stdout


def test_more_than_can_wait(mount, proxy, client, tmp_path):
    oci_image().push(client, "app", "1.0")
    many = [f"tag-{number}" for number in range(1500)]
    lists = itertools.cycle(([], many))
    proxy.serves("/tags/list", lambda *_: Answer(
        200, {}, json.dumps({"tags": next(lists)}).encode()))
    go = tmp_path / "go"
    root = mount(proxy, "tag_ttl=0", f"hook=until [ -e {go} ]; do sleep 0.1; "
                 f"done; echo >>{tmp_path}/done")
    wait_until(lambda: not os.listdir(root / "app") or events(root), "a list")
    wait_until(lambda: os.listdir(root / "app") and events(root), "a list")
    go.touch()
    root.wait_for_log(r"hook: \d+ events were dropped, since 1000 waited")
