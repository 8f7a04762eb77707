# SPDX-License-Identifier: Apache-2.0
"""A call that makes a name looks it up first: both share one budget."""

import os
import time

import pytest

from support.images import oci_image

TIMEOUT = 4
BUDGET = 3 * TIMEOUT
TTL = 1


def dripping(chunks):
    """A byte a second."""
    for chunk in chunks:
        for byte in chunk:
            yield bytes([byte])
            time.sleep(1)


@pytest.fixture
def registry(make_registry):
    return make_registry(deletes=True)


def test_a_rename_while_bodies_drip(mount, client, proxy):
    oci_image().push(client, "app", "1.0")
    root = mount(proxy, f"timeout={TIMEOUT}", f"tag_ttl={TTL}", "delete")
    assert os.listdir(root.path) == ["app"]
    assert os.listdir(root / "app") == ["1.0"]
    os.stat(root / "app/1.0")
    # What is known of the list is too old by then.
    time.sleep(1.3 * TTL)
    root.allow_error(".")
    proxy.sends("/v2/", dripping, method=None)
    start = time.monotonic()
    with pytest.raises(OSError):
        os.rename(root / "app/1.0", root / "app/2.0")
    assert time.monotonic() - start < BUDGET + 1
