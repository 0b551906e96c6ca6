"""Composition root of ``story``: a fresh demo on private servers, the story told over HTTP, and its verdict."""

import asyncio
import shutil
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import typer

from recovery import console
from recovery.clock import ShiftedClock
from recovery.demo.story import Step, StepFailed, tell
from recovery.demo_run import running_demo
from recovery.settings import Settings, child_environment

ANY_PORT = 0
MORNING = 10
"""The hour (UTC) at which the story begins, at whatever real one: a score takes the hour in."""


async def run_story(settings: Settings, *, as_document: bool) -> None:
    """Tell the story on a state folder of its own, thrown away before; exit code 1 when a step did not hold."""
    folder = (settings.state_dir / "story").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    own = settings.model_copy(update={"state_dir": folder})
    steps: list[Step] = []
    started = time.monotonic()
    quiet = (lambda _: None) if as_document else console.progress
    async with running_demo(own, ANY_PORT, quiet) as demo:
        ready = time.monotonic() - started
        ShiftedClock(folder / "clock").advance(minutes_until_morning(datetime.now(UTC)))
        async for step in tell(demo.base_url, partial(_explain, folder)):
            steps.append(step)
            if not as_document:
                _print(step)
    seconds = round(time.monotonic() - started, 1)
    held = all(step.held for step in steps)
    if as_document:
        told: dict[str, Any] = {"held": held, "seconds": seconds, "steps": [asdict(step) for step in steps]}
        console.data(told)
    else:
        verdict = "Every step held" if held else "A step did NOT hold"
        console.line(f"\n{verdict}: {len(steps)} steps in {seconds} s ({ready:.1f} s of them to start the servers).")
    if not held:
        raise typer.Exit(console.FAILED)


def minutes_until_morning(now: datetime) -> int:
    """Whole minutes from ``now`` to the next full hour of ``MORNING`` in UTC, 1 to 1,440."""
    return 1440 - (now.hour * 60 + now.minute - MORNING * 60) % 1440


async def _explain(state_dir: Path, query: str) -> list[dict[str, Any]]:
    """What ``cartback explain`` says, from a process of its own beside the running demo."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "recovery.cli", "explain", query, "--json",
        stdout=asyncio.subprocess.PIPE, env=child_environment(state_dir),
    )  # fmt: skip
    out, _ = await process.communicate()
    if process.returncode != 0:
        raise StepFailed(f"cartback explain ended with {process.returncode}")
    told: list[dict[str, Any]] = orjson.loads(out)
    return told


def _print(step: Step) -> None:
    mark = "✓" if step.held else "✗"
    console.line(f"{mark} {step.shopper} {step.title} ({step.seconds} s)")
    for name, value in step.evidence.items():
        console.line(f"    {name}: {value}")
