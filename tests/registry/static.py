# SPDX-License-Identifier: Apache-2.0
"""A registry of static files: what nginx makes of a directory."""

import os
import pwd
import socket
from pathlib import Path

from registry.client import Client
from registry.process import Process, wait_until

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"

# Asks for a client certificate.
TLS = """ ssl http2;
        ssl_certificate {cert_file};
        ssl_certificate_key {key_file};
        ssl_verify_client on;
        ssl_client_certificate {ca_file}"""

# Its workers read what only the one who runs the tests may read.
CONFIG = """
daemon off;
user {user};
error_log stderr;
pid {directory}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port}{tls};
        root {directory}/files;
        location = /v2/ {{ return 200 '{{}}'; }}
        location ~ /manifests/ {{ default_type {manifest_type}; }}
    }}
}}
"""


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class StaticRegistry:
    """Serves OCI manifests, by tag and by digest, and blobs; lists nothing.

    verify: a tls.Certificate, and it speaks TLS with those alone who have a
    certificate of the same authority.
    """

    def __init__(self, directory, *, verify=None):
        self.directory = Path(directory)
        self.verify = verify
        self.port = free_port()
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def address(self):
        return f"localhost:{self.port}"

    def put(self, repository, manifest, *tags):
        files = self.directory / "files/v2" / repository
        for kind in ("manifests", "blobs"):
            (files / kind).mkdir(parents=True, exist_ok=True)
        for blob in manifest.blobs:
            (files / "blobs" / blob.digest).write_bytes(blob.data)
        for reference in [manifest.digest, *tags]:
            (files / "manifests" / reference).write_bytes(manifest.data)

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "nginx.conf"
        tls = TLS.format(**vars(self.verify)) if self.verify else ""
        user = pwd.getpwuid(os.geteuid()).pw_name
        config.write_text(CONFIG.format(
            user=user, directory=self.directory, port=self.port, tls=tls,
            manifest_type=OCI_MANIFEST))
        self._process = Process(["nginx", "-c", str(config)],
                                self.directory / "log")
        wait_until(self._answers, "nginx")

    def _answers(self):
        if not self._process.running():
            raise RuntimeError(f"nginx ended: {self._process.output()}")
        try:
            if self.verify:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            url = f"http://127.0.0.1:{self.port}"
            return Client(url).request("GET", "/v2/").status == 200
        except OSError:
            return False

    def stop(self):
        if self._process:
            self._process.stop()
