# SPDX-License-Identifier: Apache-2.0
"""`registryfs oci:DIR` mounts image layouts on a disk."""

import errno
import json
import os
import subprocess
import threading

import pytest

from registry.process import wait_until
from support.archives import REF_NAME
from support.caches import files_in
from support.control import events, status
from support.engines import skopeo_copy, umoci_layout
from support.images import index_of, oci_image, platform_images
from support.layers import image_of
from support.layouts import (
    FULL_NAME, blob_path, layout_of, names, rename)
from support.referrers import fallback_tag, listed, referrer_of
from support.system import run
from support.tars import file

MOTD = "hello from the image\n"


@pytest.fixture
def box(tmp_path):
    return tmp_path / "box"


def listing(path):
    return sorted(os.listdir(path))


def test_what_umoci_made(mount, box, rootfs):
    umoci_layout(box, rootfs, "1.0")
    mounted = mount(f"oci:{box}")
    assert listing(mounted.path) == ["1.0"]
    assert (mounted / "1.0/rootfs/etc/motd").read_text() == MOTD
    digest = names(box)["1.0"]
    assert os.getxattr(mounted / "1.0", "user.oci.digest").decode() == digest
    assert (mounted / "1.0/manifest.json").read_bytes() == \
        blob_path(box, digest).read_bytes()


def test_what_skopeo_made(mount, box, registry, client):
    """Two tags, one of them an index."""
    oci_image().push(client, "app", "1.0")
    index_of(platform_images()).push(client, "app", "all")
    for tag in ("1.0", "all"):
        skopeo_copy(f"docker://{registry.address}/app:{tag}",
                    f"oci:{box}:{tag}", "--all")
    mounted = mount(f"oci:{box}")
    assert listing(mounted.path) == ["1.0", "all"]
    assert "platforms" in listing(mounted / "all")


def test_what_podman_made(mount, box, podman, rootfs):
    podman.import_rootfs(rootfs, "localhost/app:1.0")
    podman("push", "-q", "localhost/app:1.0", f"oci:{box}:1.0")
    mounted = mount(f"oci:{box}")
    assert (mounted / "1.0/rootfs/etc/motd").read_text() == MOTD


def test_blobs_are_read_where_they_lie(mount, box):
    """Of a layer nothing is in the cache but its index."""
    content = os.urandom(3 << 20)
    layout_of(box, v1=image_of([file("a", content), file("b", b"b")]))
    mounted = mount(f"oci:{box}")
    assert (mounted / "1/rootfs/a").read_bytes() == content
    layer = next((mounted / "1/layers").glob("*.tar*"))
    assert len(layer.read_bytes()) > len(content) // 2
    assert status(mounted)["cache"]["fetched_bytes"] == 0
    assert not [path for name in ("blobs", "parts", "partial")
                if (mounted.cache / name).is_dir()
                for path in files_in(mounted.cache / name)]


def test_a_long_path(mount, tmp_path):
    """Which layers there are is noted by the directory's name."""
    layout_of(tmp_path / ("long" * 40) / ("name" * 40), v1=oci_image())
    mounted = mount(f"oci:{tmp_path}/{'long' * 40}/{'name' * 40}")
    (mounted / "1/config.json").read_bytes()
    listing(mounted / "1/rootfs")
    assert listing(mounted.cache / "notes/layers")


@pytest.mark.parametrize("where", ["manifest", "layer"])
def test_damaged_blobs_are_errors(mount, box, where):
    image = image_of([file("a", os.urandom(1 << 20))])
    layout_of(box, v1=image)
    digest = image.digest if where == "manifest" else image.layers[0].digest
    path = blob_path(box, digest)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    mounted = mount(f"oci:{box}")
    mounted.expect_error("have the digest")
    mounted.allow_error("bytes read earlier were wrong")
    with pytest.raises(OSError) as raised:
        if where == "manifest":
            listing(mounted / "1")
        else:
            next((mounted / "1/layers").glob("*.tar*")).read_bytes()
    assert raised.value.errno in (errno.EIO, errno.EBADMSG)


