# SPDX-License-Identifier: Apache-2.0
"""A layout that is copied into a mount file by file is no image: that is said,
and nothing is left of it."""

import os

import pytest

from support.layers import image_of
from support.layouts import layout_of
from support.system import run
from support.tars import file

COPIES = {"cp": ["cp", "-r"], "rsync": ["rsync", "-a"]}
# The files that come first, as the disk may have them.
ORDERS = {"blobs": ["blobs", "index.json", "oci-layout"],
          "index": ["index.json", "blobs", "oci-layout"],
          "marker": ["oci-layout", "index.json", "blobs"],
          "marker after index": ["index.json", "oci-layout", "blobs"]}
SAID = "this is part of an image layout"


@pytest.fixture
def layout(tmp_path):
    return layout_of(tmp_path / "layout", v1=image_of([file("n", b"1")]),
                     v2=image_of([file("n", b"2")]))


@pytest.fixture(params=["tree", "registry"])
def mounted(request, mount, tmp_path):
    if request.param == "registry":
        return mount(request.getfixturevalue("registry"), "delete")
    layout_of(tmp_path / "tree/app", v1=image_of([file("n", b"1")]))
    return mount(f"oci:{tmp_path}/tree", "delete")


def copy(source, target, order):
    """As cp -r does, in an order of its own; how many files failed."""
    failed = 0
    os.mkdir(target)
    for name in order:
        for path in [source / name, *sorted((source / name).rglob("*"))]:
            try:
                if path.is_dir():
                    (target / path.relative_to(source)).mkdir()
                else:
                    (target / path.relative_to(source)).write_bytes(
                        path.read_bytes())
            except OSError:
                failed += 1
    return failed


@pytest.mark.parametrize("tool", COPIES)
def test_a_copy_of_a_layout(mounted, layout, tool):
    before = os.listdir(mounted.path)
    mounted.expect_error(SAID)
    # rsync's temporary file is renamed before anything tells of a layout.
    mounted.allow_error("raw/index.json: pushing raw:index.json")
    assert run(*COPIES[tool], f"{layout}/", mounted / "raw",
               check=False).returncode
    assert os.listdir(mounted.path) == before
    assert not (mounted / "raw").exists()


@pytest.mark.parametrize("order", ORDERS)
def test_in_any_order(mounted, layout, order):
    mounted.expect_error(SAID)
    (mounted / "some").mkdir()
    assert copy(layout, mounted / "some/raw", ORDERS[order])
    assert os.listdir(mounted / "some") == []
    assert not (mounted / "some/raw").exists()


def test_what_the_sentence_says(mounted, layout):
    """It works as it is said."""
    (mounted / "some").mkdir()
    run("cp", "-r", layout, mounted / "some/.new")
    os.rename(mounted / "some/.new", mounted / "some/1")
    assert (mounted / "some/1/rootfs/n").read_text() == "1"
