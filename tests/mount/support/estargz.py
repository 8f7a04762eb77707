# SPDX-License-Identifier: Apache-2.0
"""eStargz layers: containerd/stargz-snapshotter, docs/estargz.md.

A layer is a row of gzip members. Each chunk of a file begins one, unless it is
small and shares that of the chunk before it (innerOffset); what stands between
the payloads, tar headers and padding, ends the member of the payload before.
The last members are a tar of the TOC and a footer that says where it begins.
"""

import hashlib
import json

from registry.client import digest_of
from support.compression import gzip_member, pieces
from support.images import OCI_GZIP_LAYER, Layer, decompressed
from support.tars import FILE, encoded, file, padding, tar_bytes
from support.tocs import toc_entry, without_zeros

TOC_NAME = "stargz.index.json"
TOC_DIGEST = "containerd.io/snapshot/stargz/toc.digest"
UNCOMPRESSED_SIZE = "io.containers.estargz.uncompressed-size"
LANDMARK, NO_LANDMARK = ".prefetch.landmark", ".no.prefetch.landmark"
# What the format adds to the root directory.
OWN_NAMES = {TOC_NAME, LANDMARK, NO_LANDMARK}


class _Members:
    """Gzip members: what is written since the last cut is one."""

    def __init__(self):
        self.data = bytearray()
        self._parts = []
        self.inner = 0  # bytes in the member that is being written
        self.plain_size = 0
        self._plain = hashlib.sha256()

    def write(self, data):
        self._parts.append(data)
        self.inner += len(data)
        self.plain_size += len(data)
        self._plain.update(data)

    def cut(self):
        """Ends the member; returns where the next begins."""
        if self.inner:
            self.data += gzip_member(b"".join(self._parts))
        self._parts, self.inner = [], 0
        return len(self.data)

    @property
    def diff_id(self):
        return "sha256:" + self._plain.hexdigest()


class _Writer:
    def __init__(self, chunk_size, share_below):
        self.members = _Members()
        self.toc = []
        self._chunk_size = chunk_size
        self._share_below = share_below
        self._offset = 0  # of the member that is being written

    def add(self, entry):
        headers, _, _ = encoded(entry)
        described = toc_entry(entry, with_fraction=False)
        self.members.write(headers)
        if entry.kind != FILE or not entry.content:
            self.toc.append(described)
            return
        described["digest"] = digest_of(entry.content)
        offset = 0
        for number, chunk in enumerate(pieces(entry.content,
                                              self._chunk_size)):
            if number:
                described = {"name": described["name"], "type": "chunk"}
            self.toc.append(described | self._add_chunk(described, offset,
                                                        chunk))
            offset += len(chunk)
        self.members.write(padding(offset))

    def _add_chunk(self, described, offset, chunk):
        # The first one has no payload before it to share with.
        own_member = (not self._offset
                      or self.members.inner >= self._share_below
                      or described["name"] in OWN_NAMES)
        if own_member:
            self._offset = self.members.cut()
        inner = self.members.inner
        self.members.write(chunk)
        is_last = len(chunk) < self._chunk_size
        return without_zeros({
            "offset": self._offset, "innerOffset": inner,
            "chunkOffset": offset, "chunkSize": 0 if is_last else len(chunk),
            "chunkDigest": digest_of(chunk)})


def footer_of(toc_offset):
    """An empty gzip member whose extra field says where the TOC is."""
    extra = b"%016xSTARGZ" % toc_offset
    subfield = b"SG" + len(extra).to_bytes(2, "little") + extra
    return (b"\x1f\x8b\x08\x04\0\0\0\0\0\xff"
            + len(subfield).to_bytes(2, "little") + subfield
            + b"\x01\0\0\xff\xff" + bytes(8))


def estargz(entries, *, chunk_size=4 << 20, share_below=0, prefetched=0,
            edit_toc=None, toc_digest=None, footer=None):
    """A layer.

    share_below: chunks share a gzip member until it holds so many bytes.
    prefetched: so many entries stand before the prefetch landmark.
    edit_toc: a function that changes the TOC before it is written; toc_digest
    and footer take the places of what is true.
    """
    landmark = file(LANDMARK if prefetched else NO_LANDMARK, b"\x0f")
    ordered = [*entries[:prefetched], landmark, *entries[prefetched:]]
    writer = _Writer(chunk_size, share_below)
    members = writer.members
    for entry in ordered:
        writer.add(entry)
    toc_offset = members.cut()
    toc = {"version": 1, "entries": writer.toc}
    if edit_toc:
        edit_toc(toc)
    index = json.dumps(toc, indent="\t").encode()
    members.write(tar_bytes([file(TOC_NAME, index, mtime=0)]))
    members.cut()
    data = bytes(members.data) + (
        footer_of(toc_offset) if footer is None else footer)
    return Layer(OCI_GZIP_LAYER, data, diff_id=members.diff_id, annotations={
        TOC_DIGEST: toc_digest or digest_of(index),
        UNCOMPRESSED_SIZE: str(members.plain_size)})


def toc_of(layer):
    """The TOC of a layer whose footer is right."""
    return json.loads(_toc_file(layer))


def toc_range(layer):
    """Where in the blob TOC and footer are: a first byte, and a size."""
    offset = int(layer.data[-51 + 16:-51 + 32], 16)
    return offset, len(layer.data) - offset


def _toc_file(layer):
    offset, _ = toc_range(layer)
    tar = decompressed(layer.data[offset:])
    size = int(tar[124:135], 8)
    return tar[512:512 + size]
