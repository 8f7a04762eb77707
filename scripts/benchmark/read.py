# SPDX-License-Identifier: Apache-2.0
"""A large blob is read through the mount."""

import subprocess

from benchmark.table import Row
from support.images import layer_of_size, oci_image

SIZE = 400_000_000

FETCH = 'curl -fsS -o "$1" "$2" && sha256sum "$1"'


def measure(place, options):
    cold = Row("read a 400 MB blob, cache empty",
               "`curl -o f URL && sha256sum f`", 1.2)
    again = Row("read it again", "`cat` of a local file", 1.1)
    remounted = Row("read it in the next mount, from the cache",
                    "`cat` of a local file", None)
    image = oci_image(layer_of_size(SIZE))
    url = f"/v2/app/blobs/{image.layers[0].digest}"
    local = place.new("blob")
    with place.registry() as registry:
        image.push(registry.client(), "app", "1.0")
        for _ in range(options.runs):
            cache = place.new("cache")
            for rows in ((cold, again), (remounted,)):
                with place.mount(registry, cache=cache) as mount:
                    for row in rows:
                        row.ours.append(_cat(place, registry, _blob(mount)))
                        row.peer.append(
                            _fetch(place, registry, local, url)
                            if row is cold else _cat(place, None, local))
            place.remove(cache)
    place.remove(local)
    return [cold, again, remounted]


def _blob(mount):
    return mount / "app/1.0/layers/01.tar.gz"


def _cat(place, registry, path):
    return place.measure("cat", path, registry=registry, capture_output=False,
                         stdout=subprocess.DEVNULL)


def _fetch(place, registry, local, url):
    local.unlink(missing_ok=True)
    return place.measure("sh", "-c", FETCH, "sh", local, registry.url + url,
                         registry=registry)
