"""How the demo shop shows and rounds money; amounts are integer minor units with two decimals."""

from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import format_currency, format_decimal

from recovery.demo.catalogue.model import Measure

_UNITS = {"m2": "m²"}


def format_price(amount: int, currency: str, language: str) -> str:
    """The amount as people of that language write it, for example €219.00 or 949,00 zł."""
    return format_currency(Decimal(amount) / 100, currency, locale=language)


def format_amount(measure: Measure, packs: int, language: str) -> str:
    """So many packs as people of that language write it, for example 4.32 m²."""
    return f"{format_decimal(measure.amount(packs), locale=language)} {unit_of(measure)}".strip()


def unit_of(measure: Measure) -> str:
    """The sign of the unit, empty for pieces."""
    return "" if measure.by_piece else _UNITS.get(measure.sold_by, measure.sold_by)


def percent_of(amount: int, percent: int) -> int:
    """That share of the amount, rounded to whole minor units."""
    return int((Decimal(amount) * percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
