"""The coupon of an abandonment: decided, its money held, made known to the shop, used, and taken back.

    reserved ──shop says yes──> issued ──an order uses it──> redeemed
       └──────── over, given up ───┴──> withdrawing ──> released

A code is in our row before the shop hears of it and never in a mail before the shop said yes. One per abandonment.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from recovery import coupons_ledger as ledger
from recovery import coupons_shop as codes
from recovery import db
from recovery.coupons_rule import CouponFacts, Verdict, decide, worst_case
from recovery.models import Abandonment, Cart, Connection, Coupon, CouponDecision, LoadedCode, Order
from recovery.money import format_money
from recovery.stores.registry import StoreInForce

OURS = ("reserved", "issued", "redeemed")
#: What became of a coupon, as its customer sees it.
Outcome = Literal["works", "used", "over", "withdrawn"]
HELD_IN: dict[str, ledger.Column] = {"reserved": "reserved", "issued": "issued", "withdrawing": "issued"}


@dataclass(frozen=True)
class CouponState:
    """A coupon that works now: what may be said of it."""

    code: str
    percent: int
    expires_at: datetime


async def of_cart(cart_id: int, now: datetime, person: str | None = None) -> CouponState | None:
    """The coupon of this cart that the shop knows, that is not used and not over; of one ``person`` where one asks.

    A cart may have got another address since its coupon was made.
    """
    mine = Coupon.filter(cart_id=cart_id, **({} if person is None else {"email_hash": person}))
    found = await mine.filter(status="issued", expires_at__gt=now).order_by("-created_at").first()
    return state(found) if found else None


async def heard_of(cart_id: int, person: str, now: datetime) -> tuple[CouponState, Outcome] | None:
    """The coupon of this cart that a person may ask about: the one that works, else the last one the shop knew."""
    working = await of_cart(cart_id, now, person)
    if working is not None:
        return working, "works"
    known = Coupon.filter(cart_id=cart_id, email_hash=person, issued_at__not_isnull=True)
    last = await known.order_by("-created_at").first()
    if last is None:
        return None
    if last.status == "redeemed":
        return state(last), "used"
    ended = last.status == "issued" or last.closed_reason == "expired"
    return state(last), "over" if ended else "withdrawn"


def state(coupon: Coupon) -> CouponState:
    """What may be said of a coupon that works."""
    return CouponState(coupon.code, coupon.percent, coupon.expires_at)


async def still_works(code: str, connection_id: int, now: datetime) -> bool:
    """Whether a mail may still name this code."""
    return await Coupon.filter(connection_id=connection_id, code=code, status="issued", expires_at__gt=now).exists()


async def settle(
    store: StoreInForce, connection: Connection, abandonment: Abandonment, step: int, now: datetime
) -> Coupon | None:
    """Decide whether a message carries a coupon, keep the verdict, and hold the money and the code.

    Call in a transaction with person, cart and abandonment locked. The coupon may still be ``reserved``.
    """
    cart = await Cart.get(id=abandonment.cart_id)
    facts = await load_facts(store, connection, abandonment, cart, step, now)
    known = await Coupon.filter(abandonment_id=abandonment.id).first()
    if known is not None:
        verdict = _again(known, facts, now)
        if known.step != step or verdict.percent == 0:
            await keep(store, abandonment, step, verdict, now)
        known.cart = cart
        return known if verdict.percent else None
    verdict = decide(facts, now)
    coupon = None
    if verdict.percent:
        coupon, verdict = await _hold(store, connection, abandonment, facts, verdict, now)
    await keep(store, abandonment, step, verdict, now)
    if coupon is not None:
        coupon.cart = cart
    return coupon


async def keep(store: StoreInForce, abandonment: Abandonment, step: int, verdict: Verdict, now: datetime) -> None:
    """Write a step's verdict down; a later one replaces it, as long as the message has not got its words."""
    await CouponDecision.update_or_create(
        defaults={
            "at": now,
            "percent": verdict.percent,
            "reason": verdict.reason,
            "values": verdict.values,
            "checks": verdict.checks,
            "settings_version": store.version,
        },
        abandonment_id=abandonment.id,
        step=step,
    )


