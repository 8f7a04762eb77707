# SPDX-License-Identifier: Apache-2.0
"""Registries as registries.conf, daemon.json and hosts.toml have them: who is
asked for what, and that skopeo and podman go the same way."""

import errno
import os

import pytest

from registry.faults import cut
from registry.static import StaticRegistry, free_port
from support.engines import skopeo
from support.images import layer_of_size, oci_image
from support.system import run

# The registry that is mounted: nobody answers for it but who a file names.
HOST = "registry.example.com"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def registry_table(location, *mirrors, prefix=HOST, **more):
    """A [[registry]]; mirrors: addresses, or (address, pull-from-mirror)."""
    lines = ["[[registry]]", f'prefix = "{prefix}"',
             f'location = "{location}"', "insecure = true"]
    lines += [f"{name} = {str(value).lower()}" for name, value in more.items()]
    for mirror in mirrors:
        address, use = mirror if isinstance(mirror, tuple) else (mirror, "all")
        lines += ["[[registry.mirror]]", f'location = "{address}"',
                  "insecure = true", f'pull-from-mirror = "{use}"']
    return "\n".join(lines) + "\n"


@pytest.fixture
def configured(home):
    """Writes the user's registries.conf, and returns its path."""
    def configure(*tables):
        return write(home.path / ".config/containers/registries.conf",
                     "\n".join(tables))
    return configure


@pytest.fixture
def mirror(make_registry, proxy_of, registry):
    """A pull-through cache of the registry, whose requests are counted."""
    return proxy_of(make_registry(upstream=registry.url))


@pytest.fixture
def image(client):
    return oci_image(layer_of_size(300_000)).push(client, "app", "1.0")


def layer_of(root):
    return (root / "app/1.0/layers/01.tar.gz").read_bytes()


def copies(conf, destination, reference="app:1.0"):
    """skopeo, by the same file."""
    return skopeo("copy", "--registries-conf", conf,
                  "--dest-tls-verify=false", f"docker://{HOST}/{reference}",
                  f"dir:{destination}", check=False)


def test_a_mirror_is_read(mount, proxy, mirror, image, configured, tmp_path):
    """And the registry itself only where it has to list."""
    conf = configured(registry_table(proxy.address, mirror.address))
    root = mount(HOST)
    with proxy.requests() as asked, mirror.requests() as served:
        assert layer_of(root) == image.layers[0].data
    assert served.count("GET", image.layers[0].digest) == 1
    assert not asked.matching(path="/(blobs|manifests)/")
    with proxy.requests() as asked, mirror.requests() as served:
        assert copies(conf, tmp_path / "copy").returncode == 0
    assert served.count("GET", "/blobs/") and not asked.count("GET", "/app/")
    assert os.listdir(root.path) == ["app"]
    assert os.listdir(root / "app") == ["1.0"]


def test_podman_goes_the_same_way(proxy, mirror, image, configured, podman,
                                  home):
    conf = configured(registry_table(proxy.address, mirror.address))
    with proxy.requests() as asked, mirror.requests() as served:
        podman("pull", f"{HOST}/app:1.0",
               env=home.environment(CONTAINERS_REGISTRIES_CONF=str(conf)))
    assert served.count("GET", "/blobs/") and not asked.count("GET", "/app/")


def test_what_a_mirror_lacks_is_read_at_the_next(mount, make_registry, proxy,
                                                 proxy_of, image, configured,
                                                 tmp_path):
    empty = proxy_of(make_registry())
    conf = configured(registry_table(proxy.address, empty.address))
    root = mount(HOST)
    with empty.requests() as asked:
        assert layer_of(root) == image.layers[0].data
    assert asked.count(path="/manifests/") and asked.count(path="/blobs/")
    assert "left alone" not in root.log()
    assert copies(conf, tmp_path / "copy").returncode == 0


