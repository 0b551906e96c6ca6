"""The mathematics of the hold-out against published figures, and against worlds whose truth is known."""

import random

import pytest

from recovery.proof import (
    Arm,
    Interval,
    Stratum,
    fairness,
    more_people,
    rate_difference,
    revenue_difference,
    smallest_visible,
    wilson,
)


def difference(treated: tuple[int, int], held: tuple[int, int]) -> Interval:
    found = rate_difference([Stratum(Arm(treated[1], treated[0]), Arm(held[1], held[0]))])
    assert found is not None
    return found


# Published: Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
# 857-872, Table I, method 3.
@pytest.mark.parametrize(
    ("successes", "people", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_rate_is_the_published_one(successes: int, people: int, low: float, high: float) -> None:
    assert wilson(successes, people) == pytest.approx((low, high), abs=5e-5)


# Published: Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
# Medicine 17 (1998), 873-890, Table II, method 10.
@pytest.mark.parametrize(
    ("treated", "held", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(
    treated: tuple[int, int], held: tuple[int, int], low: float, high: float
) -> None:
    found = difference(treated, held)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.estimate == treated[0] / treated[1] - held[0] / held[1]
    turned = difference(held, treated)
    assert (turned.low, turned.high) == pytest.approx((-high, -low), abs=5e-5)


def test_nothing_is_compared_without_both_arms() -> None:
    assert rate_difference([]) is None
    assert rate_difference([Stratum(Arm(10, 3), Arm(0))]) is None
    assert revenue_difference([Stratum(Arm(10, 3, (1, 2, 3)), Arm(0))]) is None
    assert fairness([Stratum(Arm(10, 3), Arm(0))]) is None


# Where the truth is known


def world(generator: random.Random, people: int, rate: float, order: float = 0) -> Arm:
    """An arm of people who order with this chance, for about this much."""
    buyers = sum(generator.random() < rate for _ in range(people))
    spent = [round(generator.lognormvariate(0, 0.6) * order) for _ in range(buyers)] if order else []
    return Arm(people, buyers, tuple(spent))


def test_two_equal_arms_show_no_difference_in_95_of_100_cases() -> None:
    generator = random.Random(20261125)
    covered = 0
    for _ in range(1000):
        found = rate_difference([Stratum(world(generator, 900, 0.1), world(generator, 100, 0.1))])
        covered += found is not None and found.spans_zero
    assert 930 <= covered <= 970


def test_two_arms_that_spend_alike_show_no_difference_in_95_of_100_cases() -> None:
    generator = random.Random(20261126)
    covered = 0
    for run in range(1000):
        stratum = Stratum(world(generator, 200, 0.2, 5000), world(generator, 200, 0.2, 5000))
        found = revenue_difference([stratum], seed=run, resamples=499)
        covered += found is not None and found.spans_zero
    assert 930 <= covered <= 970


def test_a_planted_lift_is_found_and_its_size_is_right() -> None:
    generator = random.Random(20261127)
    seen = money_seen = covered = 0
    for _ in range(25):
        stratum = Stratum(world(generator, 5000, 0.13, 5000), world(generator, 2500, 0.10, 5000))
        rate, money = rate_difference([stratum]), revenue_difference([stratum], resamples=499)
        assert rate is not None
        assert money is not None
        seen += rate.low > 0
        money_seen += money.low > 0
        covered += rate.low <= 0.03 <= rate.high
    # A power of 97 % for people and 88 % for money.
    assert seen >= 22
    assert money_seen >= 17
    assert covered >= 21


def test_a_share_that_changed_while_orders_rose_misleads_nobody() -> None:
    """Nothing is brought; but half are held out in a bad month and a twentieth in a good one."""
    bad = Stratum(Arm(1000, 50), Arm(1000, 50), 0.5)
    good = Stratum(Arm(1900, 380), Arm(100, 20), 0.05)
    together = rate_difference([bad, good])
    assert together is not None
    assert together.estimate == pytest.approx(0)
    assert together.spans_zero
    poured = rate_difference([Stratum(Arm(2900, 430), Arm(1100, 70))])
    assert poured is not None
    assert poured.low > 0.05  # what a naive sum would have claimed


def test_equal_strata_are_as_good_as_one() -> None:
    half = Stratum(Arm(450, 58), Arm(50, 5), 0.1)
    whole = rate_difference([Stratum(Arm(900, 116), Arm(100, 10), 0.1)])
    halves = rate_difference([half, half])
    assert whole is not None
    assert halves is not None
    assert halves.estimate == pytest.approx(whole.estimate)
    assert (halves.low, halves.high) == pytest.approx((whole.low, whole.high), abs=0.01)


def test_the_bootstrap_is_the_same_for_the_same_data_and_near_the_formula() -> None:
    generator = random.Random(5)
    stratum = Stratum(world(generator, 3000, 0.2, 5000), world(generator, 3000, 0.2, 5000))
    first, second = revenue_difference([stratum]), revenue_difference([stratum])
    assert first == second
    assert first is not None
    spread = 0.0
    for arm in (stratum.treated, stratum.held):
        mean = sum(arm.spent) / arm.people
        spread += (sum(value * value for value in arm.spent) / arm.people - mean * mean) / arm.people
    assert first.high - first.low == pytest.approx(2 * 1.96 * spread**0.5, rel=0.06)


# How many more


# The usual sample size for 10 % against 13 %, at 95 % and a power of 80 %, with 10, 20 and 50 % held out.
@pytest.mark.parametrize(("share", "needed"), [(0.1, 8945), (0.2, 5157), (0.5, 3542)])
def test_the_number_needed_is_that_of_the_textbook(share: float, needed: int) -> None:
    tenth = round(needed / 10)
    held = round(tenth * share)
    treated = tenth - held
    seen = difference((round(treated * 0.13), treated), (round(held * 0.1), held))
    assert seen.spans_zero
    off = (0.03 / seen.estimate) ** 2  # whole people make other rates than 10 and 13 %
    more = more_people(seen, tenth)
    assert more is not None
    assert (more + tenth) / off == pytest.approx(needed, rel=0.08)
    assert smallest_visible(seen) == pytest.approx(0.03 * 10**0.5, rel=0.05)


def test_a_difference_of_nothing_is_never_settled() -> None:
    assert more_people(Interval(0, -0.1, 0.1), 100) is None
    assert more_people(Interval(0.00001, -0.1, 0.1), 100) is None
    assert more_people(Interval(0.1, 0.09, 0.11), 100) == 0


# Whether the draw was fair


@pytest.mark.parametrize(
    ("held", "people", "share", "chance"),
    # By hand: 2 * 0.5^10 of ten coins; 0.9^10 + ... of none of ten; the rest by the exact test of any statistics book.
    [(0, 10, 0.5, 2 / 1024), (5, 10, 0.5, 1.0), (8, 10, 0.5, 2 * (45 + 10 + 1) / 1024), (4, 4, 0.5, 2 / 16)],
)
def test_the_chance_of_a_draw_is_exact(held: int, people: int, share: float, chance: float) -> None:
    assert fairness([Stratum(Arm(people - held), Arm(held), share)]) == pytest.approx(chance)


def test_a_broken_draw_raises_the_alarm_and_a_fair_one_does_not() -> None:
    generator = random.Random(20261128)
    false_alarms = missed = 0
    for _ in range(500):
        held = [sum(generator.random() < share for _ in range(2000)) for share in (0.1, 0.2)]
        fair = [Stratum(Arm(2000 - n), Arm(n), share) for n, share in zip(held, (0.1, 0.2), strict=True)]
        # Every third of the held-out is lost on the way, in one of the two times.
        broken = [Stratum(fair[0].treated, Arm(round(held[0] * 2 / 3)), 0.1), fair[1]]
        chances = fairness(fair), fairness(broken)
        assert None not in chances
        false_alarms += (chances[0] or 0) < 0.001
        missed += (chances[1] or 0) >= 0.001
    assert false_alarms <= 4
    assert missed <= 50
