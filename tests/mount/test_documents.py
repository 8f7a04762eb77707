# SPDX-License-Identifier: Apache-2.0
"""What moves is waited for: a blob as long as it moves, a document (a token, a
list, a manifest, what a refusal says) no longer than the budget."""

import errno
import os
import random
import time

import pytest

from registry.faults import slow, without_end
from registry.proxy import Answer
from support.images import oci_image
from support.layers import image_of
from support.system import fails_with
from support.tars import file

TIMEOUT = 2
# Three times that, on a busy machine.
LATE = 3 * TIMEOUT + 4
WORDS = "the answer does not end in time"
BEARER = 'Bearer realm="{}/token",service="x"'


@pytest.fixture
def image(client):
    return oci_image().push(client, "app", "1.0")


@pytest.fixture
def root(mount, proxy, image):
    return mount(proxy, f"timeout={TIMEOUT}", "tag_ttl=0")


def ends_in_time(root, name, operation, path):
    root.expect_error(f"{name}.*: {WORDS}")
    start = time.monotonic()
    with fails_with(errno.ETIMEDOUT):
        operation(path)
    assert time.monotonic() - start < LATE


LISTS = {"/_catalog": "", "/app/tags/list": "app"}


@pytest.mark.parametrize("asked", LISTS)
def test_a_list_without_end(root, proxy, asked):
    proxy.speaks(asked, without_end())
    ends_in_time(root, asked, os.listdir, root / LISTS[asked])
    proxy.heal()
    assert os.listdir(root / LISTS[asked])


def test_a_manifest_without_end(root, proxy):
    proxy.speaks("/app/manifests/", without_end(), method="GET")
    ends_in_time(root, "/app/manifests/", os.listdir, root / "app:1.0")
    proxy.heal()
    assert "manifest.json" in os.listdir(root / "app:1.0")


def test_a_token_without_end(mount, proxy, image):
    challenge = BEARER.format(proxy.url)
    proxy.serves("^/v2/", lambda *_: Answer(
        401, {"WWW-Authenticate": challenge}))
    proxy.speaks("^/token", without_end())
    root = mount(proxy, f"timeout={TIMEOUT}")
    ends_in_time(root, "/token", os.listdir, root.path)


def test_a_list_without_end_at_another_place(root, proxy):
    proxy.speaks("/elsewhere", without_end())
    proxy.speaks("/app/tags/list", without_end(
        302, b"Location: %s/elsewhere\r\n" % proxy.url.encode()))
    root.expect_error("/app/tags/list|/elsewhere")
    start = time.monotonic()
    with fails_with(errno.ETIMEDOUT):
        os.listdir(root / "app")
    assert time.monotonic() - start < LATE


def test_a_refusal_without_end(root, proxy):
    proxy.speaks("/app/blobs/", without_end(403))
    root.expect_error("/app/blobs/|app@sha256")
    start = time.monotonic()
    with fails_with(errno.EACCES):
        (root / "app:1.0/config.json").read_bytes()
    assert time.monotonic() - start < LATE


def test_a_blob_that_moves(root, proxy, client):
    image = image_of([file("noise", random.Random(1).randbytes(32 << 10))])
    image.push(client, "app", "2.0")
    layer = image.layers[0]
    proxy.sends(f"/app/blobs/{layer.digest}", slow(4096))
    start = time.monotonic()
    assert (root / "app:2.0/layers/01.tar.gz").read_bytes() == layer.data
    # Longer than a document may take.
    assert time.monotonic() - start > 3 * TIMEOUT
