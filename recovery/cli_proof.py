"""The command that says what the mails bring: three numbers, per currency, never mixed."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from recovery import analytics, console, proof_report
from recovery.attribution import Way
from recovery.money import format_money
from recovery.proof import MANY, Interval, more_people, smallest_visible
from recovery.runtime import Runtime, with_runtime
from recovery.stores import registry

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_WAYS: dict[Way, str] = {"ref": "by link", "coupon": "by coupon", "inferred": "by a click, inferred"}


def proof_command(
    store: Annotated[str | None, typer.Option("--store", help="Only this store: its code, or connection/code.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="Count from this day on (UTC).")
    ] = None,
    as_document: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what came back, what we brought, and what would have come anyway."""

    async def work(runtime: Runtime) -> None:
        ids = [each.row.id for each in await registry.all_in_force(store)]
        start = since.replace(tzinfo=UTC) if since else None
        sums = await analytics.came_back(ids, start or BEGINNING)
        proof = await proof_report.compare(ids, start, runtime.now())
        if as_document:
            console.data(_document(sums, proof))
        else:
            _print_counted(sums)
            _print_compared(proof)

    asyncio.run(with_runtime(work))


def _print_counted(sums: list[analytics.CameBack]) -> None:
    console.line("Came back: orders that recovered a cart left behind, mailed or not")
    for each in sums:
        console.line(f"  {_sum(each, each.all)}")
    console.line("Brought by us: those of them that came by our link or coupon, within each store's attribution_days")
    for each in sums:
        ways = ", ".join(
            f"{each.by_way[way].orders} {words}" for way, words in _WAYS.items() if each.by_way[way].orders
        )
        console.line(f"  {_sum(each, each.by_us)}{f' ({ways})' if ways else ''}")
    if not sums:
        console.note("Nothing has come back yet.")


def _print_compared(proof: proof_report.Proof) -> None:
    days = proof_report.FOLLOW_UP.days
    console.line(f"More than the held-out: orders of {days} days, from when a person could first have been mailed")
    if proof.rate is None:
        console.line("  Nothing to compare: nobody has been held out. Set holdout_percent, such as 10, and wait.")
        return
    arms = (("may get mails", proof.treated), ("held out", proof.held))
    console.table(
        [
            (f"  {name}", arm.people, arm.carts, f"{arm.buyers} ({arm.buyers / arm.people:.1%})", arm.orders)
            for name, arm in arms
        ],
        ("  ", "PEOPLE", "CARTS", "ORDERED", "ORDERS"),
    )
    if proof.is_unfair:
        console.line(
            f"  ALARM: {proof.held.people} people are held out where about {proof.expected_held:.0f} were to be "
            "expected. Something keeps people out of one arm, so the figures below prove nothing."
        )
    _print_difference("Ordered, in points", proof.rate, proof.people, _points)
    more = proof.more_buyers
    if more is not None:
        console.line(f"    in people: {_range(more, lambda value: f'{value:+,.0f}')}")
    for money in proof.money:
        spent = f"{_money(money, money.treated)} against {_money(money, money.held)}"
        if money.per_person is not None:
            console.line(f"  {money.currency}: {spent}")
            _print_difference("  each person", money.per_person, proof.people, lambda v, m=money: _signed(m, v))
            total = money.per_person.times(proof.treated.people)
            console.line(f"    in all: {_range(total, lambda v, m=money: _signed(m, v))}")
    if proof.following:
        console.note(f"{proof.following} people have not had their {days} days yet.")
    if proof.left_out:
        console.note(f"{proof.left_out} people are left out: they came while nobody was held out.")


def _print_difference(name: str, difference: Interval, people: int, say: Any) -> None:
    console.line(f"  {name}: {_range(difference, say)}, {_verdict(difference, people, say)}")


def _verdict(difference: Interval, people: int, say: Any) -> str:
    if not difference.spans_zero:
        return "more" if difference.estimate > 0 else "LESS than the held-out"
    more = more_people(difference, people)
    number = f"more than {MANY:,}" if more is None else f"about {more:,} people"
    visible = say(smallest_visible(difference)).lstrip("+")
    return f"not enough carts yet to tell: {number} more, if it is really so; what could be seen by now is {visible}"


def _range(interval: Interval, say: Any) -> str:
    return f"{say(interval.estimate)} ({say(interval.low)} … {say(interval.high)})"


def _points(rate: float) -> str:
    return f"{rate * 100:+.1f}"


def _sum(each: analytics.CameBack, total: analytics.Sum) -> str:
    return f"{each.currency}: {total.orders} orders, {format_money(total.revenue, each.currency, 'en', each.digits)}"


def _money(money: proof_report.Money, amount: float) -> str:
    return format_money(round(amount), money.currency, "en", money.digits)


def _signed(money: proof_report.Money, amount: float) -> str:
    return f"{'-' if round(amount) < 0 else '+'}{_money(money, abs(amount))}"


def _document(sums: list[analytics.CameBack], proof: proof_report.Proof) -> dict[str, Any]:
    return {
        "came_back": [
            {"currency": each.currency, "digits": each.digits, "orders": each.all.orders, "revenue": each.all.revenue}
            for each in sums
        ],
        "brought_by_us": [
            {"currency": each.currency, "digits": each.digits, "orders": each.by_us.orders}
            | {"revenue": each.by_us.revenue, "ways": {way: asdict(each.by_way[way]) for way in _WAYS}}
            for each in sums
        ],
        "more_than_held_out": {
            "follow_up_days": proof_report.FOLLOW_UP.days,
            "treated": asdict(proof.treated),
            "held_out": asdict(proof.held),
            "rate": _told(proof.rate, proof.people),
            "more_people": proof.more_buyers and asdict(proof.more_buyers),
            "money": [
                {"currency": each.currency, "digits": each.digits, "treated": each.treated, "held_out": each.held}
                | {"per_person": _told(each.per_person, proof.people)}
                for each in proof.money
            ],
            "following": proof.following,
            "left_out": proof.left_out,
            "sample_ratio": {"chance": proof.fairness, "alarm": proof.is_unfair},
        },
    }


def _told(difference: Interval | None, people: int) -> dict[str, Any] | None:
    if difference is None:
        return None
    told: dict[str, Any] = asdict(difference) | {"can_tell": not difference.spans_zero}
    return told | {"people_needed": more_people(difference, people) if difference.spans_zero else 0}
