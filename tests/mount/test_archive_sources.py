# SPDX-License-Identifier: Apache-2.0
"""`registryfs docker-archive:FILE` and `oci-archive:FILE` mount archives."""

import errno
import gzip
import json
import os
import re
import subprocess

import pytest

from registry.client import digest_of
from support.archives import (
    docker_archive, hybrid_archive, oci_archive, plain_layer)
from support.engines import make_rootfs, skopeo
from support.images import (
    gzip_layer, index_of, oci_image, platform_images, tar_of)
from support.system import fails_with, run
from support.tags import digests

MOTD = "rootfs/etc/motd"
PLAIN = oci_image(plain_layer({"etc/motd": b"plain\n",
                               "etc/more": b"x" * 9000}))
PACKED = oci_image(gzip_layer({"etc/motd": b"packed\n"}))


@pytest.fixture
def mounted(mount, tmp_path):
    """Mounts the bytes of an archive."""
    def start(data, prefix="docker-archive", name="bundle.tar"):
        (tmp_path / name).write_bytes(data)
        return mount(f"{prefix}:{tmp_path / name}")
    return start


def tree(path):
    """All names below, and the bytes of the files."""
    return {str(entry.relative_to(path)):
            entry.read_bytes() if entry.is_file() else None
            for entry in path.rglob("*")}


def digest(path):
    return os.getxattr(path, "user.oci.digest").decode()


# What is there.

def test_a_docker_archive(mounted):
    root = mounted(docker_archive([("app:1.0", PLAIN), ("web:2.0", PACKED)]))
    assert sorted(os.listdir(root.path)) == ["app", "web"]
    image = root / "app/1.0"
    assert (image / MOTD).read_bytes() == b"plain\n"
    assert (root / "web/2.0" / MOTD).read_bytes() == b"packed\n"
    assert (image / "config.json").read_bytes() == PLAIN.config.data
    # Its layers are the archive's, as they are.
    assert sorted(os.listdir(image / "layers")) == ["01", "01.tar"]
    assert digest_of((image / "layers/01.tar").read_bytes()) == \
        json.loads(PLAIN.config.data)["rootfs"]["diff_ids"][0]
    assert digest_of((image / "manifest.json").read_bytes()) == digest(image)


@pytest.mark.parametrize("prefix", ["docker-archive", "oci-archive"])
def test_an_oci_archive_has_its_digests(mounted, prefix):
    index = index_of(platform_images())
    root = mounted(oci_archive([("app:1.0", PACKED), ("app:all", index)]),
                   prefix)
    assert (root / "app/1.0" / MOTD).read_bytes() == b"packed\n"
    assert digest(root / "app/1.0") == PACKED.digest
    assert digest(root / "app/all") == index.digest
    assert "platforms" in os.listdir(root / "app/all")
    assert (root / f"app@{PACKED.digest}" / MOTD).read_bytes() == b"packed\n"
    assert (root / "app:1.0" / MOTD).read_bytes() == b"packed\n"


def test_both_at_once(mounted):
    """As docker saves it since 25."""
    root = mounted(hybrid_archive("app:1.0", PLAIN))
    assert (root / "app/1.0" / MOTD).read_bytes() == b"plain\n"
    assert (root / "app/1.0/config.json").read_bytes() == PLAIN.config.data


@pytest.mark.parametrize("entries, path", [
    ([("1.0", PACKED)], "bundle/1.0"),
    ([("1.0", PACKED), ("2.0", PLAIN)], "bundle/2.0"),
    ([(None, PACKED)], "bundle/latest"),
    ([("reg.example:5000/team/app:1.0", PACKED)],
     "reg.example_5000/team/app/1.0")])
def test_how_images_are_called(mounted, entries, path):
    root = mounted(oci_archive(entries), "oci-archive")
    assert (root / path / "manifest.json").exists()
    name = "_".join(path.split("/")[:1])
    assert name in os.listdir(root.path)


def test_the_archive_of_an_image(mounted, tmp_path):
    root = mounted(docker_archive([("app:1.0", PLAIN)]))
    run("cp", root / "app/1.0.tar", tmp_path / "again.tar")
    found = run("skopeo", "inspect", "--config",
                f"oci-archive:{tmp_path}/again.tar").stdout
    assert json.loads(found)["rootfs"]["diff_ids"] == \
        json.loads(PLAIN.config.data)["rootfs"]["diff_ids"]


def test_a_file_costs_only_its_part(mount, tmp_path):
    """Of the bodies of the archive none is read before it is asked for."""
    path = tmp_path / "large.tar"
    layer = plain_layer({"large": os.urandom(30_000_000)})
    path.write_bytes(docker_archive([("app:1.0", oci_image(layer))]))
    mounted = mount(f"docker-archive:{path}")
    with open(f"/proc/{mounted.pid}/io") as io:
        read = dict(line.split(": ") for line in io.read().splitlines())
    assert int(read["rchar"]) < 5_000_000
    assert os.stat(mounted / "app/1.0/layers/01.tar").st_size > 30_000_000


