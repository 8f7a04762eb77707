# SPDX-License-Identifier: Apache-2.0
"""Tars of every kind, written by hand.

Python's tarfile writes what is sound, and GNU tar what a file system can hold.
An image's layer is neither: it comes from whoever pushed it. Here an entry has
any name, any field and any record, and comes out as it was said:

    tar_bytes([directory("etc"), file("etc/motd", b"hello\\n", uid=7),
               file(b"\\xff", xattrs={"user.note": b"no UTF-8"}),
               Entry("x", kind=b"9", fields={"mode": b"garbage\\0"})])

What does not fit into a header's field is said by pax records, or, with
form="gnu", by GNU tar's ways (types L and K, numbers to the base 256).
"""

from dataclasses import dataclass, field

from support.sparse import (
    gnu_extensions, gnu_header_fields, pax_map, pax_records)

BLOCK = 512
SECOND = 10**9
# Of entries that do not say otherwise: 2023-11-14T22:13:20Z.
MTIME = 1_700_000_000
GNU_MAGIC = b"ustar  \0"

# The header's fields, as they follow each other: POSIX 1003.1, "ustar".
FIELDS = {"name": 100, "mode": 8, "uid": 8, "gid": 8, "size": 12, "mtime": 12,
          "chksum": 8, "typeflag": 1, "linkname": 100, "magic": 8, "uname": 32,
          "gname": 32, "devmajor": 8, "devminor": 8, "prefix": 155, "rest": 12}

FILE, HARD_LINK, SYMLINK, CHARACTERS, BLOCKS, DIRECTORY, FIFO = (
    b"%d" % number for number in range(7))
TYPES = {FILE: "reg", HARD_LINK: "hardlink", SYMLINK: "symlink",
         CHARACTERS: "char", BLOCKS: "block", DIRECTORY: "dir", FIFO: "fifo"}


def octets(text):
    return text if isinstance(text, bytes) else text.encode()


@dataclass(frozen=True)
class Entry:
    """One entry. Names and link targets are str or bytes.

    mtime is in nanoseconds; a fraction needs form "pax". size is what the
    entry claims; None says the truth. With `extents`, (offset, bytes) pairs,
    the file is sparse, `size` is its real size, and `form` says in which of
    the formats: "gnu", "pax-0.0", "pax-0.1" or "pax-1.0"; GNU tar wants whole
    blocks in all extents but the last. pax holds records to add; fields the
    raw bytes of header fields, by their names in FIELDS.
    """
    name: object
    kind: bytes = FILE
    data: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = MTIME * SECOND
    link: object = b""
    device: tuple = (0, 0)
    uname: str = ""
    gname: str = ""
    xattrs: dict = field(default_factory=dict)
    pax: dict = field(default_factory=dict)
    size: int = None
    extents: tuple = None
    form: str = "pax"
    fields: dict = field(default_factory=dict)

    @property
    def content(self):
        """What a reader of the file gets."""
        if self.extents is None:
            return self.data
        whole = bytearray(self.size)
        for offset, data in self.extents:
            whole[offset:offset + len(data)] = data
        return bytes(whole)

    @property
    def payload(self):
        """What stands behind the header in the tar."""
        if self.extents is None:
            return self.data
        stored = b"".join(data for _, data in self.extents)
        return pax_map(self) + stored if self.form == "pax-1.0" else stored


# What images are made of.

def file(name, data=b"", **more):
    return Entry(name, data=octets(data), **more)


def directory(name, **more):
    return Entry(name, DIRECTORY, **({"mode": 0o755} | more))


def symlink(name, target, **more):
    return Entry(name, SYMLINK, link=target, **({"mode": 0o777} | more))


def hard_link(name, target, **more):
    return Entry(name, HARD_LINK, link=target, **more)


def device(name, kind, major, minor, **more):
    return Entry(name, kind, device=(major, minor), **more)


def fifo(name, **more):
    return Entry(name, FIFO, **more)


def whiteout(path, **more):
    """Removes what the layers below have at path."""
    head, slash, tail = octets(path).rpartition(b"/")
    return Entry(head + slash + b".wh." + tail, **more)


def opaque(path, **more):
    """Removes all that the layers below have in the directory."""
    return Entry(octets(path) + b"/.wh..wh..opq", **more)


def sparse(name, size, extents, form="pax-1.0", **more):
    return Entry(name, size=size, extents=tuple(extents), form=form, **more)


# The bytes.

def tar_bytes(entries, *, end=True):
    """A whole tar. end: with the two blocks of zeros that finish one."""
    parts = [part for entry in entries for part in encoded(entry)]
    return b"".join(parts) + bytes(2 * BLOCK if end else 0)


