# SPDX-License-Identifier: Apache-2.0
"""An archive of an image is pushed in each format of layers that there is, by
whoever knows that one, to a registry without anything in it."""

import os
import sys

from benchmark.peers import Podman
from benchmark.place import Skopeo
from benchmark.table import Row, Sample

FORMATS = "gzip", "zstd", "zstd:chunked", "estargz"
# What the others would push instead, where none of them knows it.
INSTEAD = {"estargz": "gzip"}


def measure(place, options):
    if os.geteuid():
        print("scripts/bench: podman and buildah are left out: they need root",
              file=sys.stderr)
        return _measure(place, options, {"skopeo": _skopeo(place, options)})
    podman = Podman(place)
    with podman.loaded(options.archive) as image:
        return _measure(place, options, {
            "skopeo": _skopeo(place, options),
            "podman": _storage(place, podman, "podman", image),
            "buildah": _storage(place, podman, "buildah", image)})


def _measure(place, options, peers):
    """peers: functions of a registry and a format, by their names."""
    rows = []
    for name in FORMATS:
        known = INSTEAD.get(name, name)
        times = {peer: Row(f"push in {name}, nothing there",
                           f"`{peer}`, {known}", None) for peer in peers}
        sizes = Row("its layers", f"`skopeo`, {known}", None, unit="MB")
        for _ in range(options.runs):
            ours = _ours(place, options.archive, name, sizes.ours)
            for peer, push in peers.items():
                with place.registry() as registry:
                    times[peer].ours.append(ours)
                    times[peer].peer.append(push(registry, known))
                    if peer == "skopeo":
                        sizes.peer.append(_size(registry))
        rows += [*times.values(), sizes]
    return rows


def _ours(place, archive, name, sizes):
    option = f"compression={name}"
    with place.registry() as registry, place.mount(
            registry, options=[option]) as mount:
        (mount / "app").mkdir()
        sample = place.measure("cp", archive, mount / "app/1.tar",
                               registry=registry)
        sizes.append(_size(registry))
    return sample


def _skopeo(place, options):
    def push(registry, name):
        with Skopeo(place) as skopeo:
            return skopeo.push(options.archive, registry, "app:1",
                               "--format", "oci",
                               "--dest-compress-format", name)
    return push


def _storage(place, podman, program, image):
    """podman or buildah, out of their storage: they unpack what they load."""
    def push(registry, name):
        target = f"docker://{registry.address}/app:1"
        command = (podman.command() if program == "podman" else
                   ["buildah", *podman.storage()])
        return place.measure(
            *command, "push", "--quiet", "--tls-verify=false", "--format",
            "oci", "--compression-format", name, image, target,
            registry=registry,
            env=os.environ | {"TMPDIR": str(podman.directory)})
    return push


def _size(registry):
    layers = registry.client().manifest("app", "1").json()["layers"]
    return Sample(sum(layer["size"] for layer in layers) / 1e6)
