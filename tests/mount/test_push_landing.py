# SPDX-License-Identifier: Apache-2.0
"""Archives that arrive under names that are no tag's: in a tag's directory, by
a temporary name, by way of what was kept of a failure."""

import os
import re

import pytest

from support.archives import docker_archive
from support.images import docker_image, gzip_layer, tar_of
from support.system import run

OLD = docker_image(gzip_layer({"old": b"old"}))
NEW = docker_image(gzip_layer({"new": b"new"}))
ARCHIVE = docker_archive([("app:new", NEW)])


@pytest.fixture
def root(mount, proxy, client):
    """With a tag that is there."""
    OLD.push(client, "app", "1.0")
    root = mount(proxy)
    assert os.listdir(root / "app") == ["1.0"]
    return root


@pytest.fixture
def app(root):
    return root / "app"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "zz"
    path.write_bytes(ARCHIVE)
    return path


def is_new(app, tag="1.0"):
    return (app / tag / "config.json").read_bytes() == NEW.config.data


def refuse(proxy, root):
    root.expect_error("not today")
    proxy.refuses("/manifests/", method="PUT", status=403, code="DENIED",
                  message="not today")


# In a tag's directory.

@pytest.mark.parametrize("name", ["zz", "B.oci", "B.TAR", "b c", "B.tar"])
@pytest.mark.parametrize("command", ["cp {0} {1}", "mv {0} {1}",
                                     "install {0} {1}", "rsync {0} {1}/"])
def test_an_archive_is_one_by_its_content(app, client, tmp_path, command,
                                          name):
    source = tmp_path / name
    source.write_bytes(ARCHIVE)
    run("sh", "-c", command.format('"$0"', '"$1"'), source, app / "1.0")
    assert is_new(app)
    assert source.exists() == (not command.startswith("mv"))
    assert name not in os.listdir(app / "1.0")
    assert client.tags("app") == ["1.0"]


def test_what_is_no_archive_is_none(app, client, tmp_path):
    """It may be the temporary file of an editor."""
    (app / "1.0/notes").write_text("text\n")
    assert (app / "1.0/notes").read_text() == "text\n"
    assert not is_new(app)


def test_a_scratch_file_is_moved_into_it(app, archive):
    run("cp", archive, app / ".x")
    assert not is_new(app)
    run("mv", app / ".x", app / "1.0")
    assert is_new(app)
    assert ".x" not in os.listdir(app) + os.listdir(app / "1.0")


def test_half_an_archive_is_refused(root, app, tmp_path):
    root.expect_error("the archive is truncated")
    half = tmp_path / "half"
    half.write_bytes(ARCHIVE[:len(ARCHIVE) // 2])
    result = run("cp", half, app / "1.0", check=False)
    assert result.returncode == 1
    assert not is_new(app)


# What was kept of a failure.

@pytest.mark.parametrize("target", ["1.0", "1.0/", "1.0.tar"])
def test_what_failed_is_tried_again_where_the_tag_is_there(
        app, mount, proxy, archive, target):
    root = mount(proxy)
    refuse(proxy, root)
    assert run("cp", archive, root / "app/1.0.tar", check=False).returncode
    proxy.heal()
    run("mv", ".1.0.failed", target, cwd=root / "app")
    assert is_new(root / "app")
    assert os.listdir(root / "app") == ["1.0"]


PLATFORM = "linux-amd64"
CHANGES = {
    "config.json": OLD.config.data.replace(b"{", b'{"author": "me", ', 1),
    "layers/more.tar": tar_of({"file": b"text"}),
    "other.tar": ARCHIVE,
    f"platforms/{PLATFORM}.tar": ARCHIVE,
    "referrers/sbom.spdx.json": b'{"spdxVersion": "SPDX-2.3"}',
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_hint_for_a_failed_change_works(mount, proxy, client, name):
    OLD.push(client, "app", "1.0")
    root = mount(proxy)
    refuse(proxy, root)
    with pytest.raises(PermissionError):
        (root / "app/1.0" / name).write_bytes(CHANGES[name])
    proxy.heal()
    ((source, target),) = re.findall(r"`mv (\S+) (\S+)` tries again",
                                     root.log())
    assert target == f"app/1.0/{name}"
    run("mv", source, target, cwd=root.path)
    assert client.tags("app")


# Temporary names.

PYTHON = """
import os, sys, tempfile
with tempfile.NamedTemporaryFile(dir=".", delete=False) as file:
    file.write(open(sys.argv[1], "rb").read())
os.replace(file.name, "1.0.tar")
"""


@pytest.mark.parametrize("script", [
    f"exec /usr/bin/python3 -c '{PYTHON}' \"$0\"",
    'f=$(mktemp ./XXXXXX) && cat "$0" >$f && mv $f 1.0.tar',
    'f=$(mktemp ./XXXXXX) && cat "$0" >$f && mv $f 1.0',
    'f=$(mktemp -p .) && cp "$0" $f && mv -f $f 1.0.tar'])
def test_a_temporary_file_is_no_tag(app, client, archive, script):
    run("sh", "-c", script, archive, cwd=app)
    assert is_new(app)
    assert client.tags("app") == ["1.0"]


@pytest.mark.parametrize("script", [
    "sed -i s/nothing/at-all/ 1.0.tar", "perl -pi -e s/x/x/ 1.0.tar"])
def test_an_archive_is_edited_in_place(app, client, script):
    run("sh", "-c", script, cwd=app)
    assert client.tags("app") == ["1.0"]
    assert (app / "1.0/config.json").read_bytes() == OLD.config.data


@pytest.mark.parametrize("command", ["cp -b", "cp --backup=numbered"])
def test_an_archive_has_no_backup(root, client, archive, command):
    root.expect_error("give it another tag first [(]ln -s TAG OLD")
    result = run(*command.split(), archive, root / "app/1.0.tar", check=False)
    assert result.returncode == 1
    assert not is_new(root / "app")
    assert client.tags("app") == ["1.0"]


def test_an_archive_becomes_no_link(root, client):
    OLD.push(client, "app", "2.0")
    root.expect_error("link the tag itself, as in ln -sfn 2.0 TAG")
    result = run("ln", "-sf", "2.0", "1.0.tar", cwd=root / "app", check=False)
    assert result.returncode == 1
    assert sorted(client.tags("app")) == ["1.0", "2.0"]


# Two names of one archive.

@pytest.mark.parametrize("command", [
    "gzip -f 1.0.tar", "pigz -f 1.0.tar"])
def test_an_archive_is_compressed_in_place(mount, make_registry, command):
    registry = make_registry(deletes=True)
    OLD.push(registry.client(), "app", "1.0")
    root = mount(registry, "delete")
    run("sh", "-c", command, cwd=root / "app")
    assert registry.client().tags("app") == ["1.0"]
    assert (root / "app/1.0/config.json").read_bytes() == OLD.config.data
