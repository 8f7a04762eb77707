# SPDX-License-Identifier: Apache-2.0
"""What README.md tells people to type."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[3] / "README.md"


def recipe(title):
    """The commands below the paragraph that begins with **title."""
    match = re.search(r"^\*\*" + re.escape(title) + r".*?^```sh\n(.*?)^```",
                      README.read_text(), re.M | re.S)
    assert match, f"README.md has no recipe {title!r}"
    return match[1]


def session():
    """The commands of the first session, a line each."""
    block = re.search(r"^```console\n(.*?)^```", README.read_text(),
                      re.M | re.S)
    assert block, "README.md has no session"
    return re.findall(r"^\$ (.*)$", block[1], re.M)
