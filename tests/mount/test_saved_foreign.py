# SPDX-License-Identifier: Apache-2.0
"""Archives of images with foreign layers, which a registry has or has not: what
is not in one is not named by docker's manifest.json."""

import json
import tarfile

import pytest

from support.engines import skopeo_copy
from support.images import (
    DOCKER_FOREIGN_LAYER, DOCKER_LAYER, docker_image, foreign_layer,
    gzip_layer, index_of, linux, oci_image)
from support.system import run

BASE = {"etc/base": b"from elsewhere\n"}
OURS = {"etc/motd": b"hello\n"}

IMAGES = {
    "oci": oci_image(foreign_layer(BASE), gzip_layer(OURS)),
    "docker": docker_image(foreign_layer(BASE, DOCKER_FOREIGN_LAYER),
                           gzip_layer(OURS, DOCKER_LAYER)),
}

each_image = pytest.mark.parametrize("image", IMAGES.values(),
                                     ids=IMAGES.keys())


@pytest.fixture
def registry(make_registry):
    return make_registry(foreign="^https://layers[.]test/")


@pytest.fixture
def app(mount, proxy):
    return mount(proxy) / "app"


def names_in(archive):
    with tarfile.open(archive) as tar:
        return tar.getnames()


def blob_path(blob):
    return "blobs/" + blob.digest.replace(":", "/")


def assert_names_what_it_has(archive):
    """Of what docker's manifest.json says, if it is there."""
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        if "manifest.json" not in names:
            return False
        for image in json.load(tar.extractfile("manifest.json")):
            assert set(names) >= {image["Config"], *image["Layers"]}
    return True


@each_image
def test_the_registry_has_it(app, client, tmp_path, image):
    """Then it is a layer like any other."""
    image.push(client, "app", "1.0")
    archive = app / "1.0.tar"
    assert assert_names_what_it_has(archive)
    assert blob_path(image.layers[0]) in names_in(archive)
    # Of an OCI archive, skopeo asks its urls in any case.
    skopeo_copy(f"docker-archive:{archive}", f"dir:{tmp_path}/copy")
    files = [file.read_bytes() for file in (tmp_path / "copy").iterdir()]
    assert image.config.data in files


@each_image
def test_docker_loads_it(app, client, proxy, docker, image):
    image.push(client, "app", "1.0")
    docker("load", "-i", app / "1.0.tar")
    loaded = f"{proxy.address}/app:1.0"
    assert docker.image_id(loaded) == image.config.digest
    docker("rmi", loaded)


@each_image
def test_the_registry_has_it_not(app, client, image):
    image.push(client, "app", "1.0", without=image.layers[:1])
    archive = app / "1.0.tar"
    assert not assert_names_what_it_has(archive)
    names = names_in(archive)
    assert blob_path(image.layers[0]) not in names
    assert set(names) >= {"index.json", "oci-layout", blob_path(image),
                          blob_path(image.config), blob_path(image.layers[1])}
    assert len(archive.read_bytes()) == archive.stat().st_size


@each_image
@pytest.mark.parametrize("there", [True, False])
def test_it_can_be_pushed_again(app, client, proxy, image, there):
    without = () if there else image.layers[:1]
    image.push(client, "app", "1.0", without=without)
    data = (app / "1.0.tar").read_bytes()
    other = app.parent / "other"
    other.mkdir()
    (other / "2.0.tar").write_bytes(data)
    assert client.manifest("other", "2.0").body == image.data
    assert client.has_blob("other", image.layers[0].digest) == there


@pytest.mark.parametrize("there", [True, False])
def test_a_copy_in_the_registry_takes_it_along(app, client, there):
    image = IMAGES["oci"]
    image.push(client, "app", "1.0", without=() if there else image.layers[:1])
    (app.parent / "other").mkdir()
    run("cp", app / "1.0.tar", app.parent / "other/2.0.tar")
    assert client.manifest("other", "2.0").body == image.data
    assert client.has_blob("other", image.layers[0].digest) == there


def test_of_another_platform(mount, proxy, client):
    """docker's image is one that is all there."""
    foreign = IMAGES["oci"]
    image = oci_image(architecture="amd64")
    windows = {"os": "windows", "architecture": "amd64"}
    index = index_of([(foreign, windows), (image, linux("amd64"))])
    index.push(client, "app", "1.0", without=foreign.layers[:1])
    root = mount(proxy, "platform=linux/amd64")
    assert assert_names_what_it_has(root / "app/1.0.tar")
    assert blob_path(foreign.layers[0]) not in names_in(root / "app/1.0.tar")
    other = mount(proxy, "platform=windows/amd64")
    assert not assert_names_what_it_has(other / "app/1.0.tar")


def test_it_comes_into_the_archive_when_it_is_there(app, client):
    image = IMAGES["oci"]
    image.push(client, "app", "1.0", without=image.layers[:1])
    archives = [app / "1.0.tar", app / f"@{image.digest}/image.tar"]
    for archive in archives:
        assert not assert_names_what_it_has(archive)
    client.put_blob("app", image.layers[0].data)
    for archive in archives:
        assert assert_names_what_it_has(archive)
        assert blob_path(image.layers[0]) in names_in(archive)


def test_only_such_layers_are_asked_for(app, client, proxy):
    image = IMAGES["oci"]
    image.push(client, "app", "1.0", without=image.layers[:1])
    oci_image().push(client, "app", "2.0")
    with proxy.requests() as seen:
        (app / "2.0.tar").stat()
    assert seen.count("HEAD", "/blobs/") == 0
    with proxy.requests() as seen:
        (app / "1.0.tar").stat()
    assert seen.count("HEAD", "/blobs/") == 1
    assert seen.count("HEAD", image.layers[0].digest) == 1
