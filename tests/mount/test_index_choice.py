# SPDX-License-Identifier: Apache-2.0
"""Of an index of an odd shape, the image that podman pulls is shown; and where
podman finds nothing for this platform, nothing is shown, or an error."""

import os

import pytest

from registry.client import digest_of
from support.images import DOCKER_LIST, Blob, index_of, linux, oci_image
from support.layers import image_of
from support.tars import file
from support.trees import outline
from support.unpacked import podman_rootfs

AMD = image_of([file("f", b"amd64")])
ARM = image_of([file("f", b"arm64")], architecture="arm64")
OTHER = image_of([file("f", b"other")])
UNKNOWN = {"os": "unknown", "architecture": "unknown"}
STATEMENT = oci_image(Blob("application/vnd.in-toto+json", b"{}"),
                      architecture="unknown")
OF_AMD = {"vnd.docker.reference.type": "attestation-manifest",
          "vnd.docker.reference.digest": AMD.digest}
ATTESTED = (STATEMENT, UNKNOWN, OF_AMD)
AMD_ENTRY = (AMD, linux("amd64"))


def windows(version):
    return {"os": "windows", "architecture": "amd64", "os.version": version}


FOUND = {
    "buildkit": index_of([AMD_ENTRY, (ARM, linux("arm64", "v8")), ATTESTED]),
    "one and its attestation": index_of([AMD_ENTRY, ATTESTED]),
    "attestation first": index_of([ATTESTED, AMD_ENTRY]),
    "attestation without platform": index_of([
        (STATEMENT, None, OF_AMD), AMD_ENTRY]),
    "no platform": index_of([(AMD, None)]),
    "twice": index_of([AMD_ENTRY, AMD_ENTRY, (OTHER, linux("amd64"))]),
    "annotated": index_of([(*AMD_ENTRY, {
        "org.opencontainers.image.ref.name": "foo"})]),
    "docker's": index_of([AMD_ENTRY], DOCKER_LIST),
    "of windows, too": index_of([
        (OTHER, windows("10.0.17763.1")), (OTHER, windows("10.0.20348.1")),
        (ARM, linux("arm", "v5")), (ARM, linux("arm", "v7")), AMD_ENTRY]),
}
NOT_FOUND = {
    "arm alone": index_of([(ARM, linux("arm64"))]),
    "nothing": index_of([]),
}


@pytest.fixture
def pulled(registry, podman):
    def pulled():
        return podman("pull", "-q", "--tls-verify=false",
                      f"{registry.address}/app:1.0", check=False).returncode
    return pulled


@pytest.mark.parametrize("shape", FOUND)
def test_as_podman(mount, registry, client, podman, shape):
    FOUND[shape].push(client, "app", "1.0")
    shown = mount(registry, "platform=linux/amd64") / "app/1.0/rootfs"
    theirs = podman_rootfs(podman, f"{registry.address}/app:1.0")
    assert outline(shown) == outline(theirs) == {"f": b"amd64"}


@pytest.mark.parametrize("shape", NOT_FOUND)
def test_no_image_for_this_platform(mount, registry, client, pulled, shape):
    NOT_FOUND[shape].push(client, "app", "1.0")
    image = mount(registry, "platform=linux/amd64") / "app/1.0"
    assert pulled() != 0
    assert not os.path.lexists(image / "rootfs")
    assert digest_of((image / "index.json").read_bytes()) == (
        NOT_FOUND[shape].digest)


def test_the_image_for_this_platform_is_lost(mount, registry, client, pulled):
    """It is an error, and no other one in its place."""
    index = index_of([AMD_ENTRY, (ARM, linux("arm64"))])
    index.push(client, "app", "1.0")
    links = registry.storage / (
        "docker/registry/v2/repositories/app/_manifests/revisions/sha256")
    (links / AMD.digest.partition(":")[2] / "link").unlink()
    mounted = mount(registry, "platform=linux/amd64")
    mounted.expect_error("does not have")
    with pytest.raises(OSError):
        os.listdir(mounted / "app/1.0/rootfs")
    assert pulled() != 0
