# SPDX-License-Identifier: Apache-2.0
"""The cache directory of a mount, seen from outside."""

import shutil
from pathlib import Path


def evict_blobs(cache):
    """Removes all that a full cache gives up: blobs, and parts of them. What
    was learned of the layers (derived) stays."""
    for name in ("blobs", "parts"):
        shutil.rmtree(Path(cache) / name, ignore_errors=True)


def files_in(directory):
    return sorted(path for path in Path(directory).rglob("*")
                  if path.is_file() and path.stat().st_size)


def flip(file, offset):
    """One bit is wrong: the disk forgot it."""
    with open(file, "r+b") as opened:
        opened.seek(offset)
        (byte,) = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([byte ^ 1]))
