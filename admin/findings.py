"""What the doctor found: one line each, good, worth a note or wrong, and what to do about it."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal

import asyncpg
from tortoise.exceptions import BaseORMException

from recovery import db

#: Everything a broken, restarting or half-migrated database throws at a query.
TROUBLE = (*db.UNAVAILABLE, BaseORMException, asyncpg.PostgresError, OSError)


@dataclass
class Finding:
    """One line of the doctor: what was looked at, how it is, in words, and what to do when it isn't good."""

    subject: str
    state: Literal["good", "note", "wrong"]
    words: str
    fix: str = ""


def good(subject: str, words: str) -> Finding:
    """As it should be."""
    return Finding(subject, "good", words)


def note(subject: str, words: str, fix: str = "") -> Finding:
    """Worth knowing, nothing fails for it."""
    return Finding(subject, "note", words, fix)


def wrong(subject: str, words: str, fix: str) -> Finding:
    """Something does not work until it is mended."""
    return Finding(subject, "wrong", words, fix)


def not_checked(subject: str) -> Finding:
    """What can't be known while the database is away."""
    return note(subject, "not checked; that needs the database")


async def unless_away(subject: str, findings: Awaitable[list[Finding]]) -> list[Finding]:
    """``findings``, or one that says that they could not be made because the database failed."""
    try:
        return await findings
    except TROUBLE as error:
        return [note(subject, f"not checked; the database failed: {db.describe(error)}", "Run this again.")]


def counted(number: int, one: str, many: str) -> str:
    """``1 cart``, ``3 carts``."""
    return f"{number} {one if number == 1 else many}"
