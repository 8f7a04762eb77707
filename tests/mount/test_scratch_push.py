# SPDX-License-Identifier: Apache-2.0
"""A scratch directory that is renamed to a tag is pushed."""

import errno
import json
import os
import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.faults import Hold
from registry.process import PATIENCE
from support.archives import docker_archive, plain_layer, write_layout
from support.engines import skopeo_copy, umoci_layout
from support.images import oci_image, platform_images, index_of
from support.rootfs import many_files
from support.system import fails_with, run
from support.tars import (
    CHARACTERS, device, directory, fifo, file, hard_link, symlink, tar_bytes)
from support.trees import assert_rsync_agrees, assert_same_tree, outline
from support.unpacked import umoci_unpack, untar

EPOCH = 1_700_000_000
TREE = [directory("", mode=0o711, uid=2), directory("d", mode=0o2750, gid=5),
        file("d/setuid", b"x", mode=0o4711), file("d/linked", b"l", uid=3),
        hard_link("d/hard", "d/linked"), hard_link("a-link", "d/linked"),
        symlink("out", "../../etc/passwd"), symlink("long", "t" * 300),
        fifo("fifo"), device("null", CHARACTERS, 1, 3),
        file(b"\xff\xfe", b"raw"), file("\N{SNOWMAN}", b"snow"),
        directory("n" * 120), file("n" * 120 + "/" + "m" * 200, b"long"),
        file("old", mtime=0),
        file("owner", uid=4_000_000_000),
        file("noted", xattrs={"user.note": b"\0\xff\n=", "user.empty": b""}),
        file("ping", b"x", xattrs={"security.capability": bytes.fromhex(
            "0100000200200000000000000000000000000000")}),
        file("large", random.Random(1).randbytes(3_000_001))]


@pytest.fixture
def source(tmp_path):
    return untar(tar_bytes(TREE), tmp_path / "source")


def digest(image):
    return os.getxattr(image, "user.oci.digest").decode()


def test_the_image_is_the_tree(app, new, source, client, proxy, tmp_path):
    run("cp", "-a", f"{source}/.", new)
    run("mv", new, app / "1.0")
    assert os.listdir(app) == client.tags("app") == ["1.0"]
    # Then it is known whose the root is.
    assert os.listdir(app / "1.0/rootfs")
    assert_same_tree(source, app / "1.0/rootfs")
    assert_rsync_agrees(source, app / "1.0/rootfs")
    layout = tmp_path / "layout"
    skopeo_copy(f"docker://{proxy.address}/app:1.0", f"oci:{layout}:1.0")
    # To Go's reader an attribute that is empty is none.
    assert_same_tree(source, umoci_unpack(layout, "1.0", tmp_path / "umoci"),
                     ignore=[("noted", "xattrs")])


def test_gnu_tar_lists_the_layer_in_order(app, new, source):
    run("cp", "-a", f"{source}/.", new)
    os.rename(new, app / "1.0")
    listed = run("tar", "-tf", app / "1.0/layers/01.tar.gz").stdout
    names = listed.splitlines()
    assert names[:4] == ["./", "a-link", "d/", "d/hard"]
    assert names[1:] == [name for name in names if not name.startswith("./")]
    links = run("tar", "-tvf", app / "1.0/layers/01.tar.gz").stdout
    assert "d/hard link to a-link" in links
    assert "d/linked link to a-link" in links


def test_equal_trees_are_equal_images(mount, registry, source):
    started = mount(registry)
    app = started / "app"
    app.mkdir()
    for name, copy in (("one", ["cp", "-a"]), ("two", ["rsync", "-aHAX"])):
        (app / f".{name}").mkdir()
        run(*copy, f"{source}/.", app / f".{name}")
        # In another order, from another place, read before.
        run("touch", "-a", app / f".{name}/old")
        os.rename(app / f".{name}", app / name)
    layers = [json.loads((app / name / "manifest.json").read_text())["layers"]
              for name in ("one", "two")]
    assert layers[0] == layers[1]


