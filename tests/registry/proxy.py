# SPDX-License-Identifier: Apache-2.0
"""A registry that misbehaves on demand.

It stands in front of a real one and is a faithful proxy until a test says what
goes wrong, where, and how often:

    proxy.answers(r"/_catalog", status=503, headers={"Retry-After": "1"})
    proxy.sends(r"/blobs/", cut(after=1000), times=1)
    proxy.receives(r"/blobs/uploads/", cut(after=1000))
    proxy.redirects(r"/blobs/", to=storage)
    proxy.ignores_range(r"/blobs/")
    proxy.speaks(r"/blobs/", lambda send: send(b"HTTP/1.1 200 OK\r\n"))
    proxy.says(r"/manifests/", {"ratelimit-remaining": "76;w=21600"})

Paths are regular expressions that are searched for. The first rule of a kind
that fits is used; after `times` uses it is as if it were not there. Without an
upstream everything that no rule answers is 404.
"""

import http.client
import json
import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Optional

from registry.faults import Broken, Hold
from registry.process import wait_until
from registry.requests import Request, Requests

CHUNK = 64 * 1024

# Headers of one connection, not of the message (RFC 9110, 7.6.1).
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer",
              "upgrade", "expect"}


def error_body(code, message):
    """The error document of the distribution specification."""
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@dataclass
class Answer:
    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Rule:
    kind: str
    path: re.Pattern
    action: object
    method: Optional[str]
    times: Optional[int]
    used: int = 0
    after: int = 0  # how many that fit are let through first

    def fits(self, kind, request):
        return (self.kind == kind
                and self.method in (None, request.method)
                and (self.times is None
                     or self.used < self.after + self.times)
                and self.path.search(request.path))


class Proxy:
    """upstream: "host:port" of a registry without TLS, or None."""

    def __init__(self, upstream=None):
        self.upstream = upstream
        self._lock = threading.Lock()
        self._rules = []  # under _lock, and their counts of use
        self._seen = Requests()  # under _lock
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.05})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self):
        return f"localhost:{self.port}"

    @property
    def url(self):
        return f"http://{self.address}"

    # What goes wrong.

    def serves(self, path, answer, *, method=None, times=None):
        """answer(request, body) makes the Answer, or raises Broken."""
        return self._add("answer", path, answer, method, times)

    def answers(self, path, *, status, body=b"", headers=None, method=None,
                times=None):
        return self.serves(path, lambda *_: Answer(status, headers or {}, body),
                           method=method, times=times)

    def refuses(self, path, *, status, code, message, method=None,
                times=None, after=0):
        """Answers with the specification's error document, but the first
        `after` requests."""
        rule = self.answers(path, status=status, body=error_body(code, message),
                            headers={"Content-Type": "application/json"},
                            method=method, times=times)
        rule.after = after
        return rule

    def redirects(self, path, *, to, method=None, times=None):
        """Sends the client to another Proxy, as registries on S3 do (307)."""
        def answer(request, _):
            return Answer(307, {"Location": to.url + request.path})
        return self.serves(path, answer, method=method, times=times)

    def hangs_up(self, path, *, method=None, times=None):
        """Closes the connection instead of an answer."""
        def hang_up(*_):
            raise Broken
        return self.serves(path, hang_up, method=method, times=times)

    def falls_silent(self, path, *, method=None, times=None):
        """Takes the request and answers only when the returned Hold is
        released: a firewall that drops packets."""
        hold = Hold(at=0)

        def wait(*_):
            hold.stop()
            raise Broken
        self.serves(path, wait, method=method, times=times)
        return hold

    def speaks(self, path, talk, *, method=None, times=None):
        """talk(send) writes the answer, byte by byte; then the connection is
        closed. send() raises OSError when the client is gone."""
        return self._add("raw", path, talk, method, times)

    def ignores_range(self, path, *, times=None):
        """Serves the whole blob to a Range request, as Harbor's cache does
        with what it does not have yet."""
        def forget(headers):
            headers.pop("range", None)
        return self._add("request", path, forget, None, times)

    def says(self, path, headers, *, method=None, times=None):
        """Adds headers to the upstream's answer."""
        return self._add("headers", path, headers, method, times)

    def sends(self, path, body_filter, *, method="GET", times=None):
        """Filters the body of the answer."""
        return self._add("download", path, body_filter, method, times)

    def receives(self, path, body_filter, *, method=None, times=None):
        """Filters the body of the request."""
        return self._add("upload", path, body_filter, method, times)

    def heal(self):
        """Forgets all rules."""
        with self._lock:
            self._rules.clear()

    def _add(self, kind, path, action, method, times):
        rule = Rule(kind, re.compile(path), action, method, times)
        with self._lock:
            self._rules.append(rule)
        return rule

    # What was asked.

    @contextmanager
    def requests(self):
        """Yields Requests that hold what is asked in the block, as it comes."""
        with self._lock:
            start = len(self._seen)
        seen = _Window(self, start)
        try:
            yield seen
        finally:
            seen.close()

    def wait_for_request(self, method, path):
        """The first request so far that fits, waited for."""
        def found():
            with self._lock:
                matching = self._seen.matching(method, path)
            return matching[0] if matching else None
        return wait_until(found, f"{method} {path}")

    # For the handler.

    def record(self, request):
        with self._lock:
            self._seen.append(request)

    def seen_since(self, start):
        with self._lock:
            return Requests(self._seen[start:])

    def use(self, kind, request) -> Optional[Callable]:
        """The action of the first rule that fits, counted as used."""
        with self._lock:
            for rule in self._rules:
                if rule.fits(kind, request):
                    rule.used += 1
                    if rule.used > rule.after:
                        return rule.action
        return None


