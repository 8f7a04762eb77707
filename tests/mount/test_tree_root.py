# SPDX-License-Identifier: Apache-2.0
"""The attributes of a root file system itself, before anybody has entered it:
they are the image's from the first stat on."""

import os
import stat
import tarfile

import pytest

from support.compression import COMPRESSIONS
from support.images import CREATED_TIME
from support.layers import image_of, layer
from support.system import fails_with, run
from support.tars import SECOND, directory, file

MODE, UID, GID, MTIME = 0o700, 1234, 2345, 1_234_567_890
ROOT = directory("./", mode=MODE, uid=UID, gid=GID, mtime=MTIME * SECOND,
                 xattrs={"user.of": b"the root"})
FILES = [file("etc/motd", b"hello\n"), file("top", b"top\n")]
TREES = ["rootfs", "layers/01"]


def attributes(status):
    return (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid,
            status.st_mtime)


@pytest.fixture(params=["gzip", "zstd"])
def image_dir(shown, request):
    """Of an image that nobody has looked into. As root, owners are shown."""
    return shown(layer([ROOT, *FILES], request.param), options=["no_squash"])


@pytest.mark.parametrize("tree", TREES)
def test_the_first_stat_is_right(image_dir, tree):
    assert attributes(os.stat(image_dir / tree)) == (MODE, UID, GID, MTIME)


@pytest.mark.parametrize("tree", TREES)
def test_the_first_getfattr_is_right(image_dir, tree):
    assert os.getxattr(image_dir / tree, "user.of") == b"the root"


@pytest.mark.parametrize("tree", TREES)
def test_a_cold_tar(image_dir, tmp_path, tree):
    archive = tmp_path / "out.tar"
    run("tar", "-C", image_dir / tree, "-cf", archive, ".")
    with tarfile.open(archive) as tar:
        root = tar.getmember(".")
        assert (root.mode, root.uid, root.gid, root.mtime) == (
            MODE, UID, GID, MTIME)


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("command", [
    ["cp", "-a", "{source}", "{target}"],
    ["rsync", "-a", "{source}/", "{target}/"]])
def test_a_cold_copy(image_dir, tmp_path, tree, command):
    target = tmp_path / "copy"
    run(*(word.format(source=image_dir / tree, target=target)
          for word in command))
    assert attributes(os.stat(target)) == (MODE, UID, GID, MTIME)
    assert (target / "etc/motd").read_text() == "hello\n"


@pytest.mark.parametrize("command", [
    ["cp", "-a", "{source}", "{target}"],
    ["rsync", "-a", "{source}/", "{target}/"],
    ["sh", "-c", "mkdir {target}; tar -C {source} -c . | tar -C {target} -xp"],
    ["python3", "-c", "import shutil; shutil.copytree('{source}', '{target}')"]
])
def test_a_cold_copy_of_the_whole_image(image_dir, tmp_path, command):
    """The directory above is listed first."""
    target = tmp_path / "copy"
    run(*(word.format(source=image_dir, target=target) for word in command))
    keeps_owners = command[0] != "python3"
    for tree in TREES:
        found = attributes(os.stat(target / tree))
        assert found[0] == MODE and found[3] == MTIME, tree
        if keeps_owners:
            assert found == (MODE, UID, GID, MTIME), tree


@pytest.mark.parametrize("lister", [
    ["ls", "-l"], ["ls", "--color=always"], ["find", "-maxdepth", "1"],
    ["find", "-maxdepth", "1", "-name", "manifest.json"],
    ["python3", "-c", "import os, sys\n"
     "for entry in os.scandir(sys.argv[1]): entry.stat()"]])
def test_a_listing_of_the_image_costs_no_layer(mount, proxy, client, lister):
    image = image_of(layer([ROOT, *FILES])).push(client, "app", "1.0")
    directory = mount(proxy) / "app/1.0"
    with proxy.requests() as seen:
        if lister[0] == "find":
            run("find", directory, *lister[1:])
        else:
            run(*lister, directory)
    assert seen.count(path=image.layers[0].digest) == 0


def test_a_root_that_the_image_does_not_say(shown):
    """As engines make it; its time is the image's."""
    tree = shown(layer(FILES), options=["no_squash"]) / "rootfs"
    expected = (0o755, 0, 0, CREATED_TIME)
    assert attributes(os.stat(tree)) == expected
    os.listdir(tree)
    assert attributes(os.stat(tree)) == expected


def test_a_root_of_1970(shown):
    tree = shown(layer([directory("./", mtime=0), *FILES])) / "rootfs"
    assert os.stat(tree).st_mtime == 0
    os.listdir(tree)
    assert os.stat(tree).st_mtime == 0


def test_the_upper_layers_root_counts(shown):
    tree = shown(layer([directory("./", mode=0o755), *FILES]), layer([ROOT]),
                 layer([file("last", b"")]), options=["no_squash"]) / "rootfs"
    assert attributes(os.stat(tree)) == (MODE, UID, GID, MTIME)


def test_a_root_that_upper_layers_settle_waits_for_no_other(
        shown, proxy):
    lower = layer([directory("./", mode=0o755), *FILES])
    hold = proxy.falls_silent(lower.digest)
    tree = shown(lower, layer([ROOT]), options=["no_squash"]) / "rootfs"
    for _ in range(2):
        assert attributes(os.stat(tree)) == (MODE, UID, GID, MTIME)
    hold.release()


def test_a_root_that_cannot_be_known_is_an_error(mount, proxy, client):
    image = image_of(layer([ROOT, *FILES])).push(client, "app", "1.0")
    root = mount(proxy)
    root.expect_error(image.layers[0].digest[:20])
    proxy.refuses(image.layers[0].digest, status=403, code="DENIED",
                  message="you may not")
    with fails_with(13):
        os.stat(root / "app/1.0/rootfs")
    proxy.heal()
    os.stat(root / "app/1.0/rootfs")


def test_others_are_kept_out_by_the_images_root(mount, registry, client,
                                                other_user):
    """From the first access on: modes are enforced where others may enter."""
    image_of(layer([ROOT, *FILES])).push(client, "app", "1.0")
    root = mount(registry, "allow_other", "no_squash",
                 directory=other_user.new_directory())
    result = other_user.run("cat", root / "app/1.0/rootfs/etc/motd",
                            check=False)
    assert "Permission denied" in result.stderr
    assert (root / "app/1.0/rootfs/etc/motd").read_text() == "hello\n"
