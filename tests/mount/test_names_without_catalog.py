# SPDX-License-Identifier: Apache-2.0
"""Registries that list no repositories: any name may be a namespace, but not
to who makes it, and not where a repository was."""

import errno
import os

import pytest

from registry.proxy import Answer, error_body
from support.archives import docker_archive
from support.images import oci_image
from support.oddly import JSON
from support.system import fails_with, run

# What is said of the tags of a repository that is not there: by olareg, and by
# others.
UNKNOWN = {
    "empty": Answer(200, JSON, b'{"name":"any","tags":[]}'),
    "unknown": Answer(404, JSON, error_body("NAME_UNKNOWN", "not known")),
}


@pytest.fixture
def registry(make_registry):
    return make_registry(deletes=True)


@pytest.fixture
def image():
    return oci_image()


@pytest.fixture
def archive(tmp_path, image):
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive([("app:1.0", image)]))
    return path


@pytest.fixture(params=UNKNOWN)
def root(mount, proxy, client, request):
    def tags(asked, _):
        answer = client.request("GET", asked.path)
        if answer.status == 404 or b'"tags":null' in answer.body:
            return UNKNOWN[request.param]
        return Answer(answer.status, JSON, answer.body)
    proxy.answers("/_catalog", status=404)
    proxy.serves("/tags/list", tags)
    return mount(proxy, "delete=recursive")


def test_a_name_may_be_a_namespace(root, client, image):
    image.push(client, "team/app", "1.0")
    assert os.listdir(root / "team") == []
    assert os.listdir(root / "team/app") == ["1.0"]
    assert os.listdir(root / "team") == ["app"]


def test_mkdir_makes_a_name(root, archive):
    run("mkdir", root / "app")
    assert run("mkdir", root / "app", check=False).returncode == 1
    run("cp", archive, root / "app/1.0.tar")
    assert os.listdir(root / "app") == ["1.0"]


def test_below_what_mkdir_made_there_is_what_is_made(root, archive):
    run("mkdir", "-p", root / "team/app")
    run("cp", archive, root / "team/app/1.0.tar")
    for name in ("team/nosuch", "team/app/nosuch"):
        with fails_with(errno.ENOENT):
            os.stat(root / name)


def test_where_a_repository_was_is_no_namespace(root, client, image, archive):
    image.push(client, "team/app", "1.0")
    assert os.listdir(root / "team/app") == ["1.0"]
    run("rm", "-r", root / "team/app")
    for name in ("team/app", "team/app/1.0"):
        with fails_with(errno.ENOENT):
            os.stat(root / name)
    # It can be again.
    run("mkdir", "-p", root / "team/app")
    run("cp", archive, root / "team/app/2.0.tar")
    assert os.listdir(root / "team/app") == ["2.0"]
