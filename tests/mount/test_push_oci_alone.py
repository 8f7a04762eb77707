# SPDX-License-Identifier: Apache-2.0
"""A registry that takes the media types of OCI alone, as zot does unless it is
told to be compatible: what is made here is made for it, what is copied is
not changed."""

import errno
import json
import os

import pytest

from registry.proxy import Answer
from support.archives import docker_archive
from support.images import (
    DOCKER_MANIFEST, OCI_CONFIG, OCI_GZIP_LAYER, OCI_MANIFEST, docker_image)
from support.oddly import JSON
from support.system import fails_with, run

# As zot answers.
REFUSAL = json.dumps({"errors": [{
    "code": "MANIFEST_INVALID", "message": "manifest invalid",
    "detail": {"mediaType": DOCKER_MANIFEST}}]}).encode()


@pytest.fixture
def picky(proxy, client):
    """Refuses what is not OCI's, as zot does."""
    def put(request, body):
        kind = request.headers["content-type"]
        if "docker" in kind:
            return Answer(415, JSON, REFUSAL)
        answer = client.request("PUT", request.path, body, Content_Type=kind)
        return Answer(answer.status, dict(answer.headers), answer.body)
    proxy.serves("/manifests/", put, method="PUT")
    return proxy


def test_what_docker_saved_is_pushed(mount, picky, client, tmp_path):
    image = docker_image()
    root = mount(picky)
    (tmp_path / "app.tar").write_bytes(docker_archive([("app:1.0", image)]))
    run("cp", tmp_path / "app.tar", root / "app:1.0.tar")
    answer = client.manifest("app", "1.0")
    manifest = json.loads(answer.body)
    assert answer.headers["Content-Type"] == OCI_MANIFEST
    assert manifest["config"]["mediaType"] == OCI_CONFIG
    assert [layer["mediaType"] for layer in manifest["layers"]] == [
        OCI_GZIP_LAYER]
    assert (root / "app/1.0/manifest.json").read_bytes() == answer.body


def test_an_image_is_not_changed(mount, picky, client, tmp_path):
    """A copy has the digest of the image, or fails."""
    docker_image().push(client, "app", "1.0")
    root = mount(picky)
    root.expect_error("manifest invalid \\(415 MANIFEST_INVALID\\)")
    with fails_with(errno.EIO):
        os.symlink("../app/1.0", root / "app/2.0")
    assert client.tags("app") == ["1.0"]
