"""Quiet hours: a span of the day, on the wall clocks of the store's time zone, in which nothing is sent."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

OFF = "off"
_SPAN = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)", re.ASCII)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class QuietHours:
    """From ``begin`` (in) to ``end`` (out); over midnight where ``end`` is the earlier one."""

    begin: time
    end: time

    def cover(self, moment: datetime, zone: tzinfo) -> bool:
        """Whether the clocks of ``zone`` show a quiet hour at this moment."""
        shown = moment.astimezone(zone).time()
        if self.begin < self.end:
            return self.begin <= shown < self.end
        return shown >= self.begin or shown < self.end

    def over_at(self, now: datetime, zone: tzinfo) -> datetime | None:
        """The first minute after ``now`` that is not quiet; None when now is not.

        Looked for minute by minute: the clocks may skip the end, or show it twice.
        """
        if not self.cover(now, zone):
            return None
        over = now.astimezone(UTC).replace(second=0, microsecond=0)
        while self.cover(over, zone):
            over += _MINUTE
        return over


def parse(text: str) -> QuietHours | None:
    """``21:00-08:00`` as quiet hours, ``off`` as none.

    Raises:
        ValueError: it is neither.
    """
    if text == OFF:
        return None
    match = _SPAN.fullmatch(text)
    try:
        begin, end = (time.fromisoformat(part) for part in match.groups()) if match else (time(), time())
    except ValueError:
        begin = end = time()
    if begin == end:
        raise ValueError("must be two different times such as 21:00-08:00, or off")
    return QuietHours(begin, end)
