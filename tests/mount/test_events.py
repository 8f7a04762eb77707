# SPDX-License-Identifier: Apache-2.0
"""What has happened, for whoever follows it."""

import itertools
import json
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.process import wait_until
from registry.proxy import Answer
from support.archives import docker_archive, plain_layer
from support.control import (
    events, following, is_recent, metrics, names, status)
from support.engines import skopeo_copy
from support.images import gzip_layer, oci_image
from support.system import run

IMAGE = oci_image(plain_layer({"data": random.Random(8).randbytes(600_000)}))
ARCHIVE = docker_archive([("app:1.0", IMAGE)])
ONE = oci_image(gzip_layer({"etc/motd": b"one\n"}))
TWO = oci_image(gzip_layer({"etc/motd": b"two\n"}))
SMALL = docker_archive([("app:1.0", oci_image(plain_layer({"a": b"b"})))])


def test_nothing_has_happened(mounted):
    assert os.stat(mounted / ".registryfs/events").st_size == 0
    assert events(mounted) == []


def test_a_push_is_followed(mounted, app, tmp_path):
    with following(mounted, tmp_path) as seen:
        with open(app / "1.0.tar", "wb", buffering=0) as file:
            file.write(ARCHIVE[:1000])
            begun = seen.wait_for("push-begun", repository="app", tag="1.0")
            assert is_recent(begun["time"])
            file.write(ARCHIVE[1000:])
        done = seen.wait_for("push-done", repository="app", tag="1.0")
        digest = os.getxattr(app / "1.0", "user.oci.digest").decode()
        created = seen.wait_for("tag-created", by="this mount")
        assert done["digest"] == created["digest"] == digest
        assert done["bytes"] == len(ARCHIVE)
        assert done["sent_bytes"] > 0 and done["seconds"] > 0
        assert seen.events() == events(mounted)
        assert names(seen.events()) == ["push-begun", "tag-created",
                                        "push-done"]


def test_a_push_that_fails_is_followed(mounted, app, proxy, tmp_path):
    mounted.expect_error('not "today"')
    proxy.refuses("/manifests/", method="PUT", status=403, code="DENIED",
                  message='not "today"')
    with following(mounted, tmp_path) as seen:
        with pytest.raises(PermissionError):
            (app / "1.0.tar").write_bytes(ARCHIVE)
        failed = seen.wait_for("push-failed", repository="app", tag="1.0")
        assert 'not "today"' in failed["error"]
        reason = os.getxattr(app / ".1.0.failed", "user.registryfs.error")
        assert failed["error"] == reason.decode()
        proxy.heal()
        os.rename(app / ".1.0.failed", app / "1.0")
        seen.wait_for("push-done", tag="1.0")
        assert names(seen.events()) == [
            "push-begun", "push-failed", "push-begun", "tag-created",
            "push-done"]


def test_a_push_that_is_given_up(mounted, app):
    """The first close can be that of a program which hands its file on."""
    mounted.expect_error("the archive is truncated")
    fds = [os.open(app / "1.0.tar", os.O_WRONLY | os.O_CREAT)]
    fds.append(os.dup(fds[0]))
    os.write(fds[0], ARCHIVE[:5000])
    with pytest.raises(OSError):
        os.close(fds[0])
    assert names(events(mounted)) == ["push-begun"]
    assert len(status(mounted)["pushes"]) == 1
    with pytest.raises(OSError):
        os.close(fds[1])
    wait_until(lambda: status(mounted)["pushes"] == [], "its end")
    begun, failed = events(mounted)
    assert (begun["event"], failed["event"]) == ("push-begun", "push-failed")
    assert "is truncated" in failed["error"]
    assert failed["bytes"] == 5000


def test_a_copy_from_another_repository(mounted, app, client, tmp_path):
    image = ONE.push(client, "base", "1.0")
    (mounted / "base/1.0.tar").stat()
    with following(mounted, tmp_path) as seen:
        run("cp", mounted / "base/1.0.tar", app / "1.0.tar")
        done = seen.wait_for("push-done", repository="app", tag="1.0")
        assert done["digest"] == image.digest
        assert names(seen.events()) == ["push-begun", "tag-created",
                                        "push-done"]


