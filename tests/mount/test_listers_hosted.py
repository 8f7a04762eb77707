# SPDX-License-Identifier: Apache-2.0
"""Services at hosts of their own, and those that _catalog serves."""

import errno
import os
from contextlib import ExitStack

import pytest

from registry.clouds import (
    ACR, Artifactory, ArtifactRegistry, ECR, GitHub, Gitea, Nexus, RedHat, Zot)
from registry.tls import Authority
from registry.tunnel import Tunnel
from support.home import ProxiedHome, auth_document
from support.images import oci_image
from support.system import fails_with

IMAGE = oci_image()
NAMES = ["acme/api", "acme/tools/lint", "acme/web", "alice/one", "alice/two"]


def names(path):
    return sorted(os.listdir(path))


@pytest.fixture
def stand_in(registry, client):
    with ExitStack() as running:
        def start(kind, listed=None, **more):
            for name in NAMES:
                IMAGE.push(client, name, "1.0")
            return running.enter_context(
                kind(registry.address, listed or NAMES, **more))
        yield start


@pytest.fixture
def hosted(stand_in, tmp_path):
    """Starts one that answers for hosts, the first the registry's; with the
    home of who reaches it."""
    with ExitStack() as running:
        def start(kind, *hosts):
            certificate = Authority(tmp_path / "ca").issue(*hosts)
            service = stand_in(kind, certificate=certificate)
            tunnel = running.enter_context(Tunnel(service))
            home = ProxiedHome(tmp_path / "proxied", tunnel.url)
            home.trust(hosts[0], certificate.ca_file)
            return service, home
        yield start


# GitHub.

@pytest.fixture
def github(hosted):
    service, home = hosted(GitHub, "ghcr.io", "api.github.com")
    home.containers_auth(auth_document("ghcr.io", "alice", service.personal))
    return service, home


def test_github(mount, github):
    """One's own packages at the top; an organisation's and a user's below."""
    service, home = github
    root = mount("ghcr.io", home=home)
    with service.requests() as seen:
        assert names(root.path) == ["alice"]
    assert seen.count("GET", "_catalog") == 0
    assert names(root / "alice") == ["one", "two"]
    with service.requests() as seen:
        assert names(root / "acme") == ["api", "tools", "web"]
    assert [r.path.split("/")[1] for r in seen.matching("GET", "/packages")
            ] == ["orgs", "numbered"]
    assert names(root / "acme/tools") == ["lint"]
    assert names(root / "acme/tools/lint") == ["1.0"]
    assert os.getxattr(root / "acme/api",
                       "user.registry.visibility") == b"private"
    assert os.getxattr(root / "acme/api",
                       "user.registry.pushed") == b"2026-02-03T04:05:06Z"


def test_github_without_a_token(mount, hosted):
    _, home = hosted(GitHub, "ghcr.io", "api.github.com")
    root = mount("ghcr.io", home=home)
    assert names(root.path) == ["README"]
    root.wait_for_log("lists packages for a token with read:packages, and "
                      "there is no login")
    assert names(root / "acme/tools/lint") == ["1.0"]


def test_github_does_not_know_the_owner(mount, github):
    _, home = github
    root = mount("ghcr.io", home=home)
    assert names(root / "nosuch") == []


# Red Hat.

def test_red_hat(mount, hosted):
    _, home = hosted(RedHat, "registry.access.redhat.com",
                     "catalog.redhat.com")
    root = mount("registry.access.redhat.com", home=home)
    assert names(root.path) == ["README"]
    root.wait_for_log("does not list its repositories: name one to see it")
    assert names(root / "acme") == ["api", "tools", "web"]
    assert names(root / "acme/web") == ["1.0"]
    assert os.getxattr(root / "acme/web",
                       "user.registry.description") == b"About acme/web"


# Google.

