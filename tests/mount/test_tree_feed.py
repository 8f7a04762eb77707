# SPDX-License-Identifier: Apache-2.0
"""What the kernel is given of a tree before it asks."""

import random
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.process import wait_until
from support.layers import image_of
from support.system import run
from support.tars import directory, file, hard_link

KIB = 1024
FILES = 200
TREE = "app/1.0/rootfs/d"
# The order shows itself once a span of the layer (1 MiB) has been left.
SHOWN = 1536 * KIB


@pytest.fixture(scope="module")
def files():
    chance = random.Random(2)
    return {f"{number:03}": chance.randbytes(chance.randrange(1, 40 * KIB))
            for number in range(FILES)}


@pytest.fixture
def walked(mounted):
    """A directory whose names the kernel knows, and none of its contents."""
    return mounted / TREE


@pytest.fixture
def mounted(mount, registry, client, files):
    image_of([directory("d"), *(file(f"d/{name}", data)
                                for name, data in files.items()),
              hard_link("d/again", "d/000")]).push(client, "app", "1.0")
    root = mount(registry)
    run("find", root / TREE, "-size", "+1G")
    return root


def in_memory(path):
    """Bytes of a file that the kernel has, which nobody reads by asking so."""
    return int(run("fincore", "--bytes", "--noheadings", "--output", "RES",
                   path).stdout)


def read_until_order_shows(tree, files):
    """Reads the first files; the names of the others, in order."""
    names, done = sorted(files), 0
    while done < SHOWN:
        name = names.pop(0)
        assert (tree / name).read_bytes() == files[name]
        done += len(files[name])
    return names


def test_the_next_files_are_there_before_they_are_read(walked, files):
    left = read_until_order_shows(walked, files)
    wait_until(lambda: all(in_memory(walked / name) >= len(files[name])
                           for name in left[:5]), "the next files")
    for name in left:
        assert (walked / name).read_bytes() == files[name]
    assert (walked / "again").read_bytes() == files["000"]


def test_nothing_is_there_for_who_reads_one_file(walked, files):
    names = sorted(files)
    assert (walked / names[100]).read_bytes() == files[names[100]]
    assert in_memory(walked / names[100]) >= len(files[names[100]])
    assert in_memory(walked / names[101]) == 0


def test_a_signal_ends_it_meanwhile(mounted, files):
    """What is given to the kernel waits for who reads the same: he is answered
    until it is done."""
    def walk():
        read_until_order_shows(mounted / TREE, files)
        for name in sorted(files):
            try:
                (mounted / TREE / name).read_bytes()
            except OSError:
                return
    with ThreadPoolExecutor(1) as walker:
        walked = walker.submit(walk)
        wait_until(lambda: in_memory(mounted / TREE / "100") or walked.done(),
                   "half of the walk")
        mounted.signal(signal.SIGTERM)
        mounted.finish()
