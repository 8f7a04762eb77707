# SPDX-License-Identifier: Apache-2.0
"""Which names push, which are kept, and which can be nobody's."""

import bz2
import errno
import lzma
import os
import shutil

import pytest

from support.archives import docker_archive, plain_layer, write_layout
from support.engines import skopeo_copy
from support.images import compressed, oci_image
from support.layers import stored_layers
from support.system import fails_with, run

IMAGE = oci_image(plain_layer({"etc/motd": b"hello\n"}))
ARCHIVE = docker_archive([("app:1.0", IMAGE)])
OTHER = oci_image(plain_layer({"other": b""}))
OTHER_ARCHIVE = docker_archive([("app:1.0", OTHER)])


@pytest.fixture
def tagged(app):
    """A repository with the tag 1.0, pushed through the mount."""
    (app / "1.0.tar").write_bytes(ARCHIVE)
    return app


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "saved.tar"
    path.write_bytes(OTHER_ARCHIVE)
    return path


def is_image(directory, image=IMAGE):
    return (directory / "config.json").read_bytes() == image.config.data


# Names that push.

@pytest.mark.parametrize("name, data", [
    ("1.0.tar", ARCHIVE), ("1.0.tar.gz", compressed(ARCHIVE)),
    ("1.0.tar.gz", ARCHIVE), ("1.0.tgz", compressed(ARCHIVE)),
    ("1.0.tar.zst", compressed(ARCHIVE)), ("1.0", ARCHIVE),
    ("1.0.tar.xz", lzma.compress(ARCHIVE)), ("1.0.txz", ARCHIVE),
    ("1.0.tar.bz2", bz2.compress(ARCHIVE)), ("1.0.tbz2", ARCHIVE),
    ("1.0", compressed(ARCHIVE)), (":1.0", ARCHIVE), (":1.0.tar", ARCHIVE)],
    ids=lambda value: None if isinstance(value, bytes) else value)
def test_the_name_says_the_tag_and_the_content_the_rest(app, client, name,
                                                        data):
    (app / name).write_bytes(data)
    assert client.tags("app") == ["1.0"]
    assert os.listdir(app) == ["1.0"]
    assert is_image(app / "1.0")


@pytest.mark.parametrize("name", ["app:1.0", "app:1.0.tar"])
def test_an_image_reference_at_the_top(mounted, client, name):
    (mounted / name).write_bytes(ARCHIVE)
    assert client.tags("app") == ["1.0"]
    assert os.listdir(mounted.path) == ["app"]
    assert is_image(mounted / "app/1.0")
    assert is_image(mounted / "app:1.0")


def test_an_image_reference_in_a_namespace(mounted, client):
    (mounted / "team").mkdir()
    (mounted / "team/app:1.0").write_bytes(ARCHIVE)
    assert client.tags("team/app") == ["1.0"]
    assert is_image(mounted / "team/app/1.0")


@pytest.mark.parametrize("name", ["1.0.0-rc.1", "latest", "v1_2", "A" * 100])
def test_every_tag_has_its_archive(app, client, name):
    (app / f"{name}.tar").write_bytes(ARCHIVE)
    assert client.tags("app") == [name]
    assert is_image(app / name)


def test_nested_repositories(mounted, client):
    os.makedirs(mounted / "one/two/three")
    assert os.listdir(mounted.path) == ["one"]
    for repository in ("one/two/three", "one/two", "one"):
        (mounted / repository / "1.0.tar").write_bytes(ARCHIVE)
        assert client.tags(repository) == ["1.0"]
    assert sorted(os.listdir(mounted / "one")) == ["1.0", "two"]


def test_a_repository_that_is_there(mounted, client):
    OTHER.push(client, "app", "2.0")
    (mounted / "app/1.0.tar").write_bytes(ARCHIVE)
    assert sorted(os.listdir(mounted / "app")) == ["1.0", "2.0"]


def test_a_directory_that_nobody_made(mounted):
    with fails_with(errno.ENOENT):
        (mounted / "app/1.0.tar").write_bytes(ARCHIVE)


@pytest.fixture(params=[401, 404, 405])
def unlisted(request, mount, proxy):
    """A mount of a registry that does not say what it has, as the public ones
    do not."""
    proxy.answers("/_catalog", status=request.param)
    return mount(proxy)


