# SPDX-License-Identifier: Apache-2.0
"""Whatever is an image archive arrives as the image that it was."""

import json
import random
import subprocess

import pytest

from registry.client import digest_of
from support.archives import (
    WRAPPERS, docker_archive, hybrid_archive, oci_archive, plain_layer)
from support.images import (
    DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, gzip_layer, index_of, linux,
    oci_image, tar_of)
from support.layers import stored_layers

LARGE = random.Random(2).randbytes(300_000)
FILES = {"data": LARGE}, {"etc/motd": b"hello\n", "bin/true": b"#!"}

PLAIN_IMAGE = oci_image(*map(plain_layer, FILES))
GZIP_IMAGE = oci_image(*map(gzip_layer, FILES))

each_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(),
                                       ids=WRAPPERS.keys())


@pytest.fixture
def app(mount, registry):
    directory = mount(registry) / "app"
    directory.mkdir()
    return directory


@pytest.fixture
def push(app):
    """Writes an archive, and returns the directory that it has become."""
    def write(archive):
        (app / "1.0.tar").write_bytes(archive)
        return app / "1.0"
    return write


def assert_same_image(directory, image):
    """docker's notion of the same: the config is, and the layers, which are
    compressed now, hold what its diff_ids say."""
    assert (directory / "config.json").read_bytes() == image.config.data
    diff_ids = json.loads(image.config.data)["rootfs"]["diff_ids"]
    assert [digest_of(unpacked(layer))
            for layer in stored_layers(directory)] == diff_ids


def unpacked(layer):
    assert layer.name.endswith(".tar.gz")
    return subprocess.run(["gzip", "-dc", layer], check=True,
                          capture_output=True).stdout


@each_wrapper
@pytest.mark.parametrize("image", [PLAIN_IMAGE, GZIP_IMAGE],
                         ids=["plain", "gzip"])
def test_docker_archive(push, client, wrap, image):
    directory = push(wrap(docker_archive([("app:1.0", image)])))
    assert_same_image(directory, image)
    manifest = client.manifest("app", "1.0")
    assert manifest.headers["Content-Type"] == DOCKER_MANIFEST


@each_wrapper
def test_oci_archive(push, client, wrap):
    push(wrap(oci_archive([("1.0", GZIP_IMAGE)])))
    assert client.manifest("app", "1.0").body == GZIP_IMAGE.data


def test_oci_archive_with_plain_layers(push, client):
    directory = push(oci_archive([("1.0", PLAIN_IMAGE)]))
    assert_same_image(directory, PLAIN_IMAGE)
    manifest = client.manifest("app", "1.0")
    assert manifest.headers["Content-Type"] == OCI_MANIFEST


@each_wrapper
@pytest.mark.parametrize("image", [PLAIN_IMAGE, GZIP_IMAGE],
                         ids=["plain", "gzip"])
def test_hybrid_archive(push, client, wrap, image):
    directory = push(wrap(hybrid_archive("app:1.0", image)))
    assert_same_image(directory, image)
    if image is GZIP_IMAGE:
        # Nothing had to be changed, so not even the manifest was.
        assert client.manifest("app", "1.0").body == image.data


def several_platforms():
    return index_of(
        [(oci_image(gzip_layer({"etc/arch": name.encode()}),
                    architecture=name), linux(name))
         for name in ("amd64", "arm64")])


@each_wrapper
def test_oci_archive_with_an_index(push, client, wrap):
    index = several_platforms()
    directory = push(wrap(oci_archive([("1.0", index)])))
    assert client.manifest("app", "1.0").body == index.data
    for child, name in zip(index.children, ("amd64", "arm64")):
        shown = directory / f"platforms/linux-{name}"
        assert (shown / "manifest.json").read_bytes() == child.data
        assert_same_image(shown, child)


def test_oci_archive_whose_index_is_the_image(push, client):
    """What buildkit writes without a name: index.json has the platforms."""
    index = several_platforms()
    directory = push(oci_archive_of_platforms(index))
    assert client.manifest("app", "1.0").json()["manifests"] == (
        json.loads(index.data)["manifests"])
    assert client.manifest("app", "1.0").headers["Content-Type"] == OCI_INDEX
    assert sorted(p.name for p in (directory / "platforms").iterdir()) == [
        "linux-amd64", "linux-arm64"]


def oci_archive_of_platforms(index):
    members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    for child in index.children:
        for blob in (child, *child.blobs):
            members["blobs/" + blob.digest.replace(":", "/")] = blob.data
    return tar_of(members | {"index.json": index.data})


@each_wrapper
def test_root_file_system(push, client, wrap):
    """As `docker import` does it: one layer, and a config that runs nothing."""
    tar = tar_of({"etc/motd": b"hello\n", "data": LARGE})
    directory = push(wrap(tar))
    (layer,) = stored_layers(directory)
    content = unpacked(layer)
    assert content.ljust(len(tar), b"\0") == tar  # but for the padding
    config = json.loads((directory / "config.json").read_bytes())
    assert config["rootfs"]["diff_ids"] == [digest_of(content)]
    assert config["os"] == "linux"


def test_several_images_the_tag_picks(app):
    other = oci_image(plain_layer({"other": b""}))
    archive = docker_archive([("app:1.0", PLAIN_IMAGE), ("app:2.0", other)])
    for tag, image in (("2.0", other), ("1.0", PLAIN_IMAGE)):
        (app / f"{tag}.tar").write_bytes(archive)
        assert_same_image(app / tag, image)
