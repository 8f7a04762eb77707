# SPDX-License-Identifier: Apache-2.0
"""Short names of images, in a mount of all hosts, as registries.conf has
them."""

import errno
import os

import pytest

from support.system import fails_with
from support.tags import IMAGE


@pytest.fixture
def conf(home):
    """Writes the user's registries.conf."""
    path = home.path / ".config/containers/registries.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_text


def test_an_alias_is_a_link(mount, registry, client, conf):
    IMAGE.push(client, "team/app", "1.0")
    conf(f'[aliases]\n"app" = "{registry.address}/team/app"\n')
    mounted = mount(())
    assert os.readlink(mounted / "app") == f"{registry.address}/team/app"
    assert (mounted / "app/1.0/rootfs/etc/motd").read_bytes() == b"1\n"
    # It is looked up, and not listed.
    assert "app" not in os.listdir(mounted.path)


def test_a_file_that_is_read_later_goes_before(mount, registry, conf, home):
    conf('[aliases]\n"app" = "docker.io/library/app"\n'
         '"gone" = "docker.io/library/gone"\n')
    drop_in = home.path / ".config/containers/registries.conf.d/mine.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(f'[aliases]\n"app" = "{registry.address}/app"\n'
                       '"gone" = ""\n')
    mounted = mount(())
    assert os.readlink(mounted / "app") == f"{registry.address}/app"
    with fails_with(errno.ENOENT):
        os.stat(mounted / "gone")


def test_what_has_no_alias_is_asked_of_nobody(mount, conf):
    conf('unqualified-search-registries = ["127.0.0.1:1"]\n')
    with fails_with(errno.ENOENT):
        os.stat(mount(()) / "app")


def test_of_named_sources_there_are_none(mount, make_registry, conf):
    registries = [make_registry() for _ in range(2)]
    conf(f'[aliases]\n"app" = "{registries[0].address}/app"\n')
    with fails_with(errno.ENOENT):
        os.stat(mount(registries) / "app")
