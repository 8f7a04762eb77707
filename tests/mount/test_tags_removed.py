# SPDX-License-Identifier: Apache-2.0
"""Tags and repositories removed by rmdir, rm and rm -r."""

import errno
import os
import shutil

import pytest

from support.system import fails_with, run
from support.tags import (  # root and deleting are fixtures
    IMAGE, OTHER, deleting, digests, root, shell)


@pytest.mark.parametrize("script", ["rmdir 1.0", "rm 1.0.tar", "rm -f 1.0.tar",
                                    "rmdir :1.0", "unlink 1.0.tar"])
def test_a_tag_is_removed_and_no_other_of_the_manifest(deleting, script):
    root, client, proxy = deleting
    shell(root / "app", script)
    assert digests(client, "app") == {
        "same": IMAGE.digest, "other": OTHER.digest}
    assert sorted(os.listdir(root / "app")) == ["other", "same"]
    assert not (root / "app/1.0").exists()
    assert (root / "app/same/manifest.json").read_bytes() == IMAGE.data
    run("skopeo", "inspect", "--tls-verify=false",
        f"docker://{proxy.address}/app:same")


def test_a_tag_is_removed_and_pushed_again(deleting):
    root, client, _ = deleting
    for _ in range(2):
        (root / "app/1.0").rmdir()
        run("cp", root / "app/same.tar", root / "app/1.0.tar")
    assert digests(client, "app")["1.0"] == IMAGE.digest


def test_a_registry_that_deletes_by_tag_is_asked_to(deleting):
    """Those of distribution 3 and others: 202 to DELETE of a tag."""
    root, client, proxy = deleting
    proxy.answers("/manifests/1.0", status=202, method="DELETE")
    with proxy.requests() as seen:
        (root / "app/1.0").rmdir()
    assert seen.count("PUT") == 0
    assert seen.count("DELETE") == 1


def test_deletes_that_are_switched_off(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, "delete")
    root.expect_error("REGISTRY_STORAGE_DELETE_ENABLED")
    with proxy.requests() as seen, fails_with(errno.EPERM):
        (root / "app/1.0").rmdir()
    assert digests(client, "app") == {"1.0": IMAGE.digest}
    assert seen.count("PUT") == seen.count("POST") == 0


def test_a_tag_is_put_back_where_the_last_step_fails(deleting):
    root, client, proxy = deleting
    root.expect_error("removing app:1.0")
    # The question whether it deletes and the rehearsal are let through.
    proxy.refuses("/manifests/sha256:", status=403, code="DENIED",
                  message="not any more", method="DELETE", after=2)
    with fails_with(errno.EACCES):
        (root / "app/1.0").rmdir()
    assert digests(client, "app")["1.0"] == IMAGE.digest
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data


def test_without_the_option_nothing_is_removed(root, proxy, client):
    """Not by rm -rf either, which must not fetch a layer to find that out."""
    root.expect_error("cannot be removed|does not delete|was refused")
    with proxy.requests() as seen:
        for command in (["rm", "-rf", "app/1.0"], ["rm", "-rf", "app"],
                        ["rm", "-r", "--interactive=never", "app"]):
            result = run(*command, cwd=root.path, check=False)
            assert result.returncode != 0
        with fails_with(errno.EPERM):
            shutil.rmtree(root / "app")
    for layer in (*IMAGE.layers, *OTHER.layers):
        assert seen.count(path=layer.digest) == 0
    assert seen.count("DELETE") == 0
    assert client.tags("app") == ["1.0", "other"]
    assert (root / "app/1.0/rootfs/etc/motd").read_bytes() == b"1\n"


@pytest.mark.parametrize("remove", [
    lambda path: run("rm", "-r", path), lambda path: run("rm", "-rf", path),
    lambda path: run("busybox", "rm", "-r", path), shutil.rmtree],
    ids=["rm -r", "rm -rf", "busybox", "rmtree"])
def test_a_tag_is_removed_recursively(mount, make_registry, proxy_of, remove):
    registry = make_registry(deletes=True)
    client, proxy = registry.client(), proxy_of(registry)
    IMAGE.push(client, "app", "1.0", "same")
    root = mount(proxy, "delete=recursive")
    with proxy.requests() as seen:
        remove(root / "app/1.0")
    assert digests(client, "app") == {"same": IMAGE.digest}
    for layer in IMAGE.layers:
        assert seen.count(path=layer.digest) == 0
    assert (root / "app/same/rootfs/etc/motd").read_bytes() == b"1\n"


def test_rm_r_needs_the_word_recursive(deleting):
    root, client, _ = deleting
    root.expect_error("cannot be removed|was refused the removal")
    before = digests(client, "app")
    assert run("rm", "-rf", root / "app/1.0", check=False).returncode != 0
    assert digests(client, "app") == before


def test_a_repository_is_removed_recursively(mount, make_registry):
    registry = make_registry(deletes=True)
    client = registry.client()
    IMAGE.push(client, "team/app", "1.0", "2.0",
               f"sha256-{IMAGE.digest[7:]}.sig")
    OTHER.push(client, "team/tool", "1.0")
    root = mount(registry, "delete=recursive")
    run("rm", "-r", root / "team/app")
    assert not client.tags("team/app")
    assert os.listdir(root / "team") == ["tool"]
    assert not (root / "team/app").exists()
    assert digests(client, "team/tool") == {"1.0": OTHER.digest}
    run("cp", root / "team/tool/1.0.tar", root / "team/app:3.0.tar")
    assert sorted(os.listdir(root / "team")) == ["app", "tool"]
    assert os.listdir(root / "team/app") == ["3.0"]


def test_a_repository_with_tags_is_not_removed_by_rmdir(deleting):
    root, client, _ = deleting
    root.expect_error("app: the repository is not empty, it has 3 tags")
    with fails_with(errno.ENOTEMPTY):
        (root / "app").rmdir()
    assert len(client.tags("app")) == 3


def test_a_part_of_an_image_is_not_removed(mount, make_registry):
    registry = make_registry(deletes=True)
    client = registry.client()
    IMAGE.push(client, "app", "1.0")
    root = mount(registry, "delete=recursive")
    root.expect_error("cannot be removed")
    for path in ("app/1.0/manifest.json", "app/1.0/layers/01.tar.gz",
                 "app/1.0/rootfs/etc/motd"):
        with fails_with(errno.EPERM):
            os.unlink(root / path)
    assert digests(client, "app") == {"1.0": IMAGE.digest}
