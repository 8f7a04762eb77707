# SPDX-License-Identifier: Apache-2.0
"""Names that no list has, or that a list has in a way of its own: what the
registry shows is there, and nothing else is."""

import errno
import json
import os

import pytest

from registry.proxy import Answer
from registry.static import StaticRegistry
from support.archives import docker_archive
from support.images import oci_image
from support.oddly import JSON
from support.system import fails_with, run

TAGS = "/tags/list"


def names(path):
    return sorted(os.listdir(path))


@pytest.fixture
def image():
    return oci_image()


# Registries that have a list of no tags for any name.

@pytest.fixture
def obliging(mount, proxy, registry):
    def serve(request, _):
        answer = registry.client().request("GET", request.path)
        if answer.status == 404:
            return Answer(200, JSON, b'{"name": "any", "tags": []}')
        return Answer(answer.status, JSON, answer.body)
    proxy.serves(TAGS, serve)
    return mount(proxy)


def test_a_name_without_tags_is_none(obliging, client, image):
    image.push(client, "app", "1.0")
    for name in ("nosuch", "app/nosuch", "nosuch.tar", "app/2.0.tar"):
        with fails_with(errno.ENOENT):
            os.stat(obliging / name)
    assert names(obliging / "app") == ["1.0"]
    assert (obliging / "app/1.0/manifest.json").read_bytes() == image.data


@pytest.mark.parametrize("catalog", [200, 404])
def test_a_push_into_a_new_repository(obliging, proxy, client, image, tmp_path,
                                      catalog):
    if catalog != 200:
        proxy.answers("/_catalog", status=catalog)
    (tmp_path / "app.tar").write_bytes(docker_archive([("app:1.0", image)]))
    for name in ("team", "team/app"):
        run("mkdir", obliging / name)
    run("cp", tmp_path / "app.tar", obliging / "team/app/1.0.tar")
    assert client.tags("team/app") == ["1.0"]
    assert names(obliging / "team/app") == ["1.0"]


# Lists whose next page is named in another way.

def paged(proxy, link, count=85, page=50):
    """Serves the tags of app in pages; link: the field, of a path."""
    tags = [f"t{i:02}" for i in range(count)]

    def serve(request, _):
        start = int(request.path.partition("?after=")[2] or 0)
        rest = count - start - page
        following = f"/v2/app/tags/list?after={start + page}"
        headers = {"Link": link.format(following)} if rest > 0 else {}
        body = json.dumps({"name": "app", "tags": tags[start:start + page]})
        return Answer(200, JSON | headers, body.encode())

    proxy.serves("/app/tags/list", serve)
    return tags


@pytest.mark.parametrize("link", [
    '<{}>; rel="next"', "{}; rel=next", '{};rel="next"', "<{}>", "{}",
    '</v2/>; rel="help", <{}>; rel="next"'])
def test_a_next_page(mount, proxy, client, image, link):
    image.push(client, "app", "1.0")
    tags = paged(proxy, link)
    assert names(mount(proxy) / "app") == tags


@pytest.mark.parametrize("link", [
    '<{}; rel="next"', "<{}> rel=next", "see page 2", '; rel="next"'])
def test_a_next_page_that_cannot_be_read(mount, proxy, client, image, link):
    image.push(client, "app", "1.0")
    paged(proxy, link)
    root = mount(proxy)
    root.expect_error("list has more pages, but the Link .* cannot be parsed")
    with fails_with(errno.EIO):
        os.listdir(root / "app")


# Registries that have more than they list.

@pytest.fixture
def cache(make_registry, registry):
    """A pull-through cache of the registry."""
    return make_registry(upstream=registry.url)


def test_a_pull_through_cache(mount, cache, client, image):
    for repository in ("solo", "base/app", "deep/er/app"):
        image.push(client, repository, "1.0")
    root = mount(cache)
    assert names(root.path) == []
    assert names(root / "base/app") == ["1.0"]
    assert (root / "deep/er/app/1.0/manifest.json").read_bytes() == image.data
    assert (root / "solo/1.0/manifest.json").read_bytes() == image.data
    assert names(root.path) == ["base", "deep", "solo"]
    with fails_with(errno.ENOENT):
        os.stat(root / "solo/2.0/manifest.json")


