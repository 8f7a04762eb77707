# SPDX-License-Identifier: Apache-2.0
"""referrers/: what refers to an image, as it is shown."""

import errno
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.process import wait_until
from support import parts
from support.images import (
    OCI_CONFIG, OCI_MANIFEST, Blob, Manifest, index_of, oci_image,
    platform_images)
from support.referrers import (
    CYCLONEDX, DSSE, IN_TOTO, OCTETS, SBOM, SIGSTORE, SPDX, fallback_tag,
    list_referrers, listed, referrer_of)
from support.system import fails_with, run

REFERS = r"/referrers/|/manifests/sha256-|/tags/list"


def names(path):
    return sorted(os.listdir(path))


def short(manifest):
    return manifest.digest.removeprefix("sha256:")[:12]


@pytest.fixture
def image(client):
    return oci_image().push(client, "app", "1.0")


def attach_by_tag(client, subject, *referrers, repository="app"):
    """As a client does where the registry has no list."""
    listed(*referrers).push(client, repository, fallback_tag(subject))


def test_nothing_is_asked_before_it_is_entered(mount, proxy, client, image):
    directory = mount(proxy) / "app/1.0"
    with proxy.requests() as seen:
        assert "referrers" in names(directory)
        run("ls", "-l", directory)
        assert (directory / "referrers").is_dir()
    assert seen.count(path=REFERS) == 0, seen
    with proxy.requests() as seen:
        assert names(directory / "referrers") == []
    # No such API, once a mount; and no such tag, which the list says.
    assert [(r.method, r.path, r.status) for r in seen] == [
        ("GET", f"/v2/app/referrers/{image.digest}", 404),
        ("GET", "/v2/app/tags/list", 200)]
    other = oci_image(created="2001-01-01T00:00:00Z").push(client, "app")
    with proxy.requests() as seen:
        assert names(directory / "referrers") == []
        for digest in (image.digest, other.digest):
            assert names(directory.parent / f"@{digest}/referrers") == []
    assert seen.count(path="/referrers/|/manifests/sha256-|/tags/list") == 0


def test_what_a_tag_lists(mount, proxy, client, image):
    sbom = referrer_of(image, title="app.spdx.json")
    attach_by_tag(client, image, sbom)
    referrers = mount(proxy) / "app/1.0/referrers"
    with proxy.requests() as seen:
        run("ls", "-l", referrers)
    assert seen.count(path="/v2/.*/referrers/") == 1
    assert seen.count(path="/tags/list") == 1
    assert seen.count(path=f"/manifests/{fallback_tag(image)}") == 1
    # What refers is read when somebody enters it.
    assert seen.count(path=sbom.digest) == 0, seen
    (name,) = names(referrers)
    assert name == f"spdx-{short(sbom)}"
    assert names(referrers / name) == parts.ARTIFACT
    assert (referrers / name / "manifest.json").read_bytes() == sbom.data
    assert names(referrers / name / "files") == ["app.spdx.json"]
    assert (referrers / name / "files/app.spdx.json").read_bytes() == SBOM


@pytest.mark.parametrize("artifact_type, name, file", [
    (SPDX, "spdx", ".spdx.json"), (CYCLONEDX, "cyclonedx", ".cdx.json"),
    (IN_TOTO, "in-toto", ".intoto.json"), (DSSE, "in-toto", ".intoto.json"),
    (SIGSTORE, "sigstore", ".sigstore.json"),
    ("application/vnd.example.report+json", "artifact", ".json"),
    (OCTETS, "artifact", "")])
def test_names_are_those_of_kinds(mount, registry, client, image,
                                  artifact_type, name, file):
    referrer = referrer_of(image, b"content", artifact_type)
    attach_by_tag(client, image, referrer)
    referrers = mount(registry) / "app/1.0/referrers"
    assert names(referrers) == [f"{name}-{short(referrer)}"]
    files = referrers / f"{name}-{short(referrer)}" / "files"
    digest = hashlib.sha256(b"content").hexdigest()
    assert names(files) == [f"sha256-{digest}{file}"]
    assert (files / names(files)[0]).read_bytes() == b"content"


