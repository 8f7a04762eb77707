# SPDX-License-Identifier: Apache-2.0
"""What comes in place of a list is no empty list: of tags, of repositories, of
what refers to an image."""

import errno
import json
import os

import pytest

from registry.proxy import Answer
from support.images import oci_image
from support.oddly import ANSWERS, HTML, PAGE
from support.referrers import (
    fallback_entries, fallback_tag, list_referrers, listed, referrer_of)
from support.system import fails_with, run

NOT_FOUND = b'{"errors":[{"code":"NOT_FOUND","message":"no such thing"}]}'
# What a gateway answers that has no registry.
GATEWAYS = {
    "text": (Answer(404, {"Content-Type": "text/plain"},
                    b"404 page not found\n"), r"404 page not found \(404\)"),
    "page": (Answer(404, HTML, PAGE), "answered 404 with a page"),
    "object": (Answer(404, {}, b"{}"), 'answered 404 with "{}"'),
    "nothing": (Answer(404), "status 404"),
}
TAGS = "/app/tags/list"


@pytest.fixture
def image(client):
    return oci_image().push(client, "app", "1.0")


@pytest.fixture
def root(mount, proxy, image):
    return mount(proxy, "tag_ttl=0")


@pytest.mark.parametrize("odd", ANSWERS)
@pytest.mark.parametrize("warm", [True, False])
def test_what_is_no_list_of_tags(root, proxy, odd, warm):
    answer, words = ANSWERS[odd]
    root.expect_error(f"app: {words}")
    if warm:
        os.listdir(root / "app")
    proxy.serves(TAGS, lambda *_: answer)
    with fails_with(errno.EIO):
        os.listdir(root / "app")
    assert run("ls", root / "app", check=False).returncode != 0
    proxy.heal()
    assert os.listdir(root / "app") == ["1.0"]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_gateways_404_for_a_repository_that_is_listed(root, proxy, gateway):
    answer, words = GATEWAYS[gateway]
    root.expect_error(f"app.*{words}")
    proxy.serves(TAGS, lambda *_: answer)
    with fails_with(errno.EIO):
        os.listdir(root / "app")
    proxy.heal()
    assert os.listdir(root / "app") == ["1.0"]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_gateways_404_for_a_repository_that_was_found(mount, proxy, image,
                                                        gateway):
    """By a tag of it, where the registry does not list."""
    proxy.answers("/_catalog", status=404)
    root = mount(proxy, "tag_ttl=0")
    root.expect_error(GATEWAYS[gateway][1])
    assert (root / "app:1.0/manifest.json").read_bytes() == image.data
    proxy.serves(TAGS, lambda *_: GATEWAYS[gateway][0])
    with fails_with(errno.EIO):
        os.listdir(root / "app")


def test_a_gateways_404_for_a_name_that_nobody_knows(mount, proxy, image):
    """Where the registry does not list: it may be a namespace."""
    proxy.answers("/_catalog", status=404)
    proxy.answers("/team/", status=404)
    root = mount(proxy)
    assert os.listdir(root / "team") == []
    assert os.listdir(root / "app") == ["1.0"]


@pytest.mark.parametrize("body", [
    b'{"name": "app", "tags": null}', b'{"name": "app", "tags": []}'])
def test_no_tags(root, proxy, body):
    proxy.answers(TAGS, status=200, body=body)
    assert os.listdir(root / "app") == []


@pytest.mark.parametrize("body", [None, NOT_FOUND])
def test_the_registry_says_that_there_are_none(root, proxy, client, image,
                                               body):
    """docker-registry's NAME_UNKNOWN for a repository that it lists, and that
    has manifests without a tag, or Harbor's."""
    oci_image().push(client, "untagged")
    assert "untagged" in client.get("/v2/_catalog").json()["repositories"]
    assert client.request("GET", "/v2/untagged/tags/list").status == 404
    if body:
        proxy.answers("/untagged/tags/list", status=404, body=body)
    assert os.listdir(root / "untagged") == []


def test_a_list_whose_second_page_is_missing(root, proxy):
    root.expect_error("app.*NAME_UNKNOWN")
    proxy.refuses(r"/tags/list\?n=1", status=404, code="NAME_UNKNOWN",
                  message="no such name")
    proxy.answers(TAGS, status=200, body=b'{"tags": ["1.0"]}', headers={
        "Link": '</v2/app/tags/list?n=1>; rel="next"'})
    with fails_with(errno.EIO):
        os.listdir(root / "app")


def test_a_repository_is_not_removed_for_want_of_a_list(mount, proxy, client,
                                                        image):
    root = mount(proxy, "delete=recursive,tag_ttl=0")
    root.allow_error("answered 200|could not|was refused")
    os.listdir(root / "app")
    proxy.answers(TAGS, status=200, body=b"{}")
    assert run("rm", "-r", root / "app", check=False).returncode != 0
    assert run("rmdir", root / "app", check=False).returncode != 0
    proxy.heal()
    assert os.listdir(root.path) == ["app"]
    assert os.listdir(root / "app") == ["1.0"]


# Repositories.

