# SPDX-License-Identifier: Apache-2.0
"""Files of images that are replaced by being removed first, as mv from another
file system and install do it; and removals that are none of that."""

import os
import subprocess

import pytest

from support.archives import docker_archive
from support.images import gzip_layer, oci_image
from support.system import run
from support.tags import IMAGE, OTHER, deleting, digests, root, shell

NEW = oci_image(gzip_layer({"etc/motd": b"new\n"}))


def motd(directory):
    return (directory / "rootfs/etc/motd").read_text()


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "new.tar"
    path.write_bytes(docker_archive([("app:1.0", NEW)]))
    return path


@pytest.fixture(params=["no deletes", "delete"])
def mounted(request, mount, make_registry, proxy_of):
    registry = make_registry(deletes=True)
    proxy = proxy_of(registry)
    client = registry.client()
    IMAGE.push(client, "app", "1.0")
    OTHER.push(client, "app", "other")
    options = ["delete"] if request.param == "delete" else []
    return mount(proxy, *options), client, proxy


# {new} is an archive, {tag} a tag that is there.
REPLACEMENTS = [
    "mv {new} {tag}.tar", "install {new} {tag}.tar",
    "install -m 644 {new} {tag}.tar", "cp --remove-destination {new} {tag}.tar",
    "mv -f {new} {tag}/image.tar", "install {new} {tag}/image.tar",
    "mv -T {new} {tag}.tar", "mv {new} ./{tag}.tar"]


@pytest.mark.parametrize("script", REPLACEMENTS)
def test_an_archive_is_replaced(mounted, archive, script):
    root, client, _ = mounted
    shell(root / "app", script.format(new=archive, tag="1.0"))
    assert motd(root / "app/1.0") == "new\n"
    assert sorted(os.listdir(root / "app")) == ["1.0", "other"]
    assert client.tags("app") == ["1.0", "other"]
    if script.startswith("mv"):
        assert not archive.exists()


@pytest.mark.parametrize("script", ["mv {new} 1.0.tar",
                                    "install {new} 1.0.tar"])
def test_the_tag_is_there_all_the_while(mounted, archive, script):
    """It is never removed: who looks at the registry sees one or the other."""
    root, _, proxy = mounted
    with proxy.requests() as seen:
        shell(root / "app", script.format(new=archive))
    assert seen.count("DELETE") == 0
    assert seen.count("PUT", "/manifests/") == 1


@pytest.mark.parametrize("script", ["mv {new} 1.0.tar",
                                    "install {new} 1.0.tar"])
def test_a_replacement_that_fails_leaves_the_tag(mounted, archive, script):
    root, client, proxy = mounted
    root.expect_error("not today")
    proxy.refuses("/manifests/1.0", method="PUT", status=403, code="DENIED",
                  message="not today")
    result = shell(root / "app", script.format(new=archive), check=False)
    assert result.returncode != 0
    assert archive.exists()
    assert digests(client, "app")["1.0"] == IMAGE.digest
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data


@pytest.mark.parametrize("tool", ["mv", "install"])
@pytest.mark.parametrize("name, pattern, new", [
    ("config.json", b'"config":{}', b'"config":{"Env":["A=1"]}'),
    ("manifest.json", b'{"schemaVersion":2',
     b'{"annotations":{"a":"b"},"schemaVersion":2')])
def test_a_document_is_replaced(mounted, tmp_path, tool, name, pattern, new):
    root, _, _ = mounted
    path = root / "app/1.0" / name
    changed = path.read_bytes().replace(pattern, new)
    assert new in changed
    (tmp_path / name).write_bytes(changed)
    run(tool, tmp_path / name, path)
    assert path.read_bytes() == changed


def test_others_see_the_archive_meanwhile(root, tmp_path):
    """Stopped between its two steps."""
    script = tmp_path / "mv"
    # Its name is what tells that it replaces.
    run("cc", "-x", "c", "-o", script, "-", input="""
        #include <stdio.h>
        #include <unistd.h>
        int main(int argc, char **argv)
        {
            FILE *out;
            if (unlink(argv[1]) != 0 || access(argv[1], F_OK) == 0)
                return 1;
            puts("unlinked");
            fflush(stdout);
            getchar();
            out = fopen(argv[1], "wx");
            return !out || fclose(out) != 0;
        }""", stdin=None)
    with subprocess.Popen([script, root / "app/1.0.tar"],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as replacing:
        assert replacing.stdout.readline() == b"unlinked\n"
        assert os.path.exists(root / "app/1.0.tar")
        assert sorted(os.listdir(root / "app")) == ["1.0", "other"]
        replacing.communicate(b"\n")
        assert replacing.returncode == 0
    # An empty file is no push.
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data


# What is no replacement.

@pytest.mark.parametrize("script", [
    "rm {tag}.tar", "rm -f {tag}.tar", "unlink {tag}.tar",
    "find . -maxdepth 1 -name {tag}.tar -o -name {tag} -delete",
    "python3 -c 'import os; os.unlink(\"{tag}.tar\")'",
    "rmdir {tag}", "rm {tag}/image.tar", "rm {tag}/config.json"])
def test_a_removal_is_refused_without_delete(root, client, script):
    root.allow_error("-o delete|cannot be")
    result = shell(root / "app", script.format(tag="1.0"), check=False)
    assert result.returncode != 0
    assert sorted(client.tags("app")) == ["1.0", "other"]


def test_a_move_out_of_the_mount_is_a_removal(root, client, tmp_path):
    root.expect_error("-o delete")
    result = shell(root / "app", f"mv 1.0.tar {tmp_path}/out.tar", check=False)
    assert result.returncode != 0
    assert "Operation not permitted" in result.stderr
    assert client.tags("app") == ["1.0", "other"]


def test_a_move_out_of_a_mount_that_deletes(deleting, tmp_path):
    root, client, _ = deleting
    shell(root / "app", f"mv 1.0.tar {tmp_path}/out.tar")
    assert client.tags("app") == ["other", "same"]
    assert "oci-layout" in run("tar", "-tf", tmp_path / "out.tar").stdout


@pytest.mark.parametrize("script", [
    "rm 1.0.tar", "rm :1.0.tar", "rm ../app:1.0.tar", "rmdir 1.0",
    "rmdir ../app:1.0", "rmdir :1.0", "mv 1.0 moved", "mv 1.0.tar moved.tar"])
def test_a_removed_tag_is_gone_at_once(deleting, script):
    """By each of its names, though the kernel knew them."""
    root, client, _ = deleting
    names = ["app/1.0", "app/:1.0", "app:1.0"]
    for name in names:
        os.stat(root / name)
    result = shell(root / "app", f"{script} && ! ls -d 1.0")
    assert "No such file" in result.stderr
    for name in names:
        assert not os.path.exists(root / name), name
    assert "1.0" not in client.tags("app")
