# SPDX-License-Identifier: Apache-2.0
"""Files that are written into referrers/ are attached to the image."""

import errno
import json
import os
import shutil
import threading

import pytest

from registry.client import digest_of
from registry.proxy import Answer
from support.archives import oci_archive
from support.engines import skopeo
from support.images import (
    OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, TITLE, index_of, oci_image,
    platform_images)
from support.referrers import (
    CREATED, CYCLONEDX, DSSE, IN_TOTO, OCTETS, SBOM, SIGSTORE, SPDX,
    fallback_entries, fallback_tag, list_referrers, listed, referrer_of)
from support.system import run

NAME = "app.spdx.json"
TYPE = "user.oci.artifacttype"
ENVELOPE = b'{"payload": "e30=", "payloadType": "application/vnd.in-toto+json"}'


def names(path):
    return sorted(os.listdir(path))


@pytest.fixture
def image(client):
    return oci_image().push(client, "app", "1.0")


@pytest.fixture
def referrers(mounted, image):
    return mounted / "app/1.0/referrers"


@pytest.fixture
def sbom(tmp_path):
    path = tmp_path / NAME
    path.write_bytes(SBOM)
    return path


def attached(client, subject, repository="app"):
    """The manifests that the fallback tag lists, checked against its words."""
    manifests = []
    for entry in fallback_entries(client, repository, subject):
        manifest = client.manifest(repository, entry["digest"])
        document = manifest.json()
        assert entry["size"] == len(manifest.body)
        assert entry["mediaType"] == OCI_MANIFEST
        assert entry["artifactType"] == document["artifactType"]
        assert entry["annotations"] == document["annotations"]
        manifests.append(document)
    return manifests


def test_a_file_is_attached(client, image, referrers, sbom):
    run("cp", sbom, referrers)
    (manifest,) = attached(client, image)
    assert manifest.pop("annotations").keys() == {CREATED}
    assert manifest == {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": SPDX,
        "config": {"mediaType": OCI_EMPTY, "digest": digest_of(b"{}"),
                   "size": 2},
        "layers": [{"mediaType": SPDX, "digest": digest_of(SBOM),
                    "size": len(SBOM), "annotations": {TITLE: NAME}}],
        "subject": {"mediaType": OCI_MANIFEST, "digest": image.digest,
                    "size": len(image.data)}}
    assert client.blob("app", digest_of(SBOM)) == SBOM
    assert client.tags("app") == ["1.0", fallback_tag(image)]


def test_it_is_seen_at_once(image, referrers, sbom):
    assert names(referrers) == []
    run("cp", sbom, referrers)
    (name,) = names(referrers)
    assert name.startswith("spdx-")
    directory = referrers / name
    assert names(directory / "files") == [NAME]
    assert (directory / "files" / NAME).read_bytes() == SBOM
    assert os.getxattr(directory, TYPE).decode() == SPDX
    assert names(referrers.parent.parent) == ["1.0"]


def test_other_tools_find_it(registry, image, referrers, sbom):
    run("cp", sbom, referrers)
    reference = f"docker://{registry.address}/app:{fallback_tag(image)}"
    index = json.loads(skopeo("inspect", "--raw", "--tls-verify=false",
                              reference).stdout)
    assert index["mediaType"] == OCI_INDEX
    (entry,) = index["manifests"]
    assert entry["artifactType"] == SPDX
    manifest = json.loads(skopeo(
        "inspect", "--raw", "--tls-verify=false",
        f"docker://{registry.address}/app@{entry['digest']}").stdout)
    assert manifest["subject"]["digest"] == image.digest


@pytest.mark.parametrize("data, artifact_type, media_type, name", [
    (SBOM, SPDX, SPDX, "spdx"),
    (b'{"bomFormat": "CycloneDX"}', CYCLONEDX, CYCLONEDX, "cyclonedx"),
    (b'{"_type": "https://in-toto.io/Statement/v1"}', IN_TOTO, IN_TOTO,
     "in-toto"),
    (ENVELOPE, IN_TOTO, DSSE, "in-toto"),
    (ENVELOPE + b"\n" + ENVELOPE, IN_TOTO, "application/vnd.in-toto.bundle",
     "in-toto"),
    (json.dumps({"mediaType": SIGSTORE}).encode(), SIGSTORE, SIGSTORE,
     "sigstore"),
    (b"anything", OCTETS, OCTETS, "artifact")])
def test_the_content_says_the_kind(client, image, referrers, data,
                                   artifact_type, media_type, name):
    (referrers / "file").write_bytes(data)
    (manifest,) = attached(client, image)
    assert manifest["artifactType"] == artifact_type
    assert manifest["layers"][0]["mediaType"] == media_type
    assert [listed.startswith(f"{name}-") for listed in names(referrers)] == [
        True]


