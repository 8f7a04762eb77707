# SPDX-License-Identifier: Apache-2.0
"""The command line: help, and what it refuses before anything is mounted."""

import os
import re
import shutil
import socket
from pathlib import Path

import pytest

from registry.proxy import Proxy
from registry.static import StaticRegistry
from registry.tls import Authority
from support.daemon import discard_mount
from support.system import mount_entry, run

SOURCE = Path(__file__).parents[2]
SCREEN_LINES, SCREEN_COLUMNS = 38, 80


@pytest.fixture
def registryfs(binary, home, tmp_path):
    """Runs the command to its end."""
    def execute(*arguments):
        return run(binary, *arguments, check=False, env=home.environment(),
                   cwd=tmp_path)
    return execute


@pytest.fixture
def mountpoint(tmp_path):
    path = tmp_path / "mnt"
    path.mkdir()
    yield path
    discard_mount(path)


@pytest.fixture
def refused(registryfs, mountpoint):
    """Runs the command, which has to fail with one sentence."""
    def execute(sentence, *arguments):
        result = registryfs(*arguments)
        lines = result.stderr.splitlines()
        assert result.returncode == 1, result
        assert result.stdout == ""
        assert len(lines) == 1, lines
        assert lines[0].startswith("registryfs: ")
        assert re.search(sentence, lines[0]), lines[0]
        assert mount_entry(mountpoint) is None
    return execute


def test_version(registryfs):
    result = registryfs("--version")
    assert result.returncode == 0
    assert re.search(r"^registryfs \d+\.\d+", result.stdout)


def test_help_is_one_screen(registryfs):
    result = registryfs("--help")
    lines = result.stdout.splitlines()
    assert result.returncode == 0
    assert ("registryfs [OPTIONS] [REGISTRY|oci:DIR|oci-archive:FILE]... "
            "MOUNTPOINT" in result.stdout)
    assert len(lines) <= SCREEN_LINES
    assert max(map(len, lines)) <= SCREEN_COLUMNS


def read_options(registryfs):
    """{word: (argument, values)} that completions offer after -o."""
    lines = registryfs("--list-options").stdout.splitlines()
    words = [line.split("\t") for line in lines]
    assert words and all(len(fields) == 4 for fields in words)
    return {word: (argument, values.split())
            for word, argument, values, _ in words}


def test_help_names_every_option(registryfs):
    page = registryfs("--help").stdout
    for word, (argument, _) in read_options(registryfs).items():
        name = word.rstrip("=")
        assert re.search(rf"^ .*\b{name}\b", page, re.M), word
        assert argument in page


def test_the_manual_lists_every_option(registryfs):
    """Each of those and no other, in the list of -o."""
    page = (SOURCE / "fs/registryfs.1").read_text()
    start = page.index(".It Fl o Ar option")
    items = re.findall(r"^\.It Cm (.*)$",
                       page[start:page.index(".It Fl Fl version")], re.M)
    named = {name for item in items
             for name in re.findall(r"[a-z_]+",
                                    re.sub(r"Ns.*|=\S+", "", item))}
    assert named == {word.rstrip("=") for word in read_options(registryfs)}


def test_the_manual_lists_every_option_of_a_command(registryfs):
    page = (SOURCE / "fs/registryfs.1").read_text()
    lines = registryfs("--list-commands").stdout.splitlines()
    words = [line.split("\t") for line in lines]
    assert words and all(len(fields) == 4 for fields in words)
    for command in {fields[0] for fields in words}:
        start = page.index(f"\n.It Cm {command} ")
        item = page[start:page.index(".El", start)]
        named = set(re.findall(r"^\.It Fl.* Fl Fl ([a-z-]+)"
                               r"|^\.It Fl Fl ([a-z-]+)", item, re.M))
        assert {a or b for a, b in named} == {
            fields[1].strip("-=") for fields in words
            if fields[0] == command and fields[1]}


def test_every_word_that_is_offered_is_taken(registryfs, tmp_path):
    values = {"DIR": str(tmp_path), "FILE": os.devnull, "BYTES": "1M",
              "SECONDS": "5", "SECONDS[:GLOB]": "5:a/*",
              "[ADDRESS:]PORT": "[::1]:5000", "COMMAND": "true"}
    for word, (argument, choices) in read_options(registryfs).items():
        for value in choices or [values.get(argument, "")]:
            result = registryfs("-o", f"{word}{value}", "--version")
            assert result.returncode == 0, (word, value, result.stderr)


