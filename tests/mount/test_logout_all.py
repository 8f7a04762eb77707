# SPDX-License-Identifier: Apache-2.0
"""registryfs logout --all."""

import json

from support.home import auth_document
from support.system import run


def logout(binary, home, *words):
    return run(binary, "logout", *words, check=False, env=home.environment())


def test_of_all_hosts_in_all_files(binary, home):
    docker = home.docker_config(
        {"proxies": {}, "credHelpers": {"helped.example": "box"},
         **auth_document("one.example", "me", "x")})
    docker_auths = json.loads(docker.read_text())["auths"]
    docker_auths.update(auth_document("https://index.docker.io/v1/", "me",
                                      "x")["auths"])
    home.docker_config({"proxies": {}, "auths": docker_auths,
                        "credHelpers": {"helped.example": "box"}})
    other = home.containers_auth(auth_document("two.example:5000", "me", "x"))
    box = home.credential_store("box")
    box.write_text(json.dumps({"helped.example": {
        "ServerURL": "helped.example", "Username": "me", "Secret": "x"}}))
    result = logout(binary, home, "--all")
    assert result.returncode == 0, result.stderr
    for host in ("one.example", "docker.io", "two.example:5000",
                 "helped.example"):
        assert f"Logged out of {host} (removed from " in result.stdout
    assert json.loads(docker.read_text()) == {
        "proxies": {}, "auths": {}, "credHelpers": {"helped.example": "box"}}
    assert not json.loads(other.read_text()).get("auths")
    assert json.loads(box.read_text()) == {}
    again = logout(binary, home, "-a")
    assert again.stdout == "Nobody was logged in anywhere\n"


def test_of_all_and_one(binary, home):
    result = logout(binary, home, "--all", "localhost:1")
    assert result.returncode == 1
    assert result.stderr == ("registryfs: logout --all is of all registries: "
                             "name none with it\n")
