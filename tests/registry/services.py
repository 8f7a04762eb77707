# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for services: a registry whose content is a real one's, and beside
it the API by which the service lists what it has, in the shapes that its own
documents or clients show.

None of them has been compared with the service itself.
"""

import json
import ssl
from urllib.parse import parse_qs, urlsplit

from registry.proxy import Answer, Proxy, error_body

JSON = {"Content-Type": "application/json"}
TOKEN = "a-token-of-the-registry"


def answer(document, **headers):
    return Answer(200, JSON | headers, json.dumps(document).encode())


def refusal(status, code="DENIED"):
    return Answer(status, JSON, error_body(code, "not for you"))


def query(request):
    """{name: value} of the request's query."""
    fields = parse_qs(urlsplit(request.path).query, keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def path(request):
    return urlsplit(request.path).path


class Service(Proxy):
    """A registry with tokens, whose _catalog is not for us. names: of the
    repositories that the API lists."""

    realm = "/token"
    service = "registry"

    def __init__(self, upstream, names, certificate=None):
        super().__init__(upstream)
        self.names = sorted(names)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.cert_file,
                                    certificate.key_file)
            self._server.socket = context.wrap_socket(self._server.socket,
                                                      server_side=True)
        self.serves(f"^{self.realm}\\?", lambda *_: answer({"token": TOKEN}))
        self.serves("^/v2/$", self.challenge)
        self.serves("^/v2/_catalog", self.catalog)

    def challenge(self, request, _):
        if request.headers.get("authorization") == f"Bearer {TOKEN}":
            return Answer(200, JSON, b"{}")
        realm = f"{self.origin(request)}{self.realm}"
        field = f'Bearer realm="{realm}",service="{self.service}"'
        return Answer(401, JSON | {"WWW-Authenticate": field},
                      error_body("UNAUTHORIZED", "a token is needed"))

    def catalog(self, *_):
        return refusal(401, "UNAUTHORIZED")

    def origin(self, request):
        return f"http://{request.headers['host']}"


class Harbor(Service):
    """api/v2.0/swagger.yaml: GET /repositories and
    /projects/{project_name}/repositories, X-Total-Count and Link."""

    realm = "/service/token"
    service = "harbor-registry"
    page_size = 2

    def __init__(self, *args):
        super().__init__(*args)
        self.serves("^/api/v2.0/(projects/[^/]+/)?repositories", self.list)

    def list(self, request, _):
        parts = path(request).split("/")
        names = [name for name in self.names
                 if parts[3] != "projects" or name.startswith(parts[4] + "/")]
        page = int(query(request)["page"])
        assert 1 <= int(query(request)["page_size"]) <= 100
        end = page * self.page_size
        following = f"<{path(request)}?page={page + 1}&page_size=100>"
        more = {"Link": f'{following} ; rel="next"'} if end < len(
            names) else {}
        return answer([{"id": i, "project_id": 1, "name": name,
                        "artifact_count": 1, "pull_count": 3}
                       for i, name in enumerate(names)][
                           end - self.page_size:end],
                      **{"X-Total-Count": str(len(names))}, **more)


class Quay(Service):
    """endpoints/api/repository.py: GET /api/v1/repository, which wants one of
    namespace, starred and public."""

    realm = "/v2/auth"
    page_size = 2

    def __init__(self, *args):
        super().__init__(*args)
        self.serves("^/api/v1/repository", self.list)

    def catalog(self, *_):
        return answer({"repositories": []})  # without PUBLIC_CATALOG

    def list(self, request, _):
        fields = query(request)
        if not fields.get("namespace"):
            return refusal(400, "invalid_request")
        pairs = [name.split("/", 1) for name in self.names]
        ours = [(space, name) for space, name in pairs
                if space == fields["namespace"]]
        start = int(fields.get("next_page", "at0")[2:])
        end = start + self.page_size
        document = {"repositories": [
            {"namespace": space, "name": name, "description": None,
             "is_public": True, "kind": "image", "state": "NORMAL"}
            for space, name in ours[start:end]]}
        if end < len(ours):
            document["next_page"] = f"at{end}"
        return answer(document)


