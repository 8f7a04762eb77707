# SPDX-License-Identifier: Apache-2.0
"""What the log says of operations that fail: one line each, with the whole path
below the mount point of what they were about."""

import errno
import os

import pytest

from support.layers import image_of
from support.system import fails_with
from support.tars import file

IMAGE = "team/app/1.0"
DELETE = "this mount does not delete or move tags"


def write(path):
    path.write_bytes(b"bytes")


def write_part(path):
    """To a file that has been closed once, when what it was to be failed."""
    with open(path, "wb") as opened:
        opened.write(b"[]")


OPERATIONS = {
    "create": (lambda at: write(at(f"{IMAGE}/rootfs/new")),
               f"create: {IMAGE}/rootfs/new: no file can be written"),
    "create at the top": (lambda at: write(at("image")),
                          "create: image: an image needs a repository"),
    "mkdir": (lambda at: os.mkdir(at(f"{IMAGE}/new")),
              f"mkdir: {IMAGE}/new: no directory can be created in an image"),
    "mkdir deep": (lambda at: os.mkdir(at(f"{IMAGE}/rootfs/etc/new")),
                   f"mkdir: {IMAGE}/rootfs/etc/new: nothing of this type"),
    "mknod": (lambda at: os.mkfifo(at("team/app/fifo")),
              "mknod: team/app/fifo: nothing of this type"),
    "unlink": (lambda at: os.unlink(at(f"{IMAGE}/config.json")),
               f"remove: {IMAGE}/config.json: this is part of an image"),
    "unlink in a tree": (lambda at: os.unlink(at(f"{IMAGE}/rootfs/etc/motd")),
                         f"remove: {IMAGE}/rootfs/etc/motd: this is part "
                         "of an image"),
    "unlink a layer": (lambda at: os.unlink(at(f"{IMAGE}/layers/01.tar.gz")),
                       f"remove: {IMAGE}/layers/01.tar.gz: this is part "
                       "of an image"),
    "unlink an archive": (lambda at: os.unlink(at(f"{IMAGE}.tar")),
                          f"remove: {IMAGE}.tar: {DELETE}"),
    "rmdir": (lambda at: os.rmdir(at(IMAGE)), f"remove: {IMAGE}: {DELETE}"),
    "rename": (lambda at: os.rename(at(IMAGE), at("team/app/2.0")),
               f"rename: {IMAGE} to team/app/2.0: {DELETE}"),
    "rename a part": (lambda at: os.rename(at(f"{IMAGE}/config.json"),
                                           at("team/app/other")),
                      f"rename: {IMAGE}/config.json to team/app/other: "
                      "this is part of an image"),
    "rename for a backup": (lambda at: os.rename(at(f"{IMAGE}.tar"),
                                                 at(f"{IMAGE}.tar~")),
                            f"rename: {IMAGE}.tar to {IMAGE}.tar~: "),
    "link": (lambda at: os.link(at(f"{IMAGE}/config.json"),
                                at("team/app/name")),
             f"link: {IMAGE}/config.json to team/app/name: no hard link"),
    "symlink": (lambda at: os.symlink("1.0", at("team/app/~name~")),
                "symlink: team/app/~name~ to 1.0: the new name is not a valid"),
    "symlink to nothing": (lambda at: os.symlink("../app", at("team/app/2.0")),
                           "symlink: team/app/2.0 to ../app: the link does not "
                           "lead to an image"),
    "symlink in an image": (lambda at: os.symlink("1.0", at(f"{IMAGE}/name")),
                            f"symlink: {IMAGE}/name to 1.0: no link can be "),
    "truncate": (lambda at: os.truncate(at(f"{IMAGE}/config.json"), 100),
                 f"setattr: {IMAGE}/config.json: this is part of an image"),
    "open": (lambda at: write(at(".registryfs/log")),
             "open: .registryfs/log: read-only file"),
    "open a blob": (lambda at: open(at(f"{IMAGE}/layers/01.tar.gz"), "wb"),
                    f"open: {IMAGE}/layers/01.tar.gz: read-only file"),
    "open in a tree": (lambda at: open(at(f"{IMAGE}/rootfs/etc/motd"), "r+b"),
                       f"open: {IMAGE}/rootfs/etc/motd: read-only file"),
    "open in a layer": (lambda at: open(at(f"{IMAGE}/layers/01/etc/motd"),
                                        "r+b"),
                        f"open: {IMAGE}/layers/01/etc/motd: read-only file"),
    "open a blob for more": (lambda at: open(at(f"{IMAGE}/layers/01.tar.gz"),
                                             "r+b"),
                             f"open: {IMAGE}/layers/01.tar.gz: "
                             "read-only file"),
    "setxattr": (lambda at: os.setxattr(
        at(IMAGE), "user.oci.annotation.a", b"\0"),
                 f"setxattr: {IMAGE}: annotation values cannot contain NUL"),
    "close": (lambda at: write_part(at(f"{IMAGE}/config.json")),
              f"close: {IMAGE}/config.json: changing team/app:1.0: "),
    "close of a layer": (lambda at: write(at(f"{IMAGE}/layers/new.tar")),
                         f"close: {IMAGE}/layers/new.tar: changing "
                         "team/app:1.0: "),
    "close of a push": (lambda at: write(at("team/app/3.0.tar")),
                        "close: team/app/3.0.tar: pushing team/app:3.0: "),
}


