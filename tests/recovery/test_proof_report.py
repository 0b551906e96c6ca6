"""Who is compared in a hold-out, and with what: the oracle is what was told to the shop and who found a mail."""

import re
from datetime import timedelta
from typing import Any

import pytest

from recovery import analytics, proof_report
from recovery.cli_proof import _document, _print_compared, _print_counted
from recovery.models import Abandonment, LinkToken
from tests.docs.pages import page
from tests.shop import MORNING, Shop
from tests.smtp_sink import SmtpSink

PEOPLE = 30


def address(number: int) -> str:
    return f"p{number}@example.com"


async def leave(shop: Shop, numbers: range, prefix: str = "q", held: range | None = None) -> None:
    """These people leave a cart each, and whoever may be is written to; ``held`` says whom the draw holds out."""
    await shop.set(batch_size=1000)
    for number in numbers:
        await shop.cart(f"{prefix}{number}", customer={"email": address(number)})
    await shop.abandon()
    for number in numbers if held is not None else ():
        arm = "holdout" if number in (held or ()) else "treatment"
        await Abandonment.filter(cart__quote_id=f"{prefix}{number}").update(arm=arm)
    await shop.plan()
    await shop.deliver()


async def buy(shop: Shop, number: int, order_id: str = "", **told: Any) -> None:
    order: dict[str, Any] = {"quote_id": f"q{number}", "customer": {"email": address(number)}, "total": 100 + number}
    await shop.order(order_id or f"o{number}", **(order | told))


def mailed(sink: SmtpSink) -> set[str]:
    return {recipient for message in sink.messages for recipient in message.recipients}


async def proof(shop: Shop, **how: Any) -> proof_report.Proof:
    since = how.pop("since", None)
    return await proof_report.compare([shop.store.id], since, shop.now, **how)


async def test_both_arms_count_people_carts_orders_and_money(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(holdout_percent=50)
    await leave(live, range(PEOPLE))
    treated = mailed(smtp_sink)
    assert 0 < len(treated) < PEOPLE
    live.clock.advance(hours=1)
    for number in range(0, PEOPLE, 2):
        await buy(live, number)
    await buy(live, 4, "again", total=7)  # one person, two orders
    await buy(live, 6, "yen", currency="JPY", total=900)
    await buy(live, 1, "elsewhere", quote_id=None)  # nobody knows from which cart
    await buy(live, 2, state="cancelled", event="order.cancelled", at=live.clock.advance(minutes=1))
    await buy(live, 8, refunded_total=8, state="refunded", event="order.updated", at=live.clock.advance(minutes=1))
    live.clock.advance(days=14)
    await buy(live, 3, "late")
    buyers = {*range(0, PEOPLE, 2), 1} - {2}
    euro = {n: 100 + n for n in buyers} | {4: 104 + 7, 8: 100}
    told = await proof(live)

    def mine(arm: set[int]) -> dict[str, int]:
        here = buyers & arm
        return {"people": len(arm), "carts": len(arm), "buyers": len(here), "orders": len(here) + len({4, 6} & here)}

    arms = {n for n in range(PEOPLE) if address(n) in treated}, {n for n in range(PEOPLE) if address(n) not in treated}
    assert [told.treated.__dict__, told.held.__dict__] == [mine(arm) for arm in arms]
    money = {each.currency: (each.treated, each.held) for each in told.money}
    assert money["EUR"] == (sum(euro[n] for n in buyers & arms[0]), sum(euro[n] for n in buyers & arms[1]))
    assert money["JPY"] == ((900, 0) if 6 in arms[0] else (0, 900))
    assert told.rate is not None
    rates = [len(buyers & arm) / len(arm) for arm in arms]
    assert told.rate.estimate == pytest.approx(rates[0] - rates[1])
    assert (told.following, told.left_out, told.is_unfair) == (0, 0, False)


async def test_a_person_counts_once_from_the_first_cart_whatever_comes_later(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(holdout_percent=50)
    await leave(live, range(6))
    first = await proof(live)
    live.clock.advance(days=1)
    for number in range(6):  # all stop mails, order and leave another cart, after the share was changed
        await live.tell(
            "consent.updated",
            {
                "email": address(number),
                "consent": {
                    "marketing": number % 2 == 0,
                    "basis": "consent",
                    "source": "form",
                    "at": live.now.isoformat(),
                },
            },
        )
    await live.set(holdout_percent=10)
    await leave(live, range(6), "second")
    again = await proof(live)
    assert (again.treated.people, again.held.people) == (first.treated.people, first.held.people)
    assert first.following == again.following == 6
    assert again.treated.carts + again.held.carts == 6 + sum(1 for n in range(6) if n % 2 == 0)
    # Counted from today on there is nobody: all of them came in before.
    assert (await proof(live, since=live.now - timedelta(hours=2))).people == 0


async def test_only_live_stores_compare_and_times_without_a_hold_out_are_left_out(
    live: Shop, smtp_sink: SmtpSink
) -> None:
    await live.go("observing")
    await live.set(holdout_percent=50)
    await leave(live, range(4), held=range(2))
    await live.go("live")
    await live.set(holdout_percent=0)
    await leave(live, range(10, 13))
    nobody = await proof(live)
    assert (nobody.people, nobody.left_out, nobody.rate, nobody.fairness) == (0, 3, None, None)
    await live.set(holdout_percent=50)
    await leave(live, range(20, 28))
    told = await proof(live)
    assert (told.people, told.left_out) == (8, 3)
    assert told.treated.people == len(mailed(smtp_sink)) - 3


async def test_a_lopsided_draw_raises_the_alarm(live: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    await live.set(holdout_percent=50)
    await leave(live, range(24), held=range(12))
    assert not (await proof(live)).is_unfair
    await Abandonment.filter(arm="holdout").update(arm="treatment")
    told = await proof(live)
    assert told.is_unfair
    assert told.expected_held == 12
    await Abandonment.filter(cart__quote_id="q0").update(arm="holdout")
    _print_compared(await proof(live))
    assert "ALARM: 1 people are held out where about 12 were to be expected" in capsys.readouterr().out


async def test_the_command_tells_three_numbers(
    live: Shop, smtp_sink: SmtpSink, capsys: pytest.CaptureFixture[str]
) -> None:
    await live.set(holdout_percent=50)
    await leave(live, range(8), held=range(4, 8))
    live.clock.advance(minutes=1)
    for number in range(0, 8, 2):
        await buy(live, number, ref=(await LinkToken.first().values("jti"))["jti"] if number == 0 else None)
    sums, compared = await analytics.came_back([live.store.id], MORNING), await proof(live)
    _print_counted(sums)
    _print_compared(compared)
    told = capsys.readouterr()
    assert "  EUR: 4 orders, €4.12" in told.out
    assert "  EUR: 1 orders, €1.00 (1 by link)" in told.out
    assert re.search(
        r"Ordered, in points: [+-].* \(.* … .*\), not enough carts yet to tell: (about|more than) ", told.out
    )
    assert "8 people have not had their 14 days yet." in told.err
    shape = page("docs/cli.md").section("`cartback proof`").rows()["--json"][0]
    document = _document(sums, compared)
    names = {*document, *document["more_than_held_out"], *document["came_back"][0], *document["brought_by_us"][0]}
    assert names == set(re.findall(r'"(\w+)"', shape))


async def test_without_a_hold_out_the_command_says_how_to_get_one(
    live: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    _print_compared(await proof(live))
    assert "Set holdout_percent" in capsys.readouterr().out