def test_a_referrer_is_found_by_its_digest(mount, registry, client, image):
    sbom = referrer_of(image)
    attach_by_tag(client, image, sbom)
    referrers = mount(registry) / "app/1.0/referrers"
    whole = sbom.digest.removeprefix("sha256:")
    for name in (sbom.digest, f"spdx-{whole}", f"spdx-{short(sbom)}"):
        assert (referrers / name / "manifest.json").read_bytes() == sbom.data
    for name in ("spdx-" + "0" * 12, "cyclonedx-" + short(sbom), image.digest,
                 "spdx", "spdx-" + short(sbom)[:-1]):
        with pytest.raises(FileNotFoundError):
            os.stat(referrers / name)


def test_attributes(mount, registry, client, image):
    sbom = referrer_of(image, annotations={"org.example.a": "b"})
    attach_by_tag(client, image, sbom)
    root = mount(registry)
    directory = root / f"app/1.0/referrers/spdx-{short(sbom)}"
    xattrs = {name: os.getxattr(directory, name).decode()
              for name in os.listxattr(directory)}
    assert xattrs == {
        "user.oci.digest": sbom.digest, "user.oci.mediatype": OCI_MANIFEST,
        "user.oci.artifacttype": SPDX, "user.oci.size": str(len(sbom.data)),
        "user.oci.annotation.org.example.a": "b",
        "user.oci.reference": f"{registry.address}/app@{sbom.digest}"}
    assert "user.oci.artifacttype" not in os.listxattr(root / "app/1.0")


def test_what_refers_to_a_referrer(mount, registry, client, image):
    sbom = referrer_of(image)
    signature = referrer_of(sbom, b"signature", SIGSTORE)
    attach_by_tag(client, image, sbom)
    attach_by_tag(client, sbom, signature)
    path = (mount(registry) / "app/1.0/referrers" / f"spdx-{short(sbom)}"
            / "referrers" / f"sigstore-{short(signature)}")
    assert (path / "manifest.json").read_bytes() == signature.data


def test_an_index_and_its_platforms(mount, registry, client):
    images = platform_images()
    index = index_of(images).push(client, "app", "1.0")
    of_index = referrer_of(index, b"index", SIGSTORE)
    of_amd64 = referrer_of(images[0][0])
    attach_by_tag(client, index, of_index)
    attach_by_tag(client, images[0][0], of_amd64)
    directory = mount(registry) / "app/1.0"
    assert names(directory / "referrers") == [f"sigstore-{short(of_index)}"]
    assert names(directory / "platforms/linux-amd64/referrers") == [
        f"spdx-{short(of_amd64)}"]
    assert names(directory / "platforms/linux-arm64/referrers") == []


def cosign_image(media_type, data):
    """cosign's SIGNATURE_SPEC: an image whose layers are documents."""
    config = Blob(OCI_CONFIG, b'{"architecture":"","os":"","config":{},'
                              b'"rootfs":{"type":"layers","diff_ids":[]}}')
    layer = Blob(media_type, data)
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "config": config.descriptor(), "layers": [layer.descriptor()]}
    return Manifest(OCI_MANIFEST, json.dumps(manifest).encode(),
                    blobs=(config, layer))


def test_what_cosign_keeps_under_tags(mount, proxy, client, image):
    tag = fallback_tag(image)
    made = {
        "cosign-signature": ("sig", cosign_image(
            "application/vnd.dev.cosign.simplesigning.v1+json", b"1")),
        "in-toto": ("att", cosign_image(DSSE, b"2")),
        "cosign-sbom": ("sbom", cosign_image("text/spdx", b"3"))}
    for ending, manifest in made.values():
        manifest.push(client, "app", f"{tag}.{ending}")
    referrers = mount(proxy) / "app/1.0/referrers"
    with proxy.requests() as seen:
        assert names(referrers) == sorted(
            f"{name}-{short(manifest)}"
            for name, (_, manifest) in made.items())
    assert seen.count(path=REFERS) == 2 + len(made), seen
    for name, (_, manifest) in made.items():
        directory = referrers / f"{name}-{short(manifest)}"
        assert (directory / "manifest.json").read_bytes() == manifest.data
        (file,) = names(directory / "files")
        assert ((directory / "files" / file).read_bytes()
                == manifest.layers[0].data)


