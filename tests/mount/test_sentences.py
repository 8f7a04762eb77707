# SPDX-License-Identifier: Apache-2.0
"""What a user is told of what cannot be done: a sentence each."""

import errno
import os

import pytest

from support.images import index_of, platform_images
from support.layers import image_of
from support.system import fails_with
from support.tars import file

TYPE = "user.oci.artifacttype"


def of_a_new_file(root, operation):
    (root / "app/1.0/referrers/.type").write_bytes(b"text")
    operation(root / "app/1.0/referrers/.type")


def no_type(path):
    os.removexattr(path, TYPE)


def type_again(path):
    os.setxattr(path, TYPE, b"text/plain")
    os.setxattr(path, TYPE, b"text/plain", os.XATTR_CREATE)


OPERATIONS = {
    "the annotation's name is empty": (
        errno.EINVAL,
        lambda root: os.setxattr(root / "app/1.0", "user.oci.annotation.",
                                 b"value")),
    "an annotation's name and value must be UTF-8": (
        errno.EINVAL,
        lambda root: os.setxattr(root / "app/1.0", "user.oci.annotation.a",
                                 b"\xff")),
    "no such platform": (
        errno.ENOENT,
        lambda root: (root / "app/index/platforms/plan9-mips").stat()),
    "this cannot be linked there; copy it": (
        errno.EXDEV,
        lambda root: os.link(root / "app/1.0/config.json",
                             root / "app/.new/config.json")),
    "the file has no artifact type": (
        errno.ENODATA, lambda root: of_a_new_file(root, no_type)),
    "the file already has an artifact type": (
        errno.EEXIST, lambda root: of_a_new_file(root, type_again)),
}


@pytest.mark.parametrize("sentence", OPERATIONS)
def test_it_is_said(mount, registry, client, sentence):
    image_of([file("etc/motd")]).push(client, "app", "1.0")
    index_of(platform_images()).push(client, "app", "index")
    root = mount(registry, arguments=["--debug=fuse"])
    root.allow_error("")
    (root / "app/.new").mkdir()
    code, operation = OPERATIONS[sentence]
    with fails_with(code):
        operation(root)
    assert sentence in root.log()
