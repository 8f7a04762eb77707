# SPDX-License-Identifier: Apache-2.0
"""What an image directory holds for each form of image and artifact."""

import errno
import hashlib
import json
import os

import pytest

from registry.client import digest_of
from support import parts
from support.images import (
    DOCKER_LAYER, DOCKER_LIST, DOCKER_SCHEMA1, OCI_GZIP_LAYER, OCI_INDEX,
    OCI_LAYER, OCI_MANIFEST, Blob, Manifest, artifact, attested_index,
    compressed, docker_image, gzip_layer, index_of, linux, oci_image,
    platform_images, schema1, tar_of, zstd_stored)
from support.layers import stored_layers
from support.system import fails_with

TAR = tar_of({"file": b"content"})


def names(path):
    return sorted(os.listdir(path))


def assert_shows(directory, image):
    """The directory has exactly the image's bytes, under the right names."""
    assert (directory / "manifest.json").read_bytes() == image.data
    assert (directory / "config.json").read_bytes() == image.config.data
    assert [file.read_bytes() for file in stored_layers(directory)] == [
        layer.data for layer in image.layers]


@pytest.mark.parametrize("make, media_type", [
    (oci_image, OCI_GZIP_LAYER), (docker_image, DOCKER_LAYER)])
def test_an_image(mount, registry, client, make, media_type):
    image = make(gzip_layer({"base": b"1"}, media_type),
                 gzip_layer({"top": b"2"}, media_type))
    directory = mount(registry) / "app/1.0"
    image.push(client, "app", "1.0")
    assert names(directory) == parts.IMAGE
    assert names(directory / "layers") == [
        "01", "01.tar.gz", "02", "02.tar.gz"]
    assert_shows(directory, image)


def test_the_digest_is_that_of_manifest_json(mount, registry, client):
    image = oci_image().push(client, "app", "1.0")
    data = (mount(registry) / "app/1.0/manifest.json").read_bytes()
    assert "sha256:" + hashlib.sha256(data).hexdigest() == image.digest


def test_an_image_without_layers(mount, registry, client):
    """What `FROM scratch` and a label build."""
    image = oci_image(scratch=True).push(client, "app", "1.0")
    directory = mount(registry) / "app/1.0"
    assert names(directory) == parts.IMAGE
    assert names(directory / "layers") == names(directory / "rootfs") == []
    assert_shows(directory, image)


@pytest.mark.parametrize("media_type, data, name", [
    (OCI_LAYER, TAR, "01.tar"),
    (OCI_GZIP_LAYER, compressed(TAR), "01.tar.gz"),
    (OCI_LAYER + "+zstd", zstd_stored(TAR), "01.tar.zst"),
    (DOCKER_LAYER, compressed(TAR), "01.tar.gz"),
    # The media type does not say it, the bytes do.
    ("application/vnd.example.layer", TAR, "01.tar"),
    ("application/vnd.example.layer", compressed(TAR), "01.tar.gz"),
    ("application/vnd.example.layer", zstd_stored(TAR), "01.tar.zst"),
])
def test_the_name_of_a_layer(mount, registry, client, media_type, data, name):
    oci_image(Blob(media_type, data)).push(client, "app", "1.0")
    layers = mount(registry) / "app/1.0/layers"
    assert names(layers) == ["01", name]
    assert (layers / name).read_bytes() == data


@pytest.mark.parametrize("count, first, last", [
    (12, "01.tar", "12.tar"), (101, "001.tar", "101.tar")])
def test_names_of_layers_sort_base_first(mount, registry, client, count,
                                         first, last):
    layers = [Blob(OCI_LAYER, tar_of({f"{number}": b""}))
              for number in range(count)]
    image = oci_image(*layers).push(client, "app", "1.0")
    directory = mount(registry) / "app/1.0"
    listed = [file.name for file in stored_layers(directory)]
    assert (listed[0], listed[-1], len(listed)) == (first, last, count)
    assert_shows(directory, image)


def test_the_same_layer_twice(mount, registry, client):
    """Two `RUN true` make two equal layers."""
    layer = gzip_layer({})
    image = oci_image(layer, layer).push(client, "app", "1.0")
    directory = mount(registry) / "app/1.0"
    assert names(directory / "layers") == [
        "01", "01.tar.gz", "02", "02.tar.gz"]
    assert_shows(directory, image)


