"""What a person does with a cart left behind: has it looked at now, judged anew, or let be."""

from datetime import datetime

from recovery import campaigns, episodes
from recovery.episodes import OPEN
from recovery.errors import CartbackError, NotFound
from recovery.models import Abandonment, Decision, Email
from recovery.stores.registry import StoreInForce


class NotThisCart(CartbackError):
    """What was asked for can't be done with the cart as it is; the message says why."""


async def send_now(store: StoreInForce, abandonment_id: int, now: datetime) -> str:
    """Have the next message go without its wait; every check holds. What became of it: ``queued`` if it may go.

    Call in a transaction. What a check holds back goes later, by the plan.

    Raises:
        NotThisCart: its episode is over, it is not scored yet, no message is left, or the store sends nothing.
    """
    found = await _open(abandonment_id)
    if store.row.mode != "live" or not store.settings.enabled:
        raise NotThisCart(f"The store is {store.row.mode if store.settings.enabled else 'off'}, so nothing is sent.")
    if found.scored_at is None:
        raise NotThisCart("It has no score yet; the next run of scoring gives it one.")
    if await Email.filter(abandonment_id=found.id, status="pending").update(next_attempt_at=now):
        return "queued"
    step = await campaigns.next_step(found)
    if step >= len(store.settings.steps):
        raise NotThisCart("Every message of the sequence has gone or was decided against.")
    return await campaigns.decide(store, found, step, now)


async def rescore(abandonment_id: int) -> None:
    """Have it scored and decided anew, what a check decided against before included; call in a transaction.

    Raises:
        NotThisCart: its episode is over, or a message has gone or is on its way.
    """
    found = await _open(abandonment_id)
    if await Email.filter(abandonment_id=found.id).exclude(status__in=("cancelled", "suppressed")).exists():
        raise NotThisCart("A message has gone or is on its way; its score stays what that rests on.")
    # What was decided stays to be read, but is no last word any more; a mail that was taken back is.
    await Decision.filter(abandonment_id=found.id, outcome__in=("skipped", "would_send")).update(terminal_key=None)
    found.status, found.due_at = "detected", None
    found.score = found.scored_at = found.scored_by = found.reason_code = None
    found.contributions = []
    await found.save(
        update_fields=["status", "due_at", "score", "scored_at", "scored_by", "reason_code", "contributions"]
    )


async def dismiss(abandonment_id: int, now: datetime) -> None:
    """End the episode and take back what has not gone; the cart counts again when the customer changes it.

    Call in a transaction.

    Raises:
        NotThisCart: it is over already.
    """
    await episodes.close(await _open(abandonment_id), "dismissed", now)


async def _open(abandonment_id: int) -> Abandonment:
    found = await campaigns.lock_episode(abandonment_id)
    if found is None:
        raise NotFound("There is no such cart.")
    if found.status not in OPEN:
        raise NotThisCart(f"This episode is over: {found.status}.")
    return found
