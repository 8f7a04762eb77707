# SPDX-License-Identifier: Apache-2.0
"""Archives of several images, written above the repositories that these are
of: each becomes what its own name says."""

import errno
import json
import os

import pytest

from support.archives import docker_archive, oci_archive, plain_layer
from support.control import events
from support.engines import make_rootfs, skopeo
from support.images import oci_image, tar_of
from support.system import fails_with, run
from support.tags import digests, shell

ONE = oci_image(plain_layer({"etc/motd": b"one\n"}))
TWO = oci_image(plain_layer({"etc/motd": b"two\n"}))
MOTD = "rootfs/etc/motd"


def bundle(*names, make=docker_archive):
    """One image after the other, in turn."""
    return make([(name, (ONE, TWO)[i % 2]) for i, name in enumerate(names)])


def repositories(client):
    return client.get("/v2/_catalog").json()["repositories"]


@pytest.fixture
def mounted(mount, registry):
    return mount(registry)


@pytest.fixture
def host(mount, registry, proxy):
    """The directory of a host, in a mount that has all."""
    return mount(()) / proxy.address


# Where each goes.

def test_names_without_a_host(mounted, client):
    (mounted / "bundle.tar").write_bytes(bundle("app:1.0", "team/web:2.0"))
    assert (mounted / "app/1.0" / MOTD).read_bytes() == b"one\n"
    assert (mounted / "team/web/2.0" / MOTD).read_bytes() == b"two\n"
    assert client.tags("app") == ["1.0"]
    assert sorted(os.listdir(mounted.path)) == ["app", "team"]


def test_names_of_the_host(host, proxy):
    archive = bundle(f"{proxy.address}/app:1.0",
                     f"{proxy.address}/team/web:2.0")
    (host / "bundle.tar").write_bytes(archive)
    assert (host / "app/1.0" / MOTD).read_bytes() == b"one\n"
    assert (host / "team/web/2.0" / MOTD).read_bytes() == b"two\n"


def test_two_names_of_one_image(mounted, client):
    images = [("app:1.0", ONE), ("app:latest", ONE)]
    (mounted / "bundle.tar").write_bytes(docker_archive(images))
    found = digests(client, "app")
    assert sorted(found) == ["1.0", "latest"]
    assert len(set(found.values())) == 1


def test_one_image_goes_by_its_name(mounted, client):
    (mounted / "bundle.tar").write_bytes(bundle("app:1.0"))
    assert client.tags("app") == ["1.0"]


def test_a_layout_of_several_names(mounted, client):
    (mounted / "bundle.tar").write_bytes(
        bundle("app:1.0", "web:2.0", make=oci_archive))
    assert client.tags("app") == ["1.0"]
    assert client.tags("web") == ["2.0"]


def test_what_podman_built_is_of_no_host(mounted, client):
    (mounted / "bundle.tar").write_bytes(
        bundle("localhost/app:1.0", "localhost/web:2.0"))
    assert client.tags("app") == ["1.0"]
    assert client.tags("web") == ["2.0"]


@pytest.mark.parametrize("names", [
    ("app:1.0", "web:2.0"),
    ("team/app:1.0", "team/web:2.0"),
    ("{host}/team/app:1.0", "{host}/team/web:2.0")], ids=str)
def test_into_a_namespace(mounted, registry, client, names):
    ONE.push(client, "team/other", "1.0")
    names = [name.format(host=registry.address) for name in names]
    (mounted / "team/bundle.tar").write_bytes(bundle(*names))
    assert client.tags("team/app") == ["1.0"]
    assert client.tags("team/web") == ["2.0"]
    assert sorted(os.listdir(mounted / "team")) == ["app", "other", "web"]


def test_one_image_in_a_namespace_is_its_tag(mounted, client):
    ONE.push(client, "team/other", "1.0")
    os.listdir(mounted.path)
    (mounted / "team/5.tar").write_bytes(bundle("app:1.0"))
    assert client.tags("team") == ["5"]


def test_one_of_several_in_a_namespace_has_the_tag(mounted, client):
    ONE.push(client, "team/other", "1.0")
    os.listdir(mounted.path)
    (mounted / "team/2.0.tar").write_bytes(bundle("app:1.0", "web:2.0"))
    assert client.tags("team") == ["2.0"]
    assert (mounted / "team/2.0" / MOTD).read_bytes() == b"two\n"


