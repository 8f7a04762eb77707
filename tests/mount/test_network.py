# SPDX-License-Identifier: Apache-2.0
"""A network that fails now and then, and one that fails for good."""

import errno
import os
import time

import pytest

from registry.faults import cut
from registry.proxy import Proxy
from registry.server import DockerRegistry
from support.images import oci_image


@pytest.fixture
def image(client):
    return oci_image().push(client, "app", "1.0")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_retried(mount, proxy, image, status):
    root = mount(proxy)
    proxy.answers("/app/", status=status, times=1)
    assert os.listdir(root / "app") == ["1.0"]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(mount, proxy, image, status):
    root = mount(proxy)
    rule = proxy.answers("/tags/list", status=status, times=2,
                         headers={"Retry-After": "1"})
    start = time.monotonic()
    assert os.listdir(root / "app") == ["1.0"]
    assert rule.used == 2
    assert time.monotonic() - start >= 2


def test_a_lost_connection_is_made_again(mount, proxy, image):
    root = mount(proxy)
    proxy.hangs_up("/tags/list", times=1)
    assert os.listdir(root / "app") == ["1.0"]


def test_a_list_that_is_cut_off_is_read_again(mount, proxy, image):
    root = mount(proxy)
    proxy.sends("/tags/list", cut(after=5), times=1)
    assert os.listdir(root / "app") == ["1.0"]


@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_that_stays(mount, proxy, image, status):
    root = mount(proxy)
    proxy.refuses("/app/", status=status, code="UNKNOWN",
                  message="the disk is on fire")
    root.expect_error(f"app.*the disk is on fire.*{status}")
    with pytest.raises(OSError) as failure:
        os.listdir(root / "app")
    assert failure.value.errno == errno.EIO
    proxy.heal()
    assert os.listdir(root / "app") == ["1.0"]


def test_a_limit_that_ends_far_off(mount, proxy, image):
    """Docker Hub's: it is not waited for in the middle of an `ls`."""
    root = mount(proxy)
    proxy.answers("/app/", status=429, headers={"Retry-After": "21600"})
    root.expect_error("app.*21600|app.*limit")
    start = time.monotonic()
    with pytest.raises(OSError) as failure:
        os.listdir(root / "app")
    assert failure.value.errno == errno.EBUSY
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("status, code, expected", [
    (401, "UNAUTHORIZED", errno.EACCES), (403, "DENIED", errno.EACCES),
    (404, "NAME_UNKNOWN", errno.ENOENT)])
def test_a_refusal_is_not_retried(mount, proxy, image, status, code, expected):
    root = mount(proxy)
    proxy.refuses("/app/", status=status, code=code, message="no\x1b[31m way")
    if expected != errno.ENOENT:
        # What a server says is shown, but not to the terminal's harm.
        root.expect_error(r"app.*no.\[31m way")
    with proxy.requests() as seen, pytest.raises(OSError) as failure:
        os.listdir(root / "app/1.0")
    assert failure.value.errno == expected
    asked = [(request.method, request.path) for request in seen]
    assert len(asked) == len(set(asked)), seen
    assert "\x1b" not in root.log()


def test_a_registry_that_falls_silent(mount, proxy, image):
    root = mount(proxy, "timeout=1")
    silence = proxy.falls_silent("/app/")
    root.expect_error("app.*(time|answer)")
    start = time.monotonic()
    with pytest.raises(OSError) as failure:
        os.listdir(root / "app")
    silence.release()
    assert failure.value.errno == errno.ETIMEDOUT
    assert time.monotonic() - start < 30
    proxy.heal()
    assert os.listdir(root / "app") == ["1.0"]


def test_a_registry_that_goes_and_comes_back(mount, make_registry, tmp_path):
    registry = make_registry()
    oci_image().push(registry.client(), "app", "1.0")
    root = mount(registry, "tag_ttl=0")
    assert os.listdir(root / "app") == ["1.0"]
    registry.stop()
    root.expect_error(f"{registry.address}.*[Cc]onnection refused")
    with pytest.raises(OSError) as failure:
        os.listdir(root / "app")
    assert failure.value.errno in (errno.EIO, errno.EHOSTUNREACH,
                                   errno.ECONNREFUSED)
    with DockerRegistry(tmp_path / "back", storage=registry.storage,
                        port=registry.port):
        assert os.listdir(root / "app") == ["1.0"]


def test_a_redirect_that_goes_nowhere(mount, proxy, image):
    with Proxy() as storage:
        gone = storage
    proxy.redirects(f"/blobs/{image.layers[0].digest}", to=gone, method="GET")
    root = mount(proxy, "timeout=2")
    root.expect_error(image.layers[0].digest)
    with pytest.raises(OSError):
        (root / "app/1.0/layers/01.tar.gz").read_bytes()


def test_redirects_in_a_circle(mount, proxy, image):
    proxy.redirects(f"/blobs/{image.layers[0].digest}", to=proxy,
                    method="GET")
    root = mount(proxy)
    root.expect_error("redirect")
    with pytest.raises(OSError):
        (root / "app/1.0/layers/01.tar.gz").read_bytes()


def test_an_endless_manifest_is_cut_off(mount, proxy, image):
    """A server that never ends fills neither memory nor disk."""
    proxy.answers("/manifests/huge", status=200, body=b" " * (17 << 20),
                  headers={"Content-Type":
                           "application/vnd.oci.image.manifest.v1+json"})
    root = mount(proxy)
    root.expect_error("app.*huge")
    with pytest.raises(OSError) as failure:
        os.listdir(root / "app/huge")
    assert failure.value.errno == errno.EFBIG
