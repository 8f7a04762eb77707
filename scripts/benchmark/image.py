# SPDX-License-Identifier: Apache-2.0
"""An archive of an image as they are: programs, libraries, texts, many small
files, taken from this machine."""

import hashlib
import json
import os
import shutil
import tarfile
from pathlib import Path

from support.images import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from support.system import run

MB = 1_000_000

# Base first: trees of this machine, and how much is taken of them. What of it
# is not there is missed: the next tree of the layer takes its place.
LAYERS = (
    (100, ("/usr/bin", "/usr/sbin", "/etc/ssl")),
    (150, ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
           "/usr/lib/gcc")),
    (60, ("/usr/lib/python3.11", "/usr/lib/python3", "/usr/share/perl")),
    (60, ("/usr/share/doc", "/usr/share/man", "/usr/share/locale")),
    (30, ("/usr/include", "/usr/share")),
)

# No file is so large that a layer is but one file.
LARGEST = 40 * MB


def make_archive(directory):
    """A docker-archive of LAYERS as skopeo writes them; returns its path."""
    directory = Path(directory)
    layout, archive = directory / "layout", directory / "image.tar"
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True)
    layers = [_add_layer(blobs, size * MB, trees) for size, trees in LAYERS]
    config = _add_json(blobs, OCI_CONFIG, {
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers",
                   "diff_ids": [layer["digest"] for layer in layers]}})
    manifest = _add_json(blobs, OCI_MANIFEST, {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config,
        "layers": layers})
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (layout / "index.json").write_text(
        json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    run("skopeo", "--insecure-policy", "copy", "--quiet", f"oci:{layout}",
        f"docker-archive:{archive}:bench/app:1.0")
    shutil.rmtree(layout)
    return archive


def _add_layer(blobs, size, trees):
    path = blobs / "layer"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name in _files(trees):
            if tar.offset >= size:
                break
            tar.add(name, recursive=False)
    return _named(blobs, path, OCI_LAYER)


def _files(trees):
    for tree in trees:
        for folder, folders, names in os.walk(tree):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.lstat(path).st_size <= LARGEST:
                    yield path


def _add_json(blobs, media_type, document):
    path = blobs / "document"
    path.write_text(json.dumps(document))
    return _named(blobs, path, media_type)


def _named(blobs, path, media_type):
    """Gives a file the name of its digest and returns its descriptor."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    path = path.rename(blobs / digest)
    return {"mediaType": media_type, "digest": f"sha256:{digest}",
            "size": path.stat().st_size}
