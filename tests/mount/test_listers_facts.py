# SPDX-License-Identifier: Apache-2.0
"""What services say of repositories and tags beside their names, as
attributes: without a request a tag."""

import os
from contextlib import ExitStack

import pytest

from registry.services import GitLab, Harbor, Quay, answer, path, query
from support.images import oci_image
from support.system import run

TAGS = ["1.0", "1.1", "1.2", "2.0"]


class HarborWithArtifacts(Harbor):
    """api/v2.0/swagger.yaml: /projects/{p}/repositories/{r}/artifacts with
    with_tag, with_accessory and with_scan_overview; a '/' in {r} is %252F."""

    def list(self, request, body):
        if not path(request).endswith("/artifacts"):
            return super().list(request, body)
        assert path(request).split("/")[4:7] == [
            "acme", "repositories", "tools%252Flint"]
        fields = query(request)
        assert fields["with_tag"] == "true"
        page = int(fields["page"])
        tags = TAGS[2 * page - 2:2 * page]
        more = {} if page == 2 else {
            "Link": f'<{path(request)}?page=2&page_size=100&with_tag=true>; '
                    'rel="next"'}
        report = "application/vnd.security.vulnerability.report; version=1.1"
        return answer([{
            "digest": f"sha256:{tag}", "size": 4096 + i, "type": "IMAGE",
            "push_time": f"2026-01-0{i + 1}T02:03:04.567Z",
            "tags": [{"name": tag, "immutable": False}],
            "accessories": [{"type": "signature.cosign"}] if i == 0 else None,
            "scan_overview": {report: {
                "scan_status": "Success", "severity": "High",
                "summary": {"total": 12, "fixable": 3}}}}
            for i, tag in enumerate(tags)], **more)


class GitLabWithTags(GitLab):
    """docs/spec/gitlab/api.md: "List Repository Tags"."""

    def __init__(self, *args):
        super().__init__(*args)
        self.serves("^/gitlab/v1/repositories/.*/tags/list/", self.tags)

    def tags(self, request, _):
        assert path(request) == (
            "/gitlab/v1/repositories/acme/tools/lint/tags/list/")
        return answer([{"name": tag, "digest": "sha256:1", "size_bytes": 286734,
                        "created_at": "2022-06-07T12:10:12.412+00:00",
                        "published_at": "2022-06-08T12:10:12.412+00:00"}
                       for tag in TAGS])


class QuayWithTags(Quay):
    """endpoints/api/tag.py: ListRepositoryTags, limit at most 100."""

    def list(self, request, body):
        if not path(request).endswith("/tag/"):
            return super().list(request, body)
        assert path(request) == "/api/v1/repository/acme/tools/lint/tag/"
        fields = query(request)
        assert fields["onlyActiveTags"] == "true" and fields["limit"] == "100"
        page = int(fields["page"])
        return answer({"page": page, "has_additional": page == 1, "tags": [
            {"name": tag, "size": 777777, "start_ts": 1767323045,
             "manifest_digest": "sha256:1", "is_manifest_list": False,
             "last_modified": "Fri, 02 Jan 2026 03:04:05 -0000"}
            for tag in TAGS[2 * page - 2:2 * page]]})


@pytest.fixture
def stand_in(registry, client):
    for i, tag in enumerate(TAGS):
        oci_image(author=tag).push(client, "acme/tools/lint", tag)
    with ExitStack() as running:
        yield lambda kind: running.enter_context(
            kind(registry.address, ["acme/tools/lint"]))


def facts_of(directory):
    """Each asked for by its name, as getfattr does."""
    prefix = "user.registry."
    return {name[len(prefix):]: os.getxattr(directory, name).decode()
            for name in os.listxattr(directory) if name.startswith(prefix)}


def test_harbor(mount, stand_in):
    service = stand_in(HarborWithArtifacts)
    root = mount(service)
    assert os.listdir(root.path) == ["acme"]
    assert facts_of(root / "acme/tools/lint") == {"pulls": "3"}
    assert facts_of(root / "acme/tools/lint/1.0") == {
        "size": "4096", "pushed": "2026-01-01T02:03:04.567Z",
        "signed": "true", "cve.severity": "High", "cve.count": "12"}
    assert "signed" not in facts_of(root / "acme/tools/lint/1.1")
    assert facts_of(root / "acme/tools/lint/2.0")["size"] == "4097"


@pytest.mark.parametrize("kind, requests", [
    (HarborWithArtifacts, 2), (GitLabWithTags, 1), (QuayWithTags, 2)])
def test_a_tag_is_not_asked_for(mount, stand_in, kind, requests):
    """By the attribute's name: a page of tags a request."""
    service = stand_in(kind)
    root = mount(service)
    os.listdir(root / "acme/tools/lint")
    with service.requests() as seen:
        shown = run("getfattr", "--only-values", "-n", "user.registry.size",
                    *(root / "acme/tools/lint" / tag for tag in TAGS)).stdout
    assert len(shown) > 3 * len(TAGS)
    assert len(seen) == requests, seen
    assert seen.count(path="/manifests/") == 0


def test_quay(mount, stand_in):
    root = mount(stand_in(QuayWithTags))
    assert facts_of(root / "acme/tools/lint/2.0") == {
        "size": "777777", "pushed": "2026-01-02T03:04:05Z"}


def test_tags_have_no_times_of_their_own(mount, stand_in):
    root = mount(stand_in(HarborWithArtifacts))
    directory = root / "acme/tools/lint"
    facts_of(directory / "1.0")
    assert len({os.stat(directory / tag).st_mtime for tag in TAGS}) == 1


def test_what_no_service_says(mount, registry, client):
    oci_image().push(client, "app", "1.0")
    root = mount(registry)
    assert facts_of(root / "app") == facts_of(root / "app/1.0") == {}
