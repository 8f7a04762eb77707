# SPDX-License-Identifier: Apache-2.0
"""Notifications of registries make the mount look."""

import http.client
import json
import socket

import pytest

from registry.process import wait_until
from registry.server import DockerRegistry
from support.control import events, following
from support.images import gzip_layer, oci_image

ONE = oci_image(gzip_layer({"etc/motd": b"one\n"}))
TWO = oci_image(gzip_layer({"etc/motd": b"two\n"}))

# As facts of each service have them; where they are from says fs/watch/hint.c.
FORMS = {
    "hub": {"callback_url": "https://x", "push_data": {
        "pushed_at": 1.5, "pusher": "a", "tag": "1.0"},
        "repository": {"name": "app", "namespace": "team",
                       "repo_name": "team/app"}},
    "harbor": {"type": "PUSH_ARTIFACT", "occur_at": 1, "operator": "a",
               "event_data": {"resources": [{"digest": ONE.digest,
                                             "tag": "1.0"}],
                              "repository": {"name": "app",
                                             "repo_full_name": "team/app"}}},
    "cloudevents": {"specversion": "1.0", "type": "harbor.artifact.pushed",
                    "data": {"resources": [{"tag": "1.0"}],
                             "repository": {"repo_full_name": "team/app"}}},
    "quay": {"repository": "team/app", "namespace": "team", "name": "app",
             "docker_url": "quay.io/team/app", "updated_tags": ["1.0"]},
    "quay-object": {"repository": "team/app",
                    "updated_tags": {"1.0": "sha256:0"}},
    "ghcr": {"action": "published", "registry_package": {
        "name": "app", "package_type": "CONTAINER", "package_version": {
            "package_url": "ghcr.io/team/app:1.0"}}},
    "acr": {"id": "1", "action": "push", "target": {
        "repository": "team/app", "tag": "1.0"}},
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def post(port, body, method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, "/any", body)
    status = connection.getresponse().status
    connection.close()
    return status


class Notifying(DockerRegistry):
    def __init__(self, directory, port):
        super().__init__(directory, deletes=True)
        self._url = f"http://127.0.0.1:{port}/"

    def _config(self):
        return super()._config() | {"notifications": {"endpoints": [{
            "name": "mount", "url": self._url, "timeout": "1s",
            "threshold": 3, "backoff": "1s"}]}}


def test_docker_registry_notifies(mount, tmp_path):
    """The real one, of pushes, moves and removals."""
    port = free_port()
    with Notifying(tmp_path / "registry", port) as registry:
        client = registry.client()
        root = mount(registry, f"webhook={port}", "tag_ttl=3600")
        with following(root, tmp_path) as seen:
            ONE.push(client, "app", "1.0")
            # It may be told of before it is there.
            put = wait_until(lambda: next(iter(seen.events()), None), "it")
            assert put["event"] in ("tag-put", "tag-created")
            assert (put["repository"], put["tag"]) == ("app", "1.0")
            assert put["digest"] == ONE.digest
            assert put["by"] == "another client"
            TWO.push(client, "app", "1.0")
            moved = seen.wait_for("tag-moved", tag="1.0")
            assert (moved["digest"], moved["before"]) == (
                TWO.digest, ONE.digest)
            manifest = root / "app/1.0/manifest.json"
            assert manifest.read_bytes() == TWO.data
            client.request("DELETE", f"/v2/app/manifests/{TWO.digest}")
            assert seen.wait_for("tag-removed", tag="1.0")["before"] == (
                TWO.digest)


@pytest.fixture
def hooked(mount, proxy, client):
    ONE.push(client, "team/app", "1.0")
    port = free_port()
    return mount(proxy, f"webhook=127.0.0.1:{port}"), port


@pytest.mark.parametrize("form", FORMS)
def test_forms(hooked, tmp_path, form):
    root, port = hooked
    with following(root, tmp_path) as seen:
        assert post(port, json.dumps(FORMS[form])) == 200
        put = seen.wait_for("tag-put", repository="team/app", tag="1.0")
        assert put["digest"] == ONE.digest


def test_nothing_of_it_is_believed(hooked, proxy):
    """What the registry does not say does not happen."""
    root, port = hooked
    body = json.dumps({"events": [
        {"action": "push", "target": {
            "repository": "team/app", "tag": "9.9", "digest": TWO.digest}},
        {"action": "push", "target": {
            "repository": "../../x", "tag": "a b"}}]})
    with proxy.requests() as seen:
        assert post(port, body) == 200
        wait_until(lambda: seen.count(path="/team/app/tags/list"), "the look")
        assert not [one for one in seen if "x" in one.path.split("/")]
    assert events(root) == []


def test_what_is_refused(hooked):
    _, port = hooked
    for body, status in ((b"no json", 400), (b"[]", 400), (b"{}", 200),
                         (b" " * (1 << 20) + b"{}", 413)):
        assert post(port, body) == status
    assert post(port, None, method="GET") == 405
    assert 429 in {post(port, b"{}") for _ in range(60)}


def test_a_port_that_is_taken(binary, registry, tmp_path):
    from support.system import run
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run(binary, "-f", "-o",
                     f"cache={tmp_path}/c,webhook={port}", registry.address,
                     tmp_path, check=False)
    assert result.returncode == 1
    assert f"cannot listen at webhook={port}" in result.stderr
