# SPDX-License-Identifier: Apache-2.0
"""Nothing that fails its digest reaches a reader of a tree."""

import errno
import os
import random

import pytest

from registry.faults import corrupt
from support.caches import evict_blobs, files_in, flip
from support.catalogs import blob_file
from support.chunked import chunked
from support.chunked import toc_range as chunked_toc
from support.estargz import estargz
from support.estargz import toc_of
from support.estargz import toc_range as estargz_toc
from support.images import Layer
from support.layers import image_of, layer
from support.tars import directory, file
from support.trees import outline

KIB = 1024
MIB = 1 << 20
chance = random.Random(2)
# Far from each other in the blob: no span, chunk or range has two of them.
FILES = {name: chance.randbytes(3 * MIB)
         for name in ("first", "second", "third")}
ENTRIES = [directory("dir"), *(file(name, data)
                               for name, data in FILES.items())]
# What an error may be of something that is not what it should be.
WRONG = (errno.EIO, errno.EINVAL)


def in_second(made):
    """Where in the blob the second file is: the middle, as all are as large,
    and incompressible, and what a TOC takes is little."""
    return len(made.data) // 2


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


@pytest.fixture
def start(mount, registry, client, shared):
    """Mounts an image of a layer, whose blob in the registry is then wrong at
    those bytes. The daemon may say so, and has to where the test expects."""
    def start(made, *wrong):
        image_of(made).push(client, "app", "1.0")
        for offset in wrong:
            flip(blob_file(registry.storage, made.digest), offset)
        return mount(registry, f"cache={shared}")
    return start


def fails(function, *arguments):
    with pytest.raises(OSError) as failure:
        function(*arguments)
    assert failure.value.errno in WRONG, failure.value


def read(root, name):
    return (root / "app/1.0/rootfs" / name).read_bytes()


def is_right_or_fails(root, name):
    """Whether it was right; anything else has to be an error."""
    try:
        assert read(root, name) == FILES[name]
    except OSError as failure:
        assert failure.errno in WRONG, failure
        return False
    return True


@pytest.mark.parametrize("compression", ["plain", "gzip", "gzip-members",
                                         "zstd", "zstd-frames"])
def test_a_wrong_layer_is_not_shown(start, registry, compression):
    """What is in a tar is known when all of it is, and not before. Here a
    file's byte is wrong that no checksum but the digest covers."""
    made = layer(ENTRIES, compression)
    root = start(made, in_second(made))
    root.expect_error(made.digest)
    fails(os.listdir, root / "app/1.0/rootfs")
    fails(os.listdir, root / "app/1.0/layers/01")
    fails(read, root, "first")
    # The registry is mended, and nobody has to mount again.
    blob_file(registry.storage, made.digest).write_bytes(made.data)
    assert read(root, "first") == FILES["first"]


def test_a_wrong_transfer_is_not_shown(mount, proxy, client):
    made = layer(ENTRIES)
    image_of(made).push(client, "app", "1.0")
    proxy.sends(made.digest, corrupt(at=10_000))
    root = mount(proxy)
    root.expect_error(made.digest)
    fails(os.listdir, root / "app/1.0/rootfs")
    proxy.heal()
    assert read(root, "first") == FILES["first"]


@pytest.mark.parametrize("compression", ["plain", "gzip", "gzip-members",
                                         "zstd", "zstd-frames"])
def test_a_wrong_span(mount, registry, start, shared, compression):
    """The layer was right when it was indexed, and its blob was evicted."""
    made = layer(ENTRIES, compression)
    first = start(made)
    os.listdir(first / "app/1.0/rootfs")
    first.unmount()
    evict_blobs(shared)
    blob = blob_file(registry.storage, made.digest)
    flip(blob, in_second(made))
    root = mount(registry, f"cache={shared}")
    root.expect_error("sha256")
    fails(read, root, "second")
    root.allow_error("sha256")
    is_right_or_fails(root, "first")
    blob.write_bytes(made.data)
    for name, data in FILES.items():
        assert read(root, name) == data


MAKERS = {"estargz": (lambda **options: estargz(
    ENTRIES, chunk_size=256 * KIB, **options), estargz_toc),
    "chunked": (lambda **options: chunked(
        ENTRIES, chunk_size=256 * KIB, **options), chunked_toc)}


@pytest.mark.parametrize("make, _", MAKERS.values(), ids=MAKERS)
def test_a_wrong_chunk(start, registry, make, _):
    made = make()
    root = start(made, in_second(made))
    assert sorted(os.listdir(root / "app/1.0/rootfs")) == [
        "dir", "first", "second", "third"]
    root.expect_error(made.digest)
    fails(read, root, "second")
    assert read(root, "first") == FILES["first"]
    assert read(root, "third") == FILES["third"]
    blob_file(registry.storage, made.digest).write_bytes(made.data)
    assert read(root, "second") == FILES["second"]


