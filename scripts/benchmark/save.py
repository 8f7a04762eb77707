# SPDX-License-Identifier: Apache-2.0
"""An image is saved as one archive; and it gets other names, which asks for
little, whatever its size."""

from benchmark.place import Skopeo
from benchmark.table import Limit, Row

# Fewer than ten.
REQUESTS = 9


def measure(place, options):
    images = options.images
    size = images.megabytes("big")
    plain = Row(f"save an image of {size} MB, cache empty",
                "`skopeo copy` to docker-archive:", 0.25)
    oci = Row("the same", "`skopeo copy` to oci-archive:", 0.8)
    image, registry = images.push("big"), images.registry
    repository, _, tag = image.rpartition(":")
    local = place.new("saved.tar")
    for _ in range(options.runs):
        with place.mount(registry) as mount:
            plain.ours.append(place.measure(
                "cp", mount / repository / f"{tag}.tar", local,
                registry=registry))
        for row, transport in ((plain, "docker-archive"),
                               (oci, "oci-archive")):
            place.remove(local)
            with Skopeo(place) as skopeo:
                row.peer.append(skopeo.save(registry, image,
                                            f"{transport}:{local}:{image}"))
        place.remove(local)
    oci.ours = plain.ours
    return [plain, oci, *_names(place, registry, repository, tag, size)]


def _names(place, registry, repository, tag, size):
    """What it takes to give the image other names, once it has been looked
    at."""
    counts = {}
    with place.mount(registry) as mount:
        source = mount / repository / f"{tag}.tar"
        source.stat()
        for what, command in {
                f"requests of a link to the {size} MB":
                    ("ln", "-s", tag, mount / repository / "linked"),
                "requests of its copy to another repository":
                    ("cp", source, mount / "bench/copy:copied.tar")}.items():
            counts[what] = place.measure(*command, registry=registry)
    return [Limit(what, sample.requests, REQUESTS, "")
            for what, sample in counts.items()]
