"""Reports of Amazon SES, Postmark and Mailgun, in the shapes that their documentation gives."""

import base64
import copy
import hashlib
import hmac
from typing import Any

import httpx2
import orjson
import pytest

from admin.doctor_bounces import examine
from recovery import provider_events, provider_reports
from recovery.models import Email, EmailEvent, MailProvider, Suppression
from recovery.provider_reports import Provider
from tests.shop import ADDRESS, Shop
from tests.smtp_sink import SmtpSink

KEY = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
AT = "2026-11-23T09:59:38.237Z"
SNS = {"Type": "Notification", "MessageId": "22b80b92", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Timestamp": AT}


def ses(kind: str, message_id: str, **part: Any) -> dict[str, Any]:
    """An event of Amazon SES as its documentation shows it, without the envelope of SNS."""
    mail = {
        "timestamp": AT, "source": "shop@example.com", "messageId": "00000138111222aa", "destination": [ADDRESS],
        "headersTruncated": False, "headers": [{"name": "Message-ID", "value": message_id}],
        "commonHeaders": {"messageId": message_id, "subject": "Hello"},
    }  # fmt: skip
    return {"notificationType": kind, "mail": mail} | part


def ses_bounce(message_id: str, type_: str = "Permanent") -> dict[str, Any]:
    one = {"emailAddress": ADDRESS, "status": "5.1.1", "action": "failed", "diagnosticCode": f"smtp; 550 <{ADDRESS}>"}
    part = {"bounceType": type_, "bounceSubType": "General", "bouncedRecipients": [one], "timestamp": AT}
    return ses("Bounce", message_id, bounce=part | {"feedbackId": "0000013786031775"})


def ses_complaint(message_id: str) -> dict[str, Any]:
    part = {"complainedRecipients": [{"emailAddress": ADDRESS}], "timestamp": AT, "feedbackId": "000001378603177f"}
    return ses("Complaint", message_id, complaint=part | {"complaintFeedbackType": "abuse"})


def ses_delivery(message_id: str) -> dict[str, Any]:
    part = {"timestamp": AT, "recipients": [ADDRESS], "smtpResponse": "250 ok", "processingTimeMillis": 546}
    return ses("Delivery", message_id, delivery=part)


def wrapped(event: dict[str, Any]) -> dict[str, Any]:
    """In the envelope of Amazon SNS."""
    return SNS | {"Message": orjson.dumps(event).decode()}


def postmark(record: str, type_: str = "HardBounce") -> dict[str, Any]:
    if record == "Delivery":
        return {"RecordType": record, "MessageID": "883953f4", "Recipient": ADDRESS, "DeliveredAt": AT, "Details": "ok"}
    return {
        "RecordType": record, "ID": 42, "Type": type_, "TypeCode": 1, "Name": "Hard bounce", "MessageID": "883953f4",
        "Details": f"unknown: {ADDRESS}", "Email": ADDRESS, "BouncedAt": "2026-11-23T04:28:10.2735393-05:00",
        "DumpAvailable": True, "Inactive": True, "CanActivate": True, "Subject": "Test subject",
    }  # fmt: skip


def mailgun(event: str, message_id: str, **more: Any) -> dict[str, Any]:
    token = "a" * 50
    signature = hmac.new(KEY.encode(), f"1763892000{token}".encode(), hashlib.sha256).hexdigest()
    data = {
        "event": event, "id": "CPgfbmQMTCKtHW6uIWtuVe", "timestamp": 1763892000.123, "recipient": ADDRESS,
        "message": {"headers": {"to": ADDRESS, "message-id": message_id.strip("<>")}},
        "delivery-status": {"code": 550, "message": f"5.1.1 <{ADDRESS}>", "description": ""},
    }  # fmt: skip
    return {"signature": {"timestamp": "1763892000", "token": token, "signature": signature}, "event-data": data | more}


async def allow(shop: Shop, provider: Provider) -> dict[str, str]:
    """Let a provider report; the headers it then sends."""
    key = KEY if provider == "mailgun" else None
    vault = shop.runtime.keys.vault
    password = await provider_events.add(vault, shop.connection, provider, key, shop.now)
    if password is None:
        return {}
    assert password not in (await MailProvider.get()).secret
    return {"authorization": "Basic " + base64.b64encode(f"cartback:{password}".encode()).decode()}


async def post(shop: Shop, provider: str, document: Any, headers: dict[str, str]) -> httpx2.Response:
    return await shop.client.post(
        f"/events/{provider}/demo", content=orjson.dumps(document), headers={"content-type": "text/plain"} | headers
    )


async def causes() -> list[str]:
    return [row.cause for row in await Suppression.filter(lifted_at=None).order_by("id")]


def cases(message_id: str) -> list[tuple[Provider, dict[str, Any], str, bool]]:
    """What each provider sends, and what it means."""
    permanent = {"severity": "permanent"}
    return [
        ("ses", wrapped(ses_bounce(message_id)), "bounced", True),
        ("ses", ses_bounce(message_id), "bounced", True),
        ("ses", wrapped(ses_bounce(message_id, "Transient")), "bounced", False),
        ("ses", wrapped(ses_complaint(message_id)), "complained", False),
        ("ses", wrapped(ses_delivery(message_id)), "delivered", False),
        ("postmark", postmark("Bounce"), "bounced", True),
        ("postmark", postmark("Bounce", "SoftBounce"), "bounced", False),
        ("postmark", postmark("Bounce", "Blocked"), "bounced", False),
        ("postmark", postmark("SpamComplaint", "SpamComplaint"), "complained", False),
        ("postmark", postmark("Delivery"), "delivered", False),
        ("mailgun", mailgun("failed", message_id, reason="bounce", **permanent), "bounced", True),
        ("mailgun", mailgun("failed", message_id, reason="espblock", **permanent), "bounced", False),
        ("mailgun", mailgun("failed", message_id, reason="generic", severity="temporary"), "bounced", False),
        ("mailgun", mailgun("complained", message_id), "complained", False),
        ("mailgun", mailgun("delivered", message_id), "delivered", False),
    ]


@pytest.mark.parametrize("number", range(len(cases(""))))
async def test_what_each_provider_says_counts_once_and_acts(live: Shop, smtp_sink: SmtpSink, number: int) -> None:
    await live.queue()
    await live.deliver()
    provider, document, kind, hard = cases(smtp_sink.messages[0].message["Message-ID"])[number]
    headers = await allow(live, provider)
    for _ in range(2):
        response = await post(live, provider, document, headers)
        assert (response.status_code, response.json()) == (200, {"reports": 1})
    event = await EmailEvent.get()
    assert (event.kind, event.hard, event.source) == (kind, hard, provider)
    assert str(event.email_id) == str((await Email.get()).id)
    assert ADDRESS not in (event.reason or "")
    expected = {"complained": ["complaint"], "bounced": ["bounce"] if hard else []}
    assert await causes() == expected.get(kind, [])


@pytest.mark.parametrize("provider", ["ses", "mailgun"])
async def test_a_delivery_gives_an_unknown_mail_its_end(live: Shop, smtp_sink: SmtpSink, provider: Provider) -> None:
    await live.queue()
    smtp_sink.answer(ADDRESS, "drop_after_dot", accept=True, times=1)
    await live.deliver()
    message_id = smtp_sink.messages[0].message["Message-ID"]
    document = wrapped(ses_delivery(message_id)) if provider == "ses" else mailgun("delivered", message_id)
    await post(live, provider, document, await allow(live, provider))
    assert (await Email.get()).status == "sent"


async def test_nobody_else_may_report(live: Shop) -> None:
    bounce = wrapped(ses_bounce(""))
    headers = await allow(live, "ses")
    for wrong in ({}, {"authorization": "Basic eDp5"}, {"authorization": headers["authorization"][:-3] + "AAA"}):
        response = await post(live, "ses", bounce, wrong)
        assert (response.status_code, response.headers["www-authenticate"][:5]) == (401, "Basic")
    for path in ("/events/ses/other", "/events/postmark/demo", "/events/nobody/demo"):
        assert (await live.client.post(path, content=orjson.dumps(bounce), headers=headers)).status_code == 401
    assert not await EmailEvent.exists()


async def test_a_forged_signature_of_mailgun_is_refused(live: Shop) -> None:
    await allow(live, "mailgun")
    genuine = mailgun("complained", "")
    for part, value in (("timestamp", "1763892001"), ("token", "b" * 50), ("signature", "0" * 64), ("signature", None)):
        forged = copy.deepcopy(genuine)
        forged["signature"][part] = value
        assert (await post(live, "mailgun", forged, {})).status_code == 401
    shapeless: list[Any] = [[], "text", None, {}, {"signature": []}]
    for document in shapeless:
        assert (await post(live, "mailgun", document, {})).status_code == 401
    assert not await EmailEvent.exists()


@pytest.mark.parametrize(
    "document",
    [[], "text", None, 7, {"notificationType": "Bounce"}, ses("Bounce", "", bounce={"bouncedRecipients": [{}]}),
     SNS | {"Message": "not json"}, ses("Complaint", "", complaint=None)],
)  # fmt: skip
async def test_what_is_no_event_is_said_so_and_changes_nothing(live: Shop, document: Any) -> None:
    response = await post(live, "ses", document, await allow(live, "ses"))
    assert response.status_code == 422
    assert not await EmailEvent.exists()


async def test_events_that_tell_nothing_of_an_end_are_taken_and_forgotten(live: Shop) -> None:
    headers = await allow(live, "ses")
    for kind in ("Open", "Send", "Reject"):
        assert (await post(live, "ses", {"eventType": kind, "mail": {}}, headers)).json() == {"reports": 0}


async def test_amazons_confirmation_waits_for_a_person_and_is_never_opened(live: Shop) -> None:
    headers = await allow(live, "ses")
    url = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"
    asked = {"Type": "SubscriptionConfirmation", "Token": "2336412f37", "SubscribeURL": url}
    assert (await post(live, "ses", asked, headers)).status_code == 200
    (finding,) = [found for found in await examine(live.now) if found.subject == "Reports of ses"]
    assert (finding.state, finding.fix) == ("wrong", f"Open once: {url}")
    await post(live, "ses", wrapped(ses_delivery("")), headers)
    assert (await MailProvider.get()).confirm_url is None


@pytest.mark.parametrize(
    "url",
    ["https://evil.example.com/", "http://sns.us-west-2.amazonaws.com/", "https://sns.us-west-2.amazonaws.com.evil.io/",
     "https://sns.us-west-2.amazonaws.com@evil.io/", "https://sns.x.amazonaws.com:8080/", ""],
)  # fmt: skip
def test_only_amazons_own_address_is_shown(url: str) -> None:
    document = {"Type": "SubscriptionConfirmation", "SubscribeURL": url}
    assert provider_reports.confirmation("ses", document) is None
