"""Plans the messages: for each due step either a mail in the queue or a decision that says why not."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from recovery import campaigns_facts, db
from recovery.campaigns_facts import step_due_at
from recovery.eligibility import Facts, Failure, first_failure
from recovery.episodes import OPEN
from recovery.models import Abandonment, Cart, Decision, Email
from recovery.persons import lock_persons
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
        found.due_at = await step_due_at(store, found, step)
        if found.due_at is None or found.due_at > now:
            # Looked at early (a word about consent rang), the message before went late, or the sequence was changed.
            await found.save(update_fields=["due_at"])
            return None
        return await decide(store, found, step, now)


async def decide(store: StoreInForce, found: Abandonment, step: int, now: datetime) -> str:
    """Decide a step, due or not, of an episode that is locked: a mail in the queue or why not; the outcome."""
    facts = await campaigns_facts.load(store, found, step, now)
    failure, trail = first_failure(facts, now)
    outcome = outcome_of(store, failure)
    await record(store, found, step, outcome, failure, trail, now)
    if outcome in {"queued", "held_out"} and store.row.mode == "live":
        # Before anything was sent, and the same in both arms: whoever is compared, is compared from here on.
        found.eligible_at = found.eligible_at or now
    if outcome == "queued":
        await _queue(store, found, step, facts, now)
    await _move_on(store, found, step, outcome, failure, now)
    return outcome


async def lock_episode(abandonment_id: int) -> Abandonment | None:
    """Lock person, cart and abandonment, in this order, and return the abandonment as it is then."""
    seen = await Abandonment.get_or_none(id=abandonment_id)
    if seen is None:
        return None
    await lock_persons(seen.connection_id, [seen.email_hash])
    await Cart.filter(id=seen.cart_id).select_for_update().first()
    return await Abandonment.filter(id=abandonment_id).select_for_update().get_or_none()


async def next_step(abandonment: Abandonment) -> int:
    """The number (from 0) of the first step without a final decision or a mail."""
    steps = await Decision.filter(abandonment_id=abandonment.id, terminal_key__isnull=False).values_list("step")
    mails = await Email.filter(abandonment_id=abandonment.id).values_list("step")
    return max([int(row[0]) for row in [*steps, *mails]], default=-1) + 1


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


def outcome_of(store: StoreInForce, failure: Failure | None) -> str:
    """What becomes of a step after its checks."""
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


async def _move_on(
    store: StoreInForce, abandonment: Abandonment, step: int, outcome: str, failure: Failure | None, now: datetime
) -> None:
    """When to look again: at the next step, in a while, or never."""
    if outcome == "skipped" and (failure is None or failure.ends_sequence):
        abandonment.due_at = None
        if abandonment.status != "contacted":  # who has had an earlier step stays that
            abandonment.status = "skipped"
    elif outcome == "waiting":
        abandonment.due_at = look_again_at(failure, abandonment.detected_at, now)
    else:
        abandonment.due_at = await step_due_at(store, abandonment, step + 1)
        if outcome == "skipped" and abandonment.due_at is None and abandonment.status != "contacted":
            abandonment.status = "skipped"
    await abandonment.save(update_fields=["status", "due_at", "eligible_at"])


def look_again_at(failure: Failure | None, since: datetime, now: datetime) -> datetime:
    """When to look at a step again that waits ``since`` then: when its hold ends, but at least every few hours.

    What changes the answer (consent, a payment) rings by itself; this is for what does not, and gets rarer.
    """
    if failure is not None and failure.until is not None:
        return min(failure.until, now + LOOK_AGAIN_LATEST)
    return now + min(max((now - since) / 2, LOOK_AGAIN_SOONEST), LOOK_AGAIN_LATEST)
