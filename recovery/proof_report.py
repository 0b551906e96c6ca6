"""What a hold-out shows: loads the people of both arms with their orders and compares them.

Who is compared: people (an address of a connection), since the arm belongs to the person; each once, in the arm and
from the moment in which a cart of theirs first passed every check but the hold-out while the store was live. Until
then nothing has been done to anybody, so the arms differ by chance only; what happens later (a mail that failed, a
second cart, an unsubscription) changes nobody's arm. What is compared: all their orders of the next ``FOLLOW_UP``, of
whatever cart.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from recovery import db
from recovery.proof import UNFAIR, Arm, Interval, Stratum, fairness, rate_difference, revenue_difference

FOLLOW_UP = timedelta(days=14)

_ENTERED = """
WITH entered AS (
  SELECT DISTINCT ON (a.connection_id, a.email_hash)
         a.connection_id, a.email_hash, a.store_id, a.arm, a.holdout_percent, a.eligible_at, c.quote_id
    FROM abandonment a JOIN cart c ON c.id = a.cart_id
   WHERE a.eligible_at IS NOT NULL AND a.email_hash IS NOT NULL
   ORDER BY a.connection_id, a.email_hash, a.eligible_at, a.id
), chosen AS (
  SELECT * FROM entered WHERE store_id = ANY($1) AND ($2::timestamptz IS NULL OR eligible_at >= $2)
     AND ($4::timestamptz IS NULL OR eligible_at < $4)
)
"""
_PEOPLE = f"""{_ENTERED}
SELECT e.store_id, e.holdout_percent, e.arm, count(*) AS people,
       count(*) FILTER (WHERE e.eligible_at > $3) AS following,
       sum((SELECT count(*) FROM abandonment x WHERE x.connection_id = e.connection_id
               AND x.email_hash = e.email_hash AND x.eligible_at IS NOT NULL))::bigint AS carts
  FROM chosen e GROUP BY 1, 2, 3
"""  # noqa: S608
_ORDERS = f"""{_ENTERED}
SELECT e.store_id, e.holdout_percent, e.arm, e.connection_id, e.email_hash, o.currency, o.currency_digits AS digits,
       count(*) AS orders, sum(o.total - o.refunded_total)::bigint AS spent
  FROM chosen e
  JOIN "order" o ON o.connection_id = e.connection_id AND o.state <> 'cancelled'
       AND (o.email_hash = e.email_hash OR o.quote_id = e.quote_id)
       AND o.placed_at > e.eligible_at AND o.placed_at <= e.eligible_at + $3::interval
 GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608

#: Store and share: the part of the people among whom arms are compared.
Key = tuple[int, int | None]


@dataclass(frozen=True)
class ArmTold:
    """One arm in numbers that add up: people, their carts that could have been mailed, buyers, orders."""

    people: int = 0
    carts: int = 0
    buyers: int = 0
    orders: int = 0


@dataclass(frozen=True)
class Money:
    """What both arms spent in one currency, in minor units, and the difference per person of the treated."""

    currency: str
    digits: int
    treated: int
    held: int
    per_person: Interval | None


@dataclass(frozen=True)
class Proof:
    """The comparison; differences are None where a whole arm is missing.

    ``following`` people have not had their whole time yet; ``left_out`` ones came while nobody was held out.
    """

    treated: ArmTold
    held: ArmTold
    following: int
    left_out: int
    rate: Interval | None
    money: list[Money]
    fairness: float | None
    expected_held: float

    @property
    def people(self) -> int:
        """Everybody who is compared."""
        return self.treated.people + self.held.people

    @property
    def more_buyers(self) -> Interval | None:
        """How many of the treated ordered who would not have."""
        return self.rate.times(self.treated.people) if self.rate else None

    @property
    def is_unfair(self) -> bool:
        """Whether the arms are so far from the shares set that something is broken, and nothing proved."""
        return self.fairness is not None and self.fairness < UNFAIR


