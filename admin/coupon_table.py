"""A store's coupon table cell by cell, with the last carts that fell into each and what their percent comes to."""

import itertools
from dataclasses import dataclass
from decimal import Decimal

from recovery.coupons_rule import table_percent, worst_case
from recovery.models import Abandonment
from recovery.money import digits_of, to_decimal
from recovery.stores.registry import StoreInForce

LAST = 100
#: Above every score.
TOP = 1.01


@dataclass
class Cell:
    """Scores and values from … to below …; values in whole units of the store's currency."""

    score_from: float
    score_below: float
    value_from: float
    value_below: float | None
    percent: int
    carts: int = 0
    cost: int = 0

    def covers(self, score: float, value: Decimal) -> bool:
        """Whether a cart falls into it."""
        below = self.value_below is None or value < Decimal(str(self.value_below))
        return self.score_from <= score < self.score_below and value >= Decimal(str(self.value_from)) and below


async def cells_of(store: StoreInForce) -> tuple[int, list[Cell]]:
    """How many carts were looked at, and the cells, the lowest scores and values first."""
    carts = (
        await Abandonment.filter(store_id=store.row.id, score__isnull=False, currency=store.row.currency)
        .order_by("-detected_at")
        .limit(LAST)
        .only("id", "score", "total")
    )
    cells = _cells(store)
    digits = digits_of(store.row.currency)
    for cart in carts:
        score = cart.score or 0.0
        for cell in cells:
            if cell.covers(score, to_decimal(cart.total, digits)):
                cell.carts += 1
                cell.cost += worst_case(cart.total, cell.percent)
    return len(carts), cells


def _cells(store: StoreInForce) -> list[Cell]:
    """The cells between every edge that the bands and the minimum value make."""
    settings = store.settings
    bands = settings.coupon_bands
    scores = sorted({0.0, TOP, *(edge for band in bands for edge in (band.score_from, min(band.score_below, TOP)))})
    edges = {0.0, settings.coupon_min_cart_value, *(band.value_from for band in bands)}
    values: list[float | None] = [*sorted(edges | {band.value_below for band in bands if band.value_below}), None]
    return [
        Cell(low, high, float(start or 0), end, _percent(store, low, float(start or 0)))
        for low, high in itertools.pairwise(scores)
        for start, end in itertools.pairwise(values)
    ]


def _percent(store: StoreInForce, score: float, value: float) -> int:
    """The percent of the lower corner, which is that of the whole cell."""
    settings, currency = store.settings, store.row.currency
    if not settings.dynamic_coupons or value < settings.coupon_min_cart_value:
        return 0
    minor = int(Decimal(str(value)).scaleb(digits_of(currency)))
    return min(table_percent(settings, score, minor, currency), settings.coupon_max_percent)
