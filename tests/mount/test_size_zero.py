# SPDX-License-Identifier: Apache-2.0
"""Descriptors with the size 0 and the digest of something else: nothing is read
of such a blob, so nothing could be found to be wrong with it."""

import errno
import json
import os
from dataclasses import dataclass

import pytest

from support.archives import oci_archive
from support.images import (
    OCI_GZIP_LAYER, Blob, Manifest, artifact, gzip_layer, index_of, oci_image,
    platform_images)
from support.system import fails_with, run

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True)
class Misnamed(Blob):
    """Bytes under a digest that is not theirs."""
    claimed: str = ""

    @property
    def digest(self):
        return self.claimed


def lying(image, part, size=0):
    """The image with a descriptor that gives another size: of its config, or of
    a layer by its number."""
    document = json.loads(image.data)
    descriptor = (document["config"] if part == "config"
                  else document["layers"][part])
    descriptor["size"] = size
    return Manifest(image.media_type, json.dumps(document).encode(),
                    blobs=image.blobs)


@pytest.fixture
def image():
    return oci_image(gzip_layer({"etc/motd": b"hello\n"}),
                     gzip_layer({"etc/issue": b"an image\n"}))


@pytest.fixture(params=["rw", "ro"])
def root(request, mount, registry):
    """With -o ro the kernel opens files by itself, and asks for no byte of an
    empty one."""
    return mount(registry, *(["ro"] if request.param == "ro" else []))


def assert_fails(root, digest, *paths):
    """Each file, whatever leads to it, and the log names the blob."""
    root.expect_error(f"{digest} cannot have the size 0")
    for path in paths:
        result = run("cat", path, check=False)
        assert result.returncode == 1, path
        assert result.stdout == ""
        assert "Input/output error" in result.stderr
        # Nor is it there for who asks only how large it is.
        with fails_with(errno.EIO):
            os.stat(path)


def assert_no_archive(root, app, digest):
    """Its size can be asked for, but it cannot be opened."""
    root.expect_error(f"app:1.0: {digest} cannot have the size 0")
    for path in (app / "1.0.tar", app / "1.0/image.tar"):
        assert os.stat(path).st_size > 0
        result = run("cat", path, check=False)
        assert result.returncode == 1, path
        assert result.stdout == ""
        assert "Input/output error" in result.stderr


def test_a_layer(root, client, image):
    lying(image, 0).push(client, "app", "1.0")
    app = root / "app"
    assert_fails(root, image.layers[0].digest, app / "1.0/layers/01.tar.gz",
                 app / f"@{lying(image, 0).digest}/layers/01.tar.gz")
    assert (app / "1.0/layers/02.tar.gz").read_bytes() == image.layers[1].data
    assert sorted(os.listdir(app / "1.0/layers")) == [
        "01", "01.tar.gz", "02", "02.tar.gz"]
    assert_no_archive(root, app, image.layers[0].digest)


def test_the_tree_of_a_layer(root, client, image):
    lying(image, 0).push(client, "app", "1.0")
    root.expect_error(f"{image.layers[0].digest} cannot have the size 0")
    image_dir = root / "app/1.0"
    for path in ("rootfs", "rootfs/etc", "layers/01"):
        with fails_with(errno.EIO):
            os.listdir(image_dir / path)
    with fails_with(errno.EIO):
        (image_dir / "rootfs/etc/motd").read_bytes()
    assert os.listdir(image_dir / "layers/02") == ["etc"]


def test_a_config(root, client, image):
    lying(image, "config").push(client, "app", "1.0")
    app = root / "app"
    assert_fails(root, image.config.digest, app / "1.0/config.json")
    assert (app / "1.0/manifest.json").read_bytes() == (
        lying(image, "config").data)
    assert_no_archive(root, app, image.config.digest)


def test_a_file_of_an_artifact(root, client):
    made = artifact({"report.txt": b"all is well\n", "other.txt": b"text"})
    lying(made, 0).push(client, "app", "1.0")
    files = root / "app/1.0/files"
    assert_fails(root, made.layers[0].digest, files / "report.txt")
    assert (files / "other.txt").read_bytes() == b"text"
    assert_no_archive(root, root / "app", made.layers[0].digest)


