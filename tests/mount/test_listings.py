# SPDX-License-Identifier: Apache-2.0
"""files.tsv, a table of all files of an image, and layers/NN.changes."""

import errno
import io
import os
import stat
import subprocess
import tarfile
import threading

import pytest

from support.images import (
    OCI_GZIP_LAYER, Blob, artifact, compressed, gzip_layer, oci_image)
from support.system import fails_with

TYPES = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l",
         stat.S_IFCHR: "c", stat.S_IFBLK: "b", stat.S_IFIFO: "p"}


def layer(*members):
    """Of (name, type of a tar's member, content, mode)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, data, mode in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, mode
            if kind == tarfile.REGTYPE:
                member.size = len(data)
            else:
                member.linkname = data.decode()
            tar.addfile(member, io.BytesIO(data))
    return Blob(OCI_GZIP_LAYER, compressed(out.getvalue()))


def file(name, data=b"x", mode=0o644):
    return name, tarfile.REGTYPE, data, mode


def directory(name, mode=0o755):
    return name, tarfile.DIRTYPE, b"", mode


LAYERS = (
    layer(directory("etc"), file("etc/a", b"1234567"), file("etc/b"),
          directory("var"), file("var/x"), directory("var/log"),
          ("etc/link", tarfile.SYMTYPE, b"a", 0o777),
          ("etc/hard", tarfile.LNKTYPE, b"etc/a", 0o644),
          ("pipe", tarfile.FIFOTYPE, b"", 0o644)),
    layer(directory("etc"), file("etc/a", b"12"), file("etc/.wh.b", b""),
          file("etc/new\nline")),
    layer(directory("etc", 0o700), file(".wh.var", b""), file("zz")))


def rows(app):
    lines = (app / "files.tsv").read_text().splitlines()
    assert lines[0] == "path\ttype\tsize\tlayer"
    return [tuple(line.split("\t")) for line in lines[1:]]


def test_a_row_a_file(look):
    assert rows(look(oci_image(*LAYERS))) == [
        ("/etc", "d", "0", "3"), ("/etc/a", "f", "2", "2"),
        ("/etc/hard", "f", "7", "1"), ("/etc/link", "l", "0", "1"),
        (r"/etc/new\nline", "f", "1", "2"), ("/pipe", "p", "0", "1"),
        ("/zz", "f", "1", "3")]


def test_it_says_what_find_says(look):
    app = look(oci_image(*LAYERS))
    found = {}
    for path, directories, files in os.walk(app / "rootfs"):
        for name in directories + files:
            full = os.path.join(path, name)
            status = os.lstat(full)
            kind = TYPES[stat.S_IFMT(status.st_mode)]
            found["/" + os.path.relpath(full, app / "rootfs")] = (
                kind, status.st_size if kind == "f" else 0)
    assert {path.replace(r"\n", "\n"): (kind, int(size))
            for path, kind, size, _ in rows(app)} == found


@pytest.mark.parametrize("number, lines", [
    ("01", ["A /etc", "A /etc/a", "A /etc/b", "A /etc/hard", "A /etc/link",
            "A /pipe", "A /var", "A /var/log", "A /var/x"]),
    ("02", ["C /etc/a", "D /etc/b", r"A /etc/new\nline"]),
    ("03", ["C /etc", "D /var", "A /zz", "D /var/log", "D /var/x"])])
def test_what_a_layer_does(look, number, lines):
    app = look(oci_image(*LAYERS))
    got = (app / f"layers/{number}.changes").read_text().splitlines()
    assert sorted(got) == sorted(lines)


def test_upper_layers_are_not_read_for_a_lower_one(look, registry):
    image = oci_image(*LAYERS)
    app = look(image)
    with registry.requests() as requests:
        (app / "layers/01.changes").read_text()
    layers = [each.path for each in requests if "/blobs/" in each.path]
    assert {path.split("/")[-1] for path in layers} <= {
        image.config.digest, LAYERS[0].digest}


def test_they_are_found_by_name_alone_and_not_written(mount, registry, client):
    oci_image(*LAYERS).push(client, "app", "1.0")
    root = mount(registry)
    app = root / "app/1.0"
    assert "files.tsv" not in os.listdir(app)
    assert sorted(os.listdir(app / "layers")) == [
        "01", "01.tar.gz", "02", "02.tar.gz", "03", "03.tar.gz"]
    for path in (app / "files.tsv", app / "layers/02.changes"):
        text = path.read_bytes()
        assert path.stat().st_size == len(text)
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
        root.expect_error("read-only|part of an image")
        with fails_with(errno.EPERM):
            path.write_text("x")
        assert path.read_bytes() == text


@pytest.mark.parametrize("name", ["04.changes", "1.changes", "001.changes",
                                  ".changes", "01.changes.x", "01.change"])
def test_other_names_are_none(look, name):
    app = look(oci_image(*LAYERS))
    with fails_with(errno.ENOENT):
        os.stat(app / "layers" / name)


def test_an_artifact_has_none(look):
    app = look(artifact({"README": b"x"}))
    with fails_with(errno.ENOENT):
        os.stat(app / "files.tsv")


def test_no_layers(look):
    assert rows(look(oci_image(scratch=True))) == []


def test_a_layer_that_is_twice_in_an_image(look):
    one, other = gzip_layer({"a": b"1"}), gzip_layer({"a": b"2"})
    app = look(oci_image(one, other, one))
    assert rows(app) == [("/a", "f", "1", "3")]
    assert (app / "layers/03.changes").read_text() == "C /a\n"


def test_many_read_it_at_once(look, registry):
    """It is written once, and each reader has all of it."""
    names = [f"d{i % 100}/f{i}" for i in range(5000)]
    app = look(oci_image(gzip_layer({name: b"" for name in names})))
    texts = []
    readers = [threading.Thread(
        target=lambda: texts.append((app / "files.tsv").read_text()))
        for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(texts) == 8 and len(set(texts)) == 1
    assert len(texts[0].splitlines()) == 1 + 100 + 5000


def test_awk_reads_it(look):
    app = look(oci_image(*LAYERS))
    total = subprocess.run(
        ["awk", "-F\t", "NR > 1 && $2 == \"f\" { sum += $3 } END { print sum }",
         app / "files.tsv"], check=True, capture_output=True, text=True)
    assert total.stdout == "11\n"


def test_a_layer_that_is_lost_is_an_error(mount, proxy, client):
    """And no shorter table."""
    oci_image(*LAYERS).push(client, "app", "1.0")
    root = mount(proxy)
    proxy.refuses(f"/blobs/{LAYERS[0].digest}", status=404,
                  code="BLOB_UNKNOWN", message="blob unknown")
    root.expect_error("the registry does not have blob")
    for name in ("files.tsv", "layers/01.changes"):
        with fails_with(errno.EIO):
            (root / "app/1.0" / name).read_text()
