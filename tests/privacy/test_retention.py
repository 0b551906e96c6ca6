"""What is forgotten by itself, when, and what stays: never an open episode, never the money."""

import uuid
from datetime import timedelta
from typing import Any

from admin import privacy as admin_privacy
from admin.models import AdminSession
from admin.signin import make_admin_link
from chatbot import privacy as chat_privacy
from chatbot.models import Conversation, Turn
from recovery import privacy
from recovery.models import Abandonment, Cart, Email, LinkToken, Order, RejectedDelivery
from tests.shop import ADDRESS, Shop


async def retain(shop: Shop, days: float) -> dict[str, int]:
    """The night so many days from now."""
    now = shop.now + timedelta(days=days)
    return (
        await admin_privacy.retain(now) | await chat_privacy.retain(now) | await privacy.retain(shop.runtime.keys, now)
    )


async def mailed(live: Shop) -> None:
    """A cart whose mail went out and which was bought in the end."""
    await live.queue()
    assert (await live.deliver()).counts == {"sent": 1}
    await live.order()


async def test_carts_and_mails_go_after_their_time_and_figures_stay(live: Shop) -> None:
    await mailed(live)
    assert (await retain(live, 179))["carts"] == 0
    assert (await Cart.get()).email == ADDRESS
    assert (await retain(live, 181))["carts"] == 1
    cart, mail = await Cart.get().prefetch_related("items"), await Email.get()
    assert (cart.email, cart.email_hash, cart.total, len(cart.items)) == (None, None, 45999, 0)
    assert (mail.status, mail.to_address, mail.words, mail.subject) == ("sent", None, None, None)
    assert (await Abandonment.get()).recovered_revenue == (await Order.get()).total
    assert not await LinkToken.exists()
    again = await retain(live, 181)
    assert (again["carts"], again["mails"]) == (0, 0)


async def test_a_store_may_choose_its_own_time(live: Shop) -> None:
    await live.set(keep_carts_days=30)
    await mailed(live)
    assert (await retain(live, 31))["carts"] == 1


async def test_an_open_episode_is_never_forgotten(live: Shop) -> None:
    await live.queue()
    assert (await retain(live, 400))["carts"] == 0
    assert (await Cart.get()).email == ADDRESS


async def test_the_cart_of_somebody_who_comes_back_is_a_new_one(live: Shop) -> None:
    await mailed(live)
    await retain(live, 181)
    live.clock.advance(days=182)
    assert await live.cart() == "applied"
    assert await Cart.filter(email=ADDRESS).count() == 1
    assert await Cart.all().count() == 2


async def test_more_than_one_batch(live: Shop) -> None:
    count = privacy.BATCH + 3
    await live.cart()
    cart = await Cart.get()
    rows = [Cart(**(_columns(cart) | {"quote_id": f"old{number}"})) for number in range(count - 1)]
    await Cart.bulk_create(rows)
    assert (await retain(live, 181))["carts"] == count
    assert not await Cart.filter(email__isnull=False).exists()


def _columns(cart: Cart) -> dict[str, Any]:
    return {name: getattr(cart, name) for name in Cart._meta.db_fields if name != "id"}


async def test_what_was_said_goes_after_90_days(live: Shop) -> None:
    await mailed(live)
    link = await LinkToken.get(kind="assistant")
    talk = await Conversation.create(
        id=uuid.uuid4(), store_id=live.store.id, cart_id=link.cart_id, link_jti=link.jti, language="en",
        created_at=live.now, expires_at=live.now, waiting_address="a@example.com", waiting_since=live.now,
    )  # fmt: skip
    await Turn.create(conversation=talk, client_id=uuid.uuid4(), question="Does it fit?", asked_at=live.now)
    assert (await retain(live, 89))["conversations"] == 0
    assert (await retain(live, 91))["conversations"] == 1
    assert not await Turn.exists()
    await talk.refresh_from_db()
    assert (talk.status, talk.waiting_address) == ("erased", None)
    assert (await retain(live, 91))["conversations"] == 0


async def test_refused_hooks_and_ended_sessions_go_after_30_days(live: Shop) -> None:
    await live.send("cart.eaten", {})
    await make_admin_link(live.now)
    early, late = await retain(live, 29), await retain(live, 32)
    assert (early["refused hooks"], early["admin sessions"]) == (0, 0)
    assert (late["refused hooks"], late["admin sessions"]) == (1, 1)
    assert not await RejectedDelivery.exists()
    assert not await AdminSession.exists()
