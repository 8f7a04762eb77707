# SPDX-License-Identifier: Apache-2.0
"""README's session works as it is typed, by an ordinary user."""

from conftest import APP, MOTD
from support.daemon import discard_mount
from support.readme import session

# A login shell's on Debian: what is in sbin is for root.
PATH = "/usr/local/bin:/usr/bin:/bin"


def test_the_session(registry, binary, podman_with_app, other_user):
    home = other_user.new_directory()
    podman_with_app("save", "-q", "-o", home / "app.tar", APP)
    program = other_user.copy_in(binary).rename(home / "registryfs")
    other_user.own(home)
    # docker's engine is root's, and has other tests.
    typed = [line.replace("localhost:5000", registry.address)
             for line in session() if not line.startswith("docker ")]
    try:
        result = other_user.run(
            "bash", "-euxo", "pipefail", "-c", "\n".join(typed),
            env={"HOME": str(home), "PATH": f"{program.parent}:{PATH}"})
    finally:
        discard_mount(home / "registry")
    assert MOTD in result.stdout
    assert 'user.oci.reference="' + registry.address in result.stdout
    # In the order of the registry's disk.
    tags = registry.client().get("/v2/app/tags/list").json()["tags"]
    assert sorted(tags) == ["1.0", "stable"]
