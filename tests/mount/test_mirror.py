# SPDX-License-Identifier: Apache-2.0
"""Directories of images and repositories that are copied file by file: within a
mount, between two, and by way of a local disk. The images arrive, with their
digests, and nothing else is made."""

import os



import pytest

from registry.process import wait_until
from support.images import (
    artifact, attested_index, docker_image, gzip_layer, index_of,
    layer_of_size, oci_image, platform_images)
from support.layers import image_of
from support.system import fails_with, run
from support.tags import IMAGE, OTHER, digests, root, shell
from support.tars import FILE, directory, file, hard_link, symlink

INDEX = index_of(platform_images())
TREE = image_of(
    [directory("./", mode=0o700), file("etc/motd", b"motd\n"),
     symlink("etc/link", "motd"), hard_link("etc/same", "etc/motd"),
     directory("empty"), file("a b", b"x" * 10_000)],
    [file("etc/.wh.motd", b""), file("top", b"top\n")])
KINDS = {"image": IMAGE, "docker": docker_image(), "index": INDEX,
         "attested": attested_index(), "tree": TREE,
         "artifact": artifact({"report.txt": b"text"}),
         "scratch": oci_image(scratch=True)}

COPIES = {
    "cp -r": "cp -r {source} {target}",
    "cp -a": "cp -a {source} {target}",
    "cp -rT": "cp -rT {source} {target}",
    "rsync -a": "rsync -a {source}/ {target}/",
    "rsync -r": "rsync -r {source}/ {target}/",
    "tar": "mkdir {target}; tar -C {source} -c . | tar -C {target} -x",
    "busybox": "busybox cp -r {source} {target}",
    "copytree":
        "python3 -c 'import shutil; shutil.copytree(\"{source}\", "
        "\"{target}\", symlinks=True)'",
    "mkdir and cp": "mkdir {target}; cp {source}/* {target}/ 2>/dev/null || "
                    "true",
}


def all_of(client):
    """{repository: {tag: digest}} of a registry."""
    listed = client.get("/v2/_catalog?n=1000").json()["repositories"]
    return {name: digests(client, name) for name in listed
            if client.tags(name)}


@pytest.fixture
def other(mount, make_registry, proxy_of):
    """Another mount, of another registry: (mount, client, proxy)."""
    registry = make_registry()
    proxy = proxy_of(registry)
    return mount(proxy), registry.client(), proxy


def copy(how, source, target):
    shell("/", COPIES[how].format(source=source, target=target))


def assert_is_the_image(directory, image):
    """At once, to everybody, and after a look at all of it."""
    assert os.getxattr(directory, "user.oci.digest").decode() == image.digest
    assert (directory / "manifest.json").exists()
    assert "image.tar" in os.listdir(directory)
    run("ls", "-lR", directory)


# Within a mount.