@pytest.mark.parametrize("by", ["option", "variable"])
def test_epoch(mount, registry, source, home, by, monkeypatch):
    if by == "variable":
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    else:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    app = mount(registry, *[f"source_date_epoch={EPOCH}"] * (by == "option")
                ) / "app"
    app.mkdir()
    for name in ("one", "two"):
        (app / f".{name}").mkdir()
        run("cp", "-r", source / "d", source / "old", app / f".{name}")
        (app / f".{name}/dated").touch()
        os.utime(app / f".{name}/dated", (0, EPOCH - 5))
        os.rename(app / f".{name}", app / name)
    assert digest(app / "one") == digest(app / "two")
    assert os.getxattr(app / "one", "user.oci.created") \
        == b"2023-11-14T22:13:20Z"
    assert os.stat(app / "one/rootfs/old").st_mtime == EPOCH
    assert os.stat(app / "one/rootfs/dated").st_mtime == EPOCH - 5


def test_names_that_push(app, new, client, mounted):
    for path, tag in (("a.tar", "a"), (":b", "b"), ("c.tar.gz", "c"),
                      ("_D", "_D")):
        (app / ".scratch").mkdir()
        (app / ".scratch/file").write_text(tag)
        os.rename(app / ".scratch", app / path)
        assert (app / tag / "rootfs/file").read_text() == tag
    assert client.tags("app") == ["_D", "a", "b", "c"]
    (new / "file").touch()
    os.rename(new, mounted / "other:1.0")
    assert client.tags("other") == ["1.0"]
    mounted.expect_error("an image cannot have this name")
    (app / ".new").mkdir()
    (app / ".new/file").touch()
    with fails_with(errno.EPERM):
        os.rename(new, app / ("@sha256:" + "0" * 64))
    mounted.expect_error("part of an image, and cannot be renamed")
    with fails_with(errno.EPERM):
        os.rename(new, app / "a/rootfs/new")


def test_a_tag_is_replaced(app, new, client):
    (new / "file").write_text("one")
    run("mv", new, app / "1.0")
    for text, command in (("two", ["mv"]), ("three", ["mv", "-T"])):
        new.mkdir()
        (new / "file").write_text(text)
        run(*command, new, app / "1.0")
        assert os.listdir(app) == ["1.0"]
        assert (app / "1.0/rootfs/file").read_text() == text
        assert ".new" not in os.listdir(app / "1.0")
    assert client.tags("app") == ["1.0"]


def test_nothing_is_replaced_where_that_is_not_wanted(app, new):
    (new / "file").write_text("one")
    run("mv", new, app / "1.0")
    new.mkdir()
    (new / "file").write_text("two")
    run("mv", "-n", new, app / "1.0", check=False)
    assert (app / "1.0/rootfs/file").read_text() == "one"
    assert (new / "file").read_text() == "two"


def test_a_part_of_an_image_is_not_replaced(mounted, app, new):
    (new / "file").write_text("one")
    run("mv", new, app / "1.0")
    new.mkdir()
    (new / "file").write_text("two")
    mounted.expect_error("in an image; nothing can be moved there")
    for name in ("layers", "rootfs", "other"):
        with fails_with(errno.EPERM):
            os.rename(new, app / "1.0" / name)
    assert (app / "1.0/rootfs/file").read_text() == "one"


def test_across_repositories(app, new, mounted, client):
    (mounted / "other").mkdir()
    (new / "file").write_text("x")
    run("mv", new, mounted / "other")
    assert os.listdir(app) == []
    run("mv", mounted / "other/.new", app / "1.0")
    assert client.tags("app") == ["1.0"]
    assert os.listdir(mounted / "other") == []


def test_out_of_the_mount(app, new, source, tmp_path):
    run("cp", "-a", f"{source}/.", new)
    run("mv", new, tmp_path / "moved")
    assert os.listdir(app) == []
    assert_same_tree(source, tmp_path / "moved")
    run("mv", tmp_path / "moved", new)
    assert_same_tree(source, new)


def test_an_oci_layout_is_what_it_is(app, new, tmp_path, client):
    image = index_of(platform_images())
    layout = write_layout(tmp_path / "layout", [("1.0", image)])
    run("cp", "-a", f"{layout}/.", new)
    run("mv", new, app / "1.0")
    assert digest(app / "1.0") == image.digest
    assert client.tags("app") == ["1.0"]


