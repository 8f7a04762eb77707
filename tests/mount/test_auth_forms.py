# SPDX-License-Identifier: Apache-2.0
"""Credentials in every form that docker, podman and skopeo have for them. The
registry has a token server, which says who asks."""

import base64
import json
import os

import pytest

from registry.server import PASSWORD, USER, DockerRegistry
from registry.tokens import TokenServer
from support.home import auth_document
from support.images import oci_image
from support.system import run

IMAGE = oci_image()
TOKEN = "an identity token"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
NOBODY = base64.b64encode(b"00000000-0000-0000-0000-000000000000:").decode()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tokens")
    with TokenServer(directory, {USER: PASSWORD}) as server:
        server.refresh_tokens[TOKEN] = USER
        yield server


@pytest.fixture(scope="module")
def registry(tokens, tmp_path_factory):
    directory = tmp_path_factory.mktemp("registry")
    with DockerRegistry(directory, auth=tokens) as registry:
        for name in ("app", "team/web/app"):
            token = tokens.token(USER, f"repository:{name}:pull,push")
            IMAGE.push(registry.client(token=token), name, "1.0")
        yield registry


@pytest.fixture
def address(registry):
    return registry.address


def reads(root):
    return os.listdir(root / "app") == ["1.0"]


ENTRIES = {
    "auth": {"auth": BASIC},
    "user and password": {"username": USER, "password": PASSWORD},
    "identity token": {"auth": NOBODY, "identitytoken": TOKEN},
    "identity token alone": {"identitytoken": TOKEN},
    "token as the password": {"auth": base64.b64encode(
        f"<token>:{TOKEN}".encode()).decode()},
    "with more": {"auth": BASIC, "email": "a@example.com", "more": [1]},
}


@pytest.mark.parametrize("form", ENTRIES)
def test_entries(mount, registry, address, home, form):
    home.docker_config({"auths": {address: ENTRIES[form]}})
    assert reads(mount(registry))


@pytest.mark.parametrize("key", ["http://{}", "https://{}", "{}/v1/",
                                 "https://{}/v2/", "http://{}/v1/"])
def test_spellings(mount, registry, address, home, key):
    home.docker_config({"auths": {key.format(address): ENTRIES["auth"]}})
    assert reads(mount(registry))


def test_a_registry_token(mount, registry, address, tokens, home):
    token = tokens.token(USER, "repository:app:pull", "registry:catalog:*")
    home.docker_config({"auths": {address: {"registrytoken": token}}})
    with tokens.requests() as asked:
        assert reads(mount(registry))
    assert len(asked) == 0


@pytest.mark.parametrize("secret", [(USER, PASSWORD), ("<token>", TOKEN)])
@pytest.mark.parametrize("config", ["credsStore", "credHelpers", "both"])
@pytest.mark.parametrize("place", ["docker", "containers"])
def test_helpers(mount, registry, address, home, secret, config, place):
    home.credential_helper("right", {address: secret})
    home.credential_helper("other", {address: ("bob", "wrong")})
    document = {
        "credsStore": {"credsStore": "right", "auths": {address: {}}},
        "credHelpers": {"credHelpers": {address: "right"}},
        "both": {"credHelpers": {address: "right"}, "credsStore": "other"},
    }[config]
    write = home.docker_config if place == "docker" else home.containers_auth
    write(document)
    assert reads(mount(registry))


def test_the_longest_namespace(mount, registry, address, home):
    wrong, right = ("bob", "wrong"), (USER, PASSWORD)
    auths = {}
    for key, secret in ((address, wrong), (f"{address}/team", wrong),
                        (f"{address}/team/web", right),
                        (f"{address}/team/we", wrong)):
        auths |= auth_document(key, *secret)["auths"]
    home.containers_auth({"auths": auths})
    root = mount(f"{address}/team/web")
    assert reads(root)


# Variables, each with what comes after it.

class Places:
    def __init__(self, home, address):
        self.home, self.address = home, address
        self.right = json.dumps(auth_document(address, USER, PASSWORD))
        self.wrong = json.dumps(auth_document(address, USER, "wrong"))

    def file(self, name, text):
        path = self.home.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.mark.parametrize("variable", [
    "REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG", "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME", "DOCKER_CONFIG", ".dockercfg"])
def test_variables(mount, registry, address, home, variable):
    places = Places(home, address)
    # What is looked into after that has another password.
    order = {
        "REGISTRY_AUTH_FILE": "only.json", "DOCKER_AUTH_CONFIG": None,
        "XDG_RUNTIME_DIR": "r/containers/auth.json",
        "XDG_CONFIG_HOME": "c/containers/auth.json",
        "DOCKER_CONFIG": "d/config.json", ".dockercfg": ".dockercfg"}
    names = list(order)
    for later in names[names.index(variable) + 1:]:
        if order[later]:
            places.file(order[later], places.wrong)
    environment = {"XDG_RUNTIME_DIR": str(home.path / "r"),
                   "XDG_CONFIG_HOME": str(home.path / "c"),
                   "DOCKER_CONFIG": str(home.path / "d")}
    if variable == "DOCKER_AUTH_CONFIG":
        environment[variable] = places.right
    else:
        path = places.file(order[variable], places.right)
        if variable == "REGISTRY_AUTH_FILE":
            environment[variable] = str(path)
            environment["DOCKER_AUTH_CONFIG"] = places.wrong
    plain = home.environment
    home.environment = lambda **more: plain(**environment, **more)
    assert reads(mount(registry))


def test_a_broken_variable_is_said(mount, registry, address, home):
    """docker says so as well, and goes on to its file."""
    home.docker_config(auth_document(address, USER, PASSWORD))
    plain = home.environment
    home.environment = lambda **more: plain(DOCKER_AUTH_CONFIG="{", **more)
    root = mount(registry)
    root.expect_error("DOCKER_AUTH_CONFIG is ignored: it is not JSON")
    assert reads(root)


def test_what_skopeo_and_podman_store(mount, registry, address, home):
    """Where each of them keeps it, and under the names that they have."""
    for tool in ("skopeo", "podman"):
        run(tool, "login", "--tls-verify=false", "-u", USER, "-p", PASSWORD,
            address, env=home.environment())
        assert reads(mount(registry))
        run(tool, "logout", address, env=home.environment())
