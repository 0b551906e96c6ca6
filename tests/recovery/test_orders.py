"""What an order does to its cart, to the episode it ends, and what its cancellation takes back."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from recovery.models import Abandonment, Order
from tests.shop import ADDRESS, MORNING, Shop, item


def later(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)


async def recovery(shop: Shop, quote_id: str = "1") -> tuple[Any, ...]:
    episode = await shop.episode(quote_id)
    return episode.status, episode.recovered_revenue, episode.recovery_reversed_at is not None


@pytest.mark.parametrize("state", ["pending", "paid", "completed", "refunded"])
async def test_an_order_absorbs_its_cart_and_takes_the_mail_back(live: Shop, state: str) -> None:
    mail = await live.queue()
    live.clock.advance(minutes=1)
    assert await live.order(state=state) == "applied"
    assert (await live.stored()).status == "ordered"
    episode = await live.episode()
    assert (episode.status, episode.recovered_at, episode.recovered_revenue) == ("recovered", live.now, 46999)
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason) == ("cancelled", "recovered")
    # Absorbing: later snapshots of the cart don't free it.
    live.clock.advance(minutes=1)
    await live.cart(items=[item("other")])
    assert (await live.stored()).status == "ordered"
    live.clock.advance(hours=2)
    assert await live.detect() == 0


async def test_an_order_before_its_cart(shop: Shop) -> None:
    await shop.order(at=later(5))
    await shop.cart(at=MORNING)
    assert (await shop.stored()).status == "ordered"
    shop.clock.advance(hours=1)
    assert await shop.detect() == 0


async def test_a_cancellation_before_its_placing(shop: Shop) -> None:
    await shop.cart()
    assert await shop.order(state="cancelled", at=later(4), event="order.cancelled") == "applied"
    assert await shop.order(state="pending", at=later(2)) == "older"
    assert (await Order.get()).state == "cancelled"
    assert (await shop.stored()).status == "active"


async def test_after_a_cancellation_only_a_newer_snapshot_makes_the_cart_active(shop: Shop) -> None:
    shop.clock.advance(minutes=20)
    await shop.cart(at=MORNING)
    await shop.order(state="pending", at=later(1))
    await shop.order(state="cancelled", at=later(10), event="order.cancelled")
    assert (await shop.stored()).status == "inactive"
    await shop.cart(at=later(9))
    assert (await shop.stored()).status == "inactive"
    await shop.cart(at=later(11), payment_failed=True)
    assert (await shop.stored()).status == "active"
    assert (await shop.stored()).activity_at == later(11)


async def test_the_newer_snapshot_may_come_before_the_cancellation(shop: Shop) -> None:
    shop.clock.advance(minutes=20)
    await shop.cart(at=MORNING)
    await shop.order(state="pending", at=later(1))
    await shop.cart(at=later(11))
    assert (await shop.stored()).status == "ordered"
    await shop.order(state="cancelled", at=later(10), event="order.cancelled")
    cart = await shop.stored()
    assert (cart.status, cart.activity_at) == ("active", later(11))


async def test_a_failed_payment_is_detected_again(live: Shop) -> None:
    """The shopper came back by the mail, changed nothing, ordered, and the payment failed."""
    await live.queue()
    await live.deliver()
    live.clock.advance(minutes=10)
    await live.order(state="pending")
    live.clock.advance(minutes=5)
    await live.order(state="cancelled", event="order.cancelled")
    live.clock.advance(seconds=1)
    await live.cart()
    live.clock.advance(minutes=31)
    assert await live.detect() == 1


async def test_an_order_by_address_alone_recovers_the_latest_cart(shop: Shop) -> None:
    await shop.cart("1")
    await shop.cart("2", customer={"email": "eva@example.com"})
    shop.clock.advance(minutes=31)
    await shop.detect()
    await shop.order(quote_id=None, customer={"email": "ANNA@example.com"})
    assert (await recovery(shop, "1"))[0] == "recovered"
    assert (await recovery(shop, "2"))[0] == "detected"


async def test_an_order_of_another_cart_does_not_recover_by_address(shop: Shop) -> None:
    await shop.cart("1")
    shop.clock.advance(minutes=31)
    await shop.detect()
    await shop.order(quote_id="99")
    assert (await recovery(shop))[0] == "detected"


async def test_an_order_of_another_cart_still_stops_the_mail(live: Shop) -> None:
    await live.cart()
    await live.abandon()
    await live.order(quote_id="99")
    assert await live.plan() == {"skipped": 1}


async def test_whoever_came_back_and_changed_the_cart_first_is_recovered_all_the_same(shop: Shop) -> None:
    await shop.cart()
    await shop.abandon()
    shop.clock.advance(minutes=5)
    await shop.cart(items=[item(quantity=2)])
    assert (await recovery(shop))[0] == "superseded"
    shop.clock.advance(minutes=5)
    await shop.order()
    assert await recovery(shop) == ("recovered", 46999, False)


async def test_a_recovery_is_credited_to_the_episode_before_the_order(shop: Shop) -> None:
    """The order's hook comes late, when the cart has been detected a second time."""
    await shop.cart()
    await shop.abandon()
    ordered = shop.clock.advance(minutes=5)
    shop.clock.advance(minutes=1)
    await shop.cart(items=[item(quantity=2)])
    await shop.abandon()
    await shop.order(at=ordered)
    first, second = await shop.episodes()
    assert (first.status, second.status) == ("recovered", "dismissed")


