# SPDX-License-Identifier: Apache-2.0
"""When an image was created: whatever its config says of it."""

import os
import time

import pytest

from support.images import oci_image
from support.system import run

YEAR_1 = -62135596800

# `created` of a config, and the same as `user.oci.created` has it and as a
# file's time, in nanoseconds.
TIMES = {
    "epoch": ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0),
    "before the epoch": ("1969-12-31T23:59:58.5Z", "1969-12-31T23:59:58Z",
                         -1_500_000_000),
    "year 1": ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
               YEAR_1 * 10**9),
    "year 999": ("0999-06-01T00:00:00Z", "0999-06-01T00:00:00Z",
                 -30628713600 * 10**9),
    "year 9999": ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z",
                  253402300799 * 10**9),
    "zone": ("2020-01-01T00:00:00+02:00", "2019-12-31T22:00:00Z",
             1577829600 * 10**9),
    "zone of half an hour": ("2020-01-01T00:00:00-11:30",
                             "2020-01-01T11:30:00Z", 1577878200 * 10**9),
    "fraction": ("2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00Z",
                 1577836800_123456789),
    "lower case": ("2020-01-01t00:00:00z", "2020-01-01T00:00:00Z",
                   1577836800 * 10**9),
    "leap second": ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z",
                    1483228800 * 10**9),
}

UNREADABLE = {
    "no zone": "2020-01-01T00:00:00", "a date": "2020-01-01",
    "30 February": "2020-02-30T00:00:00Z", "words": "yesterday", "empty": "",
    "year 10000": "9999-12-31T23:59:59-01:00"}

PARTS = ("manifest.json", "config.json", "layers", "layers/01.tar.gz",
         "image.tar")


@pytest.mark.parametrize("created, printed, nanoseconds", TIMES.values(),
                         ids=TIMES.keys())
def test_it_is_shown(mount, registry, client, created, printed, nanoseconds):
    oci_image(created=created).push(client, "app", "1.0")
    directory = mount(registry) / "app/1.0"
    assert os.getxattr(directory, "user.oci.created").decode() == printed
    for part in PARTS:
        assert os.stat(directory / part).st_mtime_ns == nanoseconds, part
    read = run("date", "-u", "-d", printed, "+%s").stdout
    assert int(read) == nanoseconds // 10**9


@pytest.mark.parametrize("created", [*UNREADABLE.values(), None],
                         ids=[*UNREADABLE.keys(), "none"])
def test_it_cannot_be_read(mount, registry, client, created):
    """The files then have the mount's time."""
    oci_image(created=created).push(client, "app", "1.0")
    before = int(time.time())
    directory = mount(registry) / "app/1.0"
    assert "user.oci.created" not in os.listxattr(directory)
    for part in PARTS:
        assert before <= os.stat(directory / part).st_mtime <= time.time()


def test_images_of_the_epoch_made_here(mount, registry, tmp_path):
    root = mount(registry, "source_date_epoch=0")
    (root / "app/.new").mkdir(parents=True)
    (root / "app/.new/file").write_bytes(b"content")
    (root / "app/.new").rename(root / "app/1.0")
    directory = root / "app/1.0"
    assert os.getxattr(directory, "user.oci.created") == (
        b"1970-01-01T00:00:00Z")
    assert os.stat(directory / "manifest.json").st_mtime == 0
