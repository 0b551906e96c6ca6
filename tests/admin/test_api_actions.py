"""Send now, judge anew, let be: what is done with one cart or many, with the sink to count what went."""

import pytest

from admin.models import AuditEntry
from recovery.models import Email
from tests.admin.api import Visitor, key_holder, make_user, sign_in
from tests.shop import Shop, item
from tests.smtp_sink import SmtpSink

WAITING = {"steps": [{"delay_minutes": 240}, {"delay_minutes": 1440}]}


@pytest.fixture
async def visitor(shop: Shop) -> Visitor:
    await make_user()
    return await sign_in(shop)


async def leave(shop: Shop, *quote_ids: str) -> list[int]:
    """Carts that are scored, each of its own customer; their ids."""
    for quote_id in quote_ids:
        await shop.cart(quote_id, customer={"email": f"c{quote_id}@example.com"})
    await shop.abandon()
    return [(await shop.episode(quote_id)).id for quote_id in quote_ids]


async def test_sending_now_skips_the_wait(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    await shop.set(**WAITING)
    (cart,) = await leave(shop, "1")
    assert await shop.plan() == {}
    done = await visitor.send("POST", f"/abandonments/{cart}/send")
    assert (done["result"], done["outcome"]) == ("done", "queued")
    again = await visitor.send("POST", f"/abandonments/{cart}/send")
    assert again["outcome"] == "queued", "the same mail"
    await shop.deliver()
    await shop.plan()
    assert len(smtp_sink.messages) == await Email.all().count() == 1
    # The second message keeps its own time.
    shop.clock.advance(minutes=1439)
    assert await shop.plan() == {}
    shop.clock.advance(minutes=1)
    assert await shop.plan() == {"queued": 1}
    assert await AuditEntry.filter(action="cart.send_now", target=f"cart {cart}").count() == 2


async def test_every_check_holds_when_sending_now(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    await shop.set(**WAITING, min_intent_score=0.99)
    low, quiet = await leave(shop, "1", "2")
    done = await visitor.send("POST", f"/abandonments/{low}/send")
    assert (done["result"], done["outcome"]) == ("held_back", "skipped")
    assert "intent score is below" in done["words"]
    await shop.set(min_intent_score=0.0, quiet_hours="00:00-23:59")
    done = await visitor.send("POST", f"/abandonments/{quiet}/send")
    assert (done["result"], done["outcome"]) == ("held_back", "waiting")
    await shop.go("paused")
    await visitor.send("POST", f"/abandonments/{quiet}/send", status=409)
    await shop.go("live")
    await shop.order(quote_id="2", customer={"email": "c2@example.com"})
    await visitor.send("POST", f"/abandonments/{quiet}/send", status=409)
    await shop.deliver()
    assert smtp_sink.messages == []


async def test_a_cart_is_judged_anew(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    await shop.set(min_intent_score=0.99)
    (cart,) = await leave(shop, "1")
    assert await shop.plan() == {"skipped": 1}
    await shop.set(min_intent_score=0.0)
    await visitor.send("POST", f"/abandonments/{cart}/rescore")
    assert await shop.score() == 1
    assert await shop.plan() == {"queued": 1}
    await visitor.send("POST", f"/abandonments/{cart}/rescore", status=409)
    await shop.deliver()
    assert len(smtp_sink.messages) == 1


async def test_a_dismissed_cart_is_let_be(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    mail = await shop.queue()
    cart = mail.abandonment_id
    await visitor.send("POST", f"/abandonments/{cart}/dismiss")
    await shop.deliver()
    await shop.abandon()
    assert smtp_sink.messages == []
    assert [each.status for each in await shop.episodes()] == ["dismissed"]
    await visitor.send("POST", f"/abandonments/{cart}/dismiss", status=409)
    await visitor.send("POST", f"/abandonments/{cart}/rescore", status=409)
    # The customer comes back to it.
    await shop.cart(items=[item(quantity=2)])
    await shop.abandon()
    assert [each.status for each in await shop.episodes()] == ["dismissed", "scored"]


async def test_many_at_once_each_by_itself(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    await shop.set(**WAITING)
    carts = await leave(shop, "1", "2", "3")
    await shop.order(quote_id="2", customer={"email": "c2@example.com"})
    done = await visitor.send("POST", "/abandonments/actions", {"action": "send", "ids": [*carts, carts[0], 999999]})
    assert [(each["id"], each["result"]) for each in done["items"]] == [
        (carts[0], "done"), (carts[1], "refused"), (carts[2], "done"), (999999, "unknown"),
    ]  # fmt: skip
    assert done["done"] == 2
    await shop.deliver()
    assert {each.recipients[0] for each in smtp_sink.messages} == {"c1@example.com", "c3@example.com"}
    async with key_holder(shop, ["carts:write"]) as program:
        (told,) = (await program.send("POST", "/abandonments/actions", {"action": "send", "ids": [carts[0]]}))["items"]
        assert told["result"] == "refused"
    await visitor.send("POST", "/abandonments/actions", {"action": "explode", "ids": carts}, status=422)
