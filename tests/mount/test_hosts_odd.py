# SPDX-License-Identifier: Apache-2.0
"""A mount of several registries, used as nobody should."""

import errno
import os
import socket

import pytest

from support.control import status
from support.system import fails_with, run
from support.tags import IMAGE, digests

ANY = ()  # no source is named: the first component is a host


@pytest.fixture
def deleting(make_registry):
    registry = make_registry(deletes=True)
    IMAGE.push(registry.client(), "team/app", "1.0")
    return registry


def remove(path):
    result = run("rm", "-rf", path, check=False)
    assert result.returncode == 1
    return result.stderr


# What is removed.

def test_rm_of_a_host_removes_nothing(mount, deleting):
    mounted = mount(ANY, "delete=recursive")
    host = mounted / deleting.address
    mounted.expect_error(
        f"{deleting.address}: rm -r would remove all repositories here")
    assert "Operation not permitted" in remove(host)
    assert digests(deleting.client(), "team/app") == {"1.0": IMAGE.digest}
    # Which rm takes for one that it cannot read, and perhaps empty.
    mounted.expect_error("stands for a source of the mount, and stays: ")
    run("rm", "-r", host / "team")
    assert deleting.client().tags("team/app") == []


def test_rm_of_the_mount_point_removes_nothing(mount, deleting):
    mounted = mount(deleting, "delete=recursive")
    mounted.expect_error("which is the mount point: remove the repositories")
    remove(mounted.path)
    assert digests(deleting.client(), "team/app") == {"1.0": IMAGE.digest}


def test_a_host_stays(mount, deleting):
    mounted = mount(ANY, "delete")
    host = mounted / deleting.address
    mounted.expect_error(
        f"{deleting.address}: this stands for a source of the mount, and "
        f"stays: .*rm -r {deleting.address}/REPOSITORY")
    mounted.expect_error(f"{deleting.address} to other: .*cannot be renamed: ")
    with fails_with(errno.EPERM):
        os.rmdir(host)
    with fails_with(errno.EPERM):
        os.rename(host, mounted / "other")


# What it is called.

@pytest.mark.parametrize("form", [
    "127.1:{}", "127.0.0.1:0{}", "127.0.1:000{}"])
def test_a_host_has_one_name(mount, registry, client, form):
    IMAGE.push(client, "app", "1.0")
    port = registry.address.rpartition(":")[2]
    host = f"127.0.0.1:{port}"
    mounted = mount(ANY)
    other = mounted / form.format(port)
    assert os.readlink(other) == host
    assert os.listdir(other) == ["app"]
    assert os.listdir(mounted.path) == [host]


@pytest.mark.parametrize("form", ["LOCALHOST:{}", "localhost.:{}"])
def test_a_name_has_one_spelling(mount, registry, client, form):
    IMAGE.push(client, "app", "1.0")
    port = registry.address.rpartition(":")[2]
    mounted = mount(ANY)
    assert os.listdir(mounted / form.format(port)) == ["app"]
    assert os.listdir(mounted.path) == [f"localhost:{port}"]


def test_hosts_of_logins_have_one_name(mount, home):
    home.docker_config({"auths": {"GHCR.io": {}, "ghcr.io": {},
                                  "Quay.IO:0443": {}}})
    assert sorted(os.listdir(mount(ANY).path)) == ["ghcr.io", "quay.io:443"]


def test_a_long_address_of_loopback_is_loopback(mount):
    """So that plain HTTP is tried, which nobody answers."""
    with socket.socket(socket.AF_INET6) as unused:
        unused.bind(("::1", 0))
        port = unused.getsockname()[1]
        mounted = mount(ANY)
        mounted.expect_error(rf"GET http://\[::1\]:{port}/v2/: connection ref")
        with fails_with(errno.ECONNREFUSED):
            os.stat(mounted / f"[0:0:0:0:0:0:0:1]:{port}")


def test_a_file_that_is_spelled_as_no_host_is(mount):
    mounted = mount(ANY)
    with fails_with(errno.ENOENT):
        os.lstat(mounted / "README.INVALID")
    assert status(mounted)["sources"] == []


# What is typed.

def test_a_namespace_that_is_empty_says_so(mount, registry, client):
    IMAGE.push(client, "team/app", "1.0")
    mounted = mount(f"{registry.address}/taem")
    said = (f"{registry.address}/taem is empty: the registry has no image in a "
            "repository of that name or below it")
    for _ in range(2):
        assert os.listdir(mounted.path) == []
    mounted.wait_for_log(said)
    assert mounted.log().count(said) == 1
    assert said not in mount(f"{registry.address}/team").log()


def test_a_path_of_the_api_is_no_namespace(binary, home, tmp_path):
    (tmp_path / "mnt").mkdir()
    result = run(binary, "-f", "https://localhost:1/v2/team/app",
                 tmp_path / "mnt", check=False, env=home.environment())
    assert result.returncode == 1
    assert result.stderr == (
        "registryfs: v2/team/app is a path of the registry's API: type "
        "HOST[:PORT]/team/app to mount that repository or namespace\n")


@pytest.mark.parametrize("form", [
    "https://{}/v2/", "http://{}/v2", "docker://{}", "oci://{}/", "{}/v1/"])
def test_a_login_at_what_is_pasted(binary, home, registry, form):
    if form.startswith("https"):
        command = ["logout"]
    else:
        command = ["login", "--username=me", "--password-stdin"]
    result = run("sh", "-c", 'echo secret | "$@"', "sh", binary, *command,
                 form.format(registry.address), env=home.environment())
    assert f"to {registry.address}" in result.stdout


def test_a_tag_that_is_gone_of_the_one_image(mount, make_registry):
    registry = make_registry(deletes=True)
    client = registry.client()
    IMAGE.push(client, "app", "1.0")
    mounted = mount(f"{registry.address}/app:1.0", "tag_ttl=0")
    assert (mounted / "manifest.json").read_bytes() == IMAGE.data
    client.request("DELETE", f"/v2/app/manifests/{IMAGE.digest}")
    mounted.allow_error("app:1.0")
    for look in (lambda: os.listdir(mounted.path),
                 lambda: (mounted / "manifest.json").read_bytes(),
                 lambda: os.getxattr(mounted.path, "user.oci.digest")):
        with fails_with(errno.ENOENT):
            look()
