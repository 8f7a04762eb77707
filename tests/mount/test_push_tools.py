# SPDX-License-Identifier: Apache-2.0
"""Every tool that writes a file pushes with it, and learns what became of it:
also those that ignore what close() says."""

import os
import random
from dataclasses import dataclass
from typing import Callable

import pytest

from conftest import APP
from support.archives import docker_archive, plain_layer, write_layout
from support.engines import skopeo
from support.images import oci_image
from support.system import run

TAG = "2.0"
# As wide as what tools write at a time, so that there are several writes.
IMAGE = oci_image(
    plain_layer({"data": random.Random(1).randbytes(500_000)}),
    plain_layer({"etc/motd": b"hello\n"}))
ARCHIVE = docker_archive([(f"app:{TAG}", IMAGE)])

ALL_NAMES = (f"{TAG}.tar", TAG)


@dataclass(frozen=True)
class Tool:
    name: str
    # (request, source, target) to what is run.
    command: Callable
    names: tuple = ALL_NAMES
    # Whether it brings ARCHIVE as it is, not what it makes itself.
    copies: bool = True
    # Whether it says what went wrong by the errno's words.
    says_why: bool = True
    # Whether its exit status says that it could not write its file.
    fails: bool = True


def shell(name, script, **more):
    """A script about $1, the archive, and $2, what it is to become."""
    return Tool(name, lambda _, source, target: [
        "bash", "-c", script, name, source, target], **more)


def engine(name, command, **more):
    return Tool(name, command, copies=False, **more)


def skopeo_copy(transport):
    def command(request, _, target):
        layout = request.getfixturevalue("layout")
        return ["skopeo", "--insecure-policy", "copy", f"oci:{layout}:{TAG}",
                f"{transport}:{target}:app:{TAG}"]
    return command


def podman_save(*options):
    def command(request, _, target):
        podman = request.getfixturevalue("podman_with_app")
        return podman.command("save", *options, "-o", target, APP)
    return command


def redirected(fixture, script):
    """"$@" in the script is what saves to its standard output."""
    def command(request, _, target):
        save = request.getfixturevalue(fixture).command("save", APP)
        return ["bash", "-o", "pipefail", "-c", script, target, *save]
    return command


def docker_save(request, _, target):
    docker = request.getfixturevalue("docker_with_app")
    return docker.command("save", "-o", target, APP)


def buildah_push(request, _, target):
    podman = request.getfixturevalue("podman_with_app")
    return ["buildah", *podman.storage(), "push", APP,
            f"docker-archive:{target}:app:{TAG}"]


TOOLS = [
    shell("cp", 'cp "$1" "$2"'),
    shell("cp -p", 'cp -p "$1" "$2"'),
    shell("cp --sparse", 'cp --sparse=always "$1" "$2"'),
    shell("mv", 'mv "$1" "$2"'),
    shell("install", 'install "$1" "$2"'),
    shell("install -p -m", 'install -p -m 644 "$1" "$2"'),
    shell("rsync", 'rsync -a "$1" "$2"'),
    shell("rsync --inplace", 'rsync --inplace "$1" "$2"'),
    shell("tar x", """
        tar -C "${1%/*}" -cf "$1.outer" --transform "s,.*,${2##*/}," "${1##*/}"
        tar -C "${2%/*}" -xf "$1.outer" """),
    shell("dd", 'dd if="$1" of="$2" bs=64k'),
    shell("dd conv=fsync", 'dd if="$1" of="$2" bs=64k conv=fsync'),
    shell("tee", 'tee "$2" < "$1" > /dev/null'),
    shell("cat >", 'cat "$1" > "$2"'),
    shell("exec >", 'exec 3> "$2"; cat "$1" >&3'),
    shell("printf >", """
        printf %b "$(od -An -v -to1 "$1" | tr -d '\\n' | sed 's/ /\\\\0/g')" \\
            > "$2" """),
    shell("shutil.copy", """/usr/bin/python3 -c '
import shutil, sys
shutil.copy(*sys.argv[1:])' "$1" "$2" """),
    shell("shutil.copy2", """/usr/bin/python3 -c '
import shutil, sys
shutil.copy2(*sys.argv[1:])' "$1" "$2" """),
    shell("write", """/usr/bin/python3 -c '
import sys
open(sys.argv[2], "wb").write(open(sys.argv[1], "rb").read())' "$1" "$2" """),
    shell("copyFileSync", """
        node -e 'fs.copyFileSync(...process.argv.slice(1))' "$1" "$2" """,
          says_why=False),
    shell("gio copy", 'gio copy "$1" "$2"'),
    shell("busybox cp", 'busybox cp "$1" "$2"'),
    shell("curl -o", 'curl -sS -o "$2" "file://$1"', says_why=False),
    shell("File::Copy", """
        perl -MFile::Copy -e 'copy(@ARGV) or die $!' "$1" "$2" """),
    shell("gzip >", 'gzip -1 -c "$1" > "$2"', copies=False,
          names=(f"{TAG}.tar.gz", TAG)),
    shell("zstd >", 'zstd -q -1 -c "$1" > "$2"', copies=False,
          names=(f"{TAG}.tar.zst", TAG)),
    engine("skopeo docker-archive", skopeo_copy("docker-archive")),
    engine("skopeo oci-archive", skopeo_copy("oci-archive")),
    # It writes the last of a docker-archive after it has looked for errors.
    engine("podman save", podman_save(), fails=False, says_why=False),
    engine("podman save oci-archive", podman_save("--format", "oci-archive")),
    engine("podman save >", redirected("podman_with_app", '"$@" > "$0"')),
    engine("buildah push", buildah_push),
    engine("docker save", docker_save),
    engine("docker save >", redirected("docker_with_app", '"$@" > "$0"')),
    engine("docker save | cat >",
           redirected("docker_with_app", '"$@" | cat > "$0"')),
]

