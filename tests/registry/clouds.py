# SPDX-License-Identifier: Apache-2.0
"""More stand-ins as those of registry.services: services at hosts of their own,
and those whose _catalog lists what there is. Each says where its answers are
from; none of them has been compared with the service itself."""

from registry.client import Client
from registry.proxy import Answer
from registry.services import (
    JSON, Service, TOKEN, answer, path, query, refusal)


class GitHub(Service):
    """ghcr.io and api.github.com: docs.github.com, REST, "Packages": "List
    packages for an organization" (a user, the authenticated user); per_page,
    and Link, whose path is by the owner's number. 404 for an organisation that
    is none. ghcr.io has no _catalog."""

    service = "ghcr.io"
    page_size = 2
    personal = "a-personal-access-token"
    user = "Alice"
    organisations = ("Acme",)

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.serves("^/(orgs/[^/]+|users/[^/]+|user)/packages", self.list)
        self.serves("^/numbered/", self.list)

    def origin(self, request):
        return "https://ghcr.io"

    def catalog(self, *_):
        return Answer(404, {"Content-Type": "text/plain"},
                      b"404 page not found\n")

    def list(self, request, _):
        if request.headers.get("authorization") != f"Bearer {self.personal}":
            return Answer(401, JSON, b'{"message": "Requires authentication"}')
        fields = query(request)
        assert fields["package_type"] == "container"
        parts = path(request).strip("/").split("/")
        if parts[0] == "numbered":
            owner = parts[1]
        elif parts[0] == "user":
            owner = self.user
        else:
            owner = next((name for name in self.organisations + (self.user,)
                          if name.lower() == parts[1].lower()), None)
        if owner is None or (parts[0] == "orgs"
                             and owner not in self.organisations):
            return Answer(404, JSON, b'{"message": "Not Found"}')
        ours = [name.split("/", 1)[1] for name in self.names
                if name.startswith(owner.lower() + "/")]
        page = int(fields.get("page", 1))
        end = page * self.page_size
        more = {}
        if end < len(ours):
            more["Link"] = (
                f"<https://api.github.com/numbered/{owner}/packages"
                f"?package_type=container&per_page=100&page={page + 1}>; "
                'rel="next", <https://api.github.com/numbered/x>; rel="last"')
        return answer([{
            "id": i, "name": name, "package_type": "container",
            "owner": {"login": owner, "id": 1}, "version_count": 3,
            "visibility": "private", "created_at": "2026-01-01T10:00:00Z",
            "updated_at": "2026-02-03T04:05:06Z"}
            for i, name in enumerate(ours)][end - self.page_size:end], **more)


class RedHat(Service):
    """registry.access.redhat.com and catalog.redhat.com: the container
    catalog's API v1 as public scripts use it: repositories?filter=namespace==…,
    pages from 0."""

    page_size = 2
    registry = "registry.access.redhat.com"

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.serves("^/api/containers/v1/repositories", self.list)

    def origin(self, request):
        return f"https://{self.registry}"

    def catalog(self, *_):
        return refusal(404, "NOT_FOUND")

    def list(self, request, _):
        fields = query(request)
        key, _, space = fields["filter"].partition("==")
        assert key == "namespace" and int(fields["page_size"]) <= 500
        rows = [(self.registry, name) for name in self.names
                if name.startswith(space + "/")]
        rows += [("registry.connect.redhat.com", f"{space}/of-another")]
        start = int(fields["page"]) * self.page_size
        return answer({"data": [
            {"_id": name, "registry": registry, "repository": name,
             "namespace": space, "published": True,
             "display_data": {"short_description": f"About {name}"},
             "last_update_date": "2026-02-03T04:05:06+00:00"}
            for registry, name in rows[start:start + self.page_size]],
            "page": int(fields["page"]), "page_size": self.page_size,
            "total": len(rows)})


class ArtifactRegistry(Service):
    """Google's, as ggcr's pkg/v1/google and Harbor's adapter read it: a list of
    tags has "child", and "manifest", whose numbers are strings."""

    def __init__(self, upstream, names, **more):
        super().__init__(upstream, names, **more)
        self.serves("/tags/list", self.tags)

    def origin(self, request):
        return f"https://{request.headers['host']}"

    def tags(self, request, _):
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.challenge(request, _)
        name = path(request)[len("/v2/"):-len("/tags/list")]
        client = Client(f"http://{self.upstream}")
        below = {other[len(name) + 1:].split("/")[0] for other in self.names
                 if other.startswith(name + "/")}
        tags = client.tags(name) if name in self.names else []
        if not below and not tags:
            return refusal(404, "NAME_UNKNOWN")
        manifests = {}
        for tag in tags:
            one = client.request("GET", f"/v2/{name}/manifests/{tag}",
                                 Accept="*/*")
            row = manifests.setdefault(
                one.headers["Docker-Content-Digest"],
                {"imageSizeBytes": "12345", "layerId": "",
                 "mediaType": one.headers["Content-Type"], "tag": [],
                 "timeCreatedMs": "0", "timeUploadedMs": "1767225845678"})
            row["tag"].append(tag)
        return answer({"child": sorted(below), "manifest": manifests,
                       "name": name, "tags": tags})


