"""Stopping mails to somebody, handing over what is held, forgetting it: over the API, with the sink to count mails."""

import pytest

from admin.models import AuditEntry
from recovery.models import Cart
from recovery.stores import registry
from tests.admin.api import Visitor, key_holder, make_user, sign_in
from tests.shop import ADDRESS, Shop
from tests.smtp_sink import SmtpSink


@pytest.fixture
async def visitor(shop: Shop) -> Visitor:
    await make_user()
    return await sign_in(shop)


async def test_nobody_who_was_stopped_gets_a_mail(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    await shop.queue()
    told = await visitor.send("POST", "/people/suppress", {"email": ADDRESS.upper()})
    assert told["items"][0]["in_force"] == ["manual"]
    await shop.deliver()
    assert smtp_sink.messages == []
    (row,) = (await visitor.get(f"/suppressions?q={ADDRESS}&store={shop.store.id}"))["items"]
    assert (row["cause"], row["person"], row["store"]) == ("manual", told["person"], None)
    told = await visitor.send("POST", "/people/unsuppress", {"email": ADDRESS})
    assert told["items"][0]["in_force"] == []
    assert (await visitor.get("/suppressions"))["items"] == []
    assert ADDRESS not in str([entry.target for entry in await AuditEntry.all()])


async def test_what_a_person_said_is_not_the_merchants_to_take_back(shop: Shop, visitor: Visitor) -> None:
    consent = {"marketing": False, "basis": "consent", "source": "form", "at": shop.now.isoformat()}
    await shop.tell("consent.updated", {"email": ADDRESS, "consent": consent})
    told = await visitor.send("POST", "/people/unsuppress", {"email": ADDRESS})
    assert told["items"][0]["in_force"] == ["objection"]
    (standing,) = (await visitor.send("POST", "/people/standing", {"email": ADDRESS}))["items"]
    assert (standing["consent"], standing["in_force"]) == (False, ["objection"])
    await visitor.send("POST", "/people/standing", {"email": "nobody"}, status=422)


async def test_telling_and_forgetting_everything(shop: Shop, visitor: Visitor) -> None:
    await shop.queue()
    held = await visitor.send("POST", "/people/export", {"email": ADDRESS})
    assert ADDRESS in str(held["connections"]["demo"])
    counted = await visitor.send("POST", "/people/erase", {"email": ADDRESS, "dry_run": True})
    assert counted["counts"]
    assert (await Cart.get()).email == ADDRESS
    done = await visitor.send("POST", "/people/erase", {"email": ADDRESS})
    assert done["counts"] == counted["counts"]
    assert ADDRESS not in str(await visitor.send("POST", "/people/export", {"email": "x@example.com"}))
    assert await Cart.filter(email=ADDRESS).count() == 0
    assert {entry.action for entry in await AuditEntry.all()} >= {"person.exported", "person.erased"}


async def test_a_person_of_stores_out_of_reach_is_nobody(shop: Shop) -> None:
    await shop.queue()
    other = await registry.add_store(shop.connection, "pl", "P", language="pl", currency="PLN", timezone="UTC")
    async with key_holder(
        shop, ["people:read", "people:write", "people:erase", "personal:read"], [other.id]
    ) as program:
        for path in ("export", "erase", "suppress"):
            await program.send("POST", f"/people/{path}", {"email": ADDRESS}, status=404)
        await program.send("POST", "/people/suppress", {"email": ADDRESS, "store": shop.store.id}, status=404)
        told = await program.send("POST", "/people/suppress", {"email": ADDRESS, "store": other.id})
        assert told["items"][0]["store"] == other.id
    async with key_holder(shop, ["people:read"]) as program:
        await program.send("POST", "/people/export", {"email": ADDRESS}, status=403)
    assert await Cart.filter(email=ADDRESS).count() == 1