@pytest.mark.parametrize("make, toc_range", MAKERS.values(), ids=MAKERS)
def test_a_wrong_toc(start, make, toc_range):
    made = make()
    offset, size = toc_range(made)
    root = start(made, offset + size // 3)
    root.expect_error(made.digest)
    fails(os.listdir, root / "app/1.0/rootfs")
    fails(read, root, "first")


def change(name, value, where="second"):
    """An edit of a TOC: of that file's entries, the first has the value."""
    def edit(toc):
        for entry in toc["entries"]:
            if entry["name"] == where:
                entry[name] = value
                return
    return edit


OTHER_DIGEST = "sha256:" + "0" * 64
LIES = {
    "another digest": change("chunkDigest", OTHER_DIGEST),
    "no digest at all": lambda toc: [
        entry.pop(name, None) for entry in toc["entries"]
        for name in ("digest", "chunkDigest")],
    "a digest that is none": change("chunkDigest", "sha256:xyz"),
    "another algorithm": change("chunkDigest", "md5:" + "0" * 32),
    "an offset behind the blob": change("offset", 1 << 50),
    "an offset of another chunk": change("offset", 600),
    "a negative offset": change("offset", -5),
    "a huge offset": change("offset", 1 << 64),
    "a size that is larger": change("size", 4 * MIB),
    "a size that is smaller": change("size", MIB),
    "a size of exabytes": change("size", 1 << 62),
    "a negative size": change("size", -1),
    "a chunk's size that is larger": change("chunkSize", 300 * KIB),
    "a chunk's size of exabytes": change("chunkSize", 1 << 62),
    "a chunk that begins elsewhere": change("chunkOffset", 4096),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("make, _", MAKERS.values(), ids=MAKERS)
def test_a_toc_that_lies(start, make, _, lie):
    """It is what the manifest vouches for, and is wrong all the same. What
    the liar said of the second file is his; nothing else becomes of it."""
    made = make(edit_toc=LIES[lie])
    root = start(made)
    root.allow_error(made.digest)
    root.allow_error("second")
    for name in ("first", "third"):
        is_right_or_fails(root, name)
    try:
        data = read(root, "second")
    except OSError as failure:
        assert failure.errno in WRONG
    else:
        # A smaller size is a shorter file, where its chunks agree with it.
        assert FILES["second"].startswith(data) and lie != "another digest"


@pytest.mark.parametrize("make, _", MAKERS.values(), ids=MAKERS)
def test_bytes_that_no_digest_vouches_for(start, make, _):
    """A TOC without digests is no reason to believe what comes."""
    made = make(edit_toc=LIES["no digest at all"])
    root = start(made, in_second(made))
    root.allow_error(made.digest)
    fails(read, root, "second")
    is_right_or_fails(root, "first")


GARBAGE = {
    "no JSON": lambda toc: toc.update(entries="\0" * 1000),
    "another version": lambda toc: toc.update(version=2),
    "no entries": lambda toc: toc.pop("entries"),
    "entries that are none": lambda toc: toc.update(entries=[1, "a", None, []]),
    "a name that leads out": lambda toc: toc["entries"].append(
        {"name": "../../escaped", "type": "dir", "mode": 0o755}),
    "a type that is none": lambda toc: toc["entries"].append(
        {"name": "x", "type": "portal"}),
    "deep nesting": lambda toc: toc["entries"].append(
        {"name": "/".join("d" * 3000), "type": "dir"}),
    "a hard link to itself": lambda toc: toc["entries"].append(
        {"name": "x", "type": "hardlink", "linkName": "x"}),
    "hard links in a ring": lambda toc: toc["entries"].extend([
        {"name": "x", "type": "hardlink", "linkName": "y"},
        {"name": "y", "type": "hardlink", "linkName": "x"}]),
    "a chunk without a file": lambda toc: toc["entries"].insert(
        0, {"name": "x", "type": "chunk", "offset": 5, "chunkSize": 9}),
    "attributes that are no base64": lambda toc: toc["entries"][-1].update(
        xattrs={"user.x": "***"}),
    "a time that is none": lambda toc: toc["entries"][-1].update(
        modtime="yesterday"),
}


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("make, _", MAKERS.values(), ids=MAKERS)
def test_a_toc_that_is_garbage(start, make, _, garbage):
    """The tree is refused, or what can be shown of it is right."""
    made = make(edit_toc=GARBAGE[garbage])
    root = start(made)
    root.allow_error(made.digest)
    try:
        shown = outline(root / "app/1.0/rootfs")
    except OSError as failure:
        assert failure.errno in WRONG
        return
    # A file is in it with its bytes, or the file is not in it.
    assert all(shown.get(name, data) == data for name, data in FILES.items())
    assert "escaped" not in os.listdir(root / "app")


def unvouched(made):
    return Layer(made.media_type, made.data, diff_id=made.diff_id)


WRONG_POINTERS = {
    "estargz without an annotation": lambda: unvouched(estargz(ENTRIES)),
    "chunked without an annotation": lambda: unvouched(chunked(ENTRIES)),
    "estargz, another TOC's digest": lambda: estargz(
        ENTRIES, toc_digest=OTHER_DIGEST),
    "estargz, no digest": lambda: estargz(ENTRIES, toc_digest="garbage"),
    "estargz without a footer": lambda: estargz(ENTRIES, footer=b""),
    "estargz, a footer of zeros": lambda: estargz(ENTRIES, footer=bytes(51)),
    "chunked, another TOC's digest": lambda: chunked(
        ENTRIES, checksum=OTHER_DIGEST),
    "chunked, a position behind the blob": lambda: chunked(
        ENTRIES, position=f"{1 << 40}:100:1000:1"),
    "chunked, a TOC of terabytes": lambda: chunked(
        ENTRIES, position=f"100:{1 << 42}:{1 << 43}:1"),
    "chunked, no position": lambda: chunked(ENTRIES, position="a:b"),
    "chunked, another type": lambda: chunked(ENTRIES, position="1:2:3:9"),
}


@pytest.mark.parametrize("case", WRONG_POINTERS)
def test_an_index_that_nobody_vouches_for(start, case):
    """The layer's digest vouches for all of it; or it is refused."""
    made = WRONG_POINTERS[case]()
    root = start(made)
    root.allow_error(made.digest)
    if is_right_or_fails(root, "first"):
        path = root / "app/1.0/rootfs/first"
        assert os.getxattr(path, "user.oci.verified") == b"layer"
        assert is_right_or_fails(root, "third")


def test_the_toc_is_the_one_that_is_read():
    """The edits above have to be in the layer."""
    made = estargz(ENTRIES, edit_toc=change("chunkDigest", OTHER_DIGEST))
    assert OTHER_DIGEST in [entry.get("chunkDigest")
                            for entry in toc_of(made)["entries"]]


@pytest.fixture
def cached(start, shared):
    """A cache that has the layer, its index, or both."""
    def cached(made):
        root = start(made)
        for name in FILES:
            read(root, name)
        root.unmount()
        return shared
    return cached


@pytest.mark.parametrize("directory", ["derived", "blobs", "parts"])
@pytest.mark.parametrize("make", [
    layer, lambda entries: layer(entries, "zstd"), estargz, chunked],
    ids=["gzip", "zstd", "estargz", "chunked"])
def test_a_cache_that_is_tampered_with(mount, registry, cached, make,
                                       directory):
    """Bits that the disk forgot, all over: what is read is right, made again
    or refused."""
    shared = cached(make(ENTRIES))
    for number, path in enumerate(files_in(shared / directory)):
        size = path.stat().st_size
        for step in range(5):
            flip(path, min(size - 1, size * step // 5 + number % 7))
    root = mount(registry, f"cache={shared}")
    root.allow_error("sha256")
    root.allow_error(str(shared))
    for name in FILES:
        is_right_or_fails(root, name)


@pytest.mark.parametrize("size", [0, 1, 100, 5000])
def test_an_index_that_is_cut(mount, registry, cached, size):
    """A crash, a full disk. The index is made again."""
    shared = cached(layer(ENTRIES))
    for path in files_in(shared / "derived"):
        os.truncate(path, min(size, path.stat().st_size - 1))
    root = mount(registry, f"cache={shared}")
    root.allow_error("sha256")
    root.allow_error(str(shared))
    for name, data in FILES.items():
        assert read(root, name) == data


def test_an_index_of_another_layer(mount, registry, client, cached):
    """Files that have changed places say nothing of each other."""
    one, two = layer(ENTRIES), layer(
        [file(name, data[::-1]) for name, data in FILES.items()])
    shared = cached(one)
    image_of(two).push(client, "other", "1.0")
    second = mount(registry, f"cache={shared}")
    assert (second / "other/1.0/rootfs/first").read_bytes() == (
        FILES["first"][::-1])
    second.unmount()
    files = files_in(shared / "derived")
    for path in files:
        if one.digest[7:] in str(path):
            other = str(path).replace(one.digest[7:], two.digest[7:])
            os.rename(path, other)
    root = mount(registry, f"cache={shared}")
    root.allow_error("sha256")
    root.allow_error(str(shared))
    for name, data in FILES.items():
        assert (root / "other/1.0/rootfs" / name).read_bytes() == data[::-1]
        assert read(root, name) == data


@pytest.mark.parametrize("compression", ["plain", "gzip", "zstd"])
def test_a_layer_that_the_cache_has_damaged(mount, registry, cached,
                                            compression):
    """Its index is made from it only when its digest is right: it is fetched
    again."""
    shared = cached(layer(ENTRIES, compression))
    for path in files_in(shared / "derived"):
        path.unlink()
    for path in files_in(shared / "blobs"):
        if path.stat().st_size > MIB:
            flip(path, path.stat().st_size // 2)
    root = mount(registry, f"cache={shared}")
    for name, data in FILES.items():
        assert read(root, name) == data
