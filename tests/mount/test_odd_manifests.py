# SPDX-License-Identifier: Apache-2.0
"""What comes in the place of a tag's manifest, or of the news that there is
none, is no missing name: tools fail, and the log says what was answered."""

import errno
import os

import pytest

from support.images import oci_image
from support.layers import image_of
from support.oddly import HTML, JSON, PAGE
from support.system import fails_with, run
from support.tars import file
from test_odd_lists import GATEWAYS, NOT_FOUND

TAG = "/app/manifests/1.0"
IMAGE = oci_image()
# Of a 200, and what the log says of it.
NO_MANIFESTS = {
    "a name": (b'{"name":"x"}', "neither an image manifest nor an index"),
    "nothing in it": (
        b"{}", r'answered 200 with "\{\}", which is not a manifest'),
    "cut": (IMAGE.data[:100], "not a manifest: bad JSON"),
    "by its type": (b'{"schemaVersion":2,"mediaType":"application/vnd.oci.'
                    b'image.index.v1+json"}', 'the index has no "manifests"'),
}
LOOKS = [lambda path: os.listdir(path),
         lambda path: (path / "manifest.json").read_bytes(),
         lambda path: path.with_name("1.0.tar").read_bytes()]


@pytest.fixture
def root(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    return mount(proxy, "tag_ttl=0")


@pytest.mark.parametrize("odd", NO_MANIFESTS)
@pytest.mark.parametrize("warm", [True, False])
def test_a_document_that_is_no_manifest(root, proxy, odd, warm):
    body, words = NO_MANIFESTS[odd]
    root.expect_error(words)
    root.allow_error(r"app:1\.0(\.tar)?: .*, which is not a manifest: ")
    os.listdir(root / ("app/1.0" if warm else "app"))
    proxy.answers(TAG, status=200, headers=JSON, body=body)
    for look in LOOKS:
        with fails_with(errno.EIO):
            look(root / "app/1.0")
    proxy.heal()
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data


def test_schema_1_is_said_to_be_that(root, proxy):
    """It is a manifest."""
    root.expect_error("schema 1, which is obsolete")
    proxy.answers("/app/manifests/", status=200, headers=JSON,
                  body=b'{"schemaVersion":1,"fsLayers":[]}')
    with fails_with(errno.ENOTSUP):
        os.listdir(root / "app/1.0")


# A 404 of nobody's.

@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("known", ["listed", "looked at"])
def test_a_gateways_404_for_a_tag(root, proxy, gateway, known):
    answer, words = GATEWAYS[gateway]
    root.expect_error(f"app:1.0.*{words}")
    os.listdir(root / ("app" if known == "listed" else "app:1.0"))
    proxy.serves(TAG, lambda *_: answer)
    for look in LOOKS:
        with fails_with(errno.EIO):
            look(root / "app/1.0")
    proxy.heal()
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data


@pytest.mark.parametrize("ttl", [0, 300])
def test_a_tag_that_was_listed_before(mount, proxy, client, tmp_path, ttl):
    """Tools end with an error, and not with `vanished`."""
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, f"tag_ttl={ttl}")
    root.expect_error("app:1.0.*answered 404 with a page")
    assert os.listdir(root / "app") == ["1.0"]
    proxy.answers(TAG, status=404, headers=HTML, body=PAGE)
    result = run("rsync", "-a", f"{root.path}/app/", tmp_path / "copy",
                 check=False)
    assert result.returncode == 23, result
    assert run("tar", "-cf", tmp_path / "tar", "-C", root / "app", ".",
               check=False).returncode == 2


def test_a_redirect_to_what_is_missing(root, proxy):
    root.expect_error("app:1.0.*status 404")
    os.listdir(root / "app")
    proxy.answers("/elsewhere", status=404)
    proxy.answers(TAG, status=302, headers={"Location": "/elsewhere"})
    with fails_with(errno.EIO):
        os.listdir(root / "app/1.0")


@pytest.mark.parametrize("body", [NOT_FOUND, b""])
def test_a_tag_that_is_gone(mount, make_registry, proxy_of, body):
    """As the registry says, or its list where its 404 has no body."""
    registry = make_registry(deletes=True)
    client, proxy = registry.client(), proxy_of(registry)
    IMAGE.push(client, "app", "1.0")
    oci_image(architecture="arm64").push(client, "app", "other")
    root = mount(proxy, "tag_ttl=0")
    os.listdir(root / "app")
    os.listdir(root / "app/1.0")
    client.request("DELETE", f"/v2/app/manifests/{IMAGE.digest}")
    proxy.answers(TAG, status=404, body=body)
    with fails_with(errno.ENOENT):
        os.stat(root / "app/1.0")
    assert os.listdir(root / "app") == ["other"]


def test_a_name_that_nobody_has_seen_costs_one_request(root, proxy):
    os.listdir(root / "app")
    with proxy.requests() as seen, fails_with(errno.ENOENT):
        os.stat(root / "app/2.0")
    assert seen.count("HEAD", "/manifests/2.0") == 1
    assert seen.count("GET", "/manifests/2.0") == 0


# A tag that names what the registry does not have.

def test_a_manifest_that_is_lost(root, proxy):
    root.expect_error(f"the registry does not have manifest {IMAGE.digest}, "
                      "although the tag names it: push the image again")
    proxy.refuses(f"/app/manifests/{IMAGE.digest}", status=404,
                  code="MANIFEST_UNKNOWN", message="manifest unknown")
    for look in LOOKS:
        with fails_with(errno.EIO):
            look(root / "app/1.0")
    proxy.heal()
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data


def test_a_tag_that_has_moved_from_what_is_gone(mount, make_registry):
    """The tag is believed to name it for tag_ttl."""
    registry = make_registry(deletes=True)
    client = registry.client()
    other = image_of([file("other", "1")])
    IMAGE.push(client, "app", "1.0")
    root = mount(registry, "tag_ttl=300")
    os.listdir(root / "app:1.0")
    (kept,) = root.cache.rglob(f"*{IMAGE.digest.split(':')[1]}")
    kept.unlink()
    other.push(client, "app", "1.0")
    client.request("DELETE", f"/v2/app/manifests/{IMAGE.digest}")
    assert (root / "app/1.0/manifest.json").read_bytes() == other.data