class Artifactory(Service):
    """As Harbor's adapter for it asks: api/repositories?packageType=docker, and
    the catalog of each by its key, at most 100 names a page; Basic."""

    page_size = 2
    closed = ()  # keys that the login may not read

    def __init__(self, *args, **more):
        self.realm = "/artifactory/api/docker/null/v2/token"
        super().__init__(*args, **more)
        self.serves(r"^/artifactory/api/repositories\?packageType=docker$",
                    self.keys)
        self.serves("^/artifactory/api/docker/[^/]+/v2/_catalog", self.names_of)

    def catalog(self, *_):
        return refusal(404, "NOT_FOUND")

    def keys(self, request, _):
        assert request.headers["authorization"].startswith("Basic ")
        keys = sorted({name.split("/")[0] for name in self.names})
        return answer([{"key": key, "type": "LOCAL", "packageType": "Docker",
                        "url": f"{self.url}/artifactory/{key}"}
                       for key in keys + list(self.closed)])

    def names_of(self, request, _):
        assert request.headers["authorization"].startswith("Basic ")
        key = path(request).split("/")[4]
        if key in self.closed:
            return refusal(403)
        names = [name.split("/", 1)[1] for name in self.names
                 if name.startswith(key + "/")]
        last = query(request).get("last", "")
        rest = [name for name in names if name > last]
        page = rest[:self.page_size]
        more = {}
        if len(rest) > len(page):
            more["Link"] = (f"<{path(request)}?last={page[-1]}&n=1000>; "
                            'rel="next"')
        return answer({"repositories": page}, **more)


class Zot(Service):
    """GET /v2/_zot/ext/search?query=…, pkg/extensions/search/schema.graphql:
    RepoListWithNewestImage and ExpandedRepoInfo. Sizes are strings."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.serves("^/v2/_zot/ext/search", self.search)

    def challenge(self, *_):
        return Answer(200, JSON, b"{}")

    def catalog(self, *_):
        return answer({"repositories": self.names})

    def search(self, request, _):
        text = query(request)["query"]
        if "RepoListWithNewestImage" in text:
            offset = int(text.split("offset:")[1].split()[0])
            limit = int(text.split("limit:")[1].split()[0])
            return answer({"data": {"RepoListWithNewestImage": {"Results": [
                {"Name": name, "Size": "2048", "StarCount": 7,
                 "DownloadCount": 42,
                 "NewestImage": {"Description": f"About {name}",
                                 "IsSigned": True, "Vulnerabilities": {
                                     "MaxSeverity": "HIGH", "Count": 3}}}
                for name in self.names[offset:offset + limit]]}}})
        name = text.split('repo:"')[1].split('"')[0]
        client = Client(f"http://{self.upstream}")
        return answer({"data": {"ExpandedRepoInfo": {"Images": [
            {"Tag": tag, "Size": "1024", "DownloadCount": 5, "IsSigned": True,
             "Vulnerabilities": {"MaxSeverity": "CRITICAL", "Count": 9}}
            for tag in client.tags(name)]}}})


class Catalogued(Service):
    """A service whose _catalog lists what a token may see, page by page."""

    page_size = 2
    parameter = "last"

    def catalog(self, request, _):
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.challenge(request, _)
        return self.page(request)

    def page(self, request):
        last = query(request).get(self.parameter, "")
        rest = [name for name in self.names if name > last]
        page = rest[:self.page_size]
        more = {}
        if len(rest) > len(page):
            more["Link"] = (f"</v2/_catalog?{self.parameter}={page[-1]}"
                            f'&n={self.page_size}>; rel="next"')
        return answer({"repositories": page}, **more)


class Gitea(Catalogued):
    """routers/api/packages/api.go has _catalog; container/auth.go says
    realm="…/v2/token",service="container_registry"."""

    realm = "/v2/token"
    service = "container_registry"


class Nexus(Catalogued):
    """Its challenge has the realm as the service, as users quote it."""

    realm = "/v2/token"

    def challenge(self, request, _):
        self.service = f"{self.origin(request)}{self.realm}"
        return super().challenge(request, _)


class ACR(Catalogued):
    """Azure/acr, docs/AAD-OAuth.md: realm https://NAME.azurecr.io/oauth2/token,
    and _catalog with Link."""

    realm = "/oauth2/token"
    service = "acme.azurecr.io"

    def origin(self, request):
        return f"https://{self.service}"


class ECR(Catalogued):
    """Basic for AWS; _catalog pages by nextToken, as clients have found that
    list several registries by it (gardener/cc-utils, pull request 1722)."""

    parameter = "nextToken"

    def challenge(self, request, _):
        if request.headers.get("authorization", "").startswith("Basic "):
            return Answer(200, JSON, b"{}")
        return Answer(401, JSON | {
            "WWW-Authenticate": 'Basic realm="https://acme/",service="ecr"'},
            b"Not Authorized")

    def catalog(self, request, _):
        if not request.headers.get("authorization", "").startswith("Basic "):
            return self.challenge(request, _)
        return self.page(request)
