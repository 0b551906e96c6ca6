"""Money in integer minor units with its ISO 4217 currency, quantities in 1/10,000, and how both are written."""

import copy
import re
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal, list_currencies

QUANTITY_SCALE = 10_000

# ISO 4217 minor units that are not 2; CLDR (and so babel) knows others for RSD, ALL, IQD, LBP and MMK.
_EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_CURRENCIES = frozenset(code for code in list_currencies() if len(code) == 3)


def is_currency(code: str) -> bool:
    """Whether ``code`` is a currency of ISO 4217."""
    return code in _CURRENCIES


def digits_of(currency: str) -> int:
    """Decimals of ``currency`` by ISO 4217."""
    return _EXPONENTS.get(currency, 2)


def to_decimal(minor: int, digits: int) -> Decimal:
    """``12345`` with 2 digits is ``123.45``."""
    return Decimal(minor).scaleb(-digits)


def format_money(minor: int, currency: str, locale: str, digits: int | None = None) -> str:
    """``minor`` units written as in ``locale``, with as many decimals as the currency has (or ``digits`` says)."""
    places = digits_of(currency) if digits is None else digits
    parsed = babel_locale(locale)
    pattern = copy.copy(parsed.currency_formats["standard"])
    pattern.frac_prec = (places, places)
    written: str = pattern.apply(to_decimal(minor, places), parsed, currency=currency, currency_digits=False)
    # CLDR's spacing, which babel leaves out: KWD 1.234 and not KWD1.234.
    return re.sub(r"(?<=[A-Za-z])(?=\d)", "\u00a0", written)


def to_quantity(value: Decimal) -> int:
    """A quantity with at most four decimals as an integer in 1/10,000.

    Raises:
        ValueError: more than four decimals, not positive, or absurdly large.
    """
    scaled = value * QUANTITY_SCALE
    if scaled != scaled.to_integral_value() or not 0 < scaled < 10**15:
        raise ValueError("must be above 0 with at most 4 decimals")
    return int(scaled)


def format_quantity(quantity: int, locale: str, sold_by: str = "piece") -> str:
    """A stored quantity (1/10,000) written as in ``locale``, without needless zeros, with its unit if not pieces."""
    exact = to_decimal(quantity, 4).normalize()
    # By default babel rounds to three decimals, and 0.0001 would be 0.
    number = str(format_decimal(exact, locale=babel_locale(locale), decimal_quantization=False))
    return number if sold_by == "piece" else f"{number}\u00a0{unit_name(sold_by)}"


def unit_name(sold_by: str) -> str:
    """The unit that something is sold by, as people write it."""
    return {"m2": "m²", "m3": "m³"}.get(sold_by.lower(), sold_by)


def babel_locale(tag: str) -> Locale:
    """The babel locale of a BCP 47 tag, by its language alone where the rest is unknown, English as the last resort."""
    for candidate in (tag, tag.partition("-")[0]):
        try:
            return Locale.parse(candidate.replace("_", "-"), sep="-")
        except (ValueError, LookupError, UnknownLocaleError):
            continue
    return Locale("en")
