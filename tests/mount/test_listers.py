# SPDX-License-Identifier: Apache-2.0
"""Repositories that _catalog does not list, and an API of the service does."""

import errno
import json
import os
from contextlib import ExitStack

import pytest

from registry.proxy import Answer
from registry.services import (
    DTR, DockerHub, GitLab, Harbor, JSON, Quay, TOKEN, answer, refusal)
from registry.tls import Authority
from registry.tunnel import Tunnel
from support.home import ProxiedHome, auth_document
from support.images import oci_image
from support.system import fails_with

IMAGE = oci_image()
NAMES = ["acme/api", "acme/tools/lint", "acme/web", "alice/one", "alice/two",
         "alice/zoo"]


def names(path):
    return sorted(os.listdir(path))


@pytest.fixture
def stand_in(registry, client):
    with ExitStack() as running:
        def start(kind, listed=None, **more):
            listed = NAMES if listed is None else listed
            for name in listed:
                IMAGE.push(client, name, "1.0")
            return running.enter_context(
                kind(registry.address, listed, **more))
        yield start


class OpenHarbor(Harbor):
    """For its administrator."""

    def catalog(self, *_):
        return answer({"repositories": self.names})


class GitLabOfFiles(GitLab):
    def list(self, *_):
        return refusal(404, "NOT_FOUND")


def log_in(home, service, user="alice", password="open sesame"):
    home.containers_auth(auth_document(service.address, user, password))


# Services that list all that a login may see.

@pytest.mark.parametrize("kind, listed", [
    (Harbor, NAMES),
    (DTR, [name for name in NAMES if name.count("/") == 1])])
def test_all_is_listed(mount, stand_in, home, kind, listed):
    service = stand_in(kind, listed)
    log_in(home, service)
    root = mount(service)
    with service.requests() as seen:
        assert names(root.path) == ["acme", "alice"]
    # Two names a page, each page once, and after _catalog.
    api = [r.path for r in seen if r.path.startswith("/api/")]
    assert len(api) == len(set(api)) == len(listed) // 2 + len(listed) % 2
    assert seen.count("GET", "_catalog") == 1
    assert names(root / "alice") == ["one", "two", "zoo"]
    assert names(root / "alice/one") == ["1.0"]
    for request in seen.matching("GET", "/api/"):
        assert request.headers["authorization"].startswith("Basic ")
    # All is known: a name that is not listed has no directory.
    with fails_with(errno.ENOENT):
        os.stat(root / "nosuch")


def test_a_catalog_that_lists_is_enough(mount, stand_in):
    service = stand_in(OpenHarbor)
    root = mount(service)
    with service.requests() as seen:
        assert names(root.path) == ["acme", "alice"]
        assert names(root / "acme") == ["api", "tools", "web"]
    assert seen.count("GET", "_catalog") == 1
    assert seen.count("GET", "/api/") == 0


def test_no_login_is_no_authorization(mount, stand_in):
    service = stand_in(Harbor)
    root = mount(service)
    with service.requests() as seen:
        assert names(root.path) == ["acme", "alice"]
    assert all("authorization" not in request.headers
               for request in seen.matching("GET", "/api/"))


# Services that list a namespace at a time.

def test_gitlab(mount, stand_in):
    service = stand_in(GitLab)
    root = mount(service)
    assert names(root.path) == ["README"]
    root.wait_for_log("lists a namespace at a time|does not list")
    with service.requests() as seen:
        assert names(root / "acme") == ["api", "tools", "web"]
    pages = seen.matching("GET", "/gitlab/v1/")
    assert {request.headers.get("authorization") for request in pages} == {
        f"Bearer {TOKEN}"}
    assert names(root / "acme/tools") == ["lint"]
    assert names(root / "acme/tools/lint") == ["1.0"]
    # It is listed from then on; others are looked up.
    assert names(root.path) == ["acme"]
    assert names(root / "alice/one") == ["1.0"]


def test_a_namespace_loses_what_it_does_not_list_any_more(mount, stand_in):
    service = stand_in(GitLab)
    root = mount(service, "tag_ttl=0")
    assert names(root / "alice") == ["one", "two", "zoo"]
    service.names.remove("alice/two")
    assert names(root / "alice") == ["one", "zoo"]


def test_gitlab_without_a_database(mount, stand_in):
    """404: names are looked up as ever."""
    service = stand_in(GitLabOfFiles)
    root = mount(service)
    assert names(root.path) == ["README"]
    assert names(root / "alice/one") == ["1.0"]
    assert service.wait_for_request("GET", "/gitlab/v1/.*/alice/")
    root.wait_for_log("no list of repositories by the API of gitlab: ")


