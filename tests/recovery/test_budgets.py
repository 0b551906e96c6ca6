"""Token budgets: never above the ceiling, whoever asks at once, and nothing lost for long when somebody dies."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import pytest

from recovery import budgets, db
from recovery.budgets import Budget, release_all, release_leaked, reserve, settle
from recovery.llm_errors import LlmRefusedBudget
from recovery.models import LlmBudget, LlmReservation
from tests.servers import execute

NOW = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
FIFTY = Budget("conversation:1", 50)


async def state(key: str = FIFTY.key) -> tuple[int, int]:
    row = await LlmBudget.get(key=key)
    return row.used, row.reserved


async def granted(budget: Budget, tokens: int = 1) -> bool:
    try:
        await reserve([budget], tokens, NOW)
    except LlmRefusedBudget:
        return False
    return True


async def test_two_hundred_at_once_never_exceed_the_ceiling(db: None) -> None:
    answers = await asyncio.gather(*(granted(FIFTY) for _ in range(200)))
    assert sum(answers) == 50
    assert await state() == (0, 50)


async def test_several_processes_never_exceed_it_either(database_url: str) -> None:
    script = f"""
import asyncio
from recovery import budgets, db
from tests.recovery.test_budgets import FIFTY, granted
async def main():
    async with db.connect({database_url!r}):
        print(sum(await asyncio.gather(*(granted(FIFTY) for _ in range(70)))))
asyncio.run(main())
"""
    run = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    answers = [await process.communicate() for process in run]
    assert sum(int(told) for told, _ in answers) == 50


async def test_settling_counts_what_was_used(db: None) -> None:
    first = await reserve([FIFTY], 20, NOW)
    await settle(first, 7)
    assert await state() == (7, 0)
    await settle(await reserve([FIFTY], 20, NOW), None)  # nobody counted: all of it
    assert await state() == (27, 0)
    await settle(await reserve([FIFTY], 20, NOW), 0)  # nothing was asked
    assert await state() == (27, 0)
    await settle(await reserve([FIFTY], 20, NOW), 40)  # more than was reserved is told as it is
    assert await state() == (67, 0)
    with pytest.raises(LlmRefusedBudget):
        await reserve([FIFTY], 1, NOW)


async def test_all_budgets_or_none(db: None) -> None:
    small, large = Budget("store:1:x", 10), Budget("conversation:2", 1000)
    with pytest.raises(LlmRefusedBudget, match="store:1:x is used up") as caught:
        await reserve([large, small], 11, NOW)
    assert caught.value.scope == "store:1:x"
    assert await LlmBudget.all().count() == await LlmReservation.all().count() == 0
    both = await reserve([small, large], 10, NOW)
    assert both.keys == ("conversation:2", "store:1:x")
    await settle(both, 4)
    assert await state("store:1:x") == await state("conversation:2") == (4, 0)


async def test_opposite_orders_do_not_lock_each_other_out(db: None) -> None:
    one, two = Budget("a", 10_000), Budget("b", 10_000)

    async def turn(number: int) -> None:
        reservation = await reserve([one, two] if number % 2 else [two, one], 10, NOW)
        await settle(reservation, 5)

    await asyncio.gather(*map(turn, range(60)))
    assert await state("a") == await state("b") == (300, 0)


async def test_what_a_crash_leaks_comes_back_and_only_then(db: None, database_url: str) -> None:
    lost = await reserve([FIFTY], 50, NOW)
    with pytest.raises(LlmRefusedBudget):
        await reserve([FIFTY], 1, NOW)
    (left,) = await db_seconds()
    assert 0 < left <= 600
    await execute(database_url, "UPDATE llm_reservation SET until = now()")
    kept = await reserve([FIFTY], 30, NOW)
    assert await state() == (0, 30)
    await settle(lost, 9)  # it lived after all: what it used counts
    await settle(kept, 30)
    assert await state() == (39, 0)
    assert await LlmReservation.all().count() == 0


async def db_seconds() -> list[float]:
    """How long each reservation still holds, by the database's clock."""
    query = "SELECT extract(epoch FROM until - now())::float AS seconds FROM llm_reservation"
    return [row["seconds"] for row in await db.client().execute_query_dict(query)]


async def test_a_leak_is_given_back_once(db: None, database_url: str) -> None:
    for _ in range(10):
        await reserve([FIFTY], 5, NOW)
    await execute(database_url, "UPDATE llm_reservation SET until = now()")
    assert sum(await asyncio.gather(*(release_leaked() for _ in range(5)))) == 10
    assert await state() == (0, 0)


async def test_who_takes_a_talk_over_frees_what_was_reserved_for_it_everywhere(db: None) -> None:
    mine, others, day = Budget("conversation:1", 50), Budget("conversation:10", 50), Budget("store:1:day", 90)
    lost = await reserve([mine, day], 40, NOW)
    kept = await reserve([others, day], 40, NOW)
    assert await release_all(mine) == 1
    assert await release_all(mine) == 0
    assert [await state(budget.key) for budget in (mine, others, day)] == [(0, 0), (0, 40), (0, 40)]
    await settle(lost, 9)  # it only slept: what it used counts
    await settle(kept, 40)
    assert [await state(budget.key) for budget in (mine, others, day)] == [(9, 0), (40, 0), (49, 0)]


async def test_a_changed_ceiling_counts_at_once(db: None) -> None:
    await settle(await reserve([FIFTY], 50, NOW), 50)
    assert await granted(Budget(FIFTY.key, 60), 10)
    assert not await granted(Budget(FIFTY.key, 60), 1)


def test_the_budgets_there_are() -> None:
    assert budgets.of_conversation("c1") == Budget("conversation:c1", 60_000)
    assert budgets.of_store(7, NOW) == Budget("store:7:2026-11-23", 2_000_000)
    assert budgets.of_batch(7, NOW).cap == 1_000_000
    tomorrow = NOW + timedelta(minutes=1)
    assert budgets.of_store(7, tomorrow).key == "store:7:2026-11-24"
    assert budgets.of_store(8, NOW).key != budgets.of_store(7, NOW).key
