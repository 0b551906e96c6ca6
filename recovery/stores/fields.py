"""The field types of hook payloads: what a shop may send for an id, money, a quantity, a time or a text."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from recovery import money
from recovery.text import clean_text, one_line

LARGEST_MONEY = 10**15
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _external_id(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or (isinstance(value, int) and value < 0):
        raise ValueError("must be a text of 1 to 64 characters or an integer of 0 or more")
    text = one_line(str(value))
    if not 1 <= len(text) <= 64:
        raise ValueError("must have 1 to 64 characters")
    return text


def _money(value: object) -> int:
    # PHP writes whole floats for whole numbers; halves of a minor unit don't exist.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise ValueError("must be a whole number of minor units (cents)")
    if abs(value) > LARGEST_MONEY:
        raise ValueError("is too large")
    return int(value)


def _amount(value: object) -> int:
    amount = _money(value)
    if amount < 0:
        raise ValueError("must not be negative")
    return amount


def _quantity(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a number or a decimal text above 0")
    try:
        return money.to_quantity(Decimal(str(value)))
    except InvalidOperation as error:
        raise ValueError("must be a number or a decimal text above 0") from error


def _stock(value: object) -> int:
    # Shops count stock in whatever they like; beyond four decimals it is noise.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 10**12:
        raise ValueError("must be a number of 0 or more")
    return int(Decimal(str(value)) * money.QUANTITY_SCALE)


def _time(value: object) -> datetime:
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be a time of RFC 3339 with its offset, such as 2026-11-23T10:15:30Z")
    told = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
    # Zero dates and the end of time are no times of a shop, and nothing could be reckoned from them.
    if not 1970 <= told.year < 9000:
        raise ValueError("must be a time after 1970")
    return told.astimezone(UTC)


def _currency(value: object) -> str:
    if not isinstance(value, str) or not money.is_currency(value):
        raise ValueError("must be a currency code of ISO 4217, such as EUR")
    return value


def _line(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


def _block(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


ExternalId = Annotated[
    str,
    BeforeValidator(_external_id),
    WithJsonSchema({"oneOf": [{"type": "string", "minLength": 1, "maxLength": 64}, {"type": "integer", "minimum": 0}]}),
]
Money = Annotated[
    int, BeforeValidator(_money), WithJsonSchema({"type": "integer", "description": "Minor units of the currency."})
]
Amount = Annotated[
    int,
    BeforeValidator(_amount),
    WithJsonSchema({"type": "integer", "minimum": 0, "description": "Minor units of the currency, 0 or more."}),
]
Quantity = Annotated[
    int,
    BeforeValidator(_quantity),
    WithJsonSchema({"type": ["number", "string"], "description": "Above 0, at most 4 decimals."}),
]
Stock = Annotated[int, BeforeValidator(_stock), WithJsonSchema({"type": "number", "minimum": 0})]
Time = Annotated[datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
Currency = Annotated[str, BeforeValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]
Line16 = Annotated[str, BeforeValidator(_line), Field(max_length=16)]
Line32 = Annotated[str, BeforeValidator(_line), Field(max_length=32)]
Line64 = Annotated[str, BeforeValidator(_line), Field(max_length=64)]
Line128 = Annotated[str, BeforeValidator(_line), Field(max_length=128)]
Line200 = Annotated[str, BeforeValidator(_line), Field(max_length=200)]
Line255 = Annotated[str, BeforeValidator(_line), Field(max_length=255)]
Name255 = Annotated[str, BeforeValidator(_line), Field(min_length=1, max_length=255)]
Address = Annotated[str, BeforeValidator(_line), Field(max_length=254)]
Url = Annotated[str, BeforeValidator(_line)]
Locale = Annotated[str, BeforeValidator(_line), Field(max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
SmallCount = Annotated[int, Field(ge=0, lt=2**31)]


def text_up_to(limit: int) -> Any:
    """A text of several lines, at most ``limit`` characters."""
    return Annotated[str, BeforeValidator(_block), Field(max_length=limit)]


class Payload(BaseModel):
    """Base of every payload: strict types, unknown fields ignored, null is the same as absent."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if value == []:  # PHP writes an empty map as []
            return {}
        if isinstance(value, dict):
            return {name: part for name, part in value.items() if part is not None}
        return value
