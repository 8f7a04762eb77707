# SPDX-License-Identifier: Apache-2.0
"""An image whose manifest is lost is put again as its log says: by its archive,
under any of its names."""

import errno
import os

import pytest

from support.archives import oci_archive
from support.layers import image_of
from support.layouts import blob_path, layout_of
from support.system import fails_with, run
from support.tars import file

LOST = image_of([file("n", b"lost")])
AGAIN = image_of([file("n", b"again")])
NAMES = ["1.0.tar", "1.0", "1.0/image.tar", ":1.0.tar"]


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "app.tar"
    path.write_bytes(oci_archive([("1.0", AGAIN)]))
    return path


@pytest.fixture(params=["registry", "layout"])
def app(request, mount, tmp_path):
    """A repository whose tag 1.0 names a manifest that is not there."""
    if request.param == "registry":
        proxy = request.getfixturevalue("proxy")
        LOST.push(request.getfixturevalue("client"), "app", "1.0")
        proxy.refuses(f"/manifests/{LOST.digest}", status=404, method="GET",
                      code="MANIFEST_UNKNOWN", message="manifest unknown")
        mounted = mount(proxy, "delete")
    else:
        layout = layout_of(tmp_path / "tree/app", **{"v1_0": LOST})
        blob_path(layout, LOST.digest).unlink()
        mounted = mount(f"oci:{tmp_path}/tree", "delete")
    mounted.allow_error("although the tag names it: push the image again")
    return mounted / "app"


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_put_again(app, archive, name):
    run("cp", archive, app / name)
    assert (app / "1.0/rootfs/n").read_text() == "again"


@pytest.mark.parametrize("name", ["1.0.tar", "1.0"])
def test_a_registry_that_lost_it_with_the_tag(mount, registry, client, archive,
                                              name):
    """Debian's docker-registry says then that there is no such tag, which it
    still lists."""
    LOST.push(client, "app", "1.0")
    hex_digits = LOST.digest.split(":")[1]
    (data,) = registry.storage.rglob(f"blobs/sha256/*/{hex_digits}/data")
    data.unlink()
    app = mount(registry) / "app"
    assert os.listdir(app) == ["1.0"]
    run("cp", archive, app / name)
    assert (app / "1.0/rootfs/n").read_text() == "again"


def test_it_cannot_be_read(app, tmp_path):
    """It is there, and is no empty file."""
    for name in ("1.0.tar", "1.0/image.tar"):
        with fails_with(errno.EIO):
            (app / name).read_bytes()
        assert run("cp", app / name, tmp_path / "copy",
                   check=False).returncode
