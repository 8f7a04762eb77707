# SPDX-License-Identifier: Apache-2.0
"""README.md and the man page name what the tables of the program have, and
nothing else."""

import re
from pathlib import Path

import pytest

from support import parts

SOURCE = Path(__file__).parents[2]
README = (SOURCE / "README.md").read_text()
MANUAL = (SOURCE / "fs/registryfs.1").read_text()


def read_table(path, name):
    """The text of a C array of that name."""
    text = (SOURCE / path).read_text()
    return re.search(rf"\b{name}\[\w*\] = \{{(.*?)\n\}};", text, re.S)[1]


def strings(text):
    return set(re.findall(r'"([^"]+)"', text))


def image_parts():
    names = strings(read_table("fs/grammar/image_parts.c", "image_parts"))
    return names | {"image.tar"}


def first_components(names):
    return {name.strip().split("/")[0] for name in names}


def table_below(heading):
    """The names in the first column of a table of README.md."""
    rows = README.split(heading)[1].lstrip().split("\n\n")[0].splitlines()[2:]
    return [name for row in rows
            for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def items_below(heading):
    """The items of a list of the man page."""
    part = MANUAL.split(heading)[1].split("\n.El")[0]
    return [name for item in re.findall(r"^\.It Pa (.*)$", part, re.M)
            for name in item.split(" , ")]


def test_readme_names_the_parts_of_an_image():
    assert first_components(
        table_below("In the directory of an image:")) == image_parts()


def test_the_manual_names_the_parts_of_an_image():
    assert first_components(
        items_below("In the directory of an image are:")) == image_parts()


def image_texts():
    return strings(read_table("fs/grammar/image_parts.c", "image_texts")) | {
        "layers"}


def test_readme_names_the_texts_about_an_image():
    assert first_components(
        table_below("until a tree of the image was entered):")) == image_texts()


def test_the_manual_names_the_texts_about_an_image():
    assert first_components(
        items_below("about an image of layers are made")) == image_texts()


def test_the_tests_list_the_parts_of_an_image():
    assert parts.EVERY == image_parts()


def test_readme_lists_an_image():
    """The session's `ls -l app/1.0`: what has a mode, up to the next list."""
    listing = README.split("\napp/1.0:\n")[1].split("\n\n")[0]
    listed = {line.split()[-1]: line[0] for line in listing.splitlines()[1:]}
    assert sorted(listed) == parts.IMAGE
    table = read_table("fs/grammar/image_parts.c", "image_parts")
    for name in listed:
        row = name if name != "image.tar" else "IMAGE_TAR"
        (mode,) = re.findall(rf'"?{re.escape(row)}"?, S_IF(REG|DIR)', table)
        assert listed[name] == {"REG": "-", "DIR": "d"}[mode], name


def test_readme_names_the_control_files():
    files = strings(re.sub(r'"control/[^"]*"', "",
                           read_table("fs/control/control.c", "files")))
    named = {name.split("/")[1] for name in table_below("## Reading")
             if name.startswith(".registryfs/")}
    assert named == files
    for name in files:
        assert re.search(rf"^\.It Pa .*\b{name}\b", MANUAL, re.M), name


@pytest.mark.parametrize("text", [README, MANUAL], ids=["README", "manual"])
def test_the_endings_of_archives(text):
    for ending in strings(read_table("fs/grammar/name.c", "endings")):
        assert re.search(rf"(?<!\w){re.escape(ending)}(?!\w)", text), ending
