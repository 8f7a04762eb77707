# SPDX-License-Identifier: Apache-2.0
"""Images whose digests are of sha512: docker-registry 2.8 takes their blobs,
but says of one that it has mounted it from another repository when it has not.
"""

import hashlib
import json
from urllib.parse import urlsplit

import pytest

from support.images import (
    OCI_CONFIG, OCI_GZIP_LAYER, OCI_MANIFEST, compressed, gzip_layer,
    oci_image, tar_of)
from support.system import run

LAYER = compressed(tar_of({"etc/motd": b"hello\n"}))
PLAIN = gzip_layer({"etc/motd": b"hello\n"})


def sha512(data):
    return "sha512:" + hashlib.sha512(data).hexdigest()


def put_blob(client, repository, data):
    session = client.request("POST", f"/v2/{repository}/blobs/uploads/")
    location = urlsplit(session.headers["Location"])
    path = f"{location.path}?{location.query}&digest={sha512(data)}"
    response = client.request("PUT", path, data,
                              Content_Type="application/octet-stream")
    assert response.status == 201
    assert client.has_blob(repository, sha512(data))


def descriptor(media_type, data):
    return {"mediaType": media_type, "digest": sha512(data), "size": len(data)}


@pytest.fixture(params=["all", "one of two layers"])
def image(request, client):
    """The blobs of app:1.0."""
    plain = oci_image(PLAIN).push(client, "app", "plain")
    manifest = json.loads(plain.data)
    config = plain.config.data
    if request.param == "all":
        manifest["config"] = descriptor(OCI_CONFIG, config)
        put_blob(client, "app", config)
        manifest["layers"] = []
    else:
        document = json.loads(config)
        document["rootfs"]["diff_ids"] *= 2
        config = json.dumps(document).encode()
        manifest["config"] |= {"digest": client.put_blob("app", config),
                               "size": len(config)}
    put_blob(client, "app", LAYER)
    manifest["layers"].append(descriptor(OCI_GZIP_LAYER, LAYER))
    client.put_manifest("app", "1.0", json.dumps(manifest).encode(),
                        OCI_MANIFEST)
    return [manifest["config"], *manifest["layers"]]


@pytest.mark.parametrize("script", [
    ["cp", "app/1.0.tar", "copy:1.0.tar"],
    ["bash", "-c", "cat app/1.0.tar >copy:1.0.tar"],
    ["bash", "-c", "mkdir copy && ln -s ../app/1.0 copy/1.0"]],
    ids=lambda script: script[-1].split()[0])
def test_to_another_repository(mount, registry, client, image, script):
    root = mount(registry)
    run("bash", "-c", 'cd "$0" && "$@"', root.path, *script)
    assert client.tags("copy") == ["1.0"]
    for blob in image:
        assert client.has_blob("copy", blob["digest"])
    motd = root / "copy/1.0/rootfs/etc/motd"
    assert motd.read_bytes() == b"hello\n"


def test_what_the_registry_says(client, image):
    """If this fails, docker-registry mounts such blobs now."""
    path = f"/v2/copy/blobs/uploads/?mount={sha512(LAYER)}&from=app"
    assert client.request("POST", path).status == 201
    assert not client.has_blob("copy", sha512(LAYER))
