# SPDX-License-Identifier: Apache-2.0
"""The repository's own source files, for the check-* scripts."""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACES = ("client", "fs", "include", "scripts", "tests", ".ci")
# Inputs of tests are what they are.
NOT_OURS = {"cases", "__pycache__", ".pytest_cache"}


class Source:
    """One file: its path from ROOT, its language, its lines."""

    def __init__(self, path):
        self.path = path.relative_to(ROOT)
        self.text = path.read_text(encoding="utf-8")
        self.lines = self.text.splitlines()
        self.language = self._language()

    def _language(self):
        known = {".c": "c", ".h": "c", ".py": "python", ".sh": "shell"}
        if self.path.name == "meson.build":
            return "meson"
        if self.path.suffix in known:
            return known[self.path.suffix]
        first = self.lines[0] if self.lines else ""
        if re.match(r"#!.*\bpython3?$", first):
            return "python"
        if re.match(r"#!.*\b(ba)?sh$", first):
            return "shell"
        return None


def sources():
    """Every file in a language that is checked, sorted by path."""
    found = [ROOT / "meson.build"]
    for place in PLACES:
        for folder, folders, files in os.walk(ROOT / place):
            folders[:] = [f for f in folders if f not in NOT_OURS]
            found += [pathlib.Path(folder) / f for f in files]
    checked = []
    for path in sorted(found):
        try:
            source = Source(path)
        except UnicodeDecodeError:
            continue
        if source.language:
            checked.append(source)
    return checked


def finish(problems):
    """Prints the problems, if any, and ends with the status that says so."""
    problems = list(problems)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