def test_what_changes_meanwhile_is_not_believed(mount, box):
    """A blob that was right, and is overwritten in place."""
    image = image_of([file("a", os.urandom(1 << 20))])
    layout_of(box, v1=image)
    mounted = mount(f"oci:{box}")
    layer = next((mounted / "1/layers").glob("*.tar*"))
    good = layer.read_bytes()
    path = blob_path(box, image.layers[0].digest)
    assert good == path.read_bytes()
    with open(path, "r+b") as out:
        out.seek(len(good) // 2)
        out.write(b"changed")
    mounted.allow_error("")
    fd = os.open(layer, os.O_RDONLY | os.O_DIRECT)
    try:
        with pytest.raises(OSError):
            while os.read(fd, 1 << 20):
                pass
    finally:
        os.close(fd)


def test_names(mount, box):
    """A full reference is a repository and a tag below the layout's own."""
    images = {f"v{n}": image_of([file("n", str(n).encode())])
              for n in range(5)}
    layout_of(box, **images)
    rename(box, 1, **{REF_NAME: "3.19",
                      FULL_NAME: "docker.io/library/alpine:3.19"})
    rename(box, 2, **{REF_NAME: "localhost:5000/team/app:2"})
    rename(box, 3, **{REF_NAME: "not a name"})
    rename(box, 4, **{REF_NAME: "0"})
    mounted = mount(f"oci:{box}")
    assert listing(mounted.path) == ["0", "docker.io", "localhost_5000"]
    for path, n in [("0", 0), ("docker.io/library/alpine/3.19", 1),
                    ("localhost_5000/team/app/2", 2)]:
        assert (mounted / path / "rootfs/n").read_text() == str(n)
    third = images["v3"].digest
    assert (mounted / f"@{third}/rootfs/n").read_text() == "3"


def test_the_only_image_without_a_name_is_latest(mount, box):
    layout_of(box, v1=image_of([file("n", b"1")]))
    rename(box, 0)
    mounted = mount(f"oci:{box}")
    assert listing(mounted.path) == ["latest"]
    assert (mounted / "latest/rootfs/n").read_text() == "1"


def test_a_tree_of_layouts(mount, tmp_path):
    """As regctl, olareg and zot keep them."""
    tree = tmp_path / "tree"
    for n, name in enumerate(["app", "app/web", "team/a/b"]):
        layout_of(tree / name, v1=image_of([file("n", str(n).encode())]))
    (tree / "_trivy").mkdir()
    (tree / "app/.cache").mkdir()
    (tree / "empty").mkdir()
    mounted = mount(f"oci:{tree}")
    assert listing(mounted.path) == ["app", "team"]
    assert listing(mounted / "app") == ["1", "web"]
    assert listing(mounted / "team/a/b") == ["1"]
    assert (mounted / "app/web/1/rootfs/n").read_text() == "1"


def test_links_are_not_followed_in_circles(mount, tmp_path):
    tree = tmp_path / "tree"
    layout_of(tree / "app", v1=oci_image())
    (tree / "loop").symlink_to(tree)
    elsewhere = layout_of(tmp_path / "elsewhere", v2=oci_image())
    (tree / "linked").symlink_to(elsewhere)
    mounted = mount(f"oci:{tree}")
    assert listing(mounted.path) == ["app", "linked"]
    assert listing(mounted / "linked") == ["2"]


def test_changes_by_others_are_seen(mount, box):
    one, two = image_of([file("n", b"1")]), image_of([file("n", b"2")])
    layout_of(box, v1=one)
    mounted = mount(f"oci:{box}")
    assert listing(mounted.path) == ["1"]
    assert (mounted / "1/rootfs/n").read_text() == "1"
    layout_of(box, v1=two, v2=one)
    wait_until(lambda: listing(mounted.path) == ["1", "2"], "the new tag")
    wait_until(lambda: (mounted / "1/rootfs/n").read_text() == "2",
               "the moved tag")
    seen = {(event["event"], event["tag"]) for event in events(mounted)}
    assert seen >= {("tag-moved", "1"), ("tag-created", "2")}, seen


def test_referrers(mount, box):
    """Both as entries without a name and on the list of the tag schema."""
    image = oci_image()
    bare = referrer_of(image)
    on_list = referrer_of(image, b"{}", "application/vnd.other+json")
    layout_of(box, v1=image)
    index = json.loads((box / "index.json").read_bytes())
    for manifest in (bare, on_list, listed(on_list)):
        for blob in (*manifest.blobs, manifest):
            blob_path(box, blob.digest).write_bytes(blob.data)
    index["manifests"].append(bare.descriptor())
    index["manifests"].append(listed(on_list).descriptor(
        annotations={REF_NAME: fallback_tag(image)}))
    (box / "index.json").write_text(json.dumps(index))
    mounted = mount(f"oci:{box}")
    links = (mounted / "1/referrers").iterdir()
    assert {os.getxattr(path, "user.oci.digest").decode() for path in links
            } == {bare.digest, on_list.digest}


def test_a_read_only_directory(mount, other_user, binary):
    """Nothing can be written: the mount is read-only, and says so."""
    place = other_user.new_directory()
    box = layout_of(place / "box", v1=image_of([file("n", b"1")]))
    mounted = mount(f"oci:{box}", directory=place / "mount", user=other_user,
                    program=other_user.copy_in(binary))
    assert other_user.run("cat", mounted / "1/rootfs/n").stdout == "1"
    made = other_user.run("touch", mounted / "new", check=False)
    assert "Read-only file system" in made.stderr
    assert "cannot be written: the mount is read-only" in mounted.log()


def refuse(binary, tmp_path, home, what):
    """What is said where nothing can be mounted."""
    mnt = tmp_path / "mnt"
    mnt.mkdir(exist_ok=True)
    done = subprocess.run(
        [binary, "-f", "-o", f"cache={tmp_path}/cache", what, mnt],
        capture_output=True, text=True, timeout=20, env=home.environment())
    assert done.returncode == 1
    assert not os.path.ismount(mnt)
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_what_is_no_layout(binary, tmp_path, home):
    nothing = tmp_path / "nothing"
    assert "No such file" in refuse(binary, tmp_path, home, f"oci:{nothing}")
    nothing.write_text("x")
    assert "Not a directory" in refuse(binary, tmp_path, home,
                                       f"oci:{nothing}")
    some = tmp_path / "some"
    some.mkdir()
    (some / "file").write_text("x")
    assert "neither an image layout" in refuse(binary, tmp_path, home,
                                               f"oci:{some}")


@pytest.mark.parametrize("name, text, why", [
    ("oci-layout", "{}", "does not give the version"),
    ("oci-layout", "no", "does not give the version"),
    ("index.json", "{", "cannot be read"),
    ("index.json", '{"schemaVersion": 2, "manifests": {}}', "cannot be read"),
])
def test_broken_layouts(binary, tmp_path, home, box, name, text, why):
    layout_of(box, v1=oci_image())
    (box / name).write_text(text)
    said = refuse(binary, tmp_path, home, f"oci:{box}")
    assert why in said
    assert f"{box}/{name}" in said


@pytest.mark.parametrize("name", ["oci-layout", "index.json"])
def test_a_file_while_it_is_written(mount, box, name):
    """Tools write both in place: who reads a part of one waits for the rest."""
    layout_of(box, v1=oci_image())
    mounted = mount(f"oci:{box}")
    text = (box / name).read_bytes()
    (box / name).write_bytes(b"")
    writer = threading.Timer(0.3, (box / name).write_bytes, [text])
    writer.start()
    try:
        assert "config.json" in listing(mounted / "1")
    finally:
        writer.join()


@pytest.mark.parametrize("whole", [False, True], ids=["layout", "everything"])
def test_a_mount_point_inside(binary, tmp_path, home, box, whole):
    """A walk through DIR would wait for itself there."""
    layout_of(box, v1=oci_image())
    (box / "mnt").mkdir()
    done = subprocess.run(
        [binary, "-f", f"oci:{'/' if whole else box}", box / "mnt"],
        capture_output=True, text=True, timeout=20, env=home.environment())
    assert done.returncode == 1
    assert "mount on a directory that is not" in done.stderr
