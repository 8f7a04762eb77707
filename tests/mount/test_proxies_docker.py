# SPDX-License-Identifier: Apache-2.0
"""Proxies, as Docker's files name them. docker-registry answers as a proxy to
whatever host."""

import json
import os

import pytest

from support.home import Home
from support.images import oci_image
from support.system import run

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def served(registry, client):
    oci_image().push(client, "app", "1.0")
    return registry


def proxies(address):
    return {"proxies": {"default": {"httpProxy": f"http://{address}"},
                        "tcp://elsewhere": {"httpProxy": NOWHERE}}}


class BehindProxy(Home):
    def environment(self, **more):
        return super().environment(http_proxy=NOWHERE, **more)


def test_the_clients_file(mount, served, home):
    home.docker_config(proxies(served.address))
    root = mount("http://registry.invalid")
    assert os.listdir(root / "app") == ["1.0"]
    assert "proxies are used as " in root.log()


def test_a_variable_comes_first(binary, served, tmp_path):
    home = BehindProxy(tmp_path / "behind")
    home.docker_config(proxies(served.address))
    (tmp_path / "mnt").mkdir()
    result = run(binary, "-f", "http://registry.invalid", tmp_path / "mnt",
                 check=False, env=home.environment())
    assert result.returncode == 1
    assert "connection refused" in result.stderr


DAEMON = """set -e
mount -t tmpfs none /etc/docker
printf %s "$FILE" >/etc/docker/daemon.json
"$BINARY" -o cache="$CACHE" http://registry.invalid "$MOUNTPOINT"
ls "$MOUNTPOINT/app"
fusermount3 -u "$MOUNTPOINT"
"""


@pytest.mark.skipif(not os.path.isdir("/etc/docker"), reason="no /etc/docker")
def test_the_daemons_file_comes_before(binary, served, home, tmp_path):
    home.docker_config({"proxies": {"default": {"httpProxy": NOWHERE}}})
    (tmp_path / "mnt").mkdir()
    daemon = {"proxies": {"http-proxy": f"http://{served.address}"}}
    result = run("unshare", "--mount", "sh", "-c", DAEMON, check=False,
                 env=home.environment(
                     FILE=json.dumps(daemon), BINARY=str(binary),
                     CACHE=str(tmp_path / "cache"),
                     MOUNTPOINT=str(tmp_path / "mnt")))
    assert result.stdout == "1.0\n", result.stderr


def test_a_login_goes_the_same_way(binary, served, home):
    home.docker_config(proxies(served.address))
    result = run("sh", "-c", 'echo secret | "$@"', "sh", binary, "login",
                 "--username=me", "--password-stdin", "http://registry.invalid",
                 env=home.environment())
    assert "me is logged in to registry.invalid" in result.stdout
    assert "proxies" in (home.path / ".docker/config.json").read_text()
