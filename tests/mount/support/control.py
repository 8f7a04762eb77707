# SPDX-License-Identifier: Apache-2.0
"""The mount's own files, as programs read them."""

import json
import re
import subprocess
from contextlib import contextmanager
from datetime import datetime, timezone

from registry.process import wait_until
from support.metrics import parse_metrics


def status(mounted):
    return json.loads((mounted / ".registryfs/status.json").read_bytes())


def metrics(mounted):
    """{(name, labels but for the mount point, which all have): value}"""
    parsed = parse_metrics((mounted / ".registryfs/metrics").read_bytes())
    label = ("mountpoint", str(mounted.path))
    assert all(label in labels for _, labels in parsed)
    return {(name, tuple(other for other in labels if other != label)): value
            for (name, labels), value in parsed.items()}


def events(mounted):
    text = (mounted / ".registryfs/events").read_text()
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def names(seen):
    return [event["event"] for event in seen]


def is_recent(text):
    """A time of RFC 3339, in UTC, of the last minutes."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    then = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return 0 <= (datetime.now(timezone.utc) - then).total_seconds() < 600


class Follower:
    """What `tail -f` has printed so far."""

    def __init__(self, output):
        self._output = output

    def lines(self):
        """Without one that has not ended."""
        return self._output.read_text().split("\n")[:-1]

    def events(self):
        return [json.loads(line) for line in self.lines()]

    def wait_for(self, name, **fields):
        """The first event of that name that has these fields."""
        wanted = {"event": name} | fields

        def found():
            return next((event for event in self.events()
                         if wanted.items() <= event.items()), None)
        try:
            return wait_until(found, f"{wanted}")
        except TimeoutError as late:
            raise TimeoutError(f"{late}: {self.events()}") from None


@contextmanager
def following(mounted, directory, option="-f"):
    """tail -f of the events, from their start."""
    output = directory / "followed"
    with open(output, "wb") as out, subprocess.Popen(
            ["tail", "-n", "+1", "-s", "0.05", option,
             mounted / ".registryfs/events"],
            stdout=out, stderr=subprocess.DEVNULL) as tail:
        try:
            yield Follower(output)
        finally:
            tail.kill()
