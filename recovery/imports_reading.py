"""Reads exported lists of people: encoding, separator and columns found out by looking, line by line, nothing lost."""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recovery.errors import CartbackError
from recovery.persons import Cause
from recovery.text import email_address, one_line

CHUNK = 1 << 16
_EMAIL = ("email", "email address", "e mail", "e mail address", "adres e mail", "adres email", "mail")
_SUPPRESSED_AT = (
    "unsub time", "clean time", "suppressed at", "unsubscribed at", "suppression date", "timestamp", "at", "date",
)  # fmt: skip
_WHY = ("cause", "reason", "suppression reason", "email suppressions", "email suppression reason", "status", "type")
_AGREED = ("email marketing consent", "marketing", "consent", "email consent", "subscribed", "status", "zgoda")
_AGREED_AT = (
    "email marketing consent timestamp", "email consent timestamp", "consent timestamp", "confirm time", "optin time",
    "consent at", "subscribed at", "timestamp", "at", "date",
)  # fmt: skip
_YES = frozenset({"subscribed", "true", "yes", "1", "y", "t", "tak", "email", "opt in", "granted", "active"})
_NO = frozenset({"unsubscribed", "false", "no", "0", "n", "f", "nie", "opt out", "denied", "suppressed", "cleaned"})
_SILENT = frozenset({"", "never subscribed", "none", "null", "pending", "non subscribed"})
#: Columns that only lists of subscribers have, and only lists of others.
_SUBSCRIBERS, _LOST = frozenset({"optin time", "confirm time"}), frozenset({"unsub time", "clean time"})
_CAUSES: tuple[tuple[str, Cause], ...] = (
    ("bounce", "bounce"), ("clean", "bounce"), ("invalid", "bounce"), ("spam", "complaint"), ("complain", "complaint"),
    ("abuse", "complaint"), ("unsub", "unsubscribe"), ("opt out", "unsubscribe"), ("objection", "objection"),
)  # fmt: skip
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?)?")


class FileRefused(CartbackError):
    """The file as a whole is not what it should be."""


class LineRefused(Exception):
    """One line can't be taken; the message says why."""


@dataclass(frozen=True)
class Line:
    """One row of the file with its number, as told and by the names of its columns."""

    number: int
    cells: list[str]
    told: Mapping[str, str]
    problem: str | None = None

    def first(self, *columns: str) -> str:
        """The first of these columns that says something."""
        return next((told for column in columns if (told := self.told.get(column, ""))), "")


@dataclass(frozen=True)
class Unwanted:
    """Somebody not to be written to; ``at`` null means that nobody told since when."""

    address: str
    cause: Cause
    at: datetime | None


@dataclass(frozen=True)
class Word:
    """What somebody said about marketing mail."""

    address: str
    marketing: bool
    basis: str
    source: str
    text_version: str | None
    at: datetime


def read_lines(path: Path) -> Iterator[Line]:
    """The rows below the header, one at a time however long the file is.

    Raises:
        FileRefused: it can't be opened, is empty, or has no column of addresses.
    """
    try:
        encoding = find_encoding(path)
    except OSError as error:
        raise FileRefused(f"{path} can't be read: {error.strerror}.") from error
    with path.open(encoding=encoding, newline="") as file:
        head = file.readline()
        separator = max(",;\t|", key=head.count)
        file.seek(0)
        rows = csv.reader(file, delimiter=separator)
        names = [_name(cell) for cell in next(rows, [])]
        if not set(names) & set(_EMAIL):
            told = one_line(head, 120)
            raise FileRefused(f"No column of the first line holds addresses; call one of them email. It says: {told}")
        yield Line(rows.line_num, [], dict.fromkeys(names, ""))
        yield from _rows(rows, names)


def _rows(rows: Any, names: list[str]) -> Iterator[Line]:
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(rows.line_num, [], {}, f"can't be read: {error}")
            continue
        if any(cell.strip() for cell in cells):
            told = {name: one_line(cell) for name, cell in zip(names, cells, strict=False)}
            problem = None if len(cells) <= len(names) else "has more columns than the first line"
            yield Line(rows.line_num, cells, told, problem)


