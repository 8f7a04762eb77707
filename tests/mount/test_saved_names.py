# SPDX-License-Identifier: Apache-2.0
"""What a saved archive says that its image is called: as docker would."""

import json
import os
import tarfile

import pytest

from conftest import APP, MOTD
from registry.tls import Authority
from registry.tunnel import Tunnel
from support.engines import skopeo, skopeo_copy, umoci_layout
from support.home import ProxiedHome
from support.images import artifact, index_of, oci_image, platform_images
from support.system import run


def names_in(archive):
    """RepoTags, io.containerd.image.name, org.opencontainers.image.ref.name;
    the first is None where there is no manifest.json."""
    with tarfile.open(archive) as tar:
        (entry,) = json.load(tar.extractfile("index.json"))["manifests"]
        repo_tags = None
        if "manifest.json" in tar.getnames():
            (docker,) = json.load(tar.extractfile("manifest.json"))
            repo_tags = docker["RepoTags"]
    annotations = entry.get("annotations", {})
    return (repo_tags, annotations.get("io.containerd.image.name"),
            annotations.get("org.opencontainers.image.ref.name"))


def reference_of(directory):
    return os.getxattr(directory, "user.oci.reference").decode()


def assert_named(repository, tag, full, familiar=None):
    """Whatever leads to the archive, and what says the reference."""
    for archive in (repository / f"{tag}.tar", repository / tag / "image.tar",
                    repository / f":{tag}/image.tar"):
        assert names_in(archive) == ([familiar or full], full, tag), archive
    assert reference_of(repository / tag) == full


@pytest.mark.parametrize("repository", ["app", "team/web", "a/b/c/d"])
def test_the_whole_reference(mount, registry, client, repository):
    oci_image().push(client, repository, "1.0")
    assert_named(mount(registry) / repository, "1.0",
                 f"{registry.address}/{repository}:1.0")


def test_of_a_namespace_that_is_mounted(mount, registry, client):
    oci_image().push(client, "team/web", "1.0")
    root = mount(f"{registry.address}/team")
    assert_named(root / "web", "1.0", f"{registry.address}/team/web:1.0")


def test_of_an_index(mount, registry, client):
    index_of(platform_images()).push(client, "team/web", "1.0")
    assert_named(mount(registry, "platform=linux/amd64") / "team/web", "1.0",
                 f"{registry.address}/team/web:1.0")


def test_of_an_artifact(mount, registry, client):
    artifact({"report": b"all is well"}).push(client, "team/report", "1.0")
    full = f"{registry.address}/team/report:1.0"
    assert names_in(mount(registry) / "team/report/1.0.tar") == (
        None, full, "1.0")


def test_named_by_its_digest_it_has_none(mount, registry, client):
    index = index_of(platform_images()).push(client, "team/web", "1.0")
    web = mount(registry) / "team/web"
    for directory in (web / f"@{index.children[0].digest}",
                      web / "1.0/platforms/linux-amd64"):
        assert names_in(directory / "image.tar") == ([], None, None)
        assert reference_of(directory) == (
            f"{registry.address}/team/web@{index.children[0].digest}")


def test_of_a_tag_that_was_moved_to_another_repository(
        mount, make_registry):
    registry = make_registry(deletes=True)
    image = oci_image().push(registry.client(), "one/app", "1.0")
    image.push(registry.client(), "two/app", "other")
    root = mount(registry, "delete")
    os.listdir(root / "one/app/1.0")
    os.rename(root / "one/app/1.0", root / "two/app/1.0")
    assert_named(root / "two/app", "1.0", f"{registry.address}/two/app:1.0")


# Docker Hub, which has several names and cannot be reached from here.

HUB_NAMES = ["docker.io", "index.docker.io", "https://registry-1.docker.io"]


@pytest.fixture
def hub(make_registry, tmp_path):
    """A registry that answers for Docker Hub, a client of it, and a home whose
    programs get there."""
    certificate = Authority(tmp_path / "ca").issue("registry-1.docker.io",
                                                   "localhost")
    registry = make_registry(certificate=certificate)
    with Tunnel(registry) as tunnel:
        home = ProxiedHome(tmp_path / "proxied", tunnel.url)
        for name in HUB_NAMES:
            home.trust(name.rpartition("/")[2], certificate.ca_file)
        yield registry.client(), home
        # And the API that lists what there is, which has no certificate here.
        assert set(tunnel.hosts) - {"hub.docker.com:443"} == {
            "registry-1.docker.io:443"}


@pytest.mark.parametrize("name", HUB_NAMES)
def test_of_docker_hub(mount, hub, name):
    client, home = hub
    oci_image().push(client, "library/alpine", "latest")
    oci_image().push(client, "user/app", "1.0")
    root = mount(name, home=home)
    for repository in ("alpine", "library/alpine"):
        assert_named(root / repository, "latest",
                     "docker.io/library/alpine:latest", "alpine:latest")
    assert_named(root / "user/app", "1.0", "docker.io/user/app:1.0",
                 "user/app:1.0")


