"""How the demo shop shows and rounds money; amounts are integer minor units with two decimals."""

from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import format_currency


def format_price(amount: int, currency: str, language: str) -> str:
    """The amount as people of that language write it, for example €219.00 or 949,00 zł."""
    return format_currency(Decimal(amount) / 100, currency, locale=language)


def percent_of(amount: int, percent: int) -> int:
    """That share of the amount, rounded to whole minor units."""
    return int((Decimal(amount) * percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
