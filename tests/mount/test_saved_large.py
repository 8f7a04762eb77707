# SPDX-License-Identifier: Apache-2.0
"""Archives of indexes that name the same manifests again and again."""

import errno
import os
import tarfile

import pytest

from support.images import index_of, linux, oci_image
from support.system import fails_with
from support.waiting import promptly

WIDTH, DEPTH = 30, 3  # of 27,000 names of one image


def nested(bottom, depth):
    """Indexes, the inmost first, each of which names the one before it again
    and again."""
    indexes = []
    for _ in range(depth):
        indexes.append(index_of(
            [((indexes or [bottom])[-1], linux(f"x{number}"))
             for number in range(WIDTH)]))
    return indexes


@pytest.fixture
def named(client):
    """Each is pushed once: an image, and indexes of it."""
    image = oci_image().push(client, "app")
    indexes = nested(image, DEPTH)
    for index in indexes:
        client.put_manifest("app", index.digest, index.data, index.media_type)
    client.put_manifest("app", "1.0", indexes[-1].data, indexes[-1].media_type)
    return image, indexes


def test_each_is_in_the_archive_once(mount, proxy, named):
    image, indexes = named
    root = mount(proxy)
    with proxy.requests() as seen:
        promptly("stat", root / "app/1.0/image.tar")
        with tarfile.open(root / "app/1.0/image.tar") as archive:
            names = archive.getnames()
    for manifest in (image, *indexes):
        name = "blobs/" + manifest.digest.replace(":", "/")
        assert names.count(name) == 1
        assert seen.count("GET", manifest.digest) <= 1


def test_one_that_is_missing_is_asked_for_once(mount, proxy, named):
    image, _ = named
    root = mount(proxy)
    root.expect_error(f"lacks the manifest {image.digest}")
    proxy.refuses(image.digest, status=404, code="MANIFEST_UNKNOWN",
                  message="manifest unknown")
    os.listdir(root / "app/1.0")
    with proxy.requests() as seen, fails_with(errno.EIO):
        (root / "app/1.0/image.tar").read_bytes()
    # For the archive, and for the image of this platform.
    assert seen.count(path=image.digest) < WIDTH
