# SPDX-License-Identifier: Apache-2.0
"""README's recipes of hooks, as they are typed."""

import json
import os

import pytest

from registry.process import wait_until
from registry.proxy import Answer, Proxy
from support.daemon import discard_mount
from support.layers import image_of, layer
from support.readme import recipe
from support.system import run
from support.tars import file

OLD = image_of(layer([file("base", b"old\n")]))
NEW = image_of(layer([file("base", b"new\n")]))


@pytest.fixture
def typed(registry, client, binary, home, tmp_path):
    """The recipe, typed: where it ran, and who is called."""
    here = tmp_path / "user"
    (here / "src").mkdir(parents=True)
    (here / "registry").mkdir()
    (here / "bin").mkdir()
    (here / "bin/registryfs").symlink_to(binary)
    (here / "app.conf").write_text("conf\n")
    OLD.push(client, "debian", "12")
    OLD.push(client, "app", "0.1")
    environment = {"HOME": str(here),
                   "PATH": f"{here}/bin:{os.environ['PATH']}"}
    run("git", "init", "-q", here / "src")
    with Proxy() as called:
        called.serves("/moved", lambda *_: Answer(200), method="POST")
        text = (recipe("Build when the base image moves")
                .replace("localhost:5000", registry.address)
                .replace("localhost:8080", called.address)
                .replace("watch=60", "watch=1"))
        try:
            run("bash", "-euo", "pipefail", "-c", text, env=environment)
            yield here, called, environment
        finally:
            discard_mount(here / "registry")


def test_built_when_the_base_image_moves(typed, client):
    here, called, _ = typed

    def moves():
        """The first of these is before the watch has seen the tag."""
        moves.images.reverse()
        moves.images[0].push(client, "debian", "12")
        return os.path.exists(here / "registry/app/latest/rootfs/app.conf")
    moves.images = [OLD, NEW]
    wait_until(moves, "the build", poll=2)
    root = here / "registry/app/latest/rootfs"
    assert (root / "app.conf").read_text() == "conf\n"
    assert (root / "base").read_text() in ("old\n", "new\n")
    assert called.wait_for_request("POST", "/moved")
    events = (here / "registry/.registryfs/events").read_text().splitlines()
    assert any(json.loads(line)["event"] == "tag-moved" for line in events)


def test_built_on_a_commit(typed):
    here, _, environment = typed
    source = here / "src"
    (source / "hello").write_text("hello\n")
    git = ["git", "-C", source, "-c", "user.name=a", "-c", "user.email=a@b"]
    run(*git, "add", "hello", env=environment)
    run(*git, "commit", "-qm", "one", env=environment)
    commit = run(*git, "rev-parse", "--short", "HEAD",
                 env=environment).stdout.strip()
    path = here / "registry/app" / commit / "rootfs/hello"
    assert path.read_text() == "hello\n"
