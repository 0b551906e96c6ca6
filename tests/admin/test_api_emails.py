"""The mails over the API: found, read and looked at; taken back and sent again, with the sink to count what went."""

import asyncio
import re
import uuid
from typing import Any

import pytest

from admin.models import AuditEntry
from recovery.models import Email
from recovery.stores import registry
from tests.admin.api import Visitor, key_holder, make_user, sign_in
from tests.shop import ADDRESS, Shop, item
from tests.smtp_sink import EVERYBODY, SmtpSink


@pytest.fixture
async def visitor(shop: Shop) -> Visitor:
    await make_user()
    return await sign_in(shop)


async def ids(visitor: Visitor, query: str = "") -> list[str]:
    return [row["id"] for row in (await visitor.get(f"/emails?{query}"))["items"]]


async def test_mails_are_found(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    first = await shop.queue("1")
    await shop.deliver()
    shop.clock.advance(minutes=1)
    second = await shop.queue("2", customer={"email": "bob@example.com"})
    assert await ids(visitor) == [str(second.id), str(first.id)]
    assert await ids(visitor, "status=sent") == [str(first.id)]
    assert await ids(visitor, "q=Bob@Example.com") == [str(second.id)]
    sent_as = smtp_sink.messages[0].message["Message-ID"]
    assert await ids(visitor, f"q={sent_as}") == [str(first.id)]
    assert await ids(visitor, f"q={first.id}") == [str(first.id)]
    assert await ids(visitor, "q=nobody") == await ids(visitor, "until=2020-01-01T00:00:00Z") == []
    page = await visitor.get("/emails?limit=1")
    assert (page["total"], len(page["items"])) == (2, 1)
    assert await ids(visitor, f"limit=1&after={page['next']}") == [str(first.id)]
    await visitor.get("/emails?after=WyJ4IiwieSJd", 404)
    await visitor.get(f"/emails/{uuid.uuid4()}", 404)


async def test_a_mail_is_told_as_the_relay_took_it(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    mail = await shop.queue()
    await shop.deliver()
    told = await visitor.get(f"/emails/{mail.id}")
    (received,) = smtp_sink.messages
    assert told["message_id"] == received.message["Message-ID"]
    assert told["row"]["subject"] == told["words"]["subject"] == received.message["Subject"]
    assert (told["row"]["customer"], told["row"]["smtp_code"]) == (received.recipients[0], 250)
    assert [each["outcome"] for each in told["decisions"]] == ["queued", "sent"]
    assert (told["can_cancel"], told["can_resend"], told["closed_words"]) == (False, False, "")
    async with key_holder(shop, ["emails:read"]) as viewer:
        assert ADDRESS not in str(await viewer.get(f"/emails/{mail.id}")) + str(await viewer.get("/emails"))


async def test_a_preview_is_the_mail_without_its_links(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    evil = "<img src=x onerror=alert(1)>"
    mail = await shop.queue(items=[item(name=f"Jacket {evil}")])
    await shop.deliver()
    response = await visitor.call("GET", f"/emails/{mail.id}/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy
    sent, shown = smtp_sink.messages[0].text("html"), response.text
    assert evil not in shown
    links = set(re.findall(r'href="(http[^"]*/[rau]/[^"]*)"', sent))
    assert len(links) == 3
    assert not any(link in shown for link in links)
    assert re.sub(r'href="[^"]*"', "", shown) == re.sub(r'href="[^"]*"', "", sent).rstrip()
    dark = await visitor.call("GET", f"/emails/{mail.id}/html?dark=true")
    assert "prefers-color-scheme: dark)" in shown
    assert "prefers-color-scheme: dark)" not in dark.text
    text = (await visitor.call("GET", f"/emails/{mail.id}/text")).text
    assert "/r/" not in text
    assert evil in text
    unsent = await visitor.call("GET", f"/abandonments/{(await shop.episode()).id}/mail?step=0")
    assert unsent.headers["content-security-policy"] == policy
    assert "Jacket" in unsent.text


async def test_a_mail_that_waits_can_be_taken_back(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    mail = await shop.queue()
    told = await visitor.send("POST", f"/emails/{mail.id}/cancel")
    assert (told["status"], told["closed_reason"]) == ("cancelled", "by_hand")
    await shop.deliver()
    assert smtp_sink.messages == []
    await visitor.send("POST", f"/emails/{mail.id}/cancel", status=409)
    detail = await visitor.get(f"/emails/{mail.id}")
    assert detail["closed_words"] == "somebody took it back"
    entry = await AuditEntry.get(action="email.cancelled")
    assert (entry.before, entry.after) == (
        {"status": "pending", "reason": None}, {"status": "cancelled", "reason": "by_hand"},
    )  # fmt: skip


async def test_a_failed_mail_goes_again_once(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer(EVERYBODY, "rcpt", 550, "5.7.1 not today", times=1)
    mail = await shop.queue()
    await shop.deliver()
    assert (await visitor.get(f"/emails/{mail.id}"))["can_resend"]
    # Several people press at once.
    answers = await asyncio.gather(*(visitor.call("POST", f"/emails/{mail.id}/resend", {}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    await shop.deliver()
    await shop.deliver()
    (received,) = smtp_sink.messages
    assert received.message["Message-ID"].startswith(f"<{mail.id}@")
    assert (await Email.get(id=mail.id)).status == "sent"
    await visitor.send("POST", f"/emails/{mail.id}/resend", {}, status=409)


async def test_of_a_mail_with_an_unknown_end_a_person_decides(
    shop: Shop, visitor: Visitor, smtp_sink: SmtpSink
) -> None:
    smtp_sink.answer(EVERYBODY, "drop_after_dot", accept=False, times=1)
    mail = await shop.queue()
    await shop.deliver()
    assert (await Email.get(id=mail.id)).status == "unknown"
    await visitor.send("POST", f"/emails/{mail.id}/resend", {}, status=409)
    report = await visitor.send("POST", f"/stores/{shop.store.id}/emails/retry", {})
    assert report == {"queued": [], "refused": {}}
    await visitor.send("POST", f"/emails/{mail.id}/resend", {"may_have_arrived": True})
    await shop.deliver()
    assert len(smtp_sink.messages) == 1


async def test_what_has_its_reason_no_more_does_not_go_again(shop: Shop, visitor: Visitor, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer(EVERYBODY, "rcpt", 550, "5.7.1 no", times=3)
    mails = [await shop.queue(str(n), customer={"email": f"c{n}@example.com"}) for n in range(3)]
    await shop.deliver()
    await shop.order(quote_id="0", customer={"email": "c0@example.com"})
    report: Any = await visitor.send("POST", f"/stores/{shop.store.id}/emails/retry", {})
    assert set(report["queued"]) == {str(mails[1].id), str(mails[2].id)}
    assert list(report["refused"]) == [str(mails[0].id)]
    # A check holds at the last moment, too.
    await shop.tell("consent.updated", {
        "email": "c1@example.com",
        "consent": {"marketing": False, "basis": "consent", "source": "form", "at": shop.now.isoformat()},
    })  # fmt: skip
    await shop.deliver()
    assert [each.recipients for each in smtp_sink.messages] == [("c2@example.com",)]


async def test_mails_of_other_stores_do_not_exist(shop: Shop) -> None:
    mail = await shop.queue()
    other = await registry.add_store(shop.connection, "pl", "P", language="pl", currency="PLN", timezone="UTC")
    async with key_holder(shop, ["emails:read", "emails:write"], [other.id]) as program:
        assert (await program.get("/emails"))["items"] == []
        for method, path in [
            ("GET", f"/emails/{mail.id}"), ("GET", f"/emails/{mail.id}/html"), ("GET", f"/emails/{mail.id}/text"),
            ("POST", f"/emails/{mail.id}/cancel"), ("POST", f"/emails/{mail.id}/resend"),
            ("GET", f"/abandonments/{mail.abandonment_id}/mail"), ("POST", f"/abandonments/{mail.abandonment_id}/send"),
        ]:  # fmt: skip
            assert (await program.call(method, path, {})).status_code == 404, path
    assert (await Email.get(id=mail.id)).status == "pending"
