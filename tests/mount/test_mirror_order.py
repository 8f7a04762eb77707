# SPDX-License-Identifier: Apache-2.0
"""Directories of images that come back from a local disk: in which order it has
their names does not matter, and what is incomplete does not end silently."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from registry.process import wait_until
from support.system import run
from support.tags import IMAGE, digests, root, shell
from test_mirror import KINDS, assert_is_the_image

WITHOUT = "without its image.tar|lacks image.tar"


def is_directory_first(entries):
    return next(entries).is_dir()


def arrange(source, directory):
    """A copy of which the disk has a directory first: each has its own way."""
    names = sorted(os.listdir(source),
                   key=lambda name: not os.path.isdir(source / name))
    for order in (names, names[::-1]):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for name in order:
            run("cp", "-a", source / name, directory)
        if is_directory_first(os.scandir(directory)):
            return True
    return False


@pytest.fixture
def saved(tmp_path):
    """saved(directory of an image): the same on a disk, in that order."""
    memory = Path(tempfile.mkdtemp(dir="/dev/shm"))

    def save(directory):
        shutil.copytree(directory, tmp_path / "plain", symlinks=True)
        for at in (tmp_path / "arranged", memory / "arranged"):
            if arrange(tmp_path / "plain", at):
                return at
        raise AssertionError("every disk has files first")
    yield save
    shutil.rmtree(memory)


COPIES = {
    "cp -r": "cp -r {source} {target}",
    "cp -a": "cp -a {source} {target}",
    "busybox cp -r": "busybox cp -r {source} {target}",
    "busybox cp -a": "busybox cp -a {source} {target}",
    "tar": "mkdir {target}; tar -C {source} -c . | tar -C {target} -x",
    "copytree":
        "python3 -c 'import shutil; shutil.copytree(\"{source}\", "
        "\"{target}\", symlinks=True)'",
    "rsync": "rsync -a {source}/ {target}/",
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", ["image", "index", "tree", "artifact"])
def test_directories_may_come_first(mount, registry, client, saved, kind, how):
    image = KINDS[kind].push(client, "app", "1.0")
    app = mount(registry) / "app"
    source = saved(app / "1.0")
    shell("/", COPIES[how].format(source=source, target=app / "2.0"))
    assert digests(client, "app") == {"1.0": image.digest, "2.0": image.digest}
    assert_is_the_image(app / "2.0", image)
    assert client.get("/v2/_catalog").json()["repositories"] == ["app"]


@pytest.mark.parametrize("last", ["image.tar", "config.json"])
def test_what_came_before_is_compared(root, client, saved, last):
    root.expect_error(r"app/2\.0/.*: config\.json differs from the image")
    root.allow_error(WITHOUT)
    source = saved(root / "app/1.0")
    config = (source / "config.json").read_bytes()
    (source / "config.json").write_bytes(config.replace(b'{}', b'{"User":"a"}'))
    first = {"image.tar": "config.json", "config.json": "image.tar"}[last]
    result = run("python3", "-c", f"""
import os, shutil
os.mkdir("{root / 'app/2.0'}")
shutil.copytree("{source}/rootfs", "{root / 'app/2.0/rootfs'}")
for name in ("{first}", "{last}"):
    shutil.copy("{source}/" + name, "{root / 'app/2.0'}")
""", check=False)
    assert "Invalid argument" in result.stderr


# Without image.tar there is no tag, and somebody hears of it.

@pytest.mark.parametrize("how", ["cp -a", "tar", "copytree", "busybox cp -a"])
def test_a_copy_without_the_archive_fails(root, client, saved, how):
    root.expect_error(WITHOUT)
    source = saved(root / "app/1.0")
    (source / "image.tar").unlink()
    result = shell("/", "set -o pipefail; " + COPIES[how].format(
        source=source, target=root / "app/2.0"), check=False)
    if how != "busybox cp -a":  # it only says so
        assert result.returncode != 0
    assert "Input/output error" in result.stderr
    assert client.tags("app") == ["1.0", "other"]
    # It is a directory of this mount, and going on makes it the image.
    assert (root / "app/2.0/rootfs/etc/motd").read_text() == "1\n"
    shell(root / "app", "cp 1.0/image.tar 2.0/")
    assert_is_the_image(root / "app/2.0", IMAGE)


@pytest.mark.parametrize("how", ["cp -r", "rsync"])
def test_the_log_says_that_the_archive_is_missing(root, client, saved, how):
    """Where the program asks for nothing at its end, or does not look."""
    root.expect_error(WITHOUT)
    source = saved(root / "app/1.0")
    (source / "image.tar").unlink()
    shell("/", COPIES[how].format(source=source, target=root / "app/2.0"))
    log = root / ".registryfs/log"

    def is_said():
        os.path.exists(root / "app/2.0/index.json")
        return "app/2.0: parts of an image were copied" in log.read_text()

    wait_until(is_said, "a word on the copy without image.tar")
    assert client.tags("app") == ["1.0", "other"]
    # All there is of it can be removed; and then it is any directory again.
    shell(root / "app", "rm -r 2.0; mkdir 2.0; cp 1.0.tar 2.0/3.0.tar")
    assert client.tags("app/2.0") == ["3.0"]


@pytest.mark.parametrize("script", [
    "mkdir -p 2.0/rootfs", "mkdir 2.0; mkdir 2.0/layers",
    "install -d 2.0/files",
    "mkdir 2.0; cp -r {source}/rootfs 2.0/", "mkdir 2.0; cp -r 1.0/layers 2.0/",
    "mkdir 2.0; busybox cp -r {source}/layers 2.0/"])
def test_a_part_alone_is_refused(root, client, saved, script):
    root.expect_error("part of an image: copy the image's whole directory")
    source = saved(root / "app/1.0")
    result = shell(root / "app", script.format(source=source), check=False)
    assert result.returncode != 0
    assert os.listdir(root / "app/2.0") == []
    assert client.tags("app") == ["1.0", "other"]