def find_encoding(path: Path) -> str:
    """UTF-16 and UTF-8 by their marks, UTF-8 if all of it is, else that of older Central European programs."""
    with path.open("rb") as file:
        head = file.read(4)
        if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1250"
    return "utf-8-sig"


def check_suppressions(columns: Mapping[str, str]) -> None:
    """Refuse a list of subscribers: taken for its opposite it would silence everybody."""
    if _SUBSCRIBERS & columns.keys() and not _LOST & columns.keys():
        raise FileRefused("This is a list of subscribers; take it in with `cartback import consents`.")


def check_consents(columns: Mapping[str, str]) -> None:
    """Refuse a list of people who left: taken for its opposite it would write to all of them."""
    if _LOST & columns.keys():
        raise FileRefused("This is a list of people who left; take it in with `cartback import suppressions`.")
    if not {*_AGREED, *_AGREED_AT} & columns.keys():
        raise FileRefused("No column says who agreed or when; see docs/cli.md for the columns that are understood.")


def read_suppression(line: Line, now: datetime, default: Cause = "manual") -> Unwanted | None:
    """Who is not to be written to; None for somebody whom the list names as one who agreed.

    Raises:
        LineRefused: it has no address or an unreadable time.
    """
    address = _address(line)
    why = _plain(line.first(*_WHY))
    agreed = _plain(line.first("email marketing consent"))
    if agreed and agreed not in _NO and not why:
        return None
    if why in _YES | {"never subscribed"}:
        return None
    at = line.first(*_SUPPRESSED_AT)
    return Unwanted(address, _cause(line, why or agreed, default), _time(at, now) if at else None)


def read_consent(line: Line, now: datetime, default_at: datetime | None) -> Word | None:
    """What somebody said; None for somebody who said nothing.

    Raises:
        LineRefused: it has no address, no time, or a word that means neither yes nor no.
    """
    address = _address(line)
    said = _plain(line.first(*_AGREED))
    marketing = said in _YES or (not said and not set(_AGREED) & line.told.keys())
    if not marketing and said in _SILENT:
        return None
    if not marketing and said not in _NO:
        raise LineRefused(f"{said[:40]!r} says neither yes nor no")
    told = line.first(*_AGREED_AT)
    at = _time(told, now) if told else default_at
    if at is None:
        raise LineRefused("says not when the person agreed; --at gives a time for all such lines")
    basis = "soft_opt_in" if _plain(line.first("basis")) == "soft opt in" else "consent"
    # Never "double_opt_in": no file takes back what only the person can.
    source = f"import:{line.first('source') or _origin(line)}"[:64]
    return Word(address, marketing, basis, source, line.first("text version")[:64] or None, at)


def _origin(line: Line) -> str:
    if _SUBSCRIBERS & line.told.keys():
        return "mailchimp"
    return "klaviyo" if "email marketing consent" in line.told else "file"


def _cause(line: Line, why: str, default: Cause) -> Cause:
    if line.first("clean time"):
        return "bounce"
    if line.first("unsub time"):
        return "unsubscribe"
    return next((cause for word, cause in _CAUSES if word in why), default)


def _address(line: Line) -> str:
    if line.problem:
        raise LineRefused(line.problem)
    told = line.first(*_EMAIL)
    address = email_address(told)
    if address is None:
        raise LineRefused("has no address" if not told else "has something else in the place of the address")
    return address


def _time(told: str, now: datetime) -> datetime:
    found = _TIME.fullmatch(told.strip())
    if found is None:
        raise LineRefused(f"has a time that can't be read: {told[:40]!r}; write 2026-11-23 or 2026-11-23 10:15:30")
    day, hour, zone = found.groups()
    try:
        at = datetime.fromisoformat(f"{day}T{hour or '00:00'}{'' if zone in (None, 'Z', 'UTC') else zone}")
    except ValueError as error:
        raise LineRefused(f"has a time that does not exist: {told[:40]!r}") from error
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    if at > now:
        raise LineRefused(f"has a time in the future: {told[:40]!r}")
    return at


def _name(cell: str) -> str:
    return _plain(cell.strip("\ufeff$ "))


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text).strip().lower()
