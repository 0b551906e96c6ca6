"""How Magento's JSON is read: nulls written as lists, whole floats as integers, times without a zone, hostile texts."""

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from recovery import money
from recovery.text import email_address, one_line

LONGEST_URL = 2048
#: Bots fill carts with template code, markup and links in place of a name; such a name greets nobody.
_NO_NAME = re.compile(r"[{}<>$|\\@]|https?:|www\.|//", re.I)


def listed(value: Any) -> list[Any]:
    """A list; ``fields=`` turns an empty one into null."""
    return value if isinstance(value, list) else []


def mapped(value: Any) -> dict[str, Any]:
    """An object; PHP writes null and an empty one as ``[]``."""
    return value if isinstance(value, dict) else {}


def text(value: Any, limit: int = 255) -> str:
    """A text on one line; numbers come as either."""
    return one_line(str(value), limit) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def identifier(value: Any) -> str | None:
    """An id as text, whether it came as a number or as text; None for null and nothing."""
    return text(value, 64) or None


def decimal(value: Any) -> Decimal:
    """A number without the noise of floats; 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return Decimal(0)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() else Decimal(0)


def minor(value: Any, currency: str) -> int:
    """An amount in minor units of ``currency``; Magento keeps four decimals, people pay in two."""
    scaled = decimal(value).scaleb(money.digits_of(currency))
    return int(scaled.quantize(Decimal(1), ROUND_HALF_UP))


def quantity(value: Any) -> int:
    """A quantity in 1/10,000; 1 for what can't be one."""
    try:
        return money.to_quantity(decimal(value).quantize(Decimal("0.0001"), ROUND_HALF_UP))
    except ValueError:
        return money.QUANTITY_SCALE


def moment(value: Any) -> datetime | None:
    """A time on the shop's clock; Magento writes UTC without saying so."""
    if not isinstance(value, str):
        return None
    try:
        told = datetime.fromisoformat(value)
    except ValueError:
        return None
    if not 1970 <= told.year < 9000:
        return None
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def address(value: Any) -> str | None:
    """One plain e-mail address, or None."""
    return email_address(value) if isinstance(value, str) and value else None


def first_name(value: Any) -> str | None:
    """A name that may greet, or None for what no name looks like."""
    name = text(value, 64)
    return None if not name or _NO_NAME.search(name) else name


def link(value: Any) -> str | None:
    """An address of the web that a mail may carry, as far as its form goes."""
    if not isinstance(value, str) or len(value) > LONGEST_URL:
        return None
    return value if re.fullmatch(r"https?://[^\s\\@]+", value) else None
