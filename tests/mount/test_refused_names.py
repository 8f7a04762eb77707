# SPDX-License-Identifier: Apache-2.0
"""Names that the registry refuses to speak of: who may see what is below a
namespace that is refused, and what mkdir says."""

import errno
import json
import os

import pytest

from registry.server import PASSWORD, USER
from registry.tokens import TokenServer
from support.home import auth_document
from support.images import oci_image
from support.system import fails_with, run

IMAGE = oci_image()
DENIED = json.dumps({"errors": [{"code": "DENIED", "message": "no"}]})


@pytest.fixture(params=[401, 403])
def refused(request, proxy, client):
    """Lists nothing, and speaks of nothing but one repository."""
    IMAGE.push(client, "team/app", "1.0")
    proxy.answers("/v2/(_catalog|(?!team/app/).)", status=request.param,
                  body=DENIED)
    return proxy


def test_a_public_repository_in_a_namespace_that_is_refused(mount, refused):
    root = mount(refused)
    manifest = root / "team/app/1.0/manifest.json"
    assert manifest.read_bytes() == IMAGE.data
    assert os.listdir(root / "team/app") == ["1.0"]
    root.expect_error("team/secret.*needs repository:team/secret")
    with fails_with(errno.EACCES):
        os.listdir(root / "team/secret")
    for path in ("team/secret/1.0/manifest.json", "team/secret/1.0.tar",
                 "team/secret/stable/manifest.json", "team/secret/v2",
                 "team/secret/latest"):
        with fails_with(errno.EACCES):
            os.stat(root / path)


@pytest.mark.parametrize("name", ["alice/one", "acme/tools/lint",
                                  "a/b/c/d/e"])
def test_what_is_there_among_what_is_refused(mount, proxy, client, name):
    """401 for all that it does not have, in namespaces of any depth."""
    IMAGE.push(client, name, "1.0")
    proxy.refuses(f"/v2/(_catalog|(?!{name}/).)", status=401,
                  code="UNAUTHORIZED", message="authentication required")
    assert os.listdir(mount(proxy) / name) == ["1.0"]
    manifest = mount(proxy) / name / "1.0/manifest.json"
    assert manifest.read_bytes() == IMAGE.data
    root = mount(proxy)
    with fails_with(errno.ENOENT):
        os.stat(root / name / "2.0")
    assert (root / name / "1.0.tar").is_file()


@pytest.mark.parametrize("command", ["mkdir", "mkdir -p", "install -d"])
def test_mkdir_without_credentials(mount, refused, command):
    root = mount(refused)
    root.expect_error("new.*no credentials .*log in")
    result = run(*command.split(), root / "new", check=False)
    assert result.returncode == 1
    assert "Permission denied" in result.stderr
    assert "log in" in root.log()


def test_mkdir_with_credentials(mount, refused, home):
    """Some registries refuse to speak of what can be made by a push."""
    home.docker_config(auth_document(refused.address, USER, PASSWORD))
    root = mount(refused)
    run("mkdir", "-p", root / "new/er")
    assert (root / "new/er").is_dir()
    assert run("ls", root / "new/er").stdout == ""


@pytest.mark.parametrize("names", [["team"], ["team", "team/app"]])
def test_mkdir_for_nobody_in_particular(mount, make_registry, tmp_path, names):
    """The token server gives everybody a token, which is good for nothing."""
    with TokenServer(tmp_path / "tokens", {USER: PASSWORD}) as tokens:
        root = mount(make_registry(auth=tokens))
        root.expect_error("no credentials .*log in")
        for name in names:
            result = run("mkdir", root / name, check=False)
            assert "Permission denied" in result.stderr
