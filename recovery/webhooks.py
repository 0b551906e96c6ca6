"""Tells merchants what happened: an event is a row, written in the transaction that makes the fact.

If that transaction is undone, nothing is told; if it is done, the event is told at least once, whatever dies in between
(``recovery.webhooks_delivery``). Events say who only as ``person``, a keyed hash that is the same in every event of
that person and means nothing elsewhere; an endpoint gets the address where the merchant asked for it.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import orjson

from recovery.models import Cart, WebhookEndpoint, WebhookMessage

EventType = Literal["abandonment.detected", "abandonment.recovered", "suppression.created", "conversation.waiting"]
EVENTS: tuple[EventType, ...] = get_args(EventType)


@dataclass(frozen=True)
class Fact:
    """Something that happened: ``key`` names it for ever, ``email`` is known better here than from the cart."""

    type: EventType
    key: str
    at: datetime
    person: str | None
    data: dict[str, Any]
    email: str | None = None


async def is_wanted(connection_id: int, event: EventType) -> bool:
    """Whether anybody wants to hear of this, so that gathering what to tell is worth it."""
    return bool(await _listeners(connection_id, event))


async def publish(connection_id: int, *facts: Fact) -> None:
    """Queue facts for every endpoint that wants them; one that was told before is not told again.

    Call in the transaction that makes the facts.
    """
    rows = []
    for fact in facts:
        listeners = await _listeners(connection_id, fact.type)
        email = None
        if any(endpoint.with_email for endpoint in listeners):
            email = fact.email or await _address(connection_id, fact.person)
        webhook_id = f"msg_{uuid.uuid4().hex}"
        rows += [_message(endpoint, webhook_id, fact, email) for endpoint in listeners]
    if rows:
        await WebhookMessage.bulk_create(rows, ignore_conflicts=True)


async def _listeners(connection_id: int, event: EventType) -> list[WebhookEndpoint]:
    enabled = await WebhookEndpoint.filter(connection_id=connection_id, disabled_at=None).order_by("id")
    return [endpoint for endpoint in enabled if event in endpoint.events]


async def _address(connection_id: int, person: str | None) -> str | None:
    """The address of a person, as their newest cart tells it."""
    if person is None:
        return None
    carts = Cart.filter(connection_id=connection_id, email_hash=person, email__isnull=False)
    newest = await carts.order_by("-received_at").first()
    return newest.email if newest else None


def _message(endpoint: WebhookEndpoint, webhook_id: str, fact: Fact, email: str | None) -> WebhookMessage:
    data = fact.data | {"person": fact.person} | ({"email": email} if endpoint.with_email else {})
    body = orjson.dumps({"type": fact.type, "timestamp": fact.at.isoformat(), "data": data})
    return WebhookMessage(
        endpoint_id=endpoint.id,
        webhook_id=webhook_id,
        key=fact.key,
        type=fact.type,
        email_hash=fact.person,
        body=body.decode(),
        created_at=fact.at,
        next_attempt_at=fact.at,
    )
