# SPDX-License-Identifier: Apache-2.0
"""Images and artifacts of every form that a registry holds, made in memory."""

import gzip
import io
import json
import subprocess
import tarfile
from dataclasses import dataclass, field

from registry.client import digest_of

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."

OCI_MANIFEST = OCI + "manifest.v1+json"
OCI_INDEX = OCI + "index.v1+json"
OCI_CONFIG = OCI + "config.v1+json"
OCI_LAYER = OCI + "layer.v1.tar"
OCI_GZIP_LAYER = OCI_LAYER + "+gzip"
OCI_FOREIGN_LAYER = OCI + "layer.nondistributable.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = DOCKER + "distribution.manifest.v2+json"
DOCKER_LIST = DOCKER + "distribution.manifest.list.v2+json"
DOCKER_CONFIG = DOCKER + "container.image.v1+json"
DOCKER_LAYER = DOCKER + "image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN_LAYER = DOCKER + "image.rootfs.foreign.diff.tar.gzip"
DOCKER_SCHEMA1 = DOCKER + "distribution.manifest.v1+prettyjws"

TITLE = "org.opencontainers.image.title"

CREATED = "2020-02-03T04:05:06Z"
CREATED_TIME = 1580702706


@dataclass(frozen=True)
class Blob:
    media_type: str
    data: bytes
    annotations: dict = field(default_factory=dict)

    @property
    def digest(self):
        return digest_of(self.data)

    def descriptor(self, **more):
        descriptor = {"mediaType": self.media_type, "digest": self.digest,
                      "size": len(self.data)}
        if self.annotations:
            descriptor["annotations"] = self.annotations
        return descriptor | more


@dataclass(frozen=True)
class Layer(Blob):
    """A layer that knows the digest of its tar, however it is compressed."""
    diff_id: str = ""


@dataclass(frozen=True)
class ForeignLayer(Layer):
    """A layer that may be had elsewhere, and need not be in the registry."""
    urls: tuple = ()

    def descriptor(self, **more):
        return super().descriptor(urls=list(self.urls), **more)


@dataclass(frozen=True)
class Manifest(Blob):
    """A manifest or an index, with what has to be pushed before it."""
    blobs: tuple = ()
    children: tuple = ()

    def push(self, client, repository, *references, without=()):
        """Pushes everything but blobs and children that are named; without a
        reference by digest alone."""
        for blob in self.blobs:
            if blob not in without:
                client.put_blob(repository, blob.data)
        for child in self.children:
            if child not in without:
                child.push(client, repository, without=without)
        for reference in references or [self.digest]:
            client.put_manifest(repository, reference, self.data,
                                self.media_type)
        return self

    @property
    def config(self):
        return self.blobs[0]

    @property
    def layers(self):
        return self.blobs[1:]


def _json(document):
    return json.dumps(document, separators=(",", ":")).encode()


