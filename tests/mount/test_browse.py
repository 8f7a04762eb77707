# SPDX-License-Identifier: Apache-2.0
"""Repositories and tags as directories: the path grammar of names."""

import json
import os

import pytest

from registry.process import wait_until
from support.catalogs import serve_catalog
from support.images import docker_image, oci_image


def names(path):
    return sorted(os.listdir(path))


def test_an_empty_registry(mount, registry):
    assert names(mount(registry).path) == []


def test_repositories_nest(mount, registry, client):
    for repository in ("solo", "team/web", "team/db/main", "team/db/spare"):
        oci_image().push(client, repository, "1.0")
    root = mount(registry)
    assert names(root.path) == ["solo", "team"]
    assert names(root / "team") == ["db", "web"]
    assert names(root / "team/db") == ["main", "spare"]
    assert names(root / "team/db/main") == ["1.0"]


def test_a_repository_that_is_also_a_parent(mount, registry, client):
    image = oci_image().push(client, "team", "1.0")
    oci_image().push(client, "team/web", "2.0")
    root = mount(registry)
    assert names(root / "team") == ["1.0", "web"]
    assert (root / "team/1.0/manifest.json").read_bytes() == image.data
    assert names(root / "team/web") == ["2.0"]


def test_a_repository_hides_the_tag_of_its_name(mount, registry, client):
    image = oci_image(created="2001-01-01T00:00:00Z")
    image.push(client, "team", "web")
    oci_image().push(client, "team/web", "2.0")
    root = mount(registry)
    assert names(root / "team") == [":web", "web"]
    assert names(root / "team/web") == ["2.0"]
    assert (root / "team/:web/manifest.json").read_bytes() == image.data


def test_tags_are_those_of_the_registry(mount, registry, client):
    tags = ["1.0", "UPPER", "_underscore", "a..b", "dash-", "x" * 128]
    oci_image().push(client, "app", *tags)
    root = mount(registry)
    assert names(root / "app") == sorted(tags) == client.tags("app")
    assert all((root / "app" / tag).is_dir() for tag in tags)


@pytest.mark.parametrize("form", [
    "{repository}/1.0", "{repository}/:1.0", "{repository}/@{digest}",
    "{repository}:1.0", "{repository}@{digest}"])
@pytest.mark.parametrize("repository", ["app", "team/deep/app"])
def test_the_ways_to_name_an_image(mount, registry, client, repository, form):
    image = oci_image().push(client, repository, "1.0")
    oci_image(created="2001-01-01T00:00:00Z").push(client, repository, "2.0")
    path = form.format(repository=repository, digest=image.digest)
    root = mount(registry)
    assert (root / path / "manifest.json").read_bytes() == image.data


def test_a_digest_needs_no_tag(mount, registry, client):
    image = oci_image().push(client, "app")
    root = mount(registry)
    path = root / f"app@{image.digest}" / "manifest.json"
    assert path.read_bytes() == image.data


def test_other_forms_are_not_listed(mount, registry, client):
    image = oci_image().push(client, "app", "1.0")
    root = mount(registry)
    assert (root / "app/:1.0").is_dir()
    assert (root / f"app/@{image.digest}").is_dir()
    assert (root / "app:1.0").is_dir()
    assert names(root.path) == ["app"]
    assert names(root / "app") == ["1.0"]


@pytest.mark.parametrize("path", [
    "absent", "absent/deep", "app/absent", "app/:absent",
    "app/@sha256:" + "0" * 64, "app:absent", "app@sha256:" + "0" * 64,
    "absent:1.0", "absent/:1.0", "app/1.0/absent", "app/1.0/layers/99.tar",
    "app/1.0/layers/99", "app/1.0/rootfs/absent"])
def test_what_does_not_exist(mount, registry, client, path):
    oci_image().push(client, "app", "1.0")
    root = mount(registry)
    with pytest.raises(FileNotFoundError):
        os.stat(root / path)


# In a namespace a name can only be a repository's component or a reference,
# in a repository also a tag.
@pytest.mark.parametrize("name", [
    ".git", "Foo bar", "Makefile", "-dash", "@sha256:12", "app:.bad",
    "app:", "app@md5:d41d8cd98f00b204e9800998ecf8427e", ":", "X" * 129,
    "~", "#backup#"])
def test_an_impossible_name_costs_no_request(mount, proxy, client, name):
    oci_image().push(client, "app", "1.0")
    root = mount(proxy)
    with proxy.requests() as seen, pytest.raises(FileNotFoundError):
        os.stat(root / name)
    assert len(seen) == 0, seen


@pytest.mark.parametrize("name", [
    ".git", "Foo bar", "1.0~", "-dash", ":.bad", ":", "@sha256:12",
    "@" + "0" * 64, "X" * 129, "#1.0#"])
def test_an_impossible_tag_costs_no_request(mount, proxy, client, name):
    oci_image().push(client, "app", "1.0")
    root = mount(proxy)
    assert names(root / "app") == ["1.0"]
    with proxy.requests() as seen, pytest.raises(FileNotFoundError):
        os.stat(root / "app" / name)
    assert len(seen) == 0, seen