def test_skopeo_writes_an_oci_layout(app, new, tmp_path):
    image = oci_image(plain_layer({"file": b"content"}))
    archive = tmp_path / "image.tar"
    archive.write_bytes(docker_archive([("app:1.0", image)]))
    skopeo_copy(f"docker-archive:{archive}", f"oci:{new}:1.0")
    run("mv", new, app / "1.0")
    assert (app / "1.0/rootfs/file").read_bytes() == b"content"
    # And again, from the mount to the mount.
    (app / ".again").mkdir()
    skopeo_copy(f"docker-archive:{app}/1.0.tar", f"oci:{app}/.again:2.0")
    run("mv", app / ".again", app / "2.0")
    assert outline(app / "2.0/rootfs") == {"file": b"content"}


def test_umoci_unpacks_into_one(app, new, rootfs, tmp_path, mounted):
    layout = umoci_layout(tmp_path / "layout", rootfs, "1.0")
    umoci_unpack(layout, "1.0", new / "rootfs")
    assert_same_tree(rootfs, new / "rootfs", ignore=["mtime"])
    run("umoci", "unpack", "--image", f"{layout}:1.0", new / "bundle")
    assert_same_tree(new / "rootfs", new / "bundle/rootfs")
    # Only a directory of a repository is one that can become an image.
    mounted.expect_error("only a whole scratch directory can become an image")
    with fails_with(errno.EPERM):
        os.rename(new / "rootfs", app / "1.0")


def test_engines_run_it(app, new, rootfs, docker, podman, proxy):
    run("cp", "-a", f"{rootfs}/.", new)
    run("mv", new, app / "1.0")
    reference = f"{proxy.address}/app:1.0"
    docker("pull", "-q", reference)
    assert docker("run", "--rm", "--network", "none", reference,
                  "/bin/show").stdout == (rootfs / "etc/motd").read_text()
    podman("pull", "-q", "--tls-verify=false", reference)
    assert podman.run(reference, "/bin/show").stdout \
        == (rootfs / "etc/motd").read_text()


def test_a_file_of_it_can_be_pushed(app, new, client):
    image = oci_image(plain_layer({"file": b"content"}))
    (new / "image.tar").write_bytes(docker_archive([("app:1.0", image)]))
    run("mv", new / "image.tar", app / "1.0")
    assert client.tags("app") == ["1.0"]
    assert os.listdir(new) == []
    (app / ".file").write_text("waits")
    run("mv", app / ".file", new)
    assert outline(new) == {".file": b"waits"}


def test_a_push_that_fails_loses_nothing(app, new, source, proxy, mounted,
                                         client):
    run("cp", "-a", f"{source}/.", new)
    proxy.refuses(r"/manifests/", status=403, code="DENIED",
                  message="no tag today", method="PUT")
    mounted.expect_error("rename: .*: pushing app:1.0.*no tag today")
    result = run("mv", new, app / "1.0", check=False)
    assert result.returncode == 1
    assert "cannot move" in result.stderr
    assert os.listdir(app) == [".new"]
    assert_same_tree(source, new)
    # It can be changed, and tried again.
    (new / "more").write_text("more")
    proxy.heal()
    run("mv", new, app / "1.0")
    assert (app / "1.0/rootfs/more").read_text() == "more"
    assert client.tags("app") == ["1.0"]


def test_nothing_changes_while_it_is_pushed(app, new, proxy, mounted):
    (new / "d").mkdir()
    (new / "file").write_text("one")
    os.link(new / "file", new / "d/link")
    for what in ("write", "create", "remove", "setattr"):
        mounted.expect_error(f"{what}: .*being pushed")
    hold = Hold(at=0)
    proxy.receives("/manifests/1.0", hold, method="PUT")
    with open(new / "file", "r+b", buffering=0) as opened, \
            ThreadPoolExecutor() as pool:
        inside = os.open(new / "d", os.O_PATH)
        pushing = pool.submit(run, "mv", new, app / "1.0")
        hold.wait_reached()
        with fails_with(errno.EBUSY):
            opened.write(b"two")
        with fails_with(errno.EBUSY):
            os.open("another", os.O_CREAT | os.O_WRONLY, dir_fd=inside)
        with fails_with(errno.EBUSY):
            os.unlink("link", dir_fd=inside)
        with fails_with(errno.EBUSY):
            os.fchmod(opened.fileno(), 0o600)
        assert opened.read() == b"one"
        hold.release()
        pushing.result()
        # What was open goes on.
        opened.write(b"two")
        os.close(inside)
    assert (app / "1.0/rootfs/file").read_text() == "one"


