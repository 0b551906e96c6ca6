"""The mathematics of a hold-out: the difference between two arms, how sure it is, and whether the draw was fair.

Pure functions of counts and sums. A stratum is a part of the people among whom the same share was held out; arms are
compared inside each and put together by size, so that a share that changed, while orders rose or fell, misleads nobody.
"""

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

#: The 97.5th and the 80th percentile of the normal distribution: 95 % intervals, and power of 80 %.
Z95 = 1.959963984540054
Z80 = 0.8416212335729143
RESAMPLES = 2000
FEWEST_RESAMPLES = 500
#: Draws of one bootstrap; with more buyers than fit, fewer resamples do, since sums of many are smooth.
MOST_DRAWS = 20_000_000
#: Below this the draw is taken to be broken: one false alarm in a thousand fair ones.
UNFAIR = 0.001
#: What is beyond this is only called many.
MANY = 1_000_000


@dataclass(frozen=True)
class Interval:
    """A difference, and the 95 % interval around it."""

    estimate: float
    low: float
    high: float

    @property
    def spans_zero(self) -> bool:
        """Whether nothing at all, or the opposite, may be true as well."""
        return self.low <= 0 <= self.high

    def times(self, factor: float) -> "Interval":
        """The same for ``factor`` people instead of one."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Arm:
    """People of one arm, how many of them ordered, and what those spent, each a sum in minor units."""

    people: int
    buyers: int = 0
    spent: tuple[int, ...] = ()

    @property
    def rate(self) -> float:
        """The share of people who ordered."""
        return self.buyers / self.people


@dataclass(frozen=True)
class Stratum:
    """The two arms among whom the same share (0–1; None: not known) was held out."""

    treated: Arm
    held: Arm
    share: float | None = None

    @property
    def people(self) -> int:
        return self.treated.people + self.held.people

    @property
    def is_comparable(self) -> bool:
        """Whether there is somebody in both arms."""
        return self.treated.people > 0 and self.held.people > 0


def wilson(successes: int, people: int) -> tuple[float, float]:
    """The 95 % interval of a rate by Wilson's score method, which also works for rates near 0 and few people."""
    rate, z2 = successes / people, Z95 * Z95
    middle = (rate + z2 / (2 * people)) / (1 + z2 / people)
    half = Z95 * math.sqrt(rate * (1 - rate) / people + z2 / (4 * people * people)) / (1 + z2 / people)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate_difference(strata: Sequence[Stratum]) -> Interval | None:
    """By how much more of the treated ordered; None when nothing can be compared.

    Newcombe's hybrid score interval (method 10 of 1998) for one stratum; for several its extension by MOVER (Zou and
    Donner 2008): the squared distances to the Wilson limits add up, each by the square of its stratum's weight.
    """
    estimate, below, above = 0.0, 0.0, 0.0
    for weight, stratum in _weighted(strata):
        for sign, arm in ((1, stratum.treated), (-1, stratum.held)):
            low, high = wilson(arm.buyers, arm.people)
            down, up = weight * (arm.rate - low), weight * (high - arm.rate)
            if sign < 0:
                down, up = up, down
            estimate += sign * weight * arm.rate
            below, above = below + down * down, above + up * up
    if not any(stratum.is_comparable for stratum in strata):
        return None
    return Interval(estimate, max(-1.0, estimate - math.sqrt(below)), min(1.0, estimate + math.sqrt(above)))


