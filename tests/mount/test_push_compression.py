# SPDX-License-Identifier: Apache-2.0
"""The format of the layers that a push makes: what readers of each format say
to them, what another push takes over, and what is pushed without a table."""

import json
import os
import random
import shutil
import subprocess
import tempfile
from base64 import b64encode

import pytest

from conftest import MOTD
from registry.client import digest_of
from registry.process import Process, wait_until
from support.archives import docker_archive
from support.engines import Podman, skopeo_copy
from support.estargz import OWN_NAMES
from support.images import (
    DOCKER_MANIFEST, OCI_LAYER, OCI_MANIFEST, Blob, docker_image, oci_image)
from support.system import mount_entry, run, unmount_below
from support.tars import (
    CHARACTERS, device, directory, fifo, file, hard_link, pax_global, sparse,
    symlink, tar_bytes, whiteout)
from support.trees import assert_same_tree
from support.unpacked import (
    podman_rootfs, umoci_rootfs, umoci_unpack, untar)

KIB, MIB = 1 << 10, 1 << 20
GZIP = OCI_LAYER + "+gzip"
ZSTD = OCI_LAYER + "+zstd"
MEDIA_TYPES = {"gzip": GZIP, "zstd": ZSTD, "estargz": GZIP,
               "zstd:chunked": ZSTD}
FORMATS = list(MEDIA_TYPES)
INDEXED = FORMATS[2:]
TABLES = {"estargz": "containerd.io/snapshot/stargz/toc.digest",
          "zstd:chunked":
          "io.github.containers.zstd-chunked.manifest-checksum"}

each_format = pytest.mark.parametrize("format", FORMATS)
each_indexed = pytest.mark.parametrize("format", INDEXED)


def noise(seed, size):
    return random.Random(seed).randbytes(size)