def test_what_file_managers_look_for_is_asked_for_once(mount, proxy, client):
    """It could be a repository that the list does not show."""
    oci_image().push(client, "team/app", "1.0")
    root = mount(proxy)
    assert names(root / "team") == ["app"]
    with pytest.raises(FileNotFoundError):
        os.stat(root / "team/desktop.ini")
    with proxy.requests() as seen, pytest.raises(FileNotFoundError):
        os.stat(root / "team/desktop.ini")
    assert len(seen) == 0, seen


def test_the_catalog_is_read_page_by_page(mount, proxy):
    repositories = [f"app{number:03}" for number in range(100)]
    serve_catalog(proxy, repositories, page=7)
    root = mount(proxy)
    with proxy.requests() as seen:
        assert names(root.path) == repositories
    assert seen.count("GET", "/_catalog") == 15


def test_tags_are_read_page_by_page(mount, proxy, client):
    """Registries cut tag lists into pages too, docker-registry 2 does not."""
    oci_image().push(client, "app", "1")
    proxy.answers(
        r"/app/tags/list\?.*last=2", status=200,
        body=json.dumps({"name": "app", "tags": ["3"]}).encode())
    proxy.answers(
        "/app/tags/list", status=200,
        headers={"Link": '</v2/app/tags/list?last=2&n=2>; rel="next"'},
        body=json.dumps({"name": "app", "tags": ["1", "2"]}).encode())
    assert names(mount(proxy) / "app") == ["1", "2", "3"]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_registry_that_does_not_list_is_enterable(mount, proxy, client,
                                                     status):
    image = oci_image().push(client, "team/app", "1.0")
    proxy.refuses("/_catalog", status=status, code="UNSUPPORTED",
                  message="no catalog here")
    root = mount(proxy)
    assert names(root.path) == ["README"]
    manifest = root / "team/app/1.0/manifest.json"
    assert manifest.read_bytes() == image.data
    # What was once found is listed from then on.
    assert names(root.path) == ["team"]
    assert names(root / "team") == ["app"]


def test_names_that_are_none_are_not_shown(mount, proxy, client):
    """A registry is a stranger: its names become file names only if they are
    what the specification calls names."""
    oci_image().push(client, "app", "1.0")
    serve_catalog(proxy, ["app", "../../etc", "UPPER", "a//b", "", "a b"])
    proxy.answers("/app/tags/list", status=200, body=json.dumps(
        {"tags": ["1.0", "../1.0", ".hidden", "a/b", "", "x" * 129]}).encode())
    root = mount(proxy)
    assert names(root.path) == ["app"]
    assert names(root / "app") == ["1.0"]


def test_a_repository_without_tags(mount, proxy, client):
    """Deleting the last tag leaves "tags": null behind."""
    oci_image().push(client, "app", "1.0")
    proxy.answers("/app/tags/list", status=200,
                  body=b'{"name": "app", "tags": null}')
    assert names(mount(proxy) / "app") == []


def test_tags_that_refer_to_images_are_not_listed(mount, registry, client):
    """The referrers fallback scheme, and what cosign leaves behind."""
    image = oci_image().push(client, "app", "1.0")
    reference = image.digest.replace(":", "-")
    hidden = [reference, reference + ".sig", reference + ".att",
              reference + ".sbom"]
    image.push(client, "app", *hidden)
    root = mount(registry)
    assert names(root / "app") == ["1.0"]
    assert all((root / "app" / tag / "manifest.json").is_file()
               for tag in hidden)


def test_a_new_tag_appears_within_tag_ttl(mount, registry, client):
    oci_image().push(client, "app", "1.0")
    root = mount(registry, "tag_ttl=1")
    assert names(root / "app") == ["1.0"]
    oci_image().push(client, "app", "2.0")
    oci_image().push(client, "new", "1.0")
    wait_until(lambda: names(root / "app") == ["1.0", "2.0"], "the tag", 5)
    wait_until(lambda: names(root.path) == ["app", "new"],
               "the repository", 5)


def test_a_tag_that_moves(mount, registry, client):
    before = oci_image().push(client, "app", "1.0")
    root = mount(registry, "tag_ttl=1")
    manifest = root / "app/1.0/manifest.json"
    with open(manifest, "rb") as opened:
        after = docker_image(created="2021-01-01T00:00:00Z")
        after.push(client, "app", "1.0")
        wait_until(lambda: manifest.read_bytes() == after.data,
                   "the new manifest", 5)
        assert opened.read() == before.data
    config = root / "app/1.0/config.json"
    assert config.read_bytes() == after.config.data


def test_without_tag_ttl_everything_is_asked_again(mount, proxy, client):
    oci_image().push(client, "app", "1.0")
    root = mount(proxy, "tag_ttl=0")
    assert names(root / "app") == ["1.0"]
    oci_image().push(client, "app", "2.0")
    assert names(root / "app") == ["1.0", "2.0"]


def test_within_tag_ttl_nothing_is_asked_again(mount, proxy, client):
    oci_image().push(client, "team/app", "1.0")
    root = mount(proxy, "tag_ttl=300")

    def look():
        for path in (".", "team", "team/app", "team/app/1.0",
                     "team/app/1.0/layers"):
            names(root / path)
        (root / "team/app/1.0/manifest.json").read_bytes()
        (root / "team/app/1.0/layers/01.tar.gz").read_bytes()

    look()
    with proxy.requests() as seen:
        look()
    assert len(seen) == 0, seen
