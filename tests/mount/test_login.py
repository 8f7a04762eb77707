# SPDX-License-Identifier: Apache-2.0
"""registryfs login and logout: asked for on a terminal, checked with the
registry, and shared with docker, podman and skopeo in both directions."""

import json
import os
import re
import stat
import subprocess

import pytest

from registry.server import PASSWORD, USER
from registry.tokens import TokenServer
from support.home import auth_document
from support.images import oci_image
from support.system import run
from support.terminal import Terminal

WRONG = "not the password"
IMAGE = oci_image()


@pytest.fixture
def registry(make_registry):
    registry = make_registry(auth="htpasswd")
    IMAGE.push(registry.client(user=USER, password=PASSWORD), "app", "1.0")
    return registry


@pytest.fixture
def address(registry):
    return registry.address


@pytest.fixture
def registryfs(binary, home, tmp_path):
    """Runs the command to its end."""
    def execute(*arguments, password="", **environment):
        return run(binary, *arguments, check=False, cwd=tmp_path, stdin=None,
                   input=password, env=home.environment(**environment))
    return execute


@pytest.fixture
def login(registryfs, address):
    """Logs in without a terminal."""
    def execute(*options, user=USER, password=PASSWORD, host=address, **more):
        return registryfs("login", "-u", user, "--password-stdin", *options,
                          host, password=password, **more)
    return execute


def docker_config(home):
    return home.path / ".docker/config.json"


def stored(path):
    return json.loads(path.read_text()).get("auths", {})


def assert_fails(result, sentence):
    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("registryfs: ")
    assert re.search(sentence, line), line
    assert WRONG not in line


# On a terminal.

@pytest.fixture
def terminal(binary, home):
    return lambda *words: Terminal(home.environment(), binary, *words)


def test_a_login_at_a_terminal(terminal, address, home):
    session = terminal("login", address)
    session.expect(f"User at {address}: ")
    session.type(f"{USER}\n")
    session.expect(f"Password of {USER}: ")
    session.type(f"{PASSWORD}\n")
    assert session.finish() == 0
    assert f"{USER} is logged in to {address}" in session.shown
    assert PASSWORD not in session.shown
    assert stored(docker_config(home)) == auth_document(
        address, USER, PASSWORD)["auths"]


def test_who_is_logged_in_is_offered(terminal, login, address):
    assert login().returncode == 0
    session = terminal("login", address)
    session.expect(f"User at {address} ({USER}): ")
    session.type("\n")
    session.expect(f"Password of {USER}: ")
    session.type(f"{PASSWORD}\n")
    assert session.finish() == 0


@pytest.mark.parametrize("typed, sentence", [
    ("\n", "no user was named"), ("\x04", "nothing was typed")])
def test_nobody_is_named(terminal, address, typed, sentence):
    session = terminal("login", address)
    session.expect(f"User at {address}: ")
    session.type(typed)
    assert session.finish() == 1
    assert f"registryfs: {sentence}" in session.shown


def test_a_prompt_that_is_left(home, binary, address):
    """The terminal has its echo again."""
    session = Terminal(home.environment(), "sh", "-c",
                       f'trap : INT; "{binary}" login -u x {address}; stty -a')
    session.expect("Password of x: ")
    session.type("\x03")
    session.finish()
    assert re.search(r"[^-]\becho\b", session.shown), session.shown
    assert not docker_config(home).exists()


def test_without_a_terminal(registryfs, address, binary, home):
    result = subprocess.run(
        [binary, "login", address], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, start_new_session=True,
        env=home.environment())
    assert_fails(result, "--username and --password-stdin.*no terminal")


# Checked before it is stored.

def test_a_wrong_password_is_not_stored(login, address, home):
    assert_fails(login(password=WRONG), f"{address} refuses .* password")
    assert not docker_config(home).exists()


def test_a_wrong_password_replaces_nothing(login, home):
    assert login().returncode == 0
    before = docker_config(home).read_text()
    login(password=WRONG)
    assert docker_config(home).read_text() == before


