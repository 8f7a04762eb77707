# SPDX-License-Identifier: Apache-2.0
"""What an image says of how it was built: history, Dockerfile, badge."""

import errno
import json
import os
import xml.etree.ElementTree as xml

import pytest

from support.images import (
    OCI_CONFIG, OCI_MANIFEST, Blob, Manifest, artifact, config_of, gzip_layer,
    index_of, linux, oci_image)
from support.system import fails_with, run

TIME = "2024-05-06T07:08:09Z"
TEXTS = ["history", "history.json", "Dockerfile", "report.html", "badge.svg",
         "badge.json"]  # and files.tsv: test_listings.py


def step(created_by="", *, created=TIME, **more):
    return {"created": created, "created_by": created_by} | more


def nothing(created_by, **more):
    return step(created_by, empty_layer=True, **more)


def built(history, *layers, annotations=None):
    """An image of that history; None: its config has none."""
    config = json.loads(config_of(layers))
    if history is not None:
        config["history"] = history
    config = Blob(OCI_CONFIG, json.dumps(config).encode())
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "config": config.descriptor(),
                "layers": [layer.descriptor() for layer in layers],
                "annotations": annotations or {}}
    return Manifest(OCI_MANIFEST, json.dumps(manifest).encode(),
                    blobs=(config, *layers))


def layers(count):
    return [gzip_layer({f"f{i}": b"x" * (1000 * i)})
            for i in range(1, count + 1)]


def rows(directory):
    """The lines of history, each in its columns."""
    lines = (directory / "history").read_text().splitlines()
    assert lines[0].split() == ["CREATED", "SIZE", "UNPACKED", "LAYER",
                                "COMMAND"]
    return [line.split(maxsplit=4) for line in lines[1:]]


def size(layer):
    """As docker prints it, of a few hundred bytes."""
    return f"{len(layer.data)}B"


def test_a_line_a_step(look):
    base, app = layers(2)
    directory = look(built([
        step("/bin/sh -c #(nop) ADD file:0a1b in / "),
        nothing('/bin/sh -c #(nop)  CMD ["bash"]'),
        step("RUN /bin/sh -c make     &&\tmake install # buildkit")],
        base, app))
    assert rows(directory) == [
        [TIME, size(base), "~", "01", "ADD file:0a1b in /"],
        [TIME, "0B", "0B", "-", 'CMD ["bash"]'],
        [TIME, size(app), "~", "02", "RUN make && make install"]]


def test_columns_are_aligned(look):
    directory = look(built([step("a"), nothing("b"), step("c", created="x")],
                           *layers(2)))
    lines = (directory / "history").read_text().splitlines()
    at = lines[0].index("COMMAND")
    assert [line[at:] for line in lines[1:]] == ["a", "b", "c"]


def test_unpacked_sizes_are_known_once_a_tree_was_read(look):
    directory = look(built([step("a"), step("b")], *layers(2)))
    assert "user.oci.unpacked_size" not in os.listxattr(directory)
    os.listdir(directory / "rootfs")
    assert [row[2] for row in rows(directory)] == ["1kB", "2kB"]
    assert os.getxattr(directory, "user.oci.unpacked_size") == b"3000"


def test_sizes_are_attributes(look):
    made = layers(3)
    directory = look(built(None, *made))
    total = sum(len(layer.data) for layer in made)
    assert os.getxattr(directory, "user.oci.layers_size") == b"%d" % total
    assert os.getxattr(directory, "user.oci.layer_count") == b"3"


def test_nothing_but_the_config_is_fetched(look, registry):
    directory = look(built([step("a"), step("b")], *layers(2)))
    with registry.requests() as requests:
        for name in TEXTS:
            (directory / name).read_bytes()
        os.listxattr(directory)
    blobs = [request for request in requests if "/blobs/" in request.path]
    assert len(blobs) == 1


@pytest.mark.parametrize("history", [
    [step("a")],
    [step("a"), step("b"), step("c"), nothing("d")]], ids=["fewer", "more"])
def test_steps_and_layers_that_are_not_as_many(look, history):
    """Nobody can say which step made which layer."""
    made = layers(2)
    directory = look(built(history, *made))
    assert rows(directory) == [
        *([TIME, "0B", "0B", "-", "d"] if "empty_layer" in each else
          [TIME, "?", "?", "?", each["created_by"]] for each in history),
        ["-", size(made[0]), "~", "01", "?"],
        ["-", size(made[1]), "~", "02", "?"]]
    steps = json.loads((directory / "history.json").read_text())["steps"]
    assert [each["layer"] for each in steps] == [None] * len(history)


@pytest.mark.parametrize("history", [None, []])
def test_no_history(look, history):
    made = layers(2)
    directory = look(built(history, *made))
    assert rows(directory) == [["-", size(layer), "~", f"{i:02}", "?"]
                               for i, layer in enumerate(made, 1)]
    assert "# The image does not say how it was built." in (
        (directory / "Dockerfile").read_text())


def test_127_layers(look):
    """More docker's engine does not build; some are the same."""
    made = [gzip_layer({"f": b"%d" % (i % 100)}) for i in range(127)]
    directory = look(built([step(f"RUN {i}") for i in range(127)], *made))
    assert [row[3:] for row in rows(directory)] == [
        [f"{i + 1:02}", f"RUN {i}"] for i in range(127)]


