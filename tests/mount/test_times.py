# SPDX-License-Identifier: Apache-2.0
"""Times: what they say of tags and images, and that looking changes none."""

import errno
import os
import time

import pytest

from registry.process import wait_until
from support.images import (
    CREATED_TIME, OCI_GZIP_LAYER, Blob, compressed, config_of, gzip_layer,
    index_of, oci_image, platform_images, tar_of)
from support.readme import recipe
from support.system import fails_with, run
from support.tags import shell

YEARS = [2001, 2005, 2003, 2004, 2002]


def image_of_year(year):
    return oci_image(gzip_layer({"year": str(year).encode()}),
                     created=f"{year}-01-01T00:00:00Z")


def all_times(directory):
    return {name: os.stat(directory / name).st_mtime_ns
            for name in os.listdir(directory)}


LOOKS = ["cat {tag}/manifest.json", "cat {tag}/config.json", "ls -lR {tag}",
         "getfattr -d {tag}", "stat {tag}.tar", "cat {tag}/rootfs/year"]


@pytest.mark.parametrize("look", LOOKS)
def test_looking_at_a_tag_does_not_change_its_time(mount, registry, client,
                                                   look):
    for year in YEARS:
        image_of_year(year).push(client, "app", str(year))
    app = mount(registry) / "app"
    before = all_times(app)
    assert len(set(before.values())) == 1
    shell(app, look.format(tag="2003"))
    assert all_times(app) == before
    # Nor when the kernel has forgotten what it knew.
    run("sh", "-c", "echo 2 >/proc/sys/vm/drop_caches")
    assert all_times(app) == before


def test_no_tag_is_old(mount, registry, client):
    image_of_year(2001).push(client, "app", "1.0")
    app = mount(registry) / "app"
    (app / "1.0/config.json").read_bytes()
    found = run("find", app, "-mindepth", "1", "-maxdepth", "1", "-mtime",
                "+0").stdout
    assert found == ""


def test_what_is_in_an_image_has_its_time(mount, registry, client):
    index_of(platform_images()).push(client, "app", "index")
    oci_image().push(client, "app", "1.0")
    app = mount(registry, "platform=linux/amd64") / "app"
    for name in ("1.0/manifest.json", "1.0/config.json", "1.0/layers",
                 "1.0/layers/01.tar.gz", "1.0/image.tar", "1.0.tar",
                 "index/index.json", "index/platforms",
                 "index/platforms/linux-arm64",
                 "index/platforms/linux-arm64/config.json"):
        assert os.stat(app / name).st_mtime == CREATED_TIME, name


def test_a_referrers_time_does_not_change(mount, registry, client):
    image = oci_image().push(client, "app", "1.0")
    image_of_year(2001).push(client, "app", f"{image.digest}.sig".replace(
        ":", "-"))
    referrers = mount(registry) / "app/1.0/referrers"
    before = all_times(referrers)
    assert before
    for name in before:
        (referrers / name / "manifest.json").read_bytes()
        os.listdir(referrers / name)
    assert all_times(referrers) == before


def test_the_recipe_for_old_tags(mount, make_registry):
    registry = make_registry(deletes=True)
    client = registry.client()
    for year in range(1999, 2015):
        image_of_year(year).push(client, "app", f"nightly-{2020 - year}")
    # Without a time: nobody can say that it is old.
    layer = gzip_layer({"file": b""})
    config = config_of([layer]).replace(b'"created":', b'"was":')
    undated = oci_image(layer)
    undated = type(undated)(undated.media_type, undated.data.replace(
        undated.config.digest.encode(), Blob("", config).digest.encode()
    ).replace(b'"size":%d' % len(undated.config.data),
              b'"size":%d' % len(config), 1),
        blobs=(Blob(undated.config.media_type, config), layer))
    undated.push(client, "app", "undated")
    root = mount(registry, "delete")
    # As somebody looked at some of them before.
    for number in (7, 18, 21):
        (root / f"app/nightly-{number}/config.json").read_bytes()
    script = recipe("Old tags go").replace("~/registry", str(root.path))
    run("bash", "-euc", script)
    assert client.tags("app") == sorted(
        [f"nightly-{2020 - year}" for year in range(2005, 2015)] + ["undated"])


@pytest.mark.parametrize("name", [
    "1.0/layers", "1.0/layers/01.tar.gz", "1.0/manifest.json", "1.0.tar"])
def test_a_time_that_could_not_be_read_is_read_later(mount, proxy, client,
                                                     name):
    image = oci_image().push(client, "app", "1.0")
    path = mount(proxy) / "app" / name
    proxy.refuses(image.config.digest, status=403, code="DENIED",
                  message="not now")
    assert os.stat(path).st_mtime > CREATED_TIME
    proxy.heal()
    # Within a second it could be one system call.
    wait_until(lambda: os.stat(path).st_mtime == CREATED_TIME, "its time")


