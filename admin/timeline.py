"""Everything that became of one cart left behind, as moments in the order in which they happened."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from tortoise.expressions import Q

from chatbot.models import Conversation
from recovery.models import Abandonment, Coupon, Decision, Email, LinkToken, Order
from recovery.text import mask_addresses, mask_code


class Moment(BaseModel):
    """Something that happened; ``facts`` depend on its kind."""

    at: datetime
    kind: str = Field(
        description="detected, scored, decided, mail_queued, mail_sent, mail_ended, clicked, talked, coupon, ordered, "
        "cancelled, closed"
    )
    facts: dict[str, Any]


async def timeline_of(found: Abandonment) -> list[Moment]:
    """The moments of an abandonment whose ``cart`` is loaded, the oldest first."""
    told = [Moment(at=found.detected_at, kind="detected", facts={"total": found.total, "currency": found.currency})]
    if found.scored_at:
        facts = {"score": found.score, "reason_code": found.reason_code, "by": found.scored_by}
        told.append(Moment(at=found.scored_at, kind="scored", facts=facts))
    for decision in await Decision.filter(abandonment_id=found.id):
        facts = {"step": decision.step, "outcome": decision.outcome, "reason": decision.reason}
        told.append(Moment(at=decision.at, kind="decided", facts=facts))
    emails = await Email.filter(abandonment_id=found.id)
    for email in emails:
        told += _mail(email)
    for link in await LinkToken.filter(email_id__in=[email.id for email in emails], first_seen_at__isnull=False):
        assert link.first_seen_at is not None
        told.append(Moment(at=link.first_seen_at, kind="clicked", facts={"link": link.kind, "uses": link.uses}))
    for talk in await Conversation.filter(cart_id=found.cart_id):
        told.append(Moment(at=talk.created_at, kind="talked", facts={"conversation": str(talk.id)}))
    for coupon in await Coupon.filter(abandonment_id=found.id):
        facts = {"percent": coupon.percent, "status": coupon.status, "code": mask_code(coupon.code)}
        told.append(Moment(at=coupon.created_at, kind="coupon", facts=facts))
    told += await _orders(found)
    if found.closed_at:
        told.append(Moment(at=found.closed_at, kind="closed", facts={"status": found.status}))
    return sorted(told, key=lambda moment: moment.at)


def _mail(email: Email) -> list[Moment]:
    facts = {"email": str(email.id), "step": email.step, "subject": email.subject}
    told = [Moment(at=email.created_at, kind="mail_queued", facts=facts)]
    answer = {"smtp_code": email.smtp_code, "smtp_text": mask_addresses(email.smtp_text or "") or None}
    if email.sent_at:
        told.append(Moment(at=email.sent_at, kind="mail_sent", facts=facts | answer))
    elif email.closed_at:
        ended = {"status": email.status, "reason": email.closed_reason}
        told.append(Moment(at=email.closed_at, kind="mail_ended", facts=facts | answer | ended))
    return told


async def _orders(found: Abandonment) -> list[Moment]:
    mine = Q(quote_id=found.cart.quote_id) | Q(id=found.recovered_order_id or 0)
    told = []
    for order in await Order.filter(mine, connection_id=found.connection_id):
        facts = {"order_id": order.order_id, "state": order.state, "total": order.total, "currency": order.currency}
        told.append(Moment(at=order.placed_at, kind="ordered", facts=facts))
        if order.cancelled_at:
            told.append(Moment(at=order.cancelled_at, kind="cancelled", facts={"order_id": order.order_id}))
    return told
