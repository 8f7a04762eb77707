# SPDX-License-Identifier: Apache-2.0
"""When a file is an archive that is pushed, however it is written."""

import errno
import json
import os
import random

import pytest

from support.archives import (
    docker_archive, oci_archive, plain_layer, zstd)
from support.images import (
    Blob, Manifest, compressed, oci_image, tar_of)
from support.system import run

# With zeros that could be taken for an archive's end, at any boundary.
DATA = random.Random(3).randbytes(100_000) + bytes(60_000) + b"end"
IMAGE = oci_image(plain_layer({"data": DATA}),
                  plain_layer({"etc/motd": b"hello\n"}))
ARCHIVE = docker_archive([("app:1.0", IMAGE)])
# Where the archive's two blocks of zeros begin; what follows is padding.
END = len(ARCHIVE.rstrip(b"\0")) + 511 & ~511

BLOCK = 4096


@pytest.fixture
def target(app):
    return app / "1.0.tar"


@pytest.fixture
def opened(target):
    """A descriptor of the new file, without buffers before it."""
    with open(target, "xb", buffering=0) as file:
        yield file.fileno()


def close_a_copy(descriptor):
    """A program that has inherited the file ends: it is flushed."""
    os.close(os.dup(descriptor))


def assert_pushed(app, client, image=IMAGE):
    assert os.listdir(app) == ["1.0"]
    assert client.tags("app") == ["1.0"]
    assert (app / "1.0/config.json").read_bytes() == image.config.data


def assert_not_pushed(app, client):
    assert client.tags("app") == []
    assert not (app / "1.0").is_dir()


def reason(app):
    """Why the push failed whose bytes were kept."""
    assert os.listdir(app) == [".1.0.failed"]
    return os.getxattr(app / ".1.0.failed", "user.registryfs.error").decode()


# The order of the writes.

def test_flushes_before_the_first_byte(app, client, proxy, opened):
    with proxy.requests() as seen:
        close_a_copy(opened)
        os.fsync(opened)
    assert len(seen) == 0, seen
    os.write(opened, ARCHIVE)
    assert_pushed(app, client)


def test_a_flush_in_the_middle(mounted, app, client, proxy, opened):
    """Whoever ends in the middle is told that the archive has not ended; the
    archive still can."""
    mounted.expect_error("the archive is truncated at byte 50000")
    os.write(opened, ARCHIVE[:50_000])
    with pytest.raises(OSError) as failure:
        close_a_copy(opened)
    assert failure.value.errno == errno.EINVAL
    os.write(opened, ARCHIVE[50_000:])
    assert_pushed(app, client)


def test_two_programs_one_after_the_other(mounted, app, client, proxy,
                                          target, tmp_path):
    mounted.expect_error("the archive is truncated at byte 50000")
    (tmp_path / "archive").write_bytes(ARCHIVE)
    with proxy.requests() as seen:
        run("bash", "-c", '{ head -c 50000 "$1"; tail -c +50001 "$1"; } > "$2"',
            "bash", tmp_path / "archive", target)
    assert seen.count("PUT", "/manifests/") == 1
    assert_pushed(app, client)


def test_it_is_pushed_once(app, client, proxy, opened):
    with proxy.requests() as seen:
        os.write(opened, ARCHIVE)
        os.fsync(opened)
        close_a_copy(opened)
        os.close(os.open(f"/proc/self/fd/{opened}", os.O_RDONLY))
    assert seen.count("PUT", "/manifests/") == 1
    assert_pushed(app, client)


def test_it_is_pushed_before_the_write_returns(app, client, opened):
    os.write(opened, ARCHIVE[:END])
    assert_not_pushed(app, client)
    os.write(opened, ARCHIVE[END:END + 1024])
    assert_pushed(app, client)


@pytest.mark.parametrize("size", [512, 4096, 100_000])
def test_in_small_writes(app, client, opened, size):
    for start in range(0, len(ARCHIVE), size):
        os.write(opened, ARCHIVE[start:start + size])
    assert_pushed(app, client)


def blocks():
    return [(start, ARCHIVE[start:start + BLOCK])
            for start in range(0, len(ARCHIVE), BLOCK)]


def shuffled(items):
    return random.Random(4).sample(items, len(items))


@pytest.mark.parametrize("order", [lambda items: items[::-1], shuffled],
                         ids=["reverse", "shuffled"])
@pytest.mark.parametrize("size_first", [False, True])
def test_out_of_order(app, client, target, order, size_first):
    with open(target, "wb", buffering=0) as file:
        if size_first:
            file.truncate(len(ARCHIVE))
        for start, block in order(blocks()):
            os.pwrite(file.fileno(), block, start)
    assert_pushed(app, client)


def test_holes_are_zeros(app, client, target):
    """As cp --sparse=always leaves them, the end included."""
    with open(target, "wb", buffering=0) as file:
        for start, block in blocks():
            if block.strip(b"\0"):
                os.pwrite(file.fileno(), block, start)
        file.truncate(len(ARCHIVE))
    assert_pushed(app, client)