@pytest.mark.parametrize("odd", ANSWERS)
def test_what_is_no_catalog(root, proxy, odd):
    answer, words = ANSWERS[odd]
    root.expect_error(words)
    proxy.serves("/_catalog", lambda *_: answer)
    with fails_with(errno.EIO):
        os.listdir(root.path)
    proxy.heal()
    assert os.listdir(root.path) == ["app"]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_who_has_listed_its_repositories_has_them(root, proxy, gateway):
    root.expect_error(GATEWAYS[gateway][1])
    assert os.listdir(root.path) == ["app"]
    proxy.serves("/_catalog", lambda *_: GATEWAYS[gateway][0])
    with fails_with(errno.EIO):
        os.listdir(root.path)
    proxy.heal()
    assert os.listdir(root.path) == ["app"]


# What refers to an image.

REFERRERS = "/referrers/"


@pytest.fixture
def listing(mount, proxy, client, image):
    """A registry that lists referrers itself, one of the image for a start."""
    list_referrers(proxy, client)
    root = mount(proxy, "tag_ttl=0")
    (root / "app/1.0/referrers/note.txt").write_bytes(b"a note\n")
    return root / "app/1.0/referrers", root


def take_away(proxy, client, path, answer):
    """What the registry lists is answered otherwise."""
    proxy.heal()
    proxy.serves(path, lambda *_: answer)


@pytest.mark.parametrize("odd", ANSWERS)
def test_what_is_no_list_of_referrers(listing, proxy, client, odd):
    referrers, root = listing
    before = os.listdir(referrers)
    assert len(before) == 1
    answer, words = ANSWERS[odd]
    root.expect_error(words)
    take_away(proxy, client, REFERRERS, answer)
    with fails_with(errno.EIO):
        os.listdir(referrers)


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_who_has_listed_referrers_goes_on_to(listing, proxy, client, gateway):
    referrers, root = listing
    assert len(os.listdir(referrers)) == 1
    root.expect_error(GATEWAYS[gateway][1])
    take_away(proxy, client, REFERRERS, GATEWAYS[gateway][0])
    with fails_with(errno.EIO):
        os.listdir(referrers)


def test_a_login_page_is_not_remembered(mount, proxy, client, image):
    """It says nothing of whether the registry lists referrers."""
    index = {"schemaVersion": 2, "manifests": []}
    sbom = referrer_of(image).push(client, "app")
    index["manifests"].append(sbom.descriptor())
    proxy.answers(REFERRERS, status=200, headers=HTML, body=PAGE, times=1)
    proxy.answers(REFERRERS, status=200, body=json.dumps(index).encode(),
                  headers={"Content-Type":
                           "application/vnd.oci.image.index.v1+json"})
    root = mount(proxy, "tag_ttl=0")
    assert os.listdir(root / "app/1.0/referrers") == []
    assert len(os.listdir(root / "app/1.0/referrers")) == 1


def test_signatures_are_not_lost_for_want_of_a_list(mount, proxy, client,
                                                    image):
    """Those that cosign keeps under tags, in a list and in a copy."""
    signature = image.digest.replace(":", "-") + ".sig"
    oci_image(author="of the signature").push(client, "app", signature)
    root = mount(proxy, "tag_ttl=0,referrers")
    assert len(os.listdir(root / "app/1.0/referrers")) == 1
    root.expect_error('answered 200 with "{}"')
    proxy.answers(TAGS, status=200, body=b"{}")
    with fails_with(errno.EIO):
        os.listdir(root / "app/1.0/referrers")
    copy = ["cp", root / "app/1.0.tar", root / "copy:1.0.tar"]
    assert "Input/output error" in run(*copy, check=False).stderr
    assert client.tags("copy") == []
    proxy.heal()
    run(*copy)
    assert client.tags("copy") == ["1.0", signature]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_list_that_a_gateway_hides_is_not_begun_again(mount, proxy, client,
                                                        image, gateway):
    """The one under a tag, which clients keep: what is put has all that was
    there."""
    root = mount(proxy)
    referrers = root / "app/1.0/referrers"
    (referrers / "one.txt").write_bytes(b"one\n")
    assert len(os.listdir(referrers)) == 1
    [first] = fallback_entries(client, "app", image)
    root.expect_error(GATEWAYS[gateway][1])
    proxy.serves(f"/manifests/{fallback_tag(image)}",
                 lambda *_: GATEWAYS[gateway][0], method="GET")
    with fails_with(errno.EIO):
        (referrers / "two.txt").write_bytes(b"two\n")
    assert fallback_entries(client, "app", image) == [first]
    proxy.heal()
    (referrers / ".two.txt.failed").rename(referrers / "two.txt")
    entries = fallback_entries(client, "app", image)
    assert len(entries) == 2 and first in entries


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_copy_with_referrers_leaves_none_out(mount, proxy, client, image,
                                               gateway):
    sbom = referrer_of(image).push(client, "app")
    listed(sbom).push(client, "app", fallback_tag(image))
    root = mount(proxy, "referrers")
    root.expect_error(GATEWAYS[gateway][1])
    proxy.serves(f"/app/manifests/{sbom.digest}",
                 lambda *_: GATEWAYS[gateway][0])
    copy = ["cp", root / "app/1.0.tar", root / "copy:1.0.tar"]
    assert run(*copy, check=False).returncode != 0
    assert client.tags("copy") == []
    proxy.heal()
    run(*copy)
    assert len(fallback_entries(client, "copy", image)) == 1