def encoded(entry):
    """An entry's three parts: headers, payload, and zeros up to a block."""
    payload = entry.payload
    return headers(entry), payload, padding(len(payload))


def padding(size):
    return bytes(-size % BLOCK)


def headers(entry):
    """All blocks before the payload."""
    return b"".join((*_gnu_long_names(entry), _pax_header(entry),
                     _header(entry), gnu_extensions(entry, _number)))


def _is_gnu(entry):
    return entry.form == "gnu"


def _header_size(entry):
    """What the header's field says of the size."""
    if entry.extents is None and entry.size is not None:
        return entry.size
    return len(entry.payload)


def _header(entry):
    name, link = octets(entry.name), octets(entry.link)
    values = {
        "name": name[:100], "mode": _number(entry.mode, 8, entry),
        "uid": _number(entry.uid, 8, entry),
        "gid": _number(entry.gid, 8, entry),
        "size": _number(_header_size(entry), 12, entry),
        "mtime": _number(entry.mtime // SECOND, 12, entry),
        "typeflag": entry.kind, "linkname": link[:100],
        "magic": GNU_MAGIC if _is_gnu(entry) else b"ustar\x0000",
        "uname": entry.uname.encode(), "gname": entry.gname.encode(),
        "devmajor": _number(entry.device[0], 8, entry),
        "devminor": _number(entry.device[1], 8, entry)}
    values |= gnu_header_fields(entry, _number)
    return block_of(values | entry.fields)


def block_of(values):
    """A header's block of the fields given; the checksum is right unless it is
    among them."""
    def assembled(chksum):
        return b"".join(
            (chksum if name == "chksum" else values.get(name, b""))
            .ljust(width, b"\0")[:width] for name, width in FIELDS.items())
    chksum = b"%06o\0 " % sum(assembled(b" " * 8))
    return assembled(values.get("chksum", chksum))


def _number(value, width, entry):
    """Octal digits; what they cannot say is to the base 256, or left to pax."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    if _is_gnu(entry):
        return _base256(value, width)
    return b"%0*o\0" % (width - 1, 0)


def _base256(value, width):
    digits = bytearray((value % 256 ** width).to_bytes(width, "big"))
    digits[0] |= 0x80
    return bytes(digits)


def _gnu_long_names(entry):
    if _is_gnu(entry):
        for kind, text in ((b"K", octets(entry.link)),
                           (b"L", octets(entry.name))):
            if len(text) > 100:
                yield from encoded(Entry("././@LongLink", kind, text + b"\0",
                                         mode=0, mtime=0, form="gnu"))


def _pax_header(entry):
    """The extended header, where something needs one."""
    records = b"".join(pax_record(key, value)
                       for key, value in _records(entry).items())
    # Version 0.0 of the sparse format repeats its keys.
    records += b"".join(pax_record(*pair) for pair in pax_records(entry))
    if not records:
        return b""
    return b"".join(encoded(Entry("./PaxHeaders/x", b"x", records)))


def pax_record(key, value):
    """LENGTH KEY=VALUE; the length counts itself."""
    rest = b" " + octets(key) + b"=" + octets(value) + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return b"%d%b" % (length, rest)


def pax_global(records):
    """An entry that says something of all that follow (type g)."""
    data = b"".join(pax_record(*record) for record in records.items())
    return Entry("pax_global_header", b"g", data)


def _records(entry):
    records = {}
    if not _is_gnu(entry):
        records = _needed_records(entry)
    records |= {f"SCHILY.xattr.{name}": value
                for name, value in entry.xattrs.items()}
    return records | entry.pax


def _needed_records(entry):
    """Of what the header has no room for."""
    records = {}
    if len(octets(entry.name)) > 100:
        records["path"] = octets(entry.name)
    if len(octets(entry.link)) > 100:
        records["linkpath"] = octets(entry.link)
    for key in ("uid", "gid"):
        if getattr(entry, key) >= 8 ** 7:
            records[key] = str(getattr(entry, key))
    if _header_size(entry) >= 8 ** 11:
        records["size"] = str(_header_size(entry))
    seconds, fraction = divmod(entry.mtime, SECOND)
    if fraction or not 0 <= seconds < 8 ** 11:
        records["mtime"] = pax_time(entry.mtime)
    return records


def pax_time(nanoseconds):
    """Decimal seconds; what is before 1970 has its sign before all of it."""
    seconds, fraction = divmod(abs(nanoseconds), SECOND)
    digits = f"{seconds}.{fraction:09}" if fraction else str(seconds)
    return "-" * (nanoseconds < 0) + digits
