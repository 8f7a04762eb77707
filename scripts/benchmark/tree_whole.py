# SPDX-License-Identifier: Apache-2.0
"""The whole tree of an image is read, from nothing."""

from benchmark.peers import Podman
from benchmark.table import Row
from benchmark.tree import GREP, PODMAN, STARGZ, TAR, do, ours, stargz


def measure(place, options):
    images = options.images
    rows = [_plain(place, images, options.runs)]
    if images.has("big-estargz"):
        rows += _lazily(place, images, options.runs)
    return rows


def _plain(place, images, runs):
    row = Row(f"`tar c` of a tree, {images.megabytes('big')} MB in gzip, "
              "cache empty", f"{PODMAN}, `tar c`", 0.2)
    image, registry = images.push("big"), images.registry
    for _ in range(runs):
        row.ours.append(place.measure_with(
            ours(place, images, image), do(TAR), registry))
        row.peer.append(place.measure_with(
            Podman(place, registry).root(image), do(TAR), registry))
    return row


def _lazily(place, images, runs):
    rows = {TAR: Row("the same, layers in eStargz", STARGZ, 0.2),
            GREP: Row("`grep -r` of it, layers in eStargz", STARGZ, None)}
    image, peer = images.push("big-estargz"), stargz(place, images)
    for _ in range(runs):
        for script, row in rows.items():
            row.ours.append(place.measure_with(
                ours(place, images, image), do(script), images.registry))
            if peer:
                row.peer.append(place.measure_with(peer(), do(script),
                                                   images.registry))
    return rows.values()
