"""The query of every page of figures: which store and which time."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from admin.api.call import Call
from admin.api.paging import Query
from admin.api.problems import FieldError, Problem
from admin.periods import Period, between, last_days, zone_of
from recovery.models import Store
from recovery.stores import registry
from recovery.stores.registry import StoreInForce

MOST_DAYS = 1100


class PeriodQuery(Query):
    """A store (all within reach without one) and a time: the last days, or from ``since`` to before ``until``."""

    store: int | None = Field(None, ge=1, le=2**31 - 1)
    days: int = Field(30, ge=1, le=MOST_DAYS, description="The last so many days at the store, today among them")
    since: AwareDatetime | None = Field(None, description="Instead of days; until now without `until`")
    until: AwareDatetime | None = Field(None, description="Needs `since`")


async def stores_of(call: Call, store_id: int | None) -> list[StoreInForce]:
    """The stores a page of figures is about."""
    ids = call.store_filter(store_id)
    rows = await (Store.all() if ids is None else Store.filter(id__in=ids)).order_by("id")
    return [await registry.in_force(row) for row in rows]


def period_of(call: Call, query: PeriodQuery, stores: list[StoreInForce]) -> Period:
    """The time a query asks for.

    Raises:
        Problem: it ends before it begins, is too long, or has no beginning.
    """
    zone = zone_of([store.row for store in stores])
    if query.since is None:
        if query.until is not None:
            raise _wrong("until", "Needs `since`.")
        return last_days(query.days, call.now, zone)
    until: datetime = query.until or call.now + timedelta(microseconds=1)
    if not query.since < until:
        raise _wrong("since", "Must be before `until` and before now.")
    if (until - query.since).days > MOST_DAYS:
        raise _wrong("since", f"A time has at most {MOST_DAYS} days.")
    if not 1900 < query.since.year < 9000 or until.year > 9000:
        raise _wrong("since", "There are no carts of that time.")
    return between(query.since, until, zone)


def _wrong(field: str, message: str) -> Problem:
    return Problem(
        422, "invalid", "Some fields are not right; see errors.", errors=[FieldError(field=field, message=message)]
    )