def test_each_to_its_host(mount, make_registry):
    """Above the hosts."""
    registries = [make_registry() for _ in range(2)]
    first, second = [each.address for each in registries]
    mounted = mount(())
    (mounted / "bundle.tar").write_bytes(
        bundle(f"{first}/app:1.0", f"{second}/app:1.0"))
    assert (mounted / first / "app/1.0" / MOTD).read_bytes() == b"one\n"
    assert (mounted / second / "app/1.0" / MOTD).read_bytes() == b"two\n"
    assert sorted(os.listdir(mounted.path)) == sorted([first, second])


def test_each_to_its_host_of_those_that_are_named(mount, make_registry):
    registries = [make_registry() for _ in range(2)]
    first, second = [each.address for each in registries]
    mounted = mount(registries)
    (mounted / "bundle.tar").write_bytes(
        bundle(f"{first}/app:1.0", f"{second}/app:1.0"))
    assert registries[1].client().tags("app") == ["1.0"]


# By which programs.

@pytest.mark.parametrize("script", [
    "cp {archive} .", "mv {archive} .", "cat {archive} > bundle.tar",
    "tee bundle.tar < {archive} > /dev/null", "install {archive} .",
    "dd if={archive} of=bundle.tar bs=4k status=none",
    "gzip -c {archive} > bundle.tar.gz", "cp -a {archive} ./"])
def test_programs(mounted, client, tmp_path, script):
    archive = tmp_path / "bundle.tar"
    for _ in range(2):  # also over what was written before
        archive.write_bytes(bundle("app:1.0", "web:2.0"))
        shell(mounted.path, script.format(archive=archive))
    assert client.tags("app") == ["1.0"]
    assert client.tags("web") == ["2.0"]
    assert archive.exists() != script.startswith("mv")
    assert sorted(os.listdir(mounted.path)) == ["app", "web"]


def test_what_docker_saves(docker, mount, registry, client, tmp_path):
    mounted = mount(registry)
    for name in ("one:1", "team/two:2"):
        docker.import_rootfs(
            make_rootfs(tmp_path / name.replace("/", "-"), name), name)
    docker("save", "-o", tmp_path / "bundle.tar", "one:1", "team/two:2")
    run("cp", tmp_path / "bundle.tar", mounted.path)
    assert client.tags("one") == ["1"]
    assert client.tags("team/two") == ["2"]
    assert docker.image_id("one:1") == json.loads(
        (mounted / "one/1/manifest.json").read_text())["config"]["digest"]


def test_what_podman_saves(podman, mount, registry, client, tmp_path):
    mounted = mount(registry)
    for name in ("one:1", "two:2"):
        podman.import_rootfs(make_rootfs(tmp_path / name, name), name)
    podman("save", "-m", "-o", tmp_path / "bundle.tar", "localhost/one:1",
           "localhost/two:2")
    run("cp", tmp_path / "bundle.tar", mounted.path)
    assert client.tags("one") == ["1"]
    assert client.tags("two") == ["2"]


def test_what_skopeo_writes(mounted, registry, client, tmp_path):
    ONE.push(client, "from", "1.0")
    name = f"{registry.address}/app:1.0"
    skopeo("copy", "--src-tls-verify=false",
           f"docker://{registry.address}/from:1.0",
           f"oci-archive:{tmp_path}/bundle.tar:{name}")
    run("cp", tmp_path / "bundle.tar", mounted.path)
    assert client.tags("app") == ["1.0"]


# What does not belong there.

def refused(directory, archive, name="bundle.tar", code=errno.EINVAL):
    with fails_with(code):
        (directory / name).write_bytes(archive)


@pytest.mark.parametrize("name", [
    "other.example/web:2.0", "docker.io/library/web:2.0",
    "{other}/web:2.0"])
def test_one_of_another_host(mounted, client, registry, name):
    name = name.format(other="127.0.0.1:1")
    mounted.expect_error(f"nothing was pushed.*belong.*{name}")
    refused(mounted, bundle(f"{registry.address}/app:1.0", name))
    assert repositories(client) == []


def test_one_of_another_namespace(mounted, registry, client):
    ONE.push(client, "team/other", "1.0")
    os.listdir(mounted.path)
    mounted.expect_error(f"nothing was pushed.*{registry.address}/web:2.0")
    refused(mounted / "team", bundle(f"{registry.address}/team/app:1.0",
                                     f"{registry.address}/web:2.0"))
    assert repositories(client) == ["team/other"]


