# SPDX-License-Identifier: Apache-2.0
"""What docker saved and is pushed has the digest that docker push gives."""

import pytest

from support.images import DOCKER_MANIFEST
from support.system import run

TWO = """FROM {0}
COPY motd /etc/motd
LABEL a="<&>" b="ä"
"""


@pytest.fixture
def pushed(docker, registry, rootfs, tmp_path):
    """Of one layer, and of two, pushed by docker: tag → its digest."""
    name = f"{registry.address}/app"
    docker.import_rootfs(rootfs, f"{name}:one")
    (tmp_path / "Dockerfile").write_text(TWO.format(f"{name}:one"))
    (tmp_path / "motd").write_text("another\n")
    docker("build", "-q", "-t", f"{name}:two", tmp_path)
    digests = {}
    for tag in ("one", "two"):
        docker("push", "-q", f"{name}:{tag}")
        answer = registry.client().manifest("app", tag)
        assert answer.headers["Content-Type"] == DOCKER_MANIFEST
        digests[tag] = answer.headers["Docker-Content-Digest"]
    return digests


@pytest.mark.parametrize("tag", ["one", "two"])
def test_the_digest_is_dockers(mount, docker, registry, pushed, tag):
    """Where the registry has the layers: docker's gzip is its own."""
    root = mount(registry)
    (root / f"app/{tag}/config.json").read_bytes()
    save = docker.command("save", f"{registry.address}/app:{tag}")
    run("sh", "-c", '"$@" > "$0"', root / "app/saved.tar", *save)
    answer = registry.client().manifest("app", "saved")
    assert answer.body == registry.client().manifest("app", tag).body
    assert answer.headers["Docker-Content-Digest"] == pushed[tag]