def test_a_mirror_of_files(mount, proxy, image, configured, tmp_path):
    """nginx has the manifest, and of the blobs only the config."""
    with StaticRegistry(tmp_path / "static") as static:
        static.put("app", image, "1.0")
        layer = image.layers[0]
        (static.directory / "files/v2/app/blobs" / layer.digest).unlink()
        conf = configured(registry_table(proxy.address, static.address))
        root = mount(HOST)
        with proxy.requests() as asked:
            assert layer_of(root) == layer.data
            assert (root / "app/1.0/config.json").stat().st_size
        assert [request.path for request in asked.matching("GET", "/app/")
                if "tags" not in request.path] \
            == [f"/v2/app/blobs/{layer.digest}"]
        # skopeo reads all of an image where it found the manifest.
        assert copies(conf, tmp_path / "copy").returncode != 0


def test_a_host_of_many(mount, proxy, mirror, image, configured):
    """Entered by its name."""
    configured(registry_table(proxy.address, mirror.address))
    root = mount(())
    assert HOST in os.listdir(root.path)
    with proxy.requests() as asked:
        assert (root / HOST / "app/1.0/manifest.json").read_bytes() \
            == image.data
    assert not asked.count(path="/manifests/")
    assert os.listdir(root / HOST) == ["app"]


@pytest.mark.parametrize("fault", ["down", 500, 503, 429, "cut", "silent"])
def test_a_mirror_that_fails_is_left_alone(mount, proxy, mirror, image,
                                           configured, fault):
    configured(registry_table(proxy.address, mirror.address))
    root = mount(HOST, "timeout=1", "tag_ttl=0")
    if fault == "down":
        mirror.hangs_up("/")
    elif fault == "cut":
        mirror.sends("/blobs/", cut(after=1000))
    elif fault == "silent":
        hold = mirror.falls_silent("/")
    else:
        mirror.answers("/v2/app/", status=fault)
    with mirror.requests() as asked:
        assert layer_of(root) == image.layers[0].data
        if fault == "silent":
            hold.release()
        before = len(asked)
        assert os.listdir(root / "app/1.0/layers")
        (root / "app/1.0/manifest.json").read_bytes()
        assert len(asked) == before
    assert root.log().count("left alone until it answers") == 1


def test_wrong_bytes_of_a_mirror(mount, proxy, mirror, image, configured):
    """They are nobody's: the registry is asked, and the mirror left alone."""
    configured(registry_table(proxy.address, mirror.address))
    layer = image.layers[0]
    mirror.answers(f"/blobs/{layer.digest}", status=200,
                   body=bytes(len(layer.data)), method="GET")
    root = mount(HOST)
    with proxy.requests() as asked:
        tree = sorted(os.listdir(root / "app/1.0/rootfs"))
    # Who had read some of the wrong ones begins again.
    assert 1 <= asked.count("GET", layer.digest) <= 2
    assert tree
    assert layer_of(root) == layer.data
    assert f"{mirror.address} is left alone" in root.log()
    assert f"its bytes of {layer.digest} in app are not that blob" \
        in root.log()


def test_a_wrong_manifest_of_a_mirror(mount, proxy, mirror, image, configured):
    configured(registry_table(proxy.address, mirror.address))
    other = oci_image(layer_of_size(10))
    mirror.answers(f"/manifests/{image.digest}", status=200, body=other.data,
                   headers={"Content-Type": other.media_type}, method="GET")
    mirror.answers("/manifests/1.0", status=200, method="HEAD", headers={
        "Docker-Content-Digest": image.digest,
        "Content-Type": image.media_type})
    root = mount(HOST)
    assert (root / "app/1.0/manifest.json").read_bytes() == image.data
    assert f"{mirror.address} is left alone" in root.log()


@pytest.mark.parametrize("use", ["digest-only", "tag-only"])
def test_what_a_mirror_is_for(mount, proxy, mirror, image, configured, use,
                              tmp_path):
    conf = configured(registry_table(proxy.address, (mirror.address, use)))
    root = mount(HOST)
    with proxy.requests() as asked, mirror.requests() as served:
        assert layer_of(root) == image.layers[0].data
    by_tag, by_digest = "/manifests/1.0", image.layers[0].digest
    tags, digests = ((asked, served) if use == "digest-only"
                     else (served, asked))
    assert tags.count(path=by_tag) and not digests.count(path=by_tag)
    assert digests.count(path=by_digest) and not tags.count(path=by_digest)
    with proxy.requests() as asked, mirror.requests() as served:
        assert copies(conf, tmp_path / "copy").returncode == 0
    tags = asked if use == "digest-only" else served
    assert tags.count(path=by_tag)


