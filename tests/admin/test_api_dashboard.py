"""The figures of the first page equal what a person would count who read the script of what was sent and received."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from admin import figures
from admin.periods import between, last_days
from chatbot.models import Conversation
from recovery import campaigns
from recovery.attribution import SentMail, human_visits
from recovery.models import Email, Heartbeat, LinkToken, LinkVisit, Store
from recovery.stores import registry
from tests.admin.api import Visitor, key_holder, make_user, sign_in
from tests.admin.test_api_conversations import talk
from tests.shop import MORNING, READY, Shop
from tests.smtp_sink import EVERYBODY, SmtpSink

WARSAW = ZoneInfo("Europe/Warsaw")
#: Two days before clocks go back in Warsaw; 20:30 there.
START = datetime(2026, 10, 23, 18, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """A cart that was sent: when it fell idle, in which currency, and what its order brought where one stands."""

    left_at: datetime
    currency: str
    paid: int | None = None
    paid_at: datetime | None = None


async def sweeps(shop: Shop, store: Store) -> None:
    """Everything the worker does, for one of two stores."""
    first, shop.store = shop.store, store
    await shop.detect()
    await shop.score()
    await shop.plan()
    await shop.deliver()
    shop.store = first


async def tell_order(shop: Shop, store: Store, number: int, currency: str, state: str) -> int:
    """Tell an order of the cart of this number; what it brings."""
    data = {
        "order_id": f"o{number}", "quote_id": str(number), "state": state, "placed_at": shop.now.isoformat(),
        "currency": currency, "total": 10000 + number, "customer": {"email": f"c{number}@example.com"},
    }  # fmt: skip
    await shop.tell("order.cancelled" if state == "cancelled" else "order.placed", data, store=store.code)
    return 10000 + number


async def play(shop: Shop, stores: dict[str, Store]) -> list[Told]:
    """Three days of carts, one every three hours in one currency or the other; what a reader of it would note."""
    script = []
    for number in range(24):
        currency = ("EUR", "PLN")[number % 2]
        store, customer = stores[currency], {"email": f"c{number}@example.com"}
        cart = {
            "quote_id": str(number), "currency": currency, "total": 45999, "checkout_stage": "contact",
            "customer": customer, "items": [{"product_id": "K", "name": "Coat", "quantity": 1, "row_total": 45999}],
        }  # fmt: skip
        await shop.tell("cart.updated", cart, store=store.code)
        left_at = shop.clock.advance(minutes=31)
        await sweeps(shop, store)
        paid_at, paid = shop.clock.advance(minutes=60), None
        if number % 3 == 0:
            paid = await tell_order(shop, store, number, currency, "paid")
        if number in {6, 9}:
            await tell_order(shop, store, number, currency, "cancelled")
            paid = None
        script.append(Told(left_at, currency, paid, paid_at if paid else None))
        shop.clock.advance(minutes=89)
    return script


@pytest.fixture
async def played(shop: Shop) -> tuple[Shop, dict[str, Store], list[Told]]:
    """A shop with two stores over the end of summer time, and the script."""
    shop.clock.moment = START
    polish = await registry.add_store(
        shop.connection, "pl", "P", language="pl", currency="PLN", timezone="Europe/Warsaw"
    )
    await registry.change_settings(polish, READY)
    for store in (shop.store, polish):
        await registry.set_mode(store, "observing", START)
        await registry.set_mode(store, "live", START)
    stores = {"EUR": shop.store, "PLN": polish}
    return shop, stores, await play(shop, stores)


def day_there(moment: datetime) -> date:
    return moment.astimezone(WARSAW).date()


async def test_the_figures_equal_the_script(
    played: tuple[Shop, dict[str, Store], list[Told]], smtp_sink: SmtpSink
) -> None:
    shop, stores, script = played
    await make_user()
    visitor = await sign_in(shop)
    told = await visitor.get("/dashboard?days=7")
    recovered = [each for each in script if each.paid is not None]
    tiles = told["tiles"]
    assert tiles["abandoned"] == len(script) == 24
    assert tiles["emails_sent"] == len(smtp_sink.messages)
    assert tiles["recovered"] == len(recovered) == 6
    assert tiles["recovery_rate"] == 0.25
    sums = {each["currency"]: (each["all"]["orders"], each["all"]["revenue"]) for each in told["came_back"]}
    assert sums == {
        currency: (len(paid), sum(paid))
        for currency in ("EUR", "PLN")
        if (paid := [each.paid for each in recovered if each.currency == currency and each.paid])
    }
    assert told["funnel"] == {
        "left_behind": 24, "scored": 24, "mailed": len(smtp_sink.messages), "clicked": 0, "talked": 0, "recovered": 6,
    }  # fmt: skip
    for currency, store in stores.items():
        mine = await visitor.get(f"/dashboard?days=7&store={store.id}")
        assert mine["tiles"]["abandoned"] == sum(each.currency == currency for each in script)
        assert [each["currency"] for each in mine["came_back"]] == [currency]
    days_are_those_of_the_store(told, script)
    await the_time_before_is_as_long(visitor, shop, script)


def days_are_those_of_the_store(told: dict[str, Any], script: list[Told]) -> None:
    assert told["timezone"] == "Europe/Warsaw"
    left = Counter(day_there(each.left_at).isoformat() for each in script)
    paid = Counter(day_there(each.paid_at).isoformat() for each in script if each.paid_at)
    assert len(told["trend"]) == 7
    assert {row["day"]: row["abandoned"] for row in told["trend"] if row["abandoned"]} == left
    assert {row["day"]: row["recovered"] for row in told["trend"] if row["recovered"]} == paid
    assert left["2026-10-25"] == 9, "that day has 25 hours"
    # In UTC another day would have got some of them.
    assert left != Counter(each.left_at.date().isoformat() for each in script)


async def the_time_before_is_as_long(visitor: Visitor, shop: Shop, script: list[Told]) -> None:
    cut = script[10].left_at
    told = await visitor.get(f"/dashboard?since={cut.isoformat().replace('+00:00', 'Z')}")
    assert told["tiles"]["abandoned"] == 14
    length = shop.now - cut + timedelta(microseconds=1)
    assert told["before"]["abandoned"] == sum(cut - length <= each.left_at < cut for each in script)
    earlier = [each.paid for each in script if each.paid_at and cut - length <= each.paid_at < cut]
    euro = next(each for each in told["came_back"] if each["currency"] == "EUR")
    assert euro["before_all"]["revenue"] == sum(paid for paid in earlier if paid and paid % 2 == 0)
    for wrong in ("until=2026-10-24T00:00:00Z", "since=2027-01-01T00:00:00Z", "since=2000-01-01T00:00:00Z", "days=0"):
        await visitor.get(f"/dashboard?{wrong}", 422)


def test_today_is_compared_with_as_much_of_the_day_a_time_before() -> None:
    now = datetime(2026, 10, 26, 11, 0, tzinfo=UTC)
    period = last_days(2, now, WARSAW)
    there = [each.astimezone(WARSAW) for each in (period.since, period.before_since, period.before_until)]
    assert [f"{each:%m-%d %H:%M}" for each in there] == ["10-25 00:00", "10-23 00:00", "10-24 12:00"]
    assert period.buckets("day") == [date(2026, 10, 25), date(2026, 10, 26)]
    assert period.buckets("week") == [date(2026, 10, 19), date(2026, 10, 26)]
    assert between(datetime(2026, 11, 30, 23, 0, tzinfo=UTC), now + timedelta(days=90), WARSAW).buckets("month") == [
        date(2026, 12, 1), date(2027, 1, 1),
    ]  # fmt: skip


async def test_clicks_are_those_of_people(shop: Shop, smtp_sink: SmtpSink) -> None:
    """The condition of the statement finds what the rule in Python finds, on visits at random."""
    dice = random.Random(7)
    for number in range(30):
        await shop.cart(str(number), customer={"email": f"c{number}@example.com"})
    await shop.abandon()
    await shop.plan()
    await shop.deliver()
    people = 0
    for mail in await Email.all():
        links = await LinkToken.filter(email_id=mail.id)
        assert mail.sent_at is not None
        visits: dict[str, list[datetime]] = {link.jti: [] for link in links}
        for jti in visits:
            for _ in range(dice.randrange(3)):
                at = mail.sent_at + timedelta(seconds=dice.choice([2, 9, 10, 14, 16, 300, 304, 306]))
                visits[jti].append(at)
                await LinkVisit.create(link_id=jti, at=at)
        people += bool(human_visits(SentMail(mail.sent_at, visits)))
    assert 5 < people < 28
    found = await figures.funnel([shop.store.id], MORNING, shop.now + timedelta(hours=1))
    assert found["clicked"] == people
    assert len(smtp_sink.messages) == 30


async def test_talks_and_orders_after_them(shop: Shop) -> None:
    await talk(shop, "8", "Is it wool?", cost_micros=1500)
    await talk(shop, "9", "Is it warm?", cost_micros=2500)
    await shop.abandon()
    await shop.order(quote_id="8")
    await make_user()
    tiles = (await (await sign_in(shop)).get("/dashboard"))["tiles"]
    assert (tiles["conversations"], tiles["conversations_asked"], tiles["orders_after_chat"]) == (2, 2, 1)
    assert tiles["model_cost"] == 0.004


async def test_what_needs_a_person(shop: Shop, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer(EVERYBODY, "rcpt", 550, "5.7.1 no")
    await shop.queue()
    await shop.deliver()
    talked = await talk(shop, "9", "Hello?")
    await Conversation.filter(id=talked.id).update(waiting_since=shop.now)
    await shop.set(sender_address=None)
    await make_user()
    visitor = await sign_in(shop)
    found = {each["kind"]: each for each in (await visitor.get("/dashboard"))["attention"]}
    assert set(found) == {"mails_failed", "customers_waiting", "sender_missing", "installation"}
    assert found["mails_failed"]["count"] == found["customers_waiting"]["count"] == 1
    assert "worker" in found["installation"]["words"]
    await Heartbeat.create(name="worker", at=datetime.now(UTC), worker="w")
    assert "installation" not in str((await visitor.get("/dashboard"))["attention"])
    async with key_holder(shop, ["carts:read"], [shop.store.id]) as program:
        assert "installation" not in {each["kind"] for each in (await program.get("/dashboard"))["attention"]}


async def test_an_observing_store_says_what_it_would_have_done(shop: Shop) -> None:
    await shop.go("observing")
    for number in range(7):
        await shop.cart(str(number), total=10000 + number, customer={"email": f"c{number}@example.com"})
    await shop.cart("bot", customer={"email": "info@example.com"})
    await shop.abandon()
    await campaigns.sweep(await shop.in_force(), shop.now)
    await make_user()
    (told,) = (await (await sign_in(shop)).get("/dashboard"))["observing"]
    assert told["written_to"] == [{"currency": "EUR", "digits": 2, "carts": 7, "worth": sum(range(10000, 10007))}]
    assert [(each["reason"], each["carts"]) for each in told["left_out"]] == [("role_address", 1)]
    assert len(told["mails"]) == 5
    assert told["mails"][0]["subject"]
    async with key_holder(shop, ["carts:read"]) as viewer:
        text: Any = await viewer.get("/dashboard")
    assert "c6@example.com" not in str(text)
    assert "c***@example.com" in str(text)


async def test_more_than_the_held_out(shop: Shop) -> None:
    await shop.set(holdout_percent=50)
    for number in range(40):
        await shop.cart(str(number), customer={"email": f"c{number}@example.com"})
    await shop.abandon()
    await shop.plan()
    shop.clock.advance(minutes=5)
    held = {e.email_hash for n in range(40) for e in await shop.episodes(str(n)) if e.arm == "holdout"}
    written = [n for n in range(40) if (await shop.episode(str(n))).email_hash not in held]
    for number in written[:8]:
        await shop.order(f"o{number}", quote_id=str(number), customer={"email": f"c{number}@example.com"}, total=5000)
    await make_user()
    told = await (await sign_in(shop)).get("/dashboard/proof")
    assert (told["people"], told["held_out"]) == (len(written), len(held))
    assert (told["buyers"], told["held_out_buyers"]) == (8, 0)
    assert told["more_buyers"]["estimate"] == pytest.approx(8)
    (euro,) = told["revenue"]
    assert euro["more"]["estimate"] == pytest.approx(8 * 5000)
    assert euro["more"]["low"] < 40000 < euro["more"]["high"]
