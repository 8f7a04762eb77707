# SPDX-License-Identifier: Apache-2.0
"""What is written into image layouts, and other tools read."""

import errno
import fcntl
import json
import os
import random
import shutil
import subprocess
import threading

import pytest

from registry.process import wait_until
from support.archives import REF_NAME, docker_archive, oci_archive
from support.daemon import Mount, discard_mount
from support.engines import skopeo, skopeo_copy, umoci_layout
from support.images import OCI_MANIFEST, oci_image
from support.layers import image_of
from support.layouts import (
    FULL_NAME, assert_valid, blob_path, entries, layout_of, names)
from support.referrers import SBOM, fallback_tag
from support.system import fails_with, run
from support.tars import file

MOTD = "hello from the image\n"
KILLS = 50


def small(n):
    return image_of([file("n", str(n).encode())])


@pytest.fixture
def box(tmp_path):
    return layout_of(tmp_path / "box", v1=small(1))


@pytest.fixture
def mounted(mount, box):
    return mount(f"oci:{box}", "delete")


def push(mounted, name, archive):
    (mounted / f"{name}.tar").write_bytes(archive)


def test_pushed_archives(mounted, box):
    """Of docker's a layout has OCI's media types, the only ones that umoci and
    others know."""
    push(mounted, "docker", docker_archive([("app:1", small(2))]))
    push(mounted, "oci", oci_archive([("1", small(3))]))
    found = assert_valid(box)
    assert set(found) == {"1", "docker", "oci"}
    assert found["oci"] == small(3).digest
    for tag in found:
        run("umoci", "stat", "--image", f"{box}:{tag}")
        assert skopeo("inspect", f"oci:{box}:{tag}").stdout
    assert {entry["mediaType"] for entry in entries(box)} == {OCI_MANIFEST}


def test_podman_runs_what_was_pushed(mounted, box, podman, rootfs, tmp_path):
    other = umoci_layout(tmp_path / "other", rootfs, "x")
    skopeo_copy(f"oci:{other}:x", f"docker-archive:{tmp_path}/app.tar:app:x")
    shutil.copy(tmp_path / "app.tar", mounted / "app.tar")
    assert_valid(box)
    podman("pull", "-q", f"oci:{box}:app")
    image = podman("images", "-q").stdout.split()[0]
    assert podman.run_image(image) == MOTD


def test_umoci_goes_on_with_it(mounted, box, tmp_path):
    push(mounted, "new", oci_archive([("1", small(2))]))
    run("umoci", "config", "--image", f"{box}:new", "--tag", "newer",
        "--config.user", "1000")
    wait_until((mounted / "newer").is_dir, "the tag that umoci made")
    config = json.loads((mounted / "newer/config.json").read_bytes())
    assert config["config"]["User"] == "1000"
    run("umoci", "gc", "--layout", box)
    assert_valid(box)
    assert (mounted / "newer/rootfs/n").read_text() == "2"


def test_tags(mounted, box):
    (mounted / "2").symlink_to("1")
    assert names(box) == {"1": small(1).digest, "2": small(1).digest}
    os.rename(mounted / "2", mounted / "3")
    assert set(names(box)) == {"1", "3"}
    push(mounted, "3", oci_archive([("1", small(3))]))
    assert names(box)["3"] == small(3).digest
    (mounted / "1").rmdir()
    assert assert_valid(box) == {"3": small(3).digest}


def test_full_names(mounted, box):
    """A repository below the layout's own is a full reference."""
    (mounted / "docker.io/library/app").mkdir(parents=True)
    push(mounted, "docker.io/library/app/9", oci_archive([("1", small(2))]))
    assert_valid(box)
    assert entries(box)[-1]["annotations"] == {
        FULL_NAME: "docker.io/library/app:9",
        REF_NAME: "docker.io/library/app:9"}
    assert skopeo("inspect", f"oci:{box}:docker.io/library/app:9").stdout
    assert sorted(os.listdir(mounted.path)) == ["1", "docker.io"]


def test_changes(mounted, box):
    """Files written into an image's directory are changes of the image."""
    config = json.loads((mounted / "1/config.json").read_bytes())
    config["config"] = {"User": "nobody"}
    (mounted / "1/config.json").write_text(json.dumps(config))
    assert_valid(box)
    shown = json.loads(skopeo("inspect", "--config", f"oci:{box}:1").stdout)
    assert shown["config"]["User"] == "nobody"


def test_attachments(mounted, box):
    """The list is kept as the tag schema has it, by which regctl and oras find
    it."""
    (mounted / "1/referrers/app.spdx.json").write_bytes(SBOM)
    tag = fallback_tag(small(1))
    assert_valid(box)
    index = json.loads(blob_path(box, names(box)[tag]).read_bytes())
    assert len(index["manifests"]) == 1
    (name,) = os.listdir(mounted / "1/referrers")
    (attached,) = (mounted / "1/referrers" / name / "files").iterdir()
    assert attached.read_bytes() == SBOM
    (mounted / "1/referrers" / name).rmdir()
    assert os.listdir(mounted / "1/referrers") == []
    assert_valid(box)


