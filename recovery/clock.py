"""Business time: one ``now()`` that the demo can move forward; leases use the database's clock instead."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells business time; every rule takes ``now`` as a parameter and only edges ask a clock."""

    def now(self) -> datetime:
        """The current instant, aware and in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ShiftedClock:
    """The machine's clock plus an offset kept in a file, so that every process of a demo moves together.

    The file holds a whole number of seconds; a missing file means no offset.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset_seconds())

    def offset_seconds(self) -> int:
        """How far business time is ahead of the machine's, in seconds."""
        try:
            return int(self._path.read_text())
        except FileNotFoundError:
            return 0

    def advance(self, minutes: int) -> None:
        """Move business time forward by ``minutes`` (at least 1) for every process that reads the same file."""
        if minutes < 1:
            raise ValueError("time only moves forward, by at least one minute")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        moved = self.offset_seconds() + minutes * 60
        draft = self._path.with_suffix(".new")
        draft.write_text(str(moved))
        draft.replace(self._path)


def clock_for(path: Path | None) -> Clock:
    """The system clock, or the shifted one of a demo when ``path`` names its offset file."""
    return ShiftedClock(path) if path else SystemClock()