each_tool = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
each_use = pytest.mark.parametrize(
    "tool, name",
    [pytest.param(tool, name, id=f"{tool.name} {name}")
     for tool in TOOLS for name in tool.names])


@pytest.fixture(scope="session")
def layout(tmp_path_factory):
    return write_layout(tmp_path_factory.mktemp("layout"), [(TAG, IMAGE)])


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "image.tar"
    path.write_bytes(ARCHIVE)
    return path


@pytest.fixture
def mounted(mount, proxy):
    return mount(proxy)


@pytest.fixture
def app(mounted):
    """A directory of the mount where a repository is to be."""
    directory = mounted / "app"
    directory.mkdir()
    return directory


def assert_pushed(app, registry):
    """The tag is there, a directory, at once, and nothing is beside it."""
    assert os.listdir(app) == [TAG]
    assert (app / TAG).is_dir()
    assert (app / f"{TAG}.tar").is_file()
    assert registry.client().tags("app") == [TAG]
    skopeo("inspect", "--tls-verify=false",
           f"docker://{registry.address}/app:{TAG}")


def assert_is_image(app):
    """It is IMAGE, by what docker calls the image's ID."""
    assert (app / TAG / "config.json").read_bytes() == IMAGE.config.data


@each_use
def test_accepted(app, registry, source, request, tool, name):
    run(*tool.command(request, source, app / name))
    assert_pushed(app, registry)
    if tool.copies:
        assert_is_image(app)
    assert source.exists() == (tool.name != "mv")


OF_USERS = ["cp", "cp -p", "install", "install -p -m", "rsync",
            "rsync --inplace", "tar x", "shutil.copy2", "gio copy"]


@pytest.mark.parametrize(
    "tool", [tool for tool in TOOLS if tool.name in OF_USERS],
    ids=lambda tool: tool.name)
def test_as_a_user_without_rights(mount, binary, registry, source, request,
                                  other_user, tool):
    """Who needs the x bit of what became a directory, whatever mode the tool
    has given to its file."""
    mounted = mount(registry, directory=other_user.new_directory(),
                    program=other_user.copy_in(binary), user=other_user)
    app = mounted / "app"
    other_user.run("mkdir", app)
    archive = other_user.copy_in(source)
    other_user.own(archive)
    other_user.run(*tool.command(request, archive, app / f"{TAG}.tar"))
    listing = other_user.run("ls", app, app / TAG).stdout
    assert "config.json" in listing
    assert registry.client().tags("app") == [TAG]


def use_in_vain(mounted, request, tool, source, target, sentence):
    """Uses a tool for a push that fails; what the tool said."""
    mounted.expect_error(sentence)
    result = run(*tool.command(request, source, target), check=False)
    assert (result.returncode != 0) == tool.fails
    # What a tool does after the push failed is refused with the same words,
    # so nothing but they may be in the log.
    return result.stderr


def assert_kept(app, registry, tool, source, sentence):
    """Nothing is pushed, nothing is lost."""
    failed = app / f".{TAG}.failed"
    assert registry.client().tags("app") == []
    assert os.listdir(app) == [failed.name]
    assert sentence in os.getxattr(failed, "user.registryfs.error").decode()
    if tool.copies:
        # The tool was told at the archive's end, before the padding behind it.
        padded = failed.read_bytes().ljust(len(ARCHIVE), b"\0")
        assert padded == source.read_bytes() == ARCHIVE


def assert_can_be_tried_again(app, registry, tool):
    run("mv", app / f".{TAG}.failed", app / TAG)
    assert_pushed(app, registry)
    if tool.copies:
        assert_is_image(app)


@each_use
def test_refused(mounted, app, registry, proxy, source, request, tool, name):
    sentence = "nobody writes on sundays"
    proxy.refuses("/manifests/", method="PUT", status=403, code="DENIED",
                  message=sentence)
    said = use_in_vain(mounted, request, tool, source, app / name, sentence)
    if tool.says_why:
        assert "permission denied" in said.lower()
    assert_kept(app, registry, tool, source, sentence)
    proxy.heal()
    assert_can_be_tried_again(app, registry, tool)


@each_tool
def test_upload_fails(mounted, app, registry, proxy, source, request, tool):
    sentence = "the disk is on fire"
    proxy.refuses("/blobs/uploads/", method="PUT", status=500, code="UNKNOWN",
                  message=sentence)
    said = use_in_vain(mounted, request, tool, source, app / tool.names[0],
                       sentence)
    if tool.says_why:
        assert "input/output error" in said.lower()
    assert_kept(app, registry, tool, source, sentence)
    proxy.heal()
    assert_can_be_tried_again(app, registry, tool)
