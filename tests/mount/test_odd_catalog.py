# SPDX-License-Identifier: Apache-2.0
"""A page in the place of the list of repositories is no empty list; a registry
that says that it does not list is taken at its word."""

import errno
import os

import pytest

from registry.proxy import Answer
from support.images import oci_image
from support.oddly import HTML, JSON, PAGE, WORDS
from support.system import fails_with, run
from test_odd_lists import NOT_FOUND

IMAGE = oci_image()
STATUSES = [400, 403, 404, 405]


@pytest.mark.parametrize("status", STATUSES)
def test_a_page_in_place_of_the_catalog(mount, proxy, client, tmp_path, status):
    """It is nothing that the registry has said: a copy keeps what it has."""
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, "tag_ttl=0")
    root.expect_error(
        f"list of repositories.*: answered {status} with a page: .*{WORDS}")
    proxy.answers("/_catalog", status=status, headers=HTML, body=PAGE)
    with fails_with(errno.EIO):
        os.listdir(root.path)
    copy = tmp_path / "copy"
    (copy / "app").mkdir(parents=True)
    result = run("rsync", "-a", "--delete", f"{root.path}/", copy, check=False)
    assert result.returncode == 23
    assert os.listdir(copy) == ["app"]
    # But names can be looked up.
    assert os.listdir(root / "app") == ["1.0"]
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data
    proxy.heal()
    assert os.listdir(root.path) == ["app"]


@pytest.mark.parametrize("answer", [
    Answer(404, JSON, NOT_FOUND), Answer(404),
    Answer(405, JSON, b'{"errors":[{"code":"UNSUPPORTED"}]}'),
    Answer(404, {"Content-Type": "text/plain"}, b"404 page not found\n"),
    Answer(404, {**HTML, "Docker-Distribution-Api-Version": "registry/2.0"},
           PAGE)])
def test_a_registry_that_does_not_list(mount, proxy, client, answer):
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy)
    proxy.serves("/_catalog", lambda *_: answer)
    assert os.listdir(root.path) == ["README"]
    assert os.listdir(root / "app") == ["1.0"]
    assert os.listdir(root.path) == ["app"]


@pytest.mark.parametrize("answer, code", [
    (Answer(200, HTML, PAGE), errno.EIO), (Answer(200, JSON, b"{}"), errno.EIO),
    (Answer(500), errno.EIO),
    (Answer(429, {"Retry-After": "0"}), errno.EBUSY)])
def test_a_list_that_is_broken_closes_no_name(mount, proxy, client, answer,
                                              code):
    IMAGE.push(client, "team/app", "1.0")
    root = mount(proxy)
    root.expect_error("list of repositories|_catalog")
    proxy.serves("/_catalog", lambda *_: answer)
    with fails_with(code):
        os.listdir(root.path)
    assert os.listdir(root / "team/app") == ["1.0"]
    assert (root / "team/app:1.0/manifest.json").read_bytes() == IMAGE.data
    with fails_with(errno.ENOENT):
        os.stat(root / "team/app/2.0")