def test_an_image_reference_where_nothing_is_listed(unlisted, client):
    (unlisted / "app:1.0").write_bytes(ARCHIVE)
    assert client.tags("app") == ["1.0"]
    assert is_image(unlisted / "app/1.0")


def test_a_new_repository_where_nothing_is_listed(unlisted, client):
    """Any name may be a namespace there, but none of an archive."""
    os.makedirs(unlisted / "team/app", exist_ok=True)
    (unlisted / "team/app/1.0.tar").write_bytes(ARCHIVE)
    assert client.tags("team/app") == ["1.0"]
    assert is_image(unlisted / "team/app/1.0")


def test_a_mounted_namespace(mount, registry, client):
    OTHER.push(client, "team/other", "1.0")
    mounted = mount(f"{registry.address}/team")
    (mounted / "app").mkdir()
    (mounted / "app/1.0.tar").write_bytes(ARCHIVE)
    assert client.tags("team/app") == ["1.0"]
    assert sorted(os.listdir(mounted.path)) == ["app", "other"]


def test_another_mount_sees_it(mount, registry, app):
    (app / "1.0.tar").write_bytes(ARCHIVE)
    assert is_image(mount(registry) / "app/1.0")


# Tags that exist.

@pytest.mark.parametrize("script", [
    'cp "$1" "$2/1.0.tar"', 'cp "$1" "$2/1.0"', 'cp "$1" "$2/1.0/"',
    'cp "$1" "$2/1.0/other.tar"', 'cat "$1" > "$2/1.0.tar"',
    'rsync -a "$1" "$2/1.0.tar"', 'rsync -a "$1" "$2/1.0/"',
    'dd if="$1" of="$2/1.0.tar"', 'mv "$1" "$2/1.0"', 'install "$1" "$2/1.0"',
    'gio copy "$1" "$2/1.0.tar"', 'gio copy "$1" "$2/1.0"',
    'gzip -c "$1" > "$2/1.0.tgz"', 'curl -s -o "$2/1.0.tar" "file://$1"'])
def test_a_tag_is_replaced(tagged, client, archive, script):
    run("bash", "-c", script, "bash", archive, tagged)
    assert os.listdir(tagged) == ["1.0"]
    assert is_image(tagged / "1.0", OTHER)
    assert client.manifest("app", "1.0").json()["config"]["digest"] == (
        OTHER.config.digest)


@pytest.mark.parametrize("command", [
    "mv", "install", "cp --remove-destination"])
def test_a_tool_that_removes_first(tagged, archive, command):
    run(*command.split(), archive, tagged / "1.0.tar")
    assert is_image(tagged / "1.0", OTHER)


def test_skopeo_replaces_a_tag(tagged, tmp_path):
    layout = write_layout(tmp_path / "layout", [("1.0", OTHER)])
    skopeo_copy(f"oci:{layout}:1.0", f"docker-archive:{tagged}/1.0.tar:app:1.0")
    assert is_image(tagged / "1.0", OTHER)


def test_shutil_copies_into_an_image(tagged, archive):
    """It changes the mode of what it wrote, by name, after the close."""
    for _ in range(2):
        shutil.copy(archive, tagged / "1.0")
    assert (tagged / "1.0/saved.tar").is_file()
    assert is_image(tagged / "1.0", OTHER)


def test_a_reader_keeps_the_image_that_it_opened(tagged, archive):
    (layer,) = stored_layers(tagged / "1.0")
    with open(layer, "rb") as before:
        shutil.copy(archive, tagged / "1.0.tar")
        now = layer.read_bytes()
        assert before.read() != now


def test_two_writers_of_a_tag(app, client):
    """Neither disturbs the other; the one that ends last has the tag."""
    with open(app / "1.0", "wb", buffering=0) as first, \
            open(app / "1.0.tar", "wb", buffering=0) as second:
        for file, data in ((first, ARCHIVE), (second, OTHER_ARCHIVE)):
            file.write(data[:3000])
        for file, data in ((second, OTHER_ARCHIVE), (first, ARCHIVE)):
            file.write(data[3000:])
    assert os.listdir(app) == ["1.0"]
    assert is_image(app / "1.0")


# Scratch files.

SCRATCH = [".1.0.swp", "1.0~", ".rsync-tmp", ".2.0.tar.a1B2c3", "#1.0#",
           "notes for me.txt"]