def test_a_location_elsewhere(mount, proxy, client, configured, tmp_path):
    """Its repositories are listed by the names that they have here."""
    image = oci_image(layer_of_size(3000)).push(client, "to/here/app", "1.0")
    oci_image().push(client, "not/here", "1.0")
    conf = configured(registry_table(f"{proxy.address}/to/here"))
    root = mount(HOST)
    assert os.listdir(root.path) == ["app"]
    assert layer_of(root) == image.layers[0].data
    assert copies(conf, tmp_path / "copy").returncode == 0


def test_parts_of_a_registry(mount, registry, client, make_registry, proxy_of,
                             configured):
    second = make_registry()
    oci_image().push(client, "app", "1.0")
    oci_image().push(client, "team/hidden", "1.0")
    moved = oci_image(layer_of_size(3000)).push(second.client(), "new/x", "1.0")
    oci_image().push(second.client(), "old", "1.0")
    configured(registry_table(registry.address),
               registry_table(f"{second.address}/new", prefix=f"{HOST}/team"))
    root = mount(HOST)
    assert sorted(os.listdir(root.path)) == ["app", "team"]
    assert os.listdir(root / "team") == ["x"]
    assert (root / "team/x/1.0/manifest.json").read_bytes() == moved.data


def test_pushes_go_to_the_registry(mount, proxy, mirror, configured, rootfs):
    """The name is the proxy's own; what was pushed is read there, too."""
    configured(registry_table(proxy.address, mirror.address,
                              prefix=proxy.address))
    root = mount(proxy)
    archive = root / "app/1.0.tar"
    (root / "app").mkdir()
    with proxy.requests() as asked, mirror.requests() as served:
        run("tar", "-C", rootfs, "-cf", archive, ".")
        assert "rootfs" in os.listdir(root / "app/1.0")
    assert asked.count("PUT", "/manifests/1.0") == 1
    assert not served.matching("PUT") and not served.matching("POST")
    with proxy.requests() as asked, mirror.requests() as served:
        os.symlink("1.0", root / "app/2.0")
        assert sorted(os.listdir(root / "app")) == ["1.0", "2.0"]
    assert asked.count("PUT", "/manifests/2.0") == 1
    assert not served.matching("PUT")


def test_what_is_blocked(mount, proxy, client, configured, image, tmp_path):
    oci_image().push(client, "secret/app", "1.0")
    conf = configured(
        registry_table(proxy.address),
        registry_table(f"{HOST}/secret", prefix=f"{HOST}/secret",
                       blocked=True))
    root = mount(HOST)
    assert os.listdir(root.path) == ["app"]
    root.expect_error(f"{HOST}/secret.* is blocked by {conf}")
    with proxy.requests() as asked, pytest.raises(OSError) as failure:
        os.listdir(root / "secret/app")
    assert failure.value.errno == errno.EPERM
    assert not asked.count(path="secret")
    refused = copies(conf, tmp_path / "copy", "secret/app:1.0")
    assert "blocked" in refused.stderr


def test_a_registry_that_is_away(mount, client, registry, configured):
    """Its mirror is read, and lists what it has."""
    image = oci_image(layer_of_size(3000)).push(client, "app", "1.0")
    configured(registry_table(f"localhost:{free_port()}", registry.address))
    root = mount(HOST)
    assert layer_of(root) == image.layers[0].data
    assert os.listdir(root.path) == ["app"]


def test_a_broken_file(binary, home, configured, tmp_path, proxy):
    conf = configured("[[registry]]", 'location = "x.example.com', "")
    (tmp_path / "mnt").mkdir()
    refused = run(binary, "-o", f"cache={tmp_path}/cache", proxy.address,
                  tmp_path / "mnt", check=False, env=home.environment())
    assert refused.returncode == 1
    (sentence,) = refused.stderr.splitlines()
    assert f"{conf}: line 2: a string has no end" in sentence
    refused = copies(conf, tmp_path / "copy")
    assert str(conf) in refused.stderr


