# SPDX-License-Identifier: Apache-2.0
"""A program of an image is started in its tree, from nothing."""

from benchmark.peers import Podman
from benchmark.table import Row
from benchmark.tree import PYTHON, STARGZ, ours, start_python, stargz

WHAT = "`chroot rootfs python3 -c 'import json'`"


def measure(place, options):
    rows = [_plain(place, options.images, options.runs)]
    if options.images.has("big-estargz"):
        rows.append(_lazily(place, options.images, options.runs))
    return [shown for row in rows for shown in (row, row.wire())]


def _plain(place, images, runs):
    row = Row(f"{WHAT} in gzip, cache empty", "`podman pull`, `podman run`",
              None)
    image, registry = images.push("big"), images.registry
    for _ in range(runs):
        podman = Podman(place, registry)
        row.ours.append(place.measure_with(
            ours(place, images, image), start_python, registry))
        row.peer.append(place.measure_with(
            podman.pulled(image),
            lambda name, engine=podman: engine.run(name, *PYTHON),
            registry))
    return row


def _lazily(place, images, runs):
    row = Row("the same, layers in eStargz", STARGZ, None)
    image, peer = images.push("big-estargz"), stargz(place, images)
    for _ in range(runs):
        row.ours.append(place.measure_with(
            ours(place, images, image), start_python, images.registry))
        if peer:
            row.peer.append(place.measure_with(peer(), start_python,
                                               images.registry))
    return row
