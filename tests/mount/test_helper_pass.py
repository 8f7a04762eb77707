# SPDX-License-Identifier: Apache-2.0
"""A real credential helper: docker-credential-pass, with a key of its own."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest

from registry.server import PASSWORD, USER
from support.home import Home
from support.images import oci_image
from support.system import run

KEY = """%no-protection
Key-Type: eddsa
Key-Curve: ed25519
Subkey-Type: ecdh
Subkey-Curve: cv25519
Name-Email: pass@example.com
%commit
"""

pytestmark = pytest.mark.skipif(
    not shutil.which("docker-credential-pass"),
    reason="golang-docker-credential-helpers is not installed")


class PassHome(Home):
    def __init__(self, path, keys):
        super().__init__(path)
        self.keys = keys

    def environment(self, **more):
        return super().environment(GNUPGHOME=str(self.keys), **more)


@pytest.fixture
def home(tmp_path):
    """The path of an agent's socket has a hundred characters at most."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as keys:
        home = PassHome(tmp_path / "home", keys)
        (Path(keys) / "key").write_text(KEY)
        try:
            run("gpg", "--batch", "--gen-key", f"{keys}/key",
                env=home.environment())
            run("pass", "init", "pass@example.com", env=home.environment())
            home.docker_config({"credsStore": "pass"})
            yield home
        finally:
            run("gpgconf", "--kill", "gpg-agent", env=home.environment())


def kept(home):
    return json.loads(run("docker-credential-pass", "list",
                          env=home.environment()).stdout or "{}")


def test_a_login_is_in_the_store(mount, binary, home, make_registry):
    registry = make_registry(auth="htpasswd")
    image = oci_image().push(
        registry.client(user=USER, password=PASSWORD), "app", "1.0")
    result = run("sh", "-c", f'echo {PASSWORD} | "$@"', "sh", binary, "login",
                 f"--username={USER}", "--password-stdin", registry.address,
                 env=home.environment())
    assert "(kept in docker-credential-pass)" in result.stdout
    assert kept(home) == {registry.address: USER}
    root = mount(registry)
    assert (root / "app/1.0/manifest.json").read_bytes() == image.data
    result = run(binary, "logout", "--all", env=home.environment())
    assert f"Logged out of {registry.address}" in result.stdout
    assert kept(home) == {}