@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", ["image", "index", "tree"])
def test_a_copy_within_a_mount_is_the_image(mount, registry, client, kind, how):
    image = KINDS[kind].push(client, "app", "1.0")
    app = mount(registry) / "app"
    copy(how, app / "1.0", app / "2.0")
    assert_is_the_image(app / "2.0", image)
    assert all_of(client) == {"app": {"1.0": image.digest,
                                      "2.0": image.digest}}
    assert sorted(os.listdir(app)) == ["1.0", "2.0"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_image_is_copied_by_cp(mount, proxy, client, kind):
    image = KINDS[kind].push(client, "app", "1.0")
    app = mount(proxy) / "app"
    with proxy.requests() as seen:
        shell(app, "cp -r 1.0 2.0")
    assert digests(client, "app") == {"1.0": image.digest, "2.0": image.digest}
    # The registry copies it: no layer is read.
    for layer in image.blobs[1:]:
        assert seen.count("GET", layer.digest) == 0
    assert seen.count("PUT") == 1
    assert_is_the_image(app / "2.0", image)


@pytest.mark.parametrize("name", ["2.0", "V2.0", "Release_2", "2-0", "_2"])
def test_every_tag_can_be_a_copy(root, client, name):
    shell(root / "app", f"cp -r 1.0 {name}")
    assert digests(client, "app")[name] == IMAGE.digest
    assert sorted(os.listdir(root / "app")) == sorted(["1.0", "other", name])


def test_a_tag_that_is_a_repository_too(mount, registry, client):
    IMAGE.push(client, "app", ":below"[1:])
    OTHER.push(client, "app/below", "1.0")
    root = mount(registry)
    assert sorted(os.listdir(root / "app")) == [":below", "below"]
    shell(root.path, "cp -r app copied")
    assert all_of(client) == {
        "app": {"below": IMAGE.digest}, "app/below": {"1.0": OTHER.digest},
        "copied": {"below": IMAGE.digest},
        "copied/below": {"1.0": OTHER.digest}}


@pytest.mark.parametrize("how", ["cp -r", "rsync -a", "tar", "copytree"])
def test_a_repository_is_copied(mount, registry, client, how):
    for tag, image in (("1.0", IMAGE), ("index", INDEX), ("V2", OTHER),
                       ("same", IMAGE)):
        image.push(client, "app", tag)
    TREE.push(client, "app/below", "1")
    root = mount(registry)
    copy(how, root / "app", root / "copied")
    found = all_of(client)
    assert found["copied"] == found["app"]
    assert found["copied/below"] == found["app/below"]
    assert len(found) == 4
    run("ls", "-lR", root / "copied")
    assert all_of(client) == found


def test_a_repository_is_copied_into_a_namespace(mount, registry, client):
    IMAGE.push(client, "app", "1.0")
    root = mount(registry)
    shell(root.path, "mkdir team; cp -r app team/")
    assert all_of(client) == {"app": {"1.0": IMAGE.digest},
                              "team/app": {"1.0": IMAGE.digest}}


# Between two mounts.

@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", ["image", "index", "tree"])
def test_a_copy_between_mounts_is_the_image(root, client, other, kind, how):
    image = KINDS[kind].push(client, "from", "1.0")
    target, target_client, _ = other
    (target / "app").mkdir()
    copy(how, root / "from/1.0", target / "app/2.0")
    assert_is_the_image(target / "app/2.0", image)
    assert all_of(target_client) == {"app": {"2.0": image.digest}}
    for blob in image.blobs:
        assert target_client.has_blob("app", blob.digest)


@pytest.mark.parametrize("how", ["cp -r", "rsync -a"])
def test_a_repository_is_mirrored(mount, registry, client, other, how):
    for tag, image in (("1.0", IMAGE), ("index", INDEX), ("V2", OTHER)):
        image.push(client, "app", tag)
    root = mount(registry)
    target, target_client, proxy = other
    copy(how, root / "app", target / "app")
    assert all_of(target_client) == all_of(client)
    # What is there is not sent again.
    shell("/", f"rm -rf {target.path}/nothing")
    with proxy.requests() as seen:
        if how == "rsync -a":
            copy(how, root / "app", target / "app")
    assert sum(request.sent for request in seen) == 0
    assert all_of(target_client) == all_of(client)


def test_only_missing_layers_are_sent(root, client, other):
    target, target_client, proxy = other
    target_client.put_blob("app", IMAGE.layers[0].data)
    with proxy.requests() as seen:
        copy("cp -r", root / "app/1.0", target / "app/1.0")
    assert digests(target_client, "app") == {"1.0": IMAGE.digest}
    assert sum(request.sent for request in seen) < len(IMAGE.layers[0].data)


# By way of a local disk.

@pytest.mark.parametrize("kind", KINDS)
def test_out_to_a_local_disk_and_back(mount, registry, client, tmp_path, kind):
    image = KINDS[kind].push(client, "app", "1.0")
    app = mount(registry) / "app"
    shell(app, f"cp -r 1.0 {tmp_path}/saved")
    assert (tmp_path / "saved/manifest.json").read_bytes() == \
        (app / "1.0/manifest.json").read_bytes()
    if kind == "tree":
        assert (tmp_path / "saved/rootfs/top").read_text() == "top\n"
        assert os.listdir(tmp_path / "saved/rootfs/etc")
    shell(app, f"cp -r {tmp_path}/saved 2.0")
    assert digests(client, "app") == {"1.0": image.digest, "2.0": image.digest}


def test_only_the_archive_makes_the_tag(root, client, tmp_path):
    """Where it is written first, the rest is taken, and compared."""
    shell(root / "app", f"cp -r 1.0 {tmp_path}/saved; mkdir 2.0")
    program = f"""
import os, shutil
source, target = "{tmp_path}/saved", "{root / 'app/2.0'}"
shutil.copy(source + "/image.tar", target)
for name in ("config.json", "manifest.json"):
    assert not os.path.exists(target + "/" + name), name
    shutil.copy(source + "/" + name, target)
for name in ("rootfs", "layers", "referrers"):
    shutil.copytree(source + "/" + name, target + "/" + name)
os.utime(target + "/rootfs")
"""
    run("python3", "-c", program)
    assert_is_the_image(root / "app/2.0", IMAGE)
    assert digests(client, "app")["2.0"] == IMAGE.digest
    assert len(client.tags("app")) == 3


@pytest.mark.parametrize("first", ["image.tar", "config.json"])
def test_an_edited_config_is_not_swallowed(root, client, tmp_path, first):
    root.expect_error(r"app/2\.0/.*: config\.json differs from the image")
    shell(root / "app", f"cp -r 1.0 {tmp_path}/saved; mkdir 2.0")
    saved = tmp_path / "saved"
    config = (saved / "config.json").read_bytes()
    (saved / "config.json").write_bytes(config.replace(b'{}', b'{"User":"a"}'))
    last = {"image.tar": "config.json", "config.json": "image.tar"}[first]
    program = (f"import shutil\nfor name in ('{first}', '{last}'):\n"
               f"    shutil.copy('{saved}/' + name, '{root / 'app/2.0'}')")
    result = run("python3", "-c", program, check=False)
    assert "Invalid argument" in result.stderr
    assert client.tags("app")[:1] == ["1.0"]


# What is no copy of an image.

def test_a_part_alone_is_refused(root, client, tmp_path):
    root.expect_error("part of an image: copy the image's whole directory")
    (root / "app/2.0").mkdir()
    for part in ("rootfs", "layers"):
        result = shell(root / "app", f"cp -r 1.0/{part} 2.0/", check=False)
        assert "Operation not permitted" in result.stderr
    assert os.listdir(root / "app/2.0") == []
    assert client.tags("app") == ["1.0", "other"]


@pytest.mark.parametrize("name", ["manifest.json", "config.json"])
def test_a_file_of_an_image_in_a_repository(root, client, name):
    root.expect_error("part of an image: copy the image's whole directory")
    result = shell(root / "app", f"cp 1.0/{name} .", check=False)
    assert "Operation not permitted" in result.stderr
    assert client.tags("app") == ["1.0", "other"]


def test_an_image_at_the_top_is_refused(root, client):
    """It needs a repository."""
    root.expect_error("part of an image: copy the image's whole directory")
    result = shell(root.path, "cp -r app/1.0 2.0", check=False)
    assert result.returncode != 0
    assert all_of(client) == {"app": digests(client, "app")}
    shell(root.path, "rm -r 2.0")
    assert os.listdir(root.path) == ["app"]


def test_a_copy_into_an_image_is_refused(root, client):
    root.expect_error(r"cp 1\.0\.tar 2\.0\.tar")
    result = shell(root / "app", "cp -r 1.0 other", check=False)
    assert result.returncode != 0
    assert client.tags("app") == ["1.0", "other"]
    assert digests(client, "app")["other"] == OTHER.digest


def test_a_made_directory_is_still_a_repository(root, client):
    shell(root / "app", "mkdir -p below/more; cp 1.0.tar below/more/2.0.tar; "
          "cp 1.0.tar below/3.0.tar")
    found = all_of(client)
    assert found["app/below/more"] == {"2.0": IMAGE.digest}
    assert found["app/below"] == {"3.0": IMAGE.digest}
    assert (root / "app/below/3.0/manifest.json").read_bytes() == IMAGE.data
    # Also when a file of an image was asked for in it.
    shell(root / "app", "mkdir again; ! ls again/config.json; "
          "cp 1.0.tar again/4.0.tar; ls again/4.0/config.json")
    assert all_of(client)["app/again"] == {"4.0": IMAGE.digest}


def test_a_name_that_only_a_tag_can_have_is_no_repository(root, client):
    root.expect_error("not a valid repository name")
    shell(root / "app", "mkdir V2")
    with fails_with(1):
        (root / "app/V2/3.0.tar").write_bytes(b"x" * 600)
    shell(root / "app", "rmdir V2")
    assert sorted(os.listdir(root / "app")) == ["1.0", "other"]


# Copies that come to nothing.

def test_a_copy_that_breaks_off_leaves_nothing_in_the_registry(
        root, client, tmp_path):
    shell(root / "app", f"cp -r 1.0 {tmp_path}/saved; rm {tmp_path}/saved/"
          "image.tar; cp -r " f"{tmp_path}/saved 2.0")
    assert client.tags("app") == ["1.0", "other"]
    # It is a directory of this mount, in which all is that was copied.
    assert (root / "app/2.0/config.json").read_bytes() == IMAGE.config.data
    assert (root / "app/2.0/rootfs/etc/motd").read_text() == "1\n"
    # Going on makes it the image.
    shell(root / "app", "cp 1.0/image.tar 2.0/")
    assert_is_the_image(root / "app/2.0", IMAGE)
    assert digests(client, "app")["2.0"] == IMAGE.digest


def test_a_copy_that_broke_off_can_be_removed(root, client):
    shell(root / "app", "mkdir 2.0; cp 1.0/manifest.json 1.0/config.json 2.0; "
          "rm -r 2.0")
    assert sorted(os.listdir(root / "app")) == ["1.0", "other"]


def test_a_push_that_is_refused_fails_the_copy(root, client, proxy):
    root.expect_error("not today")
    proxy.refuses("/manifests/2.0", method="PUT", status=403, code="DENIED",
                  message="not today", times=1)
    result = shell(root / "app", "cp -r 1.0 2.0", check=False)
    assert result.returncode != 0
    assert client.tags("app") == ["1.0", "other"]
    shell(root / "app", "rm -r 2.0; cp -r 1.0 2.0")
    assert digests(client, "app")["2.0"] == IMAGE.digest


def test_what_was_kept_beside_goes_with_its_program(mount, registry, client,
                                                    other, tmp_path):
    """A large layer is not left on the disk of the cache."""
    image = oci_image(layer_of_size(1 << 20)).push(client, "app", "1.0")
    source = mount(registry)
    target, _, _ = other
    (target / "app").mkdir()
    copy("rsync -a", source / "app/1.0", target / "app/1.0")

    def kept():
        os.path.exists(target / "app/1.0")
        return run("find", target.cache, "-path", "*private*", "-type", "f",
                   "-size", "+100k").stdout

    wait_until(lambda: not kept(), "what rsync wrote beside image.tar")
    assert_is_the_image(target / "app/1.0", image)
