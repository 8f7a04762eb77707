# SPDX-License-Identifier: Apache-2.0
"""Layers as they are stored, read in pieces that an index vouches for: nothing
is handed out before it was verified, nor fetched that nobody reads."""

import errno
import os
import random
import shutil
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.client import digest_of
from registry.faults import Hold, corrupt
from registry.process import wait_until
from support.caches import evict_blobs, flip
from support.catalogs import blob_file
from support.home import Home
from support.images import OCI_GZIP_LAYER, Layer
from support.layers import image_of, layer
from support.system import fails_with, run
from support.tars import directory, file, tar_bytes

KIB = 1024
MIB = 1 << 20
chance = random.Random(4)
FILES = {name: chance.randbytes(3 * MIB)
         for name in ("first", "second", "third")}
ENTRIES = [directory("dir"), *(file(name, data)
                               for name, data in FILES.items())]
LAYER = "app/1.0/layers/01.tar"
FORMS = {"plain": "", "gzip": ".gz", "gzip-members": ".gz",
         "zstd-frames": ".zst"}


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


@pytest.fixture
def indexed(mount, registry, client, shared):
    """The options of a mount whose cache has the layer's index alone."""
    def indexed(made):
        image_of(made).push(client, "app", "1.0")
        first = mount(registry, f"cache={shared}")
        os.listdir(first / "app/1.0/rootfs")
        first.unmount()
        evict_blobs(shared)
        return f"cache={shared}"
    return indexed


def verified(path):
    return os.getxattr(path, "user.oci.verified")


@pytest.mark.parametrize("options", [[], ["ro"]], ids=["rw", "ro"])
@pytest.mark.parametrize("form", FORMS)
def test_a_piece_is_enough(mount, proxy, indexed, form, options):
    made = layer(ENTRIES, form)
    root = mount(proxy, indexed(made), *options)
    path = root / (LAYER + FORMS[form])
    assert verified(path) == b"yes"
    assert os.getxattr(path, "user.oci.cached") == b"0"
    middle = len(made.data) // 2
    with proxy.requests() as seen, open(path, "rb", buffering=0) as opened:
        assert os.pread(opened.fileno(), 100, middle) == (
            made.data[middle:middle + 100])
    assert 0 < seen.received("GET", made.digest) < 3 * MIB
    assert int(os.getxattr(path, "user.oci.cached")) >= 100
    with proxy.requests() as seen:
        assert path.read_bytes() == made.data
    assert seen.received("GET", made.digest) < len(made.data)
    assert verified(path) == b"yes"


@pytest.mark.parametrize("form", FORMS)
def test_nothing_wrong_is_handed_out(mount, registry, indexed, tmp_path, form):
    """What `head` gives is right, or it fails."""
    made = layer(ENTRIES, form)
    options = indexed(made)
    wrong = len(made.data) // 2
    stored = blob_file(registry.storage, made.digest)
    flip(stored, wrong)
    root = mount(registry, options)
    path = root / (LAYER + FORMS[form])
    root.expect_error(f"{made.digest}.*do not match their digest")
    with open(tmp_path / "out", "wb") as out:
        result = run("head", "-c", len(made.data) - 1000, path, stdout=out,
                     capture_output=False, check=False)
    assert result.returncode == 1
    got = (tmp_path / "out").read_bytes()
    assert made.data.startswith(got) and len(got) <= wrong
    # Elsewhere it is right.
    result = run("tail", "-c", 1000, path, text=False)
    assert result.stdout == made.data[-1000:]
    stored.write_bytes(made.data)
    assert path.read_bytes() == made.data


def test_a_wrong_transfer_is_tried_again(mount, proxy, indexed):
    made = layer(ENTRIES)
    root = mount(proxy, indexed(made))
    proxy.sends(made.digest, corrupt(at=100), times=1)
    assert (root / (LAYER + ".gz")).read_bytes() == made.data
    root.wait_for_log("warning: .*do not match their digest")


def test_a_layer_that_was_not_looked_into(mount, proxy, client):
    """Its bytes are served while they arrive, and its end tells."""
    made = layer(ENTRIES)
    image_of(made).push(client, "app", "1.0")
    root = mount(proxy)
    path = root / (LAYER + ".gz")
    assert verified(path) == b"pending"
    with proxy.requests() as seen:
        assert path.read_bytes() == made.data
    assert seen.count("GET", made.digest) == 1
    assert verified(path) == b"yes"


