# SPDX-License-Identifier: Apache-2.0
"""Docker Hub: what its API changes, and finds."""

import errno
import json
import os

import pytest

from registry.hub import ChangingHub
from registry.proxy import error_body
from registry.tls import Authority
from registry.tunnel import Tunnel
from support.archives import docker_archive
from support.home import ProxiedHome, auth_document
from support.images import oci_image
from support.system import fails_with, run

IMAGE = oci_image()
NAMES = ["acme/api", "alice/one", "library/nginx"]


def names(path):
    return sorted(os.listdir(path))


@pytest.fixture
def registry(make_registry):
    return make_registry(deletes=True)


@pytest.fixture
def hub(registry, client, tmp_path):
    for name in NAMES:
        IMAGE.push(client, name, "1.0")
        IMAGE.push(client, name, "2.0")
    certificate = Authority(tmp_path / "ca").issue(
        "registry-1.docker.io", "auth.docker.io", "hub.docker.com",
        "index.docker.io")
    with ChangingHub(registry.address, NAMES,
                     certificate=certificate) as service:
        with Tunnel(service) as tunnel:
            service.home = ProxiedHome(tmp_path / "proxied", tunnel.url)
            service.home.trust("docker.io", certificate.ca_file)
            yield service


@pytest.fixture
def alice(hub):
    hub.home.containers_auth(auth_document(
        "https://index.docker.io/v1/", "alice", "open sesame"))
    return hub


# Repositories.

def test_mkdir_makes_a_repository(mount, alice, client, tmp_path):
    (tmp_path / "app.tar").write_bytes(docker_archive([("app:1.0", IMAGE)]))
    root = mount("docker.io", home=alice.home)
    (root / "alice/new").mkdir()
    assert alice.made == [{"namespace": "alice", "name": "new",
                           "registry": "docker", "is_private": True}]
    root.wait_for_log("made the repository alice/new")
    assert "new" in names(root / "alice")
    run("cp", tmp_path / "app.tar", root / "alice/new/1.0.tar")
    assert client.tags("alice/new") == ["1.0"]
    assert names(root / "alice/new") == ["1.0"]


def test_mkdir_that_the_api_refuses(mount, alice):
    """The directory is made as ever: a push may still make the repository."""
    alice.may_change = False
    root = mount("docker.io", home=alice.home)
    (root / "alice/new").mkdir()
    root.wait_for_log("alice/new is not made before something is pushed into "
                      "it: .*insufficient scope")
    assert (root / "alice/new").is_dir()


def test_mkdir_elsewhere_asks_nobody(mount, alice):
    root = mount("docker.io", home=alice.home)
    with alice.requests() as seen:
        run("mkdir", "-p", root / "bob")
        (root / "alice/one/.new").mkdir()
    assert seen.count("POST", "/v2/namespaces/") == 0


def test_rmdir_of_an_empty_repository(mount, alice):
    root = mount("docker.io", "delete", home=alice.home)
    root.expect_error("not empty")
    (root / "alice/new").mkdir()
    (root / "alice/new").rmdir()
    assert alice.dropped == ["alice/new"]
    with fails_with(errno.ENOTEMPTY):
        (root / "alice/one").rmdir()
    assert alice.dropped == ["alice/new"]


def test_rmdir_of_one_that_lost_its_tags(mount, alice):
    root = mount("docker.io", "delete", home=alice.home)
    (root / "alice/one/1.0.tar").unlink()
    (root / "alice/one/2.0").rmdir()
    (root / "alice/one").rmdir()
    assert alice.dropped == ["alice/one:1.0", "alice/one:2.0", "alice/one"]


def test_rmdir_that_the_api_refuses(mount, alice):
    root = mount("docker.io", "delete", home=alice.home)
    (root / "alice/new").mkdir()
    alice.may_change = False
    root.expect_error("alice/new.*insufficient scope")
    with fails_with(errno.EACCES):
        (root / "alice/new").rmdir()
    assert (root / "alice/new").is_dir()


