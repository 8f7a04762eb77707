# SPDX-License-Identifier: Apache-2.0
"""What a user meets at the prompt who does not know a registry's ways yet."""

import errno
import os

import pytest

from registry.tls import Authority
from support.home import Home
from support.images import oci_image
from support.system import fails_with, run


class ThatHome(Home):
    """A home whose programs have variables of their own."""

    def __init__(self, path, **variables):
        super().__init__(path)
        self._variables = variables

    def environment(self, **more):
        return super().environment(**self._variables, **more)


def test_mkdir_without_credentials(mount, make_registry):
    root = mount(make_registry(auth="htpasswd"))
    root.expect_error("asks for credentials .* registryfs login")
    for name in ("team", "team/app"):
        with fails_with(errno.EACCES):
            os.mkdir(root / name)


def test_a_registry_that_does_not_list_says_so(mount, proxy, client):
    oci_image().push(client, "app", "1.0")
    proxy.answers("/_catalog", status=404)
    root = mount(proxy, "tag_ttl=0")
    for _ in range(2):
        assert os.listdir(root.path) == ["README"]
    said = "does not list its repositories: name one to see it"
    assert root.log().count(said) == 1
    assert said in (root / ".registryfs/log").read_text()
    assert os.listdir(root / "app") == ["1.0"]


@pytest.mark.parametrize("command", ["rm -r team", "rm -rf team",
                                     "rm -r team/app; rmdir team"])
@pytest.mark.parametrize("tags", [["1.0", "2.0"], []], ids=["tags", "none"])
def test_a_namespace_is_removed_to_its_end(mount, make_registry, command,
                                           tags):
    """docker-registry goes on listing a repository without tags."""
    registry = make_registry(deletes=True)
    client = registry.client()
    image = oci_image().push(client, "team/app", "0", *tags)
    if not tags:
        client.request("DELETE", f"/v2/team/app/manifests/{image.digest}")
    root = mount(registry, "delete=recursive")
    result = run("sh", "-e", "-c", command, cwd=root.path, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    with fails_with(errno.ENOENT):
        os.stat(root / "team")


def test_a_proxy_in_upper_case(mount, registry, client, tmp_path):
    """docker-registry answers as a proxy to whatever host."""
    oci_image().push(client, "app", "1.0")
    home = ThatHome(tmp_path / "behind",
                    HTTP_PROXY=f"http://{registry.address}")
    root = mount("http://registry.invalid", home=home)
    assert os.listdir(root / "app") == ["1.0"]


def test_trust_by_a_variable(mount, make_registry, tmp_path):
    certificate = Authority(tmp_path / "ca").issue("localhost")
    registry = make_registry(certificate=certificate)
    home = ThatHome(tmp_path / "trusting",
                    SSL_CERT_FILE=str(certificate.ca_file))
    oci_image().push(registry.client(), "app", "1.0")
    root = mount(f"https://{registry.address}", home=home)
    assert os.listdir(root / "app") == ["1.0"]
