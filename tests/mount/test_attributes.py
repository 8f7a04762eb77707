# SPDX-License-Identifier: Apache-2.0
"""What stat, readdir and getfattr say of the entries."""

import io
import os
import stat
import tarfile

import pytest

from support.images import (
    CREATED, CREATED_TIME, OCI_GZIP_LAYER, OCI_INDEX, OCI_MANIFEST, artifact,
    gzip_layer, index_of, layer_of_size, oci_image, platform_images)
from support.system import run

FILES = ["manifest.json", "config.json", "layers/01.tar.gz"]
DIRECTORIES = ["layers", "layers/01", "rootfs"]
ENTRIES = FILES + DIRECTORIES


@pytest.fixture
def image(client):
    return oci_image(layer_of_size(100_000)).push(client, "app", "1.0", "same")


def attributes(path):
    """The extended attributes of an entry, as `getfattr -d` prints them."""
    return {name: os.getxattr(path, name).decode()
            for name in os.listxattr(path)}


def test_sizes(mount, registry, image):
    directory = mount(registry) / "app/1.0"
    for name, blob in [("manifest.json", image),
                       ("config.json", image.config),
                       ("layers/01.tar.gz", image.layers[0])]:
        status = os.stat(directory / name)
        assert status.st_size == len(blob.data)
        assert status.st_blocks == (len(blob.data) + 511) // 512


def test_sizes_and_listings_cost_no_layer(mount, proxy, image):
    """As long as they do not go into it."""
    directory = mount(proxy) / "app/1.0"
    with proxy.requests() as seen:
        run("ls", "-l", directory, directory / "layers")
        run("du", "-a", "--exclude=rootfs", "--exclude=01", directory)
    assert seen.count(path=image.layers[0].digest) == 0


def test_walks_cost_one_read_of_the_layer(mount, proxy, image):
    root = mount(proxy)
    with proxy.requests() as seen:
        for directory in (root / "app/1.0", root / "app/same"):
            run("ls", "-lR", directory)
            run("du", "-a", directory)
    assert seen.count("GET", image.layers[0].digest) == 1
    assert seen.count(path=image.layers[0].digest) == 1


def test_du_counts_what_is_there(mount, registry, image):
    root = mount(registry)
    printed = run("du", "-sb", "--apparent-size", root / "app/1.0").stdout
    blobs = sum(len(blob.data) for blob in (image, *image.blobs))
    with tarfile.open(fileobj=io.BytesIO(image.layers[0].data)) as layer:
        content = sum(member.size for member in layer)
    directories = sum(os.stat(root / "app/1.0" / path).st_size
                      for path in (".", *DIRECTORIES))
    archive = os.stat(root / "app/1.0/image.tar").st_size
    # What is in the layer is there twice: in layers/01 and in rootfs.
    assert int(printed.split()[0]) == (
        blobs + archive + 2 * content + directories)


def test_modes(mount, registry, image):
    root = mount(registry)
    for path in ("app", "app/1.0", *(f"app/1.0/{path}"
                                     for path in DIRECTORIES)):
        assert stat.filemode(os.stat(root / path).st_mode) == "drwxr-xr-x"
    for path in FILES:
        mode = os.stat(root / "app/1.0" / path).st_mode
        assert stat.S_ISREG(mode)
        assert not mode & 0o7111


def test_the_owner_is_who_mounted(mount, registry, image):
    root = mount(registry)
    for path in (".", "app", "app/1.0", "app/1.0/manifest.json"):
        status = os.stat(root / path)
        assert (status.st_uid, status.st_gid) == (os.getuid(), os.getgid())


def test_times_are_the_configs(mount, registry, image):
    directory = mount(registry) / "app/1.0"
    os.listdir(directory)
    for name in ("manifest.json", "config.json", "layers"):
        assert os.stat(directory / name).st_mtime == CREATED_TIME, name


def test_times_have_fractions_and_zones(mount, registry, client):
    oci_image(created="2020-02-03T06:05:06.25+02:00").push(
        client, "app", "1.0")
    manifest = mount(registry) / "app/1.0/manifest.json"
    assert os.stat(manifest).st_mtime_ns == CREATED_TIME * 10**9 + 250_000_000


def test_times_without_a_config(mount, registry, client):
    """An artifact was made at no time; it must not be 1970 for all that."""
    artifact({"file": b""}).push(client, "app", "1.0")
    status = os.stat(mount(registry) / "app/1.0/manifest.json")
    assert status.st_mtime > CREATED_TIME


def test_link_counts(mount, registry, image):
    """One for a file. A directory's is one too where the number of directories
    in it is not known, and find(1) then looks."""
    root = mount(registry)
    for path in ("app", "app/1.0", *(f"app/1.0/{path}" for path in FILES),
                 "app/1.0/layers"):
        assert os.stat(root / path).st_nlink == 1, path
    for path in ("app/1.0/layers/01", "app/1.0/rootfs"):
        assert os.stat(root / path).st_nlink in (1, 2), path
    found = run("find", root.path, "-type", "f").stdout.splitlines()
    assert sorted(found) == sorted(
        str(root / "app" / tag / path) for tag in ("1.0", "same")
        for path in (*FILES, "image.tar", "layers/01/data-0",
                     "rootfs/data-0"))


def inodes(root):
    return {path: os.stat(root / path).st_ino
            for path in ("app", "app/1.0",
                         *(f"app/1.0/{entry}" for entry in ENTRIES))}


def test_inodes_outlive_the_mount(mount, registry, image):
    first = mount(registry)
    before = inodes(first)
    first.unmount()
    assert inodes(mount(registry)) == before


