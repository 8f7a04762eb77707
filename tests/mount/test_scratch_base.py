# SPDX-License-Identifier: Apache-2.0
"""A scratch directory with a link .base is one layer on top of that image."""

import errno
import json
import os

import pytest

from support.engines import skopeo_copy
from support.images import (
    DOCKER_LAYER, docker_image, gzip_layer, index_of, oci_image,
    platform_images)
from support.system import fails_with, run
from support.trees import outline
from support.unpacked import umoci_unpack

BASE = {"etc/motd": b"hello\n", "etc/gone": b"x", "old/file": b"old"}


@pytest.fixture
def base(client):
    image = oci_image(gzip_layer(BASE))
    image.push(client, "app", "1.0")
    return image


@pytest.fixture
def new(base, mounted):
    path = mounted / "app/.new"
    path.mkdir()
    return path


def manifest(image):
    return json.loads((image / "manifest.json").read_text())


def config(image):
    return json.loads((image / "config.json").read_text())


def test_one_layer_on_top(mounted, new, base, client, proxy, tmp_path):
    app = mounted / "app"
    (new / ".base").symlink_to("1.0")
    assert os.readlink(new / ".base") == "1.0"
    (new / "etc").mkdir()
    (new / "etc/new").write_text("new\n")
    (new / "etc/.wh.gone").touch()
    (new / "old").mkdir()
    (new / "old/.wh..wh..opq").touch()
    (new / "old/other").write_text("other")
    run("mv", new, app / "2.0")
    assert sorted(os.listdir(app)) == client.tags("app") == ["1.0", "2.0"]
    after = {"etc/": None, "etc/motd": b"hello\n", "etc/new": b"new\n",
             "old/": None, "old/other": b"other"}
    assert outline(app / "2.0/rootfs") == after
    assert sorted(outline(app / "2.0/layers/02")) == [
        "etc/", "etc/.wh.gone", "etc/new", "old/", "old/.wh..wh..opq",
        "old/other"]
    old, made = manifest(app / "1.0"), manifest(app / "2.0")
    assert made["layers"][:1] == old["layers"]
    assert made["layers"][1]["mediaType"] == old["layers"][0]["mediaType"]
    assert made["mediaType"] == old["mediaType"]
    before, now = config(app / "1.0"), config(app / "2.0")
    assert now["rootfs"]["diff_ids"][:1] == before["rootfs"]["diff_ids"]
    assert len(now["rootfs"]["diff_ids"]) == 2
    changing = {"rootfs", "history", "created"}
    assert {key: value for key, value in now.items() if key not in changing} \
        == {key: value for key, value in before.items() if key not in changing}
    skopeo_copy(f"docker://{proxy.address}/app:2.0", f"oci:{tmp_path}/oci:2.0")
    assert outline(umoci_unpack(tmp_path / "oci", "2.0",
                                tmp_path / "umoci")) == after


@pytest.mark.parametrize("path", ["1.0", "../1.0", "../app/1.0", "../app:1.0",
                                  "1.0.tar", "../../app/1.0", "@digest"])
def test_ways_to_the_base(mounted, new, base, path):
    (new / ".base").symlink_to(path.replace("digest", base.digest))
    (new / "more").write_text("more")
    run("mv", new, mounted / "app/2.0")
    assert sorted(outline(mounted / "app/2.0/rootfs")) == sorted(
        [*BASE, "etc/", "old/", "more"])


def test_from_another_repository(mounted, base, client):
    other = mounted / "other"
    other.mkdir()
    (other / ".new").mkdir()
    (other / ".new/more").write_text("more")
    (other / ".new/.base").symlink_to("../app/1.0")
    run("mv", other / ".new", other / "1.0")
    assert client.tags("other") == ["1.0"]
    assert (other / "1.0/rootfs/etc/motd").read_bytes() == BASE["etc/motd"]
    assert (other / "1.0/rootfs/more").read_text() == "more"


