"""What Amazon SES, Postmark and Mailgun say of mails, each in its own words, as reports of ours."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import orjson

from recovery.mail_events import Kind, Report

Provider = Literal["ses", "postmark", "mailgun"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)
#: These sign in with a password in the address they are given; the other signs with a key of its own.
WITH_PASSWORD: tuple[Provider, ...] = ("ses", "postmark")
_SNS_HOST = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")
_POSTMARK_HARD = frozenset({"HardBounce", "BadEmailAddress"})
# A permanent failure for any other reason is a refusal for policy, and says nothing about the address.
_MAILGUN_HARD = frozenset({"bounce", "suppress-bounce"})


@dataclass(frozen=True)
class Told:
    """A report and the address it is about."""

    address: str
    report: Report


def read(provider: Provider, document: Any) -> list[Told]:
    """The reports in what a provider sent; none for events that tell nothing of a mail's end.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not of the provider's shape.
    """
    return _READERS[provider](document)


def confirmation(provider: Provider, document: Any) -> str | None:
    """The address a person is to open before Amazon begins to send, if this asks for it and is Amazon's own."""
    if provider != "ses" or not isinstance(document, dict) or document.get("Type") != "SubscriptionConfirmation":
        return None
    url = str(document.get("SubscribeURL", ""))
    parts = urlsplit(url)
    fits = parts.scheme == "https" and _SNS_HOST.fullmatch(parts.netloc) and len(url) <= 2048
    return url if fits else None


def is_signed_by_mailgun(key: str, document: Any) -> bool:
    """Whether the signature in the body is one over its timestamp and token."""
    try:
        told = document["signature"]
        signed = f"{told['timestamp']}{told['token']}".encode()
        given = str(told["signature"]).encode()
    except (KeyError, TypeError):
        return False
    return hmac.compare_digest(hmac.new(key.encode(), signed, hashlib.sha256).hexdigest().encode(), given)


def _ses(document: Any) -> list[Told]:
    # Unless the topic delivers raw, the event is a text inside of Amazon SNS's own envelope.
    event = orjson.loads(document["Message"]) if document.get("Type") == "Notification" else document
    mail = event.get("mail", {})
    message_id = mail.get("commonHeaders", {}).get("messageId") or _ses_header(mail, "message-id")
    kind = event.get("notificationType") or event.get("eventType")
    if kind == "Bounce":
        bounce = event["bounce"]
        return [
            _told(
                "ses", "bounced", one["emailAddress"], _iso(bounce["timestamp"]), message_id,
                key=f"{bounce.get('feedbackId')} {one['emailAddress']}", hard=bounce["bounceType"] == "Permanent",
                reason=one.get("diagnosticCode") or one.get("status") or bounce.get("bounceSubType"),
            )
            for one in bounce["bouncedRecipients"]
        ]  # fmt: skip
    if kind == "Complaint":
        complaint = event["complaint"]
        return [
            _told(
                "ses", "complained", one["emailAddress"], _iso(complaint["timestamp"]), message_id,
                key=f"{complaint.get('feedbackId')} {one['emailAddress']}",
                reason=complaint.get("complaintFeedbackType"),
            )
            for one in complaint["complainedRecipients"]
        ]  # fmt: skip
    if kind == "Delivery":
        at = _iso(event["delivery"]["timestamp"])
        return [
            _told("ses", "delivered", address, at, message_id, key=f"{mail.get('messageId')} {address}")
            for address in event["delivery"]["recipients"]
        ]
    return []


def _ses_header(mail: Any, name: str) -> str | None:
    return next((each["value"] for each in mail.get("headers", []) if each["name"].lower() == name), None)


def _postmark(document: Any) -> list[Told]:
    """Postmark gives mails an id of its own, so that its reports are about the last mail to an address."""
    record, key = document.get("RecordType"), f"{document.get('ID')} {document.get('MessageID')}"
    if record == "Delivery":
        return [_told("postmark", "delivered", document["Recipient"], _iso(document["DeliveredAt"]), None, key=key)]
    if record == "SpamComplaint" or (record == "Bounce" and document["Type"] == "SpamComplaint"):
        at = _iso(document["BouncedAt"])
        return [_told("postmark", "complained", document["Email"], at, None, key=key)]
    if record == "Bounce":
        return [
            _told(
                "postmark", "bounced", document["Email"], _iso(document["BouncedAt"]), None, key=key,
                hard=document["Type"] in _POSTMARK_HARD, reason=f"{document['Type']}: {document.get('Details', '')}",
            )
        ]  # fmt: skip
    return []


def _mailgun(document: Any) -> list[Told]:
    event = document["event-data"]
    kinds: dict[str, Kind] = {"delivered": "delivered", "failed": "bounced", "complained": "complained"}
    kind = kinds.get(event["event"])
    if kind is None:
        return []
    at = datetime.fromtimestamp(float(event["timestamp"]), UTC)
    status = event.get("delivery-status") or {}
    return [
        _told(
            "mailgun", kind, event["recipient"], at, event.get("message", {}).get("headers", {}).get("message-id"),
            key=f"{event['id']} {event['timestamp']}",
            hard=event.get("severity") == "permanent" and event.get("reason") in _MAILGUN_HARD,
            reason=f"{status.get('code', '')} {status.get('message') or status.get('description') or ''}".strip(),
        )
    ]  # fmt: skip


def _told(
    provider: Provider, kind: Kind, address: str, at: datetime, message_id: str | None, *,
    key: str, hard: bool = False, reason: str | None = None,
) -> Told:  # fmt: skip
    if not isinstance(address, str):
        raise TypeError("an address is a text")
    return Told(address, Report(kind, provider, at, None, message_id, hard and kind == "bounced", reason or None, key))


def _iso(told: str) -> datetime:
    at = datetime.fromisoformat(told)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


_READERS: dict[Provider, Callable[[Any], list[Told]]] = {"ses": _ses, "postmark": _postmark, "mailgun": _mailgun}