@pytest.mark.parametrize("name", SCRATCH)
def test_a_scratch_file_is_kept(app, client, proxy, name):
    with proxy.requests() as seen:
        (app / name).write_bytes(ARCHIVE)
        assert os.listdir(app) == [name]
        assert (app / name).read_bytes() == ARCHIVE
        (app / name).chmod(0o600)
        os.utime(app / name, (1, 1))
    assert seen.count("POST") == seen.count("PUT") == 0
    assert client.tags("app") == []
    status = os.stat(app / name)
    assert (status.st_mode, status.st_mtime) == (0o100600, 1)
    os.unlink(app / name)
    assert os.listdir(app) == []


@pytest.mark.parametrize("name", SCRATCH)
@pytest.mark.parametrize("new", ["1.0", "1.0.tar"])
def test_a_scratch_file_is_pushed_by_its_new_name(app, client, name, new):
    (app / name).write_bytes(ARCHIVE)
    os.rename(app / name, app / new)
    assert os.listdir(app) == ["1.0"]
    assert client.tags("app") == ["1.0"]
    assert is_image(app / "1.0")


def test_a_scratch_file_moves(mounted, app, client):
    (mounted / "team").mkdir()
    (app / ".a").write_bytes(ARCHIVE)
    os.rename(app / ".a", app / ".b")
    os.rename(app / ".b", mounted / "team/.c")
    assert os.listdir(app) == []
    assert os.listdir(mounted / "team") == [".c"]
    os.rename(mounted / "team/.c", mounted / "team/1.0.tar")
    assert client.tags("team") == ["1.0"]


def test_a_scratch_file_replaces_a_tag(tagged):
    (tagged / ".new").write_bytes(OTHER_ARCHIVE)
    os.rename(tagged / ".new", tagged / "1.0.tar")
    assert os.listdir(tagged) == ["1.0"]
    assert is_image(tagged / "1.0", OTHER)


def test_an_image_directory_keeps_scratch_files(tagged, client):
    (tagged / "1.0/notes.txt").write_text("to do\n")
    (tagged / "1.0/.new").write_bytes(OTHER_ARCHIVE)
    assert {"notes.txt", ".new"} <= set(os.listdir(tagged / "1.0"))
    assert is_image(tagged / "1.0")
    os.rename(tagged / "1.0/.new", tagged / "1.0/new.tar")
    assert is_image(tagged / "1.0", OTHER)
    assert ".new" not in os.listdir(tagged / "1.0")


def test_renaming_what_is_no_archive(mounted, app, client):
    """EINVAL would be the truth, and mv makes nonsense of it."""
    mounted.expect_error("not an image archive")
    (app / ".notes").write_bytes(b"to do: everything\n" * 100)
    with fails_with(errno.EIO):
        os.rename(app / ".notes", app / "1.0")
    assert client.tags("app") == []
    assert (app / ".notes").read_bytes().startswith(b"to do")


def test_what_is_lost_with_the_mount_is_said(mount, registry):
    mounted = mount(registry)
    (mounted / "app").mkdir()
    (mounted / "app/.notes").write_bytes(b"to do")
    mounted.unmount()
    assert "app/.notes: 5 bytes were not pushed and are lost" in mounted.log()


# Directories.

@pytest.mark.parametrize("name", [
    "App", ".git", "-x", "a b", "a..b", "a_", "x" * 256])
def test_names_that_no_repository_can_have(mounted, name):
    mounted.expect_error("not a valid repository name")
    with fails_with(errno.EINVAL):
        os.mkdir(mounted / name)


def test_a_directory_that_was_made_can_be_removed(mounted, app):
    app.rmdir()
    assert os.listdir(mounted.path) == []
    with fails_with(errno.ENOENT):
        os.stat(app)


def test_a_tag_where_a_directory_was(app, client):
    """While somebody still has that open."""
    (app / "1.0").mkdir()
    opened = os.open(app / "1.0", os.O_RDONLY)
    try:
        (app / "1.0").rmdir()
        (app / "1.0.tar").write_bytes(ARCHIVE)
        assert is_image(app / "1.0")
        assert "rootfs" in os.listdir(app / "1.0")
        assert os.getxattr(app / "1.0", "user.oci.digest")
    finally:
        os.close(opened)


def test_a_directory_that_is_there(mounted, tagged):
    with fails_with(errno.EEXIST):
        tagged.mkdir()
    with fails_with(errno.EEXIST):
        (tagged / "1.0").mkdir()


# What is refused.

