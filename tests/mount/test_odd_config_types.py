# SPDX-License-Identifier: Apache-2.0
"""Docker's manifests whose config has not the type that it should have are
images: clients and registries of the first years wrote all sorts."""

import json
import os

import pytest

from support.engines import skopeo_copy
from support.images import (
    DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, Blob, Manifest, docker_image,
    oci_image)

IMAGES = ["text/plain", "text/plain; charset=utf-8", "TEXT/HTML", "",
          "application/octet-stream", "application/json; charset=utf-8",
          "application/x-anything", DOCKER_CONFIG + "; charset=utf-8",
          DOCKER_CONFIG + " ", DOCKER_CONFIG.upper(), OCI_CONFIG,
          OCI_CONFIG.replace("application", "APPLICATION")]
OTHERS = ["application/vnd.docker.plugin.v1+json",
          "application/vnd.cncf.helm.config.v1+json",
          "application/VND.example.config; version=1"]


def with_config_type(image, media_type):
    document = json.loads(image.data)
    document["config"]["mediaType"] = media_type
    config = Blob(media_type, image.config.data)
    return Manifest(image.media_type, json.dumps(document).encode(),
                    blobs=(config, *image.layers))


@pytest.mark.parametrize("media_type", IMAGES)
def test_an_image(mount, registry, client, tmp_path, media_type):
    image = with_config_type(docker_image(), media_type)
    assert image.media_type == DOCKER_MANIFEST
    image.push(client, "app", "1.0")
    shown = mount(registry) / "app/1.0"
    assert (shown / "rootfs/etc/motd").read_bytes() == b"hello\n"
    assert (shown / "config.json").read_bytes() == image.config.data
    # And for others.
    skopeo_copy(f"docker://{registry.address}/app:1.0",
                f"docker-archive:{tmp_path}/saved.tar")


@pytest.mark.parametrize("media_type", OTHERS)
def test_no_image(mount, registry, client, media_type):
    """A vendor has a type for what is his."""
    with_config_type(docker_image(), media_type).push(client, "app", "1.0")
    assert "rootfs" not in os.listdir(mount(registry) / "app/1.0")


def test_in_other_manifests_only_the_type_itself_is_one(mount, registry,
                                                        client):
    """Of these podman and skopeo say that they are artifacts."""
    with_config_type(oci_image(), "text/plain").push(client, "app", "1.0")
    assert "rootfs" not in os.listdir(mount(registry) / "app/1.0")
