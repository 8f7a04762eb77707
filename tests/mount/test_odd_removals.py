# SPDX-License-Identifier: Apache-2.0
"""Tags removed and moved where the answers are not the specification's: the tag
is gone where the registry then says so, and only there."""

import errno
import os

import pytest

from registry.client import Client
from registry.proxy import Answer
from support.oddly import (
    ANSWERS, HTML, MISSING, PAGE, answers_everything, answers_oddly)
from support.system import fails_with, run
from support.tags import (  # deleting is a fixture
    IMAGE, OTHER, deleting, digests)

REMOVALS = ANSWERS | MISSING
BY_DIGEST = "/manifests/sha256:"
BEFORE = {"1.0": IMAGE.digest, "same": IMAGE.digest, "other": OTHER.digest}

done = pytest.mark.parametrize("done", [True, False],
                               ids=["done", "not done"])
odd = pytest.mark.parametrize("odd", REMOVALS)


class Upstream:
    """The registry behind the proxy, as answers_oddly() asks for it."""

    def __init__(self, proxy):
        self.address = proxy.upstream

    def client(self):
        return Client(f"http://{self.address}")


def without(*tags):
    return {tag: digest for tag, digest in BEFORE.items() if tag not in tags}


def fails_truthfully(root, client, words, operation):
    """It fails, and all is as it was: in the registry, and in the mount."""
    root.expect_error(words)
    with fails_with(errno.EIO):
        operation()
    assert digests(client, "app") == BEFORE
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data
    assert sorted(os.listdir(root / "app")) == ["1.0", "other", "same"]


# docker-registry deletes by digest only, and so what is deleted is another
# manifest, which takes the tag along. `after` is how many of those DELETEs are
# answered as they should be: the question whether it deletes, the rehearsal.

@odd
@done
@pytest.mark.parametrize("after", [0, 2])
def test_a_removal(deleting, odd, done, after):
    root, client, proxy = deleting
    answer, words = REMOVALS[odd]
    answers_oddly(proxy, Upstream(proxy), "DELETE", BY_DIGEST, answer,
                  done=done, after=after)

    def remove():
        (root / "app/1.0").rmdir()
    if not done:
        fails_truthfully(root, client, words, remove)
        return
    remove()
    assert digests(client, "app") == without("1.0")
    assert not (root / "app/1.0").exists()


@odd
@done
@pytest.mark.parametrize("command", [["rmdir", "other"], ["rm", "other.tar"],
                                     ["rm", "-f", "other.tar"]],
                         ids=lambda command: " ".join(command[:-1]))
def test_a_removal_by_tag(deleting, command, odd, done):
    """A proxy that answers a DELETE of a tag in its own way. What it does then
    is to delete the manifest."""
    root, client, proxy = deleting
    answer, words = REMOVALS[odd]

    def serve(*_):
        if done:
            path = f"/v2/app/manifests/{OTHER.digest}"
            assert client.request("DELETE", path).status == 202
        return answer
    proxy.serves("/manifests/other", serve, method="DELETE")
    result = run(*command[:-1], root / "app" / command[-1], check=False)
    if done:
        assert result.returncode == 0
        assert digests(client, "app") == without("other")
        assert not (root / "app/other").exists()
        return
    root.expect_error(words)
    assert "Input/output error" in result.stderr
    assert digests(client, "app") == BEFORE
    assert (root / "app/other/manifest.json").read_bytes() == OTHER.data


@done
def test_a_removal_whose_answers_are_lost(deleting, done):
    root, client, proxy = deleting
    answers_oddly(proxy, Upstream(proxy), "DELETE", BY_DIGEST, None, done=done,
                  after=2)
    if done:
        (root / "app/1.0").rmdir()
        assert digests(client, "app") == without("1.0")
        return
    root.expect_error("removing app:1.0: the manifest was not removed")
    with fails_with(errno.EIO):
        (root / "app/1.0").rmdir()
    assert digests(client, "app") == BEFORE


@done
@pytest.mark.parametrize("odd", ANSWERS)
def test_a_removal_whose_stand_in_is_put_oddly(deleting, odd, done):
    """The manifest that takes the tag's place, so that it can be deleted."""
    root, client, proxy = deleting
    answer, words = ANSWERS[odd]
    answers_oddly(proxy, Upstream(proxy), "PUT", "/manifests/1.0", answer,
                  done=done)

    def remove():
        (root / "app/1.0").rmdir()
    if not done:
        fails_truthfully(root, client, words, remove)
        return
    remove()
    assert digests(client, "app") == without("1.0")


@pytest.mark.parametrize("odd", REMOVALS)
@pytest.mark.parametrize("command", [["rmdir", "1.0"], ["rm", "-f", "1.0.tar"],
                                     ["mv", "1.0", "2.0"]],
                         ids=lambda command: command[0])