def said(root):
    return [line.split("error: ", 1)[1] for line in root.log().splitlines()
            if "error: " in line]


@pytest.mark.parametrize("operation, sentence", OPERATIONS.values(),
                         ids=OPERATIONS)
def test_one_line_with_the_path(mount, registry, client, operation, sentence):
    image_of([file("etc/motd")]).push(client, "team/app", "1.0")
    root = mount(registry)
    root.allow_error("")
    with pytest.raises(OSError) as failure:
        operation(root.path.joinpath)
    assert failure.value.errno in (errno.EPERM, errno.EINVAL)
    lines = said(root)
    assert len(lines) == 1, lines
    assert lines[0].startswith(sentence)
    names = sentence.split(": ")[1].split(" to ")
    for name in names:
        if "/" in name:
            assert lines[0].count(name) == sentence.count(name)


def test_of_a_blob_of_two_images(mount, registry, client):
    """It is where it was found last, by its name there."""
    image_of([file("etc/motd")]).push(client, "team/app", "1.0")
    image_of([file("first")], [file("etc/motd")]).push(client, "team/app",
                                                       "2.0")
    # A rule is told once; each operation is a line here.
    root = mount(registry, arguments=["--debug=fuse"])
    root.allow_error("")
    for path in ("1.0/layers/01", "2.0/layers/02"):
        for rest in (".tar.gz", "/etc/motd"):
            before = len(root.log())
            with fails_with(errno.EPERM):
                open(root / "team/app" / f"{path}{rest}", "r+b")
            assert (f"open: team/app/{path}{rest}: read-only file"
                    in root.log()[before:])


def test_of_a_scratch_directory(mount, registry, client):
    image_of([file("etc/motd")]).push(client, "team/app", "1.0")
    root = mount(registry)
    (root / "team/app/.new").mkdir()
    root.expect_error("rename: team/app/.new to team/app/2.0: the "
                      "directory is empty; there is nothing to push")
    with fails_with(errno.EPERM):
        os.rename(root / "team/app/.new", root / "team/app/2.0")


def test_of_a_namespace_that_is_mounted_alone(mount, registry, client):
    """The path is the one that its user sees."""
    image_of([file("etc/motd")]).push(client, "team/app", "1.0")
    root = mount(f"{registry.address}/team")
    root.expect_error("remove: app/1.0/config.json: this is part of an image")
    with fails_with(errno.EPERM):
        (root / "app/1.0/config.json").unlink()


def test_of_a_name_that_is_looked_up(mount, proxy, client):
    image_of([file("etc/motd")]).push(client, "team/app", "1.0")
    root = mount(proxy)
    proxy.refuses("/manifests/", status=403, code="DENIED", message="not now")
    root.expect_error("lookup: team/app/1.0: .*not now")
    with fails_with(errno.EACCES):
        (root / IMAGE).stat()
