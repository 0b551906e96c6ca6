"""What a cart is after its hooks, in whatever order they come."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from recovery.models import Abandonment, Cart, CartItem, Email, HookDelivery
from recovery.stores.registry import add_store
from tests.shop import ADDRESS, HOST, MORNING, Shop, item


def later(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)


async def state(shop: Shop, quote_id: str = "1") -> tuple[Any, ...]:
    cart = await shop.stored(quote_id)
    lines = sorted((line.position, line.product_id, line.row_total) for line in cart.items)
    return cart.status, cart.total, cart.version, cart.email, cart.occurred_at, lines


async def test_a_newer_version_wins_whatever_the_clock_says(shop: Shop) -> None:
    assert await shop.cart(version=5, total=500, at=later(-1)) == "applied"
    assert await shop.cart(version=4, total=400, at=later(0)) == "older"
    assert await shop.cart(version=6, total=600, at=later(-2)) == "applied"
    assert (await shop.stored()).total == 600


async def test_without_versions_the_later_one_wins_and_of_equals_the_last_received(shop: Shop) -> None:
    assert await shop.cart(total=500, at=later(-1)) == "applied"
    assert await shop.cart(total=400, at=later(-2)) == "older"
    assert await shop.cart(total=600, at=later(-1)) == "applied"
    assert await shop.cart(total=700, version=3, at=later(-2)) == "older"
    assert await shop.cart(total=800, version=3, at=later(0)) == "applied"
    assert await shop.cart(total=900, at=later(0)) == "applied"
    cart = await shop.stored()
    assert (cart.total, cart.version) == (900, 3)


async def test_every_order_of_arrival_ends_the_same(shop: Shop) -> None:
    told: list[tuple[str, dict[str, Any], datetime]] = [
        ("cart.updated", {"version": 1, "total": 100, "items": [item("a", 100)]}, later(-9)),
        ("cart.updated", {"version": 2, "total": 300, "items": [item("a", 100), item("b", 200)]}, later(-8)),
        ("cart.updated", {"version": 3, "total": 200, "items": [item("b", 200)]}, later(-8)),
        ("cart.deleted", {"version": 4}, later(-7)),
    ]
    common: dict[str, Any] = {"currency": "EUR", "customer": {"email": ADDRESS}}
    ends = set()
    for number, arrival in enumerate(itertools.permutations(told)):
        for event, data, at in arrival:
            await shop.tell(event, common | data | {"quote_id": f"q{number}"}, at=at)
        cart = await shop.stored(f"q{number}")
        ends.add((cart.status, cart.version, cart.occurred_at))
    assert ends == {("deleted", 4, later(-7))}


async def test_an_absent_address_keeps_and_an_absent_total_does_not(shop: Shop) -> None:
    await shop.cart(shipping=990, coupon_codes=["HELLO"], customer={"email": ADDRESS, "first_name": "Anna"})
    await shop.cart(customer=None, at=later(0.1))
    cart = await shop.stored()
    assert (cart.email, cart.first_name, cart.shipping, cart.coupon_codes) == (ADDRESS, "Anna", None, [])


async def test_lines_are_replaced_as_a_whole(shop: Shop) -> None:
    await shop.cart(items=[item("a"), item("b"), item("c")])
    await shop.cart(items=[item("c")], at=later(0.1))
    assert [line.product_id for line in (await shop.stored()).items] == ["c"]
    assert await CartItem.all().count() == 1


async def test_a_mere_repetition_is_no_activity(shop: Shop) -> None:
    await shop.cart()
    # New prices, totals and tax are the shop's doing.
    shop.clock.advance(minutes=20)
    await shop.cart(total=44000, items=[item(row_total=44000)], tax=100)
    assert (await shop.stored()).activity_at == MORNING
    shop.clock.advance(minutes=11)
    assert await shop.detect() == 1
    await shop.cart(total=43000, items=[item(row_total=43000)])
    assert (await shop.episode()).status == "detected"


@pytest.mark.parametrize(
    "change",
    [
        {"items": [item("other")]},
        {"items": [item(quantity=2)]},
        {"items": []},
        {"items": [item(options=[{"name": "Size", "value": "M"}])]},
        {"coupon_codes": ["HELLO"]},
        {"checkout_stage": "payment"},
        {"payment_failed": True},
        {"customer": {"email": "eva@example.com"}},
        {"currency": "PLN"},
    ],
    ids=str,
)
async def test_what_the_shopper_does_is_activity_and_ends_the_episode(live: Shop, change: dict[str, Any]) -> None:
    mail = await live.queue()
    live.clock.advance(minutes=1)
    await live.cart(**change)
    episode = await live.episode()
    assert (episode.status, episode.open_key, episode.due_at) == ("superseded", None, None)
    assert episode.closed_at == live.now
    assert (await live.stored()).activity_at == live.now
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason) == ("cancelled", "superseded")


async def test_the_same_address_in_other_letters_is_the_same_person(live: Shop) -> None:
    await live.queue()
    await live.cart(customer={"email": "ANNA@Example.COM"})
    assert (await live.episode()).status == "scored"


async def test_a_deleted_cart_ends_its_episode_and_a_late_snapshot_does_not_revive_it(live: Shop) -> None:
    mail = await live.queue()
    await live.tell("cart.deleted", {"quote_id": "1"})
    assert (await live.stored()).status == "deleted"
    await mail.refresh_from_db()
    assert mail.status == "cancelled"
    assert await live.cart(at=MORNING) == "older"
    live.clock.advance(minutes=1)
    assert await live.cart() == "applied"
    assert (await live.stored()).status == "active"


async def test_a_deletion_before_the_cart_leaves_a_tombstone(shop: Shop) -> None:
    assert await shop.tell("cart.deleted", {"quote_id": "1"}) == "applied"
    assert await shop.cart(at=later(-1)) == "older"
    assert (await shop.stored()).status == "deleted"


async def test_a_merged_cart_says_into_which(live: Shop) -> None:
    await live.queue()
    assert await live.tell("cart.merged", {"quote_id": "1", "into_quote_id": "2", "version": 9}) == "applied"
    cart = await live.stored()
    assert (cart.status, cart.merged_into, cart.version) == ("merged", "2", 9)
    assert (await live.episode()).status == "superseded"


async def test_an_inactive_cart_is_inactive(shop: Shop) -> None:
    await shop.cart(active=False)
    assert (await shop.stored()).status == "inactive"
    shop.clock.advance(minutes=31)
    assert await shop.detect() == 0


async def test_a_cart_that_becomes_active_again_is_activity(shop: Shop) -> None:
    """A payment page marks the cart inactive; when the payment fails the shop gives it back unchanged."""
    await shop.cart()
    shop.clock.advance(minutes=10)
    await shop.cart(active=False)
    shop.clock.advance(hours=30)
    await shop.cart()
    assert (await shop.stored()).activity_at == shop.now


async def test_a_restored_cart_is_noted(shop: Shop) -> None:
    await shop.cart()
    told = {"quote_id": "1", "ref": "abc", "at": later(3).isoformat()}
    assert await shop.tell("cart.restored", told) == "applied"
    assert (await shop.stored()).restored_at == later(3)
    assert await shop.tell("cart.restored", told | {"quote_id": "9"}) == "older"


async def test_a_cart_may_move_to_another_store_of_its_connection(shop: Shop) -> None:
    await shop.cart()
    polish = await add_store(shop.connection, "pl", "Tatry", language="pl", currency="PLN", timezone="Europe/Warsaw")
    await shop.tell("cart.updated", {"quote_id": "1", "currency": "PLN", "total": 1, "items": [item()]}, store="pl")
    assert (await shop.stored()).store_id == polish.id
    assert await Cart.all().count() == 1


async def test_links_of_the_shop_are_kept(shop: Shop) -> None:
    await shop.cart(restore_url=f"https://{HOST}/restore?x=1")
    assert (await shop.stored()).restore_url == f"https://{HOST}/restore?x=1"


async def test_a_hook_says_whose_it_was_for_erasure(shop: Shop) -> None:
    await shop.cart()
    assert (await HookDelivery.get()).email_hash == shop.runtime.keys.email_hash(ADDRESS)


async def test_an_older_snapshot_still_counts_as_consent(shop: Shop) -> None:
    await shop.set(consent_policy="require", min_intent_score=0.0)
    await shop.cart(version=2)
    consent = {"marketing": True, "at": later(-5).isoformat(), "source": "checkout_box"}
    assert await shop.cart(version=1, consent=consent) == "older"
    await shop.abandon()
    assert await shop.plan() == {"would_send": 1}


async def test_what_a_cart_was_is_gone_with_nothing_left_over(live: Shop) -> None:
    await live.queue()
    await live.cart(items=[])
    assert await Abandonment.filter(open_key__isnull=False).count() == 0
    assert await Email.filter(status="pending").count() == 0
