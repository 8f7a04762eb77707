# SPDX-License-Identifier: Apache-2.0
"""The whole tree of an image is read once more, against the same in the files
and the overlay that podman has made of it."""

from contextlib import ExitStack

from benchmark.peers import Podman
from benchmark.place import TIMEOUT
from benchmark.table import Row
from benchmark.tree import FIND, GREP, TAR, do, ours, shell
from support.system import run

OVERLAY = "in the overlay of podman"

# name, script, goal, goal where nothing can be pushed
WALKS = (("`find -printf`", FIND, 1.3, None),
         ("`grep -r`", GREP, 3, 2),
         ("`tar c`", TAR, 3, 2))

# The size of a directory is its file system's affair, the mode of the root is
# podman's own.
LIST = r"""
find . -xdev -mindepth 1 \( -type d -printf '%m %U %G %p\n' -o \
	-printf '%y %m %U %G %s %T@ %l %p\n' \) | LC_ALL=C sort
"""


def measure(place, options):
    images = options.images
    image, registry = images.push("big"), images.registry
    with ExitStack() as stack:
        cache = stack.enter_context(place.scratch())
        theirs, writable, read_only = (stack.enter_context(made) for made in (
            Podman(place, registry).root(image),
            ours(place, images, image, cache=cache),
            ours(place, images, image, cache=cache, options=["ro"])))
        for root in (theirs, writable, read_only):
            do(TAR)(root)
        _compare(theirs, writable)
        return list(_walk(place, theirs, writable, read_only, options.runs))


def _walk(place, theirs, writable, read_only, runs):
    for name, script, goal, goal_read_only in WALKS:
        row = Row(f"{name} of a tree that was read", OVERLAY, goal)
        row_read_only = Row("the same, mounted with `-o ro`", OVERLAY,
                            goal_read_only)
        for _ in range(runs):
            for samples, root in ((row.ours, writable), (row.peer, theirs),
                                  (row_read_only.ours, read_only)):
                samples.append(place.measure(*shell(script, root)))
        row_read_only.peer = row.peer
        yield row
        yield row_read_only


def _compare(theirs, ours_):
    """Only what is the same can be compared."""
    trees = [set(run(*shell(LIST, root), timeout=TIMEOUT).stdout.splitlines())
             for root in (theirs, ours_)]
    for what, more, less in (("lacks", *trees), ("adds", *trees[::-1])):
        if more - less:
            raise AssertionError(f"rootfs {what}, first of "
                                 f"{len(more - less)}: {min(more - less)}")
