"""Which carts are left behind: every clause on both sides of its line; and the facts their score is made of."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from recovery import db, detection, jobs, scoring
from recovery.models import Abandonment, Cart, Store
from recovery.stores.registry import add_store, in_force
from tests.bench.carts import fill
from tests.shop import ADDRESS, MORNING, Shop, item, open_shop, settings_for


@pytest.mark.parametrize(("seconds", "found"), [(-1, 0), (1, 1), (24 * 3600 - 1801, 1), (24 * 3600 - 1799, 0)])
async def test_idle_longer_than_the_threshold_and_not_before_the_look_back(
    shop: Shop, seconds: int, found: int
) -> None:
    await shop.cart()
    shop.clock.advance(minutes=30, seconds=seconds)
    assert await shop.detect() == found


async def test_threshold_and_look_back_are_the_stores(shop: Shop) -> None:
    await shop.set(inactivity_minutes=5, look_back_hours=1)
    await shop.cart()
    shop.clock.advance(minutes=4)
    assert await shop.detect() == 0
    shop.clock.advance(minutes=57)
    assert await shop.detect() == 0
    await shop.cart("2")
    shop.clock.advance(minutes=6)
    assert await shop.detect() == 1


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, 1),
        ({"items": []}, 0),
        ({"customer": None}, 0),
        ({"customer": {"email": "not an address"}}, 0),
        ({"active": False}, 0),
        ({"active": True}, 1),
        # Detected, so that the decision can say why nothing is sent.
        ({"is_bot": True}, 1),
        ({"customer": {"email": "info@example.com"}}, 1),
        ({"total": 0}, 1),
    ],
    ids=str,
)
async def test_what_a_cart_must_have(shop: Shop, change: dict[str, Any], found: int) -> None:
    await shop.cart(**change)
    shop.clock.advance(minutes=31)
    assert await shop.detect() == found


@pytest.mark.parametrize(("state", "found"), [("pending", 0), ("paid", 0), ("refunded", 0), ("cancelled", 1)])
async def test_no_standing_order(shop: Shop, state: str, found: int) -> None:
    await shop.order(state=state, at=MORNING - timedelta(minutes=1))
    await shop.cart()
    shop.clock.advance(minutes=31)
    assert await shop.detect() == found


@pytest.mark.parametrize(("mode", "found"), [("observing", 1), ("live", 1), ("paused", 0)])
async def test_a_paused_store_detects_nothing(shop: Shop, mode: Any, found: int) -> None:
    await shop.go(mode)
    await shop.cart()
    shop.clock.advance(minutes=31)
    assert await shop.detect() == found


async def test_a_store_that_is_off_detects_nothing(shop: Shop) -> None:
    await shop.set(enabled=False)
    await shop.cart()
    shop.clock.advance(minutes=31)
    assert await shop.detect() == 0
    assert (await jobs.detect(shop.runtime, jobs.Scope(dry_run=True))).counts == {}


async def test_one_episode_at_a_time_and_a_new_one_after_new_activity(shop: Shop) -> None:
    await shop.cart()
    shop.clock.advance(minutes=31)
    assert [await shop.detect(), await shop.detect()] == [1, 0]
    await shop.cart(items=[item("other")])
    assert await shop.detect() == 0
    shop.clock.advance(minutes=31)
    assert await shop.detect() == 1
    assert [episode.status for episode in await shop.episodes()] == ["superseded", "detected"]


async def test_a_change_whose_hook_came_late_is_not_lost(shop: Shop) -> None:
    """The shopper acted a minute before the detection; the shop's hook came a minute after it."""
    await shop.cart()
    shop.clock.advance(minutes=31)
    await shop.detect()
    shop.clock.advance(minutes=1)
    await shop.cart(items=[item("other")], at=shop.now - timedelta(minutes=2))
    assert (await shop.episode()).status == "superseded"
    shop.clock.advance(minutes=29)
    assert await shop.detect() == 1


async def test_an_expired_episode_is_not_found_again(shop: Shop) -> None:
    await shop.set(look_back_hours=720, expire_days=2)
    await shop.cart()
    await shop.abandon()
    shop.clock.advance(days=2)
    assert await detection.expire(await shop.in_force(), shop.now) == 0
    shop.clock.advance(seconds=1)
    assert await detection.expire(await shop.in_force(), shop.now) == 1
    episode = await shop.episode()
    assert (episode.status, episode.open_key, episode.closed_at) == ("expired", None, shop.now)
    assert await shop.detect() == 0