def tar_of(files):
    """An uncompressed tar of {name: bytes}; the same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def compressed(data):
    return gzip.compress(data, compresslevel=1, mtime=0)


def decompressed(data):
    """Of gzip. Python's own copies the rest of the stream for each member, and
    an eStargz layer has thousands."""
    return subprocess.run(["gzip", "-dc"], input=data, check=True,
                          capture_output=True).stdout


def zstd_stored(data):
    """A zstd frame of one raw block (RFC 8878); up to 128 KiB."""
    header = b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little")
    return header + (len(data) << 3 | 1).to_bytes(3, "little") + data


def gzip_layer(files, media_type=OCI_GZIP_LAYER):
    return Blob(media_type, compressed(tar_of(files)))


FOREIGN_URL = "https://layers.test/base.tar.gz"


def foreign_layer(files, media_type=OCI_FOREIGN_LAYER):
    tar = tar_of(files)
    return ForeignLayer(media_type, compressed(tar), diff_id=digest_of(tar),
                        urls=(FOREIGN_URL,))


def layer_of_size(size, seed=0):
    """A gzip layer of just about that size, quickly made: its one file is
    stored, not compressed. Blobs of different seeds share nothing."""
    body = bytes((seed + i * i // 7) % 251 for i in range(4096))
    data = body * (size // len(body))
    stored = gzip.compress(tar_of({f"data-{seed}": data}), compresslevel=0,
                           mtime=0)
    return Blob(OCI_GZIP_LAYER, stored)


def _diff_id(layer):
    if isinstance(layer, Layer):
        return layer.diff_id
    data = layer.data
    return digest_of(decompressed(data) if data[:2] == b"\x1f\x8b" else data)


def config_of(layers, *, architecture="amd64", variant=None, created=CREATED,
              **more):
    document = {"architecture": architecture, "os": "linux", "created": created,
                "config": more,
                "rootfs": {"type": "layers",
                           "diff_ids": [_diff_id(layer) for layer in layers]}}
    if variant:
        document["variant"] = variant
    return _json(document)


def default_layers(media_type):
    return (gzip_layer({"etc/motd": b"hello\n"}, media_type),)


def oci_image(*layers, annotations=None, scratch=False, **config):
    """scratch: without layers, instead of with a small one."""
    if not layers and not scratch:
        layers = default_layers(OCI_GZIP_LAYER)
    config = Blob(OCI_CONFIG, config_of(layers, **config))
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "config": config.descriptor(),
                "layers": [layer.descriptor() for layer in layers]}
    if annotations:
        manifest["annotations"] = annotations
    return Manifest(OCI_MANIFEST, _json(manifest), blobs=(config, *layers))


def docker_image(*layers, **config):
    layers = layers or default_layers(DOCKER_LAYER)
    config = Blob(DOCKER_CONFIG, config_of(layers, **config))
    manifest = {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST,
                "config": config.descriptor(),
                "layers": [layer.descriptor() for layer in layers]}
    return Manifest(DOCKER_MANIFEST, _json(manifest), blobs=(config, *layers))


def index_of(children, media_type=OCI_INDEX):
    """children: (manifest, platform or None), or (…, …, annotations)."""
    entries = []
    for child, platform, *annotations in children:
        entry = child.descriptor()
        if platform:
            entry["platform"] = platform
        if annotations:
            entry["annotations"] = annotations[0]
        entries.append(entry)
    document = {"schemaVersion": 2, "mediaType": media_type,
                "manifests": entries}
    return Manifest(media_type, _json(document),
                    children=tuple(child for child, *_ in children))


def linux(architecture, variant=None):
    platform = {"os": "linux", "architecture": architecture}
    return platform | ({"variant": variant} if variant else {})


def platform_images(make=oci_image, *, architectures=("amd64", "arm64")):
    return [(make(architecture=a), linux(a)) for a in architectures]


def attested_index():
    """What `docker buildx build` pushes: each platform's image, and beside it a
    manifest of platform unknown/unknown with the build's provenance."""
    entries = platform_images()
    for image, _ in list(entries):
        statement = Blob("application/vnd.in-toto+json",
                         image.digest.encode())
        entries.append((
            oci_image(statement, architecture="unknown"),
            {"os": "unknown", "architecture": "unknown"},
            {"vnd.docker.reference.type": "attestation-manifest",
             "vnd.docker.reference.digest": image.digest}))
    return index_of(entries)


def artifact(files, *, artifact_type="application/vnd.example.report",
             with_config=True):
    """What `oras push` makes: files as layers, named by their titles. The
    config is the empty one, or is left out."""
    layers = tuple(Blob("application/octet-stream", data, {TITLE: name})
                   for name, data in files.items())
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "artifactType": artifact_type,
                "layers": [layer.descriptor() for layer in layers]}
    empty = Blob(OCI_EMPTY, b"{}")
    if with_config:
        manifest["config"] = empty.descriptor()
    return Manifest(OCI_MANIFEST, _json(manifest), blobs=(empty, *layers))


def schema1(repository, tag):
    """A manifest of Docker's first format. No registry of today takes one, but
    old ones still serve them."""
    return _json({
        "schemaVersion": 1, "name": repository, "tag": tag,
        "architecture": "amd64",
        "fsLayers": [{"blobSum": digest_of(b"")}],
        "history": [{"v1Compatibility": "{}"}],
        "signatures": [{"header": {"alg": "ES256"}, "signature": "",
                        "protected": ""}]})
