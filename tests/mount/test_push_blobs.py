# SPDX-License-Identifier: Apache-2.0
"""What of an archive travels, when, and how much memory that takes."""

import hashlib
import json
import os
import random
import tarfile

import pytest

from registry.faults import Hold, slow
from registry.process import wait_until
from registry.server import PASSWORD, USER
from registry.tokens import SERVICE, TokenServer
from support.archives import (
    WRAPPERS, docker_archive, oci_archive, plain_layer)
from support.home import auth_document
from support.images import gzip_layer, oci_image
from support.system import run

MIB = 1 << 20
MEMORY_LIMIT = 64 * MIB


def noise(size, seed):
    return random.Random(seed).randbytes(size)


LAYERS = [{f"data-{seed}": noise(300_000, seed)} for seed in (11, 12, 13)]
IMAGE = oci_image(*map(plain_layer, LAYERS))
ARCHIVE = docker_archive([("app:1.0", IMAGE)])
# The same layers below one that is new, as a build after a change has them.
NEXT_IMAGE = oci_image(*map(plain_layer, LAYERS), plain_layer({"new": b"new"}))
NEXT_ARCHIVE = docker_archive([("app:2.0", NEXT_IMAGE)])

UPLOADS = "/blobs/uploads/"


@pytest.fixture
def mounted(mount, proxy):
    return mount(proxy)


def push(mounted, name, archive=ARCHIVE):
    os.makedirs((mounted / name).parent, exist_ok=True)
    (mounted / name).write_bytes(archive)


def uploads(seen):
    """Of blobs: requests that begin one or carry one."""
    return [request for method in ("POST", "PUT", "PATCH")
            for request in seen.matching(method, "/blobs/")]


# What is there is not sent.

@pytest.mark.parametrize("again", [lambda m: m, lambda m: None],
                         ids=["same mount", "another mount"])
def test_layers_that_are_there(mount, proxy, client, again):
    first = mount(proxy)
    push(first, "app/1.0.tar")
    mounted = again(first) or mount(proxy)
    with proxy.requests() as seen:
        push(mounted, "app/2.0.tar")
    assert uploads(seen) == []
    assert client.manifest("app", "2.0").body == (
        client.manifest("app", "1.0").body)


def test_layers_of_another_client(mounted, proxy, client):
    """Compressed by another program: what counts is what is in them."""
    pushed = oci_image(*map(gzip_layer, LAYERS)).push(client, "app", "1.0")
    with proxy.requests() as seen:
        push(mounted, "app/2.0.tar")
    assert seen.count("PUT", UPLOADS) == 0
    layers = client.manifest("app", "2.0").json()["layers"]
    assert [layer["digest"] for layer in layers] == [
        layer.digest for layer in pushed.layers]


@pytest.mark.parametrize("again", [lambda m: m, lambda m: None],
                         ids=["same mount", "another mount"])
def test_only_the_new_layer_is_sent(mount, proxy, again):
    first = mount(proxy)
    push(first, "app/1.0.tar")
    mounted = again(first) or mount(proxy)
    with proxy.requests() as seen:
        push(mounted, "app/2.0.tar", NEXT_ARCHIVE)
    # The new layer, and the config that names it.
    assert seen.count("PUT", UPLOADS) == 2
    assert sum(request.sent for request in uploads(seen)) < 2_000


def test_layers_of_an_oci_archive(mounted, proxy):
    archive = oci_archive([("1.0", oci_image(*map(gzip_layer, LAYERS)))])
    push(mounted, "app/1.0.tar", archive)
    with proxy.requests() as seen:
        push(mounted, "app/2.0.tar", archive)
    assert uploads(seen) == []


def test_layers_of_another_repository_are_mounted(mounted, proxy, client):
    push(mounted, "app/1.0.tar")
    with proxy.requests() as seen:
        push(mounted, "other/1.0.tar")
    mounts = [request.status for request in seen.matching("POST", "mount=")]
    assert len(mounts) >= len(LAYERS)
    assert set(mounts) == {201}
    assert sum(request.sent for request in uploads(seen)) < 2_000
    assert client.tags("other") == ["1.0"]


def test_a_registry_that_does_not_mount(mounted, proxy, client):
    push(mounted, "app/1.0.tar")
    proxy.refuses("mount=", method="POST", status=405, code="UNSUPPORTED",
                  message="no mounts here")
    push(mounted, "other/1.0.tar")
    assert client.tags("other") == ["1.0"]


def test_a_layer_that_the_registry_has_lost(mounted, proxy, client):
    """What was known is asked for, not believed."""
    push(mounted, "app/1.0.tar")
    for layer in client.manifest("app", "1.0").json()["layers"]:
        proxy.refuses(f"/blobs/{layer['digest']}", method="HEAD",
                      status=404, code="BLOB_UNKNOWN", message="gone")
    with proxy.requests() as seen:
        push(mounted, "app/2.0.tar")
    assert seen.count("PUT", UPLOADS) == len(LAYERS)


# What is sent is always the same.

def test_the_same_archive_gives_the_same_image(mount, make_registry):
    registries = [make_registry(), make_registry()]
    for registry, size in zip(registries, (700, 100_000)):
        mounted = mount(registry)
        (mounted / "app").mkdir()
        with open(mounted / "app/1.0.tar", "wb", buffering=0) as file:
            for start in range(0, len(ARCHIVE), size):
                file.write(ARCHIVE[start:start + size])
    one, other = (registry.client().manifest("app", "1.0").body
                  for registry in registries)
    assert one == other


# When it is sent.

