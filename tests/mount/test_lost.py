# SPDX-License-Identifier: Apache-2.0
"""What the registry has lost fails every tool: it is no empty directory, and no
name that does not exist."""

import errno
import os
import random
import shutil

import pytest

from support import parts
from support.caches import evict_blobs
from support.chunked import chunked
from support.estargz import estargz
from support.images import index_of, oci_image, platform_images
from support.layers import image_of, layer
from support.referrers import fallback_tag, listed, referrer_of
from support.system import fails_with, run
from support.tars import directory, file
from support.trees import outline

BASE = [directory("etc"), file("etc/passwd", "root:x:0:0\n"), file("low", "1")]
TOP = [directory("etc"), file("etc/hosts", "localhost\n"), file("top", "2")]
ALL = {"etc/": None, "etc/hosts": b"localhost\n", "etc/passwd": b"root:x:0:0\n",
       "low": b"1", "top": b"2"}
FORMS = {"plain": lambda entries: layer(entries, "plain"),
         "gzip": layer,
         "zstd": lambda entries: layer(entries, "zstd"),
         "estargz": estargz,
         "chunked": chunked}
# Of a directory, with their output where the test is.
TOOLS = {"find": ["find", "{}"],
         "ls": ["ls", "{}"],
         "ls -R": ["ls", "-lR", "{}"],
         "tar": ["tar", "-cf", "out", "-C", "{}", "."],
         "cp": ["cp", "-a", "{}", "out"],
         "grep": ["grep", "-r", "root", "{}"],
         "rsync": ["rsync", "-a", "{}/", "out"]}
# What grep says of an error, whatever else it found, is 2.
FOUND_NOTHING = {"grep": 1}


def lose(proxy, blob, status=404, **more):
    return proxy.refuses(f"/(blobs|manifests)/{blob.digest}", status=status,
                         code="BLOB_UNKNOWN", message="blob unknown", **more)


def says_what_is_lost(root, blob, repository="app"):
    """In the log: which blob, of which repository, and what it means."""
    root.expect_error(
        f"{repository}: the registry does not have (blob|manifest) "
        f"{blob.digest}, although a manifest names it: push the image again")


def tool(name, path, where):
    """The tool's result: its status, and what it printed or made."""
    where.mkdir()
    return run(*(word.format(path) for word in TOOLS[name]), cwd=where,
               check=False)


def assert_fails(name, path, where):
    result = tool(name, path, where)
    assert result.returncode not in (0, FOUND_NOTHING.get(name)), result
    assert "Input/output error" in result.stderr, result


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", TOOLS)
def test_tools_fail(mount, proxy, client, tmp_path, name, form):
    lost = FORMS[form](BASE)
    image_of(lost, TOP).push(client, "app", "1.0")
    root = mount(proxy)
    lose(proxy, lost)
    says_what_is_lost(root, lost)
    for number, path in enumerate(("rootfs", "layers/01")):
        assert_fails(name, root / "app/1.0" / path, tmp_path / f"{number}")
    proxy.heal()
    healed = tool(name, root / "app/1.0/rootfs", tmp_path / "healed")
    assert healed.returncode == 0, healed
    assert outline(root / "app/1.0/rootfs") == ALL


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("form", FORMS)
def test_names_come_back(mount, proxy, client, form, status):
    """That a name is not there is not what the kernel is to keep."""
    lost = FORMS[form](BASE)
    image_of(lost, TOP).push(client, "app", "1.0")
    root = mount(proxy)
    lose(proxy, lost, status)
    says_what_is_lost(root, lost)
    for name in ("etc/passwd", "low", "nothing"):
        with fails_with(errno.EIO):
            os.stat(root / "app/1.0/rootfs" / name)
        with fails_with(errno.EIO):
            os.stat(root / "app/1.0/layers/01" / name)
    proxy.heal()
    for name in ("etc/passwd", "low"):
        os.stat(root / "app/1.0/rootfs" / name)
        os.stat(root / "app/1.0/layers/01" / name)
    with fails_with(errno.ENOENT):
        os.stat(root / "app/1.0/rootfs/nothing")


@pytest.mark.parametrize("form", FORMS)
def test_it_is_asked_for_once(mount, proxy, client, form):
    """404 is an answer, and not to be asked for again at once."""
    lost = FORMS[form](BASE)
    image_of(lost).push(client, "app", "1.0")
    root = mount(proxy)
    lose(proxy, lost)
    says_what_is_lost(root, lost)
    with proxy.requests() as seen, fails_with(errno.EIO):
        os.listdir(root / "app/1.0/rootfs")
    assert seen.count("GET", lost.digest) == 1