# What bash-completion's function of this name gives.
COMPLETE = """
    . "$1"; shift
    line=("$@")
    _init_completion() {
        words=("${line[@]}") cword=$((${#line[@]} - 1))
        cur=${words[cword]} prev=${words[cword - 1]}
    }
    compopt() { :; }
    _registryfs
    printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("word, offered", [
    ("tag", ["tag_ttl="]),
    ("ro,no_", ["ro,no_stale", "ro,no_squash"]),
    ("compression=z", ["zstd", "zstd:chunked"]),
    ("delete=", ["recursive"]),
    ("cache=/dev/sh", ["/dev/shm"]),
])
def test_bash_completes_options(binary, word, offered):
    script = SOURCE / "fs/completion/registryfs.bash"
    result = run("bash", "-c", COMPLETE, "bash", script, binary, "-o", word)
    assert result.stdout.split() == offered, result.stderr


COMMANDS = [
    (["log"], ["login", "logout"]),
    (["login", "--p"], ["--password-stdin"]),
    (["login", "--auth"], ["--authfile="]),
    (["login", "localhost:5000", "--us"], ["--username="]),
    (["logout", "--insec"], []),
]


@pytest.mark.parametrize("line, offered", COMMANDS)
def test_bash_completes_commands(binary, line, offered):
    script = SOURCE / "fs/completion/registryfs.bash"
    result = run("bash", "-c", COMPLETE, "bash", script, binary, *line)
    assert result.stdout.split() == offered, result.stderr


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
@pytest.mark.parametrize("line, offered", COMMANDS)
def test_fish_completes_commands(binary, home, line, offered):
    script = SOURCE / "fs/completion/registryfs.fish"
    (home.bin / "registryfs").symlink_to(binary)
    result = run("fish", "-c", f"source {script}; "
                 f"complete -C 'registryfs {' '.join(line)}'",
                 env=home.environment(), cwd=home.path)
    assert [line.split()[0] for line in result.stdout.splitlines()
            ] == offered, result.stderr


def test_without_arguments(registryfs):
    result = registryfs()
    assert result.returncode != 0
    assert "registryfs" in result.stderr


@pytest.mark.parametrize("option", [
    "no_such_option", "tag_ttl=soon", "tag_ttl=-1", "cache_size=much",
    "cache=", "timeout=never", "min_rate=0", "platform=linux",
    "compression=xz", "compression=zstd:23", "compression=gzip:best"])
def test_bad_option(refused, registry, mountpoint, option):
    name = option.split("=")[0]
    refused(name, "-o", option, registry.address, mountpoint)


@pytest.mark.parametrize("option, sentence", [
    ("timeout", "the option timeout needs a value: timeout=SECONDS"),
    ("ro=1", "the option ro takes no value"),
    ("insecure=no", "the option insecure takes no value"),
    ("cache=", "cache= needs a directory"),
    ("delete=yes", "delete=yes: must be delete or delete=recursive"),
    ("min_rate=0", "min_rate=0: must be at least 1")])
def test_a_value_too_few_or_too_many(refused, registry, mountpoint, option,
                                     sentence):
    refused(sentence, "-o", option, registry.address, mountpoint)


@pytest.mark.parametrize("word", ["-x", "--foo"])
def test_an_unknown_word(refused, registry, mountpoint, word):
    refused(f"unknown option {word};", word, registry.address, mountpoint)


def test_a_password_in_the_address_is_not_repeated(registryfs, registry,
                                                   mountpoint):
    result = registryfs(f"http://kim:secret@{registry.address}", mountpoint)
    assert result.returncode == 1
    assert ("a registry's address cannot have a user or a password"
            in result.stderr)
    assert "registryfs login" in result.stderr
    assert "secret" not in result.stderr


@pytest.mark.parametrize("content", [None, "nobody:x:1000:1000::/:/bin/sh\n"])
def test_a_file_that_has_no_credentials(refused, registry, mountpoint, tmp_path,
                                        content):
    path = tmp_path / "auth"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    refused(f"auth file {path}", "-o", f"authfile={path}", registry.address,
            mountpoint)


@pytest.mark.parametrize("address, sentence", [
    ("unix:///run/docker.sock", "type HOST or HOST:PORT"),
    ("ftp://{}", "begins with a scheme that registries do not use"),
    ("docker://{}", "type {}$"), ("oci://{}", "type {}$"),
    ("docker-archive:x.tar", "HOST:PORT"), ("{}:x", "no valid port"),
    ("http://{}/v2/_catalog", r"type HOST\[:PORT\], or .*/NAME"),
    ("https://{}/v2/", "does not speak TLS: type http:// before")])
def test_bad_address(refused, registry, mountpoint, address, sentence):
    refused(sentence.format(registry.address),
            address.format(registry.address), mountpoint)


def test_a_client_certificate_is_missing(refused, registry, mountpoint,
                                         tmp_path):
    """Servers say so in the handshake, and nginx after it."""
    certificate = Authority(tmp_path / "ca").issue("localhost")
    with StaticRegistry(tmp_path / "web", verify=certificate) as server:
        refused(f"{server.address} asks for a client certificate: put one as "
                "client.cert, .*certs.d/", "-o", "insecure", server.address,
                mountpoint)


def test_bad_debug_topic(refused, registry, mountpoint):
    refused("nonsense", "--debug=nonsense", registry.address, mountpoint)


def test_no_registry_listens(refused, mountpoint):
    # Bound and not listening: refused, and nobody else can take the port.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        refused(f"{address}.*[Cc]onnection refused", address, mountpoint)


def test_what_listens_says_nothing(refused, mountpoint):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        refused(f"{address}.*(time|answer)", "-o", "timeout=1", address,
                mountpoint)


def test_what_answers_is_no_registry(refused, mountpoint):
    with Proxy() as web_server:
        refused(f"no registry.*{web_server.address}", web_server.address,
                mountpoint)


def test_no_tls_where_https_is_asked_for(refused, registry, mountpoint):
    refused(f"{registry.address}.*(TLS|SSL)", f"https://{registry.address}",
            mountpoint)


@pytest.mark.parametrize("address", ["", "local host:5000", "localhost:port",
                                     "localhost:99999"])
def test_bad_address(refused, mountpoint, address):
    refused(re.escape(address) + ".*(address|host|port|registry)", address,
            mountpoint)


def test_mountpoint_does_not_exist(refused, registry, tmp_path):
    path = tmp_path / "absent"
    refused(f"{path}.*No such file", registry.address, path)


def test_mountpoint_is_a_file(refused, registry, tmp_path):
    path = tmp_path / "file"
    path.touch()
    refused(f"{path}.*(not|no) a? ?director", registry.address, path)


def test_mountpoint_is_already_mounted(mount, registry, registryfs):
    first = mount(registry)
    result = registryfs(registry.address, first.path)
    assert result.returncode == 1
    assert re.search(f"^registryfs: .*{first.path}.*mounted", result.stderr)
    assert run("fusermount3", "-u", first.path).returncode == 0
    assert mount_entry(first.path) is None
    first.finish()