MOUNT_WITH = """
set -e
mkdir -p /etc/docker /etc/containerd
mount -t tmpfs none /etc/docker
mount -t tmpfs none /etc/containerd
mount --bind "$HOSTS" /etc/hosts
cp -r "$ETC/." /etc/
"$BINARY" -o "cache=$CACHE" "$ADDRESS" "$MOUNTPOINT"
cat "$MOUNTPOINT/$FILE"
fusermount3 -u "$MOUNTPOINT"
"""


@pytest.fixture
def mount_with(binary, home, tmp_path):
    """Mounts with files of /etc/docker and /etc/containerd, reads a file and
    unmounts. lan.example.com is this machine, and no name of loopback."""
    def execute(address, file, etc):
        hosts = write(tmp_path / "hosts",
                      "127.0.0.1 localhost\n0.0.0.0 lan.example.com\n")
        for name, text in etc.items():
            write(tmp_path / "etc" / name, text)
        (tmp_path / "mnt").mkdir(exist_ok=True)
        return run("unshare", "--mount", "sh", "-c", MOUNT_WITH, check=False,
                   env=home.environment(
                       HOSTS=str(hosts), ETC=str(tmp_path / "etc"),
                       BINARY=str(binary), CACHE=str(tmp_path / "cache"),
                       ADDRESS=address, MOUNTPOINT=str(tmp_path / "mnt"),
                       FILE=file))
    return execute


@pytest.mark.parametrize("entry", ["lan.example.com:{port}", "0.0.0.0/8", None])
def test_dockers_insecure_registries(mount_with, registry, image, entry):
    entries = [entry.format(port=registry.port)] if entry else []
    result = mount_with(f"lan.example.com:{registry.port}",
                        "app/1.0/manifest.json", {
        "docker/daemon.json":
            f'{{"insecure-registries": {entries}}}'.replace("'", '"')})
    assert result.stdout == (image.data.decode() if entry else "")


def test_dockers_mirror_of_the_hub(mount_with, proxy, client):
    image = oci_image().push(client, "library/app", "1.0")
    result = mount_with("docker.io/library/app", "1.0/manifest.json", {
        "docker/daemon.json": f'{{"registry-mirrors": ["{proxy.url}"]}}'})
    assert result.stdout == image.data.decode(), result.stderr


def test_containerds_hosts(mount_with, proxy, mirror, image):
    with proxy.requests() as asked, mirror.requests() as served:
        result = mount_with(HOST, "app/1.0/manifest.json", {
            f"containerd/certs.d/{HOST}/hosts.toml":
                f'server = "{proxy.url}"\n'
                f'[host."{mirror.url}"]\ncapabilities = ["pull", "resolve"]\n'})
    assert result.stdout == image.data.decode(), result.stderr
    assert served.count(path="/manifests/1.0")
    assert not asked.count(path="/manifests/")


def test_containerds_path_of_a_mirror(mount_with, proxy, client):
    """Harbor's proxy projects are reached so."""
    image = oci_image().push(client, "hub/team/app", "1.0")
    result = mount_with(HOST, "team/app/1.0/manifest.json", {
        f"containerd/certs.d/{HOST}/hosts.toml":
            f'server = "https://{HOST}"\n'
            f'[host."{proxy.url}/v2/hub"]\noverride_path = true\n'})
    assert result.stdout == image.data.decode(), result.stderr


def test_a_file_that_is_roots_alone(mount, registry, client, image, configured,
                                    other_user):
    """An engine's file, of which another user's mount knows nothing."""
    path = configured("[[registry]]\nprefix = \"*.example.com\"\n"
                      "blocked = true\n")
    path.chmod(0o600)
    image.push(client, "app", "1.0")
    directory = other_user.new_directory()
    mounted = mount(registry, directory=directory / "mount", user=other_user)
    mounted.wait_for_log("is ignored: this user may not read it")
