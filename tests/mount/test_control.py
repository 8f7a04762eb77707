# SPDX-License-Identifier: Apache-2.0
"""The mount's own files: what it does now, and what went wrong."""

import errno
import json
import os
import random
import stat
import subprocess
import time

import pytest

from registry.faults import Hold, corrupt
from registry.process import wait_until
from support.archives import docker_archive, plain_layer
from support.control import is_recent, metrics, names, status
from support.images import gzip_layer, oci_image
from support.system import run

IMAGE = oci_image(plain_layer({"data": random.Random(8).randbytes(600_000)}))
OTHER = oci_image(plain_layer({"data": b"other"}))
ARCHIVE = docker_archive([("app:1.0", IMAGE)])
FILES = ["events", "log", "metrics", "status.json"]
MOVED = oci_image(gzip_layer({"etc/motd": b"moved\n"}))


def test_they_are_listed_and_their_directory_is_not(mounted):
    mounted.expect_error("read-only file")
    assert os.listdir(mounted.path) == []
    assert sorted(os.listdir(mounted / ".registryfs")) == FILES
    lines = run("ls", "-l", mounted / ".registryfs").stdout.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == FILES
    for name in FILES:
        file = mounted / ".registryfs" / name
        assert stat.filemode(file.stat().st_mode) == "-r--r--r--"
        with pytest.raises(PermissionError):
            file.write_bytes(b"")
    with pytest.raises(FileNotFoundError):
        os.stat(mounted / ".registryfs/other")


def test_the_numbers_of_their_inodes(mounted):
    listed = {entry.name: entry.inode()
              for entry in os.scandir(mounted / ".registryfs")}
    assert listed == {name: os.stat(mounted / ".registryfs" / name).st_ino
                      for name in FILES}


def test_the_status_of_a_mount_that_does_nothing(mounted, proxy):
    first = status(mounted)
    (source,) = first["sources"]
    assert source == {"name": proxy.address, "kind": "registry",
                      "directory": "", "namespace": "", "rate_limit": None}
    assert first["mountpoint"] == str(mounted.path)
    assert first["pid"] == mounted.pid
    assert first["cache"]["directory"] == str(mounted.cache)
    assert first["cache"]["limit_bytes"] == 10 << 30
    assert first["pushes"] == []
    assert is_recent(first["started"])
    assert wait_until(lambda: status(mounted)["uptime_seconds"]
                      > first["uptime_seconds"] > 0, "the clock")
    version = run(os.readlink(f"/proc/{mounted.pid}/exe"), "--version").stdout
    assert version == f"registryfs {first['version']}\n"


def test_a_namespace_is_said(mount, registry):
    mounted = mount(f"{registry.address}/team/sub")
    assert status(mounted)["sources"][0]["namespace"] == "team/sub"


TOOLS = {
    "cat": "cat {0}",
    "cp": "cp {0} copy; cat copy",
    "dd": "dd status=none if={0}",
    "tail": "tail -n +1 {0}",
    "tail -c": "tail -c 100000 {0}",
    "head": "head -c 100000 {0}",
    "grep": "grep '' {0}",
    "sed": "sed '' {0}",
    "rsync": "rsync {0} copy; cat copy",
    "python": "python3 -c 'print(open(\"{0}\").read(), end=str())'",
    "tar": "tar -C $(dirname {0}) -cf - $(basename {0}) | tar -xOf -",
}


@pytest.mark.parametrize("options", [[], ["ro"]])
@pytest.mark.parametrize("tool", TOOLS)
def test_tools_read_all_of_them(mount, proxy, client, tmp_path, tool, options):
    """And none of it twice, whatever they think of the size."""
    mounted = mount(proxy, "tag_ttl=0", *options)
    OTHER.push(client, "app", "1.0")
    os.stat(mounted / "app/1.0")
    MOVED.push(client, "app", "1.0")
    os.listdir(mounted / "app/1.0")
    mounted.expect_error("not today")
    proxy.refuses("/app/manifests/2.0", status=403, code="DENIED",
                  message="not today")
    with pytest.raises(PermissionError):
        os.stat(mounted / "app/2.0")

    def read(name):
        command = TOOLS[tool].format(mounted / ".registryfs" / name)
        return run("bash", "-c", command, cwd=tmp_path).stdout

    assert json.loads(read("status.json"))["pid"] == mounted.pid
    assert read("metrics").splitlines()[-1].startswith("registryfs_")
    assert len(read("log").splitlines()) >= 1
    assert read("log") == (mounted / ".registryfs/log").read_text()
    assert names(map(json.loads, read("events").splitlines())) == ["tag-moved"]