@pytest.mark.parametrize("user, password, authorization", [
    ("alice", "open sesame", None), ("alice+robot", "open sesame", None),
    ("$oauthtoken", "a-token", "Bearer a-token")])
def test_quay(mount, stand_in, home, user, password, authorization):
    service = stand_in(Quay)
    log_in(home, service, user, password)
    root = mount(service)
    with service.requests() as seen:
        assert names(root.path) == (
            ["README"] if user == "$oauthtoken" else ["alice"])
        assert names(root / "acme") == ["api", "tools", "web"]
    for request in seen.matching("GET", "/api/"):
        assert request.headers.get("authorization") == authorization
    assert names(root / "acme/tools/lint") == ["1.0"]


# Docker Hub, by a tunnel: three hosts.

HUB = NAMES[:1] + NAMES[2:] + [
    "alice/my-private", "library/alpine", "library/busybox", "library/nginx"]


@pytest.fixture
def hub(stand_in, tmp_path):
    certificate = Authority(tmp_path / "ca").issue(
        "registry-1.docker.io", "auth.docker.io", "hub.docker.com")
    service = stand_in(DockerHub, HUB, certificate=certificate)
    with Tunnel(service) as tunnel:
        home = ProxiedHome(tmp_path / "proxied", tunnel.url)
        home.trust("docker.io", certificate.ca_file)
        yield service, home


HUB_KEY = "https://index.docker.io/v1/"


def test_docker_hub(mount, hub):
    service, home = hub
    home.containers_auth(auth_document(HUB_KEY, "alice", "open sesame"))
    root = mount("docker.io", home=home)
    with service.requests() as seen:
        assert names(root.path) == ["acme", "alice", "library"]
    assert seen.count("POST", "/v2/auth/token") == 1
    assert seen.count("GET", "_catalog") == 0
    pages = seen.matching("GET", "/v2/namespaces/")
    assert len(pages) == len({request.path for request in pages}) == 5
    assert names(root / "alice") == ["my-private", "one", "two", "zoo"]
    assert names(root / "library") == ["alpine", "busybox", "nginx"]
    assert names(root / "library/nginx") == ["1.0"]
    assert names(root / "alpine") == ["1.0"]
    # The token of the API is kept, and goes to no other host.
    assert service.wait_for_request("GET", "/v2/namespaces/library")
    with service.requests() as seen:
        names(root / "acme")
    assert seen.count("POST") == 0


def test_a_repository_that_a_list_has(mount, hub):
    """What is asked of it then takes it from no list."""
    _, home = hub
    root = mount("docker.io", home=home)
    assert names(root.path) == ["library"]
    assert names(root / "library/nginx") == ["1.0"]
    assert names(root / "library") == ["alpine", "busybox", "nginx"]


def test_docker_hub_without_a_login(mount, hub):
    service, home = hub
    root = mount("docker.io", home=home)
    assert names(root.path) == ["library"]
    assert names(root / "library") == ["alpine", "busybox", "nginx"]
    assert names(root / "alice") == ["one", "two", "zoo"]
    assert service.wait_for_request("GET", "/v2/namespaces/alice")


@pytest.mark.parametrize("path", [
    "alice/one/1.0/manifest.json", "library/nginx/1.0/manifest.json",
    "nginx/1.0/manifest.json", "alice/one:1.0/manifest.json"])
def test_docker_hub_lists_nothing_first(mount, hub, path):
    _, home = hub
    assert (mount("docker.io", home=home) / path).read_bytes() == IMAGE.data


def test_what_docker_hub_does_not_have(mount, hub):
    """It says the same of what is private: no directory is made of it."""
    _, home = hub
    root = mount("docker.io", home=home)
    root.expect_error("alice/nosuch|authentication required")
    for path in ("alice/nosuch", "alice/nosuch/1.0"):
        with fails_with(errno.EACCES):
            os.stat(root / path)


def test_a_namespace_of_docker_hub_is_mounted(mount, hub):
    _, home = hub
    root = mount("docker.io/library", home=home)
    assert names(root.path) == ["alpine", "busybox", "nginx"]
    assert names(root / "nginx") == ["1.0"]


def test_docker_hub_refuses_the_login(mount, hub):
    service, home = hub
    service.login = {}
    home.containers_auth(auth_document(HUB_KEY, "alice", "open sesame"))
    root = mount("docker.io", home=home)
    assert names(root.path) == ["README"]
    root.wait_for_log("by the API of hub: .*the login at hub.docker.com")


def test_docker_hub_gives_no_token(mount, hub):
    service, home = hub
    service.jwt = None
    home.containers_auth(auth_document(HUB_KEY, "alice", "open sesame"))
    root = mount("docker.io", home=home)
    root.expect_error("Docker Hub's answer to a login has no token")
    with fails_with(errno.EIO):
        os.listdir(root.path)


