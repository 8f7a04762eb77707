# SPDX-License-Identifier: Apache-2.0
"""Inode numbers: a listing gives each entry the one that a look at it gives,
whatever kind of entry it is."""

import os
import re
import stat
from pathlib import Path

import pytest

from support.images import (
    TITLE, Blob, attested_index, index_of, oci_image,
    platform_images)
from support.layers import image_of
from support.referrers import referrer_of
from support.tars import (
    CHARACTERS, device, directory, file, hard_link, symlink, whiteout)
from test_artifact_files import artifact_of, packed

# What the kinds of fs/node/node.h are found as, below the mount: (kind, path).
PLACES = {
    "a namespace": ("REPO", "team"),
    "a repository": ("REPO", "app"),
    "a repository that has a tag's name": ("REPO", "team/1.0"),
    "a tag": ("IMAGE", "app/1.0"),
    "a tag that has a repository's name": ("IMAGE", "team/:1.0"),
    "a manifest": ("DOCUMENT", "app/1.0/manifest.json"),
    "a config": ("DOCUMENT", "app/1.0/config.json"),
    "an archive": ("DOCUMENT", "app/1.0/image.tar"),
    "layers": ("LAYERS", "app/1.0/layers"),
    "a blob": ("BLOB", "app/1.0/layers/01.tar.gz"),
    "a layer's directory": ("TREE", "app/1.0/layers/02/dir"),
    "a tree": ("TREE", "app/1.0/rootfs"),
    "a directory of several layers": ("TREE", "app/1.0/rootfs/dir"),
    "a file": ("LAYER_FILE", "app/1.0/rootfs/dir/file"),
    "a file that has lost a link": ("LAYER_FILE", "app/1.0/rootfs/dir/linked"),
    "referrers": ("REFERRERS", "app/1.0/referrers"),
    "an index": ("DOCUMENT", "app/index/index.json"),
    "platforms": ("PLATFORMS", "app/index/platforms"),
    "a platform": ("IMAGE", "app/index/platforms/linux-arm64"),
    "attestations": ("REFERRERS", "app/attested/referrers"),
    "files of an artifact": ("FILES", "app/files/files"),
    "a file of an artifact": ("BLOB", "app/files/files/docs/a"),
    "a directory that was packed": ("TREE", "app/files/files/packed/inner"),
    "a scratch directory": ("SCRATCH", "app/.new/dir"),
    "a scratch file": ("SCRATCH_FILE", "app/.new/dir/file"),
    "a file that is written": ("WRITTEN", "app/.part"),
    "a directory that was made": ("REPO", "made"),
    "a snapshot": ("SNAPSHOT", ".registryfs/status.json"),
    "events": ("EVENTS", ".registryfs/events"),
}

# Kinds that no directory of this mount lists.
UNLISTED = {
    "MANIFEST": "the content of a document",
    "ARCHIVE": "the content of a document",
    "CONTROL": "found by its name alone",
    "SEARCH": "likewise",
    "LISTING": "likewise",
    "HOSTS": "of a mount of several sources alone",
    "LINK": "who looks for it finds the image that it has become",
}


@pytest.fixture
def root(mount, registry, client):
    image = image_of(
        [directory("dir"), file("dir/file", b"file"),
         file("dir/linked", b"linked"), hard_link("dir/hidden", "dir/linked"),
         hard_link("dir/both", "dir/file"), symlink("dir/link", "file"),
         device("dir/null", CHARACTERS, 1, 3)],
        [directory("dir"), file("dir/more", b"more"), whiteout("dir/hidden")])
    image.push(client, "app", "1.0")
    referrer_of(image).push(client, "app")
    for repository in ("team", "team/1.0"):
        oci_image().push(client, repository, "1.0")
    index_of(platform_images()).push(client, "app", "index")
    attested_index().push(client, "app", "attested")
    artifact_of(Blob("text/plain", b"a", {TITLE: "docs/a"}),
                packed("packed", {"inner": b"inner"})).push(
                    client, "app", "files")
    root = mount(registry)
    (root / "app/.new/dir").mkdir(parents=True)
    (root / "app/.new/dir/file").write_text("file")
    (root / "app/.part").write_bytes(b"part")
    (root / "made").mkdir()
    return root


def check(path):
    """That a listing of the directory agrees with a look at each entry; how
    many entries there are in it and below."""
    count = 0
    for entry in os.scandir(path):
        status = os.lstat(entry.path)
        assert entry.inode() == status.st_ino, entry.path
        assert entry.is_dir(follow_symlinks=False) == stat.S_ISDIR(
            status.st_mode), entry.path
        count += 1
        if entry.is_dir(follow_symlinks=False):
            count += check(entry.path)
    return count


def test_every_kind_has_one_number(root):
    for _, place in PLACES.values():
        os.lstat(root / place)
    assert check(root.path) > len(PLACES)


def test_every_kind_has_a_place():
    text = (Path(__file__).parents[2] / "fs/node/node.h").read_text()
    kinds = set(re.findall(r"\bNODE_(\w+),", re.search(
        r"enum node_kind \{(.*?)\};", text, re.S)[1])) - {"KINDS"}
    placed = {kind for kind, _ in PLACES.values()}
    assert not placed & UNLISTED.keys()
    assert placed | UNLISTED.keys() == kinds


@pytest.mark.parametrize("place", [place for _, place in PLACES.values()],
                         ids=PLACES)
def test_it_is_listed_before_anybody_looks(root, place):
    """The listing finds no node of it, and says which number it will have."""
    path = root / place
    listed = {entry.name: entry.inode() for entry in os.scandir(path.parent)}
    assert listed[path.name] == os.lstat(path).st_ino
