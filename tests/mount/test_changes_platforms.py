# SPDX-License-Identifier: Apache-2.0
"""Archives that are written into platforms/: one more image of an index."""

import json
import os

import pytest

from support.archives import docker_archive, plain_layer
from support.engines import skopeo
from support.images import (
    OCI_INDEX, gzip_layer, index_of, layer_of_size, linux, oci_image,
    platform_images)
from support.system import run

IMAGE = oci_image(layer_of_size(200_000), gzip_layer({"etc/motd": b"1\n"}))


@pytest.fixture
def app(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    return mount(proxy)


ARM = oci_image(plain_layer({"etc/arch": b"arm64\n"}), architecture="arm64")


@pytest.fixture
def arm_archive(tmp_path):
    path = tmp_path / "arm.tar"
    path.write_bytes(docker_archive([("app:1.0", ARM)]))
    return path


@pytest.mark.parametrize("name", ["linux-arm64", "linux-arm64.tar"])
def test_a_platform_is_added_to_an_index(mount, proxy, client, arm_archive,
                                         name):
    index = index_of([(oci_image(), linux("amd64"))]).push(
        client, "app", "1.0")
    root = mount(proxy)
    run("cp", arm_archive, root / "app/1.0/platforms" / name)
    now = client.manifest("app", "1.0").json()
    assert now["manifests"][0] == json.loads(index.data)["manifests"][0]
    assert now["manifests"][1]["platform"] == {
        "architecture": "arm64", "os": "linux"}
    manifest = client.manifest("app", now["manifests"][1]["digest"])
    assert manifest.json()["config"]["digest"] == ARM.config.digest
    platforms = root / "app/1.0/platforms"
    assert sorted(os.listdir(platforms)) == ["linux-amd64", "linux-arm64"]
    assert (platforms / "linux-arm64/rootfs/etc/arch").read_bytes() == (
        b"arm64\n")
    assert client.tags("app") == ["1.0"]


def test_a_platform_is_replaced(mount, proxy, client, arm_archive):
    index_of(platform_images()).push(client, "app", "1.0")
    root = mount(proxy)
    run("cp", arm_archive, root / "app/1.0/platforms/linux-arm64.tar")
    now = client.manifest("app", "1.0").json()
    assert [entry["platform"]["architecture"] for entry in now["manifests"]
            ] == ["amd64", "arm64"]
    manifest = client.manifest("app", now["manifests"][1]["digest"])
    assert manifest.json()["config"]["digest"] == ARM.config.digest


def test_an_image_becomes_an_index(app, client, proxy, arm_archive):
    run("cp", arm_archive, app / "app/1.0/platforms/linux-arm64.tar")
    now = client.manifest("app", "1.0").json()
    assert now["mediaType"] == OCI_INDEX
    assert now["manifests"][0]["digest"] == IMAGE.digest
    assert [entry["platform"]["architecture"] for entry in now["manifests"]
            ] == ["amd64", "arm64"]
    assert (app / "app/1.0/manifest.json").read_bytes() == IMAGE.data
    inspected = json.loads(skopeo(
        "--override-arch", "arm64", "inspect", "--tls-verify=false",
        f"docker://{proxy.address}/app:1.0").stdout)
    assert inspected["Architecture"] == "arm64"


def test_an_image_of_another_platform_is_refused(mount, proxy, client,
                                                 arm_archive):
    index = index_of(platform_images()).push(client, "app", "1.0")
    root = mount(proxy)
    root.expect_error("for linux/arm64, not for linux/s390x")
    result = run("cp", arm_archive, root / "app/1.0/platforms/linux-s390x.tar",
                 check=False)
    assert result.returncode != 0
    assert client.manifest("app", "1.0").body == index.data


def test_a_platform_that_shares_its_manifest(mount, proxy, client,
                                             arm_archive):
    image = oci_image()
    index_of([(image, linux("arm64")), (image, linux("amd64"))]).push(
        client, "app", "1.0")
    root = mount(proxy)
    run("cp", arm_archive, root / "app/1.0/platforms/linux-arm64.tar")
    now = client.manifest("app", "1.0").json()
    assert now["manifests"][0]["digest"] != image.digest
    assert now["manifests"][1]["digest"] == image.digest


def test_a_platform_by_any_name(mount, proxy, client, arm_archive):
    """The image says itself for which it is."""
    index_of([(oci_image(), linux("amd64"))]).push(client, "app", "1.0")
    root = mount(proxy)
    run("cp", arm_archive, root / "app/1.0/platforms/")
    run("rsync", arm_archive, root / "app/1.0/platforms/linux-arm64.tar")
    assert sorted(os.listdir(root / "app/1.0/platforms")) == [
        "linux-amd64", "linux-arm64"]