def revenue_difference(strata: Sequence[Stratum], seed: int = 1, resamples: int = RESAMPLES) -> Interval | None:
    """By how much more the treated spent each, in minor units; None when nothing can be compared.

    A percentile bootstrap: people are drawn anew with replacement inside each arm of each stratum. Money is too skewed
    for a formula: a few large orders decide.
    """
    weighted = _weighted(strata)
    if not weighted:
        return None
    buyers = sum(len(arm.spent) for _, stratum in weighted for arm in (stratum.treated, stratum.held))
    resamples = min(resamples, max(FEWEST_RESAMPLES, MOST_DRAWS // max(buyers, 1)))
    # Seeded: the same data must give the same answer.
    generator = random.Random(seed)  # noqa: S311
    estimate, drawn = 0.0, [0.0] * resamples
    for weight, stratum in weighted:
        for factor, arm in ((weight, stratum.treated), (-weight, stratum.held)):
            estimate += factor * sum(arm.spent) / arm.people
            for index, total in enumerate(_redraw(generator, arm, resamples)):
                drawn[index] += factor * total / arm.people
    drawn.sort()
    return Interval(estimate, _quantile(drawn, 0.025), _quantile(drawn, 0.975))


def more_people(difference: Interval, people: int) -> int | None:
    """About how many people more would show this difference, if it is really as seen, in 4 of 5 such experiments.

    The standard error falls with the root of the number of people, and a difference is seen with a power of 80 % when
    it is 2.80 (1.96 + 0.84) standard errors. None: more than anybody will wait for.
    """
    if difference.estimate == 0:
        return None
    needed = people * (smallest_visible(difference) / abs(difference.estimate)) ** 2
    return max(0, round(needed) - people) if needed < MANY else None


def smallest_visible(difference: Interval) -> float:
    """The true difference that an experiment as sure as this one would show in 4 of 5 cases."""
    return (Z95 + Z80) * (difference.high - difference.low) / (2 * Z95)


def fairness(strata: Sequence[Stratum]) -> float | None:
    """How likely a fair draw is to be at least this far from the shares that were set; None when no share is known.

    An exact binomial test for each share, and the worst one counts as often as there are shares (Bonferroni).
    """
    chances = [
        _two_sided(stratum.held.people, stratum.people, stratum.share)
        for stratum in strata
        if stratum.share is not None and 0 < stratum.share < 1 and stratum.people
    ]
    return min(1.0, min(chances) * len(chances)) if chances else None


def _weighted(strata: Sequence[Stratum]) -> list[tuple[float, Stratum]]:
    """The strata that can be compared, each with its part of all their people."""
    comparable = [stratum for stratum in strata if stratum.is_comparable]
    people = sum(stratum.people for stratum in comparable)
    return [(stratum.people / people, stratum) for stratum in comparable]


def _redraw(generator: random.Random, arm: Arm, resamples: int) -> list[int]:
    """What as many people would have spent if they were drawn anew from these, ``resamples`` times.

    Most people spend nothing, so first how many buyers are drawn, then which ones: all at once, cut into resamples by
    their running sum, which is many times faster than one by one.
    """
    if not arm.spent:
        return [0] * resamples
    lowest, chances = _binomial(arm.people, len(arm.spent) / arm.people)
    counts = generator.choices(range(lowest, lowest + len(chances)), chances, k=resamples)
    running = list(itertools.accumulate(generator.choices(arm.spent, k=sum(counts)), initial=0))
    ends = [running[end] for end in itertools.accumulate(counts)]
    return [end - start for start, end in itertools.pairwise([0, *ends])]


def _binomial(trials: int, chance: float) -> tuple[int, list[float]]:
    """The lowest count worth mentioning, and the probabilities from there on: the mean and ten deviations around."""
    if chance >= 1:
        return trials, [1.0]
    mean, spread = trials * chance, 10 * math.sqrt(trials * chance * (1 - chance)) + 10
    lowest, highest = max(0, math.floor(mean - spread)), min(trials, math.ceil(mean + spread))
    log_chance, log_rest, log_trials = math.log(chance), math.log1p(-chance), math.lgamma(trials + 1)
    return lowest, [
        math.exp(
            log_trials
            - math.lgamma(count + 1)
            - math.lgamma(trials - count + 1)
            + count * log_chance
            + (trials - count) * log_rest
        )
        for count in range(lowest, highest + 1)
    ]


def _two_sided(count: int, trials: int, chance: float) -> float:
    """How likely any count is that is no likelier than this one."""
    lowest, chances = _binomial(trials, chance)
    if not lowest <= count < lowest + len(chances):
        return 0.0
    here = chances[count - lowest] * (1 + 1e-9)
    return min(1.0, sum(each for each in chances if each <= here))


def _quantile(ordered: Sequence[float], part: float) -> float:
    """The value below which a further draw would fall with this chance: n values cut n + 1 parts."""
    place = min(max(part * (len(ordered) + 1) - 1, 0.0), len(ordered) - 1.0)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
