# SPDX-License-Identifier: Apache-2.0
"""Layers in streams and under media types that are not quite what they should
be, as podman pulls them; and those that nobody reads, which are an error and
never an empty tree."""

import gzip
import os
import struct
import zlib

import pytest

from registry.client import digest_of
from support.compression import (
    gzip_member, in_members, skippable_frame, zstd_frame)
from support.images import OCI_GZIP_LAYER, OCI_LAYER, Layer
from support.layers import OCI_ZSTD_LAYER, image_of
from support.tars import directory, file, tar_bytes
from support.trees import assert_same_tree, outline
from support.unpacked import podman_rootfs

NOISE = bytes(zlib.crc32(b"%d" % number) & 0xff for number in range(50_000))
TAR = tar_bytes([directory("d"), file("d/a", b"A" * 100_000),
                 file("b", b"B" * 5000), file("noise", NOISE)])
TREE = {"d/": None, "d/a": b"A" * 100_000, "b": b"B" * 5000, "noise": NOISE}
DOCKER = "application/vnd.docker.image.rootfs."
GZIP = gzip_member(TAR)
FIELDS = (GZIP[:3] + bytes([GZIP[3] | 4 | 8 | 16]) + GZIP[4:10]
          + struct.pack("<H", 6) + b"AB\2\0xyname\0comment\0" + GZIP[10:])

# name: (media type, the layer's bytes)
READ = {
    "members": (OCI_GZIP_LAYER, in_members(TAR, 70_000)),
    "empty members": (OCI_GZIP_LAYER,
                      gzip_member(b"") + GZIP + gzip_member(b"")),
    "header fields": (OCI_GZIP_LAYER, FIELDS),
    "stored": (OCI_GZIP_LAYER, gzip.compress(TAR, 0, mtime=0)),
    "more after the tar": (OCI_GZIP_LAYER, GZIP + gzip_member(b"x" * 5000)),
    "frames": (OCI_ZSTD_LAYER, zstd_frame(TAR[:70_000])
               + zstd_frame(TAR[70_000:])),
    "skippable behind": (OCI_ZSTD_LAYER,
                         zstd_frame(TAR) + skippable_frame(b"S" * 5000)),
    "zstd as gzip": (OCI_GZIP_LAYER, zstd_frame(TAR)),
    "gzip as zstd": (OCI_ZSTD_LAYER, GZIP),
    "tar as gzip": (OCI_GZIP_LAYER, TAR),
    "gzip as tar": (OCI_LAYER, GZIP),
    "docker's zstd": (DOCKER + "diff.tar.zstd", zstd_frame(TAR)),
    "docker's tar": (DOCKER + "diff.tar", TAR),
    "parameters": (OCI_GZIP_LAYER + "; charset=utf-8", GZIP),
    "upper case": ("application/vnd.OCI.image.layer.v1.tar+gzip", GZIP),
    "octets": ("application/octet-stream", GZIP),
    "estargz": (OCI_LAYER + "+estargz", GZIP),
    "not distributable": (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", GZIP),
}
EMPTY = {
    "no bytes": (OCI_LAYER, b""), "no bytes of gzip": (OCI_GZIP_LAYER, b""),
    "nothing in gzip": (OCI_GZIP_LAYER, gzip_member(b"")),
    "an end": (OCI_GZIP_LAYER, gzip_member(bytes(1024))),
    "zeros": (OCI_LAYER, bytes(10_240)),
}
# podman reads none of them either. docker reads the first, as gzip(1) does.
REFUSED = {
    "junk behind": GZIP + b"junkjunkjunk",
    "cut": GZIP[:-2000],
    "wrong sum": GZIP[:-8] + b"\1\2\3\4" + GZIP[-4:],
    "wrong size": GZIP[:-4] + b"\1\2\3\4",
    "zlib": zlib.compress(TAR),
    "encrypted": NOISE,
}


def layer_of(media_type, data, tar=TAR):
    return Layer(media_type, data, diff_id=digest_of(tar))


@pytest.mark.parametrize("how", READ)
def test_what_podman_reads(mount, registry, client, podman, how):
    image_of(layer_of(*READ[how])).push(client, "app", "1.0")
    shown = mount(registry) / "app/1.0/rootfs"
    assert outline(shown) == TREE
    theirs = podman_rootfs(podman, f"{registry.address}/app:1.0")
    assert_same_tree(shown, theirs, ignore=[("", "mtime"), ("", "mode")])


@pytest.mark.parametrize("how", EMPTY)
def test_layers_with_nothing_in_them(mount, registry, client, podman, how):
    media_type, data = EMPTY[how]
    tar = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    image_of([file("f", b"f")], layer_of(media_type, data, tar)).push(
        client, "app", "1.0")
    shown = mount(registry) / "app/1.0/rootfs"
    assert outline(shown) == {"f": b"f"}
    assert outline(podman_rootfs(podman, f"{registry.address}/app:1.0")) == {
        "f": b"f"}


@pytest.mark.parametrize("how", REFUSED)
def test_what_nobody_reads(mount, registry, client, podman, how):
    image_of(layer_of(OCI_GZIP_LAYER, REFUSED[how])).push(client, "app", "1.0")
    mounted = mount(registry)
    mounted.expect_error("layer sha256:")
    with pytest.raises(OSError):
        os.listdir(mounted / "app/1.0/rootfs")
    result = podman("pull", "-q", "--tls-verify=false",
                    f"{registry.address}/app:1.0", check=False)
    assert result.returncode != 0
