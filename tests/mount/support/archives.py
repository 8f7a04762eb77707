# SPDX-License-Identifier: Apache-2.0
"""Image archives as docker, podman and skopeo write them, made in memory."""

import gzip
import json
import subprocess

from registry.client import digest_of
from support.images import OCI_LAYER, Blob, Manifest, compressed, tar_of

REF_NAME = "org.opencontainers.image.ref.name"
LAYOUT = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}


def plain_layer(files):
    return Blob(OCI_LAYER, tar_of(files))


def docker_archive(images):
    """A docker-archive as skopeo writes it. images: (name, image) pairs."""
    members = {}
    entries = []
    for name, image in images:
        tars = [_plain(layer.data) for layer in image.layers]
        layers = [_hex(data) + ".tar" for data in tars]
        config = _hex(image.config.data) + ".json"
        members |= dict(zip(layers, tars)) | {config: image.config.data}
        entries.append({"Config": config, "Layers": layers,
                        "RepoTags": [name] if name else None})
    return tar_of(members | {"manifest.json": _json(entries)})


def oci_archive(entries):
    """An OCI layout in a tar. entries: (name, manifest or index) pairs."""
    return tar_of(_layout(entries))


def hybrid_archive(name, image):
    """What docker has saved since version 25: an OCI layout whose blobs
    docker's own manifest.json names, too."""
    return tar_of(_layout([(name.split(":")[1], image)])
                  | {"manifest.json": docker_manifest(name, image)})


def docker_manifest(name, image):
    """The manifest.json of such an archive."""
    return _json([{"Config": _blob_path(image.config), "RepoTags": [name],
                   "Layers": [_blob_path(layer) for layer in image.layers]}])


def write_layout(directory, entries):
    """The same layout as a directory."""
    for name, data in _layout(entries).items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)
    return directory


def zstd(data):
    return subprocess.run(["zstd", "-1", "-c"], input=data, check=True,
                          capture_output=True).stdout


# As what an archive can be written, by the name of its compression.
WRAPPERS = {"plain": bytes, "gzip": compressed, "zstd": zstd}


def _layout(entries):
    members = dict(LAYOUT)
    descriptors = []
    for name, manifest in entries:
        members |= {_blob_path(blob): blob.data for blob in _blobs(manifest)}
        descriptors.append(manifest.descriptor(
            **{"annotations": {REF_NAME: name}} if name else {}))
    index = {"schemaVersion": 2, "manifests": descriptors}
    return members | {"index.json": _json(index)}


def _blobs(manifest):
    """All that a manifest consists of, itself last."""
    for child in manifest.children:
        yield from _blobs(child)
    yield from manifest.blobs
    yield Manifest(manifest.media_type, manifest.data)


def _blob_path(blob):
    return "blobs/" + blob.digest.replace(":", "/")


def _plain(data):
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _hex(data):
    return digest_of(data).split(":")[1]


def _json(document):
    return json.dumps(document).encode()