def test_bytes_are_written_again(app, client, opened):
    wrong = ARCHIVE[:20_000] + b"wrong" + ARCHIVE[20_005:END]
    os.write(opened, wrong)
    os.pwrite(opened, ARCHIVE[20_000:20_005], 20_000)
    os.write(opened, ARCHIVE[END:])
    assert_pushed(app, client)


def test_it_is_truncated_and_written_again(app, client, opened):
    other = docker_archive([("app:1.0", oci_image(plain_layer({"a": b""})))])
    os.write(opened, other[:3000])
    os.ftruncate(opened, 0)
    os.pwrite(opened, ARCHIVE, 0)
    assert_pushed(app, client)


def test_it_is_written_again_after_a_failure(mounted, app, client, opened):
    mounted.expect_error("not an image archive")
    with pytest.raises(OSError):
        os.write(opened, b"nonsense" * 1000)
    os.ftruncate(opened, 0)
    os.pwrite(opened, ARCHIVE, 0)
    assert_pushed(app, client)


def test_it_is_pushed_anew_after_a_truncation(app, client, opened):
    """The same descriptor can push twice: `dd` into an open file."""
    other = oci_image(plain_layer({"other": b""}))
    os.write(opened, ARCHIVE)
    os.ftruncate(opened, 0)
    os.pwrite(opened, docker_archive([("app:1.0", other)]), 0)
    assert_pushed(app, client, other)


# What follows the end.

@pytest.mark.parametrize("padding", [1, 512, 10_240, 300_000])
def test_padding_in_later_writes(app, client, opened, padding):
    os.write(opened, ARCHIVE)
    os.write(opened, bytes(padding))
    os.fsync(opened)
    assert_pushed(app, client)


@pytest.mark.parametrize("command", [
    'dd if="$1" of="$2" bs=64k conv=sync',
    'tar -C "${1%/*}" -b 200 -cf "$1.b" --transform s,.*,1.0.tar, "${1##*/}" &&'
    'tar -C "${2%/*}" -xf "$1.b"'], ids=["dd", "tar"])
def test_padding_of_tools(app, client, target, tmp_path, command):
    (tmp_path / "archive").write_bytes(ARCHIVE)
    run("bash", "-c", command, "bash", tmp_path / "archive", target)
    assert_pushed(app, client)


def test_something_follows_the_end(mounted, app, client, target):
    mounted.expect_error("there is data after the archive's end")
    with pytest.raises(OSError) as failure:
        target.write_bytes(ARCHIVE + b"more")
    assert failure.value.errno == errno.EINVAL
    assert_not_pushed(app, client)
    assert "data after the archive" in reason(app)


def test_something_follows_the_push(mounted, app, client, opened):
    """Too late to take the tag back, but not to say that it is not whole."""
    mounted.expect_error("data after its end is refused")
    os.write(opened, ARCHIVE)
    with pytest.raises(OSError) as failure:
        os.write(opened, b"more")
    assert failure.value.errno == errno.EIO
    assert client.tags("app") == ["1.0"]


# What is no archive, or not a whole one.

@pytest.mark.parametrize("size", [1, 511, 512, 1000, 50_000, END - 512])
def test_cut_off(mounted, app, client, target, size):
    mounted.expect_error("is truncated|not an image archive")
    with pytest.raises(OSError) as failure:
        target.write_bytes(ARCHIVE[:size])
    assert failure.value.errno == errno.EINVAL
    assert_not_pushed(app, client)
    assert reason(app)
    assert (app / ".1.0.failed").read_bytes() == ARCHIVE[:size]


@pytest.mark.parametrize("compress", [compressed, zstd])
def test_compressed_and_cut_off(mounted, app, client, target, compress):
    mounted.expect_error("is truncated")
    archive = compress(ARCHIVE)
    with pytest.raises(OSError) as failure:
        target.write_bytes(archive[:-5])
    assert failure.value.errno == errno.EINVAL
    assert_not_pushed(app, client)


@pytest.mark.parametrize("end", [END, END + 512], ids=["none", "half"])
def test_without_an_end_mark(app, client, target, end):
    """Whole, though nobody said so: the close decides."""
    target.write_bytes(ARCHIVE[:end])
    assert_pushed(app, client)


GARBAGE = {
    "text": (b"FROM debian\n" * 1000, "not an image archive"),
    "random": (random.Random(5).randbytes(20_000), "not an image archive"),
    "short": (b"x", "not an image archive"),
    "zeros": (bytes(10_240), "empty"),
    "xz": (b"\xfd7zXZ\0" + bytes(1000), "xz offset 12: the data is damaged"),
    "bzip2": (b"BZh91AY&SY" + bytes(1000),
              "bzip2 offset 20: the data is damaged"),
    "broken gzip": (compressed(ARCHIVE)[:5000] + bytes(5000), ""),
    "gzip of text": (
        compressed(b"FROM debian\n" * 1000), "not an image archive"),
    "broken tar": (ARCHIVE[:END - 2048] + b"\xff" * 2048 + bytes(1024), ""),
}