@pytest.mark.parametrize("make, media_type", [
    (oci_image, OCI_INDEX), (docker_image, DOCKER_LIST)])
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_an_index(mount, registry, client, make, media_type, architecture):
    images = platform_images(make)
    index = index_of(images, media_type).push(client, "app", "1.0")
    root = mount(registry, f"platform=linux/{architecture}")
    directory = root / "app/1.0"
    assert names(directory) == parts.INDEX
    assert (directory / "index.json").read_bytes() == index.data
    assert names(directory / "platforms") == ["linux-amd64", "linux-arm64"]
    for image, platform in images:
        name = f"linux-{platform['architecture']}"
        assert names(directory / "platforms" / name) == parts.IMAGE
        assert_shows(directory / "platforms" / name, image)
        if platform["architecture"] == architecture:
            assert_shows(directory, image)


def test_variants(mount, registry, client):
    images = [(oci_image(architecture="arm", variant=variant),
               linux("arm", variant)) for variant in ("v6", "v7")]
    index_of(images).push(client, "app", "1.0")
    directory = mount(registry, "platform=linux/arm/v7") / "app/1.0"
    assert names(directory / "platforms") == ["linux-arm-v6", "linux-arm-v7"]
    assert_shows(directory, images[1][0])


def test_an_index_without_the_mounts_platform(mount, registry, client):
    index_of(platform_images()).push(client, "app", "1.0")
    directory = mount(registry, "platform=plan9/mips") / "app/1.0"
    assert names(directory) == parts.INDEX_OF_OTHERS
    with pytest.raises(FileNotFoundError):
        os.stat(directory / "manifest.json")


def test_attestations_are_hidden(mount, registry, client):
    index = attested_index().push(client, "app", "1.0")
    directory = mount(registry) / "app/1.0"
    assert names(directory / "platforms") == ["linux-amd64", "linux-arm64"]
    # Hidden, not gone: it has a name by its digest.
    attestation = index.children[2]
    path = directory.parent / f"@{attestation.digest}" / "manifest.json"
    assert path.read_bytes() == attestation.data


def test_attestations_are_referrers(mount, make_registry):
    registry = make_registry(deletes=True)
    index = attested_index().push(registry.client(), "app", "1.0")
    root = mount(registry, "delete=recursive")
    root.expect_error("part of the index, and cannot be removed")
    referrers = root / "app/1.0/referrers"
    attestations = {f"attestation-{child.digest[7:19]}": child
                    for child in index.children[2:]}
    assert names(referrers) == sorted(attestations)
    for name, attestation in attestations.items():
        assert (referrers / name / "manifest.json").read_bytes() == (
            attestation.data)
        (file,) = (referrers / name / "files").iterdir()
        assert file.name.endswith(".intoto.json")
        assert file.read_bytes() == attestation.layers[0].data
    with fails_with(errno.EPERM):
        os.rmdir(referrers / name)
    assert names(root / "app/1.0/platforms/linux-amd64/referrers") == []


def test_a_nested_index(mount, registry, client):
    images = platform_images()
    inner = index_of(images)
    index_of([(inner, None)]).push(client, "app", "1.0")
    directory = mount(registry, "platform=linux/arm64") / "app/1.0"
    assert names(directory) == parts.INDEX
    assert_shows(directory, images[1][0])
    (inner_name,) = names(directory / "platforms")
    inner_directory = directory / "platforms" / inner_name
    assert (inner_directory / "index.json").read_bytes() == inner.data
    assert names(inner_directory / "platforms") == [
        "linux-amd64", "linux-arm64"]


def test_an_index_that_names_what_is_not_there(mount, proxy, client):
    """A mirror that copied one platform only. The other one is listed: that it
    did not exist would be no answer."""
    amd64, arm64 = platform_images()
    index = index_of([amd64, arm64]).push(client, "app", "1.0")
    proxy.refuses("/manifests/" + arm64[0].digest, status=404,
                  code="MANIFEST_UNKNOWN", message="manifest unknown")
    root = mount(proxy, "platform=linux/amd64")
    root.expect_error(f"does not have manifest {arm64[0].digest}")
    directory = root / "app/1.0"
    assert (directory / "index.json").read_bytes() == index.data
    assert names(directory / "platforms") == ["linux-amd64", "linux-arm64"]
    assert_shows(directory, amd64[0])
    with fails_with(errno.EIO):
        os.stat(directory / "platforms/linux-arm64")


