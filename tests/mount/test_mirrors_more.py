# SPDX-License-Identifier: Apache-2.0
"""Registries that files lead elsewhere: lists, logins, certificates."""

import pytest

from registry.server import PASSWORD, USER
from registry.services import GitLab
from registry.static import StaticRegistry
from registry.tls import Authority
from support.home import auth_document
from support.images import oci_image
from test_listers import names, stand_in  # noqa: F401
from test_mirrors import (  # noqa: F401
    HOST, configured, mount_with, registry_table)


def test_the_driver_of_a_location(mount, registry, client, configured):
    oci_image().push(client, "app", "1.0")
    configured(registry_table(registry.address))
    assert names(mount(HOST).path) == ["app"]
    root = mount(HOST, "list=none")
    assert names(root.path) == ["README"]
    assert names(root / "app") == ["1.0"]


def test_a_namespace_of_a_location(mount, stand_in, configured):
    """Which GitLab lists a namespace at a time."""
    service = stand_in(GitLab)
    configured(registry_table(service.address))
    root = mount(HOST)
    assert names(root / "acme") == ["api", "tools", "web"]
    with service.requests() as seen:
        assert names(root / "alice") == ["one", "two", "zoo"]
    assert seen.count("GET", "/gitlab/v1/repository-paths/alice/")


def test_a_namespace_of_which_a_part_is_elsewhere(mount, stand_in, registry,
                                                  configured):
    service = stand_in(GitLab)
    configured(registry_table(service.address),
               registry_table(f"{registry.address}/acme/tools",
                              prefix=f"{HOST}/acme/tools"))
    root = mount(HOST)
    assert names(root / "acme/tools/lint") == ["1.0"]
    assert names(root / "acme/web") == ["1.0"]
    assert names(root / "acme") == ["api", "tools", "web"]


def test_a_mirror_that_needs_a_login(mount, make_registry, proxy, home, client,
                                     configured, proxy_of):
    mirror = make_registry(auth="htpasswd")
    image = oci_image()
    for to in (client, mirror.client(user=USER, password=PASSWORD)):
        image.push(to, "app", "1.0")
    guard = proxy_of(mirror)
    home.docker_config(auth_document(guard.address, USER, PASSWORD))
    configured(registry_table(proxy.address, guard.address))
    with proxy.requests() as asked, guard.requests() as served:
        root = mount(HOST)
        assert (root / "app/1.0/manifest.json").read_bytes() == image.data
    assert served.count(path="/manifests/1.0")
    assert not asked.count(path="/manifests/")


@pytest.mark.parametrize("trusted", [True, False])
def test_containerds_certificates(mount_with, trusted, tmp_path):
    """nginx with HTTP/2, which lets in who shows a certificate."""
    authority = Authority(tmp_path / "ca")
    certificate = authority.issue("lan.example.com", "localhost")
    image = oci_image()
    with StaticRegistry(tmp_path / "static", verify=certificate) as server:
        server.put("app", image, "1.0")
        files = {f"containerd/certs.d/{HOST}/hosts.toml":
                 f'server = "https://lan.example.com:{server.port}"\n'
                 f'ca = "{certificate.ca_file}"\n'
                 + (f'client = [["{certificate.cert_file}", '
                    f'"{certificate.key_file}"]]\n' if trusted else "")}
        result = mount_with(f"{HOST}/app", "1.0/manifest.json", files)
    assert result.stdout == (image.data.decode() if trusted else "")
    assert trusted or "asks for a client certificate" in result.stderr
