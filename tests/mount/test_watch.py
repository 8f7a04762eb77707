# SPDX-License-Identifier: Apache-2.0
"""What others do is seen though nobody looks."""

import os

from registry.process import wait_until
from support.control import events, following, names
from support.images import gzip_layer, oci_image
from support.layers import image_of, layer
from support.tars import file

ONE = oci_image(gzip_layer({"etc/motd": b"one\n"}))
TWO = oci_image(gzip_layer({"etc/motd": b"two\n"}))


def test_pushes_moves_and_removals_have_digests(mount, make_registry,
                                                tmp_path):
    registry = make_registry(deletes=True)
    client = registry.client()
    for tag in ("1.0", "2.0"):
        ONE.push(client, "app", tag)
    root = mount(registry, "watch=1")
    os.listdir(root / "app")
    (root / "app/1.0/manifest.json").read_bytes()
    with following(root, tmp_path) as seen:
        TWO.push(client, "app", "1.0")
        moved = seen.wait_for("tag-moved", repository="app", tag="1.0")
        assert (moved["digest"], moved["before"]) == (TWO.digest, ONE.digest)
        assert moved["by"] == "another client"
        TWO.push(client, "app", "3.0")
        made = seen.wait_for("tag-created", repository="app", tag="3.0")
        assert made["digest"] == TWO.digest
        client.request("DELETE", f"/v2/app/manifests/{TWO.digest}")
        gone = seen.wait_for("tag-removed", tag="3.0")
        assert gone["before"] == TWO.digest
        seen.wait_for("tag-removed", tag="1.0")
        assert "digest" not in gone
        assert names(seen.events()).count("tag-created") == 1


def test_what_has_moved_is_new_at_once(mount, registry, client, tmp_path):
    """However long the kernel would have kept the old one."""
    ONE.push(client, "app", "1.0")
    root = mount(registry, "watch=1", "tag_ttl=3600")
    path = root / "app/1.0/manifest.json"
    assert path.read_bytes() == ONE.data
    assert (root / "app/1.0.tar").read_bytes()
    with following(root, tmp_path) as seen:
        TWO.push(client, "app", "1.0")
        seen.wait_for("tag-moved", tag="1.0")
        wait_until(lambda: path.read_bytes() == TWO.data, "the kernel")


def test_a_glob_names_what_was_never_looked_at(mount, proxy, client,
                                               tmp_path):
    repositories = ("team/app", "team/db", "other")
    for name in repositories:
        ONE.push(client, name, "1.0")
    root = mount(proxy, r"watch=1:team/*")
    with following(root, tmp_path) as seen, proxy.requests() as asked:
        for name in repositories[:2]:
            proxy.wait_for_request("HEAD", f"/{name}/manifests/1.0")
        for name in repositories:
            TWO.push(client, name, "1.0")
        for name in repositories[:2]:
            moved = seen.wait_for("tag-moved", repository=name)
            assert moved["before"] == ONE.digest
        assert not asked.count(path="/other/")


def test_requests_are_bounded(mount, proxy, client):
    for number in range(150):
        ONE.push(client, "app", f"{number}.0")
    root = mount(proxy, "watch=1:app")
    with proxy.requests() as seen:
        wait_until(lambda: seen.count("GET", "/app/tags/list") >= 2,
                   "two rounds")
        heads = seen.count("HEAD", "/app/manifests/")
    assert 0 < heads <= 200
    assert events(root) == []


def test_one_that_is_away_is_asked_less_often(mount, proxy, client):
    image_of(layer([file("f", b"x")])).push(client, "app", "1.0")
    root = mount(proxy, "watch=1", "tag_ttl=1")
    os.listdir(root / "app")
    proxy.answers("/", status=503, headers={"Retry-After": "100"})
    root.wait_for_log("watch: .* is looked at less often")
    proxy.heal()
    ONE.push(client, "app", "2.0")
    wait_until(lambda: "tag-created" in names(events(root)), "another round")


def test_a_mount_ends_in_the_middle_of_a_round(mount, proxy, client):
    ONE.push(client, "app", "1.0")
    root = mount(proxy, "watch=1")
    os.listdir(root / "app")
    hold = proxy.falls_silent("/app/tags/list")
    hold.wait_reached()
    root.unmount()
    hold.release()
