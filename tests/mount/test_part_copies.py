# SPDX-License-Identifier: Apache-2.0
"""Single directories of images that are copied into repositories: no tag is
made of them, and no repository."""

import os

import pytest

from support.images import gzip_layer, oci_image
from support.system import run
from support.tags import IMAGE, OTHER, digests, root, shell
from test_mirror import all_of

MANY = oci_image(*(gzip_layer({f"etc/{number}": b"%d\n" % number})
                   for number in range(12)))


@pytest.fixture
def unchanged(root, client):
    """The mount's app; the registry then has what it had."""
    MANY.push(client, "app", "many")
    before = all_of(client)
    yield root / "app"
    assert all_of(client) == before


COPIES = ["cp -r {0} {1}", "cp -a {0} {1}", "busybox cp -r {0} {1}"]
OTHERS = ["rsync -a {0}/ {1}/", "tar -C {0} -c . | (mkdir {1}; tar -C {1} -x)",
          "python3 -c 'import shutil; shutil.copytree(\"{0}\", \"{1}\", "
          "symlinks=True)'"]


PARTS = ["1.0/layers", "many/layers", "1.0/layers/01", "1.0/rootfs",
         "1.0/rootfs/etc"]
TARGETS = ["copy", "layers", "../new", "07"]


# Each part to each target, by turns by each program: each part and each target
# has all of them.
@pytest.mark.parametrize("part, target, how", [
    (part, target, COPIES[(row + column) % len(COPIES)])
    for row, part in enumerate(PARTS) for column, target in enumerate(TARGETS)])
def test_cp_leaves_nothing(unchanged, root, how, part, target):
    root.expect_error("a copy of one directory of an image")
    result = shell(unchanged, how.format(part, target), check=False)
    assert result.returncode != 0
    if not how.startswith("busybox"):  # it does not say why
        assert "Operation not permitted" in result.stderr
    assert sorted(os.listdir(unchanged)) == ["1.0", "many", "other"]
    assert os.listdir(root.path) == ["app"]


@pytest.mark.parametrize("how", OTHERS)
@pytest.mark.parametrize("part", ["1.0/layers", "many/layers"])
def test_others_push_nothing(unchanged, root, how, part):
    root.expect_error("has the name of an image's layer")
    root.allow_error("")
    result = shell(unchanged, "set -o pipefail; " + how.format(part, "copy"),
                   check=False)
    assert result.returncode != 0


@pytest.mark.parametrize("how", COPIES + OTHERS)
@pytest.mark.parametrize("tag", ["1.0", "many"])
def test_from_another_mount(unchanged, root, mount, registry, how, tag):
    root.expect_error("has the name of an image's layer")
    root.allow_error("")
    source = mount(registry) / "app" / tag / "layers"
    result = shell(unchanged, "set -o pipefail; " + how.format(source, "copy"),
                   check=False)
    assert result.returncode != 0


# What is no such copy.

def test_a_part_is_copied_to_a_disk(root, tmp_path):
    shell(root / "app", f"cp -r 1.0/layers {tmp_path}/layers; "
          f"cp -r 1.0/rootfs {tmp_path}/rootfs")
    assert (tmp_path / "rootfs/etc/motd").read_text() == "1\n"
    assert (tmp_path / "layers/01.tar.gz").read_bytes() == IMAGE.layers[0].data


def test_a_root_file_system_becomes_a_scratch_directory(root, client):
    shell(root / "app", "cp -r 1.0/rootfs .new; mv .new 2.0")
    assert (root / "app/2.0/rootfs/etc/motd").read_text() == "1\n"


@pytest.mark.parametrize("script", [
    "mkdir new; cp {0} new/01.tar", "mkdir new; cp {0} new/12.tar.gz",
    "cp {0} 01.tar", "mkdir new; rsync {0} new/12.tar",
    "cp -r {1} new", "rsync -a {1}/ new/"])
def test_archives_may_be_called_by_numbers(root, client, tmp_path, script):
    shell(root / "app", f"cp other.tar {tmp_path}/other.tar")
    archives = tmp_path / "archives"
    archives.mkdir()
    for name in ("11.tar", "12.tar"):
        (archives / name).write_bytes((tmp_path / "other.tar").read_bytes())
    shell(root / "app", script.format(tmp_path / "other.tar", archives))
    pushed = digests(client, "app/new" if "new" in script else "app")
    assert OTHER.digest in pushed.values()


def test_a_repository_of_numbers_is_copied(root, client):
    """Its tags are called as layers' directories."""
    for tag in ("01", "02", "10"):
        OTHER.push(client, "numbers", tag)
    shell(root.path, "cp -r numbers copied")
    assert digests(client, "copied") == digests(client, "numbers")


def test_a_layer_may_be_an_image(root, client):
    shell(root / "app", "cp 1.0/layers/02.tar.gz 3.0.tar.gz; "
          "cp 1.0/layers/02.tar.gz .")
    assert set(client.tags("app")) == {"02", "1.0", "3.0", "other"}
    run("ls", "-lR", root / "app/3.0/rootfs")
