# SPDX-License-Identifier: Apache-2.0
"""A tag is moved: its old name goes only where its new one is."""

import errno
import os

import pytest

from registry.proxy import Answer
from support.system import fails_with, run
from support.tags import (  # deleting is a fixture
    IMAGE, OTHER, deleting, digests)

EXCHANGE = """import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
paths = [os.fsencode(path) for path in sys.argv[1:]]
libc.renameat2(-100, paths[0], -100, paths[1], 2)
print(ctypes.get_errno())"""


def forgets(proxy, tag):
    """The registry takes the tag, and does not keep it."""
    proxy.serves(f"/manifests/{tag}", lambda *_: Answer(201), method="PUT")


@pytest.fixture
def two(mount, make_registry, proxy_of):
    """A mount of two registries, of which the first has app:1.0."""
    registries = [make_registry(deletes=True) for _ in range(2)]
    clients = [each.client() for each in registries]
    proxies = [proxy_of(each) for each in registries]
    IMAGE.push(clients[0], "app", "1.0")
    OTHER.push(clients[1], "app", "other")
    return mount(proxies, "delete"), proxies, clients


@pytest.mark.parametrize("name", ["2.0", "other"])
def test_a_tag_that_is_not_kept_is_not_moved(deleting, name):
    root, client, proxy = deleting
    before = digests(client, "app")
    forgets(proxy, name)
    root.expect_error(f"app:{name}: the registry answered that it took the "
                      "image, and does not have it under that name")
    with fails_with(errno.EIO):
        os.rename(root / "app/1.0", root / "app" / name)
    assert digests(client, "app") == before


def test_a_tag_that_another_registry_does_not_keep_is_not_moved(two):
    root, (first, second), (one, other) = two
    forgets(second, "1.0")
    root.expect_error("does not have it under that name")
    with fails_with(errno.EIO):
        os.rename(root / first.address / "app/1.0",
                  root / second.address / "app/1.0")
    assert digests(one, "app") == {"1.0": IMAGE.digest}
    assert digests(other, "app") == {"other": OTHER.digest}


def test_two_tags_that_are_not_kept_are_not_exchanged(deleting):
    root, client, proxy = deleting
    before = digests(client, "app")
    forgets(proxy, "other")
    root.expect_error("does not have it under that name")
    result = run("python3", "-c", EXCHANGE, root / "app/1.0",
                 root / "app/other", check=False)
    assert int(result.stdout) == errno.EIO
    assert digests(client, "app") == before


def test_a_move_while_another_mount_moves_it_back(two):
    """Which removes the new name, as this one removes the old one."""
    root, (first, second), (_, other) = two

    def remove_new(body):
        other.request("DELETE", f"/v2/app/manifests/{IMAGE.digest}")
        return body

    first.receives("/manifests/1.0", remove_new, method="PUT", times=1)
    os.rename(root / first.address / "app/1.0",
              root / second.address / "app/1.0")
    assert digests(other, "app")["1.0"] == IMAGE.digest


def test_a_config_that_is_open_while_its_tag_is_moved(deleting):
    root, client, _ = deleting
    root.expect_error("close: app/2.0/config.json: changing app:1.0: the tag "
                      "is gone: it was moved or removed meanwhile")
    data = (root / "app/1.0/config.json").read_bytes()
    file = open(root / "app/1.0/config.json", "r+b", buffering=0)
    file.write(data.replace(b"amd64", b"arm64"))
    os.rename(root / "app/1.0", root / "app/2.0")
    with fails_with(errno.EIO):
        file.close()
    assert digests(client, "app")["2.0"] == IMAGE.digest
