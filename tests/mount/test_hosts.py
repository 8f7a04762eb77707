# SPDX-License-Identifier: Apache-2.0
"""Several registries in one mount."""

import errno
import json
import os
import socket
import threading
from contextlib import closing

import pytest

from support.control import events, status
from support.layouts import layout_of, names
from support.referrers import (
    fallback_entries, fallback_tag, listed, referrer_of)
from support.system import fails_with, run
from support.tags import IMAGE, OTHER, digests, shell

ANY = ()  # no source is named: the first component is a host


def listing(path):
    return sorted(os.listdir(path))


@pytest.fixture
def two(make_registry, proxy_of):
    """Two registries behind proxies that count; the first has app:1.0."""
    registries = [make_registry(deletes=True) for _ in range(2)]
    IMAGE.push(registries[0].client(), "app", "1.0")
    return [(proxy_of(each), each.client()) for each in registries]


@pytest.fixture
def silent():
    """Takes connections and never says a word."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


# The first component is a host.

def test_a_host_is_entered_by_its_name(mount, registry, client):
    IMAGE.push(client, "team/app", "1.0")
    mounted = mount(ANY)
    assert listing(mounted.path) == []
    host = mounted / registry.address
    assert listing(host) == ["team"]
    assert (host / "team/app/1.0/rootfs/etc/motd").read_bytes() == b"1\n"
    assert listing(mounted.path) == [registry.address]


def test_hosts_are_remembered_over_mounts(mount, registry, client, tmp_path):
    IMAGE.push(client, "app", "1.0")
    cache = f"cache={tmp_path / 'kept'}"
    first = mount(ANY, cache)
    assert listing(first / registry.address) == ["app"]
    first.unmount()
    registry.stop()
    second = mount(ANY, cache)
    assert listing(second.path) == [registry.address]
    # To look at a name that is listed asks nobody.
    assert os.stat(second / registry.address).st_ino
    assert status(second)["network"]["requests"] == 0


def test_hosts_of_certificates_are_listed(mount, home):
    for name in ("registry.example:5000", "not a host", ".hidden"):
        (home.path / ".config/containers/certs.d" / name).mkdir(parents=True)
    assert listing(mount(ANY).path) == ["registry.example:5000"]


def test_hosts_of_logins_are_listed(mount, home):
    home.docker_config({
        "auths": {"https://index.docker.io/v1/": {}, "ghcr.io": {"auth": ""},
                  "https://old.example/v2/": {}, "no host": {}},
        "credHelpers": {"123.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login"}})
    home.containers_auth({"auths": {"quay.io/team/app": {}, "ghcr.io": {}}})
    mounted = mount(ANY)
    assert listing(mounted.path) == [
        "123.dkr.ecr.eu-west-1.amazonaws.com", "docker.io", "ghcr.io",
        "old.example", "quay.io"]
    # To look at them asks nobody.
    run("ls", "-l", mounted.path)
    assert status(mounted)["network"]["requests"] == 0
    (home.path / ".docker/config.json").write_text("{")
    assert listing(mount(ANY).path) == ["ghcr.io", "quay.io"]


@pytest.mark.parametrize("name", [
    ".git", ".Trash-1000", "README", "no_such", "a b.c", "x" * 255,
    "nonesuch.invalid", "autorun.inf"])
def test_what_is_no_host_is_not_there(mount, name):
    mounted = mount(ANY)
    with fails_with(errno.ENOENT):
        os.stat(mounted / name)
    assert listing(mounted.path) == []


def test_a_host_is_asked_once(mount, proxy):
    """A web server that is no registry."""
    proxy.answers(".*", status=404, body=b"<html>no such page</html>")
    mounted = mount(ANY)
    with proxy.requests() as seen:
        for _ in range(3):
            with fails_with(errno.ENOENT):
                os.stat(mounted / proxy.address)
    # TLS, which it does not speak, is no request.
    assert seen.count() == 1
    mounted.wait_for_log("no registry answers there")


def test_a_host_that_refuses_says_so(mount):
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{unused.getsockname()[1]}"
        mounted = mount(ANY)
        mounted.expect_error(f"{name}: .*connection refused")
        with fails_with(errno.ECONNREFUSED):
            os.stat(mounted / name)


def test_a_silent_host_delays_no_other(mount, registry, client, silent):
    IMAGE.push(client, "app", "1.0")
    mounted = mount(ANY, "timeout=3")
    outcome = []
    waiting = threading.Thread(target=lambda: outcome.append(
        pytest.raises(OSError, os.stat, mounted / silent).value.errno))
    waiting.start()
    assert listing(mounted / registry.address) == ["app"]
    assert (mounted / registry.address /
            "app/1.0/rootfs/etc/motd").read_bytes() == b"1\n"
    assert waiting.is_alive() and not outcome
    waiting.join()
    assert outcome == [errno.ENOENT]


def test_nothing_can_be_made_beside_hosts(mount):
    mounted = mount(ANY)
    mounted.expect_error("mkdir: app: .*HOST/REPOSITORY")
    mounted.allow_error("create: file: .*HOST/REPOSITORY")
    with fails_with(errno.EPERM):
        os.mkdir(mounted / "app")
    with fails_with(errno.EPERM):
        open(mounted / "file", "w")


# Sources that are named.

def test_named_sources_are_directories(mount, two, tmp_path):
    layout_of(tmp_path / "box", v2_0=IMAGE)
    hosts = [proxy.address for proxy, _ in two]
    with two[0][0].requests() as seen:
        mounted = mount([*hosts, f"oci:{tmp_path / 'box'}"])
        assert listing(mounted.path) == sorted([*hosts, "box"])
    assert seen.count() == 0
    assert listing(mounted / hosts[0] / "app") == ["1.0"]
    assert listing(mounted / "box") == ["2.0"]
    # No other.
    with fails_with(errno.ENOENT):
        os.stat(mounted / "localhost:1")


def test_two_sources_of_one_name_are_refused(binary, home, tmp_path):
    (tmp_path / "mnt").mkdir()
    result = run(binary, "-f", "localhost:5000/a", "localhost:5000/b",
                 tmp_path / "mnt", check=False, env=home.environment())
    assert result.returncode == 1
    assert result.stderr == (
        "registryfs: localhost:5000/b: two sources would be called "
        "localhost:5000\n")


def test_a_namespace_is_its_top(mount, registry, client):
    IMAGE.push(client, "team/app", "1.0")
    mounted = mount([f"{registry.address}/team", "localhost:1"])
    assert listing(mounted / registry.address) == ["app"]
    assert listing(mounted / registry.address / "app") == ["1.0"]


# From one to the other.

COPIES = {
    "a link": "ln -s ../../{0}/app/1.0 {1}/app/2.0",
    "an archive": "cp {0}/app/1.0.tar {1}/app/2.0.tar",
    "a directory": "cp -r {0}/app/1.0 {1}/app/2.0",
}


@pytest.mark.parametrize("script", COPIES.values(), ids=COPIES)
def test_copies_keep_their_digest(mount, two, script):
    (first, one), (second, other) = two
    mounted = mount([first, second])
    os.mkdir(mounted / second.address / "app")
    shell(mounted.path, script.format(first.address, second.address))
    assert digests(other, "app") == {"2.0": digests(one, "app")["1.0"]}


def test_only_what_is_missing_is_sent(mount, two):
    (first, _), (second, other) = two
    mounted = mount([first, second])
    os.mkdir(mounted / second.address / "app")
    script = "ln -s ../../{0}/app/1.0 {1}/app/{2}"
    shell(mounted.path, script.format(first.address, second.address, "2.0"))
    sent = status(mounted)["network"]["sent_bytes"]
    assert sent > 300_000
    shell(mounted.path, script.format(first.address, second.address, "3.0"))
    assert status(mounted)["network"]["sent_bytes"] - sent < 2_000
    assert set(other.tags("app")) == {"2.0", "3.0"}


def test_a_tag_is_moved(mount, two):
    (first, one), (second, other) = two
    digest = digests(one, "app")["1.0"]
    mounted = mount([first, second], "delete")
    os.mkdir(mounted / second.address / "app")
    shell(mounted.path, f"mv {first.address}/app/1.0 {second.address}/app/2.0")
    assert digests(other, "app") == {"2.0": digest}
    with fails_with(errno.ENOENT):
        os.stat(mounted / first.address / "app/1.0")
    moved = mounted / second.address / "app/2.0"
    assert os.getxattr(moved, "user.oci.digest").decode() == digest
    assert (moved / "rootfs/etc/motd").read_bytes() == b"1\n"


def test_a_move_to_another_name_of_the_registry(mount, make_registry):
    registry = make_registry(deletes=True)
    client = registry.client()
    IMAGE.push(client, "app", "1.0")
    other = f"127.0.0.1:{registry.address.rpartition(':')[2]}"
    mounted = mount([registry.address, other], "delete")
    mounted.expect_error(f"{registry.address} and {other} are one registry")
    result = shell(mounted.path,
                   f"mv {registry.address}/app/1.0 {other}/app/1.0x; "
                   f"mv {other}/app/1.0x {registry.address}/app/2.0; "
                   f"mv -T {registry.address}/app/2.0 {other}/app/2.0",
                   check=False)
    assert "Device or resource busy" in result.stderr
    assert digests(client, "app") == {"2.0": IMAGE.digest}


def test_a_move_within_one_layout(mount, tmp_path):
    """Which is mounted by itself, and in its tree."""
    layout_of(tmp_path / "tree/box", v1_0=IMAGE)
    mounted = mount([f"oci:{tmp_path / 'tree/box'}",
                     f"oci:{tmp_path / 'tree'}"], "delete")
    mounted.expect_error("are one registry")
    result = shell(mounted.path, "mv -T box/1.0 tree/box/1.0", check=False)
    assert "Device or resource busy" in result.stderr
    assert names(tmp_path / "tree/box") == {"1.0": IMAGE.digest}


def test_referrers_go_along(mount, two):
    (first, one), (second, other) = two
    sbom = referrer_of(IMAGE)
    listed(sbom).push(one, "app", fallback_tag(IMAGE))
    mounted = mount([first, second], "referrers")
    os.mkdir(mounted / second.address / "app")
    shell(mounted.path,
          f"ln -s ../../{first.address}/app/1.0 {second.address}/app/1.0")
    assert [entry["digest"] for entry in
            fallback_entries(other, "app", IMAGE)] == [sbom.digest]


def test_a_registry_and_a_layout(mount, two, tmp_path):
    (first, one), _ = two
    layout_of(tmp_path / "box", v2_0=OTHER)
    mounted = mount([first, f"oci:{tmp_path / 'box'}"])
    shell(mounted.path, f"ln -s ../{first.address}/app/1.0 box/1.0")
    assert names(tmp_path / "box") == \
        digests(one, "app") | {"2.0": OTHER.digest}
    shell(mounted.path, f"mkdir {first.address}/back; "
                        f"ln -s ../../box/1.0 {first.address}/back/1.0")
    assert digests(one, "back") == digests(one, "app")


# What is said of them.

def test_each_says_which_registry(mount, two):
    (first, _), (second, _) = two
    mounted = mount([first, second])
    os.mkdir(mounted / second.address / "app")
    shell(mounted.path,
          f"ln -s ../../{first.address}/app/1.0 {second.address}/app/1.0")
    pushed = [event for event in events(mounted)
              if event["event"] == "push-done"]
    assert [event["registry"] for event in pushed] == [second.address]
    sources = status(mounted)["sources"]
    assert [source["name"] for source in sources] == \
        [first.address, second.address]
    metrics = (mounted / ".registryfs/metrics").read_text()
    for proxy in (first, second):
        assert f'registry="{proxy.address}"' in metrics


def test_errors_name_the_host(mount, two):
    (first, _), (second, _) = two
    mounted = mount([first, second])
    mounted.expect_error(f"rmdir|remove: {first.address}/app/1.0: ")
    with fails_with(errno.EPERM):
        os.rmdir(mounted / first.address / "app/1.0")


# What is typed.

@pytest.mark.parametrize("form", [
    "docker://{}", "oci://{}", "http://{}/v2/", "{}/v2", "{}//", "http://{}"])
def test_what_other_tools_call_a_registry(mount, registry, client, form):
    IMAGE.push(client, "app", "1.0")
    mounted = mount(form.format(registry.address))
    assert listing(mounted.path) == ["app"]


@pytest.mark.parametrize("form", [
    "{}/team/app:1.0", "docker://{}/team/app:1.0",
    f"{{}}/team/app@{IMAGE.digest}", f"{{}}/team/app:1.0@{IMAGE.digest}"])
def test_one_image(mount, registry, client, form):
    IMAGE.push(client, "team/app", "1.0")
    mounted = mount(form.format(registry.address))
    assert (mounted / "rootfs/etc/motd").read_bytes() == b"1\n"
    assert (mounted / "manifest.json").read_bytes() == IMAGE.data
    assert os.getxattr(mounted.path, "user.oci.digest").decode() == \
        IMAGE.digest
    assert status(mounted)["sources"][0]["namespace"] == "team/app"
    assert run("diff", "-r", mounted / "rootfs", mounted / "rootfs")


def test_one_image_follows_its_tag(mount, registry, client):
    IMAGE.push(client, "app", "1.0")
    mounted = mount(f"{registry.address}/app:1.0", "tag_ttl=0")
    assert (mounted / "rootfs/etc/motd").read_bytes() == b"1\n"
    OTHER.push(client, "app", "1.0")
    assert (mounted / "rootfs/etc/motd").read_bytes() == b"2\n"


def test_one_image_is_changed(mount, registry, client):
    IMAGE.push(client, "app", "1.0")
    mounted = mount(f"{registry.address}/app:1.0")
    shell(mounted.path, "sed -i 's/amd64/arm64/' config.json")
    manifest = client.manifest("app", "1.0").json()
    config = json.loads(client.blob("app", manifest["config"]["digest"]))
    assert config["architecture"] == "arm64"
    mounted.expect_error("manifest.json: ")
    with fails_with(errno.EPERM):
        os.unlink(mounted / "manifest.json")


def test_a_registry_without_a_mount_point(binary, home, registry):
    result = run(binary, registry.address, check=False,
                 env=home.environment())
    assert result.returncode == 1
    assert result.stderr == (
        f"registryfs: mount point {registry.address}: No such file or "
        "directory\n"
        "registryfs: to mount a registry of that name, type registryfs "
        f"{registry.address} MOUNTPOINT\n")


REFUSED = {
    "{0}/app:2.0": "{0}/app:2.0: ",
    "{0}/App": "App is not the name of a repository or namespace: type "
               "HOST[:PORT], or HOST[:PORT]/NAME to mount that alone\n",
    "{0}/App:1.0": '"App:1.0" is not an image reference: not a valid '
                   "repository name\n",
    "{0}/app:1.0 {0}/app": "{0}/app:1.0: an image is mounted alone: mount its "
                           "repository beside others\n",
}


@pytest.mark.parametrize("sources", REFUSED)
def test_what_cannot_be_mounted(binary, home, registry, client, tmp_path,
                                sources):
    IMAGE.push(client, "app", "1.0")
    (tmp_path / "mnt").mkdir()
    result = run(binary, "-f", *sources.format(registry.address).split(),
                 tmp_path / "mnt", check=False, env=home.environment())
    assert result.returncode == 1
    assert result.stderr.startswith(
        "registryfs: " + REFUSED[sources].format(registry.address))
    assert result.stderr.count("\n") == 1
