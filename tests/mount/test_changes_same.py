# SPDX-License-Identifier: Apache-2.0
"""Documents of an image that are written as they stand: nothing changes."""

import json

import pytest

from support.images import index_of, oci_image, platform_images
from support.system import run
from support.tags import IMAGE, digests

INDEX = index_of(platform_images())


@pytest.mark.parametrize("image", [IMAGE, INDEX,
                                   oci_image(annotations={"a": "b"})],
                         ids=["image", "index", "annotated"])
@pytest.mark.parametrize("name", ["config.json", "manifest.json"])
def test_the_same_bytes_change_nothing(mount, proxy, client, tmp_path, image,
                                       name):
    # Printed in a way that is not ours.
    pretty = json.dumps(json.loads(image.data), indent=3).encode()
    image.push(client, "app", "first")
    client.put_manifest("app", "1.0", pretty, image.media_type)
    app = mount(proxy) / "app"
    before = digests(client, "app")
    path = app / "1.0" / name
    (tmp_path / name).write_bytes(path.read_bytes())
    with proxy.requests() as seen:
        run("cp", tmp_path / name, path)
    assert seen.count("PUT") == 0
    assert digests(client, "app") == before
    assert path.read_bytes() == (tmp_path / name).read_bytes()
