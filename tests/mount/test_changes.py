# SPDX-License-Identifier: Apache-2.0
"""Images changed by files that are written into their directories, and by
attributes: each is one new manifest under the same tag."""

import errno
import json
import os
import shutil
import threading

import pytest

from registry.client import digest_of
from registry.process import wait_until
from support import parts
from support.engines import skopeo
from support.images import (
    DOCKER_LIST, OCI_GZIP_LAYER, OCI_INDEX, artifact, compressed, docker_image,
    gzip_layer, index_of, layer_of_size, oci_image, platform_images, tar_of,
    zstd_stored)
from support.system import fails_with, run
from support.unpacked import umoci_unpack

IMAGE = oci_image(layer_of_size(200_000), gzip_layer({"etc/motd": b"1\n"}))
LAYER = tar_of({"etc/motd": b"2\n", "etc/new": b"new\n"})


@pytest.fixture
def app(mount, proxy, client):
    IMAGE.push(client, "app", "1.0")
    return mount(proxy)


@pytest.fixture
def layer(tmp_path):
    path = tmp_path / "layer.tar"
    path.write_bytes(LAYER)
    return path


def image_now(client, reference="1.0"):
    """(manifest, config) as the registry has them."""
    manifest = client.manifest("app", reference).json()
    data = client.blob("app", manifest["config"]["digest"])
    assert digest_of(data) == manifest["config"]["digest"]
    return manifest, json.loads(data)


def assert_unchanged(client):
    assert client.manifest("app", "1.0").body == IMAGE.data


# Layers.

@pytest.mark.parametrize("make", [oci_image, docker_image])
@pytest.mark.parametrize("command", [
    ["cp"], ["cp", "-p"], ["install"], ["rsync", "-a"], ["mv"]],
    ids=lambda command: " ".join(command))
def test_a_tarball_becomes_a_layer(mount, proxy, client, layer, make, command):
    image = make().push(client, "app", "1.0")
    root = mount(proxy)
    run(*command, layer, root / "app/1.0/layers/")
    manifest, config = image_now(client)
    before = json.loads(image.data)
    assert manifest["mediaType"] == before["mediaType"]
    assert manifest["layers"][:-1] == before["layers"]
    added = manifest["layers"][-1]
    assert added["mediaType"] == before["layers"][-1]["mediaType"]
    assert len(client.blob("app", added["digest"])) == added["size"]
    old = json.loads(image.config.data)
    assert config["rootfs"]["diff_ids"] == [
        *old["rootfs"]["diff_ids"], digest_of(LAYER)]
    assert {key: config[key] for key in ("architecture", "os", "config")
            if key in old} == {key: old[key] for key in (
                "architecture", "os", "config") if key in old}
    assert (root / "app/1.0/rootfs/etc/motd").read_bytes() == b"2\n"


def test_the_history_says_where_the_layer_comes_from(app, client, layer):
    run("cp", layer, app / "app/1.0/layers/")
    _, config = image_now(client)
    history = config.get("history", [])
    layers = [entry for entry in history if not entry.get("empty_layer")]
    if history:
        assert len(layers) == 3
        assert layers[-1]["created_by"] == "registryfs: layer.tar"
        assert layers[-1]["created"] == config["created"]


@pytest.mark.parametrize("name, data, media_type", [
    ("new.tar", LAYER, OCI_GZIP_LAYER),
    ("new.tar.gz", compressed(LAYER), OCI_GZIP_LAYER),
    ("new.tgz", compressed(LAYER), OCI_GZIP_LAYER),
    ("new.tar.zst", zstd_stored(LAYER), OCI_GZIP_LAYER[:-4] + "zstd")])
def test_a_layer_that_is_compressed_stays_so(app, client, name, data,
                                             media_type):
    (app / "app/1.0/layers" / name).write_bytes(data)
    manifest, config = image_now(client)
    assert manifest["layers"][-1]["mediaType"] == media_type
    assert config["rootfs"]["diff_ids"][-1] == digest_of(LAYER)
    if data != LAYER:
        assert manifest["layers"][-1]["digest"] == digest_of(data)


def test_the_name_stays_a_file(app, layer):
    """shutil changes its mode by name; then the same again."""
    for count in (3, 4):
        shutil.copy(layer, app / "app/1.0/layers")
        assert (app / "app/1.0/layers/layer.tar").stat().st_size == len(LAYER)
        listed = os.listdir(app / "app/1.0/layers")
        assert "layer.tar" not in listed
        assert len([name for name in listed if name.isdigit()]) == count


