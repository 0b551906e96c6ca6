"""Figures as ratios: ours against a baseline of the same run, in interleaved pairs, with quartiles and an aim."""

import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

PAIRS = 5
#: What one run measured, by name; each is a cost, so less is better.
Costs = Mapping[str, float]
Run = Callable[[], Awaitable[Costs]]


@dataclass(frozen=True)
class Pair:
    """One run of ours and the run of the baseline beside it."""

    ours: float
    baseline: float

    @property
    def ratio(self) -> float:
        """How many times what the baseline costs."""
        return self.ours / self.baseline


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``aim`` is the highest ratio that is good enough, None where it is only shown."""

    case: str
    name: str
    unit: str
    pairs: tuple[Pair, ...]
    aim: float | None

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """The lower quartile, the median and the upper quartile of the ratios."""
        lower, median, upper = statistics.quantiles([pair.ratio for pair in self.pairs], n=4, method="inclusive")
        return lower, median, upper

    @property
    def ours(self) -> float:
        """The median of our costs."""
        return statistics.median(pair.ours for pair in self.pairs)

    @property
    def baseline(self) -> float:
        """The median of the baseline's costs."""
        return statistics.median(pair.baseline for pair in self.pairs)

    @property
    def verdict(self) -> str:
        """Whether the upper quartile keeps to the aim."""
        if self.aim is None:
            return "shown"
        return "holds" if self.quartiles[2] <= self.aim else "MISS"

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured."""
        return {
            "case": self.case,
            "name": self.name,
            "unit": self.unit,
            "pairs": [[pair.ours, pair.baseline] for pair in self.pairs],
            "quartiles": list(self.quartiles),
            "aim": self.aim,
            "verdict": self.verdict,
        }


async def in_pairs(ours: Run, baseline: Run, pairs: int = PAIRS) -> dict[str, tuple[Pair, ...]]:
    """Run both in turn, the first of a pair being now one and now the other, after one run of each to warm up."""
    await ours()
    await baseline()
    found: list[tuple[Costs, Costs]] = []
    for number in range(pairs):
        if number % 2:
            other = await baseline()
            mine = await ours()
        else:
            mine = await ours()
            other = await baseline()
        found.append((mine, other))
    return {name: tuple(Pair(mine[name], other[name]) for mine, other in found) for name in found[0][0]}


def percentile(values: list[float], percent: int) -> float:
    """Of many values, that below which ``percent`` of them lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