async def compare(
    store_ids: Sequence[int],
    since: datetime | None,
    now: datetime,
    *,
    until: datetime | None = None,
    with_money: bool = True,
) -> Proof:
    """Compare the arms of these stores; only people who first could have been mailed from ``since`` to ``until``."""
    people = await db.client().execute_query_dict(_PEOPLE, [list(store_ids), since, now - FOLLOW_UP, until])
    orders = await db.client().execute_query_dict(_ORDERS, [list(store_ids), since, FOLLOW_UP, until])
    keys: set[Key] = {(row["store_id"], row["holdout_percent"]) for row in people}
    strata = {key: _stratum(key, people, orders) for key in keys}
    compared = {key: stratum for key, stratum in strata.items() if _is_drawn(key, stratum)}
    return Proof(
        treated=_told("treatment", compared, people, orders),
        held=_told("holdout", compared, people, orders),
        following=sum(row["following"] for row in people if _key(row) in compared),
        left_out=sum(stratum.people for key, stratum in strata.items() if key not in compared),
        rate=rate_difference(list(compared.values())),
        # The bootstrap draws millions of numbers: others go on meanwhile.
        money=await asyncio.to_thread(_money, compared, orders) if with_money else [],
        fairness=fairness(list(compared.values())),
        expected_held=sum(stratum.people * (stratum.share or 0) for stratum in compared.values()),
    )


def _key(row: dict[str, Any]) -> Key:
    return row["store_id"], row["holdout_percent"]


def _is_drawn(key: Key, stratum: Stratum) -> bool:
    """Whether these people were drawn into two arms at all, however few have come yet."""
    return bool(key[1]) or stratum.is_comparable


def _stratum(key: Key, people: Iterable[dict[str, Any]], orders: Sequence[dict[str, Any]]) -> Stratum:
    arms = {"treatment": Arm(0), "holdout": Arm(0)}
    for row in people:
        if _key(row) == key:
            buyers = {_person(order) for order in orders if _key(order) == key and order["arm"] == row["arm"]}
            arms[row["arm"]] = Arm(row["people"], len(buyers))
    share = None if key[1] is None else key[1] / 100
    return Stratum(arms["treatment"], arms["holdout"], share)


def _person(order: dict[str, Any]) -> tuple[int, str]:
    return order["connection_id"], order["email_hash"]


def _told(
    arm: str, compared: dict[Key, Stratum], people: Iterable[dict[str, Any]], orders: Sequence[dict[str, Any]]
) -> ArmTold:
    mine = [row for row in people if row["arm"] == arm and _key(row) in compared]
    theirs = [row for row in orders if row["arm"] == arm and _key(row) in compared]
    return ArmTold(
        people=sum(row["people"] for row in mine),
        carts=sum(row["carts"] for row in mine),
        buyers=len({_person(row) for row in theirs}),
        orders=sum(row["orders"] for row in theirs),
    )


def _money(compared: dict[Key, Stratum], orders: Sequence[dict[str, Any]]) -> list[Money]:
    """Each currency by itself: whoever spent another one has spent nothing in this."""
    found = []
    counted = [row for row in orders if _key(row) in compared]
    for currency, digits in sorted({(row["currency"], row["digits"]) for row in counted}):
        here = [row for row in counted if (row["currency"], row["digits"]) == (currency, digits)]
        strata = [
            replace(
                stratum,
                treated=_spending(stratum.treated, "treatment", key, here),
                held=_spending(stratum.held, "holdout", key, here),
            )
            for key, stratum in compared.items()
        ]
        totals = {arm: sum(row["spent"] for row in here if row["arm"] == arm) for arm in ("treatment", "holdout")}
        found.append(Money(currency, digits, totals["treatment"], totals["holdout"], revenue_difference(strata)))
    return sorted(found, key=lambda each: -(each.treated + each.held))


def _spending(arm: Arm, name: str, key: Key, here: Iterable[dict[str, Any]]) -> Arm:
    return replace(arm, spent=tuple(row["spent"] for row in here if row["arm"] == name and _key(row) == key))
