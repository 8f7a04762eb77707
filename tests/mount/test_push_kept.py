# SPDX-License-Identifier: Apache-2.0
"""What is kept of pushes that failed: all of it, each under a name of its own
from which a rename tries again."""

import os
import random
import re

import pytest

from support.archives import docker_archive, plain_layer
from support.images import oci_image, tar_of
from support.system import run

IMAGE, OTHER = (oci_image(plain_layer(
    {"data": random.Random(seed).randbytes(60_000)})) for seed in (6, 7))
ARCHIVE, OTHER_ARCHIVE = (docker_archive([("app:1.0", image)])
                          for image in (IMAGE, OTHER))


@pytest.fixture
def refusing(mounted, proxy):
    mounted.expect_error("not today")
    proxy.refuses("/manifests/", method="PUT", status=403, code="DENIED",
                  message="not today")
    return mounted


def fails(path, data):
    with pytest.raises(PermissionError):
        path.write_bytes(data)


def kept_in(directory):
    return {name: (directory / name).read_bytes()
            for name in os.listdir(directory) if ".failed" in name}


def hints(mounted):
    """What the log says that one is to type."""
    return re.findall(r"`mv (\S+) (\S+)` tries again", mounted.log())


def test_a_second_failure_of_the_same_bytes(refusing, app):
    for _ in range(3):
        fails(app / "1.0.tar", ARCHIVE)
    assert kept_in(app) == {".1.0.failed": ARCHIVE}


def test_a_second_failure_that_has_more(refusing, app):
    for archive in (ARCHIVE, ARCHIVE + bytes(512)):
        fails(app / "1.0.tar", archive)
    assert kept_in(app) == {".1.0.failed": ARCHIVE + bytes(512)}
    os.unlink(app / ".1.0.failed")
    assert os.listdir(app) == []


def test_a_second_failure_of_other_bytes(refusing, app, proxy, client):
    for archive in (ARCHIVE, OTHER_ARCHIVE, ARCHIVE):
        fails(app / "1.0.tar", archive)
    assert kept_in(app) == {".1.0.failed": ARCHIVE,
                            ".1.0.failed.2": OTHER_ARCHIVE}
    for name in kept_in(app):
        assert b"not today" in os.getxattr(app / name,
                                           "user.registryfs.error")
    proxy.heal()
    run("mv", app / ".1.0.failed.2", app / "1.0")
    assert kept_in(app) == {".1.0.failed": ARCHIVE}
    assert (app / "1.0/config.json").read_bytes() == OTHER.config.data
    assert client.tags("app") == ["1.0"]


def test_failures_of_one_tag_in_several_repositories(refusing, proxy,
                                                     make_registry):
    root = refusing
    pushes = {"one": ARCHIVE, "two": OTHER_ARCHIVE}
    for name, archive in pushes.items():
        fails(root / f"{name}:9.tar", archive)
    assert kept_in(root.path) == {f".{name}:9.failed": archive
                                  for name, archive in pushes.items()}
    proxy.heal()
    said = hints(root)
    assert len(said) == 2
    for source, target in said:
        run("mv", root / source, root / target)
    assert kept_in(root.path) == {}
    assert (root / "one/9/config.json").read_bytes() == IMAGE.config.data
    assert (root / "two/9/config.json").read_bytes() == OTHER.config.data


@pytest.mark.parametrize("name", ["1.0.tar", "1.0", "1.0.tgz", ":1.0.tar"])
def test_the_hint_works(refusing, app, proxy, client, name):
    fails(app / name, ARCHIVE)
    proxy.heal()
    (hint,) = hints(refusing)
    run("mv", *(refusing / path for path in hint))
    assert os.listdir(app) == ["1.0"]
    assert client.tags("app") == ["1.0"]


def test_the_hint_works_in_a_mounted_namespace(mount, proxy, client):
    team = mount(f"{proxy.address}/team")
    team.expect_error("not today")
    proxy.refuses("/manifests/", method="PUT", status=403, code="DENIED",
                  message="not today")
    (team / "app").mkdir()
    fails(team / "app/1.0.tar", ARCHIVE)
    proxy.heal()
    ((source, target),) = hints(team)
    assert (source, target) == ("app/.1.0.failed", "app/1.0.tar")
    run("mv", team / source, team / target)
    assert client.tags("team/app") == ["1.0"]


def test_what_is_kept_goes_along_with_its_tag(mount, make_registry, proxy_of):
    registry = make_registry(deletes=True)
    proxy = proxy_of(registry)
    client = registry.client()
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, "delete")
    root.expect_error("not today")
    proxy.refuses("/manifests/", method="PUT", status=403, code="DENIED",
                  message="not today", times=2)
    layers = root / "app/1.0/layers"
    # A layer, and an archive: in the directory and below it.
    for path in (layers / "more.tar", root / "app/1.0/new.tar"):
        with pytest.raises(PermissionError):
            path.write_bytes(tar_of({"file": b"text"}))
    os.rename(root / "app/1.0", root / "app/2.0")
    assert list(kept_in(root / "app/2.0/layers")) == [".more.tar.failed"]
    assert list(kept_in(root / "app/2.0")) == [".new.tar.failed"]
    os.rename(root / "app/2.0/layers/.more.tar.failed",
              root / "app/2.0/layers/more.tar")
    assert (root / "app/2.0/rootfs/file").read_bytes() == b"text"
