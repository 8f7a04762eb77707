# SPDX-License-Identifier: Apache-2.0
"""Long directories are listed."""

import shutil

from benchmark.table import Row
from support.catalogs import add_tags
from support.images import oci_image

REPOSITORIES = 1_000
TAGS = 5_000

# Follows the Link of each page to the next.
ALL_PAGES = r"""
next=$2
while [ -n "$next" ]; do
	curl -fsS -D headers -o page "$1$next"
	next=$(tr -d '\r' <headers | sed -n 's/^[Ll]ink: <\(.*\)>.*/\1/p')
done
"""


def measure(place, options):
    repositories = Row(f"`ls` of {REPOSITORIES:,} repositories",
                       "`curl` of the list", 2)
    tags = Row(f"`ls` of {TAGS:,} tags", "`curl` of the list", 2)
    listings = ((repositories, "team", f"/v2/_catalog?n={REPOSITORIES}"),
                (tags, "team/app0000", "/v2/team/app0000/tags/list"))
    with place.registry() as registry:
        _fill(registry)
        for _ in range(options.runs):
            # To enter a repository its mount needs the list of them anyway.
            with place.mount(registry) as mount:
                for row, directory, path in listings:
                    row.ours.append(place.measure(
                        "ls", mount / directory, registry=registry))
                    row.peer.append(place.measure(
                        "sh", "-ec", ALL_PAGES, "sh", registry.url, path,
                        registry=registry))
    return [repositories, tags]


def _fill(registry):
    """Pushes one image; the other repositories and tags are copies of it in
    the registry's storage."""
    first = oci_image().push(registry.client(), "team/app0000", "1.0")
    storage = registry.storage / "docker/registry/v2/repositories/team"
    for number in range(1, REPOSITORIES):
        shutil.copytree(storage / "app0000", storage / f"app{number:04}")
    add_tags(registry.storage, "team/app0000", first.digest,
             [f"build-{number:05}" for number in range(1, TAGS)])
