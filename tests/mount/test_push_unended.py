# SPDX-License-Identifier: Apache-2.0
"""A tarball of a root file system that has no end mark is whole where it ends
between two entries, unless more comes: GNU tar takes it, and docker import."""

import errno
import os
import subprocess

import pytest

from registry.process import wait_until
from support.archives import zstd
from support.images import compressed
from support.layers import image_of
from support.system import run
from support.tags import shell
from support.tars import directory, file, pax_record, tar_bytes, Entry

ENTRIES = [directory("etc"), file("etc/motd", b"hello\n"),
           file("etc/block", b"b" * 512), file("last", b"l" * 1000)]
UNENDED = tar_bytes(ENTRIES, end=False)
MORE = tar_bytes([file("more", b"m" * 600)], end=False)
# Between two entries, and not where the last one ends.
BORDER = len(tar_bytes(ENTRIES[:2], end=False))


@pytest.fixture
def target(app):
    return app / "1.0.tar"


def files(root):
    return {path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*") if path.is_file()}


def contents(*entries):
    return {entry.name: entry.data for entry in entries if entry.data}


def listed_by_gnu_tar(tar):
    """Without a word of complaint."""
    listed = subprocess.run(["tar", "-tf", "-"], input=tar, check=True,
                            capture_output=True)
    assert not listed.stderr
    return listed.stdout.decode().splitlines()


@pytest.mark.parametrize("wrap", [bytes, compressed, zstd])
def test_it_is_pushed_when_it_is_closed(app, target, tmp_path, wrap):
    assert len(listed_by_gnu_tar(UNENDED)) == len(ENTRIES)
    (tmp_path / "rootfs").write_bytes(wrap(UNENDED))
    run("cp", tmp_path / "rootfs", target)
    assert files(app / "1.0/rootfs") == contents(*ENTRIES)


def test_one_block_of_zeros_is_no_more_than_none(app, target):
    target.write_bytes(UNENDED + bytes(512))
    assert files(app / "1.0/rootfs") == contents(*ENTRIES)


def test_engines_read_what_it_becomes(registry, target, docker, podman):
    target.write_bytes(UNENDED)
    podman("pull", "--tls-verify=false", f"{registry.address}/app:1.0")
    docker("pull", f"{registry.address}/app:1.0")


def test_renamed_to_a_tag(app, tmp_path):
    (app / ".scratch").write_bytes(UNENDED)
    (app / ".scratch").rename(app / "1.0.tar")
    assert files(app / "1.0/rootfs") == contents(*ENTRIES)


def test_programs_that_write_one_after_the_other(app, proxy, target, tmp_path):
    """The first one ends between two entries: nobody knows yet that it is not
    the last. One push comes of it."""
    (tmp_path / "first").write_bytes(UNENDED)
    (tmp_path / "second").write_bytes(MORE)
    with proxy.requests() as seen:
        shell(tmp_path, f"{{ cat first; cat second; }} >{target}")
        wait_until((app / "1.0").is_dir, "what was closed last is pushed")
    assert seen.count("PUT", "/manifests/") == 1
    assert files(app / "1.0/rootfs") == contents(*ENTRIES, file("more",
                                                                b"m" * 600))


def test_what_comes_behind_a_border_is_part_of_it(app, target):
    with open(target, "wb", buffering=0) as opened:
        opened.write(UNENDED[:BORDER])
        opened.write(UNENDED[BORDER:])
    assert files(app / "1.0/rootfs") == contents(*ENTRIES)


@pytest.mark.parametrize("end", [-1, -500, -1030])
def test_what_ends_elsewhere_is_cut_off(mounted, app, client, target, end):
    mounted.expect_error("the archive is truncated at byte")
    with pytest.raises(OSError) as failure:
        target.write_bytes(UNENDED[:end])
    assert failure.value.errno == errno.EINVAL
    assert client.tags("app") == []


def test_headers_whose_entry_does_not_come_are_cut_off(mounted, client,
                                                       target):
    mounted.expect_error("the archive is truncated at byte")
    header = tar_bytes([Entry("x", b"x", pax_record("path", "a"))], end=False)
    with pytest.raises(OSError) as failure:
        target.write_bytes(UNENDED + header)
    assert failure.value.errno == errno.EINVAL
    assert client.tags("app") == []


def test_a_part_of_an_image_is_no_root_file_system(mounted, client, target):
    """docker save names what is in its archive at the end."""
    mounted.expect_error("the archive is truncated at byte")
    blob = "blobs/sha256/" + "0" * 64
    with pytest.raises(OSError) as failure:
        target.write_bytes(tar_bytes([file(blob, b"x")], end=False))
    assert failure.value.errno == errno.EINVAL
    assert client.tags("app") == []


@pytest.fixture
def based(mount, proxy, client):
    """The directory of a repository with an image."""
    image_of([file("base", b"base")]).push(client, "app", "1.0")
    return mount(proxy) / "app"


@pytest.mark.parametrize("wrap", [bytes, compressed])
def test_as_one_more_layer(based, tmp_path, wrap):
    (tmp_path / "layer.tar").write_bytes(wrap(UNENDED))
    run("cp", tmp_path / "layer.tar", based / "1.0/layers/")
    assert files(based / "1.0/rootfs") == contents(file("base", b"base"),
                                                   *ENTRIES)


def test_a_layer_without_its_padding_goes_from_image_to_image(based):
    """As umoci insert writes them: whole, as its compression says."""
    cut = compressed(tar_bytes([file("cut", b"c" * 700)], end=False)[:-300])
    (based / "1.0/layers/02.tar.gz").write_bytes(cut)
    assert files(based / "1.0/rootfs") == {"base": b"base", "cut": b"c" * 700}