async def test_an_episode_detected_after_the_order_is_dismissed(shop: Shop) -> None:
    await shop.cart()
    shop.clock.advance(minutes=31)
    await shop.detect()
    await shop.order(at=MORNING)
    episode = await shop.episode()
    assert (episode.status, episode.recovered_revenue, episode.open_key) == ("dismissed", None, None)


async def test_an_episode_of_long_ago_is_not_recovered(shop: Shop) -> None:
    await shop.set(expire_days=14)
    await shop.cart()
    await shop.abandon()
    await shop.cart(items=[item(quantity=2)])
    shop.clock.advance(days=14, minutes=1)
    await shop.order()
    assert (await recovery(shop))[0] == "superseded"


async def test_a_changed_total_changes_the_revenue(shop: Shop) -> None:
    await shop.cart()
    await shop.abandon()
    await shop.order(state="pending")
    shop.clock.advance(minutes=1)
    await shop.order(state="paid", total=40000, event="order.updated")
    assert await recovery(shop) == ("recovered", 40000, False)


async def test_a_cancellation_takes_the_recovery_back_and_a_revival_gives_it_again(shop: Shop) -> None:
    await shop.cart()
    await shop.abandon()
    await shop.order()
    shop.clock.advance(minutes=5)
    await shop.order(state="cancelled", event="order.cancelled")
    episode = await shop.episode()
    assert (episode.status, episode.recovery_reversed_at) == ("recovered", shop.now)
    shop.clock.advance(minutes=5)
    await shop.order(state="paid", event="order.updated")
    assert await recovery(shop) == ("recovered", 46999, False)
    assert (await shop.stored()).status == "ordered"


async def test_of_two_orders_the_first_counts_and_the_second_when_it_is_cancelled(shop: Shop) -> None:
    await shop.cart()
    await shop.abandon()
    await shop.order("o1", total=100)
    shop.clock.advance(minutes=1)
    await shop.order("o2", total=200)
    assert await recovery(shop) == ("recovered", 100, False)
    shop.clock.advance(minutes=1)
    await shop.order("o1", state="cancelled", event="order.cancelled")
    # The other order still holds the cart.
    assert (await shop.stored()).status == "ordered"
    shop.clock.advance(minutes=1)
    await shop.order("o2", total=250, event="order.updated")
    assert await recovery(shop) == ("recovered", 250, False)
    assert await Abandonment.all().count() == 1


async def test_an_older_snapshot_of_an_order_changes_nothing(shop: Shop) -> None:
    await shop.order(state="paid", version=2, total=100, at=later(1))
    assert await shop.order(state="cancelled", version=1, total=1, at=later(2), event="order.cancelled") == "older"
    order = await Order.get()
    assert (order.state, order.total, order.cancelled_at) == ("paid", 100, None)


async def test_what_an_order_does_not_say_is_kept(shop: Shop) -> None:
    await shop.order(items=[item()], ref="abc", customer={"email": ADDRESS, "id": 7})
    shop.clock.advance(minutes=1)
    await shop.order(quote_id=None, customer={}, event="order.updated")
    order = await Order.get()
    assert (order.quote_id, order.ref, order.customer_id) == ("1", "abc", "7")
    assert order.email_hash == shop.runtime.keys.email_hash(ADDRESS)
    assert order.items == [{"product_id": "K-12", "quantity": 10_000, "row_total": 45999}]
