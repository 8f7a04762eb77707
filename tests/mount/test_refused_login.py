# SPDX-License-Identifier: Apache-2.0
"""Stored credentials that the registry refuses: who mounts is told so before
the command returns, and the mount stands all the same."""

import errno
import os

import pytest

from registry.server import PASSWORD, USER
from registry.tokens import TokenServer
from support.daemon import discard_mount
from support.home import auth_document
from support.images import oci_image
from support.system import fails_with, run

WRONG = "not the password"


@pytest.fixture
def token_server(tmp_path):
    with TokenServer(tmp_path / "tokens", {USER: PASSWORD}) as server:
        yield server


@pytest.fixture(params=["basic", "tokens"])
def kind(request):
    return request.param


@pytest.fixture
def registry(kind, make_registry, token_server):
    return make_registry(auth="htpasswd" if kind == "basic" else token_server)


@pytest.fixture
def in_background(binary, home, proxy, tmp_path):
    """Mounts as a user does: what the command says, and the mount point."""
    mountpoint = tmp_path / "mnt"
    mountpoint.mkdir()

    def start(address=proxy.address, *options):
        cache = ["-o", f"cache={tmp_path}/cache", *options]
        result = run(binary, *cache, address, mountpoint,
                     env=home.environment(), check=False)
        assert result.returncode == 0
        assert result.stdout == ""
        return result.stderr, mountpoint
    yield start
    run("fusermount3", "-u", mountpoint, check=False)
    discard_mount(mountpoint)


def log_of(mountpoint):
    return (mountpoint / ".registryfs/log").read_text()


def assert_warned(said, mountpoint, host, user=USER):
    [line] = said.splitlines()
    assert line.startswith(f"registryfs: warning: {host} refuses")
    assert f"credentials of {user}" in line
    assert f"registryfs login {host}" in line
    assert line.split("warning: ")[1] in log_of(mountpoint)
    assert WRONG not in line + log_of(mountpoint)


def test_a_wrong_password(in_background, home, proxy):
    home.docker_config(auth_document(proxy.address, USER, WRONG))
    with proxy.requests() as seen:
        said, mountpoint = in_background()
    assert_warned(said, mountpoint, proxy.address)
    assert len(seen.matching(path="/v2/")) <= 2  # with the one that asks how
    with fails_with(errno.EACCES):
        os.listdir(mountpoint)
    # And a login is seen.
    home.docker_config(auth_document(proxy.address, USER, PASSWORD))
    assert os.listdir(mountpoint) == []


def test_a_right_password(in_background, home, proxy, token_server, kind):
    home.docker_config(auth_document(proxy.address, USER, PASSWORD))
    with proxy.requests() as seen, token_server.requests() as tokens:
        said, mountpoint = in_background()
    assert said == ""
    assert "refuses" not in log_of(mountpoint)
    # One that asks how, and one that shows the password or a token for it.
    assert [(r.method, r.path, r.status) for r in seen] == [
        ("GET", "/v2/", 401), ("GET", "/v2/", 200)]
    assert len(tokens) == (kind == "tokens")


def test_no_credentials(in_background, home, proxy, token_server):
    home.docker_config(auth_document("localhost:1", USER, WRONG))
    with proxy.requests() as seen, token_server.requests() as tokens:
        said, mountpoint = in_background()
    assert said == ""
    assert [(r.method, r.path) for r in seen] == [("GET", "/v2/")]
    assert len(tokens) == 0
    assert "refuses" not in log_of(mountpoint)


@pytest.mark.parametrize("kind", ["tokens"], indirect=True)
def test_what_is_public_can_be_read(in_background, home, proxy, registry,
                                    token_server):
    token_server.grant = lambda user, kind, name, actions: (
        actions if user else [a for a in actions if a == "pull"])
    oci_image().push(registry.client(token=token_server.token(
        USER, "repository:app:pull,push")), "app", "1.0")
    home.docker_config(auth_document(proxy.address, USER, WRONG))
    said, mountpoint = in_background()
    assert_warned(said, mountpoint, proxy.address)
    (home.path / ".docker/config.json").unlink()
    assert (mountpoint / "app/1.0/manifest.json").read_bytes()


@pytest.mark.parametrize("kind", ["tokens"], indirect=True)
def test_an_identity_token_that_has_been_withdrawn(in_background, home, proxy):
    home.docker_config({"auths": {proxy.address: {
        "auth": "MDAwOg==", "identitytoken": "old"}}})
    said, mountpoint = in_background()
    [line] = said.splitlines()
    assert f"{proxy.address} refuses the stored credentials: log in" in line


def test_credentials_of_the_namespace_that_is_mounted(in_background, home,
                                                      proxy):
    home.containers_auth(auth_document(f"{proxy.address}/team", USER, WRONG))
    said, mountpoint = in_background(f"{proxy.address}/team")
    assert_warned(said, mountpoint, proxy.address)


def test_a_namespace_that_is_not_mounted(in_background, home, proxy):
    home.containers_auth(auth_document(f"{proxy.address}/team", USER, WRONG))
    assert in_background()[0] == ""


def test_a_file_that_is_broken(in_background, home):
    path = home.docker_config({})
    path.write_text("{ no JSON")
    said, mountpoint = in_background()
    [line] = said.splitlines()
    assert line.startswith("registryfs: warning: ")
    assert str(path) in line
    assert str(path) in log_of(mountpoint)


@pytest.mark.parametrize("kind", ["tokens"], indirect=True)
def test_a_token_server_that_is_down(in_background, home, proxy, token_server):
    """That says nothing of the password. It is asked once."""
    home.docker_config(auth_document(proxy.address, USER, PASSWORD))
    token_server.answers(status=503)
    with token_server.requests() as tokens:
        said, mountpoint = in_background()
    assert said == ""
    assert len(tokens) == 1


def test_a_registry_that_asks_for_none(binary, home, make_registry, proxy_of,
                                       mount):
    proxy = proxy_of(make_registry())
    home.docker_config(auth_document(proxy.address, USER, WRONG))
    with proxy.requests() as seen:
        root = mount(proxy)
    assert len(seen) == 1
    assert root.log() == ""
