# SPDX-License-Identifier: Apache-2.0
"""The four ways in which a tar says where a sparse file has its data.

GNU tar's manual, "Storing Sparse Files": the old format has the map in the
header and in blocks behind it; pax 0.0 has a record for each number, 0.1 one
for all of them, and 1.0 has the map at the front of the payload.
"""

BLOCK = 512
# How many extents the old format's header holds, and each block after it.
IN_HEADER, IN_EXTENSION = 4, 21


def extents_of(entry):
    """(offset, length) pairs, the last of them at the end of the file."""
    extents = [(offset, len(data)) for offset, data in entry.extents]
    if sum(extents[-1] if extents else (0, 0)) < entry.size:
        extents.append((entry.size, 0))
    return extents


def _is_old(entry):
    return entry.extents is not None and entry.form == "gnu"


def _old_map(extents, room, number, entry):
    listed = b"".join(number(value, 12, entry)
                      for extent in extents[:room] for value in extent)
    return listed.ljust(room * 24, b"\0")


def gnu_header_fields(entry, number):
    """The old format's fields: its type, and all that the prefix and the rest
    of the header are used for."""
    if not _is_old(entry):
        return {}
    extents = extents_of(entry)
    tail = (bytes(41)  # atime, ctime, offset, longnames, unused
            + _old_map(extents, IN_HEADER, number, entry)
            + bytes([len(extents) > IN_HEADER])
            + number(entry.size, 12, entry)).ljust(167, b"\0")
    return {"typeflag": b"S", "prefix": tail[:155], "rest": tail[155:]}


def gnu_extensions(entry, number):
    """The old format's blocks between the header and the payload."""
    if not _is_old(entry):
        return b""
    blocks = []
    rest = extents_of(entry)[IN_HEADER:]
    while rest:
        more = len(rest) > IN_EXTENSION
        blocks.append(
            (_old_map(rest, IN_EXTENSION, number, entry) + bytes([more]))
            .ljust(BLOCK, b"\0"))
        rest = rest[IN_EXTENSION:]
    return b"".join(blocks)


def pax_records(entry):
    """The pax formats' records, in the order in which they have to be."""
    if entry.extents is None or entry.form == "gnu":
        return
    extents = extents_of(entry)
    if entry.form == "pax-1.0":
        yield "GNU.sparse.major", "1"
        yield "GNU.sparse.minor", "0"
        yield "GNU.sparse.name", entry.name
        yield "GNU.sparse.realsize", str(entry.size)
        return
    yield "GNU.sparse.size", str(entry.size)
    yield "GNU.sparse.numblocks", str(len(extents))
    if entry.form == "pax-0.1":
        yield "GNU.sparse.name", entry.name
        yield "GNU.sparse.map", ",".join(
            str(value) for extent in extents for value in extent)
        return
    for offset, length in extents:
        yield "GNU.sparse.offset", str(offset)
        yield "GNU.sparse.numbytes", str(length)


def pax_map(entry):
    """The map of version 1.0, filled up to a block."""
    extents = extents_of(entry)
    numbers = [len(extents)] + [value for extent in extents
                                for value in extent]
    lines = b"".join(b"%d\n" % number for number in numbers)
    return lines + bytes(-len(lines) % BLOCK)