@pytest.mark.parametrize("words, sentence", [
    (["login"], "needs the host"), (["logout"], "needs the host"),
    (["login", "a", "b"], "needs the host"),
    (["login", "-p", "x", "{}"], "--password-stdin"),
    (["login", "--password=x", "{}"], "--password-stdin"),
    (["login", "-u", "x", "--password", "x", "{}"], "is no argument"),
    (["login", "--foo", "{}"], "unknown option --foo; .*login --help"),
    (["logout", "-u", "x", "{}"], "unknown option -u"),
    (["login", "{}", "--authfile"], "--authfile needs a value"),
    (["login", "--password-stdin", "{}"],
     "--password-stdin needs --username"),
    (["login", "-u", "x", "--password-stdin", "{}"], "password is empty"),
    (["login", "{}/app"], "more than the host of a registry: use localhost"),
    (["logout", "{}/app"], "more than the host of a registry: use localhost"),
    (["login", "localhost:1"], "refused"),
    (["login", "ftp://{}"], "use localhost")])
def test_words_that_are_refused(registryfs, address, words, sentence):
    assert_fails(registryfs(*(word.format(address) for word in words)),
                 sentence)


def test_a_registry_that_asks_for_none(login, make_registry, home):
    host = make_registry().address
    result = login(host=host)
    assert result.returncode == 0
    assert "asks for no credentials" in result.stdout
    assert host in stored(docker_config(home))


# An identity token in the place of the password.

@pytest.mark.parametrize("helper", [False, True])
def test_an_identity_token(login, make_registry, home, mount, tmp_path,
                           helper):
    with TokenServer(tmp_path / "tokens", {USER: PASSWORD}) as server:
        server.offline_token = "for the long run"
        server.refresh_tokens[server.offline_token] = USER
        registry = make_registry(auth=server)
        if helper:
            kept = home.credential_store("st")
            home.docker_config({"credsStore": "st"})
        assert login(host=registry.address).returncode == 0
        text = docker_config(home).read_text()
        if helper:
            text = kept.read_text()
            assert '"<token>"' in text
        assert server.offline_token in text
        assert PASSWORD not in text
        IMAGE.push(registry.client(token=server.token(
            USER, "repository:app:pull,push")), "app", "1.0")
        server.users = {}
        assert os.listdir(mount(registry) / "app") == ["1.0"]


# The file.

def test_what_else_is_in_the_file_stays(login, registryfs, address, home):
    document = {"HttpHeaders": {"X": "y"}, "detachKeys": "ctrl-e,e",
                "auths": {"other.io": {"auth": "dTox", "email": "e"}}}
    path = home.docker_config(document)
    path.chmod(0o644)
    assert login().returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert registryfs("logout", address).returncode == 0
    assert json.loads(path.read_text()) == document
    assert os.listdir(path.parent) == ["config.json"]


def test_an_authfile(login, registryfs, home, mount, registry, tmp_path):
    path = tmp_path / "new/auth.json"
    assert login("--authfile", path).returncode == 0
    assert not docker_config(home).exists()
    root = mount(registry, f"authfile={path}")
    assert os.listdir(root / "app") == ["1.0"]
    result = registryfs("logout", f"--authfile={path}", registry.address)
    assert f"removed from {path}" in result.stdout
    assert stored(path) == {}


def test_the_file_of_a_variable(login, registryfs, address, tmp_path):
    path = tmp_path / "only.json"
    more = {"REGISTRY_AUTH_FILE": str(path)}
    assert login(**more).returncode == 0
    assert address in stored(path)
    assert registryfs("logout", address, **more).returncode == 0
    assert stored(path) == {}


def test_a_variable_that_comes_first(login, address, home):
    config = json.dumps(auth_document(address, USER, WRONG))
    assert_fails(login(DOCKER_AUTH_CONFIG=config),
                 "DOCKER_AUTH_CONFIG .* come first: unset it")


def test_a_broken_file_is_left(login, home):
    path = home.docker_config({})
    path.write_text("{ no JSON")
    assert_fails(login(), f"not stored: {path}: not JSON")
    assert path.read_text() == "{ no JSON"


def test_nobody_was_logged_in(registryfs, address):
    result = registryfs("logout", address)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"Nobody was logged in to {address}\n"


# Mounts that are there.

def test_mounts_obey(mount, registry, login, registryfs, address):
    root = mount(registry, "tag_ttl=0")
    root.expect_error("log in|credentials")
    with pytest.raises(PermissionError):
        os.listdir(root / "app")
    assert login().returncode == 0
    assert os.listdir(root / "app") == ["1.0"]
    assert registryfs("logout", address).returncode == 0
    with pytest.raises(PermissionError):
        os.listdir(root / "app")


