# SPDX-License-Identifier: Apache-2.0
"""What the kernel is given of a tree before it asks."""

import random

import pytest

from registry.process import wait_until
from support.layers import image_of
from support.system import run
from support.tars import directory, file, hard_link

KIB = 1024
FILES = 200
# The order shows itself once a span of the layer (1 MiB) has been left.
SHOWN = 1536 * KIB


@pytest.fixture(scope="module")
def files():
    chance = random.Random(2)
    return {f"{number:03}": chance.randbytes(chance.randrange(1, 40 * KIB))
            for number in range(FILES)}


@pytest.fixture
def walked(mount, registry, client, files):
    """A directory whose names the kernel knows, and none of its contents."""
    image_of([directory("d"), *(file(f"d/{name}", data)
                                for name, data in files.items()),
              hard_link("d/again", "d/000")]).push(client, "app", "1.0")
    tree = mount(registry) / "app/1.0/rootfs/d"
    run("find", tree, "-size", "+1G")
    return tree


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
