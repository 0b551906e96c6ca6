"""The page of one abandonment: why it went as it went, its score, items, decisions, mails, talks and orders."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from tortoise.expressions import Q

from admin.conversations import transcripts
from admin.pages import page
from recovery.eligibility import REASONS, explained
from recovery.explain import COUPON_STATES, SIGNALS, explain_cart
from recovery.models import Abandonment, Coupon, Decision, Email, LinkToken, Order
from recovery.runtime import Runtime
from recovery.text import mask_code

LARGEST_ID = 2**63 - 1
SCALE = 200


@dataclass(frozen=True)
class Bar:
    """One signal of the score: its name, what was seen, its points; zero on its scale, its bar's begin and length."""

    name: str
    seen: str
    points: float
    middle: float
    start: float
    length: float


async def show(request: Request) -> Response:
    """``GET /admin/carts/{id}``."""
    runtime: Runtime = request.state.runtime
    found = None
    if request.path_params["id"] <= LARGEST_ID:
        found = await Abandonment.get_or_none(id=request.path_params["id"]).prefetch_related(
            "store", "connection", "cart__items", "cart__store"
        )
    if found is None:
        return page("cart_unknown", request, status=404)
    emails = await Email.filter(abandonment_id=found.id).order_by("step")
    links = await LinkToken.filter(email_id__in=[email.id for email in emails]).order_by("created_at", "kind")
    mine = Q(quote_id=found.cart.quote_id) | Q(id=found.recovered_order_id or 0)
    return page(
        "cart",
        request,
        now=runtime.now(),
        abandonment=found,
        cart=found.cart,
        items=sorted(found.cart.items, key=lambda item: item.position),
        changed=found.cart.fingerprint != found.fingerprint,
        zone=found.store.timezone,
        explanation=await explain_cart(found.cart, runtime.now()),
        bars=bars(found.contributions),
        decisions=await Decision.filter(abandonment_id=found.id).order_by("at", "id"),
        reasons=REASONS,
        explained=lambda decision: explained(decision.reason, decision.checks, ZoneInfo(found.store.timezone)),
        emails=[(email, [link for link in links if link.email_id == email.id]) for email in emails],
        conversations=await transcripts(found.cart_id),
        coupons=await Coupon.filter(abandonment_id=found.id),
        coupon_states=COUPON_STATES,
        mask_code=mask_code,
        orders=await Order.filter(mine, connection_id=found.connection_id).order_by("placed_at"),
    )


def bars(contributions: list[dict[str, Any]]) -> list[Bar]:
    """The score's parts as bars to the right (for) or, if there are any, to the left (against) of zero."""
    points = [float(part["points"]) for part in contributions]
    middle = SCALE / 2 if min(points, default=0) < 0 else 0
    unit = (SCALE - middle) / (max(map(abs, points), default=0) or 1)
    drawn = []
    for part, each in zip(contributions, points, strict=True):
        value, length = part.get("value"), round(abs(each) * unit, 1)
        # "True" says nothing that the signal's name does not say already.
        seen = "" if value is None or isinstance(value, bool) else str(value)
        start = middle if each >= 0 else middle - length
        drawn.append(Bar(SIGNALS.get(part["signal"], part["signal"]), seen, each, middle, start, length))
    return drawn