# Beside others, and into them.

def test_beside_others(mount, registry, client, tmp_path):
    (tmp_path / "app.tar").write_bytes(
        oci_archive([("team/app:1.0", PACKED)]))
    mounted = mount((registry, f"oci-archive:{tmp_path}/app.tar"))
    assert sorted(os.listdir(mounted.path)) == sorted(
        [registry.address, "app.tar"])
    (mounted / registry.address / "app").mkdir()
    os.symlink("../../app.tar/team/app/1.0",
               mounted / registry.address / "app/1.0")
    assert digests(client, "app") == {"1.0": PACKED.digest}


def test_copied_to_a_registry(mount, registry, client, tmp_path):
    (tmp_path / "app.tar").write_bytes(docker_archive([("app:1.0", PLAIN)]))
    mounted = mount((registry, f"docker-archive:{tmp_path}/app.tar"))
    (mounted / registry.address / "app").mkdir()
    run("cp", mounted / "app.tar/app/1.0.tar",
        mounted / registry.address / "app/1.0.tar")
    assert (mounted / registry.address / "app/1.0" / MOTD).read_bytes() == \
        b"plain\n"


def test_nothing_is_written(mount, registry, tmp_path):
    (tmp_path / "app.tar").write_bytes(docker_archive([("app:1.0", PLAIN)]))
    alone = mount(f"docker-archive:{tmp_path}/app.tar")
    with fails_with(errno.EROFS):
        (alone / "app/2.0.tar").write_bytes(b"x")
    beside = mount((registry, f"docker-archive:{tmp_path}/app.tar"))
    beside.expect_error("is an archive, which is only read")
    with fails_with(errno.EROFS):
        (beside / "app.tar/app/2.0.tar").write_bytes(
            docker_archive([("app:2.0", PACKED)]))


# What tools made.

def test_what_docker_saves(docker, mount, tmp_path):
    for name in ("one:1", "team/two:2"):
        docker.import_rootfs(
            make_rootfs(tmp_path / name.replace("/", "-"), name), name)
    docker("save", "-o", tmp_path / "bundle.tar", "one:1", "team/two:2")
    mounted = mount(f"docker-archive:{tmp_path}/bundle.tar")
    assert (mounted / "one/1" / MOTD).read_text() == "one:1"
    assert (mounted / "team/two/2" / MOTD).read_text() == "team/two:2"


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_what_podman_saves(podman, mount, tmp_path, form):
    podman.import_rootfs(make_rootfs(tmp_path / "root", "hello"), "one:1")
    podman("save", "--format", form, "-o", tmp_path / "app.tar", "one:1")
    mounted = mount(f"{form}:{tmp_path}/app.tar")
    assert (mounted / "localhost/one/1" / MOTD).read_text() == "hello"


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_what_skopeo_copies(mount, registry, client, tmp_path, form):
    PACKED.push(client, "app", "1.0")
    skopeo("copy", "--src-tls-verify=false",
           f"docker://{registry.address}/app:1.0",
           f"{form}:{tmp_path}/app.tar:example.com/app:1.0")
    mounted = mount(f"{form}:{tmp_path}/app.tar")
    assert (mounted / "example.com/app/1.0" / MOTD).read_bytes() == b"packed\n"


# What cannot be mounted.

def test_a_file_without_a_prefix(binary, tmp_path):
    (tmp_path / "app.tar").write_bytes(docker_archive([("app:1.0", PLAIN)]))
    (tmp_path / "mnt").mkdir()
    done = subprocess.run([binary, "app.tar", "mnt"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "app.tar is a file and not a registry: type docker-archive:" in \
        done.stderr


@pytest.mark.parametrize("data, sentence", [
    (gzip.compress(docker_archive([("app:1.0", PLAIN)])), "it is compressed"),
    (tar_of({"etc/motd": b"x"}), "no archive of images"),
    (b"x" * 2000, "not an image archive"),
    (b"", "the archive is empty"),
    (docker_archive([("app:1.0", PLAIN)])[:6000], "truncated|lacks"),
], ids=["compressed", "rootfs", "text", "empty", "truncated"])
def test_what_is_no_archive(binary, tmp_path, data, sentence):
    path = tmp_path / "odd.tar"
    path.write_bytes(data)
    (tmp_path / "mnt").mkdir()
    done = subprocess.run(
        [binary, f"docker-archive:{path}", tmp_path / "mnt"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert re.search(sentence, done.stderr)


def test_a_layer_that_is_damaged(mounted):
    data = bytearray(docker_archive([("app:1.0", PLAIN)]))
    data[data.index(b"plain\n")] ^= 1
    root = mounted(bytes(data))
    root.expect_error("digest|damaged|does not match")
    with fails_with(errno.EIO):
        (root / "app/1.0" / MOTD).read_bytes()