async def test_an_episode_keeps_what_the_cart_was(shop: Shop) -> None:
    await shop.cart(total=500)
    shop.clock.advance(minutes=31)
    await shop.detect()
    await shop.cart(total=900)
    episode = await shop.episode()
    assert (episode.total, episode.currency, episode.currency_digits, episode.detected_at) == (500, "EUR", 2, shop.now)


async def test_a_batch_takes_the_longest_idle_first(shop: Shop) -> None:
    for number in range(5):
        await shop.cart(str(number), at=MORNING - timedelta(minutes=number), customer={"email": f"a{number}@b.com"})
    shop.clock.advance(minutes=31)
    assert await shop.detect(limit=2) == 2
    assert {a.cart_id for a in await Abandonment.all()} == {c.id for c in await Cart.filter(quote_id__in=["3", "4"])}
    await shop.set(batch_size=2)
    assert [await shop.detect(), await shop.detect()] == [2, 1]


async def test_a_cart_of_another_store_is_its_own_stores(shop: Shop) -> None:
    polish = await add_store(shop.connection, "pl", "Tatry", language="pl", currency="PLN", timezone="Europe/Warsaw")
    await shop.cart()
    shop.clock.advance(minutes=31)
    assert await detection.sweep(await in_force(polish), shop.runtime.keys, shop.now) == 0


async def test_a_dry_run_counts_and_writes_nothing(shop: Shop) -> None:
    await shop.cart()
    shop.clock.advance(minutes=31)
    assert (await jobs.detect(shop.runtime, jobs.Scope(dry_run=True))).counts == {"detected": 1}
    assert not await Abandonment.exists()
    assert (await jobs.detect(shop.runtime, jobs.Scope(store="demo/en"))).counts == {"detected": 1}
    assert (await jobs.score(shop.runtime, jobs.Scope(dry_run=True))).counts == {"scored": 1}
    assert (await shop.episode()).score is None


async def test_a_cart_that_is_being_changed_is_left_alone(shop: Shop) -> None:
    await shop.cart("1")
    await shop.cart("2", customer={"email": "eva@example.com"})
    shop.clock.advance(minutes=31)
    locked, done = asyncio.Event(), asyncio.Event()

    async def change() -> None:
        async with db.in_transaction():
            await Cart.filter(quote_id="1").select_for_update().first()
            locked.set()
            await done.wait()

    changing = asyncio.create_task(change())
    await locked.wait()
    assert await shop.detect() == 1
    done.set()
    await changing
    assert await shop.detect() == 1


async def test_sweeps_at_the_same_moment_find_each_cart_once(shop: Shop) -> None:
    for number in range(60):
        await shop.cart(str(number), customer={"email": f"a{number}@example.com"})
    shop.clock.advance(minutes=31)
    for _ in range(5):
        found = await asyncio.gather(*(shop.detect() for _ in range(8)))
        assert sum(found) == 60 == await Abandonment.all().count()
        await Abandonment.all().delete()


async def test_the_hold_out_is_a_stable_share_of_people(shop: Shop) -> None:
    keys = shop.runtime.keys
    people = [keys.email_hash(f"anna{number}@example.com") for number in range(2000)]

    def held_out(percent: int) -> set[str]:
        return {person for person in people if detection.arm(keys, 1, person, percent) == "holdout"}

    assert held_out(0) == set()
    assert 0.07 <= len(held_out(10)) / 2000 <= 0.13
    assert 0.45 <= len(held_out(50)) / 2000 <= 0.55
    assert held_out(10) == held_out(10) < held_out(20) < held_out(50)


async def test_the_arm_is_kept_from_cart_to_cart(shop: Shop) -> None:
    await shop.set(holdout_percent=50)
    for number in range(12):
        person = {"email": f"anna{number % 6}@example.com"}
        await shop.cart(str(number), customer=person)
    shop.clock.advance(minutes=31)
    await shop.detect()
    arms = {str(n): (await shop.episode(str(n))).arm for n in range(12)}
    assert all(arms[str(n)] == arms[str(n + 6)] for n in range(6))


async def facts_of(shop: Shop, quote_id: str = "1") -> Any:
    (found,) = await scoring.gather(await shop.in_force(), [await shop.episode(quote_id)], shop.now)
    return found


