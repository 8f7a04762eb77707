# SPDX-License-Identifier: Apache-2.0
"""Tags of two images in one repository, and what a registry has of them."""

import pytest

from support.images import gzip_layer, layer_of_size, oci_image
from support.system import run

IMAGE = oci_image(layer_of_size(300_000), gzip_layer({"etc/motd": b"1\n"}))
OTHER = oci_image(gzip_layer({"etc/motd": b"2\n"}))


def shell(directory, script, check=True):
    """The proxy is a thread of this process, which the start of another one in
    a directory of the mount would hold up: the shell goes there itself."""
    return run("bash", "-c", f'cd "$0" && {{ {script}; }}', directory,
               check=check)


def digests(client, repository):
    return {tag: client.manifest(repository, tag).headers[
        "Docker-Content-Digest"] for tag in client.tags(repository)}


@pytest.fixture
def root(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    OTHER.push(client, "app", "other")
    return mount(proxy)


@pytest.fixture
def deleting(mount, make_registry, proxy_of):
    """A mount that deletes, of a registry that does: (mount, client, proxy)."""
    registry = make_registry(deletes=True)
    proxy = proxy_of(registry)
    client = registry.client()
    IMAGE.push(client, "app", "1.0", "same")
    OTHER.push(client, "app", "other")
    return mount(proxy, "delete"), client, proxy
