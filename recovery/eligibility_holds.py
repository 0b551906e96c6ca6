"""The checks that hold a message back for a time: an order elsewhere, a recent order, limits per person, quiet hours.

A hold that outlasts the time in which the message makes sense is the last word.
"""

from datetime import datetime, timedelta

from recovery import quiet_hours
from recovery.eligibility_facts import Facts, Failure, PersonMail


def not_too_late(facts: Facts, now: datetime) -> Failure | None:
    """After an outage nobody gets the mail of three days ago; the next one of the sequence may still be on time."""
    return Failure("too_late", ends_sequence=False) if now > facts.latest_at else None


def not_bought_elsewhere(facts: Facts, now: datetime) -> Failure | None:
    """Somebody else ordered what is probably this cart.

    The same phone is the same person as good as by name: when the time is over and the order stands, nothing is sent.
    The weaker signs may be chance: then the mail goes.
    """
    bought = facts.purchase
    if bought is None:
        return None
    if now < bought.holds_until:
        return _hold(facts, "bought_elsewhere", bought.holds_until)
    return Failure("bought_elsewhere") if bought.sign == "phone" else None


def cooled_off(facts: Facts, now: datetime) -> Failure | None:
    """Who has just ordered is left alone for a while."""
    days = facts.settings.order_cool_off_days
    if facts.last_order_at is None or now >= facts.last_order_at + timedelta(days=days):
        return None
    return _hold(facts, "ordered_lately", facts.last_order_at + timedelta(days=days))


def not_too_often(facts: Facts, now: datetime) -> Failure | None:
    """So many mails, and about so many carts, in so many days, whatever the store of the shop."""
    settings = facts.settings
    counted = mails_counted(facts, now)
    others: dict[int, PersonMail] = {}
    for mail in counted:
        if mail.abandonment_id != facts.abandonment_id:
            others[mail.abandonment_id] = mail
    limits = ((counted, settings.mails_per_person), (list(others.values()), settings.carts_per_person))
    in_the_way = [found for found in (_in_the_way(mails, most) for mails, most in limits) if found is not None]
    if not in_the_way:
        return None
    if any(mail.under_way for mail in in_the_way):
        return Failure("too_often", final=False)  # it may still not go out
    return _hold(facts, "too_often", max(mail.at for mail in in_the_way) + timedelta(days=settings.per_person_days))


def mails_counted(facts: Facts, now: datetime) -> list[PersonMail]:
    """The person's mails of the days that the limits look at, the oldest first."""
    since = now - timedelta(days=facts.settings.per_person_days)
    return sorted((mail for mail in facts.person_mails if mail.at > since), key=lambda mail: mail.at)


def not_quiet(facts: Facts, now: datetime) -> Failure | None:
    """Nothing is dropped for the hour: it goes when the quiet hours are over."""
    hours = quiet_hours.parse(facts.settings.quiet_hours)
    over_at = hours.over_at(now, facts.zone) if hours else None
    return Failure("quiet_hours", final=False, until=over_at) if over_at else None


def _in_the_way(mails: list[PersonMail], most: int) -> PersonMail | None:
    """The mail (the oldest first in ``mails``) that must be long ago before there is room again; 0 is no limit."""
    if most == 0 or len(mails) < most:
        return None
    return sorted(mails, key=lambda mail: mail.at)[len(mails) - most]


def _hold(facts: Facts, reason: str, until: datetime) -> Failure:
    return Failure(reason, final=until > facts.latest_at, until=until)
