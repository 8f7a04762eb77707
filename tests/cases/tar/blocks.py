# SPDX-License-Identifier: Apache-2.0
"""What tars are built of, and what the walker says of them."""
import io
import os
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
END = bytes(1024)
XATTR = "SCHILY.xattr."


def save(name, data, text):
    with open(os.path.join(HERE, name + ".tar"), "wb") as f:
        f.write(data)
    with open(os.path.join(HERE, name + ".txt"), "w") as f:
        f.write(text)


def line(type, name, offset=512, size=0, mode=0o644, ids="0:0", mtime="0",
         link="", dev="0,0"):
    link = " -> " + link if link else ""
    return (f"{type} {mode:04o} {ids} {dev} {size} @{offset} {mtime} "
            f"{name}{link}\n")


def sparse(size, *extents):
    """Of a sparse file of that size, with (offset, size) of what is stored."""
    stored = "".join(f" {o}+{n}" for o, n in extents if n)
    return f"  sparse {size}{stored}\n"


def xattrs(values):
    def text(value):
        return "".join(chr(c) if 32 <= c < 127 else f"\\x{c:02x}"
                       for c in value)

    return "".join(f'  xattr {name} {len(value)} "{text(value)}"\n'
                   for name, value in sorted(values.items()))


def listing(data):
    out = ""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for m in tar:
            whole = int(m.mtime // 1)
            nanos = round((m.mtime - whole) * 1e9)
            name = m.name + ("/" if m.isdir() else "")
            # tarfile leaves the old ones their type, which is "S".
            stored = sum(n for _, n in m.sparse) if m.issparse() else m.size
            out += line("0" if m.issparse() else m.type.decode(), name,
                        m.offset_data, stored if m.isreg() else 0, m.mode,
                        f"{m.uid}:{m.gid}",
                        f"{whole}.{nanos:09}" if nanos else f"{whole}",
                        m.linkname, f"{m.devmajor},{m.devminor}")
            out += sparse(m.size, *m.sparse) if m.issparse() else ""
            out += xattrs({key[len(XATTR):]: value.encode()
                           for key, value in m.pax_headers.items()
                           if key.startswith(XATTR)})
        end = tar.offset + len(END)
    return out + f"end {end}\n"


def block(name, size=b"0", type=b"0", magic=b"ustar\x0000", checksum=None,
          signed=False, **at):
    """A header block; at: aNUMBER=bytes puts them there."""
    b = bytearray(512)

    def put(offset, value):
        b[offset:offset + len(value)] = value

    put(0, name)
    put(100, b"0000644")
    put(108, b"0000000")
    put(116, b"0000000")
    put(124, size if isinstance(size, bytes) else b"%011o" % size)
    put(136, b"00000000000")
    put(148, b" " * 8)
    put(156, type)
    put(257, magic)
    for offset, value in at.items():
        put(int(offset[1:]), value)
    total = sum(c - 256 if signed and c > 127 else c for c in b)
    put(148, b"%06o\0 " % total if checksum is None else checksum)
    return bytes(b)


def padded(data):
    return data + bytes(-len(data) % 512)


def file(name, data=b"", **fields):
    return block(name, len(data), **fields) + padded(data)


def record(key, value):
    rest = b" " + key + b"=" + value + b"\n"
    n = len(rest)
    while n != len(rest) + len(str(n)):
        n = len(rest) + len(str(n))
    return str(n).encode() + rest


def pax(text, type=b"x"):
    return file(b"pax", text, type=type)


GNU = b"ustar  \0"
V7 = bytes(8)


def attribute(name, value):
    return record(XATTR.encode() + name.encode(), value)


def bad(name, data, what, offset=0, text=""):
    save(name, data, text + f"error tar offset {offset}: {what}\n")