def test_other_clients_take_the_changed_image(app, client, proxy, layer,
                                              tmp_path):
    run("cp", layer, app / "app/1.0/layers/")
    skopeo("copy", "--src-tls-verify=false",
           f"docker://{proxy.address}/app:1.0", f"oci:{tmp_path}/layout:1.0")
    umoci_unpack(tmp_path / "layout", "1.0", tmp_path / "rootfs")
    assert (tmp_path / "rootfs/etc/new").read_bytes() == b"new\n"
    assert (tmp_path / "rootfs/etc/motd").read_bytes() == b"2\n"


def test_a_layer_of_podmans(app, proxy, podman, layer):
    run("cp", layer, app / "app/1.0/layers/")
    podman("pull", "--tls-verify=false", f"{proxy.address}/app:1.0")


def test_layers_added_at_once_are_all_there(app, client, tmp_path):
    """Each on top of those before."""
    def add(number):
        data = tar_of({f"file-{number}": b"x"})
        (app / f"app/1.0/layers/{number}.tar").write_bytes(data)

    threads = [threading.Thread(target=add, args=(number,))
               for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    manifest, config = image_now(client)
    assert len(manifest["layers"]) == len(config["rootfs"]["diff_ids"]) == 8
    added = {digest_of(tar_of({f"file-{number}": b"x"}))
             for number in range(6)}
    assert set(config["rootfs"]["diff_ids"][2:]) == added


@pytest.mark.parametrize("data, sentence", [
    (b"this is no tar" * 100, "tar"),
    (LAYER[:700], "is truncated"),
    (compressed(LAYER)[:-20], "is truncated"),
    (b"BZh91AY&SY" + b"x" * 100, "bzip2"),
])
def test_what_is_no_layer_changes_nothing(app, client, data, sentence):
    app.expect_error(f"app/1.0/layers/bad.tar: changing app:1.0: .*{sentence}")
    with fails_with(errno.EINVAL):
        (app / "app/1.0/layers/bad.tar").write_bytes(data)
    assert_unchanged(client)
    kept = app / "app/1.0/layers/.bad.tar.failed"
    # More could come until the kernel says that nobody has it open any more.
    wait_until(kept.exists, "the failed layer is kept")
    assert kept.read_bytes() == data
    assert os.getxattr(kept, "user.registryfs.error")
    kept.unlink()


def test_a_layer_that_failed_can_be_tried_again(app, client, proxy, layer):
    app.expect_error("app/1.0/layers/layer.tar: changing app:1.0: ")
    proxy.refuses("/manifests/1.0", status=403, code="DENIED",
                  message="not now", method="PUT", times=1)
    assert run("cp", layer, app / "app/1.0/layers/", check=False).returncode
    assert_unchanged(client)
    layers = app / "app/1.0/layers"
    run("mv", layers / ".layer.tar.failed", layers / "layer.tar")
    assert len(image_now(client)[0]["layers"]) == 3


# Configs.

def test_a_config_is_replaced(app, client, tmp_path):
    config = json.loads(IMAGE.config.data)
    config["config"] = {"Env": ["GREETING=changed"], "Labels": {"a": "b"}}
    changed = tmp_path / "config.json"
    changed.write_text(json.dumps(config))
    run("cp", changed, app / "app/1.0/config.json")
    manifest, now = image_now(client)
    assert now == config
    assert manifest["layers"] == json.loads(IMAGE.data)["layers"]
    assert json.loads((app / "app/1.0/config.json").read_bytes()) == config


def test_jq_and_sponge_edit_a_config(app, client):
    directory = app / "app/1.0"
    run("bash", "-c", 'edited=$(sed "s/amd64/arm64/" "$0") && '
        'printf %s "$edited" > "$0"', directory / "config.json")
    assert image_now(client)[1]["architecture"] == "arm64"


def test_sed_edits_in_place(app, client):
    """It renames a file of its own over the one that is there."""
    run("sed", "-i", "s/amd64/arm64/", app / "app/1.0/config.json")
    assert image_now(client)[1]["architecture"] == "arm64"
    assert b"arm64" in (app / "app/1.0/config.json").read_bytes()
    assert sorted(os.listdir(app / "app/1.0")) == parts.IMAGE


def test_sed_is_told_what_is_wrong(app, client):
    app.expect_error("app/1.0/config.json: changing app:1.0: ")
    result = run("sed", "-i", "s/}/]/", app / "app/1.0/config.json",
                 check=False)
    assert result.returncode != 0
    assert_unchanged(client)
    assert (app / "app/1.0/config.json").read_bytes() == IMAGE.config.data


def edited(**changes):
    return json.dumps({**json.loads(IMAGE.config.data), **changes}).encode()


@pytest.mark.parametrize("data, sentence", [
    (b"no JSON", "JSON"),
    (b"[]", "object"),
    (edited(rootfs={"type": "layers", "diff_ids": []}), "0 diff_ids"),
    (edited(rootfs={"type": "layers", "diff_ids": [digest_of(b"x")] * 2}),
     "not the digest of the image's layer"),
    (edited(os=""), "lacks os or architecture"),
])
def test_what_is_no_config_changes_nothing(app, client, data, sentence):
    app.expect_error(f"app/1.0/config.json: changing app:1.0: .*{sentence}")
    with fails_with(errno.EINVAL):
        (app / "app/1.0/config.json").write_bytes(data)
    assert_unchanged(client)
    assert (app / "app/1.0/config.json").read_bytes() == IMAGE.config.data


# Manifests.

def test_a_manifest_is_put_as_it_stands(app, client):
    data = json.dumps({**json.loads(IMAGE.data), "annotations": {"a": "b"}},
                      indent=3).encode()
    (app / "app/1.0/manifest.json").write_bytes(data)
    assert client.manifest("app", "1.0").body == data
    assert (app / "app/1.0/manifest.json").read_bytes() == data


def test_an_index_is_put_as_it_stands(mount, proxy, client):
    images = platform_images()
    index_of(images).push(client, "app", "1.0")
    root = mount(proxy)
    fewer = index_of(images[:1]).data
    (root / "app/1.0/index.json").write_bytes(fewer)
    assert client.manifest("app", "1.0").body == fewer
    assert os.listdir(root / "app/1.0/platforms") == ["linux-amd64"]


@pytest.mark.parametrize("change, sentence", [
    (lambda document: document["config"].update(digest=digest_of(b"no")),
     "names the blob"),
    (lambda document: document["layers"][0].update(size=1), "names the blob"),
    (lambda document: document.update(layers="none"), "layers"),
    (lambda document: document.clear(), "manifest")],
    ids=["digest", "size", "form", "empty"])
def test_a_manifest_that_does_not_hold_changes_nothing(app, client, change,
                                                       sentence):
    document = json.loads(IMAGE.data)
    change(document)
    app.expect_error(f"app/1.0/manifest.json: changing app:1.0: .*{sentence}")
    with fails_with(errno.EINVAL):
        (app / "app/1.0/manifest.json").write_text(json.dumps(document))
    assert_unchanged(client)


# Of an index, the platform's image.

@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_names_the_changed_image(mount, proxy, client, layer,
                                          media_type):
    images = platform_images()
    index = index_of(images, media_type).push(client, "app", "1.0")
    root = mount(proxy, "platform=linux/arm64")
    run("cp", layer, root / "app/1.0/layers/")
    now = client.manifest("app", "1.0").json()
    before = json.loads(index.data)
    assert now["mediaType"] == media_type
    assert now["manifests"][0] == before["manifests"][0]
    assert now["manifests"][1]["platform"] == (
        before["manifests"][1]["platform"])
    changed = client.manifest("app", now["manifests"][1]["digest"])
    assert len(changed.body) == now["manifests"][1]["size"]
    assert len(changed.json()["layers"]) == 1 + len(images[1][0].layers)
    assert (root / "app/1.0/platforms/linux-arm64/rootfs/etc/new").exists()


# Annotations.

def test_an_annotation_is_set_and_removed(app, client, proxy):
    directory = app / "app/1.0"
    run("setfattr", "-n", "user.oci.annotation.org.example.a", "-v", "b",
        directory)
    assert client.manifest("app", "1.0").json()["annotations"] == {
        "org.example.a": "b"}
    assert os.getxattr(directory, "user.oci.annotation.org.example.a") == b"b"
    inspected = json.loads(skopeo("inspect", "--raw", "--tls-verify=false",
                                  f"docker://{proxy.address}/app:1.0").stdout)
    assert inspected["annotations"] == {"org.example.a": "b"}
    run("setfattr", "-x", "user.oci.annotation.org.example.a", directory)
    assert client.manifest("app", "1.0").json() == json.loads(IMAGE.data)


def test_the_flags_of_an_annotation(app, client):
    directory, name = app / "app/1.0", "user.oci.annotation.a"
    with fails_with(errno.ENODATA):
        os.setxattr(directory, name, b"1", os.XATTR_REPLACE)
    with fails_with(errno.ENODATA):
        os.removexattr(directory, name)
    os.setxattr(directory, name, b"1", os.XATTR_CREATE)
    with fails_with(errno.EEXIST):
        os.setxattr(directory, name, b"2", os.XATTR_CREATE)
    app.allow_error("no such annotation|already exists")
    assert client.manifest("app", "1.0").json()["annotations"] == {"a": "1"}


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\0b"])
def test_an_annotation_is_text(app, client, value):
    app.expect_error("annotation")
    with fails_with(errno.EINVAL):
        os.setxattr(app / "app/1.0", "user.oci.annotation.a", value)
    assert_unchanged(client)


def test_other_attributes_are_not_set(app, client):
    for name in ("user.comment", "user.oci.digest"):
        with fails_with(errno.EOPNOTSUPP):
            os.setxattr(app / "app/1.0", name, b"x")
    assert_unchanged(client)


def test_an_annotation_of_an_index(mount, proxy, client):
    index = index_of(platform_images()).push(client, "app", "1.0")
    root = mount(proxy)
    os.setxattr(root / "app/1.0", "user.oci.annotation.a", b"b")
    assert client.manifest("app", "1.0").json() == {
        **json.loads(index.data), "annotations": {"a": "b"}}


# What does not change.

def test_an_image_by_its_digest_never_changes(app, client, layer):
    directory = app / f"app/@{IMAGE.digest}"
    app.expect_error("cannot be changed|read-only file")
    for path in ("layers/new.tar", "config.json", "manifest.json",
                 "image.tar"):
        with fails_with(errno.EPERM):
            (directory / path).write_bytes(LAYER)
    with fails_with(errno.EPERM):
        os.setxattr(directory, "user.oci.annotation.a", b"b")
    assert_unchanged(client)


def test_an_artifact_has_no_layers_to_add_to(mount, proxy, client):
    made = artifact({"file": b"content"}).push(client, "app", "1.0")
    root = mount(proxy)
    root.expect_error("an artifact, not an image")
    with fails_with(errno.EINVAL):
        (root / "app/1.0/config.json").write_bytes(IMAGE.config.data)
    assert client.manifest("app", "1.0").body == made.data


def test_a_change_builds_on_what_another_client_put(mount, proxy, client,
                                                    layer):
    IMAGE.push(client, "app", "1.0")
    root = mount(proxy, "tag_ttl=3600")
    os.listdir(root / "app/1.0")
    newer = oci_image(gzip_layer({"newer": b""}))
    newer.push(client, "app", "1.0")
    run("cp", layer, root / "app/1.0/layers/")
    expected = json.loads(newer.data)["layers"]
    assert image_now(client)[0]["layers"][:-1] == expected


def test_a_retry_of_a_put_counts_once(app, client, proxy, layer):
    with proxy.requests() as seen:
        run("cp", layer, app / "app/1.0/layers/")
    assert seen.count("PUT", "/manifests/") == 1
    assert seen.count("GET", IMAGE.layers[0].digest) == 0


def test_programs_that_share_a_file(app, client):
    """Each of them closes it; it is whole when the shell has."""
    run("bash", "-c", """
        { printf '{'; (echo '"spdxVersion": "SPDX-2.3"}'); } > "$0" """,
        app / "app/1.0/referrers/sbom.json")
    (name,) = [name for name in os.listdir(app / "app/1.0/referrers")
               if name.startswith("spdx")]
    (file,) = (app / "app/1.0/referrers" / name / "files").iterdir()
    assert file.read_text() == '{"spdxVersion": "SPDX-2.3"}\n'


def test_a_layer_without_its_end_is_refused(app, client):
    """Between two entries it could end: test_push_unended.py."""
    app.expect_error("is truncated")
    with fails_with(errno.EINVAL):
        (app / "app/1.0/layers/half.tar").write_bytes(LAYER[:1023])
    assert_unchanged(client)


def test_docker_has_no_layers_in_zstd(mount, proxy, client):
    image = docker_image().push(client, "app", "1.0")
    root = mount(proxy)
    root.expect_error("cannot name a zstd layer")
    with fails_with(errno.EINVAL):
        (root / "app/1.0/layers/new.tar.zst").write_bytes(zstd_stored(LAYER))
    assert client.manifest("app", "1.0").body == image.data


def test_a_config_is_of_its_platform(mount, proxy, client):
    index = index_of(platform_images()).push(client, "app", "1.0")
    root = mount(proxy, "platform=linux/amd64")
    root.expect_error("the index has the image for linux/amd64")
    config = json.loads((root / "app/1.0/config.json").read_bytes())
    config["architecture"] = "s390x"
    with fails_with(errno.EINVAL):
        (root / "app/1.0/config.json").write_text(json.dumps(config))
    assert client.manifest("app", "1.0").body == index.data


def test_an_index_is_put_over_an_image(app, client):
    images = [(child.push(client, "app", child.digest), platform)
              for child, platform in platform_images()]
    index = index_of(images)
    (app / "app/1.0/index.json").write_bytes(index.data)
    assert client.manifest("app", "1.0").body == index.data
    assert (app / "app/1.0/index.json").read_bytes() == index.data