# Shared with the others.

class Tool:
    def __init__(self, name, home, address):
        self.name, self.home, self.address = name, home, address

    def run(self, *words, **more):
        return run(self.name, *words, check=False,
                   env=self.home.environment(), **more)

    def login(self):
        return self.run("login", "--tls-verify=false", "-u", USER, "-p",
                        PASSWORD, self.address)

    def logout(self):
        return self.run("logout", self.address)

    def can_read(self):
        return run("skopeo", "inspect", "--tls-verify=false",
                   f"docker://{self.address}/app:1.0", check=False,
                   env=self.home.environment()).returncode == 0


class DockerClient(Tool):
    """Its login needs no engine in later releases; here it has one. Where pass
    is installed, and no file says otherwise, that would be its store: so it
    finds the programs of this home alone."""

    def __init__(self, home, address, engine):
        super().__init__("docker", home, address)
        self.engine = engine

    def run(self, *words, **more):
        environment = self.home.environment(PATH=str(self.home.bin))
        return self.engine(*words, check=False, env=environment, **more)

    def login(self):
        return self.run("login", "-u", USER, "--password-stdin", self.address,
                        stdin=None, input=PASSWORD)

    def can_read(self):
        """It does not read the manifest's type, but is let in."""
        answer = self.run("manifest", "inspect", "--insecure",
                          f"{self.address}/app:1.0")
        return "no basic auth credentials" not in answer.stderr


@pytest.fixture(params=["podman", "skopeo", "docker"])
def tool(request, home, address):
    if request.param == "docker":
        return DockerClient(home, address, request.getfixturevalue("docker"))
    return Tool(request.param, home, address)


@pytest.fixture(params=["nothing", "containers", "docker", "helper"])
def before(request, home, address):
    """What the user has in files."""
    if request.param == "containers":
        home.containers_auth({})
    elif request.param == "docker":
        home.docker_config({"detachKeys": "ctrl-e,e"})
    elif request.param == "helper":
        home.credential_store("st")
        home.docker_config({"credHelpers": {address: "st"}})
    return request.param


def pairs(*said):
    """Tools, and what is there before: "podman skopeo: nothing helper"."""
    return pytest.mark.parametrize("tool, before", [
        (tool, before) for text in said
        for tool in text.split(":")[0].split()
        for before in text.split(":")[1].split()], indirect=True)


# docker does not read podman's file.
@pairs("podman skopeo: nothing containers docker helper",
       "docker: nothing docker helper")
def test_others_see_our_login(tool, before, login, registryfs, address):
    assert not tool.can_read()
    assert login().returncode == 0
    assert tool.can_read()
    assert registryfs("logout", address).returncode == 0
    assert not tool.can_read()


# Each removes what is in its own file.
@pairs("podman skopeo: containers", "docker: nothing docker helper")
def test_others_log_our_user_out(tool, before, login, mount, registry):
    login()
    root = mount(registry, "tag_ttl=0")
    assert os.listdir(root / "app") == ["1.0"]
    assert tool.logout().returncode == 0
    root.expect_error("log in|credentials")
    with pytest.raises(PermissionError):
        os.listdir(root / "app")


def test_we_see_their_login(tool, before, registryfs, mount, registry,
                            address):
    result = tool.login()
    assert result.returncode == 0, result.stderr
    root = mount(registry, "tag_ttl=0")
    assert os.listdir(root / "app") == ["1.0"]
    result = registryfs("logout", address)
    assert "Logged out of" in result.stdout
    assert not tool.can_read()
    root.expect_error("log in|credentials")
    with pytest.raises(PermissionError):
        os.listdir(root / "app")


def test_ours_takes_the_place_of_theirs(tool, before, login, home, registry,
                                        mount):
    tool.login()
    assert login(user=USER).returncode == 0
    assert os.listdir(mount(registry) / "app") == ["1.0"]
    files = [path for path in (docker_config(home),
                               home.runtime / "containers/auth.json")
             if path.exists() and stored(path).get(registry.address)]
    in_helper = before == "helper" and tool.name == "docker"
    assert len(files) == (not in_helper)