def test_the_tag_itself_is_the_base(mounted, new):
    (new / ".base").symlink_to("1.0")
    (new / "more").write_text("more")
    run("mv", "-T", new, mounted / "app/1.0")
    assert len(manifest(mounted / "app/1.0")["layers"]) == 2
    assert (mounted / "app/1.0/rootfs/more").read_text() == "more"


def test_of_an_index_the_platforms_image(mounted, client):
    index_of(platform_images()).push(client, "app", "1.0")
    app = mounted / "app"
    (app / ".new").mkdir()
    (app / ".new/.base").symlink_to("1.0")
    (app / ".new/more").write_text("more")
    os.rename(app / ".new", app / "2.0")
    assert (app / "2.0/rootfs/more").read_text() == "more"
    assert not (app / "2.0/index.json").exists()
    assert config(app / "2.0")["architecture"] \
        == config(app / "1.0")["architecture"]


def test_docker_stays_docker(mounted, client):
    docker_image(gzip_layer(BASE, DOCKER_LAYER)).push(client, "app", "1.0")
    app = mounted / "app"
    (app / ".new").mkdir()
    (app / ".new/.base").symlink_to("1.0")
    (app / ".new/more").write_text("more")
    os.rename(app / ".new", app / "2.0")
    types = [layer["mediaType"] for layer in manifest(app / "2.0")["layers"]]
    assert types == [manifest(app / "1.0")["layers"][0]["mediaType"]] * 2


def test_the_same_twice(mount, registry, client, base):
    app = mount(registry, "source_date_epoch=1700000000") / "app"
    for name in ("one", "two"):
        (app / ".new").mkdir()
        (app / ".new/.base").symlink_to("1.0")
        (app / ".new/more").write_text("more")
        os.rename(app / ".new", app / name)
    assert os.getxattr(app / "one", "user.oci.digest") \
        == os.getxattr(app / "two", "user.oci.digest")


def test_there_is_no_such_base(mounted, new):
    (new / "more").write_text("more")
    (new / ".base").symlink_to("3.0")
    with fails_with(errno.ENOENT):
        os.rename(new, mounted / "app/2.0")
    mounted.wait_for_log("app/.new/.base: the image 3.0 does not exist")
    (new / ".base").unlink()
    (new / ".base").symlink_to("../app")
    mounted.expect_error("app/.new to app/2.0: .base, a link to ../app: "
                         "the link does not lead to an image")
    with fails_with(errno.EIO):
        os.rename(new, mounted / "app/2.0")
    (new / ".base").unlink()
    (new / ".base").symlink_to("/etc")
    mounted.allow_error(".base, a link to /etc: the link leads out")
    with pytest.raises(OSError):
        os.rename(new, mounted / "app/2.0")
    assert sorted(os.listdir(new)) == [".base", "more"]


def test_nothing_on_top_is_no_image(mounted, new):
    (new / ".base").symlink_to("1.0")
    mounted.expect_error("there is nothing to push")
    with fails_with(errno.EPERM):
        os.rename(new, mounted / "app/2.0")


def test_a_file_of_that_name_is_refused(mounted, new):
    """Who writes one means a link."""
    (new / ".base").write_text("1.0")
    mounted.expect_error("must be a symbolic link")
    with fails_with(errno.EPERM):
        os.rename(new, mounted / "app/2.0")
    assert new.is_dir()



def test_a_push_that_fails_loses_nothing(mounted, new, proxy):
    (new / ".base").symlink_to("1.0")
    (new / "more").write_text("more")
    proxy.refuses(r"/manifests/", status=403, code="DENIED",
                  message="no tag today", method="PUT")
    mounted.expect_error("no tag today")
    result = run("mv", new, mounted / "app/2.0", check=False)
    assert result.returncode == 1
    assert sorted(os.listdir(new)) == [".base", "more"]
    proxy.heal()
    run("mv", new, mounted / "app/2.0")
    assert (mounted / "app/2.0/rootfs/more").read_text() == "more"
