# SPDX-License-Identifier: Apache-2.0
"""OCI image layouts on the disk, read as the specification has them."""

import fcntl
import hashlib
import json
from contextlib import contextmanager
from pathlib import Path

from support.archives import REF_NAME, write_layout

FULL_NAME = "io.containerd.image.name"
INDEX = "index.json"
# The index while it is written; the next writer takes the place of one that
# was left by a crash.
TEMPORARY = {"index.json.registryfs"}


def layout_of(directory, **images):
    """A layout of those images, by their tags: v1 is called "1"."""
    directory.mkdir(parents=True, exist_ok=True)
    return write_layout(directory, [(tag.lstrip("v").replace("_", "."), image)
                                    for tag, image in images.items()])


def entries(layout):
    return json.loads((Path(layout) / INDEX).read_bytes())["manifests"]


def names(layout):
    """{name: digest}, as most tools know it."""
    return {entry["annotations"][REF_NAME]: entry["digest"]
            for entry in entries(layout)
            if REF_NAME in entry.get("annotations", {})}


def blob_path(layout, digest):
    return Path(layout) / "blobs" / digest.replace(":", "/")


def rename(layout, position, **annotations):
    """Gives an entry other annotations, as tools do: in place."""
    index = json.loads((layout / INDEX).read_bytes())
    index["manifests"][position]["annotations"] = annotations
    (layout / INDEX).write_text(json.dumps(index))


@contextmanager
def locked(layout):
    """As another process that changes it; gives what ends that."""
    with open(layout / "oci-layout", "rb") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(marker, fcntl.LOCK_UN)


def assert_valid(layout):
    """All that it names is there, whole, and there is nothing else but blobs
    whose names are right. Returns the names."""
    layout = Path(layout)
    assert json.loads((layout / "oci-layout").read_bytes()) == {
        "imageLayoutVersion": "1.0.0"}
    assert {path.name for path in layout.iterdir()} - TEMPORARY == {
        "oci-layout", INDEX, "blobs"}
    for path in layout.glob("blobs/*/*"):
        found = hashlib.new(path.parent.name, path.read_bytes()).hexdigest()
        assert found == path.name
    for entry in entries(layout):
        _check(layout, entry)
    return names(layout)


def _check(layout, entry):
    path = blob_path(layout, entry["digest"])
    assert path.stat().st_size == entry["size"]
    if not entry["mediaType"].endswith(("manifest.v1+json", "index.v1+json",
                                        "manifest.v2+json", "list.v2+json")):
        return
    document = json.loads(path.read_bytes())
    for one in (document["manifests"] if "manifests" in document
                else [document["config"], *document["layers"]]):
        _check(layout, one)
