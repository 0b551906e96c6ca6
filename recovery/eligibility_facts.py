"""What the checks look at and what they answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from recovery.bought_elsewhere import Purchase
from recovery.store_settings import StoreSettings


@dataclass(frozen=True)
class PersonMail:
    """A recovery mail of the same person: about which abandonment and when; ``under_way`` may still not go out."""

    abandonment_id: int
    at: datetime
    under_way: bool = False


@dataclass(frozen=True)
class Facts:
    """Everything the checks look at, loaded in one place (``campaigns_facts.load``).

    ``due_at`` is when this message was to go. ``items_gone`` counts the lines that can't be bought now. ``earlier`` is
    what keeps an earlier message about the same cart from having gone: ``under_way``, ``failed`` or nothing.
    ``person_mails`` are those of the days that the limits look at, this abandonment's own among them.
    """

    settings: StoreSettings
    zone: tzinfo
    store_mode: str
    live_since: datetime | None
    abandonment_id: int
    detected_at: datetime
    due_at: datetime
    score: float | None
    arm: str
    fingerprint: str
    cart_fingerprint: str
    cart_status: str
    items: int
    items_gone: int
    address: str | None
    email_hash: str | None
    cart_email_hash: str | None
    is_bot: bool
    ordered_at: datetime | None
    pending_order_at: datetime | None
    last_order_at: datetime | None
    purchase: Purchase | None
    suppressed_by: str | None
    consent: bool | None
    consent_basis: str | None
    is_customer: bool
    earlier: str | None
    person_mails: tuple[PersonMail, ...]
    stopped_by_complaints: bool = False

    @property
    def latest_at(self) -> datetime:
        """After this moment the message comes too late."""
        return self.due_at + timedelta(hours=self.settings.max_late_hours)


@dataclass(frozen=True)
class Failure:
    """Why not: a reason (see ``eligibility.REASONS``), and whether that is the last word for this step.

    ``until`` is when it ends where that is known; ``ends_sequence`` whether a last word is one for later steps too.
    """

    reason: str
    final: bool = True
    until: datetime | None = None
    ends_sequence: bool = True


Check = Callable[[Facts, datetime], Failure | None]
