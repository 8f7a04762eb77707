# SPDX-License-Identifier: Apache-2.0
"""xz and bzip2: docker and podman read such layers, docker load and docker
import such archives."""

import bz2
import lzma

import pytest

from registry.client import digest_of
from support.archives import docker_archive, oci_archive
from support.engines import skopeo
from support.images import Layer
from support.layers import image_of, layer, layer_of_tar, stored_layers
from support.system import run
from support.tars import directory, file, tar_bytes
from support.trees import assert_same_tree, outline
from support.unpacked import podman_rootfs

PACKERS = {"xz": lzma.compress, "bzip2": bz2.compress}
ENTRIES = [directory("etc"), file("etc/motd", b"hello\n"),
           file("large", bytes(range(256)) * 20_000)]
OUTLINE = {"etc/": None, "etc/motd": b"hello\n",
           "large": bytes(range(256)) * 20_000}

formats = pytest.mark.parametrize("how", PACKERS)


@formats
def test_a_layer(shown, how):
    image = shown([file("base", b"base")], layer(ENTRIES, how))
    assert outline(image / "rootfs") == OUTLINE | {"base": b"base"}
    assert stored_layers(image)[1].read_bytes() == PACKERS[how](
        tar_bytes(ENTRIES))


@formats
def test_it_is_the_tree_that_podman_has(mount, registry, client, podman, how):
    image_of(layer(ENTRIES, how)).push(client, "app", "1.0")
    theirs = podman_rootfs(podman, f"{registry.address}/app:1.0")
    assert_same_tree(mount(registry) / "app/1.0/rootfs", theirs,
                     ignore=[("", what) for what in ("mtime", "mode")])


@formats
def test_it_is_decoded_once(mount, proxy, client, tmp_path, how):
    """However many of its files are read, in however many mounts."""
    made = layer(ENTRIES, how)
    image_of(made).push(client, "app", "1.0")
    with proxy.requests() as seen:
        for _ in range(2):
            mounted = mount(proxy, f"cache={tmp_path / 'cache'}")
            for _ in range(2):
                assert outline(mounted / "app/1.0/rootfs") == OUTLINE
            mounted.unmount()
    assert seen.count("GET", f"/blobs/{made.digest}") == 1


@formats
def test_several_streams_in_one(shown, how):
    tar = tar_bytes(ENTRIES)
    parts = PACKERS[how](tar[:70_000]) + PACKERS[how](tar[70_000:])
    whole = layer_of_tar(tar)
    made = Layer(whole.media_type, parts, diff_id=whole.diff_id)
    assert outline(shown(made) / "rootfs") == OUTLINE


@formats
@pytest.mark.parametrize("cut", [lambda data: data[:-5],
                                 lambda data: data[:100] + b"x" + data[101:],
                                 lambda data: data + b"rubbish"])
def test_what_is_broken(mounted, client, how, cut):
    made = layer(ENTRIES, how)
    image_of(Layer(made.media_type, cut(made.data), diff_id=made.diff_id)).push(
        client, "app", "1.0")
    mounted.expect_error("truncated|damaged|after the end")
    result = run("ls", mounted / "app/1.0/rootfs", check=False)
    assert result.returncode and "Input/output error" in result.stderr


@formats
def test_a_root_file_system(app, how, tmp_path):
    (tmp_path / "rootfs").write_bytes(PACKERS[how](tar_bytes(ENTRIES)))
    run("cp", tmp_path / "rootfs", app / "1.0.tar")
    assert outline(app / "1.0/rootfs") == OUTLINE
    assert stored_layers(app / "1.0")[0].name == "01.tar.gz"


@formats
@pytest.mark.parametrize("archive", [
    lambda image: docker_archive([("app:1.0", image)]),
    lambda image: oci_archive([("1.0", image)])])
def test_an_archive(app, how, archive):
    (app / "1.0.tar").write_bytes(PACKERS[how](archive(image_of(ENTRIES))))
    assert outline(app / "1.0/rootfs") == OUTLINE


def archive_of_packed(how):
    """A docker-archive whose layer is packed; docker load takes it."""
    image = image_of(ENTRIES)
    tar = tar_bytes(ENTRIES)
    name = digest_of(tar).split(":")[1] + ".tar"
    made = docker_archive([("app:1.0", image)])
    packed = PACKERS[how](tar)
    entries = [file("config.json", image.config.data), file(name, packed),
               file("manifest.json",
                    b'[{"Config":"config.json","RepoTags":["app:1.0"],'
                    b'"Layers":["%s"]}]' % name.encode())]
    assert made
    return image, tar_bytes(entries)


@formats
def test_a_layer_in_an_archive_becomes_one_that_engines_have(
        registry, app, docker, how, tmp_path):
    image, archive = archive_of_packed(how)
    (tmp_path / "app.tar").write_bytes(archive)
    docker("load", "-i", tmp_path / "app.tar")
    run("cp", tmp_path / "app.tar", app / "1.0.tar")
    assert outline(app / "1.0/rootfs") == OUTLINE
    assert (app / "1.0/config.json").read_bytes() == image.config.data
    assert stored_layers(app / "1.0")[0].name == "01.tar.gz"
    skopeo("inspect", "--tls-verify=false",
           f"docker://{registry.address}/app:1.0")
    docker("pull", f"{registry.address}/app:1.0")


@formats
def test_one_more_layer(shown, how, tmp_path):
    image = shown([file("base", b"base")])
    (tmp_path / "layer").write_bytes(PACKERS[how](tar_bytes(ENTRIES)))
    run("cp", tmp_path / "layer", image / "layers/")
    assert outline(image / "rootfs") == OUTLINE | {"base": b"base"}
    assert stored_layers(image)[1].read_bytes()[:2] == b"\x1f\x8b"