@pytest.mark.parametrize("data, sentence", GARBAGE.values(), ids=GARBAGE)
def test_garbage(mounted, app, client, target, data, sentence):
    mounted.expect_error(sentence or "pushing app:1.0")
    with pytest.raises(OSError) as failure:
        target.write_bytes(data)
    assert failure.value.errno == errno.EINVAL
    assert_not_pushed(app, client)
    assert sentence in reason(app)


def without(image, *, layers=(), config=None):
    """The image with other layers or another config than it names."""
    return Manifest(image.media_type, image.data, blobs=(
        config or image.config, *(layers or image.layers)))


BROKEN = {
    "a layer is missing": (lambda: tar_of({
        "config.json": IMAGE.config.data,
        "manifest.json": json.dumps([{
            "Config": "config.json", "RepoTags": ["app:1.0"],
            "Layers": ["first.tar", "second.tar"]}]).encode()}),
        "first.tar"),
    "a layer is another": (lambda: docker_archive(
        [("app:1.0", without(IMAGE, layers=(
            IMAGE.layers[0], plain_layer({"other": b""}))))]), "sha256:"),
    "a layer too few": (lambda: docker_archive(
        [("app:1.0", without(IMAGE, layers=IMAGE.layers[:1]))]),
        "lists 2 layers, but the archive has 1"),
    "no JSON": (lambda: tar_of({
        "blobs/sha256/x": b"", "manifest.json": b"{nonsense"}), ""),
    "no image": (lambda: tar_of({
        "blobs/sha256/x": b"", "manifest.json": b"[]"}), ""),
    "another config": (lambda: oci_archive([("1.0", Manifest(
        IMAGE.media_type, IMAGE.data, blobs=(
            Blob("", b"{}"), *IMAGE.layers)))]), "lacks"),
    "an empty layout": (lambda: tar_of({
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": b'{"schemaVersion": 2, "manifests": []}'}),
        "names no image"),
}


@pytest.mark.parametrize("make, sentence", BROKEN.values(), ids=BROKEN)
def test_an_archive_that_contradicts_itself(mounted, app, client, target,
                                            make, sentence):
    mounted.expect_error(f"pushing app:1.0.*({sentence})")
    with pytest.raises(OSError) as failure:
        target.write_bytes(make())
    assert failure.value.errno == errno.EINVAL
    assert_not_pushed(app, client)


def test_several_images_of_other_tags(mounted, app, client, target):
    mounted.expect_error("several images.*app:2.0.*app:3.0")
    other = oci_image(plain_layer({"other": b""}))
    with pytest.raises(OSError) as failure:
        target.write_bytes(docker_archive(
            [("app:2.0", IMAGE), ("app:3.0", other)]))
    assert failure.value.errno == errno.EINVAL
    assert "app:2.0" in reason(app)


# Empty files.

@pytest.mark.parametrize("script, stays", [
    ('touch "$1"', True), ('truncate -s 0 "$1"', True), (': > "$1"', False),
    ('exec false > "$1"', False), ('false | cat > "$1"', False)])
def test_an_empty_file_is_no_push(app, client, proxy, target, script, stays):
    """Where a program was to write it and ended without a byte, there is no
    file."""
    with proxy.requests() as seen:
        run("bash", "-c", script, "bash", target, check=False)
        assert target.exists() == stays
        assert (target.name in os.listdir(app)) == stays
        if stays:
            assert target.stat().st_size == 0
    assert seen.count("PUT") == seen.count("POST") == 0
    assert_not_pushed(app, client)
    target.write_bytes(ARCHIVE)
    assert_pushed(app, client)


# Attributes.

@pytest.mark.parametrize("name", ["1.0", "1.0.tar"])
@pytest.mark.parametrize("change", [
    lambda path: os.chmod(path, 0o600), lambda path: os.chmod(path, 0o777),
    lambda path: os.chown(path, 1, 1), lambda path: os.utime(path, (1, 1))],
    ids=["chmod 600", "chmod 777", "chown", "utime"])
def test_attributes_are_accepted_and_ignored(app, target, name, change):
    target.write_bytes(ARCHIVE)
    before = os.stat(app / name)
    change(app / name)
    assert os.stat(app / name) == before


def test_extended_attributes_do_not_disturb(app, client, opened):
    for half in (ARCHIVE[:50_000], ARCHIVE[50_000:]):
        for name in ("security.capability", "user.anything"):
            with pytest.raises(OSError) as failure:
                os.getxattr(opened, name)
            assert failure.value.errno == errno.ENODATA
        with pytest.raises(OSError) as failure:
            os.setxattr(opened, "user.anything", b"value")
        assert failure.value.errno == errno.EOPNOTSUPP
        os.write(opened, half)
    assert_pushed(app, client)


def test_what_is_being_written_can_be_looked_at(app, target, opened):
    os.write(opened, ARCHIVE[:50_000])
    assert os.listdir(app) == ["1.0.tar"]
    assert os.stat(target).st_size == 50_000
    assert target.read_bytes() == ARCHIVE[:50_000]
    assert os.listxattr(target) == []
    os.write(opened, ARCHIVE[50_000:])
