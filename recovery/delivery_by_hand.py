"""What a person does with a mail of the queue: takes it back, or lets one that did not arrive go once more.

A mail stays one row with one Message-ID, so however often somebody presses the button there is one mail on its way at
most, and every check runs again before it goes.
"""

from datetime import datetime
from uuid import UUID

from recovery import campaigns
from recovery.episodes import OPEN
from recovery.errors import CartbackError, NotFound
from recovery.models import Email

BY_HAND = "by_hand"


class NotThisMail(CartbackError):
    """What was asked for can't be done with the mail as it is; the message says why."""


async def cancel(email_id: UUID, now: datetime) -> Email:
    """Take back a mail that has not passed the point of no return; call in a transaction.

    Raises:
        NotThisMail: it is beyond that, or has ended.
    """
    mail = await _locked(email_id)
    changed = await Email.filter(id=email_id, status__in=("pending", "claimed")).update(
        # Whoever composes it this moment loses it by the raised fence.
        status="cancelled", fence=mail.fence + 1, closed_at=now, closed_reason=BY_HAND, claimed_by=None,
        lease_until=None,
    )  # fmt: skip
    if not changed:
        raise NotThisMail(f"This mail is {mail.status}; only one that waits can be cancelled.")
    return await Email.get(id=email_id)


async def send_again(email_id: UUID, now: datetime, *, may_have_arrived: bool) -> Email:
    """Put a mail that failed, or of which nobody knows, back into the queue; call in a transaction.

    ``may_have_arrived``: the person knows that one of which nobody knows may arrive twice.

    Raises:
        NotThisMail: it waits, went or was taken back; its episode is over; or the person has not said that they know.
    """
    mail = await _locked(email_id)
    if mail.status not in {"failed", "unknown"}:
        raise NotThisMail(f"This mail is {mail.status}; only one that failed or whose end is unknown can go again.")
    if mail.status == "unknown" and not may_have_arrived:
        raise NotThisMail("Nobody knows whether this mail arrived. Say may_have_arrived to send it all the same.")
    if mail.to_address is None or mail.abandonment.status not in OPEN:
        raise NotThisMail("The episode of this mail is over, so it is not sent any more.")
    await Email.filter(id=email_id, status=mail.status).update(
        status="pending", fence=mail.fence + 1, attempts=0, claims=0, next_attempt_at=now, closed_at=None,
        closed_reason=None, claimed_by=None, lease_until=None,
    )  # fmt: skip
    return await Email.get(id=email_id)


async def _locked(email_id: UUID) -> Email:
    """The mail, with person, cart and abandonment locked before it, in this order as everywhere.

    Raises:
        NotFound: there is none.
    """
    seen = await Email.get_or_none(id=email_id)
    if seen is None or await campaigns.lock_episode(seen.abandonment_id) is None:
        raise NotFound("There is no such mail.")
    return await Email.filter(id=email_id).select_for_update(of=("email",)).get().prefetch_related("abandonment")
