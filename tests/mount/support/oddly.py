# SPDX-License-Identifier: Apache-2.0
"""Answers that are not those of the specification: of login pages, of gateways,
and of registries that have ways of their own."""

from registry.client import MANIFEST_TYPES
from registry.faults import Broken
from registry.proxy import Answer

WORDS = "Please log in to the hotel WiFi"
PAGE = (f"<!DOCTYPE html>\n<html><head><title>Welcome</title>"
        f"<style>h1 {{color: red}}</style></head>"
        f"<body><h1>{WORDS}</h1></body></html>").encode()
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}

# What answers in the place of a registry, and what the log then says of it.
ANSWERS = {
    "page": (Answer(200, HTML, PAGE),
             f'answered 200 with a page: "Welcome {WORDS}"'),
    "empty": (Answer(200), "answered 200 with nothing"),
    "object": (Answer(200, JSON, b"{}"), 'answered 200 with "{}"'),
    "204": (Answer(204), "answered 204 with nothing"),
}
MISSING = {"404": (Answer(404, HTML, PAGE), "answered 404 with a page")}


def answers_oddly(proxy, registry, method, path, answer, *, done, after=0):
    """Such requests get this answer, None being that the connection breaks.
    done: whether the registry gets them; after: how many come through."""
    def serve(request, body):
        if done:
            headers = {"Accept": ", ".join(MANIFEST_TYPES)}
            if "content-type" in request.headers:
                headers["Content-Type"] = request.headers["content-type"]
            registry.client().request(method, request.path, body, **headers)
        if answer is None:
            raise Broken
        return answer
    rule = proxy.serves(path, serve, method=method)
    rule.after = after
    if after:
        rule.times = 10 ** 6  # counted from there
    return rule


def answers_everything(proxy, answer):
    """A portal that has taken the network."""
    proxy.heal()
    return proxy.serves("", lambda *_: answer)
