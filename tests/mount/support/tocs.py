# SPDX-License-Identifier: Apache-2.0
"""Tables of contents: what eStargz and zstd:chunked say of a layer's entries.

Both descend from CRFS and use its names. JSON has no bytes, so what is no UTF-8
in a name becomes U+FFFD, as in Go's writers.
"""

import base64
from datetime import datetime, timezone

from support.tars import CHARACTERS, BLOCKS, FILE, SECOND, TYPES, octets


def rfc3339(nanoseconds, *, with_fraction):
    seconds, fraction = divmod(nanoseconds, SECOND)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if with_fraction and fraction:
        text += f".{fraction:09}".rstrip("0")
    return text + "Z"


def toc_entry(entry, *, with_fraction):
    """An entry's metadata. Without what is zero, as Go's omitempty has it."""
    described = {"name": _text(entry.name), "type": TYPES[entry.kind],
                 "mode": entry.mode, "uid": entry.uid, "gid": entry.gid,
                 "modtime": rfc3339(entry.mtime, with_fraction=with_fraction),
                 "linkName": _text(entry.link), "userName": entry.uname,
                 "groupName": entry.gname}
    if entry.kind == FILE:
        described["size"] = len(entry.content)
    if entry.kind in (CHARACTERS, BLOCKS):
        described |= dict(zip(("devMajor", "devMinor"), entry.device))
    if entry.xattrs:
        described["xattrs"] = {
            name: base64.b64encode(octets(value)).decode()
            for name, value in entry.xattrs.items()}
    return without_zeros(described)


def without_zeros(described):
    return {name: value for name, value in described.items() if value}


def _text(name):
    return octets(name).decode(errors="replace")
