# SPDX-License-Identifier: Apache-2.0
"""Whatever a server does, an operation ends in time, and works when the server
does: operation by stage by fault.

The budget is three times the option timeout (include/base/budget.h). CI tries
what is likeliest to break; scripts/soak all of it.
"""

import errno
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from registry.faults import Hold, cut, drip, silence_after, slow
from support.archives import docker_archive
from support.caches import evict_blobs
from support.chunked import chunked
from support.estargz import estargz
from support.images import oci_image
from support.layers import image_of
from support.tars import file

ALL = os.environ.get("REGISTRYFS_SOAK") == "all"
# Seconds. Three times that is the budget; the machine may be busy, and the
# kernel takes its time to end what was interrupted.
TIMEOUT = 2
LATE = 3 * TIMEOUT + 4
AT_ONCE = 8

BIG = bytes(i * i // 7 % 251 for i in range(4096)) * 200
ENTRIES = [file("etc/hosts", b"127.0.0.1 localhost\n"), file("data/big", BIG),
           *(file(f"data/f{i}", bytes([i]) * 3000) for i in range(8))]

# What the user is told when it does not work: never "no such file" for what
# was there a moment ago.
SANE = {errno.EIO, errno.ETIMEDOUT, errno.ECONNREFUSED, errno.EBUSY,
        errno.EACCES, errno.EHOSTUNREACH, errno.ELOOP, errno.EPERM}


@dataclass(frozen=True)
class Operation:
    command: callable  # (root, name) -> a program and its arguments
    right: callable    # (what it wrote, client, name) -> bool
    stages: dict     # name: (method, path)
    primed: bool = False
    blob: bool = False    # a fetch or a push, which goes on where it broke
    options: tuple = ()


def reads(path, content):
    return {"command": lambda root, name: ["cat", root / path],
            "right": lambda read, client, name: read == content}


def lists(path, *names):
    return {"command": lambda root, name: ["ls", root / path],
            "right": lambda listed, client, name:
                set(names) <= set(listed.decode().split())}


IMAGE = image_of(ENTRIES)
CHUNKS = {"es": image_of(estargz(ENTRIES)), "zc": image_of(chunked(ENTRIES))}
LAYER = IMAGE.layers[0]


def push(root, name):
    return ["cp", root.archive, root / f"push-{name}:{name}.tar"]


def retag(root, name):
    return ["ln", "-s", "1.0", root / f"own-{name}/{name}"]


def untag(root, name):
    return ["rmdir", root / f"own-{name}/{name}"]


UPLOADS = "/blobs/uploads/"
OPERATIONS = {
    "list repositories": Operation(
        **lists(".", "app", "es"), stages={"catalog": ("GET", "/_catalog")}),
    "list tags": Operation(
        **lists("app", "1.0"), stages={"tags": ("GET", "/app/tags/list")}),
    "read manifest": Operation(
        **reads("app:1.0/manifest.json", IMAGE.data),
        stages={"manifest": (None, "/app/manifests/")}),
    "read config": Operation(
        **reads("app:1.0/config.json", IMAGE.config.data), blob=True,
        stages={"config": ("GET", "/app/blobs/")}),
    "read blob": Operation(
        **reads("app:1.0/layers/01.tar.gz", LAYER.data), blob=True,
        stages={"blob": ("GET", f"/app/blobs/{LAYER.digest}")}),
    "read a file": Operation(
        **reads("app:1.0/rootfs/data/big", BIG), blob=True,
        stages={"layer": ("GET", f"/app/blobs/{LAYER.digest}"),
                "all blobs": ("GET", "/app/blobs/")}),
    "read a file of an indexed layer": Operation(
        **reads("app:1.0/rootfs/data/big", BIG), primed=True, blob=True,
        stages={"span": ("GET", f"/app/blobs/{LAYER.digest}")}),
    "read a file by estargz": Operation(
        **reads("es:1.0/rootfs/data/big", BIG), blob=True,
        stages={"parts": (
            "GET", f"/es/blobs/{CHUNKS['es'].layers[0].digest}")}),
    "read a file by zstd:chunked": Operation(
        **reads("zc:1.0/rootfs/data/big", BIG), blob=True,
        stages={"parts": (
            "GET", f"/zc/blobs/{CHUNKS['zc'].layers[0].digest}")}),
    "push": Operation(
        command=push, blob=True,
        right=lambda _, client, name: client.has_manifest(f"push-{name}", name),
        stages={"ask": ("HEAD", "/blobs/sha256"), "start": ("POST", UPLOADS),
                "send": ("PUT", UPLOADS), "manifest": ("PUT", "/manifests/")}),
    "tag": Operation(
        command=retag,
        right=lambda _, client, name: client.has_manifest(f"own-{name}", name),
        stages={"put": ("PUT", "/manifests/"), "all": (None, "/manifests/")}),
    "remove": Operation(
        command=untag, options=("delete",),
        right=lambda _, client, name:
            not client.has_manifest(f"own-{name}", name),
        stages={"ask": ("(HEAD|GET)", "/manifests/"),
                "put": ("PUT", "/manifests/"),
                "delete": ("DELETE", "/manifests/")}),
}

HEADER = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n"


def answers(status, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda proxy, path, **how: proxy.answers(
        path, status=status, headers=headers, **how)


def body(make_filter):
    """A body that breaks; of an answer without one, half its header."""
    def fault(proxy, path, *, method, times):
        if method in ("GET", None):
            return proxy.sends(path, make_filter(), method=method, times=times)
        return proxy.speaks(path, silence_after(HEADER[:20]), method=method,
                            times=times)
    return fault


def speaks(talk):
    return lambda proxy, path, **how: proxy.speaks(path, talk, **how)


# In CI; the others are for scripts/soak.
FAULTS = {
    "silent": lambda proxy, path, **how: proxy.falls_silent(path, **how),
    "header drips": speaks(drip(HEADER + b"\r\n")),
    "body stalls": body(lambda: Hold(at=10)),
    "body drips": body(lambda: slow(20)),
    "body cut": body(lambda: cut(after=10)),
    "closed": lambda proxy, path, **how: proxy.hangs_up(path, **how),
    "503": answers(503),
}
MORE_FAULTS = {
    "header stalls": speaks(silence_after(HEADER[:30])),
    "500": answers(500), "502": answers(502), "504": answers(504),
    "429": answers(429), "403": answers(403), "401": answers(401),
    "404": answers(404), "410": answers(410), "400": answers(400),
    "503, in a second": answers(503, Retry_After="1"),
    "503, in an hour": answers(503, Retry_After="3600"),
    "429, in a minute": answers(429, Retry_After="60"),
    "redirect in a circle": lambda proxy, path, **how: proxy.redirects(
        path, to=proxy, **how),
    "not HTTP": speaks(lambda send: send(b"\x16\x03\x01" + bytes(500))),
    "empty answer": speaks(
        lambda send: send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
    "a page": answers(200, Content_Type="text/html"),
    "body cut at once": body(lambda: cut(after=0)),
    "body stalls at once": body(lambda: Hold(at=0)),
}
# What is over when it is asked again, for what goes on where it broke.
PASSES = {"silent", "header drips", "header stalls", "body stalls",
          "body drips", "body cut", "closed", "500", "502", "503", "504",
          "429", "503, in a second", "body cut at once",
          "body stalls at once"}
# An answer that is the registry's last word, and may say what is not so.
WORDS = {"400", "401", "403", "404", "410", "a page", "empty answer"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "small.tar"
    path.write_bytes(docker_archive([("small:1", oci_image())]))
    return path


@pytest.fixture
def registry(make_registry):
    return make_registry(deletes=True)


@pytest.fixture
def images(client):
    IMAGE.push(client, "app", "1.0")
    for repository, image in CHUNKS.items():
        image.push(client, repository, "1.0")


@pytest.fixture
def primed(mount, registry, images):
    """A cache that has the indexes of all layers, and no blob."""
    root = mount(registry)
    assert (root / "app:1.0/rootfs/data/big").read_bytes() == BIG
    root.unmount()
    evict_blobs(root.cache)
    return root.cache


class Trials:
    """Each is a mount of its own, before a proxy of its own."""

    def __init__(self, mount, proxy_of, registry, tmp_path, archive, primed):
        self._mount, self._proxy_of = mount, proxy_of
        self._registry, self._directory = registry, tmp_path
        self._archive, self._primed = archive, primed

    def run(self, operation, cells):
        with ThreadPoolExecutor(AT_ONCE) as threads:
            rows = list(threads.map(
                lambda numbered: self._try(operation, *numbered),
                enumerate(cells)))
        wrong = [row for row in rows if row]
        assert not wrong, "\n".join(wrong)

    def _try(self, operation, number, cell):
        stage, name, fault, persists = cell
        title = f"{stage}, {name}, {'always' if persists else 'once'}"
        try:
            return self._judge(operation, f"t{number}", cell, title)
        except Exception as failure:  # pylint: disable=broad-except
            return f"{title}: {type(failure).__name__}: {failure}"

    def _judge(self, operation, tag, cell, title):
        stage, name, fault, persists = cell
        method, path = operation.stages[stage]
        client, proxy = self._registry.client(), self._proxy_of(self._registry)
        if operation.command in (retag, untag):
            # One for each: docker-registry forgets a manifest for a moment
            # when another tag of it is put.
            IMAGE.push(client, f"own-{tag}", "1.0",
                       *([tag] if operation.command is untag else []))
        directory = self._directory / f"trial-{tag}"
        if operation.primed:
            shutil.copytree(self._primed, directory / "cache")
        root = self._mount(proxy, f"timeout={TIMEOUT}", "tag_ttl=0",
                           *operation.options, directory=directory)
        root.allow_error(".")
        root.archive = self._archive
        methods = method.strip("()").split("|") if method else [None]
        rules = [fault(proxy, path, method=one,
                       times=None if persists else 1) for one in methods]
        start = time.monotonic()
        with proxy.requests() as seen:
            code, got = outcome(operation, root, tag)
        took = time.monotonic() - start
        asked = len([request for request in seen
                     if path in request.path and method in (None,
                                                            request.method)])
        proxy.heal()
        for rule in rules:
            if isinstance(rule, Hold):
                rule.release()
        said = f"{title}: {errno.errorcode.get(code, 'right')} " \
            f"after {took:.1f} s, {asked} requests"
        faults = []
        if took > LATE:
            faults.append("late")
        if code == 0 and name not in WORDS \
                and not operation.right(got, client, tag):
            faults.append("a success that is none")
        if code and code not in SANE and name not in WORDS:
            faults.append("an errno that says something else")
        if code and operation.blob and not persists and name in PASSES:
            faults.append("one fault was too much")
        if persists and name[:3].isdigit() and asked > 12:
            faults.append("asked too often")
        if code:
            code, got = outcome(operation, root, tag)
            done = code == 0 or operation.command in (retag, untag)
            if not done or not operation.right(got, client, tag):
                faults.append("it does not work when the server does: "
                              f"{errno.errorcode.get(code, 'wrong')} {got}")
        root.unmount()
        return f"{said}: {', '.join(faults)}\n{root.log()}" if faults else None


def outcome(operation, root, tag):
    """The errno that the program tells, 0 for none, and what it wrote."""
    command = [str(part) for part in operation.command(root, tag)]
    result = subprocess.run(command, capture_output=True, check=False,
                            env=os.environ | {"LC_ALL": "C"}, timeout=100)
    if result.returncode == 0:
        return 0, result.stdout
    said = result.stderr.decode()
    return next((code for code in errno.errorcode
                 if said.rstrip().endswith(os.strerror(code))), -1), said


@pytest.fixture
def trials(mount, proxy_of, registry, images, tmp_path, archive, primed):
    return Trials(mount, proxy_of, registry, tmp_path, archive, primed)


def cells_of(operation):
    faults = FAULTS | MORE_FAULTS if ALL else FAULTS
    return [(stage, name, fault, persists) for stage in operation.stages
            for name, fault in faults.items() for persists in (False, True)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_ends_in_time(trials, name):
    trials.run(OPERATIONS[name], cells_of(OPERATIONS[name]))