@pytest.mark.parametrize("name", ["status.json", "metrics"])
def test_who_has_it_open_reads_what_was_then(mounted, name):
    """In one read or in many, with the size that it has."""
    with open(mounted / ".registryfs" / name, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        os.listdir(mounted.path)  # numbers change
        pieces = iter(lambda: file.read(7), b"")
        text = b"".join(pieces)
        assert os.fstat(file.fileno()).st_size == size == len(text)
        assert os.pread(file.fileno(), 1 << 20, 0) == text
    again = (mounted / ".registryfs" / name).read_bytes()
    assert again != text


def test_jq(mounted):
    result = run("jq", "-r", ".sources[].name",
                 mounted / ".registryfs/status.json")
    assert result.stdout.strip() == status(mounted)["sources"][0]["name"]


def test_a_push_that_is_half_written(mounted, app, client):
    half = len(ARCHIVE) // 2
    with open(app / "1.0.tar", "wb", buffering=0) as file:
        file.write(ARCHIVE[:half])
        (push,) = status(mounted)["pushes"]
        assert (push["repository"], push["tag"]) == ("app", "1.0")
        assert (push["state"], push["received_bytes"]) == ("receiving", half)
        assert push["layers_done"] <= push["layers"] == 1
        assert is_recent(push["began"])
        numbers = metrics(mounted)
        assert numbers["registryfs_pushes_under_way", ()] == 1
        assert numbers["registryfs_pushes_under_way_received_bytes", ()] == half
        file.write(ARCHIVE[half:half + 1000])
        (push,) = status(mounted)["pushes"]
        assert push["received_bytes"] == half + 1000
        file.write(ARCHIVE[half + 1000:])
        assert status(mounted)["pushes"] == []
    assert status(mounted)["pushes_done"] == 1
    assert client.tags("app") == ["1.0"]


def test_a_push_that_is_being_sent(mounted, app, proxy, tmp_path):
    hold = Hold(at=300_000)
    proxy.receives("/blobs/uploads/", hold, method="PUT", times=1)
    (tmp_path / "image.tar").write_bytes(ARCHIVE)
    with subprocess.Popen(
            ["cp", tmp_path / "image.tar", app / "1.0.tar"]) as cp:
        hold.wait_reached()
        push = wait_until(lambda: next(
            (push for push in status(mounted)["pushes"]
             if push["state"] == "sending"), None), "all of the archive")
        assert push["sent_bytes"] >= 300_000
        assert (push["layers"], push["layers_done"]) == (1, 0)
        hold.release()
        assert cp.wait(30) == 0
    assert status(mounted)["pushes"] == []


def test_several_pushes(mounted, app):
    tags = ["1.0", "2.0", "3.0"]
    files = [open(app / f"{tag}.tar", "wb", buffering=0) for tag in tags]
    for number, file in enumerate(files):
        file.write(ARCHIVE[:1000 + number])
    pushes = status(mounted)["pushes"]
    assert [(push["tag"], push["received_bytes"]) for push in pushes] == [
        ("1.0", 1000), ("2.0", 1001), ("3.0", 1002)]
    for number, file in enumerate(files):
        file.write(ARCHIVE[1000 + number:])
        file.close()
    assert status(mounted)["pushes"] == []


def test_counts_are_those_of_the_wire(mount, proxy, client):
    IMAGE.push(client, "base", "1.0")
    with proxy.requests() as seen:
        mounted = mount(proxy)
        assert status(mounted)["network"]["requests"] == len(seen)
    before = status(mounted)["network"]
    with proxy.requests() as seen:
        (mounted / "base/1.0/layers/01.tar").read_bytes()
        (mounted / "app").mkdir()
        (mounted / "app/1.0.tar").write_bytes(
            docker_archive([("app:1.0", OTHER)]))
        said = status(mounted)
    network = said["network"]
    counted = {name: network[name] - before[name] for name in network}
    # That a manifest is missing is known by the status: what the answer says
    # more is read where it comes together with that.
    unread = sum(request.received for request in seen
                 if request.status == 404 and "/manifests/" in request.path)
    assert seen.received() - counted.pop("received_bytes") in (0, unread)
    assert counted == {
        "requests": len(seen),
        "sent_bytes": sum(request.sent for request in seen)}
    size = len(IMAGE.layers[0].data)
    assert said["cache"]["fetched_bytes"] == seen.received("GET", "/blobs/")
    assert said["cache"]["held_bytes"] >= size
    numbers = metrics(mounted)
    for count in ("requests", "received_bytes", "sent_bytes"):
        assert numbers[f"registryfs_{count}_total", ()] == network[count]
    for count in ("hits", "fetches", "fetched_bytes", "evicted_bytes",
                  "mismatches"):
        assert (numbers[f"registryfs_cache_{count}_total", ()]
                == said["cache"][count])


def counters(mounted):
    return {sample: value for sample, value in metrics(mounted).items()
            if sample[0].endswith("_total")}


def test_counters_grow(mounted, app, client):
    before = counters(mounted)
    (app / "1.0.tar").write_bytes(ARCHIVE)
    between = counters(mounted)
    mounted.expect_error("app:2.0")
    with pytest.raises(OSError):
        (app / "2.0.tar").write_bytes(b"no archive" * 1000)
    after = counters(mounted)
    assert before.keys() == between.keys() == after.keys()
    assert all(before[sample] <= between[sample] <= after[sample]
               for sample in before)
    name = "registryfs_pushes_total"
    assert [numbers[name, (("result", result),)]
            for numbers in (before, between, after)
            for result in ("done", "failed")] == [0, 0, 1, 0, 1, 1]


def test_what_is_mounted_where(mount, registry, tmp_path):
    """A mount point of the worst kind."""
    mountpoint = tmp_path / 'a "b" \\ c\nd é'
    mountpoint.mkdir()
    mounted = mount(registry, mountpoint=mountpoint)
    assert status(mounted)["mountpoint"] == str(mountpoint)
    ((_, labels),) = [sample for sample in metrics(mounted)
                      if sample[0] == "registryfs_source_info"]
    assert dict(labels)["registry"] == registry.address


# Limits.

def look_at(mounted, client, tag):
    client.put_manifest("app", tag, MOVED.data, MOVED.media_type)
    os.stat(mounted / "app" / tag)


def test_a_rate_limit(mounted, client, proxy):
    MOVED.push(client, "app", "1.0")
    look_at(mounted, client, "1.0")
    assert status(mounted)["sources"][0]["rate_limit"] is None
    for remaining in (76, 75):
        proxy.heal()
        proxy.says("/manifests/", {
            "ratelimit-limit": "100;w=21600",
            "ratelimit-remaining": f"{remaining};w=21600",
            "docker-ratelimit-source": '192.0.2.1"'})
        look_at(mounted, client, f"2.{remaining}")
        limit = status(mounted)["sources"][0]["rate_limit"]
        assert is_recent(limit.pop("said"))
        assert limit == {"limit": 100, "remaining": remaining,
                         "window_seconds": 21600, "source": '192.0.2.1"',
                         "refused": None, "retry_after_seconds": None}
        numbers = metrics(mounted)
        labels = (("registry", proxy.address),)
        assert numbers["registryfs_rate_limit_requests", labels] == 100
        assert (numbers["registryfs_rate_limit_remaining_requests", labels]
                == remaining)


def test_a_refusal_because_of_it(mounted, client, proxy):
    """Also one that is waited for and passes."""
    MOVED.push(client, "app", "1.0")
    refusal = proxy.answers("/manifests/", status=429,
                            headers={"Retry-After": "1"}, times=1)
    os.stat(mounted / "app/1.0")
    assert refusal.used == 1
    limit = status(mounted)["sources"][0]["rate_limit"]
    assert is_recent(limit["refused"])
    assert limit["retry_after_seconds"] == 1
    assert (limit["said"], limit["remaining"]) == (None, None)


# The log.

def test_the_log_has_the_sentence(mounted, app, client, proxy):
    image = MOVED.push(client, "broken", "1.0")
    proxy.sends("/blobs/" + image.layers[0].digest, corrupt(at=10))
    mounted.expect_error("not today")
    mounted.expect_error(image.layers[0].digest)
    proxy.refuses("/app/manifests/", method="PUT", status=403, code="DENIED",
                  message="not today")
    with pytest.raises(PermissionError):
        (app / "1.0.tar").write_bytes(ARCHIVE)
    log = mounted / ".registryfs/log"
    assert "not today" in log.read_text().splitlines()[-1]
    with pytest.raises(OSError) as failure:
        (mounted / "broken/1.0/layers/01.tar.gz").read_bytes()
    assert failure.value.errno == errno.EIO
    last = log.read_text().splitlines()[-1]
    assert image.layers[0].digest in last
    assert is_recent(last.split()[0])
    assert time.time() - os.stat(log).st_mtime < 60
