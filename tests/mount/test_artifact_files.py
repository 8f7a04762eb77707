# SPDX-License-Identifier: Apache-2.0
"""files/ of an artifact is the directory that was pushed: titles are paths."""

import errno
import gzip
import json
import os
import stat

import pytest

from support.images import (
    OCI_EMPTY, OCI_GZIP_LAYER, OCI_MANIFEST, TITLE, Blob, Manifest, artifact,
    tar_of)
from support.system import fails_with, run

UNPACK = "io.deis.oras.content.unpack"
HELM = "application/vnd.cncf.helm."
OCTETS = "application/octet-stream"


def artifact_of(*blobs, config_type=OCI_EMPTY):
    config = Blob(config_type, b"{}")
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "artifactType": "application/vnd.example",
                "config": config.descriptor(),
                "layers": [blob.descriptor() for blob in blobs]}
    return Manifest(OCI_MANIFEST, json.dumps(manifest).encode(),
                    blobs=(config, *blobs))


def packed(title, files):
    """A directory as `oras push app:1.0 docs/` packs it."""
    data = tar_of({f"{title}/{name}": data for name, data in files.items()})
    return Blob(OCI_GZIP_LAYER, gzip.compress(data, mtime=0),
                {TITLE: title, UNPACK: "true"})


def tree_of(directory):
    """Each file below it, and that a listing agrees with a look at it."""
    found = {}
    for path, directories, files in os.walk(directory):
        for entry in os.scandir(path):
            assert entry.inode() == os.lstat(entry.path).st_ino
        assert all(stat.S_ISDIR(os.lstat(os.path.join(path, name)).st_mode)
                   for name in directories)
        for name in files:
            name = os.path.join(path, name)
            with open(name, "rb") as file:
                found[os.path.relpath(name, directory)] = file.read()
    return found


def test_titles_are_paths(mount, registry, client):
    files = {"README": b"read\n", "docs/guide.txt": b"guide\n",
             "docs/img/a.png": b"png", "./docs//b.txt": b"b"}
    artifact(files).push(client, "app", "1.0")
    directory = mount(registry) / "app/1.0/files"
    assert sorted(os.listdir(directory)) == ["README", "docs"]
    assert tree_of(directory) == {os.path.normpath(name): data
                                  for name, data in files.items()}
    with fails_with(errno.ENOENT):
        os.stat(directory / "docs/nope")
    with fails_with(errno.ENOTDIR):
        os.stat(directory / "README/nope")


def test_what_is_no_path_stays_in_the_directory(mount, registry, client):
    made = artifact({"/etc/cron.d/x": b"1", "../x": b"2", "a/../../x": b"3",
                     "ok/x": b"4"}).push(client, "app", "1.0")
    by_digest = {layer.digest.replace(":", "-"): layer.data
                 for layer in made.layers[:-1]}
    assert tree_of(mount(registry) / "app/1.0/files") == (
        by_digest | {"ok/x": b"4"})


@pytest.mark.parametrize("title", ["site", "deep/site"])
def test_a_packed_directory_is_a_tree(mount, registry, client, title):
    files = {"index.html": b"<html>", "css/a.css": b"a {}"}
    blob = packed(title, files)
    artifact_of(blob, Blob(OCTETS, b"x", {TITLE: "x"})).push(
        client, "app", "1.0")
    directory = mount(registry) / "app/1.0/files"
    assert tree_of(directory) == {
        **{f"{title}/{name}": data for name, data in files.items()},
        f"{title}.tar.gz": blob.data, "x": b"x"}
    run("grep", "-q", "html", directory / title / "index.html")


def test_a_packed_directory_that_is_none(mount, registry, client):
    """Its tar has something else: an error, and no empty directory."""
    blob = packed("other", {"file": b"x"})
    blob = Blob(blob.media_type, blob.data, {TITLE: "site", UNPACK: "true"})
    artifact_of(blob).push(client, "app", "1.0")
    root = mount(registry)
    assert (root / "app/1.0/files/site.tar.gz").read_bytes() == blob.data
    with fails_with(errno.ENOENT):
        os.listdir(root / "app/1.0/files/site")


@pytest.mark.parametrize("types, names", [
    ([HELM + "chart.content.v1.tar+gzip", HELM + "chart.provenance.v1.prov"],
     ["chart.tgz", "chart.tgz.prov"]),
    (["application/vnd.wasm.content.layer.v1+wasm"], ["module.wasm"]),
    (["application/wasm"], ["module.wasm"]),
    (["application/vnd.sylabs.sif.layer.v1.sif"], ["image.sif"])])
def test_names_by_type(mount, registry, client, types, names):
    blobs = [Blob(name, name.encode()) for name in types]
    artifact_of(*blobs, config_type=HELM + "config.v1+json").push(
        client, "app", "1.0")
    assert tree_of(mount(registry) / "app/1.0/files") == {
        name: blob.data for name, blob in zip(names, blobs)}


def test_a_signature_is_named_by_its_digest(mount, registry, client):
    blob = Blob("application/vnd.dev.cosign.simplesigning.v1+json", b"{}\n")
    artifact_of(blob).push(client, "app", "1.0")
    assert os.listdir(mount(registry) / "app/1.0/files") == [
        blob.digest.replace(":", "-") + ".json"]


def test_a_copy_is_what_was_pushed(mount, registry, client, tmp_path):
    artifact({"a/b/c": b"1", "a/d": b"2"}).push(client, "app", "1.0")
    run("cp", "-r", mount(registry) / "app/1.0/files", tmp_path / "copy")
    assert tree_of(tmp_path / "copy") == {"a/b/c": b"1", "a/d": b"2"}


@pytest.mark.parametrize("name", ["layers", "rootfs", "platforms"])
def test_no_file_has_the_name_of_a_directory_of_images(
        mount, registry, client, name):
    """An artifact has none, so the kernel lets a file be made of that name."""
    artifact({"README": b"read\n"}).push(client, "app", "1.0")
    root = mount(registry)
    root.expect_error(f"app/1.0/{name}: images have a directory of this name")
    with fails_with(errno.EPERM):
        (root / "app/1.0" / name).write_bytes(b"x")
    assert name not in os.listdir(root / "app/1.0")