WORDS = [noise(i, 2 + i % 7).hex().encode() for i in range(3000)]
LARGE = noise(2, MIB) + bytes(MIB) + noise(3, MIB // 2)
ENTRIES = [
    directory("etc"),
    file("etc/motd", b"hello\n", mode=0o640, uid=3, gid=4),
    file("etc/empty"),
    directory("usr"),
    directory("usr/bin"),
    file("usr/bin/tool", noise(1, 300_000), mode=0o4755),
    file("large", LARGE),
    file("exact", noise(4, MIB)),
    file("zeros", bytes(3 * MIB)),
    symlink("etc/link", "motd"),
    hard_link("etc/same", "etc/motd", mode=0o640, uid=3, gid=4),
    fifo("pipe"),
    device("null", CHARACTERS, 1, 3),
    directory("d" * 90),
    file("d" * 90 + "/" + "\u00fc" * 60, b"long\n"),
    file("attributes", b"x", xattrs={"user.a": b"b", "user.c": b"\0\xff"}),
    file("dated", b"x", mtime=1_700_000_000_123_456_789),
    file("atime", b"x", pax={"atime": "1700000000.5", "ctime": "3"}),
    directory("small"),
    *[file(f"small/{i:04}", b"%d\n" % i * 50) for i in range(1500)],
]
UPPER = [directory("etc"), whiteout("etc/same"), file("etc/motd", b"other\n")]
# What no layer says of the root.
ROOT = [("", "mtime"), ("", "mode")]
TARS = [tar_bytes(ENTRIES), tar_bytes(UPPER)]


def image_of_tars(tars):
    return oci_image(*[Blob(OCI_LAYER, tar) for tar in tars])


def archive_of_tars(tars):
    return docker_archive([("app:1.0", image_of_tars(tars))])


ARCHIVE = archive_of_tars(TARS)


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    """The tree, by somebody who never saw what a push makes of it."""
    return umoci_rootfs(image_of_tars(TARS), tmp_path_factory.mktemp("tree"))


@pytest.fixture
def push(mount, proxy, tmp_path):
    """Pushes an archive in a format, by a mount of its own."""
    def push(format, archive=ARCHIVE, name="app:1.0", **more):
        options = [f"compression={format}"] if format else []
        mounted = mount(proxy, *options, **more)
        (mounted / f"{name}.tar").write_bytes(archive)
        return mounted
    return push


def decompressed(data, media_type):
    program = "gzip" if media_type.endswith("gzip") else "zstd"
    return subprocess.run([program, "-dc"], input=data, check=True,
                          capture_output=True).stdout


def stored(client, name="app", tag="1.0"):
    """The manifest, and the layers' tars."""
    manifest = client.manifest(name, tag)
    layers = manifest.json()["layers"]
    return manifest, layers, [
        decompressed(client.blob(name, layer["digest"]),
                     layer["mediaType"]) for layer in layers]


def diff_ids(client, manifest, name="app"):
    config = json.loads(client.blob(
        name, manifest.json()["config"]["digest"]))
    return config["rootfs"]["diff_ids"]


@each_format
def test_what_is_pushed(push, client, format):
    """The layers hold what the config says, and are what was asked for."""
    push(format)
    manifest, layers, tars = stored(client)
    assert diff_ids(client, manifest) == list(map(digest_of, tars))
    assert manifest.headers["Content-Type"] == (
        DOCKER_MANIFEST if format == "gzip" else OCI_MANIFEST)
    for layer, tar, source in zip(layers, tars, TARS):
        if format != "gzip":
            assert layer["mediaType"] == MEDIA_TYPES[format]
        if format in INDEXED:
            assert TABLES[format] in layer["annotations"]
        if format != "estargz":
            assert tar == source


def test_a_config_keeps_all_else(push, client):
    """Members that nobody knows, and their order."""
    image = image_of_tars(TARS)
    push("estargz")
    manifest, _, _ = stored(client)
    config = json.loads(client.blob(
        "app", manifest.json()["config"]["digest"]))
    before = json.loads(image.config.data)
    assert list(config) == list(before)
    del config["rootfs"], before["rootfs"]
    assert config == before


@each_format
def test_the_tree_of_our_own(push, mount, registry, expected, format):
    push(format)
    assert_same_tree(mount(registry, "no_squash") / "app/1.0/rootfs", expected,
                     ignore=ROOT)


@each_indexed
def test_a_file_costs_what_it_is(push, mount, proxy, format):
    """The table is read, and not the layer."""
    large = [file(f"large/{number:02}", noise(number, MIB))
             for number in range(20)]
    push(format, archive_of_tars([tar_bytes(
        [*large[:10], file("small", b"some bytes\n"), *large[10:]])]))
    root = mount(proxy) / "app/1.0/rootfs"
    with proxy.requests() as seen:
        assert (root / "small").read_bytes() == b"some bytes\n"
    assert seen.count("GET", "/blobs/sha256") <= 2 + 1  # and the config
    assert seen.received("GET", "/blobs/sha256") < 512 * KIB


@each_indexed
def test_a_part_of_a_file_costs_a_part(push, mount, proxy, format):
    push(format, archive_of_tars([tar_bytes([file("f", noise(1, 30 * MIB))])]))
    path = mount(proxy) / "app/1.0/rootfs/f"
    with proxy.requests() as seen, open(path, "rb", buffering=0) as opened:
        opened.seek(17 * MIB + 5)
        assert opened.read(10) == noise(1, 30 * MIB)[17 * MIB + 5:][:10]
    assert seen.received("GET", "/blobs/sha256") < 5 * MIB


@each_format
def test_same_bytes_same_blobs(push, client, format):
    push(format, name="one:1")
    push(format, name="two:1")
    assert client.manifest("one", "1").body == client.manifest("two", "1").body


@each_format
def test_levels(push, client, format):
    """The highest is smaller, and as right."""
    archive = archive_of_tars([tar_bytes(
        [file("text", b" ".join(random.Random(0).choices(WORDS, k=50_000)))])])
    sizes = []
    for level in ("1", "9"):
        name = f"level{level}"
        push(f"{format}:{level}", archive, name=f"{name}:1")
        manifest, layers, tars = stored(client, name, "1")
        assert diff_ids(client, manifest, name) == [digest_of(tars[0])]
        sizes.append(layers[0]["size"])
    assert sizes[1] < sizes[0]


# What others make of it.

@each_format
def test_skopeo_and_umoci(push, registry, tmp_path, expected, format):
    """umoci cannot read zstd, which skopeo then takes out."""
    push(format)
    skopeo_copy(f"docker://{registry.address}/app:1.0",
                f"oci:{tmp_path}/layout:1.0",
                *["--dest-compress-format", "gzip"] * ("zstd" in format))
    root = umoci_unpack(tmp_path / "layout", "1.0", tmp_path / "root")
    assert_same_tree(root, expected, ignore=ROOT, without=OWN_NAMES)


@each_format
def test_podman_unpacks_it(push, registry, podman, expected, format):
    push(format)
    root = podman_rootfs(podman, f"{registry.address}/app:1.0")
    assert_same_tree(root, expected, ignore=ROOT, without=OWN_NAMES)


@pytest.fixture(scope="session")
def runnable(tmp_path_factory, rootfs):
    """An archive of an image that runs."""
    tar = tmp_path_factory.mktemp("runnable") / "rootfs.tar"
    run("tar", "-C", rootfs, "--format=pax", "-cf", tar, ".")
    image = oci_image(Blob(OCI_LAYER, tar.read_bytes()),
                      Entrypoint=["/bin/show"])
    return docker_archive([("app:1.0", image)])


@each_format
def test_podman_runs_it(push, registry, podman, runnable, format):
    push(format, runnable)
    image = f"{registry.address}/app:1.0"
    podman("pull", "--tls-verify=false", "--quiet", image)
    assert podman.run_image(image) == MOTD


@each_format
def test_docker_runs_it(push, registry, docker, runnable, format):
    push(format, runnable)
    image = f"{registry.address}/app:1.0"
    docker("pull", "--quiet", image)
    assert docker.run_image(image) == MOTD


def test_podman_saves_it_and_it_is_pushed_again(push, client, registry, podman,
                                                tmp_path, runnable):
    """What eStargz adds is not added to what it has added."""
    push("estargz", runnable)
    image = f"{registry.address}/app:1.0"
    podman("pull", "--tls-verify=false", "--quiet", image)
    podman("save", "--quiet", "-o", tmp_path / "saved.tar", image)
    push("estargz", (tmp_path / "saved.tar").read_bytes(), name="app:2.0")
    first, second = (stored(client, tag=tag)[1][0] for tag in ("1.0", "2.0"))
    assert first["digest"] == second["digest"]


# A layer that goes on top of an image.

@pytest.mark.parametrize("make", [oci_image, docker_image])
@each_format
def test_another_layer(mount, proxy, client, make, format):
    """Is what was asked for; Docker's manifests know gzip only."""
    before = make().push(client, "app", "1.0")
    root = mount(proxy, f"compression={format}")
    (root / "app/1.0/layers/more.tar").write_bytes(TARS[1])
    manifest, layers, tars = stored(client)
    assert diff_ids(client, manifest)[1:] == [digest_of(tars[1])]
    assert layers[:1] == json.loads(before.data)["layers"]
    kind = format if make is oci_image else "gzip"
    assert layers[1]["mediaType"].endswith(MEDIA_TYPES[kind][-4:])
    assert (kind in INDEXED) == ("annotations" in layers[1])
    assert (root / "app/1.0/rootfs/etc/motd").read_bytes() == b"other\n"


# What is there already.

def layers_sent(seen):
    return seen.count("PUT", "/blobs/uploads/")


@each_format
def test_what_is_known_is_not_compressed(push, mount, proxy, client, format):
    mounted = push(format)
    with proxy.requests() as seen:
        (mounted / "app:2.0.tar").write_bytes(ARCHIVE)
    assert layers_sent(seen) == 0
    assert client.manifest("app", "1.0").body == (
        client.manifest("app", "2.0").body)


def test_without_a_format_what_is_there_is_taken(push, client):
    """In whatever format it is; eStargz is another tar."""
    push("zstd:chunked")
    push(None, name="app:2.0")
    assert client.manifest("app", "1.0").json()["layers"] == (
        client.manifest("app", "2.0").json()["layers"])


@pytest.mark.parametrize("there", FORMATS)
@each_format
def test_what_is_there_in_another_format(push, client, there, format,
                                         tmp_path):
    """Is taken over where it has what was asked for."""
    push(there, directory=tmp_path / "first")
    cache = tmp_path / "first/cache"
    shutil.copytree(cache, tmp_path / "second/cache")
    push(format, name="app:2.0", directory=tmp_path / "second")
    first, second = (client.manifest("app", tag).json()["layers"]
                     for tag in ("1.0", "2.0"))
    assert (first == second) == (
        there == format or (there, format) == ("zstd:chunked", "zstd"))
    _, layers, _ = stored(client, tag="2.0")
    assert [TABLES.get(format) in layer.get("annotations", {})
            for layer in layers] == [format in INDEXED] * 2


def test_layers_that_come_compressed_stay(push, client):
    layer = subprocess.run(["zstd", "-c"], input=TARS[1], check=True,
                           capture_output=True).stdout
    image = image_of_tars(TARS[1:])
    config = image.config.data
    archive = tar_bytes([
        file("layer.tar", layer), file("config.json", config),
        file("manifest.json", json.dumps([
            {"Config": "config.json", "RepoTags": ["app:1.0"],
             "Layers": ["layer.tar"]}]))])
    push("estargz", archive)
    assert client.manifest("app", "1.0").json()["layers"][0]["digest"] == (
        digest_of(layer))


# What has no table.

WITHOUT = {
    "sparse": [sparse("hole", 10 * MIB, [(MIB, b"x" * 512)])],
    "twice": [file("a", b"1"), file("./a", b"2")],
    "latin1": [file(b"caf\xe9", b"1")],
    "many": [file("a", b"1", uid=1 << 33)],
}


@each_indexed
@pytest.mark.parametrize("why", WITHOUT)
def test_without_a_table(push, client, format, why):
    """The push is what it is without, and the log says why."""
    tar = tar_bytes([*WITHOUT[why], file("other", b"x")])
    mounted = push(format, archive_of_tars([tar]))
    manifest, layers, tars = stored(client)
    assert tars == [tar]
    assert layers[0].get("annotations") is None
    assert "without a table of contents" in mounted.log()


@each_indexed
def test_what_is_between_entries(push, client, format):
    tar = tar_bytes([pax_global({"comment": "of git"}), file("a", b"1")])
    mounted = push(format, archive_of_tars([tar]))
    assert stored(client)[2] == [tar]
    assert "without a table of contents" in mounted.log()


@each_format
def test_a_root_file_system(push, mount, registry, client, format, tmp_path):
    """A bare tar: its config is ours."""
    push(format, TARS[0])
    manifest, _, tars = stored(client)
    assert diff_ids(client, manifest) == list(map(digest_of, tars))


# Peers that read tables.

def stargz_store():
    """Where scripts/bench looks for it, too."""
    tools = os.environ.get("TOOLS", "/tmp/registryfs-bench/tools")
    return shutil.which("stargz-store", path=f"{tools}:{os.environ['PATH']}")


class PartialPodman(Podman):
    """podman as it is where somebody wants parts of layers."""

    DRIVER = "overlay"

    def __call__(self, *arguments, **options):
        config = self.directory / "storage.conf"
        config.write_text(f"""
            [storage]
            driver = "overlay"
            runroot = "{self.directory}/run"
            graphroot = "{self.directory}/root"
            [storage.options]
            pull_options = {{enable_partial_images = "true"}}
        """)
        environment = os.environ | {"CONTAINERS_STORAGE_CONF": str(config)}
        return super().__call__(*arguments, env=environment, **options)


@pytest.mark.parametrize("format", ("estargz", "zstd:chunked"))
def test_podman_pulls_by_the_table(push, proxy, format, tmp_path):
    """And what it has of the files already is not fetched again."""
    push(format, archive_of_tars(TARS[:1]))
    other = [entry for entry in ENTRIES if entry.name != "etc/motd"
             and entry.name != "etc/same"]
    push(format, archive_of_tars([tar_bytes(other)]), name="next:1")
    with tempfile.TemporaryDirectory(prefix="podman-") as directory:
        podman = PartialPodman(directory)
        image = f"{proxy.address}/app:1.0"
        log = podman("--log-level=debug", "pull", "--tls-verify=false", image)
        assert "Retrieved partial blob" in log.stderr
        root = podman("image", "inspect", "-f",
                      "{{.GraphDriver.Data.UpperDir}}", image).stdout.strip()
        # Debian 12's sets neither owners nor times, and makes neither devices
        # nor pipes, of its own layers as of ours.
        assert_same_tree(root, untar(TARS[0], tmp_path / "tar"),
                         ignore=[("", "mode"), "mtime", "uid", "gid"],
                         without=["null", "pipe"])
        with proxy.requests() as seen:
            podman("pull", "--tls-verify=false", f"{proxy.address}/next:1")
        assert seen.received("GET", "/blobs/") < MIB
        podman.wait()


def test_stargz_reads_it(push, proxy, client, tmp_path):
    """stargz-snapshotter's store shows a layer of the image as a directory.
    Debian has no package of it; that a peer reads our tables is seen
    everywhere with podman, above."""
    if not stargz_store():
        pytest.skip("stargz-store is not installed")
    push("estargz", archive_of_tars(TARS[:1]))
    layer = client.manifest("app", "1.0").json()["layers"][0]
    store = tmp_path / "store"
    store.mkdir()
    process = Process([stargz_store(), "-root", tmp_path / "cache", store],
                      tmp_path / "log")
    try:
        wait_until(lambda: mount_entry(store) or not process.running(),
                   "the mount of stargz-store")
        name = b64encode(f"{proxy.address}/app:1.0".encode()).decode()
        root = store / name / layer["digest"] / "diff"
        assert (root / "large").read_bytes() == LARGE
        assert (root / "small/0123").read_bytes() == b"123\n" * 50
        assert sorted(path.name for path in (root / "small").iterdir()) == [
            f"{i:04}" for i in range(1500)]
    finally:
        unmount_below(tmp_path)
        process.stop()
