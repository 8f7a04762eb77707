# SPDX-License-Identifier: Apache-2.0
"""A logout logs a mount out, and another login is that of somebody else: for
all that the mount has done before as well."""

import base64
import errno
import json
import os
import time
from contextlib import ExitStack

import pytest

from registry.process import wait_until
from registry.server import PASSWORD, PASSWORD_HASH, USER
from registry.tokens import TokenServer
from support.archives import docker_archive
from support.home import auth_document
from support.images import oci_image
from support.system import fails_with, run

OTHER = "bob"
IMAGE = oci_image()
ARCHIVE = docker_archive([("app:1.0", IMAGE)])


class Basic:
    """docker-registry with htpasswd, and two users who have one password."""

    def __init__(self, make_registry, *_):
        self.registry = make_registry(auth="htpasswd")
        with open(self.registry.directory / "htpasswd", "a") as file:
            file.write(f"{OTHER}:{PASSWORD_HASH}\n")

    def client(self):
        return self.registry.client(user=USER, password=PASSWORD)


class Tokens:
    """docker-registry with a token server, which knows the two."""

    def __init__(self, make_registry, directory, running):
        self.server = running.enter_context(TokenServer(
            directory / "tokens", {USER: PASSWORD, OTHER: PASSWORD}))
        self.registry = make_registry(auth=self.server)

    def client(self):
        scopes = [f"repository:{name}:pull,push"
                  for name in ("app", "other", "more")]
        return self.registry.client(token=self.server.token(USER, *scopes))


def users(seen):
    """Whose names the requests carry, but for those to be told who to ask."""
    return {user_of(r) for r in seen if not r.path.endswith("/v2/")}


def user_of(request):
    kind, value = request.headers.get("authorization", " ").split(" ")
    if kind == "Basic":
        return base64.b64decode(value).decode().split(":")[0]
    if kind == "Bearer":
        payload = value.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"]
    return None


@pytest.fixture(params=[Basic, Tokens])
def world(request, make_registry, tmp_path):
    with ExitStack() as running:
        yield request.param(make_registry, tmp_path, running)


@pytest.fixture
def proxy(world, proxy_of):
    return proxy_of(world.registry)


class Tool:
    """Logs in and out of the registry, as users do."""

    def __init__(self, home, proxy, authfile=None):
        self.home, self.proxy, self.authfile = home, proxy, authfile

    def run(self, *command):
        run(*command, env=self.home.environment())


class Skopeo(Tool):
    program = "skopeo"

    def login(self, user):
        self.run(self.program, "login", "--tls-verify=false", "--authfile",
                 self.authfile, "-u", user, "-p", PASSWORD,
                 self.proxy.address)

    def logout(self):
        self.run(self.program, "logout", "--authfile", self.authfile,
                 self.proxy.address)


class Podman(Skopeo):
    program = "podman"


class Docker(Tool):
    """Its login needs an engine, its logout does not."""

    def login(self, user):
        self.home.docker_config(auth_document(self.proxy.address, user,
                                              PASSWORD))

    def logout(self):
        self.run("docker", "logout", self.proxy.address)


class Rewritten(Docker):
    """In place, as an editor does."""

    def logout(self):
        self.home.docker_config({"auths": {}})


class Removed(Docker):
    def logout(self):
        (self.home.path / ".docker/config.json").unlink()


class DockerHelper(Docker):
    """The file names a helper and stays as it is."""

    def login(self, user):
        self.home.docker_config({"credHelpers": {self.proxy.address: "st"}})
        stored = {"ServerURL": self.proxy.address, "Username": user,
                  "Secret": PASSWORD}
        run(self.home.bin / "docker-credential-st", "store", stdin=None,
            input=json.dumps(stored))


class PodmanHelper(Podman):
    def login(self, user):
        self.authfile.write_text(json.dumps(
            {"credHelpers": {self.proxy.address: "st"}}))
        super().login(user)

    def logout(self):
        run(self.home.bin / "docker-credential-st", "erase", stdin=None,
            input=self.proxy.address)


HELPED = (DockerHelper, PodmanHelper)


@pytest.fixture(params=[Skopeo, Podman, Docker, Rewritten, Removed, *HELPED])
def tool(request, home, proxy):
    authfile = home.path / "auth.json"
    authfile.write_text('{"auths": {}}')
    home.credential_store("st")
    return request.param(home, proxy, authfile)


@pytest.fixture
def root(mount, proxy, tool, world):
    options = (f"authfile={tool.authfile}",) if isinstance(tool, Skopeo) else ()
    tool.login(USER)
    root = mount(proxy, "tag_ttl=0", *options)
    (root / "app:1.0.tar").write_bytes(ARCHIVE)
    (root / "other:1.0.tar").write_bytes(ARCHIVE)
    assert sorted(world.client().tags("app")) == ["1.0"]
    return root


