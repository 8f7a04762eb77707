# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry on a free loopback port."""

import json
import re
import uuid
from contextlib import contextmanager
from pathlib import Path

from registry.client import Client
from registry.process import Process, wait_until
from registry.requests import Request, Requests

USER, PASSWORD = "alice", "open sesame"
# bcrypt of PASSWORD, as `htpasswd -B` prints it.
PASSWORD_HASH = "$2b$04$rKgHhY8PROIBzotq6VXviePdxywACQz74DwnOEGkYi4KqRrXTKgha"

# The combined log format: …"METHOD PATH PROTOCOL" STATUS …
ACCESS_LINE = re.compile(
    r'^\S+ - \S+ \[.*?\] "(\w+) (\S+) (HTTP/[\d.]+)" (\d+)', re.M)


class DockerRegistry:
    """One registry process, its storage its own or shared with another.

    auth: None, "htpasswd" (USER, PASSWORD), or a TokenServer.
    certificate: a tls.Certificate, and the registry speaks TLS.
    port: 0 takes a free one; a registry that comes back needs its old one.
    foreign: a pattern of the urls that layers may have, which it need not hold.
    upstream: the url of a registry that it pulls through from.
    """

    def __init__(self, directory, *, storage=None, auth=None, certificate=None,
                 deletes=False, port=0, foreign=None, upstream=None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.storage = Path(storage or self.directory / "storage")
        self.certificate = certificate
        self.port = port
        self._auth = auth
        self._deletes = deletes
        self._foreign = foreign
        self._upstream = upstream
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def address(self):
        return f"localhost:{self.port}"

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://{self.address}"

    def client(self, **credentials):
        cafile = self.certificate.ca_file if self.certificate else None
        return Client(self.url, cafile=cafile, **credentials)

    def start(self):
        config = self.directory / "config.json"  # JSON is YAML
        config.write_text(json.dumps(self._config()))
        self._process = Process(["docker-registry", "serve", str(config)],
                                self.directory / "log")
        # It logs where it listens, so nobody has to guess a free port.
        listening = self._process.wait_for(r"listening on 127\.0\.0\.1:(\d+)")
        self.port = int(listening[1])

    def stop(self):
        if self._process:
            self._process.stop()

    def _config(self):
        http = {"addr": f"127.0.0.1:{self.port}", "secret": "of the tests"}
        if self.certificate:
            http["tls"] = {"certificate": str(self.certificate.cert_file),
                           "key": str(self.certificate.key_file)}
        config = {
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "delete": {"enabled": self._deletes},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": http,
        }
        if self._foreign:
            config["validation"] = {
                "manifests": {"urls": {"allow": [self._foreign]}}}
        if self._upstream:
            config["proxy"] = {"remoteurl": self._upstream}
        if self._auth == "htpasswd":
            passwords = self.directory / "htpasswd"
            passwords.write_text(f"{USER}:{PASSWORD_HASH}\n")
            config["auth"] = {"htpasswd": {"realm": "test",
                                           "path": str(passwords)}}
        elif self._auth:
            config["auth"] = {"token": self._auth.registry_config()}
        return config

    @contextmanager
    def requests(self):
        """Yields Requests that hold, after the block, what was asked in it."""
        seen = Requests()
        start = self._mark()
        yield seen
        end = self._mark()
        for method, path, protocol, status in ACCESS_LINE.findall(
                self._process.output()[start.end():end.start()]):
            seen.append(Request(method, path, int(status), protocol=protocol))

    def _mark(self):
        """Puts a line into the access log and returns its match there.

        The log is written when an answer is complete: what was answered before
        the mark was asked for stands before it.
        """
        mark = uuid.uuid4().hex
        self.client().request("GET", f"/v2/?{mark}")
        line = re.compile(rf'^.*"GET /v2/\?{mark} .*\n', re.M)
        return wait_until(lambda: line.search(self._process.output()),
                          "the registry's access log")