FILES = {"report.txt": b"all is well\n", "data.bin": bytes(range(256)),
         "empty": b""}


def test_an_artifact(mount, registry, client):
    made = artifact(FILES).push(client, "app", "report")
    directory = mount(registry) / "app/report"
    assert names(directory) == parts.ARTIFACT
    assert (directory / "manifest.json").read_bytes() == made.data
    assert {name: (directory / "files" / name).read_bytes()
            for name in names(directory / "files")} == FILES


def serve_manifest(proxy, reference, data, media_type=OCI_MANIFEST):
    """As a registry that takes more than docker-registry does."""
    digest = digest_of(data)
    for name in (reference, digest):
        proxy.answers(f"/manifests/{name}$", status=200, body=data, headers={
            "Content-Type": media_type, "Docker-Content-Digest": digest})


def test_an_artifact_without_a_config(mount, proxy, client):
    made = artifact(FILES, with_config=False)
    for blob in made.blobs:
        client.put_blob("app", blob.data)
    serve_manifest(proxy, "report", made.data)
    directory = mount(proxy) / "app/report"
    assert names(directory) == parts.ARTIFACT_WITHOUT_CONFIG
    assert (directory / "files/report.txt").read_bytes() == b"all is well\n"


def test_titles_cannot_leave_the_directory(mount, registry, client):
    hostile = {"../../escape": b"1", "/etc/passwd": b"2", ".": b"3",
               "..": b"4", "good": b"5"}
    made = artifact(hostile).push(client, "app", "1.0")
    files = mount(registry) / "app/1.0/files"
    by_digest = {layer.digest.replace(":", "-"): layer.data
                 for layer in made.layers[:-1]}
    assert {name: (files / name).read_bytes() for name in names(files)} == (
        by_digest | {"good": b"5"})


def test_schema_1_is_refused(mount, proxy, client):
    oci_image().push(client, "app", "new")
    serve_manifest(proxy, "old", schema1("app", "old"), DOCKER_SCHEMA1)
    root = mount(proxy)
    root.expect_error("app@sha256:.*schema 1")
    with pytest.raises(OSError) as failure:
        os.listdir(root / "app/old")
    assert failure.value.errno == errno.ENOTSUP


@pytest.mark.parametrize("data", [
    b"", b"no JSON", b"[]", b'{"schemaVersion": 2}',
    json.dumps({"schemaVersion": 2, "layers": [], "manifests": []}).encode(),
    json.dumps({"schemaVersion": 2, "layers": [
        {"mediaType": OCI_LAYER, "digest": "sha256:12", "size": 1}],
        "config": {}}).encode()])
def test_a_broken_manifest_is_refused(mount, proxy, client, data):
    oci_image().push(client, "app", "1.0")
    serve_manifest(proxy, "broken", data)
    root = mount(proxy)
    root.expect_error(f"app@{digest_of(data)}")
    with pytest.raises(OSError) as failure:
        os.listdir(root / "app/broken")
    assert failure.value.errno == errno.EINVAL
    assert names(root / "app/1.0") == parts.IMAGE


def test_a_manifest_that_is_not_what_its_digest_says(mount, proxy, client):
    image = oci_image().push(client, "app", "1.0")
    other = oci_image(created="2001-01-01T00:00:00Z")
    proxy.answers(f"/manifests/{image.digest}$", status=200, body=other.data,
                  headers={"Content-Type": OCI_MANIFEST})
    root = mount(proxy)
    root.expect_error(f"{image.digest}.*{other.digest}|"
                      f"{other.digest}.*{image.digest}")
    with pytest.raises(OSError) as failure:
        os.listdir(root / f"app@{image.digest}")
    assert failure.value.errno == errno.EIO


def test_a_config_that_is_no_json_is_still_bytes(mount, registry, client):
    """It is shown as it stands; only what it would tell is unknown."""
    config = Blob("application/vnd.oci.image.config.v1+json", b"no JSON")
    layer = gzip_layer({"file": b""})
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "config": config.descriptor(), "layers": [layer.descriptor()]}
    Manifest(OCI_MANIFEST, json.dumps(manifest).encode(),
             blobs=(config, layer)).push(client, "app", "1.0")
    directory = mount(registry) / "app/1.0"
    assert (directory / "config.json").read_bytes() == b"no JSON"
    assert names(directory / "layers") == ["01", "01.tar.gz"]
