# SPDX-License-Identifier: Apache-2.0
"""The mount point itself: what asks for it only waits for no registry."""

import os

import pytest

from support.images import oci_image
from support.system import run
from support.waiting import promptly


def test_the_size_of_a_mount_whose_registry_is_silent(mount, proxy, client):
    oci_image().push(client, "app", "1.0")
    root = mount(proxy, "timeout=20")
    proxy.falls_silent("/v2/")
    for command in (["df", root.path], ["stat", root.path],
                    ["stat", "-f", root.path], ["ls", "-ld", root.path]):
        promptly(*command)
    proxy.heal()
    assert promptly("ls", root.path) == "app\n"


def test_a_list_that_fails_when_it_is_read(mount, proxy, client):
    """The mount point's, which is opened without it."""
    oci_image().push(client, "app", "1.0")
    root = mount(proxy, "tag_ttl=0")
    root.expect_error("on fire")
    proxy.refuses("/_catalog", status=500, code="UNKNOWN",
                  message="the disk is on fire")
    for command in (["ls"], ["find"], ["cp", "-r", "-t", "/nowhere"]):
        result = run(*command, root.path, check=False)
        assert result.returncode != 0
    with pytest.raises(OSError):
        os.listdir(root.path)
    proxy.heal()
    assert promptly("ls", root.path) == "app\n"
