# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens: the registry itself checks each that the client shows."""

import base64
import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.process import wait_until
from registry.server import PASSWORD, USER
from registry.tokens import TokenServer
from support.home import auth_document
from support.images import oci_image
from support.system import run


@pytest.fixture
def token_server(tmp_path):
    with TokenServer(tmp_path / "tokens", {USER: PASSWORD}) as running:
        yield running


@pytest.fixture
def registry(make_registry, token_server):
    return make_registry(auth=token_server)


@pytest.fixture
def image(registry, token_server):
    return push(registry, token_server, "app", "1.0")


def push(registry, token_server, repository, tag):
    token = token_server.token(USER, f"repository:{repository}:pull,push")
    return oci_image().push(registry.client(token=token), repository, tag)


def scope_of(repository):
    """Finds the requests of a token for it."""
    return f"repository(:|%3A){repository}(:|%3A)"


@pytest.fixture
def login(home, registry):
    home.docker_config(auth_document(registry.address, USER, PASSWORD))


def test_browse_and_read(mount, registry, login, image):
    root = mount(registry)
    assert os.listdir(root.path) == ["app"]
    assert os.listdir(root / "app") == ["1.0"]
    directory = root / "app/1.0"
    assert (directory / "manifest.json").read_bytes() == image.data
    layer = directory / "layers/01.tar.gz"
    assert layer.read_bytes() == image.layers[0].data


def test_one_token_for_one_scope(mount, registry, token_server, login, image):
    push(registry, token_server, "other", "1.0")
    root = mount(registry, "tag_ttl=0")
    os.listdir(root / "app")
    with token_server.requests() as seen:
        for _ in range(3):
            os.listdir(root / "app")
            os.listdir(root / "app/1.0")
        (root / "app/1.0/layers/01.tar.gz").read_bytes()
    assert len(seen) == 0, seen
    with token_server.requests() as seen:
        os.listdir(root / "other")
    assert seen.count(path=scope_of("other")) == 1


def test_many_readers_share_one_token(mount, registry, token_server, login,
                                      image):
    root = mount(registry)
    # As a file manager asks that draws thumbnails.
    with token_server.requests() as seen, ThreadPoolExecutor(50) as readers:
        found = readers.map(os.path.exists,
                            [root / f"app/:absent{n}" for n in range(50)])
        assert not any(found)
    assert seen.count(path=scope_of("app")) == 1


def test_an_expired_token_is_renewed(mount, registry, token_server, login,
                                     image):
    """The client was told five minutes, the registry takes it for one second:
    a 401 in the middle of things."""
    token_server.lifetime = 1
    root = mount(registry, "tag_ttl=0")
    assert os.listdir(root / "app") == ["1.0"]
    witness = registry.client(
        token=token_server.token(USER, "repository:app:pull"))
    wait_until(lambda: not witness.has_manifest("app", "1.0"),
               "the end of a token")
    with token_server.requests() as seen:
        assert os.listdir(root / "app") == ["1.0"]
    assert seen.count(path=scope_of("app")) == 1


def test_a_token_is_renewed_before_it_expires(mount, registry, token_server,
                                              login, image):
    """Told that a token lives for one second, nobody waits for the 401."""
    token_server.expires_in = 1
    root = mount(registry, "tag_ttl=0")
    os.listdir(root / "app")

    def renewed():
        with token_server.requests() as asked:
            os.listdir(root / "app")
        return len(asked)
    with registry.requests() as seen:
        wait_until(renewed, "a second token", 10)
    # Only the pings that learn where the token server is may be refused.
    refused = [r for r in seen if r.status == 401 and "/app/" in r.path]
    assert not refused


def test_a_token_without_a_time(mount, registry, token_server, login, image):
    token_server.expires_in = None
    assert os.listdir(mount(registry) / "app") == ["1.0"]


def assert_refused(root, path, sentence):
    root.expect_error(sentence)
    with pytest.raises(OSError) as failure:
        os.listdir(root / path)
    assert failure.value.errno == errno.EACCES


def test_without_credentials(mount, registry, image):
    assert_refused(mount(registry), "app",
                   f"{registry.address}.*repository:app:pull")


def test_with_the_wrong_password(mount, registry, home, image):
    home.docker_config(auth_document(registry.address, USER, "wrong"))
    assert_refused(mount(registry), "app", registry.address)


def test_a_scope_that_is_not_granted(mount, registry, token_server, login,
                                     image):
    push(registry, token_server, "secret", "1.0")
    token_server.grant = lambda user, kind, name, actions: (
        actions if name == "app" else [])
    root = mount(registry)
    assert os.listdir(root / "app") == ["1.0"]
    assert_refused(root, "secret",
                   f"{registry.address}.*repository:secret:pull")


def test_anonymous_reading(mount, registry, token_server, image):
    """As Docker Hub does it: a token also for who has no credentials."""
    token_server.grant = lambda user, kind, name, actions: (
        [action for action in actions if action == "pull"])
    root = mount(registry)
    manifest = root / "app/1.0/manifest.json"
    assert manifest.read_bytes() == image.data


def test_an_identity_token(mount, registry, token_server, home, image):
    """What `docker login` keeps for a registry that gives refresh tokens."""
    token_server.refresh_tokens["refresh me"] = USER
    nobody = base64.b64encode(b"00000000-0000-0000-0000-000000000000:")
    home.docker_config({"auths": {registry.address: {
        "auth": nobody.decode(), "identitytoken": "refresh me"}}})
    with token_server.requests() as seen:
        assert os.listdir(mount(registry) / "app") == ["1.0"]
    assert seen.count("POST", "/token") > 0


def test_a_token_server_that_is_down(mount, registry, token_server, login,
                                     image):
    token_server.answers(status=502)
    root = mount(registry, "timeout=2")
    root.expect_error("token")
    with pytest.raises(OSError):
        os.listdir(root / "app")


def test_the_log_keeps_tokens(mount, registry, login, image):
    root = mount(registry, arguments=["--debug=all"])
    os.listdir(root / "app")
    assert "/v2/app/tags/list" in root.log()
    assert "eyJ" not in root.log()  # how each JWT begins


def test_a_tag_is_copied_and_removed(mount, make_registry, token_server, home):
    """Each of these needs other rights: to mount, to push, to delete."""
    registry = make_registry(auth=token_server, deletes=True)
    home.docker_config(auth_document(registry.address, USER, PASSWORD))
    push(registry, token_server, "app", "1.0")
    root = mount(registry, "delete")
    (root / "copy").mkdir()
    run("cp", root / "app/1.0.tar", root / "copy/1.0.tar")
    os.rename(root / "copy/1.0", root / "copy/2.0")
    (root / "app/1.0").rmdir()
    assert os.listdir(root / "copy") == ["2.0"]
    assert os.listdir(root / "app") == []
    assert (root / "copy/2.0/rootfs").is_dir()
