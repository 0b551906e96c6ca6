"""Pages of long lists, by keyset: a page costs the same however deep it lies, and nothing is skipped or told twice."""

import base64
import binascii
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from admin.api.problems import FieldError, Problem

Item = TypeVar("Item")
MOST = 200
#: Beyond this a count says "more than"; counting a million rows takes longer than showing fifty.
COUNTED = 10_000


class Query(BaseModel):
    """Base of every query: an unknown name is an error, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(Query):
    """Which page of a list."""

    after: str | None = Field(None, max_length=400, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=MOST, description="Most items of the page")


class Page(BaseModel, Generic[Item]):
    """One page; ``next`` is null on the last. ``total`` is exact unless ``more_than_total``."""

    items: list[Item]
    next: str | None
    total: int
    more_than_total: bool


def cursor(values: list[Any]) -> str:
    """Where a page ended, for its reader to hand back."""
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def read_cursor(text: str | None, kinds: tuple[type, ...]) -> list[Any] | None:
    """The values of a cursor of these kinds; None at the beginning.

    Raises:
        Problem: it is none of ours.
    """
    if text is None:
        return None
    try:
        values = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        values = None
    fits = isinstance(values, list) and len(values) == len(kinds)
    if not fits or not all(type(value) is kind for value, kind in zip(values, kinds, strict=True)):
        error = FieldError(field="after", message="Hand back `next` of the page before as it was.")
        raise Problem(422, "invalid", "That is no page of this list.", errors=[error])
    assert isinstance(values, list)
    return values


def page_of(items: list[Item], limit: int, cursors: list[list[Any]], total: int) -> Page[Item]:
    """A page out of up to ``limit + 1`` items and the cursor values of each."""
    whole = len(items) <= limit
    return Page[Any](
        items=items[:limit],
        next=None if whole else cursor(cursors[limit - 1]),
        total=min(total, COUNTED),
        more_than_total=total > COUNTED,
    )
