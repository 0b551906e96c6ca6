"""Erase means erase: a marked customer goes through the whole product and is forgotten; nothing keeps a mark."""

import logging

import pytest
import structlog.testing

from admin import rights
from recovery import db, jobs
from recovery.emails import unsubscribe_link
from recovery.models import Abandonment, Cart, Email, Order, Suppression
from tests.coupon_shop import CouponShop
from tests.llm_server import LlmServer
from tests.privacy.canary import ADDRESS, MARK, Walk, cart, order, redis_with, tables, tables_with
from tests.recovery.test_links import snapshot
from tests.shop import Shop
from tests.smtp_sink import SmtpSink

#: What the walk leaves marks in. A table in none of these lists is one that nobody thought of: see that it is erased
#: (``privacy_erase``, or the privacy module of its package) and let the walk leave a mark in it.
THEIRS = {
    "cart", "cart_item", "consent_record", "conversation", "conversation_event", "email", "email_event",
    "hook_delivery", "notice", "order", "sync_cart", "turn", "webhook_message", "withheld",
}  # fmt: skip
#: Tables that hold the person as a hash or by their rows' ids only.
BY_HASH = {"abandonment", "coupon", "link_token", "person", "suppression"}
NOBODYS = {
    "admin_session": "hashes of the merchant's own sessions",
    "admin_user": "the merchant's own people",
    "api_key": "the merchant's programs",
    "audit_entry": "what the merchant's people changed",
    "cart_swap": "ids of products, of a cart whose rows go",
    "complaint_hold": "counts",
    "connection": "the shop",
    "coupon_budget": "sums",
    "coupon_decision": "checks of an episode, emptied",
    "decision": "checks of an episode, emptied",
    "heartbeat": "processes",
    "idempotent_answer": "answers to the merchant's programs, a day; those that name the person go",
    "installation": "the installation",
    "job_run": "counts and errors of runs, 7 days",
    "link_visit": "when a link was fetched, whose row goes",
    "llm_budget": "token counts by conversation and store",
    "llm_reservation": "token counts",
    "loaded_code": "codes of the merchant",
    "mail_provider": "providers",
    "policy": "the shop's texts",
    "product": "the shop's catalogue",
    "product_link": "the shop's catalogue",
    "rejected_delivery": "path and code of refused hooks, 30 days",
    "shop_page": "the shop's own pages",
    "signin_failure": "hashes, some minutes",
    "store": "the shop",
    "sync_state": "cursors",
    "tortoise_migrations": "the schema",
    "user_link": "hashes of the merchant's own links",
    "user_session": "the merchant's own sessions",
    "webhook_endpoint": "addresses of the merchant",
}


@pytest.fixture
def walk(live: Shop, smtp_sink: SmtpSink, till: CouponShop, llm_server: LlmServer) -> Walk:
    """The marked customer."""
    return Walk(live, smtp_sink, till, llm_server)


async def erase(shop: Shop, *, dry_run: bool = False) -> dict[str, int]:
    subject = await rights.find_subject(shop.runtime, ADDRESS.replace("anna", "ANNA"), None)
    return await rights.erase(shop.runtime, subject, dry_run=dry_run)


