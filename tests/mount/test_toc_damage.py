# SPDX-License-Identifier: Apache-2.0
"""A layer's own table of contents, or what says where it is, that is damaged in
the cache or on its way: the layer is listed as it is, at once and later on."""

import os
import random

import pytest

from registry.faults import corrupt
from support.caches import files_in, flip
from support.chunked import chunked
from support.chunked import toc_range as chunked_toc
from support.estargz import estargz, footer_of
from support.estargz import toc_range as estargz_toc
from support.layers import image_of
from support.tars import directory, file
from support.trees import outline

KIB = 1024
FOOTER = 51
DATA = random.Random(7).randbytes(100 * KIB)
MORE = random.Random(8).randbytes(400 * KIB)


def entries(content):
    return [directory("d"), file("d/data", content), file("top", "1")]


def expected(content):
    return {"d/": None, "d/data": content, "top": b"1"}


# A layer, and the bytes of it on which the table of contents depends.
PLACES = {
    "magic": (estargz, lambda made: len(made.data) - FOOTER + 32),
    "head": (estargz, lambda made: len(made.data) - FOOTER),
    "offset": (estargz, lambda made: len(made.data) - FOOTER + 30),
    "table": (estargz, lambda made: estargz_toc(made)[0] + 40),
    "chunked table": (chunked, lambda made: chunked_toc(made)[0] + 20),
}
places = pytest.mark.parametrize("place", PLACES)


def pushed(client, place, content):
    make, where = PLACES[place]
    made = make(entries(content))
    image_of(made).push(client, "app", "1.0")
    return made, where(made)


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


def blob_of(shared, made):
    (path,) = [p for p in files_in(shared / "blobs")
               if p.name == made.digest[7:]]
    return path


@places
@pytest.mark.parametrize("content", [DATA, MORE], ids=["small", "large"])
def test_in_the_cache(mount, registry, client, shared, place, content):
    made, at = pushed(client, place, content)
    options = f"cache={shared}"
    first = mount(registry, options)
    name = next(name for name in os.listdir(first / "app/1.0/layers")
                if name != "01")
    assert (first / "app/1.0/layers" / name).read_bytes() == made.data
    first.unmount()
    flip(blob_of(shared, made), at)
    for _ in range(2):
        root = mount(registry, options)
        assert outline(root / "app/1.0/rootfs") == expected(content)
        assert "without its table" not in root.log()
        root.unmount()


@places
@pytest.mark.parametrize("times", [1, 2])
def test_on_its_way(mount, proxy, client, shared, place, times):
    """One transfer, and the next one."""
    made, at = pushed(client, place, DATA)
    assert len(made.data) < 128 * KIB
    root = mount(proxy, f"cache={shared}")
    root.allow_error("received bytes have the digest")
    proxy.sends(f"/blobs/{made.digest}", corrupt(at), times=times)
    assert outline(root / "app/1.0/rootfs") == expected(DATA)
    root.unmount()
    root = mount(proxy, f"cache={shared}")
    assert outline(root / "app/1.0/rootfs") == expected(DATA)


def test_one_more_request_is_enough(mount, proxy, client, shared):
    """For the table, and not for all of the layer."""
    made = estargz(entries(random.Random(9).randbytes(8 << 20)))
    image_of(made).push(client, "app", "1.0")
    root = mount(proxy, f"cache={shared}")

    def first_time(chunks):
        data = b"".join(chunks)
        yield data.replace(b"STARGZ", b"STARGX")
    proxy.sends(f"/blobs/{made.digest}", first_time, times=1)
    with proxy.requests() as seen:
        assert sorted(os.listdir(root / "app/1.0/rootfs")) == ["d", "top"]
    assert seen.received("GET", made.digest) < 1 << 20


@pytest.mark.parametrize("content", [DATA, MORE], ids=["small", "large"])
def test_a_table_that_is_wrong_in_the_layer(mount, proxy, client, shared,
                                            content):
    """All that the format adds is shown then; the blob is kept, and was right.
    """
    made = estargz(entries(content), footer=footer_of(12))
    image_of(made).push(client, "app", "1.0")
    first = mount(proxy, f"cache={shared}")
    assert (first / "app/1.0/layers/01.tar.gz").read_bytes() == made.data
    first.unmount()
    root = mount(proxy, f"cache={shared}")
    with proxy.requests() as seen:
        assert "stargz.index.json" in os.listdir(root / "app/1.0/rootfs")
    assert seen.count("GET", made.digest) == 0
    root.wait_for_log("read as a whole, without its table of contents")
    assert "damaged" not in root.log()