def test_a_tree_grows(mount, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    mounted = mount(f"oci:{tree}", "delete")
    assert os.listdir(mounted.path) == []
    (mounted / "team/app").mkdir(parents=True)
    push(mounted, "team/app/1", oci_archive([("1", small(1))]))
    assert assert_valid(tree / "team/app") == {"1": small(1).digest}
    # A copy to another repository is a second name of each blob.
    (mounted / "other").mkdir()
    (mounted / "other/2").symlink_to("../team/app/1")
    assert assert_valid(tree / "other") == {"2": small(1).digest}
    layer = small(1).layers[0].digest
    assert os.path.samefile(blob_path(tree / "team/app", layer),
                            blob_path(tree / "other", layer))


def test_nothing_is_put_among_blobs(mount, tmp_path):
    layout_of(tmp_path / "tree/app", v1=small(1))
    mounted = mount(f"oci:{tmp_path}/tree")
    mounted.allow_error("")
    with pytest.raises(OSError):
        (mounted / "app/blobs/sha256").mkdir(parents=True)
        push(mounted, "app/blobs/sha256/1", oci_archive([("1", small(2))]))
        os.stat(mounted / "app/blobs/sha256/1")
    assert_valid(tmp_path / "tree/app")


def test_two_mounts_write_at_once(mount, box):
    """Of none a tag gets lost."""
    mounts = [mount(f"oci:{box}", directory=box.parent / name)
              for name in ("one", "two")]

    def write(number):
        for n in range(15):
            push(mounts[number], f"{number}-{n}",
                 oci_archive([("1", small(number * 100 + n))]))
    writers = [threading.Thread(target=write, args=(n,)) for n in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = assert_valid(box)
    assert set(found) == {"1"} | {f"{a}-{b}" for a in (0, 1)
                                  for b in range(15)}


def test_killed_at_any_moment(binary, box, home, tmp_path):
    """A writer that dies leaves a valid layout: each tag is the old or the new
    image, and those of others are what they were."""
    moments = random.Random(box.name)
    images = {f"t{n}": small(n) for n in range(4)}
    for round_ in range(KILLS):
        mounted = Mount(binary, f"oci:{box}", tmp_path / f"m{round_}", home,
                        options=["delete"])
        script = f"""
            cd {mounted.path} || exit
            for n in 0 1 2 3; do cp {tmp_path}/t$n.tar ./t$n.tar; done
            ln -sfn t0 moved; mv -T moved again; ln -sfn t1 moved
            rmdir t3 again; echo '{{}}' > t2/referrers/a.json
            """
        for name, image in images.items():
            (tmp_path / f"{name}.tar").write_bytes(
                oci_archive([("1", image)]))
        with subprocess.Popen(["sh", "-c", script], stderr=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL) as writer:
            try:
                writer.wait(moments.uniform(0, 0.4))
            except subprocess.TimeoutExpired:
                pass
            mounted.kill()
            discard_mount(mounted.path)
            writer.wait(20)
        found = assert_valid(box)
        assert found["1"] == small(1).digest
        for name, digest in found.items():
            if name in images:
                assert digest == images[name].digest


def test_the_owner_stays(mounted, box, other_user):
    """What root has changed, its owner still can."""
    other_user.own(box)
    (mounted / "2").symlink_to("1")
    assert (box / "index.json").stat().st_uid == other_user.uid


def test_a_full_index(mounted, box):
    """What could not be read again is not written."""
    index = json.loads((box / "index.json").read_bytes())
    index["manifests"] = [index["manifests"][0] | {"annotations": {
        REF_NAME: f"t{n}"}} for n in range(10_000)]
    (box / "index.json").write_text(json.dumps(index))
    wait_until((mounted / "t9").is_dir, "the new index")
    mounted.expect_error("it has 10000 entries already")
    with fails_with(errno.EFBIG):
        (mounted / "more").symlink_to("t0")
    (mounted / "t0").rmdir()
    (mounted / "more").symlink_to("t1")
    assert len(os.listdir(mounted.path)) == 10_000


def test_a_locked_layout(mounted, box):
    """Who waits for another process says so."""
    with open(box / "oci-layout", "rb") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        with subprocess.Popen(["ln", "-s", "1", mounted / "2"]) as linker:
            mounted.wait_for_log(f"{box}/oci-layout is locked: waiting for")
            assert linker.poll() is None
            fcntl.flock(marker, fcntl.LOCK_UN)
            assert linker.wait(20) == 0
    assert set(assert_valid(box)) == {"1", "2"}


@pytest.mark.parametrize("made", [("blobs",), ("blobs", "index.json")],
                         ids=["without files", "without a marker"])
def test_a_tree_whose_first_layout_was_begun(mount, tmp_path, made):
    """As a crash leaves it: it can be mounted, and the next push goes on."""
    first = tmp_path / "tree/app"
    (first / "blobs/sha256").mkdir(parents=True)
    if "index.json" in made:
        (first / "index.json").write_text('{"schemaVersion":2,"manifests":[]}')
    mounted = mount(f"oci:{tmp_path}/tree")
    assert os.listdir(mounted.path) == []
    (mounted / "app").mkdir()
    push(mounted, "app/1", oci_archive([("1", small(1))]))
    assert assert_valid(first) == {"1": small(1).digest}


def test_garbage_is_collected_during_a_push(mounted, box, tmp_path):
    """umoci removes what nothing names yet: the push fails, and can be
    repeated."""
    (tmp_path / "app.tar").write_bytes(oci_archive([("1", small(2))]))
    mounted.expect_error("another program removed blobs")
    mounted.allow_error("although the tag names it: push the image again")
    with open(box / "oci-layout", "rb") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        with subprocess.Popen(["cp", tmp_path / "app.tar", mounted / "2.tar"],
                              stderr=subprocess.DEVNULL) as copier:
            mounted.wait_for_log("is locked: waiting for")
            run("umoci", "gc", "--layout", box)
            fcntl.flock(marker, fcntl.LOCK_UN)
            assert copier.wait(20) == 1
    run("cp", tmp_path / "app.tar", mounted / "2")
    assert set(assert_valid(box)) == {"1", "2"}
