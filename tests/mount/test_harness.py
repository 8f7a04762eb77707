# SPDX-License-Identifier: Apache-2.0
"""The tests' own tools: what they claim to break has to break."""

import http.client
import threading

import pytest

from registry.client import Client, Refused
from registry.faults import Hold, corrupt, cut
from registry.process import wait_until
from registry.proxy import Proxy
from registry.server import PASSWORD, USER
from registry.tokens import TokenServer
from support.images import (
    DOCKER_LIST, artifact, attested_index, docker_image, index_of, oci_image,
    platform_images)

BLOB = bytes(range(256)) * 1000


@pytest.fixture
def digest(client):
    return client.put_blob("app", BLOB)


@pytest.fixture
def through(proxy):
    return Client(proxy.url)


def test_the_access_log_counts(registry, client, digest):
    client.blob("app", digest)
    with registry.requests() as seen:
        client.blob("app", digest)
        client.request("GET", "/v2/app/tags/list")
    assert [(r.method, r.status) for r in seen] == [("GET", 200), ("GET", 404)]
    assert seen.count("GET", "/blobs/") == 1


def test_the_proxy_is_faithful(proxy, through, digest):
    with proxy.requests() as seen:
        assert through.blob("app", digest) == BLOB
    (request,) = seen
    assert (request.status, request.received) == (200, len(BLOB))
    with proxy.requests() as seen:
        through.put_blob("app", BLOB * 2)
    assert [r.method for r in seen] == ["HEAD", "POST", "PUT"]
    assert seen.matching("PUT")[0].sent == 2 * len(BLOB)


def test_headers_that_are_added(proxy, through, digest):
    rule = proxy.says("/blobs/", {"X-Said": "once"}, times=1)
    path = f"/v2/app/blobs/{digest}"
    assert through.get(path).headers["X-Said"] == "once"
    again = through.get(path)
    assert "X-Said" not in again.headers
    assert (rule.used, again.body) == (1, BLOB)


def test_cut(proxy, through, digest):
    rule = proxy.sends("/blobs/", cut(after=100_000), times=1)
    with pytest.raises(http.client.IncompleteRead) as failure:
        through.blob("app", digest)
    assert len(failure.value.partial) == 100_000
    assert through.blob("app", digest) == BLOB
    assert rule.used == 1


def test_a_cut_upload(proxy, through):
    proxy.receives("/blobs/uploads/", cut(after=0), method="PUT")
    with pytest.raises((OSError, http.client.HTTPException)):
        through.put_blob("app", BLOB)


def test_corrupt(proxy, through, digest):
    proxy.sends("/blobs/", corrupt(at=100_000))
    bad = through.blob("app", digest)
    assert [i for i, byte in enumerate(bad) if byte != BLOB[i]] == [100_000]


def test_hold(proxy, through, digest):
    hold = Hold(at=1)
    proxy.sends("/blobs/", hold)
    reader = threading.Thread(target=through.blob, args=("app", digest))
    reader.start()
    hold.wait_reached()
    assert reader.is_alive()
    hold.release()
    reader.join()


def test_redirect_and_range(proxy, through, digest):
    proxy.redirects("/blobs/", to=proxy, times=1)
    path = f"/v2/app/blobs/{digest}"
    assert through.request("GET", path).headers["Location"] == proxy.url + path
    part = through.request("GET", path, Range="bytes=5-9")
    assert (part.status, part.body) == (206, BLOB[5:10])
    proxy.ignores_range("/blobs/")
    assert through.request("GET", path, Range="bytes=5-9").status == 200


def test_refusals(proxy, through):
    proxy.refuses("/v2/$", status=403, code="DENIED", message="no", times=1)
    with pytest.raises(Refused, match="403.*DENIED"):
        through.get("/v2/")
    assert through.get("/v2/").status == 200


def test_a_stand_in_without_a_registry():
    with Proxy() as proxy:
        assert Client(proxy.url).request("GET", "/v2/").status == 404


def test_the_registry_checks_tokens(make_registry, tmp_path):
    with TokenServer(tmp_path / "tokens", {USER: PASSWORD}) as server:
        registry = make_registry(auth=server)
        scope = "repository:app:pull,push"
        writer = registry.client(token=server.token(USER, scope))
        digest = writer.put_blob("app", BLOB)
        nobody = registry.client(token=server.token(None, scope))
        assert nobody.request(
            "GET", f"/v2/app/blobs/{digest}").status == 401
        server.lifetime = 1
        mortal = registry.client(token=server.token(USER, scope))
        assert mortal.has_blob("app", digest)
        wait_until(lambda: not mortal.has_blob("app", digest),
                   "the token's end", 5)


@pytest.mark.parametrize("make", [
    oci_image, docker_image, attested_index,
    lambda: index_of(platform_images()),
    lambda: index_of(platform_images(docker_image), DOCKER_LIST),
    lambda: index_of([(index_of(platform_images()), None)]),
    lambda: artifact({"file": b"data"})])
def test_the_registry_takes_what_is_made(client, make):
    made = make().push(client, "app", "1.0")
    assert client.manifest("app", "1.0").body == made.data
