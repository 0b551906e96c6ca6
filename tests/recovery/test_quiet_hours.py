"""Quiet hours on the wall clocks of a time zone, also in the nights in which these jump."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.quiet_hours import QuietHours, parse

WARSAW = ZoneInfo("Europe/Warsaw")
NIGHT = QuietHours(time(21), time(8))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "over_at"),
    [
        ("2026-11-23T19:59:59", None),  # 20:59:59 in Warsaw
        ("2026-11-23T20:00:00", "2026-11-24T07:00:00"),
        ("2026-11-23T23:30:00", "2026-11-24T07:00:00"),
        ("2026-11-24T06:59:59", "2026-11-24T07:00:00"),
        ("2026-11-24T07:00:00", None),
        # Summer time begins on 29 March 2026 and ends on 25 October: the end is 08:00 on the wall either way.
        ("2026-03-28T20:00:00", "2026-03-29T06:00:00"),
        ("2026-10-24T19:00:00", "2026-10-25T07:00:00"),
    ],
)
def test_a_night_in_warsaw(now: str, over_at: str | None) -> None:
    assert NIGHT.over_at(utc(now), WARSAW) == (utc(over_at) if over_at else None)
    assert NIGHT.cover(utc(now), WARSAW) is (over_at is not None)


@pytest.mark.parametrize(
    ("now", "over_at"),
    [
        ("2026-11-23T12:30:00", "2026-11-23T14:00:00"),
        ("2026-11-23T11:59:59", None),
        ("2026-11-23T14:00:00", None),
    ],
)
def test_hours_within_a_day(now: str, over_at: str | None) -> None:
    noon = QuietHours(time(13), time(15))
    assert noon.over_at(utc(now), WARSAW) == (utc(over_at) if over_at else None)


def test_an_end_that_the_clocks_skip_is_over_when_they_jump() -> None:
    # At 02:00 on 29 March 2026 it is 03:00 in Warsaw: 01:00 UTC.
    assert QuietHours(time(22), time(2, 30)).over_at(utc("2026-03-29T00:10:00"), WARSAW) == utc("2026-03-29T01:00:00")


@settings(max_examples=60, deadline=None)
@given(
    begin=st.times(), end=st.times(),
    day=st.sampled_from([date(2026, *day) for day in ((3, 28), (3, 29), (10, 24), (10, 25), (7, 1))]),
    minute=st.integers(0, 1439),
    zone=st.sampled_from(["Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)  # fmt: skip
def test_it_goes_at_the_first_minute_whose_clock_is_not_quiet(
    begin: time, end: time, day: date, minute: int, zone: str
) -> None:
    """The oracle looks at the clock minute by minute."""
    begin, end = begin.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    if begin == end:
        return
    place = ZoneInfo(zone)
    now = datetime.combine(day, time(), UTC) + timedelta(minutes=minute)

    def is_quiet(moment: datetime) -> bool:
        there = moment.astimezone(place)
        shown, first, last = (60 * each.hour + each.minute for each in (there, begin, end))
        return first <= shown < last if first < last else not last <= shown < first

    expected = now
    while is_quiet(expected):
        expected += timedelta(minutes=1)
    assert (QuietHours(begin, end).over_at(now, place) or now) == expected


@pytest.mark.parametrize(
    "text", ["22:00", "22-08", "24:00-08:00", "08:00-08:00", "8:00-21:00", "on", "21:00-08:00 ", "२१:००-०८:००"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 21:00-08:00, or off"):
        parse(text)


def test_a_span_and_none() -> None:
    assert parse("21:00-08:00") == NIGHT
    assert parse("off") is None