def change(root, name, tag):
    """A push to what was pushed to, one to what was not, and another name."""
    if tag == "ln":
        os.symlink("1.0", root / name / tag)
    else:
        (root / f"{name}:{tag}.tar").write_bytes(ARCHIVE)


CHANGES = [("app", "2.0"), ("other", "2.0"), ("more", "2.0"), ("app", "ln")]


def test_after_a_logout(root, tool, world, proxy):
    root.expect_error("log in|authentication required")
    tool.logout()
    for name, tag in CHANGES:
        with fails_with(errno.EACCES):
            change(root, name, tag)
    with fails_with(errno.EACCES):
        os.listdir(root / "app")
    client = world.client()
    assert client.tags("app") == client.tags("other") == ["1.0"]
    assert client.tags("more") == []


def test_somebody_else_logs_in(root, tool, world, proxy):
    tool.logout()
    tool.login(OTHER)
    with proxy.requests() as seen:
        for name, tag in CHANGES:
            change(root, name, tag)
    # A helper is not asked for each request, but for each change of a tag.
    if isinstance(tool, HELPED):
        seen = seen.matching("PUT", "/manifests/")
    assert users(seen) == {OTHER}
    assert sorted(world.client().tags("app")) == ["1.0", "2.0", "ln"]


def test_a_login_is_seen_by_who_had_none(mount, home, proxy, world):
    """Also where the registry has let nobody in particular do something."""
    if isinstance(world, Tokens):
        world.server.grant = lambda user, kind, name, actions: (
            actions if user else [a for a in actions if a == "pull"])
    IMAGE.push(world.client(), "app", "1.0")
    root = mount(proxy, "tag_ttl=0")
    root.expect_error("log in|authentication required")
    if isinstance(world, Tokens):
        assert os.listdir(root / "app") == ["1.0"]
    with fails_with(errno.EACCES):
        change(root, "app", "2.0")
    home.docker_config(auth_document(proxy.address, USER, PASSWORD))
    with proxy.requests() as seen:
        change(root, "app", "2.0")
        assert sorted(os.listdir(root / "app")) == ["1.0", "2.0"]
    assert users(seen) == {USER}


@pytest.mark.parametrize("world", [Tokens], indirect=True)
@pytest.mark.parametrize("tool", [Docker], indirect=True)
def test_a_token_is_kept_where_nothing_changed(root, world):
    os.listdir(root / "app")
    with world.server.requests() as asked:
        for _ in range(3):
            os.listdir(root / "app")
            change(root, "app", "2.0")
    assert len(asked) == 0


# A helper, whose store no file of ours tells from what it was.

@pytest.fixture
def helped(mount, proxy, world, home):
    home.credential_store("st")
    tool = DockerHelper(home, proxy)
    tool.login(USER)
    root = mount(proxy, "tag_ttl=0")
    (root / "app:1.0.tar").write_bytes(ARCHIVE)
    return root, tool


def asked(home):
    return (home.path / "st.json.asked").read_text().split().count("get")


def test_a_read_after_a_logout_from_a_helper(helped, home):
    """Soon, and not with the next request."""
    root, tool = helped
    os.listdir(root / "app")
    tool.logout()
    root.expect_error("log in|authentication required")

    def refused():
        try:
            return os.listdir(root / "app") == []
        except PermissionError:
            return True
    wait_until(refused, "a listing that is refused")


def test_somebody_else_reads_with_a_helper(helped, proxy):
    root, tool = helped
    tool.logout()
    tool.login(OTHER)
    with proxy.requests() as seen:
        def other():
            os.listdir(root / "app")
            return OTHER in users(seen)
        wait_until(other, "a request of the other user")
    with proxy.requests() as seen:
        os.listdir(root / "app")
    assert users(seen) == {OTHER}


def test_a_helper_is_not_asked_for_each_request(helped, home):
    root, _ = helped
    before, start = asked(home), time.monotonic()
    for _ in range(200):
        os.listdir(root / "app")
    seconds = time.monotonic() - start
    assert asked(home) - before <= seconds + 1


def test_a_helper_that_fails_for_a_while(helped, home, world):
    """What it has said holds."""
    root, _ = helped
    helper = home.bin / "docker-credential-st"
    program = helper.read_text()
    helper.write_text("#!/bin/sh\nexit 2\n")
    change(root, "app", "2.0")
    helper.write_text(program)
    change(root, "app", "ln")
    assert sorted(world.client().tags("app")) == ["1.0", "2.0", "ln"]