def test_layers_travel_side_by_side(mounted, proxy, client):
    hold = Hold(at=1000)
    proxy.receives(UPLOADS, hold, method="PUT", times=1)
    (mounted / "app").mkdir()
    with proxy.requests() as seen, \
            open(mounted / "app/1.0.tar", "wb", buffering=0) as file:
        file.write(ARCHIVE[:-len(ARCHIVE) // 10])
        hold.wait_reached()
        wait_until(lambda: seen.count("PUT", UPLOADS) >= 2,
                   "the second upload, while the first stands still")
        hold.release()
        file.write(ARCHIVE[-len(ARCHIVE) // 10:])
    assert client.tags("app") == ["1.0"]


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())
def test_it_is_sent_while_it_is_written(mounted, proxy, client, wrap):
    archive = wrap(ARCHIVE)
    (mounted / "app").mkdir()
    with open(mounted / "app/1.0.tar", "wb", buffering=0) as file:
        file.write(archive[:len(archive) * 9 // 10])
        proxy.wait_for_request("PUT", UPLOADS)
        assert client.tags("app") == []
        file.write(archive[len(archive) * 9 // 10:])
    assert client.tags("app") == ["1.0"]


# With tokens.

@pytest.fixture
def token_server(tmp_path):
    with TokenServer(tmp_path / "tokens", {USER: PASSWORD}) as running:
        yield running


@pytest.fixture
def token_registry(make_registry, token_server):
    return make_registry(auth=token_server)


@pytest.fixture
def guarded(token_registry, proxy_of, home):
    """A proxy of a registry that wants tokens, and a login for it."""
    proxy = proxy_of(token_registry)
    home.docker_config(auth_document(proxy.address, USER, PASSWORD))
    return proxy


def wait_for_the_end_of_tokens(registry, token_server):
    """Of all that have been given until now."""
    token = token_server.token(USER, "repository:app:pull")
    client = registry.client(token=token)
    wait_until(lambda: client.request(
        "GET", "/v2/app/tags/list").status == 401, "the token's end")


def test_a_token_expires_between_two_layers(mount, guarded, token_registry,
                                            token_server):
    """The client was told that it lives longer."""
    token_server.lifetime = 1
    mounted = mount(guarded)
    (mounted / "app").mkdir()
    half = len(ARCHIVE) // 2
    with open(mounted / "app/1.0.tar", "wb", buffering=0) as file:
        file.write(ARCHIVE[:half])
        first = guarded.wait_for_request("PUT", UPLOADS)
        wait_until(lambda: first.status, "the first upload's end")
        wait_for_the_end_of_tokens(token_registry, token_server)
        with guarded.requests() as seen:
            file.write(ARCHIVE[half:])
    assert 401 in [request.status for request in seen]
    assert os.listdir(mounted / "app") == ["1.0"]


def test_a_token_expires_while_a_layer_is_sent(mount, guarded, token_server):
    token_server.lifetime = 1
    guarded.receives(UPLOADS, slow(150_000), method="PUT")
    mounted = mount(guarded)
    with guarded.requests() as seen:
        push(mounted, "app/1.0.tar")
    assert 401 in [request.status for request in seen]
    assert os.listdir(mounted / "app") == ["1.0"]


def test_an_upload_whose_token_is_refused_is_sent_again(mount, guarded,
                                                        token_server):
    realm = token_server.registry_config()["realm"]
    guarded.answers(
        f"{UPLOADS}.*digest=", method="PUT", times=1, status=401, headers={
            "WWW-Authenticate": f'Bearer realm="{realm}",service="{SERVICE}",'
                                'scope="repository:app:pull,push"'})
    mounted = mount(guarded)
    with guarded.requests() as seen:
        push(mounted, "app/1.0.tar")
    sent = [request.sent for request in seen.matching("PUT", UPLOADS)]
    assert len(sent) > len(LAYERS) + 1
    assert os.listdir(mounted / "app") == ["1.0"]


# How much memory it takes.

def write_large_archive(path, layers, layer_size):
    """A docker-archive that never is in memory as a whole."""
    names, diff_ids = [], []
    with tarfile.open(path, "w") as archive:
        for number in range(layers):
            content = path.with_name(f"content-{number}")
            with open(content, "wb") as file:
                for seed in range(layer_size // MIB):
                    file.write(noise(MIB // 2, f"{number}.{seed}"))
                    file.write(bytes(MIB // 2))
            layer = path.with_name(f"{number}.tar")
            with tarfile.open(layer, "w") as tar:
                tar.add(content, arcname=content.name)
            with open(layer, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            archive.add(layer, arcname=layer.name)
            names.append(layer.name)
            diff_ids.append(f"sha256:{digest}")
            content.unlink()
            layer.unlink()
        config = {"architecture": "amd64", "os": "linux", "config": {},
                  "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        manifest = [{"Config": "config.json", "RepoTags": ["app:1.0"],
                     "Layers": names}]
        for name, document in (("config.json", config),
                               ("manifest.json", manifest)):
            file = path.with_name(name)
            file.write_text(json.dumps(document))
            archive.add(file, arcname=name)


@pytest.mark.parametrize("compress", [None, ["zstd", "-q", "-1"]],
                         ids=["plain", "zstd"])
def test_memory_does_not_grow_with_the_archive(mount, registry, client,
                                               plain_binary, tmp_path,
                                               compress):
    archive = tmp_path / "large.tar"
    write_large_archive(archive, layers=3, layer_size=100 * MIB)
    if compress:
        run(*compress, archive)
        archive = archive.with_name("large.tar.zst")
    mounted = mount(registry, program=plain_binary)
    (mounted / "app").mkdir()
    run("cp", archive, mounted / "app/1.0.tar")
    assert client.tags("app") == ["1.0"]
    assert mounted.peak_memory() <= MEMORY_LIMIT
