# SPDX-License-Identifier: Apache-2.0
"""Tags made and moved by ln, cp and mv."""

import ctypes
import errno
import json
import os
import threading

import pytest

from registry.process import wait_until
from registry.proxy import Answer
from support.archives import docker_archive, plain_layer
from support.images import artifact, index_of, oci_image, platform_images
from support.system import fails_with, run
from support.tags import (  # root and deleting are fixtures
    IMAGE, OTHER, deleting, digests, root, shell)

RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
AT_FDCWD = -100


def renameat2(source, target, flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD,
                      os.fsencode(target), flags) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(source))


# Copies.

@pytest.mark.parametrize("script", [
    "ln -s 1.0 stable",
    "ln -s ./1.0 stable",
    "ln -s ../app/1.0 stable",
    "ln -s 1.0.tar stable",
    "ln -s 1.0/image.tar stable",
    "ln -s :1.0 stable",
    "ln -s @{digest} stable",
    'ln -s "$PWD/1.0" stable',
    "ln -s 1.0 stable.tar",
    "ln -s 1.0 :stable",
    "cp 1.0.tar stable.tar",
    "cp 1.0.tar stable",
    "cp 1.0/image.tar stable.tar",
    "install 1.0.tar stable.tar",
    "cat 1.0.tar > stable.tar",
    "dd if=1.0.tar of=stable.tar bs=64k",
    "rsync 1.0.tar stable.tar"])
def test_a_tag_gets_another_name(root, client, script):
    script = script.replace("{digest}", IMAGE.digest)
    shell(root / "app", script)
    assert digests(client, "app")["stable"] == IMAGE.digest
    assert (root / "app/stable/manifest.json").read_bytes() == IMAGE.data
    assert sorted(os.listdir(root / "app")) == ["1.0", "other", "stable"]


@pytest.mark.parametrize("script", [
    "ln -sfn 1.0 other", "ln -s 1.0 other", "ln -sfn ../app/1.0 other",
    "ln -sr 1.0 other", "cp 1.0.tar other.tar",
    "cp 1.0.tar other", "cp 1.0/image.tar other/image.tar"])
def test_a_tag_that_is_there_is_moved(root, client, script):
    shell(root / "app", script)
    assert digests(client, "app") == {
        "1.0": IMAGE.digest, "other": IMAGE.digest}
    assert (root / "app/other/manifest.json").read_bytes() == IMAGE.data


@pytest.mark.parametrize("script", [
    "ln -s 1.0 stable", "cp 1.0.tar stable.tar", "cp 1.0/image.tar stable",
    "ln -sfn 1.0 other"])
def test_a_retag_costs_no_layer(root, proxy, script):
    os.stat(root / "app/1.0.tar")
    with proxy.requests() as seen:
        shell(root / "app", script)
    assert seen.count(path="/blobs/") == 0
    assert seen.count("PUT") == 1
    assert len(seen) < 10


def mounts_of(seen):
    return [request for request in seen.matching("POST")
            if "mount=" in request.path]


@pytest.mark.parametrize("script", [
    "mkdir ../copy; cp 1.0.tar ../copy/2.0.tar",
    "cp 1.0.tar ../copy:2.0.tar",
    "mkdir ../copy; ln -s ../app/1.0 ../copy/2.0"])
def test_a_copy_to_another_repository_mounts_the_blobs(root, proxy, client,
                                                       script):
    os.stat(root / "app/1.0.tar")
    with proxy.requests() as seen:
        shell(root / "app", script)
    assert digests(client, "copy") == {"2.0": IMAGE.digest}
    assert len(mounts_of(seen)) == len(IMAGE.blobs)
    assert seen.count("GET", "/blobs/sha256:") == 0
    # What it takes beside looking for the names.
    writes = seen.count("POST") + seen.count("PUT")
    assert writes == len(IMAGE.blobs) + 1
    for blob in IMAGE.blobs:
        assert client.has_blob("copy", blob.digest)


def test_a_registry_that_mounts_nothing_is_sent_the_blobs(root, proxy, client):
    proxy.refuses("mount=", status=405, code="UNSUPPORTED",
                  message="no mounts", method="POST")
    run("cp", root / "app/1.0.tar", root / "copy:1.0.tar")
    assert digests(client, "copy") == {"1.0": IMAGE.digest}
    for blob in IMAGE.blobs:
        assert client.blob("copy", blob.digest) == blob.data