def test_no_name_at_all(mounted, client):
    mounted.expect_error("without a name.*REPOSITORY/TAG.tar")
    refused(mounted, bundle("app:1.0", None))
    assert repositories(client) == []


def test_a_bare_tag(mounted, client):
    mounted.expect_error("called 1.0, which says no repository")
    refused(mounted, bundle("1.0", make=oci_archive))
    assert repositories(client) == []


def test_a_root_file_system(mounted, client):
    mounted.expect_error("root file system has no name.*REPOSITORY/TAG.tar")
    refused(mounted, tar_of({"etc/motd": b"x"}))
    assert repositories(client) == []


def test_no_host_above_the_hosts(mount, make_registry):
    registries = [make_registry() for _ in range(2)]
    mounted = mount(registries)
    mounted.expect_error("web:2.0: it says no host")
    refused(mounted, bundle(f"{registries[0].address}/app:1.0", "web:2.0"))
    assert repositories(registries[0].client()) == []
    mounted.expect_error("there is no registry other.example here")
    refused(mounted, bundle("other.example/app:1.0"), "another.tar")


def test_other_files_above_the_hosts(mount, registry):
    mounted = mount(())
    for name in (".hidden", "bundle", "app.txt"):
        mounted.expect_error("create it in HOST/REPOSITORY")
        with fails_with(errno.EPERM):
            (mounted / name).write_bytes(b"x")
    mounted.expect_error("create it in HOST/REPOSITORY")
    with fails_with(errno.EPERM):
        (mounted / "directory").mkdir()


def test_a_tree_is_no_bundle(mounted, client):
    (mounted / "app").mkdir()
    (mounted / "app/.new").mkdir()
    (mounted / "app/.new/file").write_bytes(b"x")
    mounted.expect_error("an image needs a repository")
    with fails_with(errno.EPERM):
        os.rename(mounted / "app/.new", mounted / "bundle.tar")


# What fails half-way.

def test_what_was_pushed_is_said(mount, proxy, client):
    mounted = mount(proxy)
    archive = bundle("app:1.0", "web:2.0")
    mounted.expect_error("pushed app:1.0, and not web:2.0")
    proxy.refuses("/v2/web/manifests/", status=403, code="DENIED",
                  message="no", method="PUT")
    refused(mounted, archive, code=errno.EACCES)
    proxy.heal()
    assert client.tags("app") == ["1.0"]
    # It is kept, and tried again under its name.
    assert ".bundle.failed" in os.listdir(mounted.path)
    assert (mounted / ".bundle.failed").read_bytes() == archive
    os.rename(mounted / ".bundle.failed", mounted / "bundle.tar")
    assert client.tags("web") == ["2.0"]
    assert sorted(os.listdir(mounted.path)) == ["app", "web"]


def test_above_the_hosts_it_is_kept_too(mount, registry, client):
    mounted = mount((registry, "127.0.0.1:1"))
    archive = bundle("app:1.0", "web:2.0")
    mounted.expect_error("says no host")
    refused(mounted, archive)
    assert (mounted / ".bundle.failed").read_bytes() == archive
    os.rename(mounted / ".bundle.failed",
              mounted / registry.address / "bundle.tar")
    assert client.tags("web") == ["2.0"]


def test_events_are_of_each(mounted):
    (mounted / "bundle.tar").write_bytes(bundle("app:1.0", "web:2.0"))
    done = [(event["repository"], event["tag"]) for event in events(mounted)
            if event["event"] == "push-done"]
    assert done == [("app", "1.0"), ("web", "2.0")]


def test_a_program_sets_its_mode_by_name(mount, registry, client, tmp_path):
    """As install(1) does: in a namespace, and above the hosts."""
    ONE.push(client, "team/other", "1.0")
    mounted = mount(())
    (tmp_path / "bundle.tar").write_bytes(
        bundle(f"{registry.address}/team/app:1.0",
               f"{registry.address}/team/web:1.0"))
    os.listdir(mounted / registry.address)
    for directory in (mounted.path, mounted / registry.address / "team"):
        run("install", tmp_path / "bundle.tar", directory)
        assert not (directory / "bundle.tar").exists()
    assert client.tags("team/web") == ["1.0"]
