# SPDX-License-Identifier: Apache-2.0
"""Docker Hub with what its API changes and finds. Like the other stand-ins it
has not been compared with the service itself."""

import json

from registry.client import Client
from registry.proxy import Answer
from registry.services import (
    JSON, DockerHub, answer, path, query, refusal)

FOUND = [
    {"id": "library/nginx", "name": "nginx", "type": "image",
     "short_description": "Official build of Nginx.", "badge": "official",
     "star_count": 21000, "pull_count": "1B+",
     "publisher": {"name": "Docker"}},
    {"id": "alice/one", "name": "alice/one", "type": "image",
     "short_description": "One\tthing", "badge": "none", "star_count": 3,
     "pull_count": "50+", "publisher": {"name": "alice"}},
    {"id": "acme/api", "name": "acme/api", "type": "image",
     "short_description": "", "badge": "verified_publisher", "star_count": 12,
     "pull_count": "10K+", "publisher": {"name": "Acme"}}]


class ChangingHub(DockerHub):
    """Docker's reference of the Hub API: CreateRepository; hub-tool and
    Harbor's adapter: DELETE /v2/repositories/NAMESPACE/NAME/ and …/tags/TAG/.
    Search: as clients of the front end's api/search/v4 and of
    index.docker.io/v1/search read it. The registry itself deletes nothing."""

    may_change = True
    front_end = True  # answers others than browsers

    def __init__(self, upstream, names, **more):
        super().__init__(upstream, names, **more)
        self.content = Client(f"http://{upstream}")
        self.made = []  # the bodies that were sent
        self.dropped = []

    def use(self, kind, request):
        """What it has changes."""
        action = super().use(kind, request)
        place = path(request)
        if kind != "answer":
            return action
        if action == self.denied and any(
                place.startswith(f"/v2/{name}/") for name in self.names):
            return None
        if request.method == "DELETE":
            return self.delete if place.startswith(
                "/v2/repositories/") else self.refuse
        if place.startswith("/api/search/v4"):
            return self.search
        if place == "/v1/search":
            return self.search_index
        if request.method == "POST" and place.startswith("/v2/namespaces/"):
            return self.make
        if place.endswith("/tags") and place.startswith("/v2/namespaces/"):
            return self.tags
        return action

    def refuse(self, *_):
        return refusal(405, "UNSUPPORTED")

    def make(self, request, body):
        if not self.knows(request) or not self.may_change:
            return Answer(403, JSON, b'{"message": "insufficient scope"}')
        document = json.loads(body)
        name = f"{document['namespace']}/{document['name']}"
        assert path(request).split("/")[3] == document["namespace"]
        if name in self.names:
            return Answer(400, JSON, b'{"message": "Repository exists"}')
        self.made.append(document)
        self.names = sorted(self.names + [name])
        return Answer(201, JSON, body)

    def delete(self, request, _):
        if not self.knows(request) or not self.may_change:
            return Answer(403, JSON, b'{"message": "insufficient scope"}')
        assert path(request).endswith("/")
        space, name, *tag = path(request).strip("/").split("/")[2:]
        repository = f"{space}/{name}"
        if repository not in self.names:
            return Answer(404, JSON, b'{"message": "object not found"}')
        self.dropped.append(":".join([repository] + tag[1:]))
        if tag:
            self.remove(repository, tag[1])
            return Answer(204)
        self.names.remove(repository)
        return Answer(202)

    def remove(self, repository, tag):
        """The tag alone: others of the same manifest are put again."""
        url = f"/v2/{repository}/manifests/"
        accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
        one = self.content.request("GET", url + tag, **accept)
        digest = one.headers["Docker-Content-Digest"]
        others = [other for other in self.content.tags(repository)
                  if other != tag and self.content.request(
                      "GET", url + other, **accept).body == one.body]
        assert self.content.request("DELETE", url + digest).status == 202
        for other in others:
            self.content.request("PUT", url + other, one.body,
                                 Content_Type=one.headers["Content-Type"])

    def tags(self, request, _):
        _, _, _, space, _, name, _ = path(request).split("/")
        page = int(query(request)["page"])
        tags = self.content.tags(f"{space}/{name}")
        end = page * self.page_size
        return answer({"count": len(tags), "next": "more" if end < len(
            tags) else None, "results": [
                {"name": tag, "full_size": 3072,
                 "tag_last_pushed": "2026-01-02T03:04:05.678Z"}
                for tag in tags[end - self.page_size:end]]})

    def search(self, request, _):
        if not self.front_end:
            return Answer(403, {"Content-Type": "text/html"},
                          b"<html><title>Just a moment...</title></html>")
        fields = query(request)
        assert fields["type"] == "image"
        found = [row for row in FOUND if fields["query"] in row["id"]]
        return answer({"total": len(found), "results": found})

    def search_index(self, request, _):
        """Strips "library/"."""
        return answer({"num_results": 1, "results": [
            {"name": row["name"], "description": row["short_description"],
             "star_count": row["star_count"], "is_automated": False,
             "is_official": row["badge"] == "official"}
            for row in FOUND if query(request)["q"] in row["name"]]})
