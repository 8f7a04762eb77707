# SPDX-License-Identifier: Apache-2.0
"""An archive of an image is copied into the mount."""

from benchmark.place import Skopeo
from benchmark.table import Row, Sample

SKOPEO = "`skopeo copy`"


def measure(place, options):
    archive = options.archive
    return [*_nothing_there(place, archive, options.runs),
            *_layers_there(place, archive, options.runs)]


def _nothing_there(place, archive, runs):
    seconds = Row(f"push {_megabytes(archive)}, nothing there", SKOPEO, 0.5)
    sizes = Row("its layers", SKOPEO, 1.03, unit="MB")
    for _ in range(runs):
        with place.registry() as registry, place.mount(registry) as mount:
            seconds.ours.append(_copy(place, archive, registry, mount, "app/1"))
            ours = registry.client().manifest("app", "1").json()
        with place.registry() as registry, Skopeo(place) as skopeo:
            seconds.peer.append(skopeo.push(archive, registry, "app:1"))
            theirs = registry.client().manifest("app", "1").json()
        if ours["config"]["digest"] != theirs["config"]["digest"]:
            raise AssertionError("the two pushed different images")
        sizes.ours.append(Sample(_layer_megabytes(ours)))
        sizes.peer.append(Sample(_layer_megabytes(theirs)))
    return seconds, sizes


def _layers_there(place, archive, runs):
    """Pushes other tags of an image that was pushed, by each of the two, into a
    repository of its own."""
    lost = "layers there, skopeo's cache lost"
    kept = Row(f"push, {lost}, our notes kept", SKOPEO, 0.1)
    empty = Row(f"push, {lost}, our cache empty", SKOPEO, 0.1)
    local = Row("push, layers there, our notes kept", "`cp` to a local file", 2)
    known = Row("the same", f"{SKOPEO}, its cache kept", None)
    notes = place.new("cache")
    with place.registry() as registry, Skopeo(place) as skopeo:
        with place.mount(registry, cache=notes) as mount:
            _copy(place, archive, registry, mount, "ours/0")
        skopeo.push(archive, registry, "theirs:0")
        for run in range(1, runs + 1):
            known.peer.append(skopeo.push(archive, registry, f"theirs:k{run}"))
            with place.mount(registry, cache=notes) as mount:
                kept.ours.append(_copy(place, archive, registry, mount,
                                       f"ours/kept-{run}"))
            local.peer.append(_copy_locally(place, archive))
            with place.mount(registry) as mount:
                empty.ours.append(_copy(place, archive, registry, mount,
                                        f"ours/empty-{run}"))
            skopeo.forget()
            kept.peer.append(skopeo.push(archive, registry, f"theirs:{run}"))
    place.remove(notes)
    empty.peer, local.ours, known.ours = kept.peer, kept.ours, kept.ours
    return kept, empty, local, known


def _copy(place, archive, registry, mount, image):
    target = mount / f"{image}.tar"
    target.parent.mkdir(exist_ok=True)
    return place.measure("cp", archive, target, registry=registry)


def _copy_locally(place, archive):
    copy = place.new("copy")
    sample = place.measure("cp", archive, copy)
    place.remove(copy)
    return sample


def _layer_megabytes(manifest):
    return sum(layer["size"] for layer in manifest["layers"]) / 1e6


def _megabytes(archive):
    return f"a docker-archive of {archive.stat().st_size / 1e6:.0f} MB"
