# SPDX-License-Identifier: Apache-2.0
"""zstd:chunked layers: containers/storage, pkg/chunked.

A layer is a row of zstd frames, one for each chunk of a file and one for what
stands between two payloads. Behind them are frames that decoders pass over: the
TOC, tar-split's data and a footer. The descriptor's annotations say where the
TOC is and what its digest is, so that nobody needs the footer.
"""

import json
import re

from registry.client import digest_of
from support.compression import pieces, skippable_frame, zstd_frame
from support.images import Layer
from support.layers import OCI_ZSTD_LAYER
from support.tars import FILE, encoded, padding, tar_bytes
from support.tocs import toc_entry, without_zeros

# What is written today, and what Debian 12's podman and skopeo write.
PREFIX = "io.github.containers.zstd-chunked."
OLD_PREFIX = "io.containers.zstd-chunked."
CHECKSUM, POSITION = "manifest-checksum", "manifest-position"
TAR_SPLIT_POSITION = "tarsplit-position"
MAGIC, OLD_MAGIC = b"GNUlInUx", b"GnUlInUx"
CRFS = 1
SKIPPABLE_HEADER = 8
# From so many zeros on they are a chunk that need not be fetched.
HOLE = re.compile(rb"\0{1024,}")


class _Writer:
    def __init__(self, chunk_size):
        self.data = bytearray()
        self.toc = []
        self._chunk_size = chunk_size
        self._between = b""

    def add(self, entry):
        headers, _, _ = encoded(entry)
        self._between += headers
        described = toc_entry(entry, with_fraction=True)
        if entry.kind != FILE or not entry.content:
            self.toc.append(described)
            return
        self.flush()
        chunks = list(self._chunks(entry.content))
        described |= {"digest": digest_of(entry.content),
                      "offset": chunks[0]["offset"],
                      "endOffset": len(self.data)}
        self._between = padding(len(entry.content))
        if len(chunks) == 1:
            self.toc.append(described)
            return
        self.toc.append(described | chunks[0])
        self.toc += [{"type": "chunk", "name": described["name"]} | chunk
                     for chunk in chunks[1:]]

    def _chunks(self, content):
        """Writes the chunks' frames, and says where they are."""
        at = 0
        for chunk, kind in _split(content, self._chunk_size):
            yield without_zeros({
                "offset": len(self.data), "chunkOffset": at,
                "chunkSize": len(chunk), "chunkDigest": digest_of(chunk),
                "chunkType": kind})
            # Some writers know how much a frame holds, and some do not.
            self.data += zstd_frame(chunk, with_size=at % 2 == 0)
            at += len(chunk)

    def flush(self):
        self.data += zstd_frame(self._between)
        self._between = b""

    def end(self):
        self._between += tar_bytes([])
        self.flush()


def _split(content, size):
    """(chunk, type) pairs; a hole is a chunk by itself."""
    at = 0
    for hole in HOLE.finditer(content):
        yield from _data_chunks(content[at:hole.start()], size)
        yield hole[0], "zeros"
        at = hole.end()
    yield from _data_chunks(content[at:], size)


def _data_chunks(data, size):
    return [(piece, "") for piece in pieces(data, size) if piece]


def _footer(magic, *numbers):
    return skippable_frame(
        b"".join(number.to_bytes(8, "little") for number in numbers) + magic)


def chunked(entries, *, chunk_size=64 * 1024, old=False, edit_toc=None,
            checksum=None, position=None):
    """A layer. old: by the prefix and with the footer of Debian 12's podman,
    and without tar-split's data, which nobody but containers/storage reads.

    edit_toc: a function that changes the TOC before it is written; checksum
    and position take the places of what is true.
    """
    writer = _Writer(chunk_size)
    for entry in entries:
        writer.add(entry)
    writer.end()
    tar = tar_bytes(entries)
    split = zstd_frame(b'{"type":2,"payload":"","position":0}\n')
    toc = {"version": 1, "entries": writer.toc}
    if not old:
        toc["tarSplitDigest"] = digest_of(split)
    if edit_toc:
        edit_toc(toc)
    index = json.dumps(toc).encode()
    frame = zstd_frame(index)
    where = [len(writer.data) + SKIPPABLE_HEADER, len(frame), len(index)]
    data = bytes(writer.data) + skippable_frame(frame)
    numbers = {CHECKSUM: checksum or digest_of(frame),
               POSITION: position or ":".join(map(str, [*where, CRFS]))}
    if old:
        data += _footer(OLD_MAGIC, *where, CRFS)
    else:
        split_at = [len(data) + SKIPPABLE_HEADER, len(split), len(split)]
        numbers[TAR_SPLIT_POSITION] = ":".join(map(str, split_at))
        data += skippable_frame(split) + _footer(MAGIC, *where, CRFS,
                                                 *split_at)
    prefix = OLD_PREFIX if old else PREFIX
    return Layer(OCI_ZSTD_LAYER, data, diff_id=digest_of(tar),
                 annotations={prefix + name: value
                              for name, value in numbers.items()})


def toc_range(layer):
    """Where in the blob the compressed TOC is: a first byte, and a size."""
    (position,) = [value for name, value in layer.annotations.items()
                   if name.endswith(POSITION) and "tarsplit" not in name]
    offset, size, *_ = position.split(":")
    return int(offset), int(size)
