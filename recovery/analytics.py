"""What came back, in numbers that are never mixed: all of it, and what of ours brought it, per currency.

What came back *because of* the mails is a third number, from people who got none: see ``recovery.proof``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from recovery import db
from recovery.attribution import ALL_LINKS_SPAN, SCANNER_SPAN, WAYS, Way

_CAME_BACK = """
SELECT a.recovered_currency AS currency, a.recovered_currency_digits AS digits,
       coalesce(o.attribution, 'none') AS way, count(*) AS orders, sum(a.recovered_revenue)::bigint AS revenue
  FROM abandonment a
  LEFT JOIN "order" o ON o.id = a.recovered_order_id
 WHERE a.recovered_at >= $1 AND ($3::timestamptz IS NULL OR a.recovered_at < $3)
   AND a.recovery_reversed_at IS NULL AND a.recovered_currency IS NOT NULL AND a.store_id = ANY($2)
 GROUP BY 1, 2, 3
"""

#: Whether a link of a mail about the abandonment ``a`` was fetched as people do: ``attribution.human_visits`` as a
#: condition, since an abandonment is one of very many; a test holds the two together.
CLICKED = f"""EXISTS (
  SELECT 1 FROM email e JOIN link_token l ON l.email_id = e.id AND l.renews IS NULL
    JOIN link_visit v ON v.link_id = l.jti
   WHERE e.abandonment_id = a.id AND e.status IN ('sent', 'unknown')
     AND v.at >= coalesce(e.sent_at, e.composed_at, e.created_at) + interval '{SCANNER_SPAN.total_seconds()} s'
     AND ((SELECT count(*) FROM link_token x WHERE x.email_id = e.id AND x.renews IS NULL) = 1
          OR EXISTS (SELECT 1 FROM link_token x WHERE x.email_id = e.id AND x.renews IS NULL
                        AND NOT EXISTS (SELECT 1 FROM link_visit y WHERE y.link_id = x.jti
                            AND y.at BETWEEN v.at - interval '{ALL_LINKS_SPAN.total_seconds()} s'
                                         AND v.at + interval '{ALL_LINKS_SPAN.total_seconds()} s'))))"""  # noqa: S608


@dataclass(frozen=True)
class Sum:
    """How many orders, and what they brought in minor units, less what was given back."""

    orders: int = 0
    revenue: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.orders + other.orders, self.revenue + other.revenue)


@dataclass(frozen=True)
class CameBack:
    """The abandonments that an order recovered, in one currency: by each way that it can have come."""

    currency: str
    digits: int
    by_way: dict[Way, Sum] = field(default_factory=dict)

    @property
    def all(self) -> Sum:
        """All who came back, whatever brought them; many would have come anyway."""
        return sum(self.by_way.values(), Sum())

    @property
    def by_us(self) -> Sum:
        """Those of them whom a link or coupon of ours brought, sure or inferred."""
        return sum((total for way, total in self.by_way.items() if way != "none"), Sum())


async def came_back(store_ids: Sequence[int], since: datetime, until: datetime | None = None) -> list[CameBack]:
    """What orders recovered since then (and before ``until``) and still stands, the currency of most orders first."""
    rows = await db.client().execute_query_dict(_CAME_BACK, [since, list(store_ids), until])
    found: dict[tuple[str, int], dict[Way, Sum]] = {}
    for row in rows:
        found.setdefault((row["currency"], row["digits"]), {})[row["way"]] = Sum(row["orders"], row["revenue"])
    told = [
        CameBack(currency, digits, {way: ways.get(way, Sum()) for way in WAYS})
        for (currency, digits), ways in found.items()
    ]
    return sorted(told, key=lambda each: (-each.all.orders, each.currency))
