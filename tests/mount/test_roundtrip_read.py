# SPDX-License-Identifier: Apache-2.0
"""What real clients push is read through the mount, byte by byte."""

import hashlib
import json
import os

import pytest

from conftest import MOTD
from support.engines import skopeo, skopeo_copy, umoci_layout
from support.layers import stored_layers
from support.system import run


def blobs_of(directory):
    """The mount's bytes of an image, by their digests."""
    files = [directory / "manifest.json", directory / "config.json",
             *stored_layers(directory)]
    contents = [file.read_bytes() for file in files]
    return {hashlib.sha256(data).hexdigest(): data for data in contents}


def assert_same_as_skopeo(directory, reference, pulled):
    """The mount shows what skopeo pulls: the same blobs and no others."""
    skopeo_copy(f"docker://{reference}", f"dir:{pulled}")
    expected = {file.name: file.read_bytes() for file in pulled.iterdir()}
    expected.pop("version")
    manifest = expected.pop("manifest.json")
    found = blobs_of(directory)
    assert found.pop(hashlib.sha256(manifest).hexdigest()) == manifest
    assert found == expected


def from_umoci(rootfs, reference, tmp_path, request):
    layout = umoci_layout(tmp_path / "layout", rootfs, "1.0")
    skopeo_copy(f"oci:{layout}:1.0", f"docker://{reference}")


def from_umoci_as_docker(rootfs, reference, tmp_path, request):
    layout = umoci_layout(tmp_path / "layout", rootfs, "1.0")
    skopeo_copy(f"oci:{layout}:1.0", f"docker://{reference}", "-f", "v2s2")


def from_umoci_as_zstd(rootfs, reference, tmp_path, request):
    layout = umoci_layout(tmp_path / "layout", rootfs, "1.0")
    skopeo_copy(f"oci:{layout}:1.0", f"docker://{reference}",
                "--dest-compress-format", "zstd")


def from_docker(rootfs, reference, tmp_path, request):
    docker = request.getfixturevalue("docker")
    docker.import_rootfs(rootfs, reference)
    docker("push", reference)


def from_podman(rootfs, reference, tmp_path, request):
    podman = request.getfixturevalue("podman")
    podman.import_rootfs(rootfs, reference)
    podman("push", "--tls-verify=false", reference)


@pytest.mark.parametrize("pushed", [
    from_umoci, from_umoci_as_docker, from_umoci_as_zstd, from_docker,
    from_podman])
def test_what_a_client_pushed(mount, registry, rootfs, tmp_path, request,
                              pushed):
    reference = f"{registry.address}/team/app:1.0"
    pushed(rootfs, reference, tmp_path, request)
    root = mount(registry)
    assert_same_as_skopeo(root / "team/app/1.0", reference,
                          tmp_path / "pulled")
    digest = skopeo("inspect", "--tls-verify=false", "--format", "{{.Digest}}",
                    f"docker://{reference}").stdout.strip()
    assert os.getxattr(root / "team/app/1.0", "user.oci.digest") == (
        digest.encode())


def test_the_layer_is_the_root_file_system(mount, registry, rootfs, tmp_path):
    reference = f"{registry.address}/app:1.0"
    from_umoci(rootfs, reference, tmp_path, None)
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    for layer in stored_layers(mount(registry) / "app/1.0"):
        run("tar", "-C", unpacked, "-xf", layer)
    run("diff", "-r", rootfs, unpacked)


def test_the_files_are_an_image_that_runs(mount, registry, rootfs, tmp_path,
                                          docker):
    """An OCI layout put together from the mount's files alone."""
    reference = f"{registry.address}/app:1.0"
    from_umoci(rootfs, reference, tmp_path, None)
    directory = mount(registry) / "app/1.0"
    layout = tmp_path / "copied"
    (layout / "blobs/sha256").mkdir(parents=True)
    for digest, data in blobs_of(directory).items():
        (layout / "blobs/sha256" / digest).write_bytes(data)
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    manifest = os.stat(directory / "manifest.json")
    (layout / "index.json").write_text(json.dumps({
        "schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": os.getxattr(directory, "user.oci.digest").decode(),
            "size": manifest.st_size}]}))
    copy = f"{registry.address}/copy:1.0"
    skopeo_copy(f"oci:{layout}", f"docker://{copy}")
    for image in (reference, copy):
        docker("pull", image)
    assert docker.image_id(copy) == docker.image_id(reference)
    assert docker.run_image(copy) == MOTD


def test_a_multi_platform_image(mount, registry, rootfs, tmp_path):
    """Copied whole, index and all, from one registry directory to another."""
    layout = umoci_layout(tmp_path / "layout", rootfs, "amd64")
    run("umoci", "config", "--image", f"{layout}:amd64", "--tag", "arm64",
        "--architecture", "arm64")
    index = json.loads((layout / "index.json").read_text())
    for entry in index["manifests"]:
        name = entry["annotations"]["org.opencontainers.image.ref.name"]
        entry["platform"] = {"os": "linux", "architecture": name}
    data = json.dumps(index).encode()
    reference = f"{registry.address}/app:1.0"
    for name in ("amd64", "arm64"):
        skopeo_copy(f"oci:{layout}:{name}", f"docker://{reference}-{name}")
    registry.client().put_manifest(
        "app", "1.0", data, "application/vnd.oci.image.index.v1+json")
    directory = mount(registry) / "app/1.0"
    for name in ("amd64", "arm64"):
        assert_same_as_skopeo(directory / f"platforms/linux-{name}",
                              f"{reference}-{name}", tmp_path / name)