# What goes wrong.

def quay_that_says(stand_in, home, answers):
    service = stand_in(Quay, [])
    service.heal()
    service.serves("^/api/v1/repository", answers)
    log_in(home, service)
    return service


def page_of(*rows, following=None):
    return answer({"repositories": [
        {"namespace": "alice", "name": name} for name in rows],
        "next_page": following})


def test_pages_that_lead_in_a_circle(mount, stand_in, home):
    service = quay_that_says(
        stand_in, home, lambda *_: page_of("one", following="again"))
    root = mount(service, "list=quay")
    root.expect_error("the registry's pagination (loops|repeats a page)")
    with service.requests() as seen, fails_with(errno.EIO):
        os.listdir(root.path)
    assert seen.count("GET", "/api/") <= 3


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"repositories": ['])
def test_what_is_no_json(mount, stand_in, home, body):
    service = quay_that_says(stand_in, home, lambda *_: Answer(200, JSON, body))
    root = mount(service, "list=quay")
    root.expect_error("the list of repositories: .* gives no JSON document")
    with fails_with(errno.EIO):
        os.listdir(root.path)


@pytest.mark.parametrize("document", [
    [], {}, {"repositories": None}, {"repositories": {"a": 1}},
    {"repositories": [None, 1, {}, {"name": 5, "namespace": "alice"},
                      {"name": "../up", "namespace": "alice"},
                      {"name": "One", "namespace": "alice"},
                      {"name": "x" * 300, "namespace": "alice"}]}])
def test_what_names_nothing(mount, stand_in, home, document):
    service = quay_that_says(stand_in, home, lambda *_: answer(document))
    assert names(mount(service, "list=quay").path) == ["README"]


def test_an_api_that_fails_is_not_the_registry(mount, stand_in, home, client):
    IMAGE.push(client, "alice/one", "1.0")
    service = quay_that_says(stand_in, home, lambda *_: Answer(500, JSON))
    root = mount(service, "list=quay", "timeout=2")
    root.expect_error("list of repositories|api/v1")
    with fails_with(errno.EIO):
        os.listdir(root.path)
    assert names(root / "alice/one") == ["1.0"]


def test_a_redirect_takes_no_password_along(mount, stand_in, home, registry,
                                            proxy_of):
    elsewhere = proxy_of(registry)
    elsewhere.answers("/api/", status=200, headers=JSON, body=json.dumps(
        [{"name": "alice/one"}]).encode())
    service = stand_in(Harbor, ["alice/one"])
    log_in(home, service)
    service.heal()
    service.redirects("/api/", to=elsewhere)
    root = mount(service, "list=harbor")
    assert names(root.path) == ["alice"]
    request = elsewhere.wait_for_request("GET", "/api/")
    assert "authorization" not in request.headers
    assert "authorization" in service.wait_for_request(
        "GET", "/api/").headers


# The option.

def test_list_none_asks_for_no_list(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, "list=none")
    with proxy.requests() as seen:
        assert names(root.path) == ["README"]
        assert names(root / "app") == ["1.0"]
        assert names(root.path) == ["app"]
    assert seen.count("GET", "_catalog") == 0


# What says why there is nothing.

def test_a_readme_says_how_to_go_on(mount, proxy, client):
    IMAGE.push(client, "team/app", "1.0")
    proxy.answers("/_catalog", status=404)
    root = mount(proxy)
    readme = root / "README"
    assert "registryfs login" in readme.read_text()
    assert f"{proxy.address} does not list its" in readme.read_text()
    [listed] = os.scandir(root.path)
    assert listed.name == "README" and listed.inode() == readme.stat().st_ino
    assert readme.stat().st_mode == 0o100444
    root.expect_error("README")
    with fails_with(errno.EPERM):
        readme.write_text("mine")
    with fails_with(errno.EPERM):
        readme.unlink()
    assert names(root / "team/app") == ["1.0"]
    assert names(root.path) == ["team"]
    with fails_with(errno.ENOENT):
        os.stat(root / "team/README")


def test_a_readme_costs_no_request(mount, proxy):
    proxy.answers("/_catalog", status=404)
    root = mount(proxy, "tag_ttl=0")
    with proxy.requests() as seen:
        assert names(root.path) == ["README"]
    assert seen.count("GET", "_catalog") == 1


def test_no_readme_where_there_is_a_list(mount, proxy):
    root = mount(proxy)
    assert names(root.path) == []
    with fails_with(errno.ENOENT):
        os.stat(root / "README")