class GitLab(Service):
    """docs/spec/gitlab/api.md of its registry: "List Sub Repositories"."""

    realm = "/jwt/auth"
    service = "container_registry"
    page_size = 2

    def __init__(self, *args):
        super().__init__(*args)
        self.serves("^/gitlab/v1/repository-paths/.*/repositories/list/",
                    self.list)

    def list(self, request, _):
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.challenge(request, _)
        base = path(request).split("repository-paths/")[1].split(
            "/repositories/list")[0]
        last = query(request).get("last", "")
        names = [name for name in self.names if name > last
                 and (name == base or name.startswith(base + "/"))]
        page, rest = names[:self.page_size], names[self.page_size:]
        # As a proxy in front makes it: of another host.
        link = (f"<https://registry.invalid{path(request)}"
                f"?n=1000&last={page[-1]}>; rel=\"next\"") if rest else ""
        return answer([{"name": name.split("/")[-1], "path": name,
                        "created_at": "2022-06-07T12:11:13.633+00:00"}
                       for name in page], **({"Link": link} if link else {}))


class DTR(Service):
    """As Harbor's adapter for it asks: GET /api/v0/repositories, whose next
    page X-Next-Page-Start names; Basic."""

    realm = "/auth/token"
    page_size = 2

    def __init__(self, *args):
        super().__init__(*args)
        self.serves("^/api/v0/repositories", self.list)

    def list(self, request, _):
        start = int(query(request).get("pageStart", "id0")[2:])
        end = start + self.page_size
        more = ({"X-Next-Page-Start": f"id{end}"}
                if end < len(self.names) else {})
        return answer({"repositories": [
            {"id": f"id{i}", "namespace": name.split("/")[0],
             "namespaceType": "organization", "name": name.split("/")[1],
             "visibility": "private"}
            for i, name in enumerate(self.names)][start:end]}, **more)


class DockerHub(Service):
    """All of registry-1.docker.io, auth.docker.io and hub.docker.com; the last
    as Docker's reference of the Hub API, hub-tool and Harbor's adapter have
    it."""

    realm = "/token"
    service = "registry.docker.io"
    page_size = 2
    login = {"identifier": "alice", "secret": "open sesame"}
    jwt = "a-jwt-of-the-hub"
    namespaces = ("alice", "acme")

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.serves("^/v2/auth/token$", self.log_in)
        self.serves("^/v2/repositories/namespaces$", self.own)
        self.serves("^/v2/namespaces/[^/]+/repositories", self.list)
        # What is not there is refused as what is not ours.
        there = "|".join(name for name in self.names
                         if not name.endswith("-private"))
        self.serves(f"^/v2/(?!({there})/).+/(manifests|tags|blobs)/",
                    self.denied)

    def denied(self, *_):
        challenge = ('Bearer realm="https://auth.docker.io/token",'
                     f'service="{self.service}",error="insufficient_scope"')
        return Answer(401, JSON | {"WWW-Authenticate": challenge},
                      error_body("UNAUTHORIZED", "authentication required"))

    def origin(self, request):
        return "https://auth.docker.io"

    def log_in(self, _, body):
        if json.loads(body) != self.login:
            return Answer(401, JSON, b'{"message": "incorrect"}')
        return answer({"access_token": self.jwt})

    def knows(self, request):
        return request.headers.get("authorization") == f"Bearer {self.jwt}"

    def own(self, request, _):
        if not self.knows(request):
            return Answer(401, JSON, b'{"message": "unauthorized"}')
        return answer({"namespaces": list(self.namespaces)})

    def list(self, request, _):
        space = path(request).split("/")[3]
        names = [name.split("/")[1] for name in self.names
                 if name.startswith(space + "/")
                 and (self.knows(request) or not name.endswith("-private"))]
        if not names:
            return Answer(404, JSON, b'{"message": "object not found"}')
        page = int(query(request)["page"])
        end = page * self.page_size
        more = (f"https://hub.docker.com{path(request)}?page={page + 1}"
                if end < len(names) else None)
        return answer({"count": len(names), "next": more, "previous": None,
                       "results": [{"name": name, "namespace": space,
                                    "repository_type": "image",
                                    "status": 1, "star_count": 2}
                                   for name in names][
                                       end - self.page_size:end]})
