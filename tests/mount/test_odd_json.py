# SPDX-License-Identifier: Apache-2.0
"""One character of a manifest that Go's readers replace, a member that is there
twice, or one that nobody asks for does not take the image away."""

import json

import pytest

from registry.client import digest_of
from support.archives import docker_archive
from support.engines import skopeo_copy
from support.images import Blob, Layer, Manifest, config_of, oci_image, tar_of
from support.trees import outline

ANNOTATED = {
    "nul": b'"annotations":{"k":"a\\u0000b"}',
    "surrogate": b'"annotations":{"k":"\\ud800"}',
    "latin-1": b'"annotations":{"k":"caf\xe9"}',
    "twice": b'"annotations":{"k":"1"},"annotations":{"k":"2"}',
    "large": b'"x":1e999,"y":-123456789012345678901234567890',
    "deep": b'"x":' + 3000 * b"[" + 3000 * b"]",
}
AUTHORS = {
    "nul": b'"author":"a\\u0000b"', "surrogate": b'"author":"\\udc00"',
    "latin-1": b'"author":"caf\xe9"', "twice": b'"author":"a","author":"b"',
    "large": b'"x":-1e999,"y":123456789012345678901234567890',
    "deep": b'"x":' + 3000 * b'{"y":' + b"0" + 3000 * b"}",
}


def plus(document, members):
    return document[:-1] + b"," + members + b"}"


@pytest.mark.parametrize("how", ANNOTATED)
def test_a_manifest(mount, registry, client, tmp_path, how):
    image = oci_image()
    odd = Manifest(image.media_type, plus(image.data, ANNOTATED[how]),
                   blobs=image.blobs)
    odd.push(client, "app", "1.0")
    shown = mount(registry) / "app/1.0"
    assert (shown / "manifest.json").read_bytes() == odd.data
    assert outline(shown / "rootfs") == {"etc/": None, "etc/motd": b"hello\n"}
    skopeo_copy(f"docker://{registry.address}/app:1.0",
                f"dir:{tmp_path}/copied")


def image_with_config(members):
    layer = Layer("application/vnd.oci.image.layer.v1.tar",
                  tar_of({"f": b"x"}), diff_id=digest_of(tar_of({"f": b"x"})))
    config = plus(config_of([layer]), members)
    image = oci_image(layer)
    document = json.loads(image.data)
    document["config"] |= {"digest": digest_of(config), "size": len(config)}
    return Manifest(image.media_type, json.dumps(document).encode(), blobs=(
        Blob(image.config.media_type, config), layer))


@pytest.mark.parametrize("how", AUTHORS)
def test_a_config(mount, registry, client, how):
    image = image_with_config(AUTHORS[how])
    image.push(client, "app", "1.0")
    shown = mount(registry) / "app/1.0"
    assert (shown / "config.json").read_bytes() == image.config.data
    assert outline(shown / "rootfs") == {"f": b"x"}


@pytest.mark.parametrize("how", AUTHORS)
def test_a_config_in_an_archive(app, how):
    """It is pushed as it is."""
    image = image_with_config(AUTHORS[how])
    (app / "1.0.tar").write_bytes(docker_archive([("app:1.0", image)]))
    assert (app / "1.0/config.json").read_bytes() == image.config.data