async def load_facts(
    store: StoreInForce, connection: Connection, abandonment: Abandonment, cart: Cart, step: int, now: datetime
) -> CouponFacts:
    """Everything the verdict rests on, as it is now."""
    person, habit = abandonment.email_hash or "", timedelta(days=store.settings.coupon_habit_days)
    others = Coupon.filter(connection_id=abandonment.connection_id, email_hash=person).exclude(
        abandonment_id=abandonment.id
    )
    offers = await others.order_by("-created_at").limit(20)
    told = [code.upper() for code in cart.coupon_codes]
    ours = await Coupon.filter(connection_id=abandonment.connection_id, code__in=told).values_list("code", flat=True)
    shown = [offer for offer in offers if offer.issued_at is not None and offer.issued_at > now - habit]
    ordered = bool(shown) and await Order.filter(
        connection_id=abandonment.connection_id,
        email_hash=person,
        placed_at__gte=min(offer.created_at for offer in shown),
    ).exclude(state="cancelled").exists()  # fmt: skip
    return CouponFacts(
        settings=store.settings,
        step=step,
        arm=abandonment.arm,
        score=abandonment.score,
        value=cart.total if cart.currency == store.row.currency else cart.base_total,
        currency=store.row.currency,
        cart_currency=cart.currency,
        payment_failed=cart.payment_failed,
        own_codes=bool(set(told) - {str(code).upper() for code in ours}),
        last_offer_at=max((o.created_at for o in offers if o.status in OURS or o.issued_at), default=None),
        unanswered_offers=0 if ordered else len(shown),
        has_source=await codes.source_of(store, connection) is not None,
    )


async def mark_issued(coupon: Coupon, now: datetime) -> bool:
    """The shop has said yes; False when the coupon is over meanwhile."""
    async with db.in_transaction():
        changed = await Coupon.filter(id=coupon.id, status="reserved").update(
            status="issued", issued_at=now, last_error=None, next_try_at=None
        )
        if changed:
            await ledger.move(coupon.budget_key, coupon.amount, "reserved", "issued", now)
            coupon.status = "issued"
            return True
    return await Coupon.filter(id=coupon.id, status="issued").exists()


async def note_failure(coupon: Coupon, error: str, next_try_at: datetime | None) -> None:
    """The shop could not be told."""
    coupon.asks = min(coupon.asks + 1, 30_000)
    coupon.last_error, coupon.next_try_at = error[:255], next_try_at
    await coupon.save(update_fields=["asks", "last_error", "next_try_at"])


async def note_attached(coupon: Coupon) -> None:
    """The code is about to be put into its cart by us."""
    coupon.attached = True
    await coupon.save(update_fields=["attached"])


async def close(coupon: Coupon, reason: str, now: datetime, *, known_to_shop: bool) -> bool:
    """End a coupon that is not used; its money is free once the shop can't take it any more. Whether it was open."""
    status = "withdrawing" if known_to_shop else "released"
    async with db.in_transaction():
        row = await Coupon.filter(id=coupon.id).select_for_update().get()
        if row.status not in {"reserved", "issued"}:
            return False
        if status == "released":
            await ledger.move(row.budget_key, row.amount, HELD_IN[row.status], "released", now)
        elif row.status == "reserved":
            await ledger.move(row.budget_key, row.amount, "reserved", "issued", now)
        row.status, row.closed_at, row.closed_reason = status, now, reason
        row.next_try_at, row.asks = now, 0  # the failures of withdrawing it are counted anew
        await row.save(update_fields=["status", "closed_at", "closed_reason", "next_try_at", "asks"])
    return True


