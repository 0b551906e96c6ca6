"""Plans the messages: for each due step either a mail in the queue or a decision that says why not."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from recovery import complaints, db
from recovery.eligibility import Facts, Failure, first_failure
from recovery.episodes import OPEN
from recovery.models import Abandonment, Cart, CartItem, Decision, Email, Order
from recovery.persons import latest_consent, lock_persons, suppression_in_force
from recovery.stores.registry import StoreInForce

LOOK_AGAIN_SOONEST = timedelta(minutes=10)
LOOK_AGAIN_LATEST = timedelta(hours=6)


async def sweep(store: StoreInForce, now: datetime, limit: int | None = None) -> dict[str, int]:
    """Look at the due steps of one store, at most ``limit`` (the batch size); how many of each outcome."""
    counts: dict[str, int] = {}
    if not store.settings.enabled or store.row.mode == "paused":
        return counts
    due = await due_ids(store, now, limit)
    for abandonment_id in due:
        outcome = await plan(store, abandonment_id, now)
        if outcome:
            counts[outcome] = counts.get(outcome, 0) + 1
    return counts


async def due_ids(store: StoreInForce, now: datetime, limit: int | None = None) -> list[int]:
    """The abandonments of one store with a step to look at now, the longest due first."""
    rows = (
        await Abandonment.filter(store_id=store.row.id, due_at__lte=now)
        .order_by("due_at")
        .limit(limit or store.settings.batch_size)
        .only("id")
    )
    return [row.id for row in rows]


async def plan(store: StoreInForce, abandonment_id: int, now: datetime) -> str | None:
    """Decide one due step in a transaction of its own; the outcome, or None when somebody else was faster."""
    async with db.in_transaction():
        found = await lock_episode(abandonment_id)
        if found is None or found.status not in OPEN or found.due_at is None or found.due_at > now:
            return None
        step = await next_step(found)
        found.due_at = step_due_at(store, found, step)
        if found.due_at is None or found.due_at > now:
            # Looked at early (a word about consent rang), or the sequence was changed since.
            await found.save(update_fields=["due_at"])
            return None
        facts = await load_facts(store, found)
        failure, trail = first_failure(facts, now)
        outcome = _outcome(store, failure)
        await record(store, found, step, outcome, failure, trail, now)
        if outcome == "queued":
            await _queue(store, found, step, facts, now)
        await _move_on(store, found, step, outcome, now)
    return outcome


async def preview(store: StoreInForce, abandonment: Abandonment, now: datetime) -> tuple[str, Failure | None]:
    """What ``plan`` would decide now, and why; nothing is written."""
    failure, _ = first_failure(await load_facts(store, abandonment), now)
    return _outcome(store, failure), failure


async def count_outcomes(store: StoreInForce, now: datetime, limit: int | None = None) -> dict[str, int]:
    """What ``sweep`` would decide now; nothing is written."""
    counts: dict[str, int] = {}
    for abandonment_id in await due_ids(store, now, limit):
        outcome, _ = await preview(store, await Abandonment.get(id=abandonment_id), now)
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


async def lock_episode(abandonment_id: int) -> Abandonment | None:
    """Lock person, cart and abandonment, in this order, and return the abandonment as it is then."""
    seen = await Abandonment.get_or_none(id=abandonment_id)
    if seen is None:
        return None
    await lock_persons(seen.connection_id, [seen.email_hash])
    await Cart.filter(id=seen.cart_id).select_for_update().first()
    return await Abandonment.filter(id=abandonment_id).select_for_update().get_or_none()


def step_due_at(store: StoreInForce, abandonment: Abandonment, step: int) -> datetime | None:
    """When a step (from 0) is due, counted from the detection; None when the sequence has no such step."""
    steps = store.settings.steps
    if step >= len(steps):
        return None
    return abandonment.detected_at + timedelta(minutes=steps[step].delay_minutes)


async def next_step(abandonment: Abandonment) -> int:
    """The number (from 0) of the first step without a final decision or a mail."""
    steps = await Decision.filter(abandonment_id=abandonment.id, terminal_key__isnull=False).values_list("step")
    mails = await Email.filter(abandonment_id=abandonment.id).values_list("step")
    return max([int(row[0]) for row in [*steps, *mails]], default=-1) + 1


async def load_facts(store: StoreInForce, abandonment: Abandonment) -> Facts:
    """Everything the checks look at, as it is now."""
    cart = await Cart.get(id=abandonment.cart_id)
    person = abandonment.email_hash or ""
    orders = await _orders(abandonment, cart)
    since = [o for o in orders if o.placed_at >= cart.activity_at or o.quote_id == cart.quote_id]
    settled = [o for o in since if o.state not in {"pending", "cancelled"}]
    pending = [o for o in since if o.state == "pending"]
    suppression = await suppression_in_force(store.row.connection_id, store.row.id, person)
    consent = await latest_consent(store.row.connection_id, person)
    return Facts(
        settings=store.settings,
        store_mode=store.row.mode,
        live_since=store.row.live_since,
        detected_at=abandonment.detected_at,
        score=abandonment.score,
        arm=abandonment.arm,
        fingerprint=abandonment.fingerprint,
        cart_fingerprint=cart.fingerprint,
        cart_status=cart.status,
        items=await CartItem.filter(cart_id=cart.id).count(),
        address=cart.email,
        email_hash=abandonment.email_hash,
        cart_email_hash=cart.email_hash,
        is_bot=cart.is_bot,
        ordered_at=max((o.placed_at for o in settled), default=None),
        pending_order_at=max((o.placed_at for o in pending), default=None),
        suppressed_by=suppression.cause if suppression else None,
        consent=consent.marketing if consent else None,
        consent_basis=consent.basis if consent else None,
        is_customer=any(o.state != "cancelled" for o in orders),
        stopped_by_complaints=await complaints.stop_in_force(store.row.connection_id) is not None,
    )


async def record(
    store: StoreInForce,
    abandonment: Abandonment,
    step: int,
    outcome: str,
    failure: Failure | None,
    trail: list[dict[str, Any]],
    now: datetime,
) -> None:
    """Append a decision when the answer changed; a final one at most once per step."""
    reason = failure.reason if failure else None
    last = await Decision.filter(abandonment_id=abandonment.id, step=step).order_by("-at", "-id").first()
    if last is not None and (last.outcome, last.reason) == (outcome, reason):
        return
    final = outcome not in {"queued", "waiting"}
    key = f"{abandonment.id}:{step}"
    if final and await Decision.exists(terminal_key=key):
        key = ""
    await Decision.create(
        abandonment_id=abandonment.id,
        step=step,
        at=now,
        outcome=outcome,
        reason=reason,
        checks=trail,
        settings_version=store.version,
        terminal_key=(key or None) if final else None,
    )


async def _orders(abandonment: Abandonment, cart: Cart) -> list[Order]:
    """Every order of the cart or of its person, by quote, address or customer id."""
    mine = Order.filter(connection_id=abandonment.connection_id)
    found = [
        *await mine.filter(quote_id=cart.quote_id),
        *await mine.filter(email_hash=abandonment.email_hash),
        *(await mine.filter(customer_id=cart.customer_id) if cart.customer_id else []),
    ]
    return list({order.id: order for order in found}.values())


def _outcome(store: StoreInForce, failure: Failure | None) -> str:
    if failure is None:
        return "queued" if store.row.mode == "live" else "would_send"
    if failure.reason == "held_out":
        return "held_out"
    return "skipped" if failure.final else "waiting"


async def _queue(store: StoreInForce, abandonment: Abandonment, step: int, facts: Facts, now: datetime) -> None:
    await Email.create(
        id=uuid.uuid4(),
        connection_id=store.row.connection_id,
        store_id=store.row.id,
        abandonment_id=abandonment.id,
        step=step,
        to_address=facts.address,
        email_hash=abandonment.email_hash,
        created_at=now,
        next_attempt_at=now,
        copy_to=store.settings.copy_address,
    )


async def _move_on(store: StoreInForce, abandonment: Abandonment, step: int, outcome: str, now: datetime) -> None:
    """When to look again: at the next step, in a while, or never."""
    if outcome == "skipped":
        abandonment.due_at = None
        if abandonment.status != "contacted":  # who has had an earlier step stays that
            abandonment.status = "skipped"
    elif outcome == "waiting":
        # What changes the answer (consent, a payment) rings by itself; this is for what does not, and gets rarer.
        waited = (now - abandonment.detected_at) / 2
        abandonment.due_at = now + min(max(waited, LOOK_AGAIN_SOONEST), LOOK_AGAIN_LATEST)
    else:
        abandonment.due_at = step_due_at(store, abandonment, step + 1)
    await abandonment.save(update_fields=["status", "due_at"])
