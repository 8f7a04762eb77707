# SPDX-License-Identifier: Apache-2.0
"""Indexes that name more than an archive can have, and the same thing over and
over: the archive of one is made in bounded memory, or refused in it."""

import errno
import tarfile

from support.images import OCI_INDEX, index_of, linux, oci_image
from support.system import fails_with


def nested(image, levels, width):
    """An index of `width` times the same index of …: width ** levels images,
    and levels + 1 manifests."""
    for _ in range(levels):
        image = index_of([(image, linux(f"a{number}"))
                          for number in range(width)])
    return image


def push(client, image):
    """Each manifest once, as there are not more."""
    if image.children:
        push(client, image.children[0])
    else:
        image.push(client, "app")
    client.put_manifest("app", image.digest, image.data, image.media_type)


def test_the_same_image_over_and_over(mount, proxy, client):
    index = nested(oci_image(), 4, 30)
    push(client, index)
    client.put_manifest("app", "1.0", index.data, index.media_type)
    root = mount(proxy)
    with proxy.requests() as seen:
        with tarfile.open(root / "app/1.0/image.tar") as archive:
            blobs = [name for name in archive.getnames()
                     if name.startswith("blobs/sha256/")]
    assert len(seen.matching("GET", "/app/manifests/")) <= 6
    assert len(blobs) == len(set(blobs)) == 7


def test_more_than_an_archive_can_have(mount, proxy, client):
    """As many as they like, of a megabyte each."""
    images = [oci_image(annotations={"x": str(number) * 1_000_000})
              for number in range(10, 50)]
    index = index_of([(image, linux(f"a{number}"))
                      for number, image in enumerate(images)])
    for image in images:
        image.push(client, "app")
    client.put_manifest("app", "1.0", index.data, OCI_INDEX)
    root = mount(proxy)
    root.expect_error("manifests of .* bytes and more: too many")
    for _ in range(2):
        with fails_with(errno.EFBIG):
            (root / "app/1.0/image.tar").stat()
    with proxy.requests() as seen, fails_with(errno.EFBIG):
        (root / "app/1.0/image.tar").stat()
    assert len(seen) < 40
