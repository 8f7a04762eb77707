# SPDX-License-Identifier: Apache-2.0
"""Archives of indexes of which the registry lacks some manifests: it is said
what is left out, and what no tool could take is not written."""

import errno
import os
import tarfile

import pytest

from support.engines import skopeo_copy
from support.images import index_of, linux, oci_image
from support.system import fails_with, run

ARCHITECTURES = "amd64", "arm64", "s390x"


@pytest.fixture
def registry(make_registry):
    return make_registry(deletes=True)


def index_without(client, *architectures):
    """An index whose images for these are no longer in the registry."""
    images = {name: oci_image(architecture=name) for name in ARCHITECTURES}
    index = index_of([(image, linux(name)) for name, image in images.items()])
    index.push(client, "app", "1.0")
    for name in architectures:
        path = f"/v2/app/manifests/{images[name].digest}"
        assert client.request("DELETE", path).status == 202
    return index, images


def blob_path(blob):
    return "blobs/" + blob.digest.replace(":", "/")


def names_in(archive):
    with tarfile.open(archive) as tar:
        return set(tar.getnames())


def test_what_is_left_out_is_said(mount, registry, client):
    index, images = index_without(client, "s390x")
    root = mount(registry, "platform=linux/amd64")
    names = names_in(root / "app/1.0.tar")
    assert names >= {blob_path(index), blob_path(images["amd64"]),
                     blob_path(images["arm64"]), "manifest.json"}
    assert blob_path(images["s390x"]) not in names
    root.wait_for_log(
        f"warning: {registry.address}/app:1.0 is saved without "
        f"{images['s390x'].digest} [(]linux/s390x[)]: the registry has no such "
        "manifest\n")
    assert os.getxattr(root / "app/1.0.tar", "user.oci.digest") == (
        index.digest.encode())


def test_no_word_where_nobody_reads_it(mount, registry, client):
    index_without(client, "s390x")
    root = mount(registry, "platform=linux/amd64")
    run("ls", "-l", root / "app/1.0")
    assert "is saved without" not in root.log()


def test_what_it_says_is_meant_can_be_pushed_again(mount, registry, client):
    """As what docker saves: it has the image for the platform, for sure."""
    _, images = index_without(client, "s390x")
    root = mount(registry, "platform=linux/amd64")
    data = (root / "app/1.0.tar").read_bytes()
    (root / "other").mkdir()
    (root / "other/1.0.tar").write_bytes(data)
    assert client.manifest("other", "1.0").body == images["amd64"].data
    root.wait_for_log("warning: other:1.0 is only the image .* lacks "
                      "linux/s390x\n")


def test_other_tools_take_it(mount, registry, client, tmp_path):
    _, images = index_without(client, "s390x")
    root = mount(registry, "platform=linux/amd64")
    for transport in ("docker-archive", "oci-archive"):
        skopeo_copy(f"{transport}:{root.path}/app/1.0.tar",
                    f"dir:{tmp_path}/{transport}",
                    "--override-arch", "amd64")
        files = [file.read_bytes()
                 for file in (tmp_path / transport).iterdir()]
        assert images["amd64"].config.data in files


@pytest.mark.parametrize("options", [[], ["ro"]], ids=["rw", "ro"])
def test_without_the_platforms_image_there_is_none(mount, registry, client,
                                                   options):
    """Nobody could take such an archive, this program included."""
    _, images = index_without(client, "amd64")
    root = mount(registry, "platform=linux/amd64", *options)
    root.expect_error(f"app:1.0: the registry lacks the manifest "
                      f"{images['amd64'].digest} [(]linux/amd64[)]")
    for path in ("app/1.0.tar", "app/1.0/image.tar"):
        result = run("cat", root / path, check=False)
        assert result.returncode == 1
        assert "Input/output error" in result.stderr
    assert {"index.json", "platforms"} <= set(os.listdir(root / "app/1.0"))
    # What is there can be saved.
    platform = root / "app/1.0/platforms/linux-arm64"
    assert blob_path(images["arm64"]) in names_in(platform / "image.tar")


def test_it_is_whole_when_all_is_there(mount, registry, client):
    index, images = index_without(client, "amd64", "s390x")
    root = mount(registry, "platform=linux/amd64")
    root.expect_error("the registry lacks the manifest")
    with fails_with(errno.EIO):
        (root / "app/1.0.tar").read_bytes()
    images["amd64"].push(client, "app")
    assert blob_path(images["amd64"]) in names_in(root / "app/1.0.tar")
    images["s390x"].push(client, "app")
    assert names_in(root / "app/1.0.tar") >= {
        blob_path(image) for image in images.values()}
    run("cp", root / "app/1.0.tar", root / "app/2.0.tar")
    assert client.manifest("app", "2.0").body == index.data