def write_with_type(path, data, artifact_type):
    """As cp --preserve=xattr does: by the descriptor, before the close."""
    with open(path, "wb", buffering=0) as out:
        out.write(data)
        os.setxattr(out.fileno(), TYPE, artifact_type.encode())


def test_an_attribute_says_the_kind(client, image, referrers):
    write_with_type(referrers / "report", b"all is well",
                    "application/vnd.example.report")
    (manifest,) = attached(client, image)
    assert manifest["artifactType"] == "application/vnd.example.report"
    assert manifest["layers"][0]["mediaType"] == OCTETS


def test_cp_takes_the_attribute_along(client, image, referrers, tmp_path):
    path = tmp_path / "report"
    for content in (b"all is well", b"and still is"):
        path.write_bytes(content)
        os.setxattr(path, TYPE, b"application/vnd.example.report")
        run("cp", "--preserve=xattr", path, referrers)
    assert [manifest["artifactType"] for manifest in attached(client, image)
            ] == 2 * ["application/vnd.example.report"]


def test_a_scratch_file_with_an_attribute(client, image, referrers, sbom):
    scratch = referrers / ".new"
    shutil.copyfile(sbom, scratch)
    assert names(referrers) == [".new"]
    run("setfattr", "-n", TYPE, "-v", "application/vnd.example", scratch)
    assert os.getxattr(scratch, TYPE) == b"application/vnd.example"
    assert attached(client, image) == []
    scratch.rename(referrers / NAME)
    (manifest,) = attached(client, image)
    assert manifest["artifactType"] == "application/vnd.example"
    assert manifest["layers"][0]["annotations"] == {TITLE: NAME}


@pytest.mark.parametrize("artifact_type", ["report", "a/b; c=d", "a/b\n", ""])
def test_an_attribute_that_is_no_type(mounted, referrers, artifact_type):
    (referrers / ".new").write_bytes(SBOM)
    mounted.expect_error("media type without parameters")
    with pytest.raises(OSError) as failure:
        os.setxattr(referrers / ".new", TYPE, artifact_type.encode())
    assert failure.value.errno == errno.EINVAL
    with pytest.raises(OSError) as failure:
        os.setxattr(referrers / ".new", "user.other", b"x")
    assert failure.value.errno == errno.EOPNOTSUPP
    os.unlink(referrers / ".new")
    assert names(referrers) == []


@pytest.mark.parametrize("command", [
    ["cp", "-p"], ["cp", "-a"], ["install", "-m", "600"], ["mv"],
    ["rsync", "-a"]], ids=" ".join)
def test_tools_that_copy(client, image, referrers, sbom, command):
    run(*command, sbom, f"{referrers}/")
    (manifest,) = attached(client, image)
    assert manifest["layers"][0]["digest"] == digest_of(SBOM)
    assert sbom.exists() == (command[0] != "mv")


def test_the_name_stays_a_file(referrers, sbom):
    """Tools set mode and times after the copy, by the name."""
    path = referrers / NAME
    run("cp", sbom, path)
    assert path.is_file()
    assert path.stat().st_size == len(SBOM)
    path.chmod(0o600)
    os.utime(path, (1, 1))
    assert NAME not in names(referrers)


def test_the_same_name_again(client, image, referrers):
    for data in (SBOM, b"other"):
        (referrers / NAME).write_bytes(data)
    assert {manifest["artifactType"] for manifest in attached(client, image)
            } == {SPDX}
    assert {manifest["layers"][0]["digest"]
            for manifest in attached(client, image)} == {
        digest_of(SBOM), digest_of(b"other")}


def test_an_empty_file_is_no_attachment(client, image, referrers):
    (referrers / "empty").touch()
    assert attached(client, image) == []
    assert names(referrers) == ["empty"]
    (referrers / "empty").unlink()
    assert names(referrers) == []


def test_a_name_that_is_no_text(mounted, client, image, referrers):
    mounted.expect_error("the name is not UTF-8")
    path = os.fsencode(referrers) + b"/\xff.json"
    with pytest.raises(OSError) as failure:
        with open(path, "wb") as out:
            out.write(SBOM)
    assert failure.value.errno == errno.EINVAL
    assert attached(client, image) == []


def test_a_large_file(client, image, referrers):
    data = b"0123456789abcdef" * (4 << 16)
    (referrers / "large").write_bytes(data)
    (manifest,) = attached(client, image)
    assert client.blob("app", digest_of(data)) == data
    assert manifest["layers"][0]["size"] == len(data)