async def test_nothing_of_a_marked_customer_is_left(
    walk: Walk, redis_url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = walk.shop
    caplog.set_level(logging.WARNING)  # as ``set_up_logging`` has it for other libraries
    with structlog.testing.capture_logs() as logged:
        await walk.go()
        assert set(await tables_with(MARK)) == THEIRS
        told = await rights.export(shop.runtime, await rights.find_subject(shop.runtime, ADDRESS, None))
        assert MARK in str(walk.model.asked), "the model was not asked about the marked cart"
        money = await Order.all().values_list("total", "currency", "state")
        before = await snapshot()
        dry = await erase(shop, dry_run=True)
        assert await snapshot() == before
        assert await erase(shop) == dry
        await _late_news(shop)
        sent = len(walk.sink.messages)
        for _ in range(3):
            shop.clock.advance(minutes=31)
            for job in (jobs.detect, jobs.score, jobs.email, jobs.notice):
                assert not (await job(shop.runtime)).errors
    assert await tables_with(MARK) == []
    assert await tables_with(shop.runtime.keys.email_hash(ADDRESS)) == ["person", "suppression"]
    assert redis_with(redis_url, MARK) == []
    out, err = capfd.readouterr()
    assert MARK not in str(logged).lower() + caplog.text.lower() + out.lower() + err.lower()
    assert len(walk.sink.messages) == sent
    assert await Order.all().values_list("total", "currency", "state") == money
    assert not await Email.filter(status__in=("pending", "claimed", "sending")).exists()
    assert not await Abandonment.filter(open_key__isnull=False).exists()
    packages = told["connections"]["demo"]
    exported = {table for package in packages.values() for table in package}
    assert exported >= THEIRS - {"sync_cart"}
    assert await rights.export(shop.runtime, await rights.find_subject(shop.runtime, ADDRESS, None)) != told


async def _late_news(shop: Shop) -> None:
    """What the shop still had in its queue when the person was erased, and what it says of the order afterwards."""
    late = {"currency": "EUR", "total": 45999} | cart(shop, 1)
    past = shop.now
    shop.clock.advance(minutes=2)
    assert await shop.tell("cart.updated", late, at=past) == "older"
    nameless = late | {"customer": None, "consent": None}
    assert await shop.tell("cart.updated", nameless, at=past) == "older"
    assert await shop.order(at=past, **order(7)) == "older"


async def test_every_table_has_been_thought_of(db: None) -> None:
    thought_of = THEIRS | BY_HASH | set(NOBODYS)
    assert set(await tables()) == thought_of, "see THEIRS"
    assert len(thought_of) == len(THEIRS) + len(BY_HASH) + len(NOBODYS)


async def test_a_forgotten_table_is_found(shop: Shop) -> None:
    await db.client().execute_script(
        f'CREATE TABLE notes (id int, told jsonb); INSERT INTO notes VALUES (1, \'{{"a": ["{MARK.upper()}"]}}\')'
    )
    assert await tables_with(MARK) == ["notes"]
    assert "notes" in await tables()


async def test_a_refund_after_the_erasure_reaches_the_money_and_brings_nobody_back(live: Shop) -> None:
    await live.cart(customer={"email": ADDRESS})
    await live.abandon()
    await live.order(customer={"email": ADDRESS, "id": MARK}, number=MARK)
    await erase(live)
    live.clock.advance(hours=1)
    assert (
        await live.order(state="refunded", refunded_total=46999, customer={"email": ADDRESS, "id": MARK}) == "applied"
    )
    row = await Order.get()
    assert (row.state, row.refunded_total, row.email_hash, row.customer_id, row.number) == (
        "refunded", 46999, None, None, None,
    )  # fmt: skip
    assert (await Abandonment.get()).recovered_revenue == 0
    assert await tables_with(MARK) == []


async def test_somebody_else_keeps_everything(live: Shop) -> None:
    await live.queue("mine", customer={"email": "else@example.com"})
    before = await snapshot()
    await live.queue("theirs", customer={"email": ADDRESS})
    await erase(live)
    after = await snapshot()
    for table in ("cart", "email", "abandonment", "hook_delivery", "order"):
        assert set(before[table]) <= set(after[table]), table
    assert (await live.deliver()).counts == {"sent": 1}


async def test_who_was_erased_is_written_to_again_only_after_a_double_opt_in(live: Shop) -> None:
    await live.queue(customer={"email": ADDRESS})
    await erase(live)
    assert [row.cause for row in await Suppression.all()] == ["erased"]
    link = unsubscribe_link(live.runtime, live.store.id, live.runtime.keys.email_hash(ADDRESS))
    assert (await live.client.post(link)).status_code == 200, "an unsubscribe link works for ever"
    await live.client.post(link, data={"undo": "1"})
    live.clock.advance(days=1)
    await live.cart("new", customer={"email": ADDRESS})
    assert await Cart.filter(quote_id="new").exists()
    await live.abandon()
    assert await live.plan() == {"skipped": 1}
    live.clock.advance(minutes=1)
    told = {"marketing": True, "at": live.now.isoformat(), "source": "double_opt_in"}
    await live.tell("consent.updated", {"email": ADDRESS, "consent": told})
    await live.cart("newer", customer={"email": ADDRESS})
    await live.abandon()
    assert await live.plan() == {"queued": 1}


async def test_erasing_twice_is_no_trouble(live: Shop) -> None:
    for number in range(2):
        live.clock.advance(days=1)
        await live.cart("same", customer={"email": ADDRESS})
        await live.order(quote_id="same", customer={"email": ADDRESS}, order_id="same" if number == 0 else "other")
        await erase(live)
    assert await erase(live) == {}
    assert await Cart.all().count() == 2
