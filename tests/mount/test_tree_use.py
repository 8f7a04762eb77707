# SPDX-License-Identifier: Apache-2.0
"""What people do with a root file system, done with the mount's."""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from registry.server import DockerRegistry
from support.layers import image_of, layer_of_tar
from support.rootfs import debian_image
from support.system import run
from support.tars import directory, file, whiteout
from support.trees import assert_same_tree, outline

SAYS = ["/app/main.py", "one", "two"]
SAID = {"python": 3, "argv": ["one", "two"]}

SPEC = """Name: example
Version: 1.0
Release: 1
Summary: A package without files
License: none
BuildArch: noarch
%description
A package without files.
%files
"""


def rpm_database(scratch):
    """A root directory with a database of one package."""
    (scratch / "example.spec").write_text(SPEC)
    run("rpmbuild", "-bb", "--define", f"_topdir {scratch}/build",
        scratch / "example.spec")
    (package,) = (scratch / "build/RPMS").rglob("*.rpm")
    root = scratch / "root"
    root.mkdir()
    run("rpm", "--root", root, "--dbpath", "/var/lib/rpm", "--force-debian",
        "--nodeps", "--justdb", "-i", package)
    return root


def git_repository(root):
    """One with a commit and nothing to commit, as images of CI have them."""
    repository = root / "src"
    repository.mkdir()
    (repository / "file").write_text("text\n")
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "file")
    git(repository, "commit", "-q", "-m", "a commit")


def git(repository, *arguments):
    return run("git", "-C", repository, "-c", "user.name=tests",
               "-c", "user.email=tests@localhost", "-c", "safe.directory=*",
               *arguments).stdout


def with_layer(image, layer):
    """The image with one layer more. Its own are passed on as they are."""
    return image_of(*image.layers, layer)


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """A registry's storage, and a cache that is used by all tests below: the
    layers are indexed once."""
    scratch = tmp_path_factory.mktemp("debian")
    root = rpm_database(scratch)
    git_repository(root)
    tar = run("tar", "-C", root, "-c", ".", text=False).stdout
    image = with_layer(debian_image(scratch), layer_of_tar(tar))
    changed = with_layer(image, image_of([
        file("etc/hostname", "changed\n"), whiteout("app/link"),
        directory("app"), file("app/more", "more\n")]).layers[0])
    with DockerRegistry(scratch / "registry") as registry:
        image.push(registry.client(), "debian", "12")
        changed.push(registry.client(), "debian", "13")
    return registry.storage, scratch / "cache"


@pytest.fixture
def mounted(mount, make_registry, debian):
    storage, cache = debian
    return mount(make_registry(storage=storage), f"cache={cache}")


@pytest.fixture
def rootfs(mounted):
    # Some tools lock what they read, where they can.
    mounted.allow_error(
        "open: .*: read-only file|create: .*lock: no file can")
    return mounted / "debian/12/rootfs"


def says(result):
    return json.loads(result.stdout) == SAID


def test_chroot(rootfs):
    assert says(run("chroot", rootfs, *SAYS))
    assert run("chroot", rootfs, "/bin/sh", "-c", "cat /etc/hostname; id -u"
               ).stdout == "image\n0\n"


def test_bwrap(rootfs):
    assert says(run("bwrap", "--ro-bind", rootfs, "/", "--dev", "/dev",
                    "--proc", "/proc", "--unshare-all", *SAYS))


def test_bwrap_of_a_user(mount, make_registry, debian, other_user, binary):
    """Who has no rights mounts, and runs it in a user namespace."""
    started = mount(make_registry(storage=debian[0]), user=other_user,
                    directory=other_user.new_directory(),
                    program=other_user.copy_in(binary))
    assert says(other_user.run(
        "bwrap", "--unshare-user", "--ro-bind",
        started / "debian/12/rootfs", "/", "--dev", "/dev", "--proc", "/proc",
        *SAYS))


# In a mount namespace of its own: what is mounted goes away with it.
OVERLAY = """
set -e
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" none \
    "$2/merged"
shift
scratch=$1
shift
chroot "$scratch/merged" "$@"
chroot "$scratch/merged" /bin/sh -c '
    echo more >>/etc/hostname && chmod 600 /app/owned && rm /app/link &&
    mv /usr/share/debianutils/only /app/moved && mkdir /app/new'
cat "$scratch/merged/etc/hostname"
"""


