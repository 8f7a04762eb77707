# SPDX-License-Identifier: Apache-2.0
"""How trees are read: what is asked of the registry, and how many bytes come.

The proxy counts. Layers are of bytes that nothing compresses, so that a part
of a file's bytes is as large a part of the blob's.
"""

import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.faults import Hold
from registry.process import wait_until
from support.caches import evict_blobs
from support.chunked import chunked
from support.chunked import toc_range as chunked_toc
from support.estargz import estargz
from support.estargz import toc_range as estargz_toc
from support.layers import image_of, layer
from support.system import run
from support.tars import directory, file, opaque, whiteout
from support.trees import outline

KIB = 1024
MIB = 1 << 20
# What a reader of one file may cost beside it: the index's own size, and the
# bytes to which a range is rounded.
ROUNDING = MIB

SMALL = random.Random(0).randbytes(40 * KIB)


@pytest.fixture(scope="session")
def entries():
    """A hundred megabytes, and a small file among them."""
    chance = random.Random(1)
    large = [file(f"large/{number:02}", chance.randbytes(MIB))
             for number in range(100)]
    return [directory("large"), *large[:50], directory("small"),
            file("small/file", SMALL), *large[50:]]


@pytest.fixture(scope="session", params=["estargz", "chunked"])
def indexed(request, entries):
    """A layer with an index of its own, and how large that is."""
    if request.param == "estargz":
        made = estargz(entries, chunk_size=128 * KIB)
        return made, estargz_toc(made)[1]
    made = chunked(entries, chunk_size=16 * KIB)
    return made, chunked_toc(made)[1]


@pytest.fixture(scope="session")
def plain(entries):
    return layer(entries[-40:] + [file("small/file", SMALL)])


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


@pytest.fixture
def push(client):
    def push(*layers, tags=("1.0",), repository="app"):
        return image_of(*layers).push(client, repository, *tags)
    return push


def blob_path(made):
    return f"/blobs/{made.digest}"


def test_an_index_of_its_own_is_one_read(mount, proxy, push, indexed):
    """And a file one more."""
    made, index_size = indexed
    push(made)
    root = mount(proxy) / "app/1.0/rootfs"
    with proxy.requests() as seen:
        assert sorted(os.listdir(root)) == ["large", "small"]
        assert len(os.listdir(root / "large")) == 100
        run("ls", "-lR", root)
        index = seen.matching("GET", blob_path(made))
    assert len(index) == 1
    assert index[0].received <= index_size + ROUNDING // 4
    with proxy.requests() as seen:
        assert (root / "small/file").read_bytes() == SMALL
    ranges = seen.matching("GET", blob_path(made))
    assert [request.status for request in ranges] == [206]
    assert seen.received("GET", blob_path(made)) <= len(SMALL) + ROUNDING
    assert (root / "small/file").read_bytes() == SMALL


def test_a_large_index_of_estargz_is_two_reads(mount, proxy, push):
    """Only the blob's end says where it begins."""
    made = estargz([file(f"f/{number:05}", b"%d" % number)
                    for number in range(20_000)])
    assert estargz_toc(made)[1] > MIB
    push(made)
    root = mount(proxy) / "app/1.0/rootfs"
    with proxy.requests() as seen:
        assert len(os.listdir(root / "f")) == 20_000
    assert seen.count("GET", blob_path(made)) == 2
    assert (root / "f/01234").read_bytes() == b"1234"


