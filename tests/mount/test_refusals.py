# SPDX-License-Identifier: Apache-2.0
"""What the log has of programs that run into the rules of the mount."""

import os

from support.layers import image_of
from support.system import run
from support.tars import file


def test_one_refusal_a_program(mount, registry, client):
    """rm -rf in an image is one line, and not one a file."""
    image_of([file(f"{number}") for number in range(50)]).push(
        client, "app", "1.0")
    root = mount(registry)
    root.expect_error("remove: .*part of an image")
    inside = root / "app/1.0"
    for path in (inside / "rootfs", inside, inside):
        before = root.log().count("part of an image")
        result = run("rm", "-rf", path, check=False)
        assert result.returncode != 0
        assert result.stderr.count("Operation not permitted") > 1
        assert root.log().count("part of an image") == before + 1
    assert os.listdir(inside / "rootfs")


def test_each_program_and_each_rule(mount, registry, client):
    image_of([file("f")]).push(client, "app", "1.0")
    root = mount(registry)
    root.expect_error("part of an image")
    root.expect_error("no directory can be created in an image")
    inside = root / "app/1.0"
    for count in (1, 2):
        run("rm", "-f", inside / "rootfs/f", check=False)
        assert root.log().count("f: this is part of an image") == count
    run("mkdir", inside / "a", inside / "b", inside / "c", check=False)
    assert root.log().count("no directory can be created") == 1
