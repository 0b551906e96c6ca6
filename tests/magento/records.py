"""Exchanges recorded from a real Magento 2.4.6, and the comparison of two answers by shape and null-ness."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Record:
    """One exchange with the real shop."""

    name: str
    method: str
    path: str
    query: str
    auth: str
    status: int
    headers: dict[str, str]
    body: Any
    sent: Any = None

    @property
    def raw(self) -> bytes:
        """The body as bytes: a page of HTML as it was, everything else as JSON."""
        is_json = "json" in self.headers.get("content-type", "")
        return orjson.dumps(self.body) if is_json else str(self.body).encode()


@cache
def record(number: str) -> Record:
    """The record whose file begins with ``number``."""
    (file,) = FOLDER.glob(f"{number}-*.json")
    told = orjson.loads(file.read_bytes())
    asked, answered = told["request"], told["response"]
    return Record(
        file.stem, asked["method"], asked["path"], asked["query"] or "", asked["auth"], answered["status"],
        answered["headers"], answered["body"], asked["body"],
    )  # fmt: skip


def differences(real: Any, fake: Any, at: str = "", ignored: frozenset[str] = frozenset()) -> list[str]:
    """Where two documents differ in their keys, kinds or nulls; of lists, the first elements are compared."""
    if kind(real) != kind(fake):
        return [f"{at or 'the body'} is {kind(real)} in the real shop and {kind(fake)} here"]
    if isinstance(real, dict):
        names = sorted((set(real) ^ set(fake)) - ignored)
        found = [f"{at}.{name} is only {'in the real shop' if name in real else 'here'}" for name in names]
        for name in sorted((set(real) & set(fake)) - ignored):
            found += differences(real[name], fake[name], f"{at}.{name}", ignored)
        return found
    if isinstance(real, list):
        if bool(real) != bool(fake):
            return [f"{at} is {'not ' * bool(real)}empty in the real shop and {'not ' * bool(fake)}empty here"]
        return differences(real[0], fake[0], f"{at}[]", ignored) if real else []
    return []


def kind(value: Any) -> str:
    """The kind of a JSON value; whole and broken numbers are one."""
    names = {bool: "boolean", int: "number", float: "number", str: "text", dict: "object", list: "list"}
    return "null" if value is None else names[type(value)]
