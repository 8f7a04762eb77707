# SPDX-License-Identifier: Apache-2.0
"""Layers of images, made of tars' entries, and as the mount shows them."""

from pathlib import Path

from registry.client import digest_of
from support.compression import COMPRESSIONS
from support.images import OCI_GZIP_LAYER, OCI_LAYER, Layer, oci_image
from support.tars import tar_bytes

OCI_ZSTD_LAYER = OCI_LAYER + "+zstd"
MEDIA_TYPES = {"plain": OCI_LAYER, "gzip": OCI_GZIP_LAYER,
               "gzip-members": OCI_GZIP_LAYER, "zstd": OCI_ZSTD_LAYER,
               "zstd-frames": OCI_ZSTD_LAYER,
               # They have no type of their own, and are known by their bytes.
               "xz": OCI_GZIP_LAYER, "bzip2": OCI_GZIP_LAYER}


def layer_of_tar(tar, compression="gzip"):
    return Layer(MEDIA_TYPES[compression], COMPRESSIONS[compression](tar),
                 diff_id=digest_of(tar))


def layer(entries, compression="gzip"):
    """compression: one of COMPRESSIONS."""
    return layer_of_tar(tar_bytes(entries), compression)


def image_of(*layers, **config):
    """An image; each layer is a Layer or a list of entries, base first."""
    made = [one if isinstance(one, Layer) else layer(one) for one in layers]
    return oci_image(*made, **config)


def stored_layers(directory):
    """The layers of an image's directory as stored, base first: each has beside
    it the directory of what is in it, and nothing else is there."""
    listed = sorted((Path(directory) / "layers").iterdir())
    contents, files = listed[0::2], listed[1::2]
    assert [path.name for path in contents] == [
        path.name.partition(".tar")[0] for path in files]
    assert all(path.is_dir() for path in contents)
    assert all(path.is_file() for path in files)
    return files