# What programs make of it.

@pytest.fixture
def push_app(registry, rootfs, tmp_path):
    """An image that prints MOTD, in repositories of the registry."""
    layout = umoci_layout(tmp_path / "layout", rootfs, "1")

    def push(*references):
        for reference in references:
            skopeo_copy(f"oci:{layout}:1",
                        f"docker://{registry.address}/{reference}")
    return push


@pytest.fixture
def emptied_docker(docker):
    """An engine that has no image but APP, and has none of the test's after
    it."""
    def remove():
        for image in images(docker) - {APP}:
            docker("rmi", image)
        docker("image", "prune", "-f")  # those without a name
    remove()
    yield docker
    remove()


def images(engine):
    listed = engine("images", "--format", "{{.Repository}}:{{.Tag}}")
    return set(listed.stdout.split()) - {"<none>:<none>"}


def test_engines_load_it_under_its_name(mount, registry, push_app,
                                        emptied_docker, podman):
    push_app("teamb/web:1")
    archive = mount(registry) / "teamb/web/1.tar"
    full = f"{registry.address}/teamb/web:1"
    for engine in (emptied_docker, podman):
        said = engine("load", "-i", archive).stdout
        assert full in said
        assert images(engine) - {APP} == {full}
        assert engine.run_image(full) == MOTD


def test_skopeo_finds_it_under_its_name(mount, registry, push_app):
    push_app("teamb/web:1")
    archive = mount(registry) / "teamb/web/1.tar"
    full = f"{registry.address}/teamb/web:1"
    listed = skopeo("list-tags", f"docker-archive:{archive}").stdout
    assert json.loads(listed)["Tags"] == [full]
    for transport, name in (("docker-archive", full), ("oci-archive", "1")):
        skopeo("inspect", f"{transport}:{archive}:{name}")


def test_two_repositories_do_not_replace_one_another(
        mount, registry, push_app, emptied_docker, podman):
    push_app("teama/web:1", "teamb/web:1")
    root = mount(registry)
    for engine in (emptied_docker, podman):
        for team in ("teama", "teamb"):
            engine("load", "-i", root / team / "web/1.tar")
        assert images(engine) - {APP} == {
            f"{registry.address}/{team}/web:1" for team in ("teama", "teamb")}


def test_a_local_image_survives_one_that_is_called_alike(
        mount, registry, push_app, emptied_docker, rootfs):
    push_app("evil/alpine:latest")
    emptied_docker.import_rootfs(rootfs, "alpine:latest")
    before = emptied_docker.image_id("alpine:latest")
    emptied_docker("load", "-i", mount(registry) / "evil/alpine/latest.tar")
    assert emptied_docker.image_id("alpine:latest") == before
    assert images(emptied_docker) - {APP} == {
        "alpine:latest", f"{registry.address}/evil/alpine:latest"}


def test_a_round_trip_keeps_the_name(mount, registry, emptied_docker, rootfs,
                                     tmp_path):
    full = f"{registry.address}/ns/app:1"
    emptied_docker.import_rootfs(rootfs, full)
    image_id = emptied_docker.image_id(full)
    emptied_docker("save", "-o", tmp_path / "saved.tar", full)
    emptied_docker("rmi", full)
    root = mount(registry)
    (root / "ns/app").mkdir(parents=True)
    run("cp", tmp_path / "saved.tar", root / "ns/app/1.tar")
    emptied_docker("load", "-i", root / "ns/app/1.tar")
    assert images(emptied_docker) - {APP} == {full}
    assert emptied_docker.image_id(full) == image_id


def test_one_of_several_is_chosen_by_its_tag(mount, registry, client, push_app,
                                             emptied_docker, tmp_path):
    """What docker saves of two that were loaded from here."""
    push_app("team/one:1")
    oci_image(created="2021-01-01T00:00:00Z").push(client, "team/two", "2")
    root = mount(registry)
    names = [f"{registry.address}/team/{name}" for name in ("one:1", "two:2")]
    for archive in ("one/1.tar", "two/2.tar"):
        emptied_docker("load", "-i", root / "team" / archive)
    emptied_docker("save", "-o", tmp_path / "both.tar", *names)
    run("cp", tmp_path / "both.tar", root / "team/one/2.tar")
    config = client.manifest("team/one", "2").json()["config"]["digest"]
    assert config == client.manifest("team/two", "2").json()["config"]["digest"]


def test_it_can_be_pushed_again(mount, registry, client):
    image = oci_image().push(client, "team/web", "1.0")
    root = mount(registry)
    data = (root / "team/web/1.0.tar").read_bytes()
    (root / "other").mkdir()
    (root / "other/2.0.tar").write_bytes(data)
    assert client.manifest("other", "2.0").body == image.data
