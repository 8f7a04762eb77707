# SPDX-License-Identifier: Apache-2.0
"""What docker-registry does not take, or not quickly, written into its storage:
long listings, and blobs that are not what their digests say."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from registry.proxy import Answer


def add_tags(storage, repository, digest, tags):
    """Writes the links of tags into docker-registry's storage directory, as
    its filesystem driver lays them out. The manifest has to be in the
    repository."""
    algorithm, value = digest.split(":")
    directory = Path(storage).joinpath(
        "docker/registry/v2/repositories", repository, "_manifests/tags")
    for tag in tags:
        current = directory / tag / "current"
        history = directory / tag / "index" / algorithm / value
        current.mkdir(parents=True)
        history.mkdir(parents=True)
        (current / "link").write_text(digest)
        (history / "link").write_text(digest)


def blob_file(storage, digest):
    """Where the registry keeps a blob. It serves what is there."""
    algorithm, value = digest.split(":")
    return Path(storage).joinpath("docker/registry/v2/blobs", algorithm,
                                  value[:2], value, "data")


def serve_catalog(proxy, names, *, page=1000):
    """Answers _catalog with that many names a page at most, and says by Link
    where the next begins. docker-registry walks all of its storage for each
    page, which for a hundred thousand repositories takes minutes."""
    def answer(request, _):
        query = parse_qs(urlsplit(request.path).query)
        start = int(query.get("last", ["0"])[0])
        size = min(page, int(query.get("n", [page])[0]))
        end = start + size
        headers = {"Content-Type": "application/json"}
        if end < len(names):
            headers["Link"] = f'</v2/_catalog?n={size}&last={end}>; rel="next"'
        return Answer(200, headers,
                      json.dumps({"repositories": names[start:end]}).encode())
    proxy.serves(r"^/v2/_catalog", answer)
