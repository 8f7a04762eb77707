# SPDX-License-Identifier: Apache-2.0
"""TAG.tar, read: the image as one archive, which is what it was pushed as."""

import errno
import json
import os
import random
import tarfile

import pytest

from conftest import MOTD
from support.archives import docker_archive, oci_archive, plain_layer
from support.engines import skopeo_copy, umoci_layout
from support.images import (
    DOCKER_LAYER, artifact, attested_index, docker_image, gzip_layer, index_of,
    linux, oci_image, platform_images)
from support.system import fails_with, run

LAYERS = [{"data": random.Random(21).randbytes(300_000)},
          {"etc/motd": b"hello\n"}]

IMAGES = {
    "docker": docker_image(*(gzip_layer(files, DOCKER_LAYER)
                             for files in LAYERS)),
    "oci": oci_image(*(gzip_layer(files) for files in LAYERS)),
    "index": index_of(platform_images()),
    "attested": attested_index(),
    "artifact": artifact({"report.txt": b"all is well\n"}),
}

each_image = pytest.mark.parametrize("image", IMAGES.values(),
                                     ids=IMAGES.keys())


@pytest.fixture
def app(mount, proxy):
    """With a tag of each kind where a test has pushed one."""
    return mount(proxy) / "app"


@each_image
def test_its_size_is_right(app, client, image):
    image.push(client, "app", "1.0")
    data = (app / "1.0.tar").read_bytes()
    assert os.stat(app / "1.0.tar").st_size == len(data)
    assert "1.0.tar" not in os.listdir(app)


@each_image
def test_its_stat_reads_no_layer(app, client, proxy, image):
    image.push(client, "app", "1.0")
    with proxy.requests() as seen:
        assert os.stat(app / "1.0.tar").st_size > 1024
    layers = [layer.digest for child in (image, *image.children)
              for layer in child.layers]
    assert not [r for r in seen if r.path.split("/")[-1] in layers]


@each_image
def test_any_part_of_it_can_be_read(app, client, image):
    image.push(client, "app", "1.0")
    whole = (app / "1.0.tar").read_bytes()
    chance = random.Random(22)
    with open(app / "1.0.tar", "rb", buffering=0) as file:
        for _ in range(50):
            start = chance.randrange(len(whole))
            size = chance.randrange(1, 100_000)
            part = os.pread(file.fileno(), size, start)
            assert part == whole[start:start + size]


def test_it_is_a_tar_of_blobs_as_stored(app, client):
    image = IMAGES["oci"].push(client, "app", "1.0")
    with tarfile.open(app / "1.0.tar") as tar:
        for blob in (image, *image.blobs):
            stored = tar.extractfile("blobs/" + blob.digest.replace(":", "/"))
            assert stored.read() == blob.data