def test_the_list_for_a_login_says_what_is_missing(mount, alice):
    root = mount("docker.io", home=alice.home)
    with fails_with(errno.ENOENT):
        os.stat(root / "alice/nosuch")
    assert names(root / "alice/one") == ["1.0", "2.0"]


# Tags.

def test_a_tag_is_removed_and_no_other(mount, alice, client):
    root = mount("docker.io", "delete", home=alice.home)
    (root / "alice/one/1.0.tar").unlink()
    assert alice.dropped == ["alice/one:1.0"]
    assert client.tags("alice/one") == ["2.0"]
    assert names(root / "alice/one") == ["2.0"]


def test_nothing_is_removed_without_the_option(mount, alice, client):
    root = mount("docker.io", home=alice.home)
    root.expect_error("mount with -o delete")
    with fails_with(errno.EPERM):
        (root / "alice/one/1.0.tar").unlink()
    assert client.tags("alice/one") == ["1.0", "2.0"]


def test_a_removal_that_the_api_refuses(mount, alice, client):
    alice.may_change = False
    root = mount("docker.io", "delete", home=alice.home)
    root.expect_error("removing alice/one:1.0.*insufficient scope")
    with fails_with(errno.EACCES):
        (root / "alice/one/1.0.tar").unlink()
    assert client.tags("alice/one") == ["1.0", "2.0"]


def test_what_is_said_of_tags(mount, alice):
    root = mount("docker.io", home=alice.home)
    tag = root / "alice/one/2.0"
    assert os.getxattr(tag, "user.registry.size") == b"3072"
    assert os.getxattr(tag, "user.registry.pushed") == (
        b"2026-01-02T03:04:05.678Z")
    names(root / "alice")
    assert os.getxattr(root / "alice/one", "user.registry.stars") == b"2"


# The limit.

def test_the_limit_is_spent_on_what_is_not_there(mount, alice):
    """HEAD is free; a manifest is read once."""
    root = mount("docker.io", "tag_ttl=0", home=alice.home)
    with alice.requests() as seen:
        for _ in range(3):
            (root / "alice/one/1.0/manifest.json").read_bytes()
    assert seen.count("GET", "/manifests/") == 1
    assert seen.count("HEAD", "/manifests/") >= 3


def test_a_limit_that_is_used_up(mount, alice):
    """It is said, and not tried again: neither by the same call nor, for a
    minute, by others."""
    root = mount("docker.io", home=alice.home)
    os.listdir(root / "alice/one")
    alice.answers(
        "^/v2/alice/one/manifests", method="GET", status=429,
        headers={"ratelimit-limit": "100;w=21600",
                 "ratelimit-remaining": "0;w=21600"},
        body=error_body("TOOMANYREQUESTS",
                        "You have reached your pull rate limit."))
    root.expect_error("You have reached your pull rate limit")
    root.expect_error("the limit of requests is used up; what counts is asked "
                      "for again a minute after")
    with alice.requests() as seen:
        for tag in ("1.0", "2.0", "1.0"):
            with fails_with(errno.EBUSY):
                (root / "alice/one" / tag / "manifest.json").read_bytes()
    assert seen.count("GET", "/manifests/") == 1
    limit = json.loads((root / ".registryfs/status.json").read_text())[
        "sources"][0]["rate_limit"]
    assert limit["limit"] == 100 and limit["remaining"] == 0
    assert limit["refused"]


# Search.

def test_search(mount, hub):
    """Of who finds it in a mount of Docker Hub: no login is needed."""
    root = mount("docker.io", home=hub.home)
    found = root / ".registryfs/search/nginx"
    with hub.requests() as seen:
        assert names(found) == ["library+nginx", "results.tsv"]
        assert os.readlink(found / "library+nginx") == (
            "../../../library/nginx")
    assert seen.count("GET", "/api/search/v4") == 1
    assert (found / "results.tsv").read_text().splitlines() == [
        "name\tstars\tpulls\tbadge\tdescription",
        "library/nginx\t21000\t1B+\tofficial\tOfficial build of Nginx."]
    assert names(found / "library+nginx") == ["1.0", "2.0"]
    shown = run("getfattr", "--only-values", "-n", "user.registry.badge",
                found / "library+nginx").stdout
    assert shown == "official"
    assert os.getxattr(found / "library+nginx",
                       "user.registry.pulls") == b"1B+"


