"""The time a page of figures is about, in days of the store's time zone, and the time before it to compare with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from recovery.models import Store

Unit = Literal["day", "week", "month"]


@dataclass(frozen=True)
class Period:
    """From ``since`` to before ``until``; as long a time before it begins at ``before_since``."""

    since: datetime
    until: datetime
    before_since: datetime
    before_until: datetime
    zone: ZoneInfo

    def buckets(self, unit: Unit) -> list[date]:
        """The first day of every day, week (from Monday) or month that the period touches."""
        last = (self.until - timedelta(microseconds=1)).astimezone(self.zone).date()
        found = [first_day(self.since.astimezone(self.zone).date(), unit)]
        while (following := _next(found[-1], unit)) <= last:
            found.append(following)
        return found


def last_days(days: int, now: datetime, zone: ZoneInfo) -> Period:
    """The last ``days`` days at the store, today as far as it has come; before it the same part of as many days."""
    there = now.astimezone(zone)
    # What happens at this very moment is in it.
    until = now + timedelta(microseconds=1)
    first = there.date() - timedelta(days=days - 1)
    return Period(
        since=_midnight(first, zone),
        until=until,
        before_since=_midnight(first - timedelta(days=days), zone),
        before_until=_utc(there.replace(tzinfo=None) - timedelta(days=days), zone),
        zone=zone,
    )


def between(since: datetime, until: datetime, zone: ZoneInfo) -> Period:
    """A time with a beginning and an end of its own."""
    return Period(since, until, since - (until - since), since, zone)


def zone_of(stores: Sequence[Store]) -> ZoneInfo:
    """The time zone of these stores; UTC when they are in several."""
    zones = {store.timezone for store in stores}
    return ZoneInfo(zones.pop() if len(zones) == 1 else "UTC")


def first_day(day: date, unit: Unit) -> date:
    """The first day of the day, week or month that ``day`` is in."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _next(day: date, unit: Unit) -> date:
    if unit == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if unit == "week" else 1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return _utc(datetime.combine(day, time()), zone)


def _utc(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
