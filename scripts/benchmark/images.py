# SPDX-License-Identifier: Apache-2.0
"""The images of make-images.sh, in a registry of theirs."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmark.place import TIMEOUT, Skopeo
from support.system import run


def find(name, source):
    """Where a file of make-images.sh is; None where that is not to be had.

    They are built once, which takes minutes, and kept where the script keeps
    them. It is in $BENCH_DIR, or beside the source.
    """
    path = Path(os.environ.get("OUT", "/tmp/registryfs-bench/images"), name)
    tools = os.environ.get("BENCH_DIR", source.parent / "shared/bench")
    script = Path(tools, "make-images.sh")
    if not path.exists() and script.exists():
        print(f"scripts/bench: {script} builds its images", file=sys.stderr)
        subprocess.run([script, "build"], check=True, stdout=sys.stderr)
    return path if path.exists() else None


class Images:
    """A registry into which an image is pushed when it is first asked for."""

    def __init__(self, place, layout):
        """layout: an OCI layout with an image a tag."""
        self.registry = None
        self._place = place
        self._layout = layout
        self._pushed = set()
        self._stack = ExitStack()
        index = json.loads((layout / "index.json").read_text())
        self._manifests = {
            entry["annotations"]["org.opencontainers.image.ref.name"]:
            self._blob(entry["digest"]) for entry in index["manifests"]}

    def __enter__(self):
        self.registry = self._stack.enter_context(self._place.registry())
        return self

    def __exit__(self, *_):
        self._stack.close()

    def has(self, name):
        if name not in self._manifests:
            print(f"scripts/bench: the image {name} was not built, and is left "
                  "out", file=sys.stderr)
        return name in self._manifests

    def push(self, name):
        """The reference, without registry, of an image that is there."""
        image = f"bench/{name}:1.0"
        if name not in self._pushed:
            with Skopeo(self._place) as skopeo:
                skopeo.copy(f"oci:{self._layout}:{name}", self.registry, image)
            self._pushed.add(name)
        return image

    def megabytes(self, name):
        return f"{sum(layer['size'] for layer in self._layers(name)) / 1e6:.0f}"

    def content(self, name, path):
        """A file of an image as tar finds it in the topmost layer with it."""
        for layer in reversed(self._layers(name)):
            found = run("tar", "--occurrence=1", "-xzOf",
                        self._blob(layer["digest"]), f"./{path}", text=False,
                        check=False, timeout=TIMEOUT).stdout
            if found:
                return found
        raise AssertionError(f"{name} has no {path}")

    def _layers(self, name):
        return json.loads(self._manifests[name].read_text())["layers"]

    def _blob(self, digest):
        return self._layout / "blobs" / digest.replace(":", "/")
