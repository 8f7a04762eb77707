# SPDX-License-Identifier: Apache-2.0
"""Credentials: from each place where people have them, and without any."""

import base64
import errno
import os

import pytest

from registry.proxy import Proxy
from registry.server import PASSWORD, USER
from support.home import auth_document
from support.images import oci_image


@pytest.fixture
def registry(make_registry):
    """docker-registry with htpasswd."""
    return make_registry(auth="htpasswd")


@pytest.fixture
def client(registry):
    return registry.client(user=USER, password=PASSWORD)


@pytest.fixture
def image(client):
    return oci_image().push(client, "team/app", "1.0")


def read_all(root):
    """Something of everything that asks for credentials."""
    assert os.listdir(root.path) == ["team"]
    assert os.listdir(root / "team/app") == ["1.0"]
    (root / "team/app/1.0/layers/01.tar.gz").read_bytes()
    return (root / "team/app/1.0/manifest.json").read_bytes()


def in_docker_config(home, address, document):
    home.docker_config(document)


def in_containers_auth(home, address, document):
    home.containers_auth(document)


def in_docker_config_by_url(home, address, document):
    home.docker_config({"auths": {
        f"https://{address}/v1/": document["auths"][address]}})


def in_a_credential_helper(home, address, document):
    home.credential_helper("test", {address: (USER, PASSWORD)})
    home.docker_config({"credHelpers": {address: "test"}})


def in_the_credential_store(home, address, document):
    home.credential_helper("test", {address: (USER, PASSWORD)})
    home.docker_config({"credsStore": "test", "auths": {address: {}}})


@pytest.mark.parametrize("place", [
    in_docker_config, in_containers_auth, in_docker_config_by_url,
    in_a_credential_helper, in_the_credential_store])
def test_credentials(mount, registry, home, image, place):
    place(home, registry.address,
          auth_document(registry.address, USER, PASSWORD))
    assert read_all(mount(registry)) == image.data


def test_authfile(mount, registry, home, image):
    authfile = home.auth_file(auth_document(registry.address, USER, PASSWORD))
    assert read_all(mount(registry, f"authfile={authfile}")) == image.data


def test_authfile_is_the_only_one(mount, registry, home, image):
    home.docker_config(auth_document(registry.address, USER, PASSWORD))
    authfile = home.auth_file({"auths": {}})
    root = mount(registry, f"authfile={authfile}")
    assert_refused(root, registry)


def test_containers_auth_comes_before_dockers(mount, registry, home, image):
    home.containers_auth(auth_document(registry.address, USER, PASSWORD))
    home.docker_config(auth_document(registry.address, USER, "wrong"))
    assert read_all(mount(registry)) == image.data


def test_credentials_of_a_namespace_come_first(mount, registry, home, image):
    """containers-auth.json(5): the longest key that fits."""
    document = auth_document(registry.address, USER, "wrong")
    document["auths"] |= auth_document(f"{registry.address}/team", USER,
                                       PASSWORD)["auths"]
    home.containers_auth(document)
    assert os.listdir(mount(registry) / "team/app") == ["1.0"]


def assert_refused(root, registry):
    root.expect_error(f"(credentials|password).*{registry.address}|"
                      f"{registry.address}.*(credentials|log in)")
    with pytest.raises(OSError) as failure:
        os.listdir(root / "team/app")
    assert failure.value.errno == errno.EACCES


def test_without_credentials(mount, registry, image):
    assert_refused(mount(registry), registry)


def test_with_the_wrong_password(mount, registry, home, image):
    home.docker_config(auth_document(registry.address, USER, "wrong"))
    assert_refused(mount(registry), registry)


def test_with_credentials_for_another_registry(mount, registry, home, image):
    home.docker_config(auth_document("localhost:1", USER, PASSWORD))
    assert_refused(mount(registry), registry)


def test_a_broken_file_is_named(mount, registry, home, image):
    path = home.docker_config({})
    path.write_text("{ no JSON")
    root = mount(registry)
    root.expect_error(str(path))
    with pytest.raises(OSError):
        os.listdir(root / "team/app")


def test_a_helper_that_fails_is_named(mount, registry, home, image):
    home.docker_config({"credHelpers": {registry.address: "missing"}})
    root = mount(registry)
    root.expect_error("docker-credential-missing")
    with pytest.raises(OSError):
        os.listdir(root / "team/app")


def test_a_login_is_seen_by_a_mount_that_stands(mount, registry, home, image):
    root = mount(registry, "tag_ttl=0")
    assert_refused(root, registry)
    home.docker_config(auth_document(registry.address, USER, PASSWORD))
    assert os.listdir(root / "team/app") == ["1.0"]


def test_the_log_keeps_secrets(mount, registry, home, image):
    home.docker_config(auth_document(registry.address, USER, PASSWORD))
    root = mount(registry, arguments=["--debug=all"])
    read_all(root)
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert "/v2/team/app/tags/list" in root.log()
    assert PASSWORD not in root.log()
    assert basic not in root.log()


@pytest.fixture
def storage(make_registry, registry):
    """Object storage: it has the registry's blobs and asks for no password,
    but refuses whoever shows it one (S3: "Only one auth mechanism allowed").
    """
    with Proxy(make_registry(storage=registry.storage).address) as bucket:
        yield bucket


def test_a_redirect_is_followed_without_credentials(mount, registry, home,
                                                    image, storage):
    with Proxy(registry.address) as proxy:
        home.docker_config(auth_document(proxy.address, USER, PASSWORD))
        proxy.redirects("/blobs/", to=storage, method="GET")
        root = mount(proxy)
        with storage.requests() as seen:
            assert read_all(root) == image.data
    assert seen.count("GET", "/blobs/") > 0
    assert not [r for r in seen if "authorization" in r.headers]