def test_times_of_reproducible_builds(look):
    """bazel, nix, jib and kaniko."""
    directory = look(built([
        step("bazel build ...", created="1970-01-01T00:00:00Z"),
        step(created="1970-01-01T00:00:01Z", comment="store paths: ['/nix']"),
        step("jib-maven-plugin:3.4.0", created="0001-01-01T00:00:00Z"),
        step("RUN make", created=None)], *layers(4)))
    assert [(row[0], row[4]) for row in rows(directory)] == [
        ("1970-01-01T00:00:00Z", "bazel build ..."),
        ("1970-01-01T00:00:01Z", "store paths: ['/nix']"),
        ("0001-01-01T00:00:00Z", "jib-maven-plugin:3.4.0"),
        ("-", "RUN make")]


def test_control_characters_are_shown(look):
    directory = look(built([step("RUN \x1b[31mred\x9b\n\u202ex")],
                           *layers(1)))
    assert rows(directory)[0][4] == r"RUN \x1b[31mred\u009b\n\u202ex"
    assert r"RUN \x1b[31mred\u009b\n\u202ex" in (
        (directory / "Dockerfile").read_text().splitlines())


def test_history_for_programs(look):
    base, app = layers(2)
    manifest = built([step("RUN /bin/sh -c make # buildkit", author="me",
                           comment="buildkit.dockerfile.v0"),
                      nothing("ENV A=b"), step("x", created="?")], base, app)
    directory = look(manifest)
    os.listdir(directory / "rootfs")
    document = json.loads((directory / "history.json").read_text())
    config = json.loads(manifest.config.data)
    assert document["digest"] == manifest.digest
    assert document["steps"] == [
        {"created": TIME, "command": "RUN make",
         "created_by": "RUN /bin/sh -c make # buildkit",
         "comment": "buildkit.dockerfile.v0", "author": "me",
         "empty_layer": False, "layer": 1},
        {"created": TIME, "command": "ENV A=b", "created_by": "ENV A=b",
         "comment": "", "author": "", "empty_layer": True, "layer": None},
        {"created": None, "command": "x", "created_by": "x", "comment": "",
         "author": "", "empty_layer": False, "layer": 2}]
    assert document["layers"] == [
        {"layer": number, "digest": layer.digest, "diff_id": diff_id,
         "media_type": layer.media_type, "size": len(layer.data),
         "unpacked_size": 1000 * number}
        for number, (layer, diff_id) in enumerate(
            zip((base, app), config["rootfs"]["diff_ids"], strict=True), 1)]


def test_dockerfile(look, registry):
    manifest = built([
        step("/bin/sh -c #(nop) ADD file:0a1b in / "),
        step("/bin/sh -c apt-get update     && apt-get install -y x"),
        step("RUN /bin/sh -c set -eux; \tmake # buildkit"),
        nothing('CMD ["sh"]'), step("bazel build ...")], *layers(4),
        annotations={"org.opencontainers.image.base.name": "debian:12"})
    text = (look(manifest) / "Dockerfile").read_text()
    lines = text.splitlines()
    assert lines[:2] == [f"# {registry.address}/app:1.0",
                         f"# {manifest.digest}"]
    assert "# Base image: debian:12" in lines
    assert text.split("FROM scratch\n")[1] == (
        "ADD file:0a1b /\n"
        "RUN apt-get update \\\n    && apt-get install -y x\n"
        "RUN set -eux; \\\n\tmake\n"
        'CMD ["sh"]\n'
        "# bazel build ...\n")


def test_badges(look):
    made = layers(2)
    directory = look(built(None, *made))
    message = f"{sum(len(layer.data) for layer in made)}B, 2 layers"
    assert json.loads((directory / "badge.json").read_text()) == {
        "schemaVersion": 1, "label": "image size", "message": message,
        "color": "blue"}
    svg = xml.fromstring((directory / "badge.svg").read_text())
    texts = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["image size", message]


def test_beside_an_index_is_what_is_shown(look):
    manifest = built([step("RUN make")], *layers(1))
    directory = look(index_of([(manifest, linux("amd64"))]))
    assert rows(directory)[0][4] == "RUN make"
    assert (rows(directory / "platforms/linux-amd64") == rows(directory))


def test_an_artifact_has_none(look):
    directory = look(artifact({"README": b"x"}))
    for name in TEXTS:
        with fails_with(errno.ENOENT):
            os.stat(directory / name)


@pytest.mark.parametrize("name", TEXTS)
def test_they_are_looked_up_and_not_listed_written_or_removed(
        mount, registry, client, tmp_path, name):
    oci_image().push(client, "app", "1.0")
    root = mount(registry)
    text = root / "app/1.0" / name
    before = text.read_bytes()
    assert name not in os.listdir(text.parent)
    assert os.stat(text).st_size == len(before)
    root.expect_error(f"app/1.0/{name}: read-only file")
    with fails_with(errno.EPERM):
        text.write_text("x")
    root.expect_error(f"app/1.0/{name}: this is part of an image")
    with fails_with(errno.EPERM):
        text.unlink()
    run("cp", text, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == before


def test_no_file_of_their_names_is_made(mount, registry, client):
    """An artifact has none of them."""
    artifact({"README": b"x"}).push(client, "app", "1.0")
    root = mount(registry)
    root.expect_error("app/1.0/Dockerfile: this is made of the image")
    with fails_with(errno.EPERM):
        (root / "app/1.0/Dockerfile").write_text("FROM scratch")