def test_everything_is_answered_oddly(deleting, odd, command):
    """From a moment on, as by a portal: nobody knows, and nobody says that it
    is done."""
    root, client, proxy = deleting
    root.allow_error("")
    os.listdir(root / "app")
    os.stat(root / "app/1.0")
    os.stat(root / "app/1.0.tar")
    answer = REMOVALS[odd][0]

    def captures(*_):
        answers_everything(proxy, answer)
        return answer
    proxy.serves("", captures, method="DELETE")
    result = run("bash", "-c", 'cd "$0" && "$@"', root / "app", *command,
                 check=False)
    assert result.returncode != 0
    proxy.heal()
    assert {tag: digest for tag, digest in digests(client, "app").items()
            if tag != "2.0"} == BEFORE


# Moves.

@odd
@done
@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("target", ["2.0", "other"])
def test_a_move_whose_removal_is_answered_oddly(deleting, target, after, odd,
                                                done):
    root, client, proxy = deleting
    answer, words = REMOVALS[odd]
    answers_oddly(proxy, Upstream(proxy), "DELETE", BY_DIGEST, answer,
                  done=done, after=after)
    if done:
        os.rename(root / "app/1.0", root / "app" / target)
        assert digests(client, "app") == (
            without("1.0") | {target: IMAGE.digest})
        assert not (root / "app/1.0").exists()
        return
    root.expect_error(words)
    with fails_with(errno.EIO):
        os.rename(root / "app/1.0", root / "app" / target)
    found = digests(client, "app")
    assert {tag: found[tag] for tag in BEFORE} == BEFORE
    # Of a move that was not finished, both names.
    assert found.get("2.0", IMAGE.digest) == IMAGE.digest
    assert sorted(os.listdir(root / "app")) == sorted(found)
    assert (root / "app/1.0/manifest.json").read_bytes() == IMAGE.data


@done
@pytest.mark.parametrize("odd", ANSWERS)
@pytest.mark.parametrize("target", ["2.0", "other"])
def test_a_move_whose_new_name_is_put_oddly(deleting, target, odd, done):
    root, client, proxy = deleting
    answer, words = ANSWERS[odd]
    answers_oddly(proxy, Upstream(proxy), "PUT", f"/manifests/{target}",
                  answer, done=done)

    def move():
        os.rename(root / "app/1.0", root / "app" / target)
    if not done:
        fails_truthfully(root, client, words, move)
        return
    move()
    assert digests(client, "app") == without("1.0") | {target: IMAGE.digest}


def test_the_log_says_that_the_new_name_stays(deleting):
    root, client, proxy = deleting
    proxy.answers("/manifests/sha256:", status=204, method="DELETE").after = 2
    root.expect_error("app:2.0 was created, and stays")
    root.allow_error("the manifest was not removed")  # mv tries twice
    result = run("mv", root / "app/1.0", root / "app/2.0", check=False)
    assert result.returncode != 0
    found = digests(client, "app")
    assert found["1.0"] == found["2.0"] == IMAGE.digest


def test_a_move_onto_a_tag_that_a_gateway_hides(deleting):
    """What it would have to put back, it does not know: it does not begin."""
    root, client, proxy = deleting
    os.stat(root / "app/other")
    for method in ("HEAD", "GET"):
        proxy.answers("/manifests/other", status=404, method=method,
                      body=b"404 page not found\n")
    proxy.refuses(BY_DIGEST, status=403, code="DENIED", method="DELETE",
                  message="not any more").after = 2

    def move():
        os.rename(root / "app/1.0", root / "app/other")
    root.expect_error("404 page not found")
    with fails_with(errno.EIO):
        move()
    assert digests(client, "app") == BEFORE
    proxy.heal()
    move()
    assert digests(client, "app") == without("1.0") | {"other": IMAGE.digest}


def test_a_referrer_whose_removal_is_answered_oddly(deleting):
    root, client, proxy = deleting
    (root / "app/1.0/referrers/note.txt").write_bytes(b"a note\n")
    [name] = os.listdir(root / "app/1.0/referrers")
    proxy.answers(BY_DIGEST, status=200, headers=HTML, body=PAGE,
                  method="DELETE", times=1)
    root.expect_error("the manifest was not removed.*a page")
    path = root / "app/1.0/referrers" / name
    with fails_with(errno.EIO):
        path.rmdir()
    assert os.listdir(root / "app/1.0/referrers") == [name]
    answers_oddly(proxy, Upstream(proxy), "DELETE", BY_DIGEST, Answer(204),
                  done=True)
    path.rmdir()
    assert os.listdir(root / "app/1.0/referrers") == []