def test_what_another_client_does_is_followed(mount, proxy, registry, client,
                                              tmp_path):
    mounted = mount(proxy, "tag_ttl=0")
    for tag in ("1.0", "2.0"):
        ONE.push(client, "app", tag)
    os.stat(mounted / "app/1.0")
    os.listdir(mounted / "app")
    with following(mounted, tmp_path) as seen:
        moved = TWO.push(client, "app", "1.0")
        os.stat(mounted / "app/1.0/manifest.json")
        event = seen.wait_for("tag-moved", tag="1.0")
        assert event["digest"] == moved.digest
        assert event["before"] == ONE.digest
        assert event["by"] == "another client"
        skopeo_copy(f"docker://{registry.address}/app:2.0",
                    f"docker://{registry.address}/app:3.0")
        os.listdir(mounted / "app")
        seen.wait_for("tag-created", repository="app", tag="3.0")
        remove_tag(registry, client, "app", "2.0")
        os.listdir(mounted / "app")
        seen.wait_for("tag-removed", repository="app", tag="2.0")
        assert names(seen.events()) == ["tag-moved", "tag-created",
                                        "tag-removed"]


def remove_tag(registry, client, repository, tag):
    """As the registry's own tools do it: docker-registry 2.8 deletes manifests
    only, with all their tags."""
    assert client.has_manifest(repository, tag)
    path = (registry.storage / "docker/registry/v2/repositories" / repository
            / "_manifests/tags" / tag)
    run("rm", "-r", path)


def test_two_mounts(mount, registry, tmp_path):
    """What one pushes the other sees when it looks."""
    one, two = (mount(registry, "tag_ttl=0") for _ in range(2))
    (one / "app").mkdir()
    (one / "app/1.0.tar").write_bytes(ARCHIVE)
    os.listdir(two / "app")
    (one / "app/2.0.tar").write_bytes(ARCHIVE)
    os.listdir(two / "app")
    (event,) = events(two)
    assert (event["event"], event["tag"]) == ("tag-created", "2.0")
    assert event["by"] == "another client"


def test_what_was_there_stays_there(mounted, app):
    """Whoever reads on from where it was misses nothing."""
    path = mounted / ".registryfs/events"
    with open(path, "rb", buffering=0) as file:
        read = b""
        for number in range(5):
            (app / f"{number}.tar").write_bytes(SMALL)
            size = os.fstat(file.fileno()).st_size
            assert os.stat(path).st_size == size
            read += file.read(1 << 20)
            assert len(read) == size
            assert path.read_bytes() == read
    assert names(map(json.loads, read.splitlines())).count("push-done") == 5


def test_many_pushes_looked_at_all_the_time(mounted, app):
    """Each reader sees whole lines, and what it saw stays; all events come."""
    tags = [f"{number}.0" for number in range(24)]
    ended = threading.Event()

    def look():
        seen = b""
        while not ended.is_set():
            pushes = status(mounted)["pushes"]
            assert {push["repository"] for push in pushes} <= {"app"}
            metrics(mounted)
            now = (mounted / ".registryfs/events").read_bytes()
            assert now.startswith(seen) and now[-1:] in (b"", b"\n")
            seen = now
        return True

    with ThreadPoolExecutor(8) as pool:
        lookers = [pool.submit(look) for _ in range(2)]
        try:
            list(pool.map(lambda tag: (app / f"{tag}.tar").write_bytes(SMALL),
                          tags))
        finally:
            ended.set()
        assert all(looker.result() for looker in lookers)
    for name in ("push-begun", "tag-created", "push-done"):
        assert sorted(event["tag"] for event in events(mounted)
                      if event["event"] == name) == sorted(tags)
    assert status(mounted)["pushes"] == []


def test_so_many_that_another_file_is_begun(mount, proxy, tmp_path):
    """As a log is rotated: tail -f stays with the old one, tail -F goes on."""
    many = [f"tag-{number}" for number in range(25_000)]
    lists = itertools.cycle((many, []))

    def answer(*_):
        return Answer(200, {}, json.dumps({"tags": next(lists)}).encode())
    proxy.serves("/tags/list", answer)
    mounted = mount(proxy, "tag_ttl=0")
    path = mounted / ".registryfs/events"
    with following(mounted, tmp_path, "-F") as seen, open(path, "rb") as old:
        while os.stat(path).st_ino == os.fstat(old.fileno()).st_ino:
            os.listdir(mounted / "app")
        whole = old.read().decode().splitlines()
        assert names([json.loads(whole[-1])]) == ["continued"]
        assert os.fstat(old.fileno()).st_size < 17 << 20
        assert len(whole) % len(many) == 1
        rest = events(mounted)
        assert len(rest) == len(many)
        wait_until(lambda: len(seen.lines()) == len(whole) + len(rest),
                   "tail -F")
        assert seen.lines()[:len(whole)] == whole