def test_that_an_image_has_no_time_is_not_said_for_want_of_an_answer(
        mount, proxy, client):
    image = oci_image().push(client, "app", "1.0")
    root = mount(proxy)
    root.expect_error("not now")
    proxy.refuses(image.config.digest, status=403, code="DENIED",
                  message="not now")
    with fails_with(errno.EACCES):
        os.getxattr(root / "app/1.0", "user.oci.created")
    proxy.heal()
    assert os.getxattr(root / "app/1.0", "user.oci.created")


# A tag that moves to an image of the same time and the same sizes.

def same_size_images():
    """Two images that differ in no size and no time."""
    layers = [Blob(OCI_GZIP_LAYER, compressed(tar_of({"file": text})))
              for text in (b"one", b"two")]
    images = [oci_image(layer) for layer in layers]
    assert len(images[0].data) == len(images[1].data)
    return images


DOCUMENTS = ["1.0/manifest.json", "1.0/config.json", "1.0/image.tar",
             "1.0.tar"]


def statuses(app):
    return {name: os.stat(app / name) for name in DOCUMENTS}


def changed(before, after):
    """In which of the documents a program can see that it is another one."""
    for name in DOCUMENTS:
        assert after[name].st_size == before[name].st_size
        assert after[name].st_mtime_ns == before[name].st_mtime_ns
    return [name for name in DOCUMENTS
            if after[name].st_ino != before[name].st_ino
            and after[name].st_ctime_ns > before[name].st_ctime_ns]


@pytest.mark.parametrize("who", ["this mount", "another client"])
def test_a_moved_tag_shows_in_inode_and_ctime(mount, registry, client, who):
    one, two = same_size_images()
    one.push(client, "app", "1.0")
    two.push(client, "app", "2.0")
    app = mount(registry, "tag_ttl=1") / "app"
    before = statuses(app)
    # ctime has seconds.
    wait_until(lambda: time.time() > before["1.0.tar"].st_ctime + 1,
               "the next second")
    if who == "this mount":
        shell(app, "ln -sfn 2.0 1.0")
    else:
        two.push(client, "app", "1.0")
    wait_until(lambda: (app / "1.0/manifest.json").read_bytes() == two.data,
               "the new manifest")
    after = statuses(app)
    assert changed(before, after) == DOCUMENTS
    # It stays so: looking at it again is no change.
    run("sh", "-c", "echo 2 >/proc/sys/vm/drop_caches")
    again = statuses(app)
    assert all(again[name].st_ctime_ns == after[name].st_ctime_ns
               for name in DOCUMENTS)


def test_an_incremental_tar_takes_a_moved_tag(mount, registry, client,
                                              tmp_path):
    one, two = same_size_images()
    one.push(client, "app", "1.0")
    app = mount(registry, "tag_ttl=1") / "app"

    def backup(number):
        archive = tmp_path / f"{number}.tar"
        run("tar", "-C", app, "-g", tmp_path / "snapshot", "-cf", archive,
            "1.0/manifest.json", "1.0/config.json")
        return sorted(run("tar", "-tf", archive).stdout.split())

    assert backup(1) == ["1.0/config.json", "1.0/manifest.json"]
    taken = time.time()
    wait_until(lambda: time.time() > taken + 1, "the next second")
    two.push(client, "app", "1.0")
    wait_until(lambda: (app / "1.0/manifest.json").read_bytes() == two.data,
               "the new manifest")
    assert backup(2) == ["1.0/config.json", "1.0/manifest.json"]


# A tag that is gone.

def test_a_removed_tag_is_believed_for_tag_ttl(mount, make_registry):
    """And not for as long again, by the kernel."""
    ttl = 4
    registry = make_registry(deletes=True)
    client = registry.client()
    image = oci_image().push(client, "app", "1.0")
    app = mount(registry, f"tag_ttl={ttl}") / "app"
    assert os.listdir(app) == ["1.0"]
    listed = time.monotonic()
    assert client.request(
        "DELETE", f"/v2/app/manifests/{image.digest}").status == 202
    # The kernel asks for it when what is known of it is almost too old.
    wait_until(lambda: time.monotonic() > listed + ttl - 1.5, "a while")
    run("sh", "-c", "echo 2 >/proc/sys/vm/drop_caches")
    os.stat(app / "1.0")
    wait_until(lambda: not os.path.exists(app / "1.0"), "its end", 2 * ttl)
    assert time.monotonic() < listed + ttl + 1.5