def test_an_interrupted_push_can_be_tried_again(app, new, proxy, mounted):
    (new / "file").write_text("one")
    hold = Hold(at=0)
    proxy.receives("/manifests/1.0", hold, method="PUT", times=1)
    mounted.allow_error("rename: .*: pushing app:1.0")
    with subprocess.Popen(["mv", new, app / "1.0"],
                          stderr=subprocess.DEVNULL) as moving:
        hold.wait_reached()
        moving.send_signal(signal.SIGINT)
        assert moving.wait(PATIENCE) == -signal.SIGINT
        hold.release()
    (new / "file").write_text("two")
    run("mv", "-T", new, app / "1.0")
    assert (app / "1.0/rootfs/file").read_text() == "two"


def test_from_an_image_to_an_image(app, new, source):
    run("cp", "-a", f"{source}/.", new)
    os.rename(new, app / "1.0")
    # Then it is known whose the root is.
    assert os.listdir(app / "1.0/rootfs")
    new.mkdir()
    run("cp", "-a", f"{app}/1.0/rootfs/.", new)
    assert_same_tree(app / "1.0/rootfs", new)
    os.rename(new, app / "2.0")
    assert (app / "1.0/layers/01.tar.gz").samefile(
        app / "2.0/layers/01.tar.gz")


def test_nothing_is_no_image(app, new, mounted):
    mounted.expect_error("there is nothing to push")
    with fails_with(errno.EPERM):
        os.rename(new, app / "1.0")
    assert os.listdir(app) == [".new"]


def test_sockets_are_left_out(app, new):
    os.mknod(new / "socket", 0o140600)
    (new / "file").write_text("x")
    os.rename(new, app / "1.0")
    assert outline(app / "1.0/rootfs") == {"file": b"x"}


def test_what_no_tar_can_hold(app, new, mounted):
    deep = os.open(new, os.O_PATH)
    for _ in range(20):
        os.mkdir("n" * 250, dir_fd=deep)
        below = os.open("n" * 250, os.O_PATH, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    mounted.expect_error("a tar cannot hold a path of more than 4096 bytes: n")
    with fails_with(errno.ENAMETOOLONG):
        os.rename(new, app / "1.0")
    assert os.listdir(app) == [".new"]
    run("rm", "-rf", new)
    new.mkdir()
    (new / "file").touch()
    os.setxattr(new / "file", "user.a=b", b"")
    mounted.expect_error("a tar cannot hold its attribute user.a=b")
    with fails_with(errno.EIO):
        os.rename(new, app / "1.0")


def test_a_large_tree(app, new, tmp_path):
    tree = untar(tar_bytes(many_files(5_000)), tmp_path / "many")
    run("cp", "-a", tree / "srv", new)
    run("mv", new, app / "1.0")
    assert_same_tree(tree / "srv", app / "1.0/rootfs/srv")


def test_who_is_inside_when_it_is_pushed(mounted, app, new):
    """What was read or written there would be of no file any more."""
    (new / "etc").mkdir()
    (new / "etc/file").write_bytes(b"content")
    here = os.open(new / "etc", os.O_RDONLY)
    mounted.allow_error("the file was removed")
    os.rename(new, app / "1.0")
    for flags in (os.O_RDONLY, os.O_WRONLY | os.O_TRUNC):
        with pytest.raises(OSError) as caught:
            os.close(os.open("file", flags, dir_fd=here))
        assert caught.value.errno in (errno.ESTALE, errno.ENOENT)
    os.close(here)
    assert (app / "1.0/rootfs/etc/file").read_bytes() == b"content"