async def test_the_facts_of_a_score_come_from_the_rows(shop: Shop) -> None:
    await shop.cart(
        items=[item("a", parent_id="P"), item("b", parent_id="P"), item("c")],
        coupon_codes=["HELLO"],
        checkout_stage="payment",
        payment_failed=True,
        shipping=990,
        customer={"email": ADDRESS, "registered": True, "orders_count": 4},
        intent_trace={"reason_code": "comparison"},
    )
    product = {"name": "x", "price": 1, "currency": "EUR"}
    await shop.tell(
        "product.updated",
        {
            "products": [
                product | {"product_id": "a", "in_stock": False},
                product | {"product_id": "b", "in_stock": True},
            ]
        },
    )
    shop.clock.advance(minutes=31)
    await shop.detect()
    facts = await facts_of(shop)
    assert (facts.products, facts.same_parent, facts.coupon_tried, facts.stage) == (3, True, True, "payment")
    assert (facts.payment_failed, facts.shipping, facts.discount, facts.total) == (True, 990, 0, 45999)
    assert (facts.registered, facts.past_orders, facts.out_of_stock) == (True, 4, 1)
    assert (facts.stated_reason, facts.median_total) == ("comparison", None)
    assert facts.hour == 11, "the store's own time zone, an hour ahead of UTC"


async def test_past_orders_and_abandonments_are_the_persons(shop: Shop) -> None:
    await shop.order("o1", quote_id="old", at=MORNING - timedelta(days=3))
    await shop.order("o2", quote_id="older", at=MORNING - timedelta(days=3), state="cancelled")
    await shop.order("o3", quote_id="x", at=MORNING - timedelta(days=3), customer={"email": "eva@example.com"})
    await shop.set(expire_days=1)
    await shop.cart("1")
    await shop.abandon()
    shop.clock.advance(days=2)
    await detection.expire(await shop.in_force(), shop.now)
    await shop.cart("2")
    await shop.abandon()
    facts = await facts_of(shop, "2")
    assert (facts.past_orders, facts.earlier_abandonments) == (1, 1)


async def test_coming_back_and_leaving_again_is_no_earlier_abandonment(shop: Shop) -> None:
    await shop.cart("1")
    await shop.abandon()
    await shop.cart("1", checkout_stage="shipping")
    await shop.abandon()
    assert [episode.status for episode in await shop.episodes("1")] == ["superseded", "scored"]
    assert (await facts_of(shop, "1")).earlier_abandonments == 0


async def test_the_median_needs_thirty_carts_of_the_stores_currency(shop: Shop) -> None:
    for number in range(30):
        await shop.cart(str(number), total=1000 + number, customer={"email": f"a{number}@example.com"})
    shop.clock.advance(minutes=31)
    await shop.detect(limit=29)
    assert (await facts_of(shop, "0")).median_total is None
    await shop.detect()
    assert (await facts_of(shop, "0")).median_total in {1014, 1015}
    await shop.cart("zl", currency="PLN")
    shop.clock.advance(minutes=31)
    await shop.detect()
    assert (await facts_of(shop, "zl")).median_total is None


async def test_a_score_is_written_with_its_parts(shop: Shop) -> None:
    await shop.set(steps=[{"delay_minutes": 60}])
    await shop.cart()
    await shop.abandon()
    episode = await shop.episode()
    assert (episode.status, episode.scored_by, episode.scored_at) == ("scored", "heuristic", shop.now)
    assert episode.score == pytest.approx(sum(part["points"] for part in episode.contributions))
    assert episode.due_at == episode.detected_at + timedelta(minutes=60)
    assert await shop.score() == 0


async def test_a_mistake_in_one_store_stops_no_other(database_url: str, redis_url: str) -> None:
    async with open_shop(settings_for(database_url, redis_url)) as shop:
        broken = await add_store(
            shop.connection, "aa", "Broken", language="en", currency="EUR", timezone="Europe/Warsaw"
        )
        await Store.filter(id=broken.id).update(timezone="Mars/Olympus")
        await shop.cart()
        await shop.tell(
            "cart.updated",
            {"quote_id": "b", "currency": "EUR", "total": 1, "items": [item()], "customer": {"email": "b@b.com"}},
            store="aa",
        )
        await Store.filter(id=shop.store.id).update(settings={})
        shop.clock.advance(minutes=31)
        assert (await jobs.detect(shop.runtime)).counts == {"detected": 2}
        report = await jobs.score(shop.runtime)
        assert report.counts == {"scored": 1}
        assert [error.partition(":")[0] for error in report.errors] == ["aa"]
        assert (await jobs.last_runs())["score"].error is not None


async def test_a_batch_may_be_as_big_as_the_setting_allows(shop: Shop) -> None:
    await shop.set(batch_size=5000)
    raw = await asyncpg.connect(shop.runtime.settings.database_url)
    await fill(raw, shop, shop.store.id, count=1500, due=1500)
    await raw.close()
    assert await shop.detect() == 1500
    assert await shop.score() == 1500
    found = await Abandonment.filter(status="scored", due_at__isnull=False)
    assert len(found) == 1500
    assert all(row.score is not None and 0 < row.score <= 1 for row in found)