async def release(coupon: Coupon, now: datetime) -> None:
    """The shop has forgotten a withdrawn coupon: its money is free."""
    async with db.in_transaction():
        if await Coupon.filter(id=coupon.id, status="withdrawing").update(status="released", next_try_at=None):
            await ledger.move(coupon.budget_key, coupon.amount, "issued", "released", now)


async def note_order(order: Order, now: datetime) -> None:
    """An order used coupons, or, cancelled, gives them back. Call in the transaction that takes the order."""
    told = {code.upper() for code in order.coupon_codes} if order.state != "cancelled" else set()
    mine = await Coupon.filter(redeemed_order_id=order.id).order_by("id").select_for_update()
    for coupon in mine:
        if coupon.code.upper() not in told:
            await ledger.move(coupon.budget_key, coupon.amount, "redeemed", "issued", now)
            await Coupon.filter(id=coupon.id).update(status="issued", redeemed_at=None, redeemed_order_id=None)
    if not told:
        return
    # Loaded codes are kept as the merchant wrote them, ours are upper case.
    wanted = sorted(told | set(order.coupon_codes))
    used = Coupon.filter(connection_id=order.connection_id, code__in=wanted).exclude(status="redeemed")
    for coupon in await used.order_by("id").select_for_update():
        await ledger.move(coupon.budget_key, coupon.amount, HELD_IN.get(coupon.status, "released"), "redeemed", now)
        await Coupon.filter(id=coupon.id).update(
            status="redeemed", redeemed_at=order.placed_at, redeemed_order_id=order.id, next_try_at=None
        )


def _again(known: Coupon, facts: CouponFacts, now: datetime) -> Verdict:
    """The verdict of a message whose abandonment has a coupon already."""
    if not facts.settings.dynamic_coupons:
        return Verdict(0, "coupons_off")
    if not facts.settings.may_carry_coupon(facts.step):
        return Verdict(0, "step_without")
    if known.status in {"reserved", "issued"} and known.expires_at > now:
        return Verdict(known.percent, "same_again", {"percent": known.percent})
    return Verdict(0, "coupon_over", {"status": known.closed_reason or known.status})


async def _hold(
    store: StoreInForce,
    connection: Connection,
    abandonment: Abandonment,
    facts: CouponFacts,
    verdict: Verdict,
    now: datetime,
) -> tuple[Coupon | None, Verdict]:
    """Hold the money and a code for a verdict; what stands in the way becomes the verdict."""
    expires_at = (now + timedelta(hours=store.settings.coupon_expiry_hours)).replace(microsecond=0)
    source = await codes.source_of(store, connection)
    percent, code = verdict.percent, codes.new_code(store.settings.coupon_prefix)
    if source not in codes.MADE_HERE:
        loaded = await codes.take_loaded(store, percent, now)
        if loaded is None:
            return None, Verdict(0, "no_code_left", verdict.values, verdict.checks)
        source, percent, code = "loaded", loaded.percent, loaded.code
        expires_at = min(expires_at, loaded.expires_at or expires_at)
    amount, month = worst_case(facts.value or 0, percent), ledger.month_of(store, now)
    if not await ledger.reserve(month, amount, now):
        await LoadedCode.filter(store_id=store.row.id, code=code).update(taken_at=None)
        told = {"month": month.month, "amount": format_money(amount, month.currency, "en")}
        return None, Verdict(0, "budget_spent", verdict.values | told, verdict.checks)
    coupon = await Coupon.create(
        id=uuid4(),
        connection_id=abandonment.connection_id,
        store_id=store.row.id,
        abandonment_id=abandonment.id,
        cart_id=abandonment.cart_id,
        step=facts.step,
        email_hash=abandonment.email_hash,
        code=code,
        percent=percent,
        source=source,
        status="reserved",
        amount=amount,
        currency=month.currency,
        budget_key=month.key,
        created_at=now,
        expires_at=expires_at,
    )
    return coupon, Verdict(percent, verdict.reason, verdict.values | {"percent": percent}, verdict.checks)
