# SPDX-License-Identifier: Apache-2.0
"""Many tags, many repositories, many readers: what must not grow with them."""

import os
import subprocess

import pytest

from registry.server import DockerRegistry
from support.catalogs import add_tags, serve_catalog
from support.images import oci_image
from support.system import run

MIB = 1 << 20
MEMORY_LIMIT = 64 * MIB

TAGS = [f"build-{number:05}" for number in range(5_000)]


@pytest.fixture(scope="module")
def many_tags(tmp_path_factory):
    """A registry's storage that nobody changes, and the image in it."""
    directory = tmp_path_factory.mktemp("many-tags")
    with DockerRegistry(directory) as registry:
        image = oci_image().push(registry.client(), "app", TAGS[0])
        add_tags(registry.storage, "app", image.digest, TAGS[1:])
    return registry.storage, image


@pytest.fixture
def registry(make_registry, many_tags):
    return make_registry(storage=many_tags[0])


def test_a_long_listing_asks_for_no_tag(mount, proxy):
    root = mount(proxy, "tag_ttl=300")
    with proxy.requests() as seen:
        listing = run("ls", "-l", root / "app").stdout.splitlines()
    assert len(listing) == 1 + len(TAGS)
    assert seen.count(path="/manifests/") == 0
    assert seen.count(path="/blobs/") == 0
    assert seen.count("GET", "/app/tags/list") == 1


def test_a_second_listing_asks_for_nothing(mount, proxy):
    root = mount(proxy, "tag_ttl=300")
    run("ls", "-l", root / "app")
    with proxy.requests() as seen:
        assert run("ls", root / "app").stdout.split() == TAGS
        run("ls", "-l", root / "app")
    assert len(seen) == 0, seen


def test_every_listed_tag_is_an_image(mount, registry, many_tags):
    root = mount(registry)
    for tag in TAGS[::1000]:
        manifest = root / "app" / tag / "manifest.json"
        assert manifest.read_bytes() == many_tags[1].data


def test_a_hundred_thousand_repositories(mount, proxy, plain_binary):
    repositories = [f"group{number // 100:03}/app{number:05}"
                    for number in range(100_000)]
    serve_catalog(proxy, repositories)
    root = mount(proxy, program=plain_binary)
    groups = sorted(os.listdir(root.path))
    assert groups == sorted({name.split("/")[0] for name in repositories})
    found = [f"{group}/{name}" for group in groups
             for name in sorted(os.listdir(root / group))]
    assert found == repositories
    assert root.peak_memory() <= MEMORY_LIMIT


def test_a_million_in_deep_namespaces(mount, proxy, plain_binary):
    """Each page of _catalog is read once, whatever is listed then."""
    serve_catalog(proxy, [
        f"org{number // 10000:02}/team{number // 100 % 100:02}/"
        f"app{number % 100:02}" for number in range(1_000_000)])
    root = mount(proxy, "tag_ttl=300", program=plain_binary)
    with proxy.requests() as seen:
        assert len(os.listdir(root.path)) == 100
    assert len(seen) == 1000
    with proxy.requests() as seen:
        assert len(os.listdir(root / "org42")) == 100
        assert len(os.listdir(root / "org42/team07")) == 100
    assert len(seen) == 0
    assert root.peak_memory() <= MEMORY_LIMIT


def test_a_hundred_thousand_names_in_one_directory(mount, proxy,
                                                   plain_binary):
    repositories = [f"app{number:06}" for number in range(100_000)]
    serve_catalog(proxy, repositories)
    root = mount(proxy, program=plain_binary)
    assert run("ls", "-f", root.path).stdout.count("app") == 100_000
    run("ls", "-l", root.path, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, capture_output=False)
    assert root.peak_memory() <= MEMORY_LIMIT