def test_beside_a_wrong_transfer(mount, proxy, indexed, tmp_path):
    """Somebody has the front of one, which is in the kernel's pages, when the
    index becomes known. Pieces in the pages behind it would hide from him what
    he has: who comes now waits for the transfer's end as he does."""
    made = layer(ENTRIES)
    kept = indexed(made).partition("=")[2]
    root = mount(proxy, f"cache={tmp_path}/other")
    path = root / (LAYER + ".gz")
    hold = Hold(at=MIB)
    proxy.sends(made.digest, lambda chunks: hold(corrupt(at=10)(chunks)),
                times=1)
    root.expect_error(made.digest)
    with open(path, "rb", buffering=0) as early, \
            ThreadPoolExecutor(1) as other:
        assert early.read(4 * KIB)[:100] != made.data[:100]
        hold.wait_reached()
        shutil.copytree(f"{kept}/derived", tmp_path / "other/derived",
                        dirs_exist_ok=True)
        assert verified(path) == b"pending"
        late = other.submit(path.read_bytes)
        hold.release()
        with fails_with(errno.EIO):
            while early.read(MIB):
                pass
        with fails_with(errno.EIO):
            late.result()
    # The kernel tells of a close some time after it.
    wait_until(lambda: verified(path) == b"yes", "the descriptors to be closed")
    assert path.read_bytes() == made.data


def test_after_a_transfer_that_was_left(mount, proxy, indexed, tmp_path):
    """What it left in the kernel's pages is not what the pieces are put to."""
    made = layer(ENTRIES)
    kept = indexed(made).partition("=")[2]
    root = mount(proxy, f"cache={tmp_path}/other")
    path = root / (LAYER + ".gz")
    hold = Hold(at=MIB)
    proxy.sends(made.digest, lambda chunks: hold(corrupt(at=10)(chunks)),
                times=1)
    with open(path, "rb", buffering=0) as early:
        assert early.read(4 * KIB)[:100] != made.data[:100]
    shutil.copytree(f"{kept}/derived", tmp_path / "other/derived",
                    dirs_exist_ok=True)
    wait_until(lambda: verified(path) == b"yes", "the descriptor to be closed")
    assert path.read_bytes() == made.data
    hold.release()


def odd_gzip(tar, size):
    """Ends a block after `size` bytes, where the index may cut."""
    compressor = zlib.compressobj(1, wbits=31)
    return (compressor.compress(tar[:size])
            + compressor.flush(zlib.Z_FULL_FLUSH)
            + compressor.compress(tar[size:]) + compressor.flush())


@pytest.mark.parametrize("behind", [0, 1, 512, MIB])
def test_wherever_the_index_cuts(mount, registry, indexed, behind):
    """Pieces, or where they are not all of it the whole: it is the layer."""
    tar = tar_bytes(ENTRIES)
    data = odd_gzip(tar, len(tar) - behind)
    made = Layer(OCI_GZIP_LAYER, data, diff_id=digest_of(tar))
    root = mount(registry, indexed(made))
    path = root / (LAYER + ".gz")
    assert path.read_bytes() == data
    assert verified(path) == b"yes"


def test_an_archive_is_of_whole_blobs(mount, proxy, indexed, tmp_path):
    """And the layer is there whole after it."""
    made = layer(ENTRIES)
    root = mount(proxy, indexed(made))
    path = root / (LAYER + ".gz")
    assert path.read_bytes() == made.data
    clean = mount(proxy, home=Home(tmp_path / "clean"))
    assert (root / "app/1.0/image.tar").read_bytes() == (
        clean / "app/1.0/image.tar").read_bytes()
    with proxy.requests() as seen:
        assert path.read_bytes() == made.data
    assert seen.count("GET", made.digest) == 0


def test_a_config_is_no_layer(mount, registry, indexed):
    made = layer(ENTRIES)
    root = mount(registry, indexed(made))
    path = root / "app/1.0/config.json"
    data = path.read_bytes()
    assert data and verified(path) == b"yes"


def test_readers_side_by_side(mount, proxy, indexed):
    made = layer(ENTRIES)
    root = mount(proxy, indexed(made))
    path = root / (LAYER + ".gz")
    with proxy.requests() as seen, ThreadPoolExecutor(8) as readers:
        results = list(readers.map(lambda _: path.read_bytes(), range(8)))
    assert all(data == made.data for data in results)
    assert seen.received("GET", made.digest) == len(made.data)