def test_it_can_be_reproduced(mount, registry, client, image, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1580702706")
    root = mount(registry)
    for _ in range(2):
        (root / "app/1.0/referrers" / NAME).write_bytes(SBOM)
    (manifest,) = attached(client, image)
    assert manifest["annotations"] == {CREATED: "2020-02-03T04:05:06Z"}


def test_an_image_by_its_digest(mounted, client, image):
    path = mounted / f"app@{image.digest}/referrers" / NAME
    path.write_bytes(SBOM)
    assert len(attached(client, image)) == 1


def test_an_index_and_a_platform(mounted, client):
    images = platform_images()
    index = index_of(images).push(client, "app", "1.0")
    directory = mounted / "app/1.0"
    (directory / "referrers/index").write_bytes(b"of the index")
    (directory / "platforms/linux-amd64/referrers/amd64").write_bytes(b"1")
    (of_index,) = attached(client, index)
    assert of_index["subject"]["mediaType"] == OCI_INDEX
    assert len(attached(client, images[0][0])) == 1
    assert attached(client, images[1][0]) == []


def test_a_referrer_of_a_referrer(client, image, referrers):
    (referrers / NAME).write_bytes(SBOM)
    (name,) = names(referrers)
    (referrers / name / "referrers/signature").write_bytes(b"signature")
    (entry,) = fallback_entries(client, "app", image)
    signature = client.manifest(
        "app", entry["digest"].replace(":", "-")).json()["manifests"]
    assert len(signature) == 1


def test_requests_of_an_attachment(mounted, proxy, image, referrers):
    os.listdir(referrers)
    with proxy.requests() as seen:
        (referrers / NAME).write_bytes(SBOM)
    # Each blob is looked for, begun and sent; the manifest; and the tag is
    # read, put and looked at again.
    tag = fallback_tag(image)
    asked = [(request.method, request.path.split("/")[3]) for request in seen]
    assert asked == [
        ("HEAD", "blobs"), ("POST", "blobs"), ("PUT", "blobs"),
        ("HEAD", "blobs"), ("POST", "blobs"), ("PUT", "blobs"),
        ("PUT", "manifests"), ("GET", "manifests"), ("PUT", "manifests"),
        ("GET", "manifests")]
    assert seen.count("GET", tag) == 2 and seen.count("PUT", tag) == 1


def test_what_others_listed_stays(mounted, client, image, referrers):
    before = referrer_of(image, b"before")
    listed(before, data="bm90IGtub3du").push(client, "app",
                                             fallback_tag(image))
    (kept,) = fallback_entries(client, "app", image)
    (referrers / NAME).write_bytes(SBOM)
    entries = fallback_entries(client, "app", image)
    assert len(entries) == 2
    assert entries[0] == kept
    assert len(names(referrers)) == 2


def test_what_was_deleted_goes_off_the_list(mount, make_registry):
    """docker-registry takes no list that names what it does not have."""
    registry = make_registry(deletes=True)
    client = registry.client()
    image = oci_image().push(client, "app", "1.0")
    gone, kept = referrer_of(image, b"gone"), referrer_of(image, b"kept")
    listed(gone, kept).push(client, "app", fallback_tag(image))
    path = f"/v2/app/manifests/{gone.digest}"
    assert client.request("DELETE", path).status == 202
    (mount(registry) / "app/1.0/referrers" / NAME).write_bytes(SBOM)
    entries = fallback_entries(client, "app", image)
    assert len(entries) == 2
    assert entries[0]["digest"] == kept.digest


def test_a_tag_that_is_no_list_is_not_replaced(mounted, client, image,
                                               referrers):
    other = oci_image(created="2001-01-01T00:00:00Z").push(
        client, "app", fallback_tag(image))
    mounted.expect_error(f"{fallback_tag(image)}.*not an index")
    with pytest.raises(OSError) as failure:
        (referrers / NAME).write_bytes(SBOM)
    assert failure.value.errno == errno.EINVAL
    assert client.manifest("app", fallback_tag(image)).body == other.data


def test_another_client_wins_the_race(proxy, client, image, referrers):
    """Its list, read before ours was put, is put after it: what is looked at
    again is not there."""
    theirs = referrer_of(image, b"theirs")

    def put_and_lose(_, body):
        client.put_manifest("app", fallback_tag(image), body, OCI_INDEX)
        listed(theirs).push(client, "app", fallback_tag(image))
        return Answer(201, {"Docker-Content-Digest": digest_of(body)})

    proxy.serves(f"/manifests/{fallback_tag(image)}", put_and_lose,
                 method="PUT", times=1)
    (referrers / NAME).write_bytes(SBOM)
    digests = [entry["digest"]
               for entry in fallback_entries(client, "app", image)]
    assert len(digests) == 2
    assert digests[0] == theirs.digest


def test_two_mounts_attach_at_once(mount, registry, client, image):
    """Each with a cache of its own: they know nothing of one another."""
    roots = [mount(registry), mount(registry)]
    start = threading.Barrier(len(roots))

    def attach(number):
        start.wait()
        for turn in range(5):
            path = roots[number] / f"app/1.0/referrers/{number}-{turn}"
            path.write_bytes(f"{number} {turn}".encode())

    threads = [threading.Thread(target=attach, args=(number,))
               for number in range(len(roots))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    titles = {manifest["layers"][0]["annotations"][TITLE]
              for manifest in attached(client, image)}
    assert titles == {f"{number}-{turn}" for number in range(2)
                      for turn in range(5)}


def test_many_files_at_once(client, image, referrers, tmp_path):
    for number in range(8):
        (tmp_path / f"{number}.json").write_bytes(b"%d" % number)
    threads = [threading.Thread(target=shutil.copyfile, args=(
        tmp_path / f"{number}.json", referrers / f"{number}.json"))
        for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(attached(client, image)) == len(names(referrers)) == 8


# Failures.

@pytest.mark.parametrize("path, status, code", [
    ("/blobs/uploads/", 403, errno.EACCES),
    ("/manifests/sha256:", 403, errno.EACCES),
    ("/manifests/sha256-", 429, errno.EBUSY)])
def test_a_refusal(mounted, proxy, client, image, referrers, path, status,
                   code):
    rule = proxy.answers(path, status=status, method="POST" if "blobs" in path
                         else "PUT")
    mounted.expect_error(f"/{NAME}: attaching to app@{image.digest}")
    with pytest.raises(OSError) as failure:
        (referrers / NAME).write_bytes(SBOM)
    assert failure.value.errno == code
    assert rule.used
    assert fallback_entries(client, "app", image) == []
    assert names(referrers) == [f".{NAME}.failed"]
    failed = referrers / f".{NAME}.failed"
    assert failed.read_bytes() == SBOM
    assert b"attaching" in os.getxattr(failed, "user.registryfs.error")
    # And once the reason is gone:
    proxy.heal()
    failed.rename(referrers / NAME)
    assert len(attached(client, image)) == 1
    assert [name[:5] for name in names(referrers)] == ["spdx-"]


def test_a_blob_that_is_not_there_for_a_moment(proxy, client, image,
                                               referrers):
    """What docker-registry says while another client sends it the same one."""
    proxy.refuses("/manifests/sha256:", method="PUT", times=1, status=400,
                  code="DIGEST_INVALID",
                  message="provided digest did not match uploaded content")
    (referrers / NAME).write_bytes(SBOM)
    assert len(attached(client, image)) == 1


def test_nothing_else_can_be_done_there(mounted, referrers, sbom):
    (referrers / NAME).write_bytes(SBOM)
    (name,) = names(referrers)
    mounted.allow_error(".*")
    for change in (lambda: os.rmdir(referrers / name),
                   lambda: os.rename(referrers / name, referrers / "other"),
                   lambda: os.mkdir(referrers / "directory"),
                   lambda: os.unlink(referrers / NAME)):
        with pytest.raises(PermissionError):
            change()


def test_a_mount_that_is_read_only(mount, registry, image):
    root = mount(registry, "ro")
    with pytest.raises(OSError) as failure:
        (root / "app/1.0/referrers" / NAME).write_bytes(SBOM)
    assert failure.value.errno == errno.EROFS


# A registry that lists referrers itself.

def test_the_registry_lists_it(mounted, proxy, client, image, referrers):
    list_referrers(proxy, client)
    assert names(referrers) == []
    with proxy.requests() as seen:
        (referrers / NAME).write_bytes(SBOM)
    assert seen.count(path=fallback_tag(image)) == 0, seen
    assert client.tags("app") == ["1.0"]
    (name,) = names(referrers)
    assert (referrers / name / "files" / NAME).read_bytes() == SBOM


def test_a_registry_that_only_says_that_it_lists(proxy, client, image,
                                                 referrers):
    list_referrers(proxy, client, lists=False)
    (referrers / NAME).write_bytes(SBOM)
    assert len(attached(client, image)) == 1
    assert len(names(referrers)) == 1


def test_a_registry_that_does_not_say_that_it_lists(proxy, client, image,
                                                    referrers):
    list_referrers(proxy, client, says_so=False)
    (referrers / NAME).write_bytes(SBOM)
    assert len(attached(client, image)) == 1
    assert len(names(referrers)) == 1


def test_a_pushed_archive_with_a_referrer(mounted, client, image):
    """Whoever puts a manifest with a subject lists it."""
    sbom = referrer_of(image, annotations={"a": "b"})
    (mounted / "app/sbom.tar").write_bytes(oci_archive([("sbom", sbom)]))
    assert client.tags("app") == ["1.0", "sbom", fallback_tag(image)]
    assert len(attached(client, image)) == 1
