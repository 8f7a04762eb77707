# SPDX-License-Identifier: Apache-2.0
"""Images that are large, or have many layers, or both look real."""

import random

from support.debian import debian_tar
from support.layers import image_of, layer, layer_of_tar
from support.tars import (
    CHARACTERS, device, directory, fifo, file, hard_link, opaque, symlink,
    whiteout)

# cap_net_raw, effective: capabilities(7), as the kernel stores it.
CAPABILITY = bytes.fromhex("0100000200200000" + "00" * 12)

SCRIPT = """#!/usr/bin/python3
import json, sqlite3, ssl, sys
print(json.dumps({"python": sys.version_info[0], "argv": sys.argv[1:]}))
"""

# What a build on a Debian base adds and takes away.
ON_TOP = [
    directory("./"),
    *(directory(name) for name in ("app", "dev", "proc", "sys", "run", "root",
                                   "mnt", "home", "etc", "usr/bin")),
    directory("tmp", mode=0o1777),
    file("app/main.py", SCRIPT, mode=0o755),
    file("etc/hostname", "image\n"), whiteout("etc/debian_version"),
    directory("usr"), directory("usr/share"),
    directory("usr/share/debianutils"), opaque("usr/share/debianutils"),
    file("usr/share/debianutils/only", "this\n"),
    file("usr/bin/ping", "#!/bin/sh\n", mode=0o755,
         xattrs={"security.capability": CAPABILITY}),
    hard_link("usr/bin/ping6", "usr/bin/ping", mode=0o755),
    file("app/owned", "x", uid=1000, gid=1000, mode=0o640,
         mtime=1_600_000_000_987_654_321, xattrs={"user.note": b"here"}),
    symlink("app/link", "../etc/hostname"), fifo("app/fifo"),
    device("app/null", CHARACTERS, 1, 3, mode=0o666)]


def debian_image(directory_for_tar):
    tar = debian_tar(directory_for_tar / "debian.tar")
    base = layer_of_tar(tar.read_bytes())
    tar.unlink()
    return image_of(base, ON_TOP)


def many_files(count=50_000):
    """Small files, twenty to a directory, of about the sizes of a
    node_modules."""
    chance = random.Random(3)
    pool = chance.randbytes(1 << 16).hex().encode()
    entries = [directory("srv")]
    for number in range(count // 20):
        package = f"srv/package-{number:05}"
        entries.append(directory(package))
        for name in range(20):
            at = chance.randrange(len(pool))
            size = min(4096, int(chance.lognormvariate(6, 1)))
            entries.append(file(f"{package}/{name:02}.js",
                                pool[at:at + size]))
    return entries


def many_layers_image(count=100):
    """Each layer adds a file, changes one that all have, removes what the one
    before it added, and says anew what a directory is."""
    layers = []
    for number in range(count):
        entries = [directory("steps", mode=0o700 + number % 8, uid=number),
                   file(f"steps/{number:03}", f"step {number}\n"),
                   file("latest", f"{number}\n", mtime=number * 10**9)]
        if number % 3 == 2:
            entries.append(whiteout(f"steps/{number - 1:03}"))
        if number % 25 == 24:
            entries.append(opaque("reset"))
        entries.append(file(f"reset/{number:03}"))
        layers.append(layer([directory("reset"), *entries]))
    return image_of(*layers)