def test_a_blob_has_one_inode_whatever_leads_to_it(mount, registry, client,
                                                   image):
    image.push(client, "mirror/app", "2.0")
    root = mount(registry)
    files = [[os.stat(root / directory / name).st_ino
              for name in ("manifest.json", "config.json",
                           "layers/01.tar.gz")]
             for directory in ("app/1.0", "app/same", "app/:1.0",
                               f"app@{image.digest}", "mirror/app/2.0")]
    assert all(numbers == files[0] for numbers in files)
    assert len(set(files[0])) == 3


def test_a_platforms_image_has_the_inodes_of_its_own(mount, registry, client):
    images = platform_images()
    index_of(images).push(client, "app", "1.0")
    root = mount(registry, "platform=linux/arm64")
    beside = os.stat(root / "app/1.0/manifest.json")
    below = os.stat(root / "app/1.0/platforms/linux-arm64/manifest.json")
    by_digest = os.stat(root / f"app@{images[1][0].digest}/manifest.json")
    assert beside.st_ino == below.st_ino == by_digest.st_ino


def test_readdir_agrees_with_stat(mount, registry, client, image):
    oci_image().push(client, "app/below", "1.0")
    index_of(platform_images()).push(client, "app", "index")
    root = mount(registry)
    for path in (".", "app", "app/1.0", "app/1.0/layers", "app/1.0/layers/01",
                 "app/1.0/rootfs", "app/index", "app/index/platforms"):
        for entry in os.scandir(root / path):
            status = os.stat(entry.path)
            assert entry.is_dir() == stat.S_ISDIR(status.st_mode), entry.path
            assert entry.inode() == status.st_ino, entry.path


def test_attributes_of_an_image(mount, registry, client):
    layers = (gzip_layer({"file": b""}),)
    image = oci_image(*layers, annotations={
        "org.opencontainers.image.title": "An image", "odd name": "ü"})
    image.push(client, "app", "1.0")
    assert attributes(mount(registry) / "app/1.0") == {
        "user.oci.digest": image.digest,
        "user.oci.mediatype": OCI_MANIFEST,
        "user.oci.size": str(len(image.data)),
        "user.oci.layer_count": "1",
        "user.oci.layers_size": str(len(layers[0].data)),
        "user.oci.reference": f"{registry.address}/app:1.0",
        "user.oci.platform": "linux/amd64",
        "user.oci.created": CREATED,
        "user.oci.annotation.org.opencontainers.image.title": "An image",
        "user.oci.annotation.odd name": "ü"}


def test_attributes_of_an_index(mount, registry, client):
    images = platform_images()
    index = index_of(images).push(client, "app", "1.0")
    root = mount(registry, "platform=linux/arm64")
    of_index = attributes(root / "app/1.0")
    assert of_index["user.oci.digest"] == index.digest
    assert of_index["user.oci.mediatype"] == OCI_INDEX
    assert of_index["user.oci.platform"] == "linux/arm64"
    of_platform = attributes(root / "app/1.0/platforms/linux-amd64")
    assert of_platform["user.oci.digest"] == images[0][0].digest
    assert of_platform["user.oci.platform"] == "linux/amd64"


def test_attributes_of_a_layer(mount, registry, image):
    layer = image.layers[0]
    path = mount(registry) / "app/1.0/layers/01.tar.gz"
    described = {"user.oci.digest": layer.digest,
                 "user.oci.mediatype": OCI_GZIP_LAYER,
                 "user.oci.size": str(len(layer.data))}
    assert attributes(path) == described | {
        "user.oci.cached": "0", "user.oci.verified": "pending"}
    path.read_bytes()
    assert attributes(path) == described | {
        "user.oci.cached": str(len(layer.data)), "user.oci.verified": "yes"}


def test_attributes_of_an_artifacts_file(mount, registry, client):
    made = artifact({"report.txt": b"text"}).push(client, "app", "1.0")
    of_file = attributes(mount(registry) / "app/1.0/files/report.txt")
    assert of_file["user.oci.digest"] == made.layers[0].digest
    title = "user.oci.annotation.org.opencontainers.image.title"
    assert of_file[title] == "report.txt"


def test_an_attribute_that_is_not_there(mount, registry, image):
    root = mount(registry)
    for path in ("app", "app/1.0", "app/1.0/manifest.json"):
        result = run("getfattr", "-n", "user.absent", root / path, check=False)
        assert "No such attribute" in result.stderr


def test_getfattr_takes_values_whole(mount, registry, image):
    printed = run("getfattr", "-d", "--absolute-names",
                  mount(registry) / "app/1.0/manifest.json").stdout
    assert f'user.oci.digest="{image.digest}"' in printed


@pytest.mark.parametrize("annotations", [
    {"long": "x" * 70_000}, {f"name-{i:040}": "x" for i in range(2000)}],
    ids=["a value", "the names"])
def test_more_than_the_kernel_passes_on(mount, registry, client, annotations):
    """XATTR_SIZE_MAX and XATTR_LIST_MAX: the rest is listed all the same."""
    image = oci_image(annotations=annotations).push(client, "app", "1.0")
    path = mount(registry) / "app/1.0"
    result = run("getfattr", "-d", path)
    assert f'user.oci.digest="{image.digest}"' in result.stdout
    for name in ("name-" + "0" * 39 + "1", "name-" + "0" * 36 + "1999"):
        if name in annotations:
            assert os.getxattr(path, f"user.oci.annotation.{name}") == b"x"


def test_attributes_of_a_listing_cost_no_request(mount, proxy, image):
    """ls -l asks for security.selinux and ACLs of every entry."""
    root = mount(proxy)
    os.listdir(root / "app")
    with proxy.requests() as seen:
        run("ls", "-l", root / "app")
    assert len(seen) == 0, seen
