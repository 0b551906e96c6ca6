"""What a run of the benchmark tells: one table for people and for docs/benchmarks.md, and everything as JSON."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from tests.bench.ratios import Figure

FOLDER = Path(__file__).parents[2]
RESULTS = FOLDER / "test-results" / "bench.json"
_HEAD = ("Case", "Figure", "Ours", "Baseline", "Ratio (quartiles)", "Aim", "")


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table, padded so that it reads in a terminal too."""
    lines = [_HEAD, *map(_cells, figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    told = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    told.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(told)


def _cells(figure: Figure) -> tuple[str, ...]:
    lower, median, upper = figure.quartiles
    return (
        figure.case,
        figure.name,
        f"{_short(figure.ours)} {figure.unit}",
        f"{_short(figure.baseline)} {figure.unit}",
        f"{median:.2f} ({lower:.2f}–{upper:.2f})",
        "" if figure.aim is None else f"≤ {figure.aim:g}",
        figure.verdict,
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_json(figures: Sequence[Figure], seconds: dict[str, float], path: Path = RESULTS) -> None:
    """Keep everything that was measured, with the commit it was measured on."""
    told = {
        "commit": commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": seconds,
        "figures": [figure.as_json() for figure in figures],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


def commit() -> str:
    """The commit of this checkout, as far as it can be told."""
    command = ["git", "-C", str(FOLDER), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
