# SPDX-License-Identifier: Apache-2.0
"""The command line: help, and what it refuses before anything is mounted."""

import re
import socket

import pytest

from registry.proxy import Proxy
from registry.static import StaticRegistry
from registry.tls import Authority
from support.daemon import discard_mount
from support.system import mount_entry, run

SCREEN_LINES, SCREEN_COLUMNS = 24, 80


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
    assert "registryfs [OPTIONS] REGISTRY MOUNTPOINT" in result.stdout
    assert len(lines) <= SCREEN_LINES
    assert max(map(len, lines)) <= SCREEN_COLUMNS


@pytest.mark.parametrize("option", [
    "ro", "allow_other", "cache=", "cache_size=", "tag_ttl=", "platform=",
    "compression=", "insecure", "authfile=", "timeout=", "min_rate=",
    "source_date_epoch="])
def test_help_names_every_option(registryfs, option):
    assert option in registryfs("--help").stdout


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


@pytest.mark.parametrize("address, sentence", [
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
