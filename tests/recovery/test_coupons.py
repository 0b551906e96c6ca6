"""A coupon from verdict to mail, order and withdrawal, over a real call-back; the shop's own ledger is the oracle."""

import asyncio
import dataclasses
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import httpx2
import jwt
import pytest

from recovery import coupons, coupons_shop, coupons_sweep, db
from recovery import coupons_ledger as ledger
from recovery.explain import explain
from recovery.models import Coupon, CouponBudget, CouponDecision, Email
from tests.coupon_shop import CouponShop, Fault
from tests.recovery.coupons import coupon, send, with_coupons
from tests.shop import ADDRESS, Shop
from tests.smtp_sink import SmtpSink

LATER = [{"delay_minutes": 0, "coupon": True}, {"delay_minutes": 60, "coupon": True}]


def text_of(sink: SmtpSink, number: int = -1) -> str:
    message = message_from_bytes(sink.messages[number].raw, policy=policy.default)
    return "".join(str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text")


async def budget() -> dict[str, int]:
    (row,) = await CouponBudget.all()
    return {name: getattr(row, name) for name in ("reserved", "issued", "redeemed", "released")}


async def verdict() -> tuple[int, str]:
    row = await CouponDecision.all().order_by("-at", "-id").first()
    assert row is not None
    return row.percent, row.reason


async def test_the_shop_knows_the_code_that_the_mail_names(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await with_coupons(live, till)
    await live.queue()
    assert (await send(live))["sent"] == 1
    made = await coupon()
    assert till.coupons[made.code]["percent"] == 5
    assert till.coupons[made.code] | {"worst_case": 2300, "quote_id": "1", "uses": 1} == till.coupons[made.code]
    told = text_of(smtp_sink)
    assert told.count(made.code) == 2  # HTML and text
    assert "5% off your cart" in told
    assert "covers the whole cart" in told
    assert "prepared automatically" in told
    assert made.expires_at - live.now == timedelta(hours=48)
    assert f"{made.expires_at.astimezone((await live.in_force()).zone):%-d %B %Y, %H:%M} CE" in told
    assert await verdict() == (5, "offered")
    assert await budget() == {"reserved": 0, "issued": 2300, "redeemed": 0, "released": 0}
    state = await coupons.of_cart(made.cart_id, live.now)
    assert state == coupons.CouponState(made.code, 5, made.expires_at)
    assert await coupons.of_cart(made.cart_id, made.expires_at) is None
    (whole,) = await explain(live.runtime, "1", live.now)
    assert any("carries a coupon of 5 %: Score" in sentence for sentence in whole.sentences)
    assert made.code not in " ".join(whole.sentences)


async def test_polish_mails_say_it_in_polish(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    live.store.language = "pl"
    await live.store.save(update_fields=["language"])
    await with_coupons(live, till)
    await live.queue()
    await send(live)
    told = text_of(smtp_sink)
    assert "5% rabatu na koszyk" in told
    assert "listopada" in told
    assert "przygotowany automatycznie" in told


async def test_the_hand_off_and_the_saved_cart_carry_the_code(
    live: Shop, till: CouponShop, smtp_sink: SmtpSink
) -> None:
    await with_coupons(live, till)
    await live.queue(restore_url="https://shop.example.com/restore")
    await send(live)
    made = await coupon()
    link = next(word for word in text_of(smtp_sink).split() if "/r/" in word and word.startswith("http"))
    answer = await live.client.get(link)
    token = str(httpx2.URL(answer.headers["location"]).params["cartback"])
    assert jwt.decode(token, options={"verify_signature": False})["coupon"] == made.code
    await live.stored()
    await db.client().execute_query("UPDATE cart SET restore_url = NULL")
    assert made.code in (await live.client.get(link)).text
    live.clock.advance(hours=49)
    assert made.code not in (await live.client.get(link)).text


async def test_one_code_for_all_messages_of_a_cart(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await with_coupons(live, till, steps=LATER)
    await live.queue()
    await send(live)
    live.clock.advance(minutes=61)
    await send(live)
    assert len(smtp_sink.messages) == 2
    made = await coupon()
    assert made.code in text_of(smtp_sink)
    assert await verdict() == (5, "same_again")
    assert len(till.calls) == 1


async def test_one_coupon_for_one_person(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await with_coupons(live, till)
    await live.cart("1")
    await live.cart("2")
    await live.abandon()
    await send(live)
    assert len(smtp_sink.messages) == 2
    assert len(till.coupons) == 1
    assert {row.reason for row in await CouponDecision.all()} == {"offered", "had_one"}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"payment_failed": True}, "payment_failed"),
        ({"coupon_codes": ["WELCOME"]}, "own_code"),
        ({"currency": "USD"}, "currency_unknown"),
        ({"total": 9999}, "cart_too_small"),
    ],
)
async def test_a_cart_that_gets_none_is_mailed_without(
    live: Shop, till: CouponShop, smtp_sink: SmtpSink, told: dict[str, Any], reason: str
) -> None:
    await with_coupons(live, till)
    await live.queue(**told)
    await send(live)
    assert len(smtp_sink.messages) == 1
    assert till.calls == []
    assert await verdict() == (0, reason)


async def test_another_currency_counts_by_its_base_total(live: Shop, till: CouponShop) -> None:
    await with_coupons(live, till)
    await live.queue(currency="USD", base_total=40000)
    await send(live)
    made = await coupon()
    assert (made.amount, made.currency) == (2000, "EUR")


# Faults of the shop


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=429),
        Fault(status=302),
        Fault(hang=True),
        Fault(cut=True),
        Fault(cut=True, takes=True),
        Fault(hang=True, takes=True),
        Fault(status=500, takes=True),
    ],
    ids=str,
)
async def test_a_shop_in_trouble_lets_the_mail_wait_for_the_same_code(
    live: Shop, till: CouponShop, smtp_sink: SmtpSink, fault: Fault
) -> None:
    impatient = live.runtime.settings.model_copy(update={"coupon_timeout": 0.3})
    live.runtime = dataclasses.replace(live.runtime, settings=impatient)
    await with_coupons(live, till)
    await live.queue()
    till.script(fault, fault)
    assert (await send(live))["coupon_waits"] == 1
    assert smtp_sink.messages == []
    made = await coupon()
    assert (made.status, made.asks) == ("reserved", 1)
    live.clock.advance(minutes=2)
    await send(live)
    assert list(till.coupons) == [made.code]
    assert made.code in text_of(smtp_sink)
    assert all(len(bodies) == 1 for bodies in till.bodies.values())  # the same id never with another body


