# SPDX-License-Identifier: Apache-2.0
"""What a layer costs to be read is bounded while it is read, whatever it has:
64 MiB of memory beyond its index, and none of the disk for what no file has."""

import gzip
import os
import time
import zlib
from pathlib import Path

import pytest

from registry.client import digest_of
from support.compression import zstd_frame
from support.estargz import estargz
from support.images import OCI_GZIP_LAYER, Layer
from support.layers import OCI_ZSTD_LAYER, image_of, layer
from support.tars import directory, file, headers, tar_bytes

MIB = 1 << 20
MEMORY_LIMIT = 64 * MIB
END = bytes(1024)


@pytest.fixture
def measured(mount, registry, client, plain_binary, tmp_path):
    """The root of an image's tree in a mount whose memory is its own."""
    cache = tmp_path / "cache"

    def measured(*layers):
        image_of(*layers).push(client, "app", "1.0")
        mounted = mount(registry, f"cache={cache}", program=plain_binary)
        return mounted, mounted / "app/1.0/rootfs"
    measured.cache = cache
    return measured


def index_size(cache):
    """Of what is mapped: the layer's index, and the tree's."""
    return sum(path.stat().st_size for path in Path(cache).rglob("*")
               if path.is_file() and path.read_bytes()[:3] == b"rfs")


def gzip_layer_of(pieces):
    """Of a tar in pieces, each of which is a member."""
    data = b"".join(pieces)
    return Layer(OCI_GZIP_LAYER, data, diff_id=digest_of(data))


def test_five_million_entries_of_one_name(measured):
    once = headers(file("a" * 90))
    member = gzip.compress(once * 10_000, 6, mtime=0)
    mounted, root = measured(gzip_layer_of(
        [*[member] * 500, gzip.compress(END, mtime=0)]))
    assert os.listdir(root) == ["a" * 90]
    assert mounted.peak_memory() <= MEMORY_LIMIT


def numbered(first, count, directory=""):
    """Headers of empty files, made quickly: of a name in ten digits only its
    digits and the checksum differ."""
    block = bytearray(headers(file(directory + "0" * 10)))
    base = sum(block) - sum(block[148:156]) + 8 * 32 - 10 * 48
    begin = len(directory)
    for number in range(first, first + count):
        digits = b"%010d" % number
        block[begin:begin + 10] = digits
        block[148:156] = b"%06o\0 " % (base + sum(digits))
        yield bytes(block)


def members_of_names(total, each=50_000, directories=False):
    """directories: as many names in one each."""
    for first in range(0, total, each):
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        below = f"d{first // each}/" if directories else ""
        yield packer.compress(b"".join(numbered(first, each, below)))
        yield packer.flush()


def test_a_push_of_many_names_twice(mount, registry, plain_binary):
    """Each is written once, by the tree that is made of the tar meanwhile."""
    mounted = mount(registry, program=plain_binary)
    (mounted / "app").mkdir()
    members = [*members_of_names(500_000, directories=True)]
    (mounted / "app/1.0.tar.gz").write_bytes(b"".join(
        [*members, *members, gzip.compress(END, mtime=0)]))
    assert mounted.peak_memory() <= MEMORY_LIMIT
    shown = mounted / "app/1.0/layers/01"
    assert sum(len(os.listdir(shown / name)) for name in os.listdir(shown)) == (
        500_000)


def test_more_entries_than_a_layer_may_have(measured):
    """4,194,304: it is refused when there is one more, with as little."""
    mounted, root = measured(gzip_layer_of(
        [*members_of_names(4_200_000), gzip.compress(END, mtime=0)]))
    mounted.expect_error("the layer has more than 4194304 entries")
    with pytest.raises(OSError):
        os.listdir(root)
    assert mounted.peak_memory() <= MEMORY_LIMIT


def test_many_entries(measured):
    mounted, root = measured(gzip_layer_of(
        [*members_of_names(500_000), gzip.compress(END, mtime=0)]))
    assert os.stat(root / "0000000000").st_size == 0
    assert os.stat(root / "0000499999").st_size == 0
    assert mounted.peak_memory() <= index_size(
        measured.cache) + MEMORY_LIMIT


def test_many_entries_below_another_layer(measured):
    """The tree that two layers make is made of all that they have."""
    mounted, root = measured(
        gzip_layer_of([*members_of_names(400_000, 1000, directories=True),
                       gzip.compress(END, mtime=0)]),
        layer([directory("d7"), file("d7/top", b"top")]))
    assert len(os.listdir(root / "d7")) == 1001
    assert os.stat(root).st_nlink == 402
    assert (root / "d7/top").read_bytes() == b"top"
    assert mounted.peak_memory() <= index_size(
        measured.cache) + MEMORY_LIMIT


def test_a_table_of_many_entries(measured):
    entries = [directory(f"d{number:06}") for number in range(300_000)]
    mounted, root = measured(estargz(entries))
    assert os.stat(root / "d299999").st_nlink == 2
    assert mounted.peak_memory() <= index_size(
        measured.cache) + MEMORY_LIMIT


def repeated(byte, blocks):
    """A zstd frame (RFC 8878) of blocks of 128 KiB that are one byte."""
    header = b"\x28\xb5\x2f\xfd\x00\x38"
    block = (131072 << 3 | 2).to_bytes(3, "little") + byte
    return header + block * blocks + b"\1\0\0"


@pytest.mark.parametrize("entries", [[], [file("f", b"f")]],
                         ids=["nothing", "a tar"])
def test_thirteen_gigabytes_behind(measured, entries):
    before = zstd_frame(tar_bytes(entries)) if entries else b""
    data = before + repeated(b"\0", 100_000)
    mounted, root = measured(Layer(OCI_ZSTD_LAYER, data,
                                   diff_id=digest_of(data)))
    begun = time.monotonic()
    assert os.listdir(root) == [entry.name for entry in entries]
    # It took 34 s; decoding alone takes less than three.
    assert time.monotonic() - begun < 15
    assert mounted.peak_memory() <= MEMORY_LIMIT
    assert sum(path.stat().st_size for path in measured.cache.rglob("*")
               if path.is_file()) < 4 * MIB
