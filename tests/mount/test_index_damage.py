# SPDX-License-Identifier: Apache-2.0
"""Indexes and trees of the cache that are damaged while they are mapped: the
daemon lives, what it says is right, and they are made again."""

import errno
import os
import random
import stat
import subprocess

import pytest

from registry.process import wait_until
from support.caches import evict_blobs
from support.chunked import chunked
from support.estargz import estargz
from support.indexes import (
    ENTRY_BITS, NODE_BITS, SPAN_BITS, WHOLE, derived, forget_kernel_caches,
    text_bits)
from support.layers import image_of, layer
from support.system import run
from support.tars import directory, file, hard_link, sparse, symlink
from support.trees import differences, read_tree

MIB = 1 << 20
chance = random.Random(4)
DAMAGED = "damaged"
PARTS = ("rootfs", "layers/01", "layers/02")


def words(size):
    """What can be compressed, and refers to what is before it."""
    return b" ".join(b"%d" % chance.randrange(10**6)
                     for _ in range(size // 6))[:size]


ENTRIES = [
    directory("d", mode=0o711, uid=7),
    directory("d/empty", mode=0o1777),
    *(file(f"d/e/name-{number:03}", words(100 + number), mode=0o640, gid=number)
      for number in range(150)),
    file("large", words(3 * MIB), xattrs={"user.note": b"remember-me"}),
    symlink("link", "d/somewhere-else"),
    hard_link("again", "large"),
]
SPARSE = sparse("holes", 4 * MIB, [(MIB, words(1000)), (3 * MIB, words(1000))])
UPPER = [file("d/upper", b"of the upper layer"), file("d/e/.wh.name-007"),
         directory("d/empty", mode=0o700)]
TEXTS = text_bits(b"name-042", b"remember-me", b"d/somewhere-else")
KINDS = {
    "gzip": lambda entries: layer([*entries, SPARSE], "gzip"),
    "estargz": estargz,
    "chunked": chunked,
    # It can be decoded from its start only, and is kept decoded.
    "one-frame": lambda entries: layer(
        [*entries, SPARSE, file("huge", words(17 * MIB))], "zstd"),
}


def shown(mounted):
    """All that is said of the image, by the tree and by the layers alone."""
    image = mounted / "app/1.0"
    return {part: read_tree(image / part) for part in PARTS}


def assert_same(found, right):
    for part in right:
        lines = differences(found[part], right[part])
        assert not lines, "\n".join([part, *lines[:20]])


@pytest.fixture(params=KINDS)
def image(request, client):
    image_of(KINDS[request.param](ENTRIES), UPPER).push(client, "app", "1.0")
    return request.param


@pytest.fixture
def in_use():
    """Keeps what is mapped mapped, whatever the kernel forgets."""
    held = []

    def in_use(mounted):
        for part in PARTS:
            held.append(os.open(mounted / "app/1.0" / part, os.O_RDONLY))
        return mounted

    yield in_use
    for descriptor in held:
        os.close(descriptor)


@pytest.fixture
def mounted(image, mount, registry, in_use):
    return in_use(mount(registry))


def damage_live(mounted, kind, damage, right):
    """Damages all files of a kind under a mount; whatever is asked then is
    answered as before."""
    for path in derived(mounted.cache, kind):
        damage(path)
    forget_kernel_caches()
    assert_same(shown(mounted), right)


def test_files_that_are_cut_or_overwritten(mounted):
    right = shown(mounted)
    for kind in ("layer", "tree"):
        for damage in WHOLE.values():
            damage_live(mounted, kind, damage, right)
    assert mounted.log().count(DAMAGED) >= 2 * len(WHOLE)


def test_records_with_a_wrong_bit(mounted, image):
    right = shown(mounted)
    bits = ENTRY_BITS | TEXTS
    # Where the layer is kept decoded there are no spans.
    if image != "one-frame":
        bits |= SPAN_BITS
    for damage in bits.values():
        damage_live(mounted, "layer", damage, right)
    for damage in NODE_BITS.values():
        damage_live(mounted, "tree", damage, right)
    assert mounted.log().count(DAMAGED) >= len(ENTRY_BITS) + len(NODE_BITS)


def test_all_at_once(mounted):
    right = shown(mounted)
    damage_live(mounted, "", WHOLE["zeros"], right)


def test_an_index_of_another_layer(mounted):
    """One that is right in itself."""
    right = shown(mounted)
    one, other = derived(mounted.cache, "layer")
    content = one.read_bytes()
    with open(other, "r+b") as opened:
        opened.truncate()
        opened.write(content)
    forget_kernel_caches()
    assert_same(shown(mounted), right)
    assert DAMAGED in mounted.log()


def ask(path):
    """What is said of a path, or the error."""
    try:
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            return sorted(os.listdir(path))
        if stat.S_ISLNK(status.st_mode):
            return os.readlink(path)
        return path.read_bytes()
    except OSError as failure:
        return failure.errno


def test_a_registry_that_is_away(image, mount, proxy, in_use):
    """What cannot be made again is an error, and no answer that is not so;
    when it can be, nobody has to mount again."""
    mounted = in_use(mount(proxy, "tag_ttl=3600"))
    right = shown(mounted)
    root = mounted / "app/1.0/rootfs"
    paths = [root, root / "d", root / "d/e", root / "d/empty", root / "link",
             root / "d/upper", root / "d/e/name-042", root / "large"]
    answers = {path: ask(path) for path in paths}
    evict_blobs(mounted.cache)
    proxy.answers(r"/blobs/", status=403)
    for path in derived(mounted.cache, ""):
        WHOLE["zeros"](path)
    forget_kernel_caches()
    mounted.allow_error("")
    said = {path: ask(path) for path in paths}
    for path, answer in answers.items():
        assert said[path] in (answer, errno.EIO, errno.EACCES), path
    assert errno.EACCES in said.values() or errno.EIO in said.values()
    proxy.heal()
    assert_same(shown(mounted), right)


def test_who_waits_for_an_index_holds_up_nobody(mount, proxy, client, in_use):
    """It is made again from a registry that is silent. What was known is asked
    for by the thread that takes the kernel's requests, which has to go on."""
    image_of(layer(ENTRIES), UPPER).push(client, "app", "1.0")
    mounted = in_use(mount(proxy))
    parent = os.open(mounted / "app/1.0/rootfs/d/e", os.O_RDONLY)
    asked = f"/dev/fd/{parent}/name-042"
    right = os.stat(asked)
    evict_blobs(mounted.cache)
    for path in derived(mounted.cache, "layer"):
        WHOLE["zeros"](path)
    forget_kernel_caches()
    silence = proxy.falls_silent(r"/blobs/")
    with proxy.requests() as seen, subprocess.Popen(
            ["stat", "-c", "%s", asked],
            stdout=subprocess.PIPE, pass_fds=[parent]) as asking:
        wait_until(lambda: seen.count("GET", r"/blobs/"), "a request")
        for _ in range(10):
            assert run("cat", mounted / ".registryfs/status.json").stdout
        assert asking.poll() is None
        proxy.heal()
        silence.release()
        assert int(asking.communicate(timeout=60)[0]) == right.st_size
    os.close(parent)


def test_damage_is_found_in_the_next_mount(image, mount, registry):
    first = mount(registry)
    right = shown(first)
    first.unmount()
    for path in derived(first.cache, ""):
        WHOLE["zeros"](path)
    again = mount(registry, f"cache={first.cache}")
    assert_same(shown(again), right)
    assert DAMAGED in again.log()
