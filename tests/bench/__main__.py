"""``python -m tests.bench [case …]``: runs the cases, prints one table and writes test-results/bench.json."""

import asyncio
import sys
import time

import uvloop

from recovery.logs import set_up_logging
from tests.bench.cases import CASES
from tests.bench.place import open_place
from tests.bench.ratios import Figure
from tests.bench.report import RESULTS, commit, table, write_json
from tests.shop import settings_for


def main(names: list[str]) -> int:
    """Run some cases, or all; 2 for a name that is none."""
    unknown = [name for name in names if name not in CASES]
    if unknown:
        sys.stderr.write(f"No such case: {', '.join(unknown)}. There are {', '.join(CASES)}.\n")
        return 2
    figures: list[Figure] = []
    seconds: dict[str, float] = {}
    with open_place() as place:
        # Like the web process of the cases: only errors, or each request would pay for a line on the terminal.
        set_up_logging(settings_for(place.servers.database_url, place.servers.redis_url, log_level="error"))
        for name in names or CASES:
            started = time.perf_counter()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures += runner.run(CASES[name](place))
            seconds[name] = round(time.perf_counter() - started, 1)
            sys.stderr.write(f"{name:<8} {seconds[name]:5.1f} s\n")
            write_json(figures, seconds)
    sys.stdout.write(f"\n{table(figures)}\n\ncommit {commit()}, {sum(seconds.values()):.0f} s, {RESULTS.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