def test_an_indexed_file_is_a_hundredth_of_the_bytes(mount, proxy, push,
                                                     indexed):
    made, _ = indexed
    push(made)
    root = mount(proxy)
    with proxy.requests() as seen:
        assert (root / "app/1.0/rootfs/small/file").read_bytes() == SMALL
    assert seen.count("GET", blob_path(made)) == 2
    assert seen.received("GET", "/blobs/") < len(made.data) / 100 + (
        ROUNDING // 2)


def test_a_part_of_a_large_file_is_a_part_of_the_blob(mount, proxy, push,
                                                      indexed, entries):
    made, _ = indexed
    push(made)
    path = mount(proxy) / "app/1.0/rootfs/large/70"
    expected = next(e.data for e in entries if e.name == "large/70")
    with open(path, "rb", buffering=0) as opened:
        with proxy.requests() as seen:
            assert os.pread(opened.fileno(), 100, 700 * KIB) == (
                expected[700 * KIB:700 * KIB + 100])
    assert seen.received("GET", blob_path(made)) < 2 * ROUNDING
    assert path.read_bytes() == expected


def test_a_registry_without_ranges(mount, proxy, push, indexed, entries):
    """Serves whole blobs only: everything is still there."""
    made, _ = indexed
    push(made)
    proxy.ignores_range("/blobs/")
    root = mount(proxy) / "app/1.0/rootfs"
    assert (root / "small/file").read_bytes() == SMALL
    assert (root / "large/03").read_bytes() == entries[4].data


def test_a_plain_layer_is_one_pass(mount, proxy, push, plain):
    push(plain)
    root = mount(proxy) / "app/1.0"
    with proxy.requests() as seen:
        run("ls", "-lR", root / "rootfs")
        assert (root / "rootfs/small/file").read_bytes() == SMALL
        run("ls", "-lR", root / "layers/01")
        assert (root / "layers/01/small/file").read_bytes() == SMALL
    assert seen.received("GET", blob_path(plain)) <= len(plain.data)


def test_the_next_mount_asks_for_no_blob(mount, proxy, push, plain, shared):
    push(plain)
    first = mount(proxy, f"cache={shared}")
    listing = run("ls", "-lR", first / "app/1.0/rootfs").stdout
    first.unmount()
    second = mount(proxy, f"cache={shared}")
    with proxy.requests() as seen:
        assert run("ls", "-lR", second / "app/1.0/rootfs").stdout.replace(
            str(second.path), str(first.path)) == listing
        assert (second / "app/1.0/rootfs/small/file").read_bytes() == SMALL
    assert seen.count("GET", blob_path(plain)) == 0


@pytest.fixture(params=["gzip", "gzip-members", "zstd-frames", "plain"])
def spans(request, entries):
    """A layer of which a part can be read, once there is an index of it."""
    return layer(entries[-40:] + [file("small/file", SMALL)], request.param)


def test_an_evicted_blob_is_read_by_spans(mount, proxy, push, spans, shared):
    """In a new mount: what was learned of the layer is kept."""
    push(spans)
    first = mount(proxy, f"cache={shared}")
    os.listdir(first / "app/1.0/rootfs")
    first.unmount()
    evict_blobs(shared)
    root = mount(proxy, f"cache={shared}") / "app/1.0/rootfs"
    with proxy.requests() as seen:
        run("ls", "-lR", root)
    assert seen.count("GET", blob_path(spans)) == 0
    with proxy.requests() as seen:
        assert (root / "small/file").read_bytes() == SMALL
    assert {request.status for request in seen.matching(
        "GET", blob_path(spans))} == {206}
    assert 0 < seen.received("GET", blob_path(spans)) <= 4 * MIB
    assert seen.count("GET", blob_path(spans)) <= 2


def test_an_evicted_blob_of_one_zstd_frame(mount, proxy, push, shared):
    """No part of it can be read alone: it is fetched again."""
    made = layer([file("a", SMALL), file("b", b"b")], "zstd")
    push(made)
    first = mount(proxy, f"cache={shared}")
    os.listdir(first / "app/1.0/rootfs")
    first.unmount()
    evict_blobs(shared)
    root = mount(proxy, f"cache={shared}") / "app/1.0/rootfs"
    assert (root / "a").read_bytes() == SMALL
    assert (root / "b").read_bytes() == b"b"


@pytest.fixture
def decided(mount, proxy, push):
    """An image whose base layer is withheld, and its rootfs."""
    base = layer([directory("etc"), file("etc/base", b"base"),
                  file("etc/gone", b"old"), directory("srv"),
                  file("srv/old", b"old"), file("below", b"below")])
    top = layer([directory("etc"), file("etc/top", b"top"),
                 whiteout("etc/gone"), directory("srv"), opaque("srv"),
                 file("srv/new", b"new"), file("file", b"file")])
    push(base, top)
    hold = Hold(at=0)
    proxy.sends(blob_path(base), hold)
    root = mount(proxy) / "app/1.0/rootfs"
    yield root, hold
    hold.release()


def test_the_top_layers_decide_alone(decided):
    root, hold = decided
    assert (root / "file").read_bytes() == b"file"
    assert (root / "etc/top").read_bytes() == b"top"
    with pytest.raises(FileNotFoundError):
        os.stat(root / "etc/gone")
    assert os.stat(root / "etc").st_mode & 0o777 == 0o755
    hold.release()
    assert (root / "below").read_bytes() == b"below"
    assert sorted(os.listdir(root / "etc")) == ["base", "top"]


def test_an_opaque_directory_is_decided(decided):
    """Nothing below can add to it."""
    root, _ = decided
    assert run("ls", root / "srv", timeout=10).stdout == "new\n"
    with pytest.raises(FileNotFoundError):
        os.stat(root / "srv/old")


def test_what_the_base_decides_waits_for_it(decided):
    root, hold = decided
    with subprocess.Popen(["cat", root / "below"],
                          stdout=subprocess.PIPE) as reader:
        hold.wait_reached()
        assert reader.poll() is None
        hold.release()
        assert reader.stdout.read() == b"below"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_a_blocked_reader_can_be_interrupted(decided, signum):
    root, hold = decided
    with subprocess.Popen(["ls", root / "etc"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as reader:
        hold.wait_reached()
        start = time.monotonic()
        reader.send_signal(signum)
        assert reader.wait(30) == -signum
        assert time.monotonic() - start < 2


def test_a_layer_is_indexed_once(mount, proxy, push, plain):
    """Whichever tags and repositories have it, and whoever asks at once."""
    push(plain, tags=("1.0", "2.0"))
    push(plain, layer([file("more")]), repository="mirror/app")
    root = mount(proxy)
    paths = [root / name for name in (
        "app/1.0/rootfs/small/file", "app/2.0/rootfs/small/file",
        "app/1.0/layers/01/small/file", "mirror/app/1.0/rootfs/small/file")]
    with proxy.requests() as seen, ThreadPoolExecutor(8) as readers:
        results = list(readers.map(lambda path: path.read_bytes(), paths * 2))
    assert results == [SMALL] * 8
    assert seen.received("GET", f"sha256:{plain.digest[7:]}") <= (
        len(plain.data))
    assert len({os.stat(path).st_ino for path in paths}) == 1


def test_mounts_that_share_a_cache_index_once(mount, proxy, push, plain,
                                              shared):
    push(plain)
    roots = [mount(proxy, f"cache={shared}") / "app/1.0/rootfs"
             for _ in range(2)]
    with proxy.requests() as seen, ThreadPoolExecutor(2) as readers:
        results = list(readers.map(
            lambda root: (root / "small/file").read_bytes(), roots))
    assert results == [SMALL] * 2
    # The blob has its name once the disk has it: until then whoever finds the
    # index of the other fetches the bytes of the file.
    assert seen.received("GET", blob_path(plain)) <= (
        len(plain.data) + ROUNDING)


def test_what_was_read_survives_the_registry(mount, make_registry, shared):
    registry = make_registry()
    image = image_of([file("f", SMALL)]).push(registry.client(), "app", "1.0")
    root = mount(registry, f"cache={shared}") / f"app@{image.digest}/rootfs"
    assert (root / "f").read_bytes() == SMALL
    registry.stop()
    assert outline(root) == {"f": SMALL}


def test_an_image_of_an_indexed_and_a_plain_layer(mount, proxy, push, indexed):
    """A file of the indexed one costs nothing of it but index and range."""
    made, _ = indexed
    top = layer([file("small/other", b"other")])
    push(made, top)
    root = mount(proxy) / "app/1.0/rootfs"
    with proxy.requests() as seen:
        assert sorted(os.listdir(root / "small")) == ["file", "other"]
        assert (root / "small/file").read_bytes() == SMALL
    assert seen.count("GET", blob_path(made)) == 2


def test_reading_all_of_an_indexed_layer(mount, proxy, push, indexed, entries):
    """Ranges grow with a reader who goes on: not one a chunk."""
    made, _ = indexed
    push(made)
    root = mount(proxy) / "app/1.0/rootfs"
    with proxy.requests() as seen:
        for entry in entries:
            if entry.data:
                assert (root / entry.name).read_bytes() == entry.data
    assert seen.received("GET", blob_path(made)) <= 1.2 * len(made.data)
    assert seen.count("GET", blob_path(made)) <= 300


def test_prefetch_brings_the_layers(mount, proxy, push, indexed):
    """All of them, when the root file system is entered and not before."""
    made, _ = indexed
    push(made)
    image = mount(proxy, "prefetch") / "app/1.0"
    blob = next(path for path in (image / "layers").iterdir()
                if path.suffix in (".gz", ".zst"))
    with proxy.requests() as seen:
        run("ls", "-l", image, image / "layers")
    assert seen.count("GET", blob_path(made)) == 0
    os.listdir(image / "rootfs")
    wait_until(lambda: os.getxattr(blob, "user.oci.verified") == b"yes",
               "the whole layer")
    with proxy.requests() as seen:
        assert (image / "rootfs/small/file").read_bytes() == SMALL
        assert blob.read_bytes() == made.data
    assert seen.count("GET", blob_path(made)) == 0


def test_a_cache_smaller_than_the_image(mount, push, registry):
    """What is made of a layer is used though there is no room to keep it."""
    layers = [layer([file(f"file-{number}", random.Random(number).randbytes(
        3 * MIB))]) for number in range(6)]
    push(*layers)
    root = mount(registry, "cache_size=1M") / "app/1.0/rootfs"
    for _ in range(2):
        assert len(os.listdir(root)) == 6
        for number in range(6):
            assert (root / f"file-{number}").read_bytes() == (
                random.Random(number).randbytes(3 * MIB))
