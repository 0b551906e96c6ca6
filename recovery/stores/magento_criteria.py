"""Magento's searchCriteria: filters joined by AND, with OR inside a group, an order and a page size."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, Self

Value = str | int | bool | datetime | Iterable[str] | Iterable[int]
Condition = Literal["eq", "neq", "gt", "gteq", "lt", "lteq", "in", "nin", "like", "null", "notnull"]
Filter = tuple[str, Condition, Value]


class Criteria:
    """One search, built up filter by filter and written as query pairs."""

    def __init__(self) -> None:
        self._groups: list[list[Filter]] = []
        self._sort: list[tuple[str, str]] = []
        self._size: int | None = None
        self._fields: str | None = None

    def where(self, field: str, condition: Condition, value: Value = "1") -> Self:
        """And this."""
        self._groups.append([(field, condition, value)])
        return self

    def either(self, *filters: Filter) -> Self:
        """And one of these."""
        self._groups.append(list(filters))
        return self

    def by_id(self, size: int, field: str = "entity_id") -> Self:
        """In the order of ids, at most ``size`` rows: the next page is asked for by ``where(id, "gt", last)``."""
        self._sort = [(field, "ASC")]
        self._size = size
        return self

    def newest(self, size: int, field: str = "entity_id") -> Self:
        """The last ``size`` rows."""
        self._sort = [(field, "DESC")]
        self._size = size
        return self

    def first(self, size: int) -> Self:
        """At most ``size`` rows, in whatever order."""
        self._size = size
        return self

    def only(self, fields: str) -> Self:
        """Only these fields of the answer; it saves bytes, not work. An empty list then comes as null."""
        self._fields = fields
        return self

    def pairs(self) -> list[tuple[str, str]]:
        """The query, raw. Keys in snake case: the camel's are subject to a limit of the page size."""
        found = []
        for number, group in enumerate(self._groups):
            for place, (field, condition, value) in enumerate(group):
                stem = f"searchCriteria[filter_groups][{number}][filters][{place}]"
                found += [
                    (f"{stem}[field]", field), (f"{stem}[value]", written(value)),
                    (f"{stem}[condition_type]", condition),
                ]  # fmt: skip
        for number, (field, direction) in enumerate(self._sort):
            stem = f"searchCriteria[sort_orders][{number}]"
            found += [(f"{stem}[field]", field), (f"{stem}[direction]", direction)]
        # Without a size Magento returns everything there is.
        found.append(("searchCriteria[page_size]", str(self._size or 20)))
        if self._fields:
            found.append(("fields", self._fields))
        return found


def written(value: Value) -> str:
    """A value as Magento's database compares it: booleans as 1 and 0, times in UTC without an offset."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return str(value) if isinstance(value, (str, int)) else ",".join(str(part) for part in value)