def test_rsync_keeps_an_earlier_copy(mount, proxy, client, tmp_path):
    """It deletes nothing where it could not read everything."""
    lost = layer(BASE)
    image_of(lost, TOP).push(client, "app", "1.0")
    copy = tmp_path / "copy"
    command = ["rsync", "-a", "--delete"]
    first = mount(proxy)
    run(*command, f"{first.path}/app/1.0/rootfs/", copy)
    assert outline(copy) == ALL
    lose(proxy, lost)
    second = mount(proxy)
    says_what_is_lost(second, lost)
    result = run(*command, f"{second.path}/app/1.0/rootfs/", copy, check=False)
    assert result.returncode == 23, result
    assert outline(copy) == ALL
    proxy.heal()
    run(*command, f"{second.path}/app/1.0/rootfs/", copy)
    assert outline(copy) == ALL


def test_a_blob_as_it_is_stored(mount, proxy, client):
    lost = layer(BASE)
    image_of(lost, TOP).push(client, "app", "1.0")
    root = mount(proxy)
    lose(proxy, lost)
    says_what_is_lost(root, lost)
    for name in ("layers/01.tar.gz", "image.tar"):
        with fails_with(errno.EIO):
            (root / "app/1.0" / name).read_bytes()
    result = run("cp", root / "app/1.0.tar", root.cache, check=False)
    assert result.returncode == 1
    assert "Input/output error" in result.stderr
    proxy.heal()
    assert (root / "app/1.0/layers/01.tar.gz").read_bytes() == lost.data


def test_a_config(mount, proxy, client):
    image = image_of(BASE).push(client, "app", "1.0")
    root = mount(proxy)
    lose(proxy, image.config)
    says_what_is_lost(root, image.config)
    with fails_with(errno.EIO):
        (root / "app/1.0/config.json").read_bytes()
    proxy.heal()
    assert (root / "app/1.0/config.json").read_bytes() == image.config.data


@pytest.mark.parametrize("form", FORMS)
def test_a_part_of_a_layer(mount, proxy, client, tmp_path, form):
    """Names are known from an earlier mount, and the bytes are not there."""
    data = random.Random(1).randbytes(300_000)
    lost = FORMS[form]([directory("etc"), file("etc/large", data)])
    image_of(lost).push(client, "app", "1.0")
    shared = tmp_path / "shared"
    first = mount(proxy, f"cache={shared}")
    os.stat(first / "app/1.0/rootfs/etc/large")
    first.unmount()
    evict_blobs(shared)
    root = mount(proxy, f"cache={shared}")
    lose(proxy, lost)
    says_what_is_lost(root, lost)
    path = root / "app/1.0/rootfs/etc/large"
    assert os.listdir(path.parent) == ["large"]
    with fails_with(errno.EIO):
        path.read_bytes()
    result = run("cp", path, tmp_path / "copy", check=False)
    assert result.returncode == 1
    proxy.heal()
    assert path.read_bytes() == data


def test_a_layer_that_was_kept_decoded(mount, proxy, client, tmp_path):
    """One zstd frame: it is read from its start, as a whole."""
    data = random.Random(2).randbytes(20 << 20)
    lost = layer([directory("etc"), file("etc/large", data)], "zstd")
    image_of(lost).push(client, "app", "1.0")
    shared = tmp_path / "shared"
    first = mount(proxy, f"cache={shared}")
    os.stat(first / "app/1.0/rootfs/etc/large")
    first.unmount()
    evict_blobs(shared)
    root = mount(proxy, f"cache={shared}")
    lose(proxy, lost)
    says_what_is_lost(root, lost)
    path = root / "app/1.0/rootfs/etc/large"
    with proxy.requests() as seen, open(path, "rb", buffering=0) as opened, \
            fails_with(errno.EIO):
        os.pread(opened.fileno(), 1, 0)
    # Which the kernel asks for with what it reads ahead.
    assert seen.count("GET", lost.digest) <= 2
    proxy.heal()
    assert path.read_bytes() == data


def test_a_blob_that_another_repository_has(mount, proxy, client):
    """It is lost when none of them has it."""
    shared = layer(BASE)
    image_of(shared, TOP).push(client, "app", "1.0")
    image_of(shared, TOP).push(client, "other", "1.0")
    root = mount(proxy)
    proxy.refuses(f"/app/blobs/{shared.digest}", status=404,
                  code="BLOB_UNKNOWN", message="blob unknown")
    says_what_is_lost(root, shared)
    with fails_with(errno.EIO):
        os.listdir(root / "app/1.0/rootfs")
    assert outline(root / "other/1.0/rootfs") == ALL
    assert outline(root / "app/1.0/rootfs") == ALL


