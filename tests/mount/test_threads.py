# SPDX-License-Identifier: Apache-2.0
"""The threads that serve the kernel: who answers, and how many there are."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.faults import Hold
from registry.process import wait_until
from support.images import oci_image
from support.layers import image_of, layer
from support.tars import directory, file

ROUNDS = 200
READERS = 40


def switches(pid):
    """How often each thread has given up its processor."""
    counts = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        counts[task.name] = sum(
            map(int, re.findall(r"ctxt_switches:\s+(\d+)", status)))
    return counts


def threads(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@contextmanager
def entered(path):
    """The directory, opened: no name on the way is looked up again."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@pytest.fixture
def tree(mount, registry, client):
    image_of([directory("d/d"), file("d/f", b"x")]).push(client, "app", "1.0")
    root = mount(registry)
    yield root, root / "app/1.0/rootfs/d"


def test_one_thread_answers_what_is_known(tree):
    root, entry = tree
    with entered(entry) as here:
        # Each of these is a request, each time.
        def ask():
            os.listxattr(f"/proc/self/fd/{here}")
            os.close(os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here))
            os.close(os.open("f", os.O_RDONLY, dir_fd=here))
        ask()
        before = switches(root.pid)
        for _ in range(ROUNDS):
            ask()
        after = switches(root.pid)
    busy = [thread for thread, count in after.items()
            if count - before.get(thread, 0) > ROUNDS / 10]
    assert len(busy) <= 1
    assert after.keys() == before.keys()


def test_who_waits_holds_up_nobody(mount, proxy, client):
    """More wait than the file system's library has threads."""
    image_of([file("f", b"x")]).push(client, "known", "1.0")
    layers = [layer([file(f"{number}")]) for number in range(READERS)]
    oci_image(*layers).push(client, "app", "1.0")
    root = mount(proxy)
    assert (root / "known/1.0/rootfs/f").read_bytes() == b"x"
    hold = Hold(at=0)
    for one in layers:
        proxy.sends(f"/blobs/{one.digest}", hold)
    before = threads(root.pid)
    with ThreadPoolExecutor(READERS) as readers:
        reads = [readers.submit(path.read_bytes)
                 for path in (root / "app/1.0/layers").glob("*.tar.gz")]
        try:
            hold.wait_reached()
            wait_until(lambda: threads(root.pid) > READERS,
                       "a thread for each")
            assert os.listdir(root / "known/1.0/rootfs") == ["f"]
            assert os.listxattr(root / "known/1.0/rootfs/f") == []
        finally:
            hold.release()
        assert {read.result() for read in reads} == {
            one.data for one in layers}
    # Nor do they stay for ever.
    wait_until(lambda: threads(root.pid) < before + READERS / 2,
               "the threads' end")