def test_a_tag_that_is_no_list(mount, registry, client, image):
    oci_image(created="2001-01-01T00:00:00Z").push(
        client, "app", fallback_tag(image))
    root = mount(registry)
    assert names(root / "app/1.0/referrers") == []
    root.wait_for_log(f"{fallback_tag(image)} is not a list of referrers")


def test_a_list_that_names_what_is_not_there(mount, proxy, client, image):
    sbom = referrer_of(image)
    attach_by_tag(client, image, sbom)
    proxy.refuses(f"/manifests/{sbom.digest}", status=404,
                  code="MANIFEST_UNKNOWN", message="manifest unknown")
    root = mount(proxy)
    root.expect_error(f"does not have manifest {sbom.digest}")
    referrers = root / "app/1.0/referrers"
    assert names(referrers) == [f"spdx-{short(sbom)}"]
    with fails_with(errno.EIO):
        os.listdir(referrers / f"spdx-{short(sbom)}")


def test_a_list_that_leads_in_a_circle(mount, proxy, client, image):
    """No registry has one, for a digest cannot be known before; but the word
    of one can be anything."""
    sbom = referrer_of(image)
    attach_by_tag(client, image, sbom)
    circle = client.manifest("app", fallback_tag(image))
    proxy.answers(f"/manifests/{fallback_tag(sbom)}", status=200,
                  body=circle.body, headers=dict(circle.headers))
    client.put_manifest("app", fallback_tag(sbom), circle.body,
                        circle.headers["Content-Type"])
    found = run("find", mount(proxy) / "app/1.0/referrers", "-name",
                "manifest.json").stdout.splitlines()
    assert 1 < len(found) < 10


# A registry that lists them itself.

@pytest.mark.parametrize("page", [100, 1])
def test_the_registrys_own_list(mount, proxy, client, image, page):
    list_referrers(proxy, client, page=page)
    through_proxy = type(client)(proxy.url)
    made = [referrer_of(image, kind.encode(), kind)
            for kind in (SPDX, CYCLONEDX, SIGSTORE)]
    for referrer in made:
        referrer.push(through_proxy, "app")
    referrers = mount(proxy) / "app/1.0/referrers"
    with proxy.requests() as seen:
        run("ls", "-l", referrers)
    assert seen.count(path="/v2/app/referrers/") == (1 if page > 3 else 3)
    assert seen.count(path="/tags/list") == 1
    assert seen.count(path=f"/manifests/{fallback_tag(image)}") == 0, seen
    assert all(seen.count(path=other.digest) == 0 for other in made)
    assert names(referrers) == sorted(
        f"{name}-{short(referrer)}" for name, referrer
        in zip(("spdx", "cyclonedx", "sigstore"), made))


def test_a_list_that_many_want_is_asked_for_once(mount, proxy, client, image):
    attach_by_tag(client, image, referrer_of(image))
    referrers = mount(proxy) / "app/1.0/referrers"
    os.stat(referrers)
    with proxy.requests() as seen, ThreadPoolExecutor(8) as threads:
        listings = list(threads.map(names, 8 * [referrers]))
    assert len(listings[0]) == 1 and all(
        listing == listings[0] for listing in listings)
    assert seen.count(path=REFERS) == 3, seen


def test_a_list_is_kept_for_tag_ttl(mount, proxy, client, image):
    list_referrers(proxy, client)
    referrers = mount(proxy, "tag_ttl=1") / "app/1.0/referrers"
    assert names(referrers) == []
    sbom = referrer_of(image).push(type(client)(proxy.url), "app")
    wait_until(lambda: names(referrers) == [f"spdx-{short(sbom)}"],
               "the referrer", 5)


def test_a_list_that_fails(mount, proxy, client, image):
    """Refused is not the same as none."""
    proxy.answers("/referrers/", status=403, times=1)
    root = mount(proxy)
    root.expect_error("app@" + image.digest)
    with pytest.raises(PermissionError):
        os.listdir(root / "app/1.0/referrers")
    assert names(root / "app/1.0/referrers") == []
