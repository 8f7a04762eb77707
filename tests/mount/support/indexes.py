# SPDX-License-Identifier: Apache-2.0
"""Index and tree files of the cache, damaged where they are mapped.

What is where in them say client/layer/index/format.h,
client/layer/tree/merged.h and include/layer/index.h.
"""

import os
import random
import struct
from pathlib import Path

import pytest

from support.caches import files_in

PAGE = 4096
HEADER = 24  # of any mapped file: magic, size, checksum
HEAD = 208  # of an index: what it is of, how many of each
COUNTS = 160  # where in the head they are
MERGED_HEAD = 16
ENTRY, CHILD, SPAN, EXTENT, NODE = 88, 12, 72, 24, 44
chance = random.Random(3)


def derived(cache, kind):
    """The files of a kind: layer, tree; all of them with none."""
    return [path for path in files_in(cache / "derived")
            if path.name.startswith(kind)]


def _overwrite(file, content, offset=0):
    """In the file itself, where it is mapped."""
    with open(file, "r+b") as opened:
        opened.seek(offset)
        opened.write(content)


def _overwritten(make):
    return lambda file: _overwrite(file, make(file.stat().st_size))


# What becomes of all of a file.
WHOLE = {
    "cut to nothing": lambda file: os.truncate(file, 0),
    "cut to a page": lambda file: os.truncate(
        file, min(PAGE, file.stat().st_size - 1)),
    "cut in its middle": lambda file: os.truncate(
        file, file.stat().st_size // 2),
    "zeros": _overwritten(bytes),
    "ones": _overwritten(lambda size: b"\xff" * size),
    "random bytes": _overwritten(chance.randbytes),
}


def _aligned(size):
    return (size + 7) & ~7


class Index:
    """Where in an index its parts are."""

    def __init__(self, file):
        self._file = file
        self._bytes = file.read_bytes()
        counts = struct.unpack_from("=5Q", self._bytes, HEADER + COUNTS)
        places, at = [], HEADER + HEAD
        for count, size in zip(counts, (ENTRY, CHILD, SPAN, EXTENT, 1)):
            places.append(at)
            at += _aligned(count * size)
        self.entries, self.children, self.spans, _, self.heap = places
        self.count, _, self.span_count, _, _ = counts

    def find(self, text):
        """Where in the heap a text is: a list of one place, or none."""
        at = self._bytes.find(text, self.heap)
        return [] if at < 0 else [at]

    def every(self, start, size, field, count):
        """That field of all records of a list."""
        return [start + size * number + field for number in range(count)]


def _bits_in(places):
    """Damages those bytes of an index by a bit each."""
    def damage(file):
        content = file.read_bytes()
        for place in places(Index(file)):
            _overwrite(file, bytes([content[place] ^ 1 << place % 8]), place)
    return damage


def _in_entries(field):
    return _bits_in(lambda index: index.every(
        index.entries, ENTRY, field, index.count))


def _in_children(field):
    return _bits_in(lambda index: index.every(
        index.children, CHILD, field, index.count - 1))


def _in_spans(field):
    return _bits_in(lambda index: index.every(
        index.spans, SPAN, field, index.span_count))


# Fields of records, as their offsets in them.
ENTRY_BITS = {
    "an address": _in_entries(0), "a size": _in_entries(8),
    "a time": _in_entries(16), "a mode": _in_entries(28),
    "an owner": _in_entries(32), "a parent": _in_entries(44),
    "where children are": _in_entries(48), "how many children": _in_entries(52),
    "a link": _in_entries(56), "how many links": _in_entries(60),
    "flags": _in_entries(80), "a check": _in_entries(84),
    "a child's number": _in_children(0), "where a name is": _in_children(4),
}
SPAN_BITS = {
    "where a span is": _in_spans(0), "a span's address": _in_spans(8),
    "how long a span is": _in_spans(16), "a span's window": _in_spans(28),
    "a span's digest": _in_spans(40),
}


def _in_text(text):
    """A bit of a text in the heap."""
    return _bits_in(lambda index: index.find(text))


def text_bits(*texts):
    return {f"the text {text.decode()}": _in_text(text) for text in texts}


def _in_nodes(field):
    def damage(file):
        content = file.read_bytes()
        for place in range(HEADER + MERGED_HEAD + field, len(content), NODE):
            _overwrite(file, bytes([content[place] ^ 1]), place)
    return damage


NODE_BITS = {
    "a name's layer": _in_nodes(0), "where a name is": _in_nodes(8),
    "a name's check": _in_nodes(12), "a layer": _in_nodes(16),
    "an entry": _in_nodes(20), "where children are": _in_nodes(24),
    "how many children": _in_nodes(28), "links": _in_nodes(32),
    "a parent": _in_nodes(36), "a check": _in_nodes(40),
}


def forget_kernel_caches():
    """What the kernel knows of names, attributes and pages it asks again."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError as failure:
        pytest.skip(f"the kernel's caches cannot be dropped here: {failure}")
