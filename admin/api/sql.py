"""Conditions of a list's statement, gathered with their values; what comes from outside is only ever a value."""

from collections.abc import Sequence
from typing import Any

from admin.api.paging import COUNTED
from recovery import db

_COUNT = "SELECT count(*) AS n FROM (SELECT 1 FROM {source} WHERE {where} LIMIT {limit}) x"


class Where:
    """Conditions joined by AND; ``{}`` in a condition stands for its next value."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.values: list[Any] = []

    def add(self, condition: str, *values: Any) -> "Where":
        """One more condition."""
        numbers = range(len(self.values) + 1, len(self.values) + len(values) + 1)
        self._conditions.append(condition.format(*(f"${number}" for number in numbers)))
        self.values += values
        return self

    def given(self, condition: str, value: Any) -> "Where":
        """One more condition, unless its value was not given."""
        return self if value is None else self.add(condition, value)

    def copy(self) -> "Where":
        """The same conditions, to add more to."""
        twin = Where()
        twin._conditions, twin.values = list(self._conditions), list(self.values)
        return twin

    def value(self, value: Any) -> str:
        """A value outside the conditions; its place in the statement."""
        self.values.append(value)
        return f"${len(self.values)}"

    @property
    def sql(self) -> str:
        """The conditions."""
        return " AND ".join(self._conditions) or "true"


async def rows(statement: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """What a statement finds."""
    return list(await db.client().execute_query_dict(statement, list(values)))


async def count(source: str, where: Where) -> int:
    """How many rows fit, counted up to one more than a page's total tells."""
    statement = _COUNT.format(source=source, where=where.sql, limit=COUNTED + 1)
    (found,) = await rows(statement, where.values)
    return int(found["n"])
