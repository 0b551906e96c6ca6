"""The story: the main job without a person, every step checked by what the outside sees."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recovery.story_run import minutes_until_morning
from tests.e2e.running import cartback, processes_of


def test_the_story_holds_from_an_empty_folder_and_leaves_nothing_running(tmp_path: Path) -> None:
    told = cartback("story", "--json", state_dir=tmp_path / "state")
    assert told.returncode == 0, told.stdout + told.stderr
    story = json.loads(told.stdout)
    assert story["held"]
    assert [step["title"] for step in story["steps"] if step["shopper"] == "guest"] == [
        "fills a cart and starts the checkout",
        "leaves; 31 minutes pass",
        "gets one mail",
        "was scored, and the decision is on record",
        "gets a second mail an hour later, with a coupon",
        "follows the restore link",
        "asks the assistant",
        "orders",
        "counts as recovered",
        "gets no further mail in three days",
    ]
    evidence = {(step["shopper"], step["title"]): step["evidence"] for step in story["steps"]}
    # The sums are what the shop's catalogue says: a jacket at 239.00 and socks at 19.00, free delivery above 150.00,
    # less the 5 % of the coupon that the restore link carried.
    assert evidence["guest", "counts as recovered"]["recovered revenue"] == "245.10 EUR"
    # A fleece at 369.00 and a courier at 14.90.
    assert evidence["registered customer", "counts as recovered"]["recovered revenue"] == "383.90 PLN"
    assert evidence["guest", "was scored, and the decision is on record"]["score"] == 0.52
    assert evidence["guest", "asks the assistant"]["pieces"] > 1
    assert processes_of(tmp_path) == []


def test_a_story_that_does_not_hold_says_so(tmp_path: Path) -> None:
    # Without a usable state folder nothing can start; the command must not claim otherwise.
    blocked = tmp_path / "state"
    blocked.write_text("not a folder")
    told = cartback("story", "--json", state_dir=blocked)
    assert told.returncode != 0
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("minute", [0, 1, 59])
def test_the_story_begins_in_the_morning_at_whatever_hour_it_is_told(hour: int, minute: int) -> None:
    now = datetime(2026, 11, 25, hour, minute, 30, tzinfo=UTC)
    ahead = minutes_until_morning(now)
    assert 1 <= ahead <= 1440
    began = now + timedelta(minutes=ahead)
    assert (began.hour, began.minute) == (10, 0)
