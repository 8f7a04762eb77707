# SPDX-License-Identifier: Apache-2.0
"""What credential helpers say: asked for once, and again when it is refused."""

import json
import os

import pytest

from registry.server import PASSWORD, PASSWORD_HASH, USER
from registry.tokens import TokenServer
from support.images import oci_image
from support.system import run

REPOSITORIES = [f"app{n}" for n in range(8)]
# What cloud registries have for a user: a password of some hours.
NEXT = "shown by the next call"


class Basic:
    def __init__(self, make_registry, _):
        self.registry = make_registry(auth="htpasswd")
        self.client = self.registry.client(user=USER, password=PASSWORD)

    def expire(self):
        """The password ends, and another one is good."""
        (self.registry.directory / "htpasswd").write_text(
            f"bob:{PASSWORD_HASH}\n")
        return "bob", PASSWORD


class Tokens:
    def __init__(self, make_registry, server):
        self.server = server
        self.registry = make_registry(auth=server)
        scopes = [f"repository:{name}:pull,push" for name in REPOSITORIES]
        self.client = self.registry.client(token=server.token(USER, *scopes))

    def expire(self):
        self.server.users = {USER: NEXT}
        return USER, NEXT


@pytest.fixture(params=[Basic, Tokens])
def world(request, make_registry, tmp_path):
    with TokenServer(tmp_path / "tokens", {USER: PASSWORD}) as server:
        world = request.param(make_registry, server)
        for name in REPOSITORIES:
            oci_image().push(world.client, name, "1.0")
        yield world


@pytest.fixture
def store(home, world):
    """What the helper has, which no file of docker's or podman's tells."""
    home.docker_config({"credHelpers": {world.registry.address: "st"}})
    home.credential_store("st")

    def put(user, secret):
        run(home.bin / "docker-credential-st", "store", stdin=None,
            input=json.dumps({"ServerURL": world.registry.address,
                              "Username": user, "Secret": secret}))
    put(USER, PASSWORD)
    return put


def asked(home):
    return (home.path / "st.json.asked").read_text().split().count("get")


def test_many_scopes_ask_once(mount, world, store, home):
    root = mount(world.registry)
    before = asked(home)
    for name in REPOSITORIES:
        assert os.listdir(root / name) == ["1.0"]
    # It may have become due once: after a second.
    assert asked(home) - before <= 1


def test_what_is_refused_is_asked_for_again(mount, world, store, home):
    """A password that ends while the mount is there is no error."""
    root = mount(world.registry, "tag_ttl=0")
    assert os.listdir(root / "app0") == ["1.0"]
    store(*world.expire())
    for name in REPOSITORIES:
        assert os.listdir(root / name) == ["1.0"]
