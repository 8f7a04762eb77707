# SPDX-License-Identifier: Apache-2.0
"""A token server as docker-registry's auth.token wants one.

The registry checks each token's signature, issuer, audience, time and access
itself, so a client that passes has a token that is right. It takes tokens up to
a minute past their time (its Leeway), which `lifetime` makes up for.
"""

import base64
import hashlib
import json
import time
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from registry.proxy import Answer, Proxy, error_body
from registry.tls import Authority

ISSUER, SERVICE = "test issuer", "test registry"
REGISTRY_LEEWAY = 60


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _key_id(public_key):
    """libtrust's name of a key: its hash in groups of four letters."""
    der = public_key.public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[i:i + 4] for i in range(0, len(text), 4))


def grant_all_to_users(user, kind, name, actions):
    """The default policy: everything for whoever has credentials."""
    return actions if user else []


class TokenServer:
    """users: name -> password. grant(user, kind, name, actions) returns those
    of the actions that are granted; user is None for who has no credentials.

    lifetime: seconds until the registry refuses a token.
    expires_in: what the client is told; None says nothing.
    """

    def __init__(self, directory, users, *, grant=grant_all_to_users,
                 lifetime=300, expires_in=300):
        self.users = users
        self.grant = grant
        self.lifetime = lifetime
        self.expires_in = expires_in
        self.refresh_tokens = {}  # token -> user
        self.offline_token = None  # what is given to who asks for one
        certificate = Authority(Path(directory)).issue("token-server")
        self._bundle = certificate.cert_file
        self._key = serialization.load_pem_private_key(
            certificate.key_file.read_bytes(), password=None)
        self._server = Proxy()
        self._server.serves(r"^/token\b", self._answer)

    def __enter__(self):
        self._server.__enter__()
        return self

    def __exit__(self, *_):
        self._server.__exit__()

    def requests(self):
        return self._server.requests()

    def answers(self, status):
        """Is broken: every request gets this status."""
        self._server.heal()
        self._server.answers("", status=status)

    def registry_config(self):
        """docker-registry's auth.token."""
        return {"realm": f"{self._server.url}/token", "service": SERVICE,
                "issuer": ISSUER, "rootcertbundle": str(self._bundle)}

    def token(self, user, *scopes):
        """A signed JWT with what the policy grants of the scopes."""
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": user or "", "aud": SERVICE,
            "jti": uuid.uuid4().hex, "nbf": now - REGISTRY_LEEWAY, "iat": now,
            # Whole seconds: one more, or it could be over at once.
            "exp": now + 1 + self.lifetime - REGISTRY_LEEWAY,
            "access": [self._access(user, scope) for scope in scopes],
        }
        header = {"typ": "JWT", "alg": "ES256",
                  "kid": _key_id(self._key.public_key())}
        signed = ".".join(_base64url(json.dumps(part).encode())
                          for part in (header, claims))
        return f"{signed}.{_base64url(self._signature(signed.encode()))}"

    def _access(self, user, scope):
        kind, rest = scope.split(":", 1)
        name, actions = rest.rsplit(":", 1)
        return {"type": kind, "name": name,
                "actions": self.grant(user, kind, name, actions.split(","))}

    def _signature(self, data):
        der = self._key.sign(data, ec.ECDSA(hashes.SHA256()))
        # JWS wants the two numbers side by side (RFC 7518, 3.4).
        return b"".join(number.to_bytes(32, "big")
                        for number in utils.decode_dss_signature(der))

    def _answer(self, request, body):
        if request.method == "POST":
            parameters = parse_qs(body.decode())
        else:
            parameters = parse_qs(urlsplit(request.path).query)
        try:
            user = self._user(request, parameters)
        except PermissionError:
            return Answer(401, body=error_body("UNAUTHORIZED",
                                               "wrong credentials"))
        scopes = " ".join(parameters.get("scope", [])).split()
        document = {"token": self.token(user, *scopes)}
        if self.expires_in is not None:
            document["expires_in"] = self.expires_in
        if self.offline_token and "offline_token" in parameters:
            document["refresh_token"] = self.offline_token
        if request.method == "POST":
            document["access_token"] = document.pop("token")
        return Answer(200, {"Content-Type": "application/json"},
                      json.dumps(document).encode())

    def _user(self, request, parameters):
        """Who asks: None for nobody in particular."""
        grant = parameters.get("grant_type", [None])[0]
        if grant == "refresh_token":
            token = parameters["refresh_token"][0]
            if token not in self.refresh_tokens:
                raise PermissionError
            return self.refresh_tokens[token]
        if grant == "password":
            user = parameters["username"][0]
            password = parameters["password"][0]
        elif "authorization" in request.headers:
            basic = request.headers["authorization"].split()[1]
            user, password = base64.b64decode(basic).decode().split(":", 1)
        else:
            return None
        if self.users.get(user) != password:
            raise PermissionError
        return user
