"""How long personal data is kept."""

from datetime import timedelta

from recovery import budgets, privacy
from recovery.models import HookDelivery, LinkToken, LinkVisit, LlmBudget, Order
from tests.shop import Shop
from tests.smtp_sink import SmtpSink


async def test_bodies_of_hooks_are_forgotten_after_30_days_and_the_once_only_key_stays(shop: Shop) -> None:
    await shop.cart()
    now = shop.runtime.now()
    assert (await privacy.retain(shop.runtime.keys, now + timedelta(days=29)))["hook bodies"] == 0
    assert (await HookDelivery.get()).body is not None
    assert (await privacy.retain(shop.runtime.keys, now + timedelta(days=31)))["hook bodies"] == 1
    kept = await HookDelivery.get()
    assert [kept.body, kept.email_hash] == [None, None]
    assert kept.body_sha256


async def test_token_budgets_are_forgotten_after_90_days(shop: Shop) -> None:
    now = shop.runtime.now()
    await budgets.settle(await budgets.reserve([budgets.of_conversation("old")], 10, now), 10)
    assert (await privacy.retain(shop.runtime.keys, now + timedelta(days=89)))["token budgets"] == 0
    assert (await privacy.retain(shop.runtime.keys, now + timedelta(days=91)))["token budgets"] == 1
    assert await LlmBudget.all().count() == 0


async def test_visits_of_links_are_forgotten_after_90_days_and_the_attribution_stays(
    live: Shop, smtp_sink: SmtpSink
) -> None:
    await live.queue()
    await live.deliver()
    live.clock.advance(minutes=1)
    await LinkVisit.create(link=await LinkToken.get(kind="restore"), at=live.now)
    live.clock.advance(minutes=1)
    await live.order()
    assert (await privacy.retain(live.runtime.keys, live.now + timedelta(days=89)))["link visits"] == 0
    assert (await privacy.retain(live.runtime.keys, live.now + timedelta(days=91)))["link visits"] == 1
    live.clock.advance(days=91)
    await live.order(event="order.updated", state="completed")
    assert (await Order.get()).attribution == "inferred"
