# SPDX-License-Identifier: Apache-2.0
"""What an archive is, its content says: a web application has a
manifest.json, too, and an image's members lie where its manifest says."""

import gzip
import json
import shutil

import pytest

from registry.client import digest_of
from support.archives import docker_archive
from support.images import OCI_LAYER, Layer, config_of, oci_image, tar_of
from support.system import run
from support.tars import directory, file, symlink, tar_bytes
from support.trees import outline

WEB = json.dumps({"name": "an application", "icons": []}).encode()
PAGE = file("index.html", b"<html>")

ROOTS = {
    "an application": [directory("usr"), PAGE, file("manifest.json", WEB)],
    "an empty list": [PAGE, file("manifest.json", b"[]")],
    "a list": [PAGE, file("manifest.json", b'[{"a": 1}]')],
    "no JSON": [PAGE, file("manifest.json", b"// hello")],
    "large": [PAGE, file("manifest.json", b'{"x":"' + b"A" * (17 << 20)
                         + b'"}')],
    "routes": [PAGE, file("index.json", b'{"routes": []}')],
    "no layout": [file("oci-layout", b"x"), file("index.json", b"{}")],
    "a directory": [directory("manifest.json"),
                    file("manifest.json/x", b"b")],
    "a link": [symlink("manifest.json", "dist/m.json"),
               file("dist/m.json", WEB)],
    "packages": [file("repositories", b"deb http://x"), file("etc/x", b"x")],
}


def contents(entries):
    return {entry.name: entry.data for entry in entries if entry.data}


@pytest.mark.parametrize("name", ROOTS)
def test_a_root_file_system(app, name):
    (app / "1.0.tar").write_bytes(tar_bytes(ROOTS[name]))
    found = outline(app / "1.0/rootfs")
    assert {path: data for path, data in found.items()
            if isinstance(data, bytes)} == contents(ROOTS[name])


@pytest.mark.parametrize("name, data", [
    ("manifest.json", WEB), ("repositories", b"deb http://x")])
def test_a_tree(app, new, name, data):
    (new / "index.html").write_bytes(b"<html>")
    (new / name).write_bytes(data)
    shutil.move(new, app / "1.0")
    assert outline(app / "1.0/rootfs") == {"index.html": b"<html>", name: data}


# The shapes of which docker load takes all.
TAR = tar_of({"f": b"contents"})
PACKED = gzip.compress(TAR, mtime=0)
CONFIG = config_of([Layer(OCI_LAYER, TAR, diff_id=digest_of(TAR))])
HEX = digest_of(TAR).partition(":")[2]
PACKED_HEX = digest_of(PACKED).partition(":")[2]
CONFIG_HEX = digest_of(CONFIG).partition(":")[2]
SHAPES = [
    ("a.tar", TAR, "config.json"),
    ("blobs/a.tar", TAR, "config.json"),
    ("blobs/a.tar.gz", PACKED, "config.json"),
    (f"blobs/{PACKED_HEX}", PACKED, "config.json"),
    (f"blobs/{HEX}.tar", TAR, "config.json"),
    ("blobs/sha256/a.tar", TAR, "config.json"),
    (f"blobs/sha256/{HEX}", TAR, "config.json"),
    (f"blobs/sha256/{PACKED_HEX}", PACKED, "config.json"),
    (f"blobs/sha256/{HEX}.tar", TAR, f"blobs/sha256/{CONFIG_HEX}"),
    (f"blobs/sha256/{PACKED_HEX}.tar.gz", PACKED, f"blobs/sha256/{CONFIG_HEX}"),
    (f"blobs/sha256:{PACKED_HEX}.tar.gz", PACKED, f"blobs/sha256:{CONFIG_HEX}"),
    ("layers/a.tar", TAR, "blobs/config.json"),
    ("layers/a.tar", TAR, "blobs/sha256/c.json"),
    ("layers/a.tar", TAR, f"blobs/{CONFIG_HEX}"),
    ("blobs/x/y/z.tar", TAR, "config.json"),
    (f"sha256/{HEX}.tar", TAR, f"sha256/{CONFIG_HEX}.json"),
    ("index.json", TAR, "config.json"),
    ("oci-layout", TAR, "config.json"),
    ("repositories", TAR, "config.json"),
    ("a/manifest.json", TAR, "b/manifest.json"),
]


def shaped(path, layer, config, is_first):
    manifest = file("manifest.json", json.dumps([{
        "Config": config, "RepoTags": ["x:t"], "Layers": [path]}]).encode())
    members = [file(config, CONFIG), file(path, layer)]
    return tar_bytes([manifest, *members] if is_first
                     else [*members, manifest])


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_members_lie_anywhere(app, shape, is_first):
    (app / "1.0.tar").write_bytes(shaped(*SHAPES[shape], is_first))
    assert outline(app / "1.0/rootfs") == {"f": b"contents"}
    assert (app / "1.0/config.json").read_bytes() == CONFIG


def test_a_member_that_is_a_link_to_anywhere(app):
    entries = [file("deep/down/there.tar", TAR), file("config.json", CONFIG),
               symlink("layers/first", "../deep/down/there.tar"),
               symlink("layers/a.tar", "first"),
               file("manifest.json", b'[{"Config": "config.json", "Layers":'
                                     b' ["layers/a.tar"]}]')]
    (app / "1.0.tar").write_bytes(tar_bytes(entries))
    assert outline(app / "1.0/rootfs") == {"f": b"contents"}


def test_a_member_that_is_nowhere(mounted, app):
    mounted.expect_error("the archive lacks layers/none.tar")
    archive = tar_bytes([
        file("config.json", CONFIG), symlink("layers/loop", "loop"),
        file("manifest.json", b'[{"Config": "config.json", "Layers":'
                              b' ["layers/none.tar"]}]')])
    with pytest.raises(OSError):
        (app / "1.0.tar").write_bytes(archive)


def test_of_several_images_the_repository_s(app, docker, tmp_path):
    """docker save one:latest two:latest"""
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(tar_of({name: b"x"}))
        docker("import", tmp_path / name, f"{name}:latest")
    docker("save", "-o", tmp_path / "both.tar", "one:latest", "two:latest")
    root = app.parent
    for name in ("one", "two"):
        (root / name).mkdir()
        run("cp", tmp_path / "both.tar", root / name / "latest.tar")
        assert outline(root / name / "latest/rootfs") == {name: b"x"}


def test_of_several_images_none_of_the_repository(mounted, app):
    mounted.expect_error("several images, more than one of them with the tag")
    images = [(f"{name}:1.0", oci_image(Layer(
        OCI_LAYER, tar_of({name: b"x"}), diff_id=digest_of(
            tar_of({name: b"x"}))))) for name in ("one", "two")]
    with pytest.raises(OSError):
        (app / "1.0.tar").write_bytes(docker_archive(images))
