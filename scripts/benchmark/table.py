# SPDX-License-Identifier: Apache-2.0
"""Rows of figures, and the table that they make."""

import statistics
from dataclasses import dataclass, field

HEAD = ("what", "registryfs", "against", "", "ratio", "goal", "requests")


@dataclass(frozen=True)
class Sample:
    """One measurement; where no registry is asked, the rest is None."""
    value: float
    requests: int | None = None
    wire: int | None = None  # bytes to and from it


@dataclass
class Row:
    """Samples of ours and of the peer's, taken in turns; none of a peer's that
    is not installed.

    goal is what the ratio of their medians may be; None where there is none.
    """
    what: str
    peer_is: str
    goal: float | None
    unit: str = "s"
    ours: list = field(default_factory=list)
    peer: list = field(default_factory=list)

    def wire(self, goal=None):
        """What the same runs have sent and received."""
        return Row("its bytes on the wire", self.peer_is, goal, "MB",
                   megabytes(self.ours), megabytes(self.peer))

    def cells(self):
        return (self.what, self._spread(self.ours), self.peer_is,
                self._spread(self.peer), self._ratio(),
                f"≤ {self.goal:g}" if self.goal else "",
                f"{requests(self.ours)} / {requests(self.peer)}")

    def _ratio(self):
        if not self.peer:
            return "–"
        return verdict(median(self.ours) / median(self.peer), self.goal)

    def _spread(self, samples):
        if not samples:
            return "not installed"
        values = [sample.value for sample in samples]
        low, high = figure(min(values)), figure(max(values))
        spread = f" ({low}–{high})" if low != high else ""
        return f"{figure(median(samples))} {self.unit}{spread}"


@dataclass
class Limit:
    """A figure that is compared with no peer's, but has its limit."""
    what: str
    value: float
    limit: float
    unit: str

    def cells(self):
        reached = f"{figure(self.value)} {self.unit}"
        return (self.what, reached, "", "",
                verdict(self.value / self.limit, 1),
                f"≤ {self.limit:g} {self.unit}", "")


def median(samples):
    return statistics.median(sample.value for sample in samples)


def megabytes(samples):
    return [Sample(sample.wire / 1e6) for sample in samples]


def requests(samples):
    """Of the last run: the first may have had to ask for more."""
    count = samples[-1].requests if samples else None
    return "–" if count is None else count


def verdict(ratio, goal):
    """The ratio, in bold where it misses the goal."""
    text = figure(ratio)
    return f"**{text}**" if goal and ratio > goal else text


def figure(value):
    """Three digits that count, and no more than three behind the point."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def markdown(rows):
    lines = [HEAD, ("---", "--:", "---", "--:", "--:", "--:", "--:")]
    lines += [row.cells() for row in rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)
