"""The benchmark itself: its arithmetic, its table, and that two of its cases run, small."""

from collections.abc import Sequence

import pytest

from recovery.embedded import Endpoints
from tests.bench.cases import CASES
from tests.bench.place import Place
from tests.bench.ratios import Figure, Pair, in_pairs
from tests.bench.report import table


def figure(ratios: Sequence[float], aim: float | None) -> Figure:
    return Figure("case", "name", "ms", tuple(Pair(2 * ratio, 2.0) for ratio in ratios), aim)


@pytest.mark.parametrize(("aim", "verdict"), [(4.0, "holds"), (3.9, "MISS"), (None, "shown")])
def test_an_aim_holds_if_the_upper_quartile_does(aim: float | None, verdict: str) -> None:
    judged = figure([5, 1, 3, 2, 4], aim)
    assert judged.quartiles == (2, 3, 4)
    assert judged.verdict == verdict
    assert verdict in table([judged])


async def test_pairs_take_turns_after_a_warm_up() -> None:
    seen = []

    async def run(name: str) -> dict[str, float]:
        seen.append(name)
        return {"cost": float(len(seen))}

    found = await in_pairs(lambda: run("a"), lambda: run("b"), 2)
    assert seen == ["a", "b", "a", "b", "b", "a"]
    assert found["cost"] == (Pair(3.0, 4.0), Pair(6.0, 5.0))


@pytest.mark.parametrize("name", ["detect", "score"])
async def test_a_case_runs_small(servers: Endpoints, template_database: str, name: str) -> None:
    figures = await CASES[name](Place(servers, template_database, small=True))
    assert figures
    assert all(len(each.pairs) == 5 for each in figures)
