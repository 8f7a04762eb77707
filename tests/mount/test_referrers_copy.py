# SPDX-License-Identifier: Apache-2.0
"""-o referrers: a copy of an image takes along what refers to it."""

import os

import pytest

from support.images import index_of, oci_image, platform_images
from support.referrers import (
    SIGSTORE, fallback_entries, fallback_tag, list_referrers, listed,
    referrer_of)
from support.system import run


def digests(client, repository, subject):
    return [entry["digest"]
            for entry in fallback_entries(client, repository, subject)]


def attach(client, subject, *referrers):
    for referrer in referrers:
        referrer.push(client, "app")
    listed(*referrers).push(client, "app", fallback_tag(subject))


@pytest.fixture
def image(client):
    return oci_image().push(client, "app", "1.0")


def copy(root, repository="copy"):
    (root / repository).mkdir(exist_ok=True)
    # Which cp makes of copy_file_range(2).
    run("cp", root / "app/1.0.tar", root / repository / "1.0.tar")


def test_what_refers_is_copied(mount, proxy, client, image):
    sbom, report = referrer_of(image), referrer_of(image, b"report", SIGSTORE)
    signature = referrer_of(sbom, b"signature", SIGSTORE)
    attach(client, image, sbom, report)
    attach(client, sbom, signature)
    root = mount(proxy, "referrers")
    with proxy.requests() as seen:
        copy(root)
    # No byte of a blob travels, but the config's that has the file's time.
    assert seen.received("GET", "/blobs/") == len(image.config.data)
    assert seen.count("PUT", "/blobs/") == 0
    assert digests(client, "copy", image) == [sbom.digest, report.digest]
    assert digests(client, "copy", sbom) == [signature.digest]
    for manifest in (image, sbom, report, signature):
        assert client.manifest("copy", manifest.digest).body == manifest.data
        for blob in manifest.blobs:
            assert client.blob("copy", blob.digest) == blob.data
    assert len(os.listdir(root / "copy/1.0/referrers")) == 2


def test_only_if_it_is_wanted(mount, registry, client, image):
    attach(client, image, referrer_of(image))
    copy(mount(registry))
    assert client.tags("copy") == ["1.0"]


def test_a_copy_in_the_same_repository(mount, proxy, client, image):
    attach(client, image, referrer_of(image))
    root = mount(proxy, "referrers")
    with proxy.requests() as seen:
        run("cp", root / "app/1.0.tar", root / "app/2.0.tar")
    assert seen.count(path="/referrers/|/manifests/sha256-") == 0, seen
    assert len(os.listdir(root / "app/2.0/referrers")) == 1


def test_an_index_with_its_platforms(mount, registry, client):
    images = platform_images()
    index = index_of(images).push(client, "app", "1.0")
    of_index = referrer_of(index, b"index", SIGSTORE)
    of_amd64 = referrer_of(images[0][0])
    attach(client, index, of_index)
    attach(client, images[0][0], of_amd64)
    copy(mount(registry, "referrers"))
    assert digests(client, "copy", index) == [of_index.digest]
    assert digests(client, "copy", images[0][0]) == [of_amd64.digest]
    assert digests(client, "copy", images[1][0]) == []


def test_what_the_copy_has_already_stays(mount, registry, client, image):
    sbom = referrer_of(image)
    attach(client, image, sbom)
    other = referrer_of(image, b"other")
    image.push(client, "copy", "1.0")
    listed(other).push(client, "copy", fallback_tag(image))
    copy(mount(registry, "referrers"))
    assert digests(client, "copy", image) == [other.digest, sbom.digest]
    copy(mount(registry, "referrers"))
    assert digests(client, "copy", image) == [other.digest, sbom.digest]


def test_tags_of_cosign(mount, registry, client, image):
    signature = oci_image(created="2001-01-01T00:00:00Z").push(
        client, "app", fallback_tag(image) + ".sig")
    copy(mount(registry, "referrers"))
    tag = fallback_tag(image) + ".sig"
    assert client.tags("copy") == ["1.0", tag]
    assert client.manifest("copy", tag).body == signature.data


def test_a_list_that_names_what_is_not_there(mount, proxy, client, image):
    sbom, gone = referrer_of(image), referrer_of(image, b"gone")
    attach(client, image, gone, sbom)
    proxy.refuses(f"/app/manifests/{gone.digest}", status=404,
                  code="MANIFEST_UNKNOWN", message="manifest unknown")
    copy(mount(proxy, "referrers"))
    assert digests(client, "copy", image) == [sbom.digest]


def test_a_registry_that_lists_them(mount, proxy, client, image):
    list_referrers(proxy, client)
    sbom = referrer_of(image).push(type(client)(proxy.url), "app")
    root = mount(proxy, "referrers")
    copy(root)
    assert client.tags("copy") == ["1.0"]
    (name,) = os.listdir(root / "copy/1.0/referrers")
    assert (root / "copy/1.0/referrers" / name / "manifest.json"
            ).read_bytes() == sbom.data


def test_a_copy_that_cannot_take_them_fails(mount, proxy, client, image):
    attach(client, image, referrer_of(image))
    proxy.answers(f"/copy/manifests/{fallback_tag(image)}", status=403,
                  method="PUT")
    root = mount(proxy, "referrers")
    root.expect_error("referrers of the image")
    (root / "copy").mkdir()
    result = run("cp", root / "app/1.0.tar", root / "copy/1.0.tar",
                 check=False)
    assert result.returncode == 1
    assert "Permission denied" in result.stderr


@pytest.mark.parametrize("script", ["ln -s ../app/1.0 1.0",
                                    "cp ../app/1.0.tar 1.0.tar"])
def test_every_way_to_copy_takes_it_along(mount, registry, client, image,
                                          script):
    sbom = referrer_of(image)
    attach(client, image, sbom)
    root = mount(registry, "referrers")
    (root / "copy").mkdir()
    run("bash", "-c", f'cd "$0" && {script}', root / "copy")
    assert digests(client, "copy", image) == [sbom.digest]


@pytest.mark.parametrize("command", [["rmdir"], ["rm", "-r"]])
def test_a_referrer_is_removed(mount, make_registry, command):
    registry = make_registry(deletes=True)
    client = registry.client()
    image = oci_image().push(client, "app", "1.0")
    sbom, report = referrer_of(image), referrer_of(image, b"report", SIGSTORE)
    attach(client, image, sbom, report)
    root = mount(registry, "delete=recursive")
    directory = root / "app/1.0/referrers"
    (name,) = [name for name in os.listdir(directory)
               if name.startswith("spdx")]
    run(*command, directory / name)
    assert digests(client, "app", image) == [report.digest]
    assert not client.has_manifest("app", sbom.digest)
    assert len(os.listdir(directory)) == 1
    assert client.has_manifest("app", image.digest)


def test_the_tag_comes_last(mount, proxy, registry, client, image):
    """Where what refers to the image cannot be copied, nothing is changed."""
    sbom = referrer_of(image)
    attach(client, image, sbom)
    before = oci_image(created="2001-01-01T00:00:00Z").push(
        client, "copy", "1.0")
    root = mount(proxy, "referrers")
    root.expect_error("copy")
    proxy.refuses(f"/copy/manifests/{sbom.digest}", status=403, code="DENIED",
                  message="no", method="PUT")
    result = run("cp", root / "app/1.0.tar", root / "copy/1.0.tar", check=False)
    assert result.returncode != 0
    assert client.manifest("copy", "1.0").body == before.data
