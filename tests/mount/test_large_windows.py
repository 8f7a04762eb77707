# SPDX-License-Identifier: Apache-2.0
"""Streams that refer far back take much memory while they are decoded. Those of
many layers, which are decoded side by side, take no more than one of them."""

import functools
import hashlib
import json
import lzma
import os
import subprocess
import sys

import pytest

from registry.client import digest_of
from registry.faults import Hold
from registry.process import PATIENCE, wait_until
from support.images import OCI_GZIP_LAYER, Layer
from support.layers import OCI_ZSTD_LAYER, image_of
from support.system import run
from support.tars import file, tar_bytes
from support.waiting import end, waiting

MIB = 1 << 20
LAYERS = 6
BESIDE = 64 * MIB
HASH = """
import hashlib, os, sys
for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), "rb") as file:
        print(name, hashlib.file_digest(file, "sha256").hexdigest())
"""


def zstd_long(data, log=27):
    return subprocess.run(["zstd", "-qc1", f"--long={log}"], input=data,
                          stdout=subprocess.PIPE, check=True).stdout


def xz_large(data, size=64 * MIB):
    """With the dictionary of `xz -9`, and in less time."""
    return lzma.compress(data, filters=[
        {"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": size}])


# How it is packed, its media type, its window, and a size that fills it.
KINDS = {"zstd": (zstd_long, OCI_ZSTD_LAYER, 128 * MIB, 140 * MIB),
         "xz": (xz_large, OCI_GZIP_LAYER, 64 * MIB, 72 * MIB)}
# Windows that need no turn.
SMALL = {"zstd-small": (lambda data: zstd_long(data, 23), OCI_ZSTD_LAYER, 0,
                        20 * MIB),
         "xz-small": (lambda data: xz_large(data, 8 * MIB), OCI_GZIP_LAYER, 0,
                      20 * MIB)}
kinds = pytest.mark.parametrize("kind", KINDS)


@functools.lru_cache
def large(kind):
    """What a file has, and the same packed: what comes again does so after so
    much that only a large window finds it."""
    pack, _, _, size = (KINDS | SMALL)[kind]
    data = os.urandom(MIB) * (size // MIB)
    return data, pack(data)


def large_layer(kind, name):
    """It has one file, behind whose header another frame, or stream, begins."""
    pack, media_type, _, _ = (KINDS | SMALL)[kind]
    data, packed = large(kind)
    tar = tar_bytes([file(name, data)])
    begin = tar.index(data)
    return Layer(media_type, pack(tar[:begin]) + packed
                 + pack(tar[begin + len(data):]), diff_id=digest_of(tar))


def large_image(kind, prefix="f", layers=LAYERS):
    """The image, and what HASH prints of its files."""
    names = [f"{prefix}{number}" for number in range(layers)]
    digest = hashlib.sha256(large(kind)[0]).hexdigest()
    return (image_of(*[large_layer(kind, name) for name in names]),
            "".join(f"{name} {digest}\n" for name in names))


@pytest.fixture
def mounted_plainly(mount, proxy, plain_binary):
    """A mount whose memory is its own, and what it has at its start."""
    mounted = mount(proxy, program=plain_binary)
    os.listdir(mounted.path)
    return mounted, mounted.peak_memory()


def reading(root):
    return subprocess.Popen([sys.executable, "-c", HASH, root],
                            stdout=subprocess.PIPE, text=True)


def read(root, timeout=60):
    return run(sys.executable, "-c", HASH, root, timeout=timeout).stdout


@pytest.mark.parametrize("kind", KINDS | SMALL)
def test_layers_side_by_side(mounted_plainly, client, kind):
    mounted, base = mounted_plainly
    image, printed = large_image(kind)
    image.push(client, "app", "1.0")
    root = mounted / "app/1.0/rootfs"
    limit = base + (KINDS | SMALL)[kind][2] + BESIDE
    assert len(os.listdir(root)) == LAYERS
    assert mounted.peak_memory() <= limit
    assert read(root) == printed
    assert mounted.peak_memory() <= limit


def test_programs_side_by_side(mounted_plainly, client):
    mounted, base = mounted_plainly
    images = {kind: large_image(kind, layers=2) for kind in KINDS}
    for kind, (image, _) in images.items():
        image.push(client, "app", kind)
    readers = [reading(mounted / "app" / kind / "rootfs") for kind in images]
    for reader, (_, printed) in zip(readers, images.values()):
        assert reader.communicate(timeout=60)[0] == printed
    assert mounted.peak_memory() - base <= 128 * MIB + BESIDE


@kinds
def test_one_that_waits_for_the_network(mounted_plainly, proxy, client, kind):
    """It has begun to be decoded, and holds up nobody."""
    mounted, _ = mounted_plainly
    slow, slow_printed = large_image(kind, "slow", layers=1)
    fast, fast_printed = large_image(kind, "fast", layers=1)
    slow.push(client, "app", "slow")
    fast.push(client, "app", "fast")
    hold = Hold(at=len(slow.layers[0].data) - 1000)
    proxy.sends(f"/blobs/{slow.layers[0].digest}", hold, times=1)
    with waiting(hold, "ls", mounted / "app/slow/rootfs"):
        fast_root = mounted / "app/fast/rootfs"
        assert read(fast_root, timeout=PATIENCE - 10) == fast_printed
    assert read(mounted / "app/slow/rootfs") == slow_printed


def test_one_that_is_killed(mounted_plainly, client):
    mounted, base = mounted_plainly
    killed, killed_printed = large_image("zstd", "killed", layers=2)
    other, other_printed = large_image("xz", "other", layers=1)
    killed.push(client, "app", "killed")
    other.push(client, "app", "other")
    with reading(mounted / "app/killed/rootfs") as reader:
        wait_until(lambda: mounted.peak_memory() - base > 40 * MIB,
                   "a large window")
        end(reader)
    assert read(mounted / "app/other/rootfs") == other_printed
    assert read(mounted / "app/killed/rootfs") == killed_printed


def test_layers_of_an_archive_side_by_side(mounted_plainly, client):
    """Engines read a docker-archive whose layers are packed."""
    mounted, base = mounted_plainly
    image, printed = large_image("xz", layers=3)
    members = [file("config.json", image.config.data)]
    members += [file(f"{number}.tar", made.data)
                for number, made in enumerate(image.layers)]
    names = [f"{number}.tar" for number in range(len(image.layers))]
    members.append(file("manifest.json", json.dumps(
        [{"Config": "config.json", "RepoTags": ["app:1.0"],
          "Layers": names}]).encode()))
    (mounted / "app").mkdir()
    (mounted / "app/1.0.tar").write_bytes(tar_bytes(members))
    assert mounted.peak_memory() - base <= 64 * MIB + BESIDE
    assert read(mounted / "app/1.0/rootfs") == printed
