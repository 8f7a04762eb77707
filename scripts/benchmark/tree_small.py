# SPDX-License-Identifier: Apache-2.0
"""One small file of an image is read, from nothing: with the start of whatever
shows it."""

from benchmark.peers import Podman, curl_and_tar
from benchmark.table import Limit, Row, median, megabytes
from benchmark.tree import (
    FILE, PODMAN, STARGZ, check, ours, read, stargz)
from support.caches import evict_blobs

LAZY = {"big-estargz": "eStargz", "big-chunked": "zstd:chunked"}
MEGABYTES = 1


def measure(place, options):
    images = options.images
    content = images.content("big", FILE).decode()
    return [*_plain(place, images, content, options.runs),
            *_lazily(place, images, content, options.runs)]


def _plain(place, images, content, runs):
    podman = Row(f"a small file of {images.megabytes('big')} MB in gzip, "
                 "cache empty", f"{PODMAN}, `cat`", 0.08)
    curl = Row("the same", "`curl` and `tar` of every layer", 0.4)
    image, registry = images.push("big"), images.registry
    for _ in range(runs):
        podman.ours.append(place.measure_with(
            ours(place, images, image), read(content), registry))
        podman.peer.append(place.measure_with(
            Podman(place, registry).root(image), read(content), registry))
        curl.peer.append(place.measure_with(
            place.scratch(), lambda directory: check(content, curl_and_tar(
                registry, image, FILE, cwd=directory)), registry))
    curl.ours = podman.ours
    return podman, podman.wire(), curl, curl.wire()


def _lazily(place, images, content, runs):
    lazy = {name: Row(f"the same, layers in {form}", STARGZ, 0.4)
            for name, form in LAZY.items() if images.has(name)}
    again = Row("the same, layers in gzip, indexes there and blobs gone",
                STARGZ, 0.1)
    peer = stargz(place, images)
    cache = place.new("cache")
    fetch = read(content)

    def sample(image, **options):
        return place.measure_with(ours(place, images, image, **options), fetch,
                                  images.registry)

    sample(images.push("big"), cache=cache)
    for _ in range(runs):
        for name, row in lazy.items():
            row.ours.append(sample(images.push(name)))
        evict_blobs(cache)
        again.ours.append(sample(images.push("big"), cache=cache))
        if peer:
            again.peer.append(place.measure_with(peer(), fetch,
                                                 images.registry))
    place.remove(cache)
    rows = []
    for row in lazy.values():
        row.peer = again.peer
        rows += row, row.wire(1)
    return [*rows, again, Limit("its bytes on the wire",
                                median(megabytes(again.ours)), MEGABYTES, "MB")]
