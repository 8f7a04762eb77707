# SPDX-License-Identifier: Apache-2.0
"""Directories of images that are copied over those of tags that are there: what
comes out is one of the two images, and never a third one."""

import itertools
import os
from dataclasses import dataclass

import pytest

from support.images import (
    gzip_layer, index_of, layer_of_size, oci_image, platform_images)
from support.system import fails_with, run
from support.tags import digests, shell

BASE = gzip_layer({"etc/motd": b"1\n"})
OLD = oci_image(BASE, gzip_layer({"etc/extra": b"two\n"}))
NEW = oci_image(BASE, layer_of_size(100_000), created="2021-01-01T00:00:00Z")
MORE = oci_image(*OLD.layers, gzip_layer({"etc/more": b"three\n"}))
# Of OLD's layers and time; only the size of the config is another one.
AUTHOR = oci_image(*OLD.layers, Labels={"author": "somebody"})
INDEX = index_of(platform_images())

PAIRS = {"other layer": (OLD, NEW), "one layer more": (OLD, MORE),
         "one layer less": (MORE, OLD), "config only": (OLD, AUTHOR),
         "to an index": (OLD, INDEX), "from an index": (INDEX, OLD)}


@dataclass
class Mirror:
    """A tag that was mirrored, and has moved since in the source."""
    source: object
    target: object
    client: object

    def run(self, command):
        return shell("/", command.format(source=self.source,
                                         target=self.target), check=False)

    def digest(self):
        return digests(self.client, "mirror")


MOUNTS = ["one mount", "two mounts"]


def each_of(hows):
    """Each program with each pair of images, by turns within a mount and
    between two: each program and each pair has both."""
    return pytest.mark.parametrize("pair, how, mirror", [
        (pair, how, MOUNTS[(row + column) % 2])
        for (row, pair), (column, how) in itertools.product(
            enumerate(PAIRS), enumerate(hows))], indirect=["mirror"])


@pytest.fixture(params=MOUNTS)
def mirror(request, mount, registry, client):
    def make(old, new):
        old.push(client, "app", "1.0")
        here = mount(registry, "tag_ttl=0")
        there = here
        if request.param == "two mounts":
            there = mount(registry, "tag_ttl=0")
        here.allow_error("")
        there.allow_error("")
        (there / "mirror").mkdir()
        made = Mirror(here / "app", there / "mirror", client)
        assert made.run("rsync -a {source}/ {target}/").returncode == 0
        assert made.digest() == {"1.0": old.digest}
        new.push(client, "app", "1.0")
        return made
    return make


RSYNC = ["rsync -a", "rsync -a --delete", "rsync -rlc", "rsync -a --inplace",
         "rsync -aI"]


@each_of(RSYNC)
def test_rsync_changes_nothing_of_a_tag_that_is_there(mirror, pair, how):
    old, new = PAIRS[pair]
    made = mirror(old, new)
    for _ in range(2):
        result = made.run(how + " {source}/ {target}/")
        assert result.returncode != 0
        assert "Operation not permitted" in result.stderr
        assert made.digest() == {"1.0": old.digest}
    assert not [name for name in os.listdir(made.target / "1.0")
                if name.startswith(".")]


@each_of([
    "cp -r {source}/. {target}/", "cp -a {source}/. {target}/",
    "tar -C {source} -c . | tar -C {target} -x",
    "busybox cp -r {source}/. {target}/"])
def test_others_end_with_an_error(mirror, pair, how):
    old, new = PAIRS[pair]
    made = mirror(old, new)
    assert made.run(how).returncode != 0
    assert made.digest()["1.0"] in (old.digest, new.digest)


@pytest.mark.parametrize("how", RSYNC)
def test_what_has_not_moved_is_not_changed(mirror, how):
    made = mirror(OLD, OLD)
    result = made.run(how + " {source}/ {target}/")
    # -I writes all files again, and -c the archive, which has its own name.
    writes = how in ("rsync -aI", "rsync -rlc")
    assert (result.returncode == 0) == (not writes)
    assert made.digest() == {"1.0": OLD.digest}


def test_a_new_tag_is_mirrored_beside_one_that_has_moved(mirror):
    made = mirror(OLD, NEW)
    AUTHOR.push(made.client, "app", "2.0")
    assert made.run("rsync -a {source}/ {target}/").returncode != 0
    assert made.digest() == {"1.0": OLD.digest, "2.0": AUTHOR.digest}
    # What the sentence says to type.
    run("rsync", "-a", made.source / "1.0.tar", made.target)
    assert made.digest()["1.0"] == NEW.digest


# Layers, by any program.

@pytest.fixture
def layers(mount, registry, client):
    OLD.push(client, "app", "1.0")
    root = mount(registry)
    root.allow_error("")
    return root / "app/1.0/layers"


@pytest.mark.parametrize("name", ["02.tar.gz", "02.tar", "01.tar.zst"])
@pytest.mark.parametrize("how", ["mv {0} {1}", "cp {0} {1}", "install {0} {1}",
                                 "rsync -a {0} {1}",
                                 "cp {0} {2}; mv {2} {1}"])
def test_a_layer_is_not_replaced(layers, client, tmp_path, how, name):
    path = tmp_path / "layer"
    path.write_bytes(NEW.layers[1].data)
    result = shell("/", how.format(path, layers / name, layers / ".temporary"),
                   check=False)
    assert "Operation not permitted" in result.stderr
    assert digests(client, "app") == {"1.0": OLD.digest}
    assert path.exists()
    assert (layers / "02.tar.gz").read_bytes() == OLD.layers[1].data


def test_a_layer_may_be_replaced_by_itself(layers, client, tmp_path):
    """As a mirror does it where times differ."""
    os.utime(tmp_path)
    path = tmp_path / "02.tar.gz"
    path.write_bytes(OLD.layers[1].data)
    run("rsync", "-a", path, layers)
    assert digests(client, "app") == {"1.0": OLD.digest}
    assert (layers / "02.tar.gz").read_bytes() == OLD.layers[1].data
    assert sorted(os.listdir(layers)) == ["01", "01.tar.gz", "02", "02.tar.gz"]


def test_rsync_puts_no_numbered_layer_on_top(layers, client, tmp_path):
    path = tmp_path / "03.tar.gz"
    path.write_bytes(MORE.layers[2].data)
    result = run("rsync", "-a", path, layers, check=False)
    assert "Operation not permitted" in result.stderr
    assert digests(client, "app") == {"1.0": OLD.digest}
    with fails_with(2):
        os.stat(layers / "03.tar.gz")
    # By its own name, it is one more layer.
    run("rsync", "-a", path, layers / "more.tar.gz")
    assert len(client.manifest("app", "1.0").json()["layers"]) == 3