class _Window:
    """The requests since the block began: live in it, and frozen after it."""

    def __init__(self, proxy, start):
        self._proxy, self._start, self._frozen = proxy, start, None

    def close(self):
        self._frozen = self.now()

    def now(self):
        if self._frozen is not None:
            return self._frozen
        return self._proxy.seen_since(self._start)

    def count(self, method=None, path=None):
        return self.now().count(method, path)

    def matching(self, method=None, path=None):
        return self.now().matching(method, path)

    def received(self, method=None, path=None):
        return self.now().received(method, path)

    def __iter__(self):
        return iter(self.now())

    def __len__(self):
        return len(self.now())

    def __repr__(self):
        return repr(self.now())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that hangs up is no news to a test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer goes out in several writes; none of them waits for an ACK.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def handle_expect_100(self):
        # The 100 is sent when the body is wanted, see _body().
        return True

    def _handle(self):
        headers = {}
        for name, value in self.headers.items():
            # Go's clients say Accept once for each type (RFC 9110, 5.3).
            before = headers.get(name.lower())
            headers[name.lower()] = f"{before}, {value}" if before else value
        request = Request(self.command, self.path, headers=headers)
        proxy = self.server.proxy
        proxy.record(request)
        try:
            talk = proxy.use("raw", request)
            if talk:
                talk(self.connection.sendall)
                raise Broken
            answer = proxy.use("answer", request)
            if proxy.upstream and not answer:
                self._forward(request, proxy.upstream)
            else:
                body = b"".join(self._body(request))
                self._reply(request,
                            answer(request, body) if answer else Answer(404))
        except (Broken, OSError, http.client.HTTPException):
            self._hang_up()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client was faster

    def _reply(self, request, answer):
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        request.status = answer.status
        if self.command != "HEAD":
            self._send(request, [answer.body], chunked=False)

    def _forward(self, request, upstream):
        headers = {name: value for name, value in request.headers.items()
                   if name not in HOP_BY_HOP}
        change = self.server.proxy.use("request", request)
        if change:
            change(headers)
        chunked = "chunked" in request.headers.get("transfer-encoding", "")
        if chunked:
            headers["transfer-encoding"] = "chunked"
        has_body = chunked or "content-length" in headers
        body = self._body(request) if has_body else None
        connection = http.client.HTTPConnection(upstream)
        try:
            connection.request(self.command, self.path, body, headers,
                               encode_chunked=chunked)
            self._pass_on(request, connection.getresponse())
        finally:
            connection.close()

    def _pass_on(self, request, response):
        request.status = response.status
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        more = self.server.proxy.use("headers", request) or {}
        for name, value in more.items():
            self.send_header(name, value)
        chunked = response.chunked
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command != "HEAD":
            chunks = iter(lambda: response.read1(CHUNK), b"")
            self._send(request, chunks, chunked)

    def _send(self, request, chunks, chunked):
        body_filter = self.server.proxy.use("download", request)
        for chunk in body_filter(chunks) if body_filter else chunks:
            request.received += len(chunk)
            if chunked:
                chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
            self.wfile.write(chunk)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _body(self, request):
        """The request's body in chunks, filtered, counted."""
        if request.headers.get("expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if "chunked" in request.headers.get("transfer-encoding", ""):
            chunks = self._read_chunked()
        else:
            size = int(request.headers.get("content-length", 0))
            chunks = self._read_exactly(size)
        body_filter = self.server.proxy.use("upload", request)
        for chunk in body_filter(chunks) if body_filter else chunks:
            request.sent += len(chunk)
            yield chunk

    def _read_exactly(self, size):
        while size:
            chunk = self.rfile.read1(min(size, CHUNK))
            if not chunk:
                raise Broken  # the client went away
            size -= len(chunk)
            yield chunk

    def _read_chunked(self):
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield from self._read_exactly(size)
            self.rfile.readline()
        self.rfile.readline()
