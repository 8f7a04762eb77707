# SPDX-License-Identifier: Apache-2.0
"""Files of images that are opened to be changed in place: they read as what
they are, and what is not a whole new file changes nothing."""

import errno
import json
import os

import pytest

from support.archives import docker_archive
from support.engines import skopeo
from support.images import index_of, platform_images
from support.system import fails_with, run
from support.tags import IMAGE, OTHER, digests, root, shell  # fixtures

FILES = ["1.0.tar", "1.0/image.tar", "1.0/config.json", "1.0/manifest.json"]
UNCHANGED = {"1.0": IMAGE.digest, "other": OTHER.digest}


def read_all(descriptor):
    data = b""
    while piece := os.read(descriptor, 1 << 20):
        data += piece
    return data


@pytest.fixture
def appended(tmp_path):
    """A file to append, and a tar with it."""
    (tmp_path / "more").write_text("appended")
    run("tar", "-C", tmp_path, "-cf", tmp_path / "more.tar", "more")
    return tmp_path


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("flags", [os.O_RDWR, os.O_RDWR | os.O_APPEND,
                                   os.O_RDWR | os.O_CREAT])
def test_it_reads_as_what_it_is(root, client, name, flags):
    path = root / "app" / name
    expected = path.read_bytes()
    opened = os.open(path, flags)
    try:
        assert os.fstat(opened).st_size == len(expected)
        assert read_all(opened) == expected
    finally:
        os.close(opened)
    assert digests(client, "app") == UNCHANGED


def test_index_json_reads_as_what_it_is(mount, registry, client):
    index = index_of(platform_images()).push(client, "app", "1.0")
    with open(mount(registry) / "app/1.0/index.json", "r+b") as opened:
        assert opened.read() == index.data


@pytest.mark.parametrize("name", FILES)
def test_opening_it_asks_for_no_change(root, proxy, name):
    path = root / "app" / name
    path.read_bytes()
    with proxy.requests() as seen:
        for flags in (os.O_RDWR, os.O_WRONLY, os.O_WRONLY | os.O_APPEND):
            os.close(os.open(path, flags))
    assert {request.method for request in seen} <= {"HEAD", "GET"}


@pytest.mark.parametrize("script", [
    "tar -rf {tag}.tar -C {more} more", "tar -uf {tag}.tar -C {more} more",
    "tar -Af {tag}.tar {more}/more.tar", "cat {more}/more.tar >>{tag}.tar",
    "tar --delete -f {tag}.tar oci-layout",
    "dd if={more}/more of={tag}.tar bs=1 count=1 seek=100 conv=notrunc",
    "printf x 1<>{tag}.tar", "truncate -s 1000 {tag}.tar",
    "truncate -s +512 {tag}.tar",
    "cat {more}/more.tar >>{tag}/image.tar",
    "tar -rf {tag}/image.tar -C {more} more"])
def test_an_archive_is_not_changed_in_part(root, client, appended, script):
    root.allow_error("cannot be changed in part|cannot be truncated"
                     "|is truncated|no tar|not a tar")
    before = (root / "app/1.0.tar").read_bytes()
    result = shell(root / "app", script.format(tag="1.0", more=appended),
                   check=False)
    assert result.returncode != 0
    assert digests(client, "app") == UNCHANGED
    assert (root / "app/1.0.tar").read_bytes() == before


def test_why_an_archive_is_not_changed_in_part(root, appended):
    root.expect_error(r"1\.0\.tar: an archive in a registry cannot be changed "
                      "in part: copy it to a local disk")
    result = shell(root / "app", f"tar -rf 1.0.tar -C {appended} more",
                   check=False)
    assert "Operation not permitted" in result.stderr
    assert sorted(os.listdir(root / "app")) == ["1.0", "other"]


def test_an_archive_is_cut_to_nothing_and_written(root, client):
    archive = docker_archive([("app:1.0", OTHER)])
    with open(root / "app/1.0.tar", "r+b", buffering=0) as opened:
        assert opened.read(512)
        opened.seek(0)
        opened.truncate(0)
        opened.write(archive)
        os.fsync(opened.fileno())
    assert json.loads((root / "app/1.0/config.json").read_bytes()) == \
        json.loads(OTHER.config.data)
    assert sorted(client.tags("app")) == ["1.0", "other"]


def environment(root):
    return json.loads(
        (root / "app/1.0/config.json").read_bytes())["config"].get("Env")


def edit_in_place(path, change):
    """As programs do: read it, write it, cut off what is left."""
    with open(path, "r+") as file:
        document = json.load(file)
        change(document)
        file.seek(0)
        json.dump(document, file)
        file.truncate()


def test_a_config_is_edited_in_place(root):
    edit_in_place(root / "app/1.0/config.json",
                  lambda config: config["config"].update(Env=["A=1"]))
    assert environment(root) == ["A=1"]
    # Shorter than before.
    edit_in_place(root / "app/1.0/config.json",
                  lambda config: config["config"].pop("Env"))
    assert environment(root) is None


def test_a_manifest_is_edited_in_place(root, client):
    edit_in_place(root / "app/1.0/manifest.json",
                  lambda manifest: manifest.update(annotations={"a": "b"}))
    changed = client.manifest("app", "1.0").json()
    assert changed["annotations"] == {"a": "b"}


def test_a_config_to_which_something_is_appended(root, client):
    """A space is JSON at its end, and a letter is not."""
    root.expect_error("config.json")
    shell(root / "app", "printf ' ' >>1.0/config.json")
    assert (root / "app/1.0/config.json").read_bytes() == \
        IMAGE.config.data + b" "
    before = digests(client, "app")
    # The shell does not look at what close() says.
    shell(root / "app", "printf x >>1.0/config.json", check=False)
    assert digests(client, "app") == before


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_WRONLY | os.O_TRUNC,
                                   os.O_RDWR])
def test_others_read_on_while_it_is_written(root, name, flags):
    path = root / "app" / name
    expected = path.read_bytes()
    opened = os.open(path, flags)
    try:
        printed = run("sh", "-c", 'stat -c %s "$0"; cat "$0" | sha256sum; '
                      'cat "$0" | wc -c', path).stdout.split()
        assert printed[0] == str(len(expected))
        assert printed[-1] == str(len(expected))
    finally:
        os.close(opened)
    assert path.read_bytes() == expected


def test_skopeo_replaces_an_archive_that_is_there(root, client, tmp_path):
    """It opens it without cutting it, and goes on only if it is empty."""
    archive = tmp_path / "other.tar"
    archive.write_bytes(docker_archive([("app:1.0", OTHER)]))
    skopeo("copy", f"docker-archive:{archive}",
           f"docker-archive:{root / 'app/1.0.tar'}:app:1.0")
    assert json.loads((root / "app/1.0/config.json").read_bytes()) == \
        json.loads(OTHER.config.data)
    assert digests(client, "app")["other"] == OTHER.digest


@pytest.mark.parametrize("name", ["config.json", "manifest.json"])
def test_an_image_named_by_its_digest_is_not_opened_to_write(root, name):
    root.allow_error("its digest cannot be changed|read-only file")
    path = root / f"app@{IMAGE.digest}" / name
    with fails_with(errno.EPERM):
        os.open(path, os.O_RDWR)
