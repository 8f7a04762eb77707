# SPDX-License-Identifier: Apache-2.0
"""Pages of _catalog as registries have been seen to give them: what is listed
is what they name, each once, or the listing fails."""

import errno
import itertools
import json
import os
import random

import pytest

from registry.proxy import Answer
from support.oddly import JSON
from support.system import fails_with

NAMES = [f"team{i % 7}/app{i:03}" for i in range(120)] + [
    "solo", "a/b/c/d", "a-b", "a.b/c", "a/b"]


def listed(root, below=""):
    """All repositories by a walk over directories, which have no tags."""
    found = []
    for name in os.listdir(root / below):
        path = f"{below}/{name}".lstrip("/")
        found += listed(root, path) if os.listdir(root / path) else [path]
    return sorted(found)


def leaves(names):
    return sorted(name for name in names
                  if not any(other.startswith(name + "/") for other in names))


def serve(proxy, pages, link="</v2/_catalog?page={}>; rel=\"next\""):
    """pages: documents, each of which names the next."""
    def answer(request, _):
        page = int(request.path.partition("page=")[2] or 0)
        more = {} if page + 1 == len(pages) else {"Link": link.format(page + 1)}
        return Answer(200, JSON | more, json.dumps(pages[page]).encode())
    proxy.serves("^/v2/_catalog", answer)
    proxy.answers("/tags/list", status=404, headers=JSON,
                  body=b'{"errors":[{"code":"NAME_UNKNOWN"}]}')


def pages_of(names, size):
    return [{"repositories": names[i:i + size]}
            for i in range(0, len(names), size)]


@pytest.fixture
def shuffled():
    names = list(NAMES)
    random.Random(7).shuffle(names)
    return names


def test_unsorted_and_named_twice(mount, proxy, shuffled):
    serve(proxy, pages_of(shuffled + shuffled[:50], 30))
    assert listed(mount(proxy)) == leaves(NAMES)


def test_one_page_of_more_than_was_asked_for(mount, proxy, shuffled):
    many = shuffled + [f"more/n{i:05}" for i in range(3000)]
    serve(proxy, pages_of(many, len(many)))
    root = mount(proxy)
    with proxy.requests() as seen:
        assert len(os.listdir(root / "more")) == 3000
    assert seen.count("GET", "_catalog") == 1
    assert sorted(os.listdir(root / "team3")) == sorted(
        name[6:] for name in NAMES if name.startswith("team3/"))


def test_pages_of_nothing_in_the_middle(mount, proxy, shuffled):
    pages = pages_of(shuffled, 40)
    pages[1:1] = [{"repositories": None}, {"repositories": []}]
    pages.append({"repositories": None})
    serve(proxy, pages)
    assert listed(mount(proxy)) == leaves(NAMES)


def test_names_that_are_none(mount, proxy):
    serve(proxy, [{"repositories": [None, "ok/app", "", "Upper", "a//b", 7,
                                    "../up", {"name": "x"}, "x" * 300]}])
    assert listed(mount(proxy)) == ["ok/app"]


@pytest.mark.parametrize("link, says", [
    ("</v2/_catalog?page=1>; rel=\"next\"", "pagination loops"),
    ("</v2/_catalog?page=1&again={}>; rel=\"next\"", "loops|repeats a page")])
def test_pages_that_do_not_end(mount, proxy, shuffled, link, says):
    pages = pages_of(shuffled, 30)
    asked = itertools.count(1)

    def answer(request, _):
        page = pages[1 if "page=1" in request.path else 0]
        return Answer(200, JSON | {"Link": link.format(next(asked))},
                      json.dumps(page).encode())
    proxy.serves("^/v2/_catalog", answer)
    root = mount(proxy)
    root.expect_error(says)
    with proxy.requests() as seen, fails_with(errno.EIO):
        os.listdir(root.path)
    assert seen.count("GET", "_catalog") < 20