@pytest.mark.parametrize("path, sentence", [
    ("image", "an image needs a repository"),
    ("1.0", "an image needs a repository"),
    (".notes", "an image needs a repository"),
    ("app/1.0/layers/01/file", "no file can be written in this directory"),
    ("app@{digest}/new.tar", "its digest cannot be changed"),
    (".registryfs/file", "no file can be written in this directory")])
def test_where_nothing_can_be_written(mounted, tagged, client, path, sentence):
    mounted.expect_error(sentence)
    path = path.format(digest=client.manifest("app", "1.0").headers[
        "Docker-Content-Digest"])
    with fails_with(errno.EPERM):
        (mounted / path).write_bytes(ARCHIVE)


CHANGES = {
    "rm": (lambda root: os.unlink(root / "app/1.0.tar"), "does not delete"),
    "rm part": (lambda root: os.unlink(root / "app/1.0/config.json"),
                "cannot be removed"),
    "rm layer": (lambda root: os.unlink(root / "app/1.0/layers/01.tar.gz"),
                 "cannot be removed"),
    "rmdir": (lambda root: os.rmdir(root / "app/1.0"), "does not delete"),
    "rmdir repository": (lambda root: os.rmdir(root / "app"),
                         "does not delete"),
    "rmdir layers": (lambda root: os.rmdir(root / "app/1.0/layers"),
                     "cannot be removed"),
    "mv": (lambda root: os.rename(root / "app/1.0", root / "app/2.0"),
           "does not delete or move"),
    "mv archive": (lambda root: os.rename(root / "app/1.0.tar",
                                          root / "app/2.0.tar"),
                   "does not delete or move"),
    "mv repository": (lambda root: os.rename(root / "app", root / "new"),
                      "does not delete or move"),
    "mv part": (lambda root: os.rename(root / "app/1.0/config.json",
                                       root / "app/1.0/old.json"),
                "cannot be renamed"),
    "ln": (lambda root: os.link(root / "app/1.0.tar", root / "app/2.0.tar"),
           "no hard link"),
    "mkdir": (lambda root: os.mkdir(root / "app/1.0/new"),
              "no directory can be created"),
    "mkfifo": (lambda root: os.mkfifo(root / "app/fifo"),
               "nothing of this type"),
    "truncate": (lambda root: os.truncate(root / "app/1.0.tar", 100),
                 "cannot be truncated"),
    "truncate part": (lambda root: os.truncate(root / "app/1.0/config.json",
                                               100), "cannot be truncated"),
}


@pytest.mark.parametrize("change, sentence", CHANGES.values(), ids=CHANGES)
def test_tags_stay(mounted, tagged, client, change, sentence):
    """EPERM, and never EXDEV, on which mv would copy all and remove it."""
    mounted.expect_error(sentence)
    with fails_with(errno.EPERM):
        change(mounted)
    assert client.tags("app") == ["1.0"]
    assert is_image(tagged / "1.0")


@pytest.mark.parametrize("command", [
    ["rm", "-r", "app/1.0"], ["rm", "-rf", "app"], ["mv", "app/1.0", "app/2.0"],
    ["mv", "app/1.0", "../moved"]])
def test_commands_that_remove(mounted, tagged, client, command):
    mounted.expect_error("cannot be removed|does not|was refused the removal")
    result = run(*command, check=False, cwd=mounted.path)
    assert result.returncode != 0
    assert client.tags("app") == ["1.0"]
    assert is_image(tagged / "1.0")


@pytest.mark.parametrize("change", [
    lambda root: (root / "app/2.0.tar").write_bytes(ARCHIVE),
    lambda root: (root / "app/1.0.tar").write_bytes(ARCHIVE),
    lambda root: (root / "new").mkdir(),
    lambda root: os.unlink(root / "app/1.0.tar"),
    lambda root: os.rmdir(root / "app/1.0"),
    lambda root: os.rename(root / "app/1.0", root / "app/2.0"),
    lambda root: os.symlink("1.0", root / "app/2.0"),
    lambda root: os.chmod(root / "app/1.0", 0o700)],
    ids=["create", "open", "mkdir", "unlink", "rmdir", "rename", "symlink",
         "chmod"])
def test_read_only(mount, registry, client, change):
    IMAGE.push(client, "app", "1.0")
    mounted = mount(registry, "ro")
    with fails_with(errno.EROFS):
        change(mounted)
