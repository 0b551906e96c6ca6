"""Magento's searchCriteria over rows of columns, compared as MySQL compares them."""

import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


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
    for group in criteria["filter_groups"]:
        for told in group["filters"]:
            _column(told["field"], columns)
    found = [row for row in rows if all(_group(row, group, columns) for group in criteria["filter_groups"])]
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


def _group(row: Row, group: dict[str, Any], columns: set[str]) -> bool:
    tests = [_matches(row[_column(f["field"], columns)], f) for f in group["filters"]]
    return any(tests) or not tests


def _matches(stored: Any, told: dict[str, str]) -> bool:
    condition, value = told.get("condition_type", "eq"), told.get("value", "")
    if condition == "null":
        return stored is None
    if condition == "notnull":
        return stored is not None
    test = _TESTS.get(condition)
    # MySQL's NULL is neither equal nor unequal to anything.
    return test is not None and stored is not None and test(stored, value)


def _as(stored: Any, value: str) -> Any:
    """``value`` as a number where the column is one: of "true" MySQL reads 0."""
    if isinstance(stored, (int, float)):
        number = re.match(r"\s*-?\d+(\.\d+)?", value)
        return float(number[0]) if number else 0.0
    return value.lower()


def _low(stored: Any) -> Any:
    return stored.lower() if isinstance(stored, str) else stored


def _like(stored: Any, value: str) -> bool:
    pattern = re.escape(value.lower()).replace("%", ".*").replace("_", ".")
    return re.fullmatch(pattern, str(stored).lower()) is not None


_TESTS: dict[str, Callable[[Any, str], bool]] = {
    "eq": lambda s, v: bool(_low(s) == _as(s, v)),
    "neq": lambda s, v: bool(_low(s) != _as(s, v)),
    "gt": lambda s, v: bool(_low(s) > _as(s, v)),
    "lt": lambda s, v: bool(_low(s) < _as(s, v)),
    "gteq": lambda s, v: bool(_low(s) >= _as(s, v)),
    "moreq": lambda s, v: bool(_low(s) >= _as(s, v)),
    "lteq": lambda s, v: bool(_low(s) <= _as(s, v)),
    "from": lambda s, v: bool(_low(s) >= _as(s, v)),
    "to": lambda s, v: bool(_low(s) <= _as(s, v)),
    "in": lambda s, v: any(_low(s) == _as(s, part) for part in v.split(",")),
    "nin": lambda s, v: all(_low(s) != _as(s, part) for part in v.split(",")),
    "like": _like,
    "nlike": lambda s, v: not _like(s, v),
    "finset": lambda s, v: v in str(s).split(","),
    "nfinset": lambda s, v: v not in str(s).split(","),
    "regexp": lambda s, v: re.search(v, str(s), re.I) is not None,
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
