# SPDX-License-Identifier: Apache-2.0
"""Who waits for the registry can be interrupted; what had to be brought to its
end is, and a mount ends without what nobody waits for any more."""

import os
import signal
import sys
import time

import pytest

from registry.client import Refused
from registry.process import wait_until
from support.images import layer_of_size, oci_image
from support.system import run
from support.tags import (  # deleting is a fixture
    IMAGE, OTHER, deleting, digests)
from support.waiting import PROMPT, end, silent, waiting

EXCHANGE = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
old, new = map(os.fsencode, sys.argv[1:])
libc.renameat2(-100, old, -100, new, 2)
"""
SIGNALS = pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL],
                                  ids=lambda signum: signum.name)
# A command, what of it is held up, and what the registry then comes to have.
CHANGES = {
    "mv": (["mv", "1.0", "2.0"], "PUT", "/manifests/2.0",
           {"2.0": IMAGE, "same": IMAGE, "other": OTHER}),
    "mv onto": (["mv", "-T", "1.0", "other"], "PUT", "/manifests/other",
                {"same": IMAGE, "other": IMAGE}),
    "mv, the removal": (["mv", "1.0", "2.0"], "PUT", "/manifests/1.0",
                        {"2.0": IMAGE, "same": IMAGE, "other": OTHER}),
    "exchange": ([sys.executable, "-c", EXCHANGE, "1.0", "other"], "PUT",
                 "/manifests/1.0",
                 {"1.0": OTHER, "same": IMAGE, "other": IMAGE}),
    "rmdir": (["rmdir", "1.0"], "PUT", "/manifests/1.0",
              {"same": IMAGE, "other": OTHER}),
    "rm of the archive": (["rm", "1.0.tar"], "PUT", "/manifests/1.0",
                          {"same": IMAGE, "other": OTHER}),
}


def held(deleting, change):
    """The hold, the command, and whether the registry has what it is to."""
    root, client, proxy = deleting
    command, method, path, wanted = CHANGES[change]
    os.listdir(root / "app")
    hold = proxy.falls_silent(path, method=method, times=1)
    wanted = {tag: image.digest for tag, image in wanted.items()}

    def is_done():
        try:
            return digests(client, "app") == wanted
        except Refused:
            return False  # a tag that went after the list
    return hold, ["env", "-C", root / "app", *command], is_done


@SIGNALS
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_tags(deleting, change, signum):
    root, _, _ = deleting
    hold, command, is_done = held(deleting, change)
    with waiting(hold, *command) as child:
        assert end(child, signum) == -signum
        assert not is_done()
    # Its connection broke: it is asked for once more.
    wait_until(is_done, "what had begun")
    wait_until(lambda: set(os.listdir(root / "app")) == set(
        CHANGES[change][3]), "the mount's word of it")


def test_a_change_outlives_its_mount(deleting):
    root, _, _ = deleting
    hold, command, is_done = held(deleting, "mv")
    with waiting(hold, *command) as child:
        end(child)
        run("fusermount3", "-u", root.path)
        assert not is_done()
    root.finish()
    assert is_done()


def test_a_change_that_fails_is_in_the_log(deleting):
    root, client, proxy = deleting
    before = digests(client, "app")
    hold, command, _ = held(deleting, "mv")
    proxy.refuses("/manifests/2.0", method="PUT", status=403, code="DENIED",
                  message="no such luck")
    root.expect_error("interrupted operation .* failed: .*no such luck")
    with waiting(hold, *command) as child:
        end(child)
    root.wait_for_log("an interrupted operation")
    assert digests(client, "app") == before


@SIGNALS
@pytest.mark.parametrize("name", [
    "layers/01.tar.gz", "image.tar", "rootfs/blob"])
def test_a_read_and_the_unmount_after_it(mount, proxy, client, name, signum):
    """The kernel reads on for who is gone, and tells nobody that it is not
    wanted."""
    layer = layer_of_size(3 << 20)
    oci_image(layer).push(client, "app", "1.0")
    root = mount(proxy, "timeout=20")
    with silent(proxy, layer.digest, "cat", root / "app/1.0" / name,
                method="GET") as child:
        assert end(child, signum) == -signum
        start = time.monotonic()
        root.unmount()
        assert time.monotonic() - start < PROMPT
