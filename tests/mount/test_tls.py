# SPDX-License-Identifier: Apache-2.0
"""Registries behind TLS whose certificates a private authority signed."""

import os

import pytest

from registry.server import PASSWORD, USER
from registry.tls import Authority
from support.home import auth_document
from support.images import layer_of_size, oci_image
from support.system import run

# In a mount namespace with an /etc/hosts of its own this name leads to this
# machine by an address that is not loopback's: nothing is tried unverified.
HOST, ADDRESS = "registry.test", "0.0.0.0"
# And this one by one that is.
LOCAL = "dev.docker.local"

MOUNT_BY_NAME = """
set -e
mount --bind "$HOSTS" /etc/hosts
"$BINARY" -o "$OPTIONS" "$ADDRESS" "$MOUNTPOINT"
cat "$MOUNTPOINT/app/1.0/manifest.json"
fusermount3 -u "$MOUNTPOINT"
"""


@pytest.fixture
def certificate(tmp_path):
    return Authority(tmp_path / "ca").issue(HOST, "localhost", "127.0.0.1")


@pytest.fixture
def registry(make_registry, certificate):
    return make_registry(certificate=certificate)


@pytest.fixture
def image(client):
    return oci_image(layer_of_size(300_000)).push(client, "app", "1.0")


@pytest.fixture
def mount_by_name(binary, home, registry, tmp_path):
    """Mounts HOST's registry, prints a manifest and unmounts."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {LOCAL}\n{ADDRESS} {HOST}\n")
    mountpoint = tmp_path / "mnt"
    mountpoint.mkdir()

    def execute(*options, scheme="", host=HOST, **environment):
        options = ",".join([f"cache={tmp_path}/cache", *options])
        return run("unshare", "--mount", "sh", "-c", MOUNT_BY_NAME,
                   check=False, env=home.environment(
                       HOSTS=str(hosts), BINARY=str(binary), OPTIONS=options,
                       ADDRESS=f"{scheme}{host}:{registry.port}",
                       MOUNTPOINT=str(mountpoint), **environment))
    return execute


def test_trusted_by_certs_d(mount_by_name, registry, certificate, home, image):
    home.trust(f"{HOST}:{registry.port}", certificate.ca_file)
    result = mount_by_name()
    assert result.stderr == ""
    assert result.stdout == image.data.decode()


@pytest.mark.parametrize("scheme", ["", "https://"])
def test_an_unknown_authority_is_refused(mount_by_name, registry, image,
                                         scheme):
    result = mount_by_name(scheme=scheme)
    (sentence,) = result.stderr.splitlines()
    assert result.returncode == 1
    assert sentence.startswith("registryfs: ")
    assert f"{HOST}:{registry.port}" in sentence
    assert "certificate" in sentence


def test_another_registrys_authority_is_refused(mount_by_name, registry, home,
                                                tmp_path, image):
    stranger = Authority(tmp_path / "stranger")
    home.trust(f"{HOST}:{registry.port}", stranger.ca_file)
    result = mount_by_name()
    assert result.returncode == 1
    assert "cannot be trusted" in result.stderr


def test_a_certificate_for_another_name_is_refused(
        mount_by_name, make_registry, registry, home, tmp_path):
    authority = Authority(tmp_path / "other")
    registry.stop()
    make_registry(certificate=authority.issue("elsewhere.test", "localhost"),
                  port=registry.port)
    home.trust(f"{HOST}:{registry.port}", authority.ca_file)
    result = mount_by_name()
    assert result.returncode == 1
    assert "certificate" in result.stderr


def test_insecure_takes_any_certificate(mount_by_name, image):
    result = mount_by_name("insecure")
    assert result.stderr == ""
    assert result.stdout == image.data.decode()


def test_plain_http_needs_insecure(mount_by_name, make_registry, registry):
    """Except on loopback, where everybody expects it to work."""
    registry.stop()
    plain = make_registry(port=registry.port)
    image = oci_image().push(plain.client(), "app", "1.0")
    refused = mount_by_name()
    assert refused.returncode == 1
    assert "insecure" in refused.stderr
    assert mount_by_name("insecure").stdout == image.data.decode()


def test_loopback_needs_no_trust(mount, registry, image):
    root = mount(registry)
    assert (root / "app/1.0/manifest.json").read_bytes() == image.data


def test_a_name_of_loopback_needs_no_trust(mount_by_name, image):
    """As docker takes 127.0.0.0/8, by whatever name /etc/hosts leads there."""
    result = mount_by_name(host=LOCAL)
    assert result.stderr == ""
    assert result.stdout == image.data.decode()


def test_a_name_of_loopback_is_asked_for_no_proxy(mount_by_name, image):
    """It would not know the name, and could be anybody."""
    result = mount_by_name(host=LOCAL, https_proxy="http://127.0.0.1:1")
    assert result.stdout == image.data.decode()


def test_a_name_of_loopback_may_speak_plain_http(mount_by_name, make_registry,
                                                 registry):
    registry.stop()
    plain = make_registry(port=registry.port)
    image = oci_image().push(plain.client(), "app", "1.0")
    result = mount_by_name(host=LOCAL)
    assert result.stderr == ""
    assert result.stdout == image.data.decode()
    refused = mount_by_name(host=LOCAL, scheme="https://")
    assert refused.returncode == 1
    assert LOCAL in refused.stderr


def test_http_2(mount, registry, image):
    with registry.requests() as seen:
        root = mount(registry)
        layer = root / "app/1.0/layers/01.tar.gz"
        assert layer.read_bytes() == image.layers[0].data
    assert {request.protocol for request in seen if request.method == "GET"
            and "/app/" in request.path} == {"HTTP/2.0"}


def test_with_a_password(mount, make_registry, certificate, home):
    registry = make_registry(certificate=certificate, auth="htpasswd")
    image = oci_image().push(
        registry.client(user=USER, password=PASSWORD), "app", "1.0")
    home.trust(registry.address, certificate.ca_file)
    home.docker_config(auth_document(registry.address, USER, PASSWORD))
    root = mount(registry)
    assert os.listdir(root.path) == ["app"]
    assert (root / "app/1.0/manifest.json").read_bytes() == image.data
