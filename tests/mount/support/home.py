# SPDX-License-Identifier: Apache-2.0
"""A home directory with what docker, podman and skopeo keep in one."""

import base64
import json
import os
import re
import shutil
import sys
from pathlib import Path

# Variables that lead to another home's credentials, or past loopback.
FOREIGN = re.compile(
    r"^(DOCKER_|REGISTRY_AUTH_FILE$|XDG_|SSL_CERT_)|_proxy$", re.I)

HELPER = """#!{python}
import json, sys
secrets = json.loads({secrets!r})
server = sys.stdin.read().strip()
if sys.argv[1] != "get" or server not in secrets:
    print("credentials not found in native keychain")
    sys.exit(1)
user, secret = secrets[server]
print(json.dumps({{"ServerURL": server, "Username": user, "Secret": secret}}))
"""


# The same, and it can be told what to keep: "store", "erase".
STORE = """#!{python}
import json, pathlib, sys
path = pathlib.Path({path!r})
kept = json.loads(path.read_text())
text = sys.stdin.read().strip()
if sys.argv[1] == "store":
    entry = json.loads(text)
    kept[entry["ServerURL"]] = entry
elif sys.argv[1] == "erase":
    kept.pop(text, None)
elif sys.argv[1] == "list":
    print(json.dumps({{server: e["Username"] for server, e in kept.items()}}))
elif text in kept:
    print(json.dumps(kept[text]))
else:
    print("credentials not found in native keychain")
    sys.exit(1)
path.write_text(json.dumps(kept))
with open({path!r} + ".asked", "a") as asked:
    print(sys.argv[1], file=asked)
"""


def auth_document(address, user, password):
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"auths": {address: {"auth": basic}}}


class Home:
    def __init__(self, path):
        self.path = Path(path)
        self.runtime = self.path / "run"
        self.bin = self.path / "bin"
        for directory in (self.path, self.runtime, self.bin):
            directory.mkdir(parents=True, exist_ok=True)

    def environment(self, **more):
        """This home, and nothing of the caller's that says otherwise."""
        inherited = {name: value for name, value in os.environ.items()
                     if not FOREIGN.search(name)}
        return inherited | {
            "HOME": str(self.path), "XDG_RUNTIME_DIR": str(self.runtime),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8"} | more

    def docker_config(self, document):
        return self._write(self.path / ".docker/config.json", document)

    def containers_auth(self, document):
        return self._write(self.runtime / "containers/auth.json", document)

    def auth_file(self, document):
        return self._write(self.path / "elsewhere.json", document)

    def credential_helper(self, name, secrets):
        """docker-credential-NAME; secrets: server -> (user, secret)."""
        helper = self.bin / f"docker-credential-{name}"
        helper.write_text(HELPER.format(python=sys.executable,
                                        secrets=json.dumps(secrets)))
        helper.chmod(0o755)

    def credential_store(self, name):
        """docker-credential-NAME as one that logins and logouts use; returns
        its file, beside which .asked has what it was asked, a line each."""
        path = self.path / f"{name}.json"
        path.write_text("{}")
        helper = self.bin / f"docker-credential-{name}"
        helper.write_text(STORE.format(python=sys.executable, path=str(path)))
        helper.chmod(0o755)
        return path

    def trust(self, address, ca_file):
        """containers-certs.d(5)."""
        directory = self.path / ".config/containers/certs.d" / address
        directory.mkdir(parents=True)
        shutil.copy(ca_file, directory / "ca.crt")

    @staticmethod
    def _write(path, document):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path


class ProxiedHome(Home):
    """One whose programs reach https addresses by a proxy (registry.tunnel)."""

    def __init__(self, path, proxy):
        super().__init__(path)
        self.proxy = proxy

    def environment(self, **more):
        return super().environment(https_proxy=self.proxy, **more)
