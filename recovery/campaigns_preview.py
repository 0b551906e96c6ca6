"""What a run of sending would do now, message by message, without doing it."""

from dataclasses import dataclass, replace
from datetime import datetime

from recovery import campaigns_facts
from recovery.campaigns import due_ids, next_step, outcome_of
from recovery.eligibility import Facts, Failure, PersonMail, explained, first_failure
from recovery.models import Abandonment, Email
from recovery.stores.registry import StoreInForce
from recovery.text import mask_address


@dataclass(frozen=True)
class Foreseen:
    """One message: which, to whom (masked), what would become of it and why; ``until`` is when its hold ends.

    ``outcome`` is that of the decision, or ``ready`` for a mail that is in the queue already and may go.
    """

    store: str
    quote_id: str
    customer: str
    message: int
    outcome: str
    reason: str | None
    words: str
    until: datetime | None


async def foresee(store: StoreInForce, now: datetime, limit: int | None = None) -> list[Foreseen]:
    """The mails in the queue, then the steps that are due; at most ``limit`` (the batch size) of each."""
    if not store.settings.enabled or store.row.mode == "paused":
        return []
    found = await _in_the_queue(store, now, limit) if store.row.mode == "live" else []
    queued: list[tuple[str | None, PersonMail]] = []
    for abandonment_id in await due_ids(store, now, limit):
        abandonment = await Abandonment.get(id=abandonment_id).prefetch_related("cart")
        step = await next_step(abandonment)
        due_at = await campaigns_facts.step_due_at(store, abandonment, step)
        if due_at is None or due_at > now:
            continue
        facts = await campaigns_facts.load(store, abandonment, step, now)
        # What this run would have queued before counts against the limits of its person.
        mine = tuple(mail for person, mail in queued if person == facts.email_hash)
        told = _foreseen(store, abandonment, step, replace(facts, person_mails=facts.person_mails + mine), now)
        found.append(told)
        if told.outcome in {"queued", "would_send"}:
            queued.append((facts.email_hash, PersonMail(abandonment.id, now)))
    return found


async def _in_the_queue(store: StoreInForce, now: datetime, limit: int | None) -> list[Foreseen]:
    mails = (
        await Email.filter(store_id=store.row.id, status="pending", next_attempt_at__lte=now)
        .order_by("next_attempt_at")
        .limit(limit or store.settings.batch_size)
        .prefetch_related("abandonment__cart")
    )
    found = []
    for mail in mails:
        facts = await campaigns_facts.load(store, mail.abandonment, mail.step, now, at_the_point=True)
        found.append(_foreseen(store, mail.abandonment, mail.step, facts, now, passed="ready"))
    return found


def _foreseen(
    store: StoreInForce, abandonment: Abandonment, step: int, facts: Facts, now: datetime, passed: str | None = None
) -> Foreseen:
    failure, trail = first_failure(facts, now)
    return Foreseen(
        store=store.row.code,
        quote_id=abandonment.cart.quote_id,
        customer=mask_address(facts.address) if facts.address else "no e-mail address",
        message=step + 1,
        outcome=outcome_of(store, failure) if failure or passed is None else passed,
        reason=failure.reason if failure else None,
        words=_words(store, failure, trail),
        until=failure.until if failure else None,
    )


def _words(store: StoreInForce, failure: Failure | None, trail: list[dict[str, object]]) -> str:
    return explained(failure.reason, trail, store.zone) if failure else "Every check holds."
