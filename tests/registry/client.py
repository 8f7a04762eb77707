# SPDX-License-Identifier: Apache-2.0
"""The smallest client of the distribution API: fills a registry for a test, and
says what is in one without the program under test."""

import base64
import hashlib
import http.client
import json
import ssl
from urllib.parse import urlsplit

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Response:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Refused(Exception):
    def __init__(self, method, path, response):
        super().__init__(
            f"{method} {path}: {response.status} {response.body!r}")
        self.status = response.status


class Client:
    """Speaks to one registry over one connection; Basic credentials only."""

    def __init__(self, url, *, user=None, password=None, token=None,
                 cafile=None):
        parts = urlsplit(url)
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(
                parts.netloc,
                context=ssl.create_default_context(cafile=cafile))
        else:
            self._connection = http.client.HTTPConnection(parts.netloc)
        self._headers = {}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif user:
            basic = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {basic}"

    def request(self, method, path, body=None, **headers):
        """Any status is an answer."""
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        try:
            return self._exchange(method, path, body, headers)
        except ConnectionError:
            # The server had closed the idle connection, or was restarted.
            return self._exchange(method, path, body, headers)

    def _exchange(self, method, path, body, headers):
        try:
            self._connection.request(method, path, body,
                                     self._headers | headers)
            return Response(self._connection.getresponse())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def get(self, path, **headers):
        return self._demand("GET", path, **headers)

    def put_blob(self, repository, data):
        """Uploads a blob unless the repository has it; returns its digest."""
        digest = digest_of(data)
        if not self.has_blob(repository, digest):
            session = self._demand("POST", f"/v2/{repository}/blobs/uploads/")
            location = urlsplit(session.headers["Location"])
            self._demand("PUT",
                         f"{location.path}?{location.query}&digest={digest}",
                         data, Content_Type="application/octet-stream")
        return digest

    def has_blob(self, repository, digest):
        path = f"/v2/{repository}/blobs/{digest}"
        return self.request("HEAD", path).status == 200

    def blob(self, repository, digest):
        return self.get(f"/v2/{repository}/blobs/{digest}").body

    def put_manifest(self, repository, reference, data, media_type):
        self._demand("PUT", f"/v2/{repository}/manifests/{reference}", data,
                     Content_Type=media_type)
        return digest_of(data)

    def manifest(self, repository, reference):
        """The manifest's response; 404 raises Refused."""
        return self.get(f"/v2/{repository}/manifests/{reference}",
                        Accept=", ".join(MANIFEST_TYPES))

    def has_manifest(self, repository, reference):
        path = f"/v2/{repository}/manifests/{reference}"
        accept = ", ".join(MANIFEST_TYPES)
        return self.request("HEAD", path, Accept=accept).status == 200

    def tags(self, repository):
        """Sorted; a repository that does not exist has none."""
        response = self.request("GET", f"/v2/{repository}/tags/list")
        if response.status == 404:
            return []
        return sorted(response.json()["tags"] or [])

    def _demand(self, method, path, body=None, **headers):
        response = self.request(method, path, body, **headers)
        if response.status >= 300:
            raise Refused(method, path, response)
        return response