def test_all_platforms_are_copied(mount, proxy, client):
    index = index_of(platform_images()).push(client, "app", "1.0")
    root = mount(proxy)
    run("cp", root / "app/1.0.tar", root / "copy:1.0.tar")
    os.symlink("1.0", root / "app/stable")
    assert client.manifest("copy", "1.0").body == index.data
    assert client.manifest("app", "stable").body == index.data
    for child in index.blobs:
        assert client.has_manifest("copy", child.digest)


def test_an_artifact_is_copied(mount, proxy, client):
    made = artifact({"file": b"content"}).push(client, "app", "report")
    root = mount(proxy)
    run("cp", root / "app/report.tar", root / "copy:report.tar")
    assert client.manifest("copy", "report").body == made.data


def test_a_copy_of_gigabytes_comes_in_pieces(mount, proxy, client):
    """Of 1 GiB, which no byte of the layer is read for: there is none."""
    IMAGE.push(client, "app", "1.0")
    document = json.loads(IMAGE.data)
    document["layers"][0]["size"] = 5 << 30
    data = json.dumps(document).encode()
    client.put_manifest("app", "large", data, document["mediaType"])
    root = mount(proxy)
    assert (root / "app/large.tar").stat().st_size > 5 << 30
    with proxy.requests() as seen:
        run("cp", root / "app/large.tar", root / "app/copy.tar")
    assert client.manifest("app", "copy").body == data
    assert seen.count("GET", "/blobs/") <= 1  # the config, for the time


def copy_some(source, target, size):
    """An open target into which copy_file_range() has put that much."""
    with open(source, "rb") as file:
        opened = os.open(target, os.O_WRONLY | os.O_CREAT)
        assert os.copy_file_range(file.fileno(), opened, size) == size
    return opened


def test_a_copy_that_goes_on_by_writes(root, client):
    data = (root / "app/1.0.tar").read_bytes()
    opened = copy_some(root / "app/1.0.tar", root / "app/2.0.tar", 100_000)
    assert os.fstat(opened).st_size == 100_000
    with os.fdopen(opened, "wb", buffering=0) as file:
        file.seek(100_000)
        file.write(data[100_000:])
    assert digests(client, "app")["2.0"] == IMAGE.digest


def test_a_copy_that_breaks_off(root, client):
    root.expect_error("was not copied completely")
    opened = copy_some(root / "app/1.0.tar", root / "app/2.0.tar", 100_000)
    with fails_with(errno.EINVAL):
        os.close(opened)
    assert client.tags("app") == ["1.0", "other"]
    kept = root / "app/.2.0.failed"
    wait_until(kept.exists, "what was copied is kept")
    assert len(kept.read_bytes()) == 100_000


def test_a_copy_is_refused_and_tried_again(root, client, proxy):
    root.expect_error("copying app@")
    proxy.refuses("/manifests/2.0", status=403, code="DENIED",
                  message="not now", method="PUT", times=1)
    command = ["cp", root / "app/1.0.tar", root / "app/2.0.tar"]
    assert run(*command, check=False).returncode != 0
    assert client.tags("app") == ["1.0", "other"]
    os.rename(root / "app/.2.0.failed", root / "app/2.0")
    assert digests(client, "app")["2.0"] == IMAGE.digest
    run(*command)


def test_a_file_across_mounts_sends_what_is_missing(root, mount, make_registry,
                                                    proxy_of):
    """cp between two mounts reads and writes: only what is not there goes."""
    registry = make_registry()
    client = registry.client()
    client.put_blob("app", IMAGE.layers[0].data)
    proxy = proxy_of(registry)
    target = mount(proxy)
    with proxy.requests() as seen:
        run("cp", root / "app/1.0.tar", target / "app/1.0.tar")
    assert digests(client, "app") == {"1.0": IMAGE.digest}
    assert sum(request.sent for request in seen) < len(IMAGE.layers[0].data)


@pytest.mark.parametrize("path, code, sentence", [
    ("nothing", errno.ENOENT, "no such"),
    ("../../elsewhere", errno.EINVAL, "out of the mount"),
    ("/etc/passwd", errno.EINVAL, "out of the mount"),
    ("1.0/layers", errno.EINVAL, "does not lead to an image"),
    ("1.0/config.json", errno.EINVAL, "does not lead to an image"),
    (".", errno.EINVAL, "does not lead to an image")])