def test_overlayfs(rootfs, tmp_path):
    """As what is below: read, copied up, and removed from above."""
    with tempfile.TemporaryDirectory(dir=tmp_path) as scratch:
        for name in ("upper", "work", "merged"):
            os.mkdir(os.path.join(scratch, name))
        printed = run("unshare", "--mount", "sh", "-c", OVERLAY, "sh", rootfs,
                      scratch, *SAYS).stdout
        said, rest = printed.split("\n", 1)
        assert json.loads(said) == SAID
        assert rest == "image\nmore\n"
        upper = Path(scratch) / "upper"
        assert (upper / "app/moved").read_text() == "this\n"
        status = os.stat(upper / "app/owned")
        assert (status.st_uid, status.st_mode & 0o777) == (1000, 0o600)
        assert os.getxattr(upper / "app/owned", "user.note") == b"here"
        assert not [name for name in os.listxattr(upper / "app/owned")
                    if name.startswith("user.oci")]
        shutil.rmtree(upper)
    assert (rootfs / "etc/hostname").read_text() == "image\n"


def test_podman_runs_it(rootfs, podman):
    """:O puts an overlay of podman's over it."""
    assert says(podman.run("--rootfs", f"{rootfs}:O", *SAYS))


def test_dpkg(rootfs):
    listed = run("dpkg", f"--root={rootfs}", "-l").stdout
    ours = run("dpkg", "-l").stdout
    assert re.search(r"^ii +coreutils ", listed, re.M)
    assert len(listed.splitlines()) == len(ours.splitlines())


def test_rpm(rootfs):
    assert run("rpm", "--root", rootfs, "--dbpath", "/var/lib/rpm", "-qa"
               ).stdout == "example-1.0-1.noarch\n"


def test_git(rootfs):
    repository = rootfs / "src"
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "log", "--format=%s") == "a commit\n"
    assert git(repository, "grep", "-h", "te.t") == "text\n"


def test_find(rootfs):
    printed = run("find", rootfs, "-perm", "-4000", "-type", "f",
                  "-printf", "%P\n").stdout.split()
    assert "usr/bin/passwd" in printed
    assert run("find", rootfs, "-newermt", "2999-01-01").stdout == ""
    assert run("find", rootfs, "-name", "hostname", "-printf", "%P\n"
               ).stdout == "etc/hostname\n"


def test_grep(rootfs):
    printed = run("grep", "-rl", "^root:", rootfs / "etc").stdout.split()
    assert str(rootfs / "etc/passwd") in printed


def test_diff_of_two_tags(mounted):
    """Only what the last layer says."""
    root = mounted / "debian"
    printed = run("diff", "-rq", "--no-dereference", root / "12/rootfs/etc",
                  root / "13/rootfs/etc", check=False).stdout
    assert printed == (f"Files {root}/12/rootfs/etc/hostname and "
                       f"{root}/13/rootfs/etc/hostname differ\n")
    assert sorted(os.listdir(root / "13/rootfs/app")) == sorted(
        {*os.listdir(root / "12/rootfs/app"), "more"} - {"link"})


@pytest.mark.parametrize("copy", [
    ["cp", "-a", "--no-target-directory"], ["rsync", "-aAXH"],
    ["sh", "-c", 'mkdir "$2" && tar --xattrs -C "$1" -c . | '
     'tar --xattrs --xattrs-include="*" -C "$2" -x', "sh"]],
    ids=["cp", "rsync", "tar"])
def test_copies(rootfs, tmp_path, copy):
    """All of it arrives, and nothing that is only ours."""
    source = f"{rootfs}/app" + "/" * (copy[0] == "rsync")
    run(*copy, source, tmp_path / "copy")
    assert_same_tree(rootfs / "app", tmp_path / "copy")


def test_capabilities_are_copied(rootfs, tmp_path):
    run("cp", "-a", rootfs / "usr/bin/ping", tmp_path)
    assert "cap_net_raw" in run("getcap", tmp_path / "ping").stdout


def test_open_files_outlive_the_tag(mount, registry, client):
    """A reader keeps what was opened, though the tag moves."""
    image_of([file("f", b"one")]).push(client, "app", "1.0")
    root = mount(registry, "tag_ttl=0") / "app/1.0/rootfs"
    with open(root / "f", "rb", buffering=0) as opened:
        image_of([file("f", b"another")]).push(client, "app", "1.0")
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        assert opened.read() == b"one"
        assert outline(root) == {"f": b"another"}