# Indexes, and lists.

def test_a_platform_that_an_index_names(mount, proxy, client, tmp_path):
    """An index may name what its registry does not have: that is no name which
    does not exist, or `rsync --delete` would remove it from a copy."""
    images = platform_images()
    index_of(images).push(client, "app", "1.0")
    root = mount(proxy, "platform=linux/amd64")
    (lost, _), (there, _) = images[1], images[0]
    lose(proxy, lost)
    says_what_is_lost(root, lost)
    platforms = root / "app/1.0/platforms"
    assert sorted(os.listdir(platforms)) == ["linux-amd64", "linux-arm64"]
    with fails_with(errno.EIO):
        os.listdir(platforms / "linux-arm64")
    with fails_with(errno.ENOENT):
        os.stat(platforms / "linux-riscv64")
    assert (platforms / "linux-amd64/manifest.json").read_bytes() == there.data
    copy = tmp_path / "copy"
    (copy / "linux-arm64").mkdir(parents=True)
    result = run("rsync", "-a", "--delete", "--exclude=image.tar",
                 f"{platforms}/", copy, check=False)
    assert result.returncode == 23
    assert (copy / "linux-arm64").is_dir()
    proxy.heal()
    assert (platforms / "linux-arm64/manifest.json").read_bytes() == lost.data


def test_the_platform_that_is_shown(mount, proxy, client):
    """What is the image's is listed and fails, and what is the index's is
    there."""
    images = platform_images()
    index = index_of(images).push(client, "app", "1.0")
    root = mount(proxy, "platform=linux/amd64")
    (lost, _), (there, _) = images
    lose(proxy, lost)
    says_what_is_lost(root, lost)
    top = root / "app/1.0"
    assert sorted(os.listdir(top)) == parts.INDEX
    for name in {*parts.IMAGE} - {*parts.INDEX_OF_OTHERS}:
        with fails_with(errno.EIO):
            os.stat(top / name)
    with fails_with(errno.ENOENT):
        os.stat(top / "nothing")
    assert (top / "index.json").read_bytes() == index.data
    assert (top / "platforms/linux-arm64/manifest.json").read_bytes() == (
        there.data)
    proxy.heal()
    assert (top / "manifest.json").read_bytes() == lost.data


def test_what_refers_to_an_image(mount, proxy, client):
    image = oci_image().push(client, "app", "1.0")
    lost = referrer_of(image).push(client, "app")
    listed(lost).push(client, "app", fallback_tag(image))
    root = mount(proxy)
    (name,) = os.listdir(root / "app/1.0/referrers")
    lose(proxy, lost)
    says_what_is_lost(root, lost)
    with fails_with(errno.EIO):
        os.listdir(root / "app/1.0/referrers" / name)
    proxy.heal()
    assert "files" in os.listdir(root / "app/1.0/referrers" / name)


def test_a_digest_that_is_asked_for(mount, registry, client):
    """Nothing names it: it is a name that does not exist."""
    oci_image().push(client, "app", "1.0")
    root = mount(registry)
    with fails_with(errno.ENOENT):
        os.stat(root / f"app/@sha256:{'0' * 64}")


def test_a_directory_is_read_again_when_its_tag_is_gone(
        mount, make_registry):
    """Who has it open is told, and not that it is empty."""
    registry = make_registry(deletes=True)
    client = registry.client()
    image = oci_image().push(client, "app", "1.0")
    oci_image(architecture="arm64").push(client, "app", "other")
    root = mount(registry, "tag_ttl=0")
    opened = os.open(root / "app/1.0", os.O_RDONLY)
    try:
        assert "rootfs" in os.listdir(opened)
        client.request("DELETE", f"/v2/app/manifests/{image.digest}")
        root.expect_error("listing: .*app:1.0.*404")
        with fails_with(errno.EIO):
            os.listdir(opened)
    finally:
        os.close(opened)
    with fails_with(errno.ENOENT):
        os.listdir(root / "app/1.0")


def test_a_cache_that_was_removed_is_made_again(mount, registry, client,
                                                tmp_path):
    image_of(BASE, TOP).push(client, "app", "1.0")
    root = mount(registry)
    os.listdir(root / "app/1.0")
    # The daemon may be writing into it.
    while root.cache.exists():
        shutil.rmtree(root.cache, ignore_errors=True)
    assert outline(root / "app/1.0/rootfs") == ALL