def test_a_link_that_leads_to_no_image(root, client, path, code, sentence):
    root.allow_error(sentence)
    with fails_with(code):
        os.symlink(path, root / "app/stable")
    assert client.tags("app") == ["1.0", "other"]


@pytest.mark.parametrize("name", [".hidden", "a b"])
def test_a_link_whose_name_is_no_tag(root, client, name):
    root.expect_error("not a valid tag name")
    with fails_with(errno.EPERM):
        os.symlink("1.0", root / "app" / name)
    assert client.tags("app") == ["1.0", "other"]


def test_two_mounts_that_write_one_tag_leave_one_of_the_two(
        mount, registry, client):
    archives = [docker_archive([("app:1.0", oci_image(plain_layer(
        {f"file-{number}": os.urandom(400_000)})))]) for number in range(2)]
    mounts = [mount(registry) for _ in archives]

    def push(mounted, archive):
        for _ in range(5):
            (mounted / "app:1.0.tar").write_bytes(archive)

    threads = [threading.Thread(target=push, args=both)
               for both in zip(mounts, archives)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    manifest = client.manifest("app", "1.0").json()
    config = json.loads(client.blob("app", manifest["config"]["digest"]))
    assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"]) == 1
    for layer in manifest["layers"]:
        assert len(client.blob("app", layer["digest"])) == layer["size"]


# Moves.

@pytest.mark.parametrize("script", [
    "mv 1.0 2.0", "mv -n 1.0 2.0", "mv -T 1.0 2.0", "mv 1.0.tar 2.0.tar",
    "mv 1.0 :2.0"])
def test_a_tag_is_moved(deleting, script):
    root, client, proxy = deleting
    with proxy.requests() as seen:
        shell(root / "app", script)
    assert digests(client, "app") == {
        "2.0": IMAGE.digest, "same": IMAGE.digest, "other": OTHER.digest}
    assert (root / "app/2.0/manifest.json").read_bytes() == IMAGE.data
    assert not (root / "app/1.0").exists()
    assert sorted(os.listdir(root / "app")) == ["2.0", "other", "same"]
    for layer in IMAGE.layers:
        assert seen.count(path=layer.digest) == 0


def test_a_tag_is_moved_to_another_repository(deleting):
    root, client, _ = deleting
    (root / "new").mkdir()
    run("mv", root / "app/1.0", root / "new/")
    assert digests(client, "new") == {"1.0": IMAGE.digest}
    assert sorted(client.tags("app")) == ["other", "same"]
    assert os.listdir(root / "new") == ["1.0"]
    assert (root / "new/1.0/rootfs/etc/motd").read_bytes() == b"1\n"


@pytest.mark.parametrize("script", [
    "mv -T 1.0 other", "mv 1.0 other", "mv 1.0.tar other.tar"])
def test_a_tag_is_moved_onto_another(deleting, script):
    root, client, _ = deleting
    shell(root / "app", script)
    assert digests(client, "app") == {
        "same": IMAGE.digest, "other": IMAGE.digest}
    assert (root / "app/other/manifest.json").read_bytes() == IMAGE.data
    assert sorted(os.listdir(root / "app")) == ["other", "same"]


def test_a_tag_is_moved_there_and_back(deleting):
    """The kernel keeps the directory, whatever it is called."""
    root, client, _ = deleting
    for source, target in [("1.0", "2.0"), ("2.0", "3.0"), ("other", "2.0"),
                           ("3.0", "1.0")]:
        os.rename(root / "app" / source, root / "app" / target)
    assert digests(client, "app") == {
        "1.0": IMAGE.digest, "same": IMAGE.digest, "2.0": OTHER.digest}
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data
    assert (root / "app/2.0/manifest.json").read_bytes() == OTHER.data
    assert not (root / "app/3.0").exists()


def test_mv_n_leaves_what_is_there(deleting):
    root, client, _ = deleting
    before = digests(client, "app")
    for options in (["-n"], ["-n", "-T"]):
        run("mv", *options, root / "app/1.0", root / "app/other", check=False)
    with fails_with(errno.EEXIST):
        renameat2(root / "app/1.0", root / "app/other", RENAME_NOREPLACE)
    assert digests(client, "app") == before


def test_two_tags_change_places(deleting):
    root, client, _ = deleting
    renameat2(root / "app/1.0", root / "app/other", RENAME_EXCHANGE)
    assert digests(client, "app") == {
        "1.0": OTHER.digest, "other": IMAGE.digest, "same": IMAGE.digest}
    assert (root / "app/1.0/manifest.json").read_bytes() == OTHER.data
    assert (root / "app/other/manifest.json").read_bytes() == IMAGE.data


def test_no_exchange_without_the_option(root, client):
    root.expect_error("-o delete")
    before = digests(client, "app")
    with fails_with(errno.EPERM):
        renameat2(root / "app/1.0", root / "app/other", RENAME_EXCHANGE)
    assert digests(client, "app") == before


@pytest.mark.parametrize("move", [
    lambda root: os.rename(root / "app", root / "new"),
    lambda root: os.rename(root / "app/1.0/layers", root / "app/layers"),
    lambda root: os.rename(root / "app/1.0", root / "app/.hidden"),
    lambda root: os.rename(root / f"app/@{IMAGE.digest}", root / "app/new")],
    ids=["repository", "part", "scratch name", "by digest"])
def test_what_is_no_tag_is_not_moved(deleting, move):
    root, client, _ = deleting
    before = digests(client, "app")
    root.expect_error("only tags|cannot be (renamed|changed)|not a valid")
    with fails_with(errno.EPERM):
        move(root)
    assert digests(client, "app") == before


def test_a_move_that_cannot_delete_changes_nothing(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, "delete")
    root.expect_error("the registry does not delete")
    with proxy.requests() as seen, fails_with(errno.EPERM):
        os.rename(root / "app/1.0", root / "app/2.0")
    assert digests(client, "app") == {"1.0": IMAGE.digest}
    assert seen.count("PUT") == 0


def test_a_move_is_of_what_the_tag_names_now(mount, make_registry):
    """Not of what it named when the mount looked."""
    registry = make_registry(deletes=True)
    client = registry.client()
    IMAGE.push(client, "app", "1.0")
    root = mount(registry, "delete,tag_ttl=3600")
    os.listdir(root / "app/1.0")
    OTHER.push(client, "app", "1.0")
    os.rename(root / "app/1.0", root / "app/2.0")
    assert digests(client, "app") == {"2.0": OTHER.digest}


@pytest.mark.parametrize("target", ["2.0", "other"])
def test_a_delete_whose_answer_is_lost(deleting, target):
    """The registry has done it; who asks again is told that it is not there."""
    root, client, proxy = deleting

    def answer(request, _):
        assert client.request("DELETE", request.path).status == 202
        return Answer(502)

    # The question whether it deletes and the rehearsal are let through.
    rule = proxy.serves("/manifests/sha256:", answer, method="DELETE", times=1)
    rule.after = 2
    os.rename(root / "app/1.0", root / "app" / target)
    assert digests(client, "app")[target] == IMAGE.digest
    assert "1.0" not in client.tags("app")


def test_a_move_whose_last_step_fails_puts_back_what_it_replaced(deleting):
    root, client, proxy = deleting
    before = digests(client, "app")
    root.expect_error("removing app:1.0")
    proxy.refuses("/manifests/sha256:", status=403, code="DENIED",
                  message="not any more", method="DELETE", after=2)
    with fails_with(errno.EACCES):
        os.rename(root / "app/1.0", root / "app/other")
    assert digests(client, "app") == before


def test_an_exchange_with_what_is_no_tag(deleting):
    root, client, _ = deleting
    root.expect_error("only tags can be moved")
    before = digests(client, "app")
    with fails_with(errno.EPERM):
        renameat2(root / "app/1.0.tar", root / "app/other/config.json",
                  RENAME_EXCHANGE)
    assert digests(client, "app") == before


def test_a_link_inside_an_image_has_its_targets_name(root, client):
    before = digests(client, "app")
    root.expect_error("no link can be created")
    with fails_with(errno.EPERM):
        os.symlink("1.0", root / "app/other/name")
    assert digests(client, "app") == before


def test_somebody_elses_push_is_not_undone(deleting):
    """It comes while the removal fails."""
    root, client, proxy = deleting
    root.expect_error("removing app:1.0")

    def answer(*_):
        OTHER.push(client, "app", "1.0")
        return Answer(403)

    rule = proxy.serves("/manifests/sha256:", answer, method="DELETE", times=1)
    rule.after = 2
    with fails_with(errno.EACCES):
        (root / "app/1.0").rmdir()
    assert digests(client, "app")["1.0"] == OTHER.digest
