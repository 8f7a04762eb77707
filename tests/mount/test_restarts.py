# SPDX-License-Identifier: Apache-2.0
"""A registry that is restarted while it is written to, read, or mounted: what
is under way goes on when it is back."""

import errno
import os
import time

import pytest

from registry.process import Process, wait_until
from registry.server import DockerRegistry
from support.archives import docker_archive
from support.images import layer_of_size, oci_image
from support.system import fails_with

# Seconds: no client tries that long that gives up after some attempts at once.
AWAY = 7


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(
        [("app:1.0", oci_image(*(layer_of_size(20 << 20, seed)
                                 for seed in range(4))))]))
    return path


def restart(registry, directory):
    """Comes back after AWAY seconds, with its storage, on its port."""
    registry.stop()
    time.sleep(AWAY)
    return DockerRegistry(directory, storage=registry.storage,
                          port=registry.port)


def test_within_a_push(mount, make_registry, archive, tmp_path):
    registry = make_registry()
    root = mount(registry, "timeout=10")
    push = Process(["cp", archive, str(root / "app:1.0.tar")],
                   tmp_path / "cp.log")
    wait_until(lambda: list(registry.storage.rglob("_uploads/*/data")),
               "the push to send something", poll=0.002)
    with restart(registry, tmp_path / "back") as back:
        assert push.wait() == 0, push.output()
        assert back.client().has_manifest("app", "1.0")


def test_within_a_read(mount, make_registry, tmp_path):
    registry = make_registry()
    image = oci_image(layer_of_size(1 << 20)).push(
        registry.client(), "app", "1.0")
    root = mount(registry, "timeout=10", "tag_ttl=3600")
    blob = root / "app/1.0/layers/01.tar.gz"
    assert blob.stat().st_size == len(image.layers[0].data)
    registry.stop()
    read = Process(["cat", str(blob)], tmp_path / "cat.out")
    with restart(registry, tmp_path / "back"):
        assert read.wait() == 0
    assert (tmp_path / "cat.out").read_bytes() == image.layers[0].data


def test_a_name_that_is_asked_for_does_not_wait(mount, make_registry):
    """Somebody types `ls`, and there is no registry: that is said at once."""
    registry = make_registry()
    root = mount(registry)
    registry.stop()
    root.expect_error("refused")
    start = time.monotonic()
    with fails_with(errno.ECONNREFUSED):
        os.listdir(root.path)
    assert time.monotonic() - start < 15


@pytest.mark.parametrize("status", [429, 502, 503])
def test_busy_when_it_is_mounted(mount, proxy, client, status):
    oci_image().push(client, "app", "1.0")
    rule = proxy.answers("/v2/$", status=status, times=1)
    root = mount(proxy)
    assert rule.used == 1
    assert os.listdir(root / "app") == ["1.0"]
