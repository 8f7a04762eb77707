# SPDX-License-Identifier: Apache-2.0
"""Artifacts that refer to images, and a registry that lists them.

docker-registry has no list of referrers, so that clients keep it under a tag.
`list_referrers(proxy, client)` puts one before it, as the distribution
specification has it.
"""

import json
import re
from urllib.parse import parse_qs, urlsplit

from registry.client import digest_of
from registry.proxy import Answer
from support.images import OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, TITLE, Blob, \
    Manifest

CREATED = "org.opencontainers.image.created"
SPDX = "application/spdx+json"
CYCLONEDX = "application/vnd.cyclonedx+json"
IN_TOTO = "application/vnd.in-toto+json"
DSSE = "application/vnd.dsse.envelope.v1+json"
SIGSTORE = "application/vnd.dev.sigstore.bundle.v0.3+json"
OCTETS = "application/octet-stream"

SBOM = b'{"spdxVersion": "SPDX-2.3", "packages": []}\n'


def fallback_tag(subject):
    """distribution-spec, "Referrers Tag Schema"."""
    return subject.digest.replace(":", "-")


def referrer_of(subject, data=SBOM, artifact_type=SPDX, *, title=None,
                annotations=None):
    """What `oras attach` makes."""
    layer = Blob(artifact_type, data, {TITLE: title} if title else {})
    empty = Blob(OCI_EMPTY, b"{}")
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "artifactType": artifact_type, "config": empty.descriptor(),
                "layers": [layer.descriptor()],
                "subject": Blob(subject.media_type, subject.data).descriptor()}
    if annotations:
        manifest["annotations"] = annotations
    return Manifest(OCI_MANIFEST, json.dumps(manifest).encode(),
                    blobs=(empty, layer))


def listed(*referrers, **more):
    """An index of referrers as clients keep it."""
    entries = [_entry(referrer.data) | more for referrer in referrers]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX,
                "manifests": entries}
    return Manifest(OCI_INDEX, json.dumps(document).encode(),
                    children=referrers)


def fallback_entries(client, repository, subject):
    """What the tag lists; no tag lists nothing."""
    tag = fallback_tag(subject)
    if tag not in client.tags(repository):
        return []
    index = client.manifest(repository, tag)
    assert index.headers["Content-Type"] == OCI_INDEX
    return index.json()["manifests"]


def _entry(data):
    """distribution-spec, "Listing Referrers": what the list says of one."""
    manifest = json.loads(data)
    entry = {"mediaType": manifest["mediaType"], "digest": digest_of(data),
             "size": len(data), "artifactType": manifest.get("artifactType") or
             manifest["config"]["mediaType"]}
    if "annotations" in manifest:
        entry["annotations"] = manifest["annotations"]
    return entry


def list_referrers(proxy, client, *, page=100, says_so=True, lists=True):
    """Makes the registry behind the proxy one that lists referrers itself.

    distribution-spec, "Listing Referrers": an index of all manifests with that
    subject, a page at a time, empty if there are none. "Pushing Manifests with
    Subject": the answer to a PUT has OCI-Subject. says_so=False leaves that
    out, as Harbor before 2.9 did (goharbor/harbor#18865); lists=False leaves
    the list out, as Docker Hub did for a while (docker/hub-feedback#2372).
    """
    referrers = {}

    def put(request, body):
        _, repository, reference = re.split("/v2/|/manifests/", request.path)
        client.put_manifest(repository, reference, body,
                            request.headers["content-type"])
        headers = {"Docker-Content-Digest": digest_of(body)}
        subject = json.loads(body).get("subject")
        if subject:
            referrers.setdefault((repository, subject["digest"]), []).append(
                _entry(body))
            if says_so:
                headers["OCI-Subject"] = subject["digest"]
        return Answer(201, headers)

    def get(request, _):
        parts = urlsplit(request.path)
        _, repository, digest = re.split("/v2/|/referrers/", parts.path)
        start = int(parse_qs(parts.query).get("from", ["0"])[0])
        entries = referrers.get((repository, digest), [])
        headers = {"Content-Type": OCI_INDEX}
        if start + page < len(entries):
            headers["Link"] = f'<{parts.path}?from={start + page}>; rel="next"'
        return Answer(200, headers, json.dumps({
            "schemaVersion": 2, "mediaType": OCI_INDEX,
            "manifests": entries[start:start + page]}).encode())

    proxy.serves("/manifests/", put, method="PUT")
    if lists:
        proxy.serves("/referrers/", get, method="GET")
