# SPDX-License-Identifier: Apache-2.0
"""What a mount keeps of a login ends with it: tags and lists after tag_ttl,
identity tokens, and passwords that were changed at the registry."""

import errno
import os

import pytest

from registry.process import wait_until
from registry.server import PASSWORD, PASSWORD_HASH, USER
from registry.tokens import TokenServer
from support.archives import docker_archive
from support.home import auth_document
from support.images import oci_image
from support.system import fails_with, run

IMAGE = oci_image()
ARCHIVE = docker_archive([("app:1.0", IMAGE)])
NEW = "another password"


@pytest.fixture
def tokens(tmp_path):
    with TokenServer(tmp_path / "tokens",
                     {USER: PASSWORD, "bob": PASSWORD}) as server:
        server.refresh_tokens = {"of alice": USER, "of bob": "bob"}
        yield server


class Basic:
    def __init__(self, make_registry, _):
        self.registry = make_registry(auth="htpasswd")

    def document(self, user=USER, password=PASSWORD):
        return auth_document(self.registry.address, user, password)

    def client(self, *_):
        return self.registry.client(user=USER, password=PASSWORD)

    def rotate(self):
        """The registry has a new user in the place of the old one."""
        (self.registry.directory / "htpasswd").write_text(
            f"bob:{PASSWORD_HASH}\n")
        return self.document("bob")


class Tokens(Basic):
    def __init__(self, make_registry, tokens):
        self.tokens = tokens
        self.registry = make_registry(auth=tokens)

    def client(self, *names):
        return self.registry.client(token=self.tokens.token(
            USER, *(f"repository:{name}:pull,push" for name in names)))

    def rotate(self):
        self.tokens.users = {USER: NEW}
        return self.document(password=NEW)


class Identity(Tokens):
    """`docker login` has kept a token in the place of the password."""

    def document(self, user=USER, token=None):
        return {"auths": {self.registry.address: {
            "auth": "dTo=", "identitytoken": token or f"of {user}"}}}

    def rotate(self):
        self.tokens.refresh_tokens = {"new": USER}
        return self.document(token="new")


@pytest.fixture(params=[Basic, Tokens, Identity])
def world(request, make_registry, tokens, home):
    world = request.param(make_registry, tokens)
    IMAGE.push(world.client("app", "other"), "app", "1.0")
    IMAGE.push(world.client("app", "other"), "other", "1.0")
    home.docker_config(world.document())
    return world


def attempts(root, tag):
    """Something of each scope."""
    yield lambda: os.listdir(root / "app")
    yield lambda: os.stat(root / "other/1.0/manifest.json")
    yield lambda: (root / f"app:{tag}.tar").write_bytes(ARCHIVE)
    yield lambda: (root / f"new:{tag}.tar").write_bytes(ARCHIVE)
    yield lambda: os.symlink("1.0", root / f"other/{tag}")


def is_refused(attempt):
    try:
        attempt()
    except PermissionError:
        return True
    return False


def test_a_logout_ends_what_is_kept(mount, world, home):
    root = mount(world.registry, "tag_ttl=1")
    root.expect_error("log in|authentication required|was refused")
    for attempt in attempts(root, "2.0"):
        attempt()
    run("docker", "logout", world.registry.address, env=home.environment())
    for attempt in attempts(root, "3.0"):
        wait_until(lambda: is_refused(attempt), "a refusal", 3)
    assert "3.0" not in world.client("app").tags("app")


def test_a_changed_password_is_taken_up(mount, world, home):
    root = mount(world.registry, "tag_ttl=0")
    for attempt in attempts(root, "2.0"):
        attempt()
    home.docker_config(world.rotate())
    for attempt in attempts(root, "3.0"):
        attempt()


def test_what_was_withdrawn_is_said(mount, world, home):
    """At the registry alone. A token is good to its end."""
    root = mount(world.registry, "tag_ttl=0")
    world.rotate()
    root.expect_error("refused|wrong credentials")
    for attempt in attempts(root, "2.0"):
        assert is_refused(attempt)
    said = f"log in again with registryfs login {world.registry.address}"
    assert said in root.log()


@pytest.mark.parametrize("world", [Identity], indirect=True)
def test_somebody_else_has_an_identity_token(mount, world, home, tokens):
    root = mount(world.registry, "tag_ttl=0")
    for attempt in attempts(root, "2.0"):
        attempt()
    home.docker_config(world.document("bob"))
    asked_by = []
    tokens.grant = lambda user, kind, name, actions: (
        asked_by.append(user) or actions)
    for attempt in attempts(root, "3.0"):
        attempt()
    assert set(asked_by) == {"bob"}
