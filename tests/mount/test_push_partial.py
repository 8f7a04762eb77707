# SPDX-License-Identifier: Apache-2.0
"""Archives that lack something of an index: refused whole, and not pushed as
what is left; but where docker's manifest.json says which image is meant."""

import errno
import tarfile
from io import BytesIO

import pytest

from support.archives import (
    docker_manifest, oci_archive, plain_layer, write_layout)
from support.engines import skopeo
from support.images import (
    attested_index, foreign_layer, gzip_layer, index_of, linux, oci_image,
    tar_of)
from support.system import fails_with, run

ARCHITECTURES = "amd64", "s390x", "arm64"
PARTS = {"manifest": lambda image: image, "config": lambda image: image.config,
         "layer": lambda image: image.layers[1]}

each_part = pytest.mark.parametrize("part", PARTS)
each_count = pytest.mark.parametrize("count", [2, 3])


def index_for(*architectures, layer=gzip_layer):
    """Images that have the first layer in common."""
    return index_of([
        (oci_image(layer({"common": b"to all"}),
                   layer({"etc/arch": name.encode()}), architecture=name),
         linux(name)) for name in architectures])


def blob_path(blob):
    return "blobs/" + blob.digest.replace(":", "/")


def members_of(archive):
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def without(archive, *blobs):
    """The archive without these members."""
    members = members_of(archive)
    for blob in blobs:
        del members[blob_path(blob)]
    return tar_of(members)


def with_docker(archive, image):
    """The archive with docker's manifest.json, too."""
    return tar_of(members_of(archive)
                  | {"manifest.json": docker_manifest("app:1.0", image)})


def assert_refused(mounted, app, client, archive, sentence):
    mounted.expect_error(f"pushing app:1.0: {sentence}")
    with fails_with(errno.EINVAL):
        (app / "1.0.tar").write_bytes(archive)
    assert client.tags("app") == []


@each_count
@each_part
def test_a_platform_is_missing(mounted, app, client, tmp_path, part, count):
    index = index_for(*ARCHITECTURES[:count])
    missing = PARTS[part](index.children[-1])
    archive = without(oci_archive([("1.0", index)]), missing)
    (tmp_path / "partial.tar").write_bytes(archive)
    # No other tool takes it either.
    assert skopeo("copy", "--all", f"oci-archive:{tmp_path}/partial.tar",
                  f"dir:{tmp_path}/copy", check=False).returncode
    assert_refused(mounted, app, client, archive,
                   f"the archive lacks the {part} {missing.digest} of "
                   f"linux/{ARCHITECTURES[count - 1]}")


def test_it_is_kept_as_what_failed(mounted, app, client):
    index = index_for(*ARCHITECTURES[:2])
    archive = without(oci_archive([("1.0", index)]), index.children[1])
    assert_refused(mounted, app, client, archive, "the archive lacks")
    assert (app / ".1.0.failed").read_bytes() == archive


def test_an_attestation_is_missing(mounted, app, client):
    index = attested_index()
    missing = index.children[2]
    assert_refused(mounted, app, client,
                   without(oci_archive([("1.0", index)]), missing),
                   f"the archive lacks the manifest {missing.digest} of an "
                   "attestation")


def test_a_layout_directory_is_refused_so_too(mounted, app, client, new,
                                              tmp_path):
    index = index_for(*ARCHITECTURES[:2])
    missing = index.children[1].config
    layout = write_layout(tmp_path / "layout", [("1.0", index)])
    (layout / blob_path(missing)).unlink()
    run("cp", "-r", f"{layout}/.", new)
    mounted.expect_error(f"the archive lacks the config {missing.digest} of "
                         "linux/s390x")
    # EINVAL of a rename would say that it is no rename.
    with fails_with(errno.EIO):
        new.rename(app / "1.0")
    assert client.tags("app") == []
    assert (new / "index.json").exists()


@each_count
@each_part
def test_docker_means_an_image(mounted, app, client, part, count):
    """Whatever is missing of another one; also where a third is all there."""
    index = index_for(*ARCHITECTURES[:count])
    image, last = index.children[0], index.children[-1]
    archive = with_docker(without(oci_archive([("1.0", index)]),
                                  PARTS[part](last)), image)
    (app / "1.0.tar").write_bytes(archive)
    assert client.manifest("app", "1.0").body == image.data
    mounted.wait_for_log(
        "warning: app:1.0 is only the image that the archive's manifest.json "
        "names, not the index, of which the archive lacks "
        f"linux/{ARCHITECTURES[count - 1]}\n")


def test_what_docker_saves_of_one_platform(mounted, app, client):
    """The whole index, and one image of it."""
    index = index_for(*ARCHITECTURES)
    image = index.children[1]
    others = [index.children[0], index.children[2]]
    blobs = [blob for other in others
             for blob in (other, other.config, other.layers[1])]
    (app / "1.0.tar").write_bytes(with_docker(
        without(oci_archive([("1.0", index)]), *blobs), image))
    assert client.manifest("app", "1.0").body == image.data
    mounted.wait_for_log("the archive lacks linux/amd64, linux/arm64\n")


@each_part
def test_what_docker_means_is_missing(mounted, app, client, part):
    index = index_for(*ARCHITECTURES[:2])
    image = index.children[0]
    missing = PARTS[part](image)
    archive = with_docker(without(oci_archive([("1.0", index)]), missing),
                          image)
    assert_refused(mounted, app, client, archive,
                   f"the archive lacks .*{missing.digest[7:]}")


@pytest.mark.parametrize("layer", [gzip_layer, plain_layer])
def test_a_whole_index_stays_one(mounted, app, client, layer):
    """Though docker's manifest.json names one image of it."""
    index = index_for(*ARCHITECTURES, layer=layer)
    (app / "1.0.tar").write_bytes(
        with_docker(oci_archive([("1.0", index)]), index.children[0]))
    assert client.manifest("app", "1.0").body == index.data
    assert "lacks" not in mounted.log()


def test_docker_means_an_image_of_plain_layers(mounted, app, client):
    index = index_for(*ARCHITECTURES[:2], layer=plain_layer)
    image = index.children[0]
    (app / "1.0.tar").write_bytes(with_docker(
        without(oci_archive([("1.0", index)]), index.children[1]), image))
    config = client.manifest("app", "1.0").json()["config"]
    assert config["digest"] == image.config.digest
    mounted.wait_for_log("the archive lacks linux/s390x\n")


def test_a_foreign_layer_may_be_missing(mount, make_registry):
    registry = make_registry(foreign="^https://layers[.]test/")
    image = oci_image(foreign_layer({"Files/base": b"not to be copied"}),
                      gzip_layer({"Files/app": b"of ours"}))
    index = index_of([(image, {"os": "windows", "architecture": "amd64"})])
    app = mount(registry) / "app"
    app.mkdir()
    (app / "1.0.tar").write_bytes(
        without(oci_archive([("1.0", index)]), image.layers[0]))
    client = registry.client()
    assert client.manifest("app", "1.0").body == index.data
    assert not client.has_blob("app", image.layers[0].digest)