def test_the_next_blob_is_fetched_while_one_is_read(mount, registry, proxy,
                                                    client):
    chance = random.Random(23)
    image = oci_image(*(gzip_layer({"data": chance.randbytes(4_000_000)})
                        for _ in range(2))).push(client, "app", "1.0")
    whole = (mount(registry) / "app/1.0.tar").read_bytes()
    first, second = sorted(image.layers,
                           key=lambda layer: whole.index(layer.data))
    with open(mount(proxy) / "app/1.0.tar", "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        place = whole.index(first.data) + 2_000_000
        assert os.pread(file.fileno(), 4096, place)
        proxy.wait_for_request("GET", f"/blobs/{second.digest}")


def test_it_is_the_same_each_time(mount, registry, client):
    IMAGES["index"].push(client, "app", "1.0")
    one, other = ((mount(registry) / "app/1.0.tar").read_bytes()
                  for _ in range(2))
    assert one == other


@each_image
def test_writing_it_back_is_the_same_image(app, client, proxy, image):
    """Retags without a layer that travels, whatever tool copies it."""
    image.push(client, "app", "1.0")
    with proxy.requests() as seen:
        run("cp", app / "1.0.tar", app / "2.0.tar")
    assert client.manifest("app", "2.0").body == image.data
    assert seen.count("PUT", "/blobs/") == seen.count("PATCH", "/blobs/") == 0


@each_image
def test_image_tar_is_the_same_archive(app, client, image):
    image.push(client, "app", "1.0")
    whole = (app / "1.0.tar").read_bytes()
    assert (app / "1.0/image.tar").read_bytes() == whole
    assert os.stat(app / "1.0/image.tar").st_size == len(whole)
    assert "image.tar" in os.listdir(app / "1.0")


def test_image_tar_of_a_platform(app, client, tmp_path):
    index = IMAGES["index"].push(client, "app", "1.0")
    archive = app / "1.0/platforms/linux-arm64/image.tar"
    for transport in ("docker-archive", "oci-archive"):
        copy = tmp_path / transport
        skopeo_copy(f"{transport}:{archive}", f"dir:{copy}")
        files = [file.read_bytes() for file in copy.iterdir()]
        assert index.children[1].config.data in files
        assert index.children[0].config.data not in files


def test_manifests_that_are_named_again_and_again(mount, registry, client):
    """Indexes within each other, each of which names the next thirty times:
    an archive has each of them once."""
    child = oci_image()
    for _ in range(4):
        child = index_of([(child, linux(f"number{i}")) for i in range(30)])
        for grandchild in child.children[:1]:
            grandchild.push(client, "app", without=grandchild.children)
    client.put_manifest("app", "1.0", child.data, child.media_type)
    with tarfile.open(mount(registry) / "app/1.0.tar") as tar:
        names = tar.getnames()
    assert len(names) == len(set(names))
    assert f"blobs/{child.digest.replace(':', '/')}" in names


def test_image_tar_by_digest(app, client):
    image = IMAGES["oci"].push(client, "app", "1.0")
    with tarfile.open(app / f"@{image.digest}/image.tar") as tar:
        stored = tar.extractfile("blobs/" + image.digest.replace(":", "/"))
        assert stored.read() == image.data
        (described,) = json.load(tar.extractfile("manifest.json"))
        assert described["RepoTags"] == []


def test_names_in_an_index_cost_none_of_its_manifests(mount, proxy, client):
    """The size of image.tar is that of all of them."""
    index = IMAGES["index"].push(client, "app", "1.0")
    root = mount(proxy, "platform=linux/amd64")
    with proxy.requests() as seen:
        assert "image.tar" in os.listdir(root / "app/1.0")
    assert seen.count("GET", index.children[1].digest) == 0


@pytest.mark.parametrize("image", [IMAGES["docker"], IMAGES["oci"]],
                         ids=["docker", "oci"])
@pytest.mark.parametrize("transport", ["docker-archive:{}", "oci-archive:{}"])
def test_skopeo_reads_it(app, client, tmp_path, image, transport):
    image.push(client, "app", "1.0")
    skopeo_copy(transport.format(app / "1.0.tar"), f"dir:{tmp_path}/copy")
    files = [file.read_bytes() for file in (tmp_path / "copy").iterdir()]
    assert image.config.data in files


def test_every_platform_is_in_it(app, client, tmp_path):
    image = IMAGES["index"].push(client, "app", "1.0")
    skopeo_copy(f"oci-archive:{app}/1.0.tar", f"dir:{tmp_path}/copy", "--all")
    files = [file.read_bytes() for file in (tmp_path / "copy").iterdir()]
    assert all(child.data in files for child in image.children)


def test_engines_load_and_run_it(app, registry, proxy, rootfs, docker, podman,
                                 tmp_path):
    layout = umoci_layout(tmp_path / "layout", rootfs, "1.0")
    skopeo_copy(f"oci:{layout}:1.0", f"docker://{registry.address}/app:1.0")
    loaded = f"{proxy.address}/app:1.0"
    for engine in (docker, podman):
        engine("load", "-i", app / "1.0.tar")
        assert engine.run_image(loaded) == MOTD
    docker("rmi", loaded)


@pytest.mark.parametrize("archive", [docker_archive, oci_archive])
def test_what_was_pushed_comes_back(app, client, archive):
    """Compressed now, but the same image."""
    image = oci_image(*map(plain_layer, LAYERS))
    app.mkdir()
    (app / "1.0.tar").write_bytes(archive([("app:1.0", image)]))
    run("cp", app / "1.0.tar", app / "2.0.tar")
    assert (app / "2.0/config.json").read_bytes() == image.config.data
    assert client.manifest("app", "2.0").body == (
        client.manifest("app", "1.0").body)