def test_search_by_several_words_and_for_nothing(mount, hub):
    root = mount("docker.io", home=hub.home)
    search = root / ".registryfs/search"
    assert names(search / "no such thing") == ["results.tsv"]
    request = hub.wait_for_request("GET", "/api/search/v4")
    assert "query=no%20such%20thing&" in request.path
    table = (search / "one/results.tsv").read_text().splitlines()
    assert table[1:] == ["alice/one\t3\t50+\tnone\tOne thing"]
    assert names(search) == []
    with fails_with(errno.ENOENT):
        os.lstat(search / "nginx/nosuch")


def test_search_in_a_mount_of_many(mount, hub):
    root = mount([], home=hub.home)
    found = root / ".registryfs/search/api"
    assert os.readlink(found / "acme+api") == "../../../docker.io/acme/api"
    assert (found / "acme+api/1.0/manifest.json").read_bytes() == IMAGE.data
    assert os.getxattr(found / "acme+api",
                       "user.registry.badge") == b"verified_publisher"


def test_search_below_a_namespace(mount, hub):
    root = mount("docker.io/library", home=hub.home)
    assert os.readlink(root / ".registryfs/search/nginx/nginx") == (
        "../../../nginx")
    assert names(root / ".registryfs/search/api") == ["results.tsv"]


def test_the_front_end_refuses_a_search(mount, hub):
    """The index answers, with less."""
    hub.front_end = False
    root = mount("docker.io", home=hub.home)
    found = root / ".registryfs/search/nginx"
    assert names(found) == ["library+nginx", "results.tsv"]
    assert (found / "results.tsv").read_text().splitlines()[1] == (
        "library/nginx\t21000\t\tofficial\tOfficial build of Nginx.")


def test_nothing_can_be_searched(mount, registry):
    root = mount(registry)
    root.expect_error("nothing in this mount can be searched")
    with fails_with(errno.EOPNOTSUPP):
        os.listdir(root / ".registryfs/search/nginx")


# With a mirror, by which the mount leads through registries.conf.

def test_the_api_beside_a_mirror(mount, alice, make_registry, client):
    mirror = make_registry()
    conf = alice.home.path / ".config/containers/registries.conf"
    conf.write_text(
        '[[registry]]\nlocation = "docker.io"\n'
        f'[[registry.mirror]]\nlocation = "{mirror.address}"\n'
        'insecure = true\n')
    root = mount("docker.io", "delete", home=alice.home)
    assert names(root.path) == ["acme", "alice", "library"]
    assert names(root / "alice") == ["one"]
    assert os.getxattr(root / "alice/one", "user.registry.stars") == b"2"
    assert os.getxattr(root / "alice/one/1.0",
                       "user.registry.size") == b"3072"
    assert os.readlink(root / ".registryfs/search/nginx/library+nginx") == (
        "../../../library/nginx")
    (root / "alice/new").mkdir()
    (root / "alice/new").rmdir()
    (root / "alice/one/1.0.tar").unlink()
    assert alice.dropped == ["alice/new", "alice/one:1.0"]


def test_nobody_is_logged_in_beside_a_mirror(mount, hub, make_registry):
    mirror = make_registry()
    conf = hub.home.path / ".config/containers/registries.conf"
    conf.write_text(
        '[[registry]]\nlocation = "docker.io"\n'
        f'[[registry.mirror]]\nlocation = "{mirror.address}"\n'
        'insecure = true\n')
    root = mount("docker.io", home=hub.home)
    root.expect_error("log in")
    assert names(root / "alice/one") == ["1.0", "2.0"]
    result = run("mkdir", root / "alice/new", check=False)
    assert "Permission denied" in result.stderr
