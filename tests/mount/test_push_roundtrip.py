# SPDX-License-Identifier: Apache-2.0
"""What real tools save is pushed, and what other tools pull is the same."""

import json
import shutil
import tarfile

import pytest

from conftest import APP, MOTD
from registry.client import digest_of
from support.engines import skopeo_copy, umoci_layout
from support.system import run


def docker_save(request, _, path):
    """Debian's docker: the layout with HEX/layer.tar and `repositories`."""
    docker = request.getfixturevalue("docker_with_app")
    docker("save", "-o", path, APP)


def podman_save(request, _, path):
    podman = request.getfixturevalue("podman_with_app")
    podman("save", "-o", path, APP)


def podman_save_oci(request, _, path):
    podman = request.getfixturevalue("podman_with_app")
    podman("save", "--format", "oci-archive", "-o", path, APP)


def umoci(request, directory):
    rootfs = request.getfixturevalue("rootfs")
    return umoci_layout(directory / "layout", rootfs, "1.0")


def skopeo_docker(request, directory, path):
    layout = umoci(request, directory)
    skopeo_copy(f"oci:{layout}:1.0", f"docker-archive:{path}:app:1.0")


def skopeo_oci(request, directory, path):
    layout = umoci(request, directory)
    skopeo_copy(f"oci:{layout}:1.0", f"oci-archive:{path}:1.0")


def umoci_tar(request, directory, path):
    run("tar", "-C", umoci(request, directory), "-cf", path, ".")


def rootfs_tar(request, _, path):
    run("tar", "-C", request.getfixturevalue("rootfs"), "-cf", path, ".")


SOURCES = [docker_save, podman_save, podman_save_oci, skopeo_docker,
           skopeo_oci, umoci_tar, rootfs_tar]


@pytest.fixture(scope="session", params=SOURCES,
                ids=lambda source: source.__name__)
def saved(request, tmp_path_factory):
    """An archive of the root file system's image."""
    directory = tmp_path_factory.mktemp("saved")
    request.param(request, directory, directory / "image.tar")
    return directory / "image.tar"


COMPRESSED = {"": None, ".gz": ["gzip", "-1", "-k"],
              ".zst": ["zstd", "-q", "-1"]}


@pytest.fixture(params=COMPRESSED, ids=["plain", "gzip", "zstd"])
def archive(request, saved, tmp_path):
    path = shutil.copy(saved, tmp_path)
    if request.param:
        run(*COMPRESSED[request.param], path)
    return f"{path}{request.param}"


def member(path, name):
    with tarfile.open(path) as tar:
        for found in (name, f"./{name}"):
            if found in tar.getnames():
                return tar.extractfile(found).read()
    return None


def assert_identity(path, client):
    """A docker-archive keeps its image ID, an OCI layout its digest."""
    manifest = client.manifest("app", "1.0")
    docker, layout = member(path, "manifest.json"), member(path, "index.json")
    if docker:
        config = member(path, json.loads(docker)[0]["Config"])
        assert manifest.json()["config"]["digest"] == digest_of(config)
    elif layout:
        assert digest_of(manifest.body) == (
            json.loads(layout)["manifests"][0]["digest"])


def assert_same_files(reference, rootfs, directory):
    """umoci checks all digests, those of the plain layers included."""
    skopeo_copy(f"docker://{reference}", f"oci:{directory}/pulled:1.0")
    run("umoci", "unpack", "--image", f"{directory}/pulled:1.0",
        directory / "bundle")
    run("diff", "-r", rootfs, directory / "bundle/rootfs")


def test_comes_back(mount, registry, client, rootfs, saved, archive, tmp_path,
                    docker):
    app = mount(registry) / "app"
    app.mkdir()
    run("cp", archive, app / "1.0.tar")
    reference = f"{registry.address}/app:1.0"
    assert_identity(saved, client)
    assert_same_files(reference, rootfs, tmp_path)
    docker("pull", reference)
    shown = docker("run", "--rm", "--network", "none", "--entrypoint",
                   "/bin/show", reference).stdout
    assert shown == MOTD
    assert docker.image_id(reference) == (
        client.manifest("app", "1.0").json()["config"]["digest"])
    docker("rmi", reference)
