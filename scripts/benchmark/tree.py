# SPDX-License-Identifier: Apache-2.0
"""The root file system of an image, and what is done with one."""

from contextlib import contextmanager

from benchmark.peers import Stargz
from benchmark.place import TIMEOUT
from support.system import run

FILE = "usr/lib/python3.11/pathlib.py"
PYTHON = ("python3", "-c", "import json")

FIND = r"find . -xdev -printf '%m %U %G %s %p\n' | wc -l"
GREP = ("grep -rIlF --devices=skip NeedleThatIsNowhere . || "
        "[ $? = 1 ]  # it found nothing, and nothing failed")
# tar that sees that its output is /dev/null reads nothing.
TAR = "tar --one-file-system --xattrs -cf - . | wc -c"

PODMAN = "`podman pull`, `image mount`"
STARGZ = "stargz-store and overlay, eStargz"


def shell(script, root):
    """What runs a script in a tree."""
    return ("bash", "-o", "pipefail", "-ec", f'cd "$1"; {script}', "bash", root)


def do(script):
    """Runs a script in a tree that it is given."""
    return lambda root: run(*shell(script, root), timeout=TIMEOUT)


def read(content):
    """Reads FILE of a tree that it is given."""
    return lambda root: check(content, run("cat", f"{root}/{FILE}").stdout)


def check(content, output):
    if output != content:
        raise AssertionError(f"this is not {FILE}:\n{output}")


def start_python(root):
    run("chroot", root, *PYTHON, timeout=TIMEOUT)


@contextmanager
def ours(place, images, image, **options):
    """Mounts the registry; yields the root of an image in it."""
    with place.mount(images.registry, **options) as mount:
        yield mount / image.replace(":", "/") / "rootfs"


def stargz(place, images):
    """What mounts the tree of the eStargz image with stargz-store; None where
    there is no such program or image."""
    peer = Stargz(place, images.registry)
    if not (peer.is_installed() and images.has("big-estargz")):
        return None
    image = images.push("big-estargz")
    return lambda: peer.root(image)