async def test_a_slow_shop_is_waited_for_and_one_stumble_forgiven(
    live: Shop, till: CouponShop, smtp_sink: SmtpSink
) -> None:
    await with_coupons(live, till)
    await live.queue()
    till.script(Fault(status=503), Fault(takes=True, delay=0.3))
    await send(live)
    assert (await coupon()).code in text_of(smtp_sink)


async def test_a_refusal_is_final_and_the_mail_goes_without(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await with_coupons(live, till)
    await live.queue()
    till.script(Fault(status=422))
    await send(live)
    made = await coupon()
    assert made.code not in text_of(smtp_sink)
    assert (made.status, await verdict()) == ("released", (0, "shop_refused"))
    assert await budget() == {"reserved": 0, "issued": 0, "redeemed": 0, "released": 2300}


async def test_after_the_limit_the_mail_goes_without_and_the_coupon_is_withdrawn(
    live: Shop, till: CouponShop, smtp_sink: SmtpSink
) -> None:
    await with_coupons(live, till, coupon_wait_minutes=60)
    await live.queue()
    till.always = Fault(status=500, takes=True)
    await send(live)
    live.clock.advance(minutes=59)
    await send(live)
    assert smtp_sink.messages == []
    live.clock.advance(minutes=31)
    till.always = Fault(status=500)
    await send(live)
    made = await coupon()
    assert len(smtp_sink.messages) == 1
    assert made.code not in text_of(smtp_sink)
    assert (made.status, await verdict()) == ("withdrawing", (0, "shop_away"))
    till.always = None
    live.clock.advance(minutes=11)
    await send(live)
    assert till.withdrawn == [made.code]
    assert await budget() == {"reserved": 0, "issued": 0, "redeemed": 0, "released": 2300}


async def test_a_mail_that_outlived_its_coupon_is_written_anew(
    live: Shop, till: CouponShop, smtp_sink: SmtpSink
) -> None:
    await with_coupons(live, till)
    await live.queue()
    smtp_sink.answer(ADDRESS, at="rcpt", code=451, times=1)
    await send(live)
    assert smtp_sink.messages == []
    live.clock.advance(hours=49)
    await send(live)
    await send(live)
    assert len(smtp_sink.messages) == 1
    assert (await coupon()).code not in text_of(smtp_sink)
    assert await verdict() == (0, "coupon_over")


async def test_an_order_that_comes_first_costs_no_coupon(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await with_coupons(live, till)
    await live.queue()
    await Email.all().update(status="pending")
    await live.order()
    await send(live)
    assert (till.calls, smtp_sink.messages) == ([], [])


# Money


async def test_issuers_at_once_never_exceed_the_budget(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await with_coupons(live, till, coupon_monthly_budget=100)
    for number in range(12):
        await live.cart(str(number), customer={"email": f"c{number}@example.com"})
    await live.abandon()
    await asyncio.gather(*(send(live) for _ in range(4)))
    assert len(smtp_sink.messages) == 12
    assert len(till.coupons) == 4  # 23.00 each
    assert till.worth <= 10000
    assert [row.reason for row in await CouponDecision.all()].count("budget_spent") == 8


async def test_the_budget_is_one_statement_under_many_callers(live: Shop) -> None:
    await live.set(coupon_monthly_budget=10)
    month = ledger.month_of(await live.in_force(), live.now)
    held = await asyncio.gather(*(ledger.reserve(month, 90, live.now) for _ in range(40)))
    assert sum(held) == 11
    assert (await budget())["reserved"] == 990


async def test_the_month_is_that_of_the_stores_calendar(live: Shop) -> None:
    store = await live.in_force()
    last = live.now.replace(month=11, day=30, hour=22, minute=59)
    assert ledger.month_of(store, last).month == "2026-11"
    assert ledger.month_of(store, last + timedelta(minutes=1)).month == "2026-12"


async def test_an_order_redeems_and_its_cancellation_reverses(live: Shop, till: CouponShop) -> None:
    await with_coupons(live, till)
    await live.queue()
    await send(live)
    code = (await coupon()).code
    await live.order(coupon_codes=[code.lower()])
    assert (await coupon()).status == "redeemed"
    assert await budget() == {"reserved": 0, "issued": 0, "redeemed": 2300, "released": 0}
    assert await coupons.of_cart((await coupon()).cart_id, live.now) is None
    live.clock.advance(minutes=1)
    await live.order(state="cancelled", event="order.cancelled", coupon_codes=[code])
    assert (await coupon()).status == "issued"
    assert await budget() == {"reserved": 0, "issued": 2300, "redeemed": 0, "released": 0}


async def test_an_unused_coupon_is_withdrawn_after_its_grace(live: Shop, till: CouponShop) -> None:
    await with_coupons(live, till, coupon_grace_hours=24)
    await live.queue()
    await send(live)
    made = await coupon()
    live.clock.advance(hours=71)
    await send(live)
    assert till.withdrawn == []
    live.clock.advance(hours=2)
    await send(live)
    assert till.withdrawn == [made.code]
    assert ((await coupon()).status, (await budget())["released"]) == ("released", 2300)
    # Used all the same, within the shop's own clock: it is told as it was.
    await live.order(coupon_codes=[made.code])
    assert (await budget()) == {"reserved": 0, "issued": 0, "redeemed": 2300, "released": 0}


async def test_by_hand(live: Shop, till: CouponShop) -> None:
    await with_coupons(live, till)
    await live.queue()
    await send(live)
    assert await coupons_sweep.withdraw_one(await coupon(), live.now)
    assert not await coupons_sweep.withdraw_one(await coupon(), live.now)
    await send(live)
    assert till.withdrawn == [(await coupon()).code]


async def test_two_coupons_without_an_order_are_enough(live: Shop, till: CouponShop) -> None:
    await with_coupons(live, till, coupon_person_days=0)
    for number in range(3):
        await live.cart(str(number), customer={"email": ADDRESS})
        await live.abandon()
        await send(live)
    assert len(till.coupons) == 2
    assert await verdict() == (0, "habit")
    live.clock.advance(minutes=1)
    await live.order("o9", quote_id=None)
    live.clock.advance(minutes=1)
    await live.cart("9")
    await live.abandon()
    await send(live)
    assert len(till.coupons) == 3


# Loaded codes


async def test_a_loaded_code_goes_to_one_cart_each(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(steps=[{"delay_minutes": 0}])
    assert await coupons_shop.load(live.store, ["AAA-1", "", "AAA-2", "AAA-1"], 5, None, live.now) == (2, 0)
    assert await coupons_shop.load(live.store, ["AAA-2", "BBB"], 7, None, live.now) == (1, 1)
    for number in range(4):
        await live.cart(str(number), customer={"email": f"c{number}@example.com"})
    await live.abandon()
    await asyncio.gather(*(send(live) for _ in range(3)))
    assert sorted(row.code for row in await Coupon.all()) == ["AAA-1", "AAA-2"]
    named = [text_of(smtp_sink, i) for i in range(4)]
    assert [sum(code in told for told in named) for code in ("AAA-1", "AAA-2", "BBB")] == [1, 1, 0]
    assert [row.reason for row in await CouponDecision.all()].count("no_code_left") == 2


async def test_no_source_no_coupon(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await live.queue()
    await send(live)
    assert await verdict() == (0, "no_source")
    # A call-back at a host that nobody allowed is none.
    await live.set(coupon_callback_url=till.url)
    await live.cart("2", customer={"email": "eva@example.com"})
    await live.abandon()
    await send(live)
    assert await verdict() == (0, "no_source")
    assert (till.calls, len(smtp_sink.messages)) == ([], 2)
