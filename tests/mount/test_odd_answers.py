# SPDX-License-Identifier: Apache-2.0
"""A push, a copy or another name that was answered in some other way than the
specification's: it has succeeded where the registry then has it, and only
there."""

import errno
import os
import random

import pytest

from registry.proxy import Answer
from support.archives import docker_archive, plain_layer
from support.images import oci_image
from support.oddly import (
    ANSWERS, HTML, MISSING, PAGE, answers_everything, answers_oddly)
from support.system import fails_with, run
from support.tags import IMAGE as TAGGED
from support.tags import OTHER, digests, root  # root is a fixture

IMAGE = oci_image(plain_layer({"data": random.Random(3).randbytes(50_000)}))
ARCHIVE = docker_archive([("app:1.0", IMAGE)])

MANIFESTS, BLOBS = "/manifests/", "/blobs/uploads/"

odd = pytest.mark.parametrize("odd", ANSWERS)
done = pytest.mark.parametrize("done", [True, False],
                               ids=["done", "not done"])


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "app.tar"
    path.write_bytes(ARCHIVE)
    return path


# Pushes.

@odd
@done
@pytest.mark.parametrize("tool, path", [
    ("cp", BLOBS), ("cp", MANIFESTS), ("mv", MANIFESTS)])
def test_a_push(mounted, app, registry, proxy, client, archive, tool, path,
                odd, done):
    answer, words = ANSWERS[odd]
    answers_oddly(proxy, registry, "PUT", path, answer, done=done)
    result = run(tool, archive, app / "1.0.tar", check=False)
    if done:
        assert result.returncode == 0
        assert archive.exists() == (tool == "cp")
        assert client.has_manifest("app", "1.0")
        return
    mounted.expect_error(words)
    assert "Input/output error" in result.stderr
    assert archive.read_bytes() == ARCHIVE
    assert client.tags("app") == []
    kept = app / ".1.0.failed"
    reason = os.getxattr(kept, "user.registryfs.error").decode()
    assert words in reason
    proxy.heal()
    os.rename(kept, app / "1.0")
    assert client.has_manifest("app", "1.0")


@done
@pytest.mark.parametrize("path", [MANIFESTS, BLOBS])
def test_a_push_whose_answers_are_lost(mounted, app, registry, proxy, client,
                                       archive, path, done):
    """Each time, until nobody tries again."""
    answers_oddly(proxy, registry, "PUT", path, None, done=done)
    result = run("cp", archive, app / "1.0.tar", check=False)
    assert (result.returncode == 0) == done
    assert client.tags("app") == (["1.0"] if done else [])
    if not done:
        mounted.expect_error("pushing app:1.0")


@odd
def test_a_push_through_a_portal(mounted, app, proxy, client, archive, odd):
    """It answers whatever is asked, the question what is there, too."""
    mounted.expect_error("answered 20.|no such|not JSON")
    answers_everything(proxy, ANSWERS[odd][0])
    assert run("mv", archive, app / "1.0.tar", check=False).returncode != 0
    assert archive.read_bytes() == ARCHIVE
    proxy.heal()
    assert client.tags("app") == []


def test_a_portal_that_comes_at_the_last_step(mounted, app, proxy, client,
                                              archive):
    mounted.expect_error("whether the change was made is not known.*a page")

    def captures(*_):
        answers_everything(proxy, Answer(200, HTML, PAGE))
        return Answer(200, HTML, PAGE)
    proxy.serves(MANIFESTS, captures, method="PUT")
    assert run("mv", archive, app / "1.0.tar", check=False).returncode != 0
    assert archive.read_bytes() == ARCHIVE
    proxy.heal()
    assert client.tags("app") == []


@pytest.mark.parametrize("method, status", [("POST", 405), ("PATCH", 200)])
def test_a_session_that_is_none(mounted, app, proxy, client, archive, method,
                                status):
    """A page in place of the answer that says where a session goes on."""
    mounted.expect_error('answered 200 with a page: "Welcome Please log in')
    if method == "PATCH":
        proxy.answers(BLOBS, status=405, method="PUT")
    proxy.answers(BLOBS, status=200, headers=HTML, body=PAGE, method=method)
    with fails_with(errno.EIO):
        (app / "1.0.tar").write_bytes(ARCHIVE)
    assert client.tags("app") == []


# Other names.

SCRIPTS = {
    "ln": ("ln -s 1.0 stable", "app", "stable"),
    "ln -f": ("ln -sfn 1.0 other", "app", "other"),
    "cp": ("cp 1.0.tar stable.tar", "app", "stable"),
    "elsewhere": ("cp 1.0.tar ../copy:1.0.tar", "copy", "1.0"),
}


@odd
@done
@pytest.mark.parametrize("script", SCRIPTS)
def test_another_name(root, registry, proxy, client, script, odd, done):
    answer, words = ANSWERS[odd]
    command, repository, tag = SCRIPTS[script]
    before = client.tags(repository)
    answers_oddly(proxy, registry, "PUT", MANIFESTS, answer, done=done)
    result = run("bash", "-c", f'cd "$0" && {command}', root / "app",
                 check=False)
    if done:
        assert result.returncode == 0
        assert digests(client, repository)[tag] == TAGGED.digest
        assert (root / repository / tag / "manifest.json"
                ).read_bytes() == TAGGED.data
        return
    root.expect_error(words)
    assert result.returncode != 0
    assert client.tags(repository) == before
    if tag == "other":
        assert digests(client, "app")["other"] == OTHER.digest


@pytest.mark.parametrize("odd", ANSWERS | MISSING)
def test_a_mount_of_a_blob_that_did_not_happen(root, proxy, client, odd):
    """Then it is sent."""
    proxy.serves("mount=", lambda *_: (ANSWERS | MISSING)[odd][0],
                 method="POST")
    run("cp", root / "app/1.0.tar", root / "copy:1.0.tar")
    assert digests(client, "copy") == {"1.0": TAGGED.digest}
    for blob in TAGGED.blobs:
        assert client.blob("copy", blob.digest) == blob.data