def test_a_registry_that_lists_all_is_asked_once(mount, proxy, client, image):
    image.push(client, "app", "1.0")
    root = mount(proxy)
    names(root.path)
    with proxy.requests() as seen:
        for name in ("one", "two", "three"):
            with fails_with(errno.ENOENT):
                os.stat(root / name)
    assert len(seen.matching("GET", "/manifests/sha256:")) == 1


# Registries that list no tags.

@pytest.fixture
def static(tmp_path, image):
    with StaticRegistry(tmp_path / "static") as registry:
        registry.put("app", image, "1.0")
        registry.put("team/web", image, "latest")
        yield registry


def test_static_files(mount, static, image):
    root = mount(static)
    for directory in ("app/1.0", "team/web/latest", "app:1.0",
                      f"app@{image.digest}"):
        assert (root / directory / "manifest.json").read_bytes() == image.data
        assert os.listdir(root / directory / "rootfs")
    for name in ("app/2.0", "team/web/2.0", "app:2.0"):
        with fails_with(errno.ENOENT):
            os.stat(root / name)


# A repository below a tag.

@pytest.mark.parametrize("options", [(), ("tag_ttl=0",)])
@pytest.mark.parametrize("below", ["app/web", "app/web/deep"])
def test_a_repository_below_a_tag_that_is_known(mount, registry, client, image,
                                                options, below):
    image.push(client, "app", "web")
    root = mount(registry, *options)
    assert names(root.path) == ["app"]
    assert (root / "app/web/manifest.json").read_bytes() == image.data
    other = oci_image().push(client, below, "1.0")
    assert (root / below / "1.0/manifest.json").read_bytes() == other.data
    assert names(root / below) == ["1.0"]
    assert (root / "app/:web/manifest.json").read_bytes() == image.data


# What was entered is listed by later mounts with the same cache.

@pytest.fixture
def unlisting(proxy, client, image):
    for name in ("team/app", "team/web", "solo"):
        image.push(client, name, "1.0")
    proxy.answers("/_catalog", status=404)
    return proxy


@pytest.fixture
def kept(tmp_path):
    """The option for a cache that mounts share."""
    return f"cache={tmp_path / 'kept'}"


def test_names_are_remembered_over_mounts(mount, unlisting, kept):
    first = mount(unlisting, kept)
    assert names(first.path) == ["README"]
    assert names(first / "team/app") == ["1.0"]
    assert (first / "solo:1.0/manifest.json").is_file()
    first.unmount()
    second = mount(unlisting, kept)
    with unlisting.requests() as seen:
        assert names(second.path) == ["solo", "team"]
        assert names(second / "team") == ["app"]
    assert seen.count("GET", TAGS) <= 1
    assert names(second / "team/web") == ["1.0"]
    second.unmount()
    assert names(mount(unlisting, kept) / "team") == ["app", "web"]


def test_a_name_that_is_gone_is_forgotten(mount, unlisting, kept):
    first = mount(unlisting, kept)
    for name in ("team/app", "team/web"):
        os.listdir(first / name)
    first.unmount()
    unlisting.answers("/team/app/", status=404, headers=JSON,
                      body=b'{"errors":[{"code":"NAME_UNKNOWN"}]}')
    second = mount(unlisting, kept, "tag_ttl=0")
    assert names(second / "team") == ["app", "web"]
    assert names(second / "team/app") == []
    assert names(second / "team") == ["web"]
    second.unmount()
    assert names(mount(unlisting, kept) / "team") == ["web"]


def test_what_lists_needs_no_memory(mount, proxy, client, image, kept):
    image.push(client, "app", "1.0")
    first = mount(proxy, kept)
    assert names(first / "app") == ["1.0"]
    first.unmount()
    proxy.answers("/_catalog", status=404)
    assert names(mount(proxy, kept).path) == ["README"]