def test_of_a_platform(root, client):
    images = platform_images()
    images[1] = lying(images[1][0], 0), images[1][1]
    index_of(images).push(client, "app", "1.0")
    digest = images[1][0].layers[0].digest
    assert_no_archive(root, root / "app", digest)
    root.expect_error(f"app@{images[1][0].digest}: {digest} cannot have")
    with fails_with(errno.EIO):
        (root / "app/1.0/platforms/linux-arm64/image.tar").read_bytes()
    assert (root / "app/1.0/platforms/linux-amd64/image.tar").read_bytes()


def test_a_manifest_of_an_index(root, client):
    """Any wrong size counts: the manifest is read by its digest alone, but
    readers of the archive compare its size."""
    index = index_of(platform_images())
    document = json.loads(index.data)
    document["manifests"][1]["size"] += 1
    wrong = Manifest(index.media_type, json.dumps(document).encode(),
                     children=index.children)
    wrong.push(client, "app", "1.0")
    child = index.children[1]
    root.expect_error(f"app:1.0: the manifest {child.digest} has "
                      f"{len(child.data)} bytes, not {len(child.data) + 1}")
    with fails_with(errno.EIO):
        (root / "app/1.0.tar").read_bytes()
    shown = root / "app/1.0/platforms/linux-arm64/manifest.json"
    assert shown.read_bytes() == child.data


def test_what_was_read_by_its_size_stays(mount, registry, client, image):
    """Another image's word for it is no reason to fetch it again."""
    image.push(client, "app", "right")
    lying(image, 0).push(client, "app", "wrong")
    root = mount(registry)
    path = root / "app/right/layers/01.tar.gz"
    assert path.read_bytes() == image.layers[0].data
    assert_fails(root, image.layers[0].digest,
                 root / "app/wrong/layers/01.tar.gz")
    assert os.getxattr(path, "user.oci.verified") == b"yes"


def test_what_is_empty_is_readable(root, client):
    """Under the digest of nothing."""
    made = artifact({"empty.txt": b"", "other.txt": b"text"})
    assert made.layers[0].digest == f"sha256:{EMPTY}"
    made.push(client, "app", "1.0")
    path = root / "app/1.0/files/empty.txt"
    assert path.read_bytes() == b""
    assert os.stat(path).st_size == 0
    data = (root / "app/1.0.tar").read_bytes()
    assert f"blobs/sha256/{EMPTY}".encode() in data


def test_an_archive_of_it_is_refused(mounted, app, client, image):
    """Though the registry has the blob, and would take the manifest."""
    image.push(client, "app", "before")
    wrong = lying(image, 1)
    nothing = Misnamed(OCI_GZIP_LAYER, b"", claimed=image.layers[1].digest)
    archive = oci_archive([("1.0", Manifest(
        wrong.media_type, wrong.data,
        blobs=(image.config, image.layers[0], nothing)))])
    mounted.expect_error(
        f"pushing app:1.0: {image.layers[1].digest} cannot have the size 0")
    with fails_with(errno.EINVAL):
        (app / "1.0.tar").write_bytes(archive)
    assert client.tags("app") == ["before"]


def test_a_copy_to_another_repository(mounted, client, image):
    """What has to be read for it cannot be; nothing is there afterwards."""
    wrong = lying(image, 1).push(client, "app", "1.0")
    (mounted / "other").mkdir()
    mounted.expect_error(f"{image.layers[1].digest} cannot have the size 0")
    result = run("cp", mounted / "app/1.0.tar", mounted / "other/1.0.tar",
                 check=False)
    assert result.returncode == 1
    assert "Input/output error" in result.stderr
    assert client.tags("other") == []
    # Another name for it is the same manifest.
    os.symlink("1.0", mounted / "app/same")
    assert client.manifest("app", "same").body == wrong.data


def test_a_copy_that_the_registry_does_not_make(mounted, proxy, client, image):
    """Where it mounts no blob of another repository."""
    lying(image, "config").push(client, "app", "1.0")
    (mounted / "other").mkdir()
    proxy.refuses("mount=", method="POST", status=405, code="UNSUPPORTED",
                  message="not here")
    mounted.expect_error("cannot have the size 0")
    with fails_with(errno.EIO):
        os.symlink("../app/1.0", mounted / "other/1.0")
    assert client.tags("other") == []
