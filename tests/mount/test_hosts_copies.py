# SPDX-License-Identifier: Apache-2.0
"""Images copied by cp from one registry to another, in one mount."""

import os

import pytest

from support.control import status
from support.referrers import (
    fallback_entries, fallback_tag, listed, referrer_of)
from support.tags import IMAGE, digests, shell

COPIES = {
    "an archive": "cp {0}/app/1.0.tar {1}/app/2.0.tar",
    "a directory": "cp -r {0}/app/1.0 {1}/app/2.0",
    "a repository": "rmdir {1}/app; cp -r {0}/app {1}/app",
}


@pytest.fixture
def two(make_registry, proxy_of):
    """Two registries behind proxies; the first has app:1.0."""
    registries = [make_registry() for _ in range(2)]
    IMAGE.push(registries[0].client(), "app", "1.0")
    return [(proxy_of(each), each.client()) for each in registries]


@pytest.mark.parametrize("script", COPIES.values(), ids=COPIES)
def test_referrers_go_along(mount, two, script):
    (first, one), (second, other) = two
    sbom = referrer_of(IMAGE)
    listed(sbom).push(one, "app", fallback_tag(IMAGE))
    mounted = mount([first, second], "referrers")
    os.mkdir(mounted / second.address / "app")
    shell(mounted.path, script.format(first.address, second.address))
    assert IMAGE.digest in digests(other, "app").values()
    assert [entry["digest"] for entry in
            fallback_entries(other, "app", IMAGE)] == [sbom.digest]


def test_an_archive_that_is_there_is_not_sent(mount, two):
    (first, _), (second, other) = two
    mounted = mount([first, second])
    os.mkdir(mounted / second.address / "app")
    copy = f"cp {first.address}/app/1.0.tar {second.address}/app/"
    shell(mounted.path, copy)
    assert other.tags("app") == ["1.0"]
    before = status(mounted)["network"]
    with first.requests() as seen:
        shell(mounted.path, copy + "2.0.tar")
    assert seen.count("GET", "/blobs/") == 0
    assert status(mounted)["network"]["sent_bytes"] - before["sent_bytes"] \
        < 2_000


@pytest.mark.parametrize("script, kept, name", [
    ("cp {0}/app/1.0.tar {1}/app/2.0.tar", ".2.0.failed", "2.0.tar"),
    ("cp -r {0}/app/1.0 {1}/app/2.0", "2.0/.image.tar.failed",
     "2.0/image.tar")])
def test_a_copy_that_is_refused_is_tried_again(mount, two, script, kept, name):
    """As in any file system, a directory that was not copied whole is there,
    and nothing of it is in the registry."""
    (first, _), (second, other) = two
    second.refuses("/manifests/", status=403, code="DENIED",
                   message="not for you", method="PUT")
    mounted = mount([first, second])
    mounted.expect_error(f"{second.address}/app/2.0.*not for you")
    directory = mounted / second.address / "app"
    os.mkdir(directory)
    result = shell(mounted.path, script.format(first.address, second.address),
                   check=False)
    assert result.returncode == 1
    assert "Permission denied" in result.stderr
    assert other.tags("app") == []
    second.heal()
    os.rename(directory / kept, directory / name)
    assert digests(other, "app") == {"2.0": IMAGE.digest}
