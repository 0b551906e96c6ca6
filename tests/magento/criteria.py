"""Magento's searchCriteria over rows of columns, compared as MySQL compares them."""

import operator
import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Test = Callable[[Any], bool]


class BadRequest(Exception):
    """A 400: the message and its parameters."""

    def __init__(self, message: str, parameters: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.parameters = parameters


class SqlError(Exception):
    """A 500 with a report id."""


_SNAKE = {
    "filterGroups": "filter_groups", "conditionType": "condition_type", "pageSize": "page_size",
    "currentPage": "current_page", "sortOrders": "sort_orders",
}  # fmt: skip


def parse(query: list[tuple[str, str]]) -> dict[str, Any]:
    """The criteria as Magento echoes them.

    Raises:
        BadRequest: they are missing or malformed.
    """
    tree: dict[str, Any] = {}
    found = False
    for name, value in query:
        if not name.startswith("searchCriteria"):
            continue
        found = True
        node = tree
        keys = [_SNAKE.get(key, key) for key in re.findall(r"\[(\w+)\]", name)]
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        if keys:
            node[keys[-1]] = value
    if not found:
        raise BadRequest('"%fieldName" is required. Enter and try again.', {"fieldName": "searchCriteria"})
    groups = [{"filters": _listed(group.get("filters", {}))} for group in _listed(tree.get("filter_groups", {}))]
    told: dict[str, Any] = {"filter_groups": groups}
    if "sort_orders" in tree:
        told["sort_orders"] = [_sort(order) for order in _listed(tree["sort_orders"])]
    for name in ("page_size", "current_page"):
        if name in tree:
            told[name] = _integer(name, tree[name])
    return told


def _listed(node: dict[str, Any]) -> list[Any]:
    return [node[key] for key in sorted(node, key=int)]


def _sort(order: dict[str, str]) -> dict[str, str]:
    direction = order.get("direction", "DESC").upper()
    if direction not in {"ASC", "DESC"}:
        raise BadRequest(
            "The sort order has to be specified as %1 for ascending order or %2 for descending order.", ["ASC", "DESC"]
        )
    return {"field": order["field"], "direction": direction}


def _integer(name: str, value: str) -> int:
    if not re.fullmatch(r"-?\d+", value):
        raise BadRequest(
            f'Error occurred during "{name}" processing. The "{value}" value\'s type is invalid. '
            'The "int" type was expected. Verify and try again.'
        )
    return int(value)


def search(
    rows: list[Row], criteria: dict[str, Any], columns: set[str], *, clamp: bool = False
) -> tuple[list[Row], int]:
    """The page of ``rows`` asked for, and how many match in all.

    Raises:
        SqlError: an unknown column.
    """
    groups = _groups(criteria, columns)
    found = [row for row in rows if all(not g or any(test(row[name]) for name, test in g) for g in groups)]
    for order in reversed(criteria.get("sort_orders", [])):
        field = _column(order["field"], columns)
        found.sort(key=lambda row: (row[field] is not None, row[field]), reverse=order["direction"] == "DESC")
    size = criteria.get("page_size", 0)
    page = max(1, criteria.get("current_page", 1))
    if size <= 0:
        return found, len(found)
    if clamp:
        page = min(page, max(1, -(-len(found) // size)))
    return found[(page - 1) * size : page * size], len(found)


def _column(name: str, columns: set[str]) -> str:
    if name not in columns:
        raise SqlError(name)
    return name


def _groups(criteria: dict[str, Any], columns: set[str]) -> list[list[tuple[str, Test]]]:
    return [
        [(_column(told["field"], columns), _test(told)) for told in group["filters"]]
        for group in criteria["filter_groups"]
    ]


def _test(told: dict[str, str]) -> Test:
    """A filter read once, to be held against many rows."""
    condition, value = told.get("condition_type", "eq"), told.get("value", "")
    if condition == "null":
        return lambda stored: stored is None
    if condition == "notnull":
        return lambda stored: stored is not None
    made = _TESTS.get(condition)
    if made is None:
        return lambda stored: False
    test = made(value)
    # MySQL's NULL is neither equal nor unequal to anything.
    return lambda stored: stored is not None and test(stored)


def _number(value: str) -> float:
    """``value`` as MySQL compares it with a number: of "true" it reads 0."""
    found = re.match(r"\s*-?\d+(\.\d+)?", value)
    return float(found[0]) if found else 0.0


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[str], Test]:
    def made(value: str) -> Test:
        number, word = _number(value), value.lower()
        return lambda s: compare(s, number) if isinstance(s, (int, float)) else compare(str(s).lower(), word)

    return made


def _within(value: str) -> Test:
    parts = value.split(",")
    numbers, words = {_number(part) for part in parts}, {part.lower() for part in parts}
    return lambda s: s in numbers if isinstance(s, (int, float)) else str(s).lower() in words


def _without(value: str) -> Test:
    within = _within(value)
    return lambda s: not within(s)


def _like(value: str) -> Test:
    pattern = re.compile(re.escape(value.lower()).replace("%", ".*").replace("_", "."))
    return lambda s: pattern.fullmatch(str(s).lower()) is not None


def _unlike(value: str) -> Test:
    like = _like(value)
    return lambda s: not like(s)


_TESTS: dict[str, Callable[[str], Test]] = {
    "eq": _compared(operator.eq),
    "neq": _compared(operator.ne),
    "gt": _compared(operator.gt),
    "lt": _compared(operator.lt),
    "gteq": _compared(operator.ge),
    "moreq": _compared(operator.ge),
    "lteq": _compared(operator.le),
    "from": _compared(operator.ge),
    "to": _compared(operator.le),
    "in": _within,
    "nin": _without,
    "like": _like,
    "nlike": _unlike,
    "finset": lambda value: lambda s: value in str(s).split(","),
    "nfinset": lambda value: lambda s: value not in str(s).split(","),
    "regexp": lambda value: lambda s: re.search(value, str(s), re.I) is not None,
}


def only_fields(document: Any, told: str | None) -> Any:
    """The ``fields=`` filter: a malformed one gives ``[]``, and an empty list becomes null."""
    if told is None or not isinstance(document, (dict, list)):
        return document
    tree = _tree(told)
    return [] if tree is None else _pick(document, tree)


def _tree(told: str) -> dict[str, Any] | None:
    if not re.fullmatch(r"[\w\[\],]*", told) or told.count("[") != told.count("]"):
        return None
    stack: list[dict[str, Any]] = [{}]
    name = ""
    for token in re.findall(r"\w+|[\[\],]", told):
        if token == "[":
            stack.append(stack[-1][name])
        elif token == "]":
            stack.pop()
        elif token != ",":
            name = token
            stack[-1][name] = {}
    return stack[0]


def _pick(document: Any, tree: dict[str, Any]) -> Any:
    if not tree:
        return document
    if isinstance(document, list):
        return [_pick(part, tree) for part in document] or None
    return {name: _pick(document[name], inner) for name, inner in tree.items() if name in document}