def test_artifact_registry(mount, hosted):
    """A list of tags names what is below, one level at a time."""
    service, home = hosted(ArtifactRegistry, "europe-docker.pkg.dev")
    root = mount("europe-docker.pkg.dev", home=home)
    assert names(root.path) == ["README"]
    assert names(root / "acme") == ["api", "tools", "web"]
    assert names(root / "acme/tools") == ["lint"]
    assert names(root / "acme/tools/lint") == ["1.0"]
    with service.requests() as seen:
        tag = root / "acme/tools/lint/1.0"
        assert os.getxattr(tag, "user.registry.size") == b"12345"
        assert os.getxattr(tag, "user.registry.pushed") == (
            b"2026-01-01T00:04:05Z")
    assert len(seen) <= 1


# Artifactory.

def test_artifactory(mount, stand_in, home):
    service = stand_in(Artifactory)
    service.closed = ("secret",)
    home.containers_auth(auth_document(service.address, "alice", "sesame"))
    root = mount(service)
    with service.requests() as seen:
        assert names(root.path) == ["acme", "alice"]
    pages = seen.matching("GET", "/artifactory/api/docker/acme/")
    assert len(pages) == len({page.path for page in pages}) == 2
    assert names(root / "acme") == ["api", "tools", "web"]
    assert names(root / "acme/tools/lint") == ["1.0"]


# zot, where the user says so.

def test_zot(mount, stand_in):
    service = stand_in(Zot)
    root = mount(service, "list=zot")
    with service.requests() as seen:
        assert names(root.path) == ["acme", "alice"]
        assert names(root / "acme/tools") == ["lint"]
    assert seen.count("GET", "_catalog") == 0
    assert seen.count("GET", "/_zot/ext/search") == 1
    assert os.getxattr(root / "acme/web", "user.registry.stars") == b"7"
    tag = root / "acme/web/1.0"
    assert names(root / "acme/web") == ["1.0"]
    assert {name: os.getxattr(tag, name) for name in os.listxattr(tag)
            if name.startswith("user.registry.")} == {
        "user.registry.pulls": b"5", "user.registry.size": b"1024",
        "user.registry.signed": b"true",
        "user.registry.cve.severity": b"CRITICAL",
        "user.registry.cve.count": b"9"}


def test_zot_without_its_search(mount, stand_in):
    service = stand_in(Zot)
    service.heal()
    service.answers("/_zot/", status=404, body=b"404 page not found\n")
    root = mount(service, "list=zot")
    assert names(root.path) == ["README"]
    root.wait_for_log("no list of repositories by the API of zot")


# Services that _catalog serves.

@pytest.mark.parametrize("kind", [Gitea, Nexus, Zot])
def test_a_catalog_is_all_that_is_asked(mount, stand_in, kind):
    service = stand_in(kind)
    root = mount(service)
    with service.requests() as seen:
        assert names(root.path) == ["acme", "alice"]
        assert names(root / "acme") == ["api", "tools", "web"]
    assert seen.count("GET", "^(?!/v2/_catalog|/v2/$|/v2/token)") == 0
    assert names(root / "acme/tools/lint") == ["1.0"]
    with fails_with(errno.ENOENT):
        os.stat(root / "nosuch")


@pytest.mark.parametrize("kind, host", [
    (ACR, "acme.azurecr.io"),
    (ECR, "123456789012.dkr.ecr.eu-central-1.amazonaws.com")])
def test_a_catalog_at_a_host(mount, hosted, kind, host):
    service, home = hosted(kind, host)
    home.containers_auth(auth_document(host, "AWS", "a-password"))
    root = mount(host, home=home)
    with service.requests() as seen:
        assert names(root.path) == ["acme", "alice"]
        assert names(root / "acme/tools") == ["lint"]
    assert seen.count("GET", "_catalog") >= 3
    assert names(root / "acme/tools/lint") == ["1.0"]


@pytest.mark.parametrize("driver", ["ecr", "acr", "gitea", "nexus"])
def test_the_option_knows_them(mount, proxy, client, driver):
    IMAGE.push(client, "app", "1.0")
    assert names(mount(proxy, f"list={driver}").path) == ["app"]
