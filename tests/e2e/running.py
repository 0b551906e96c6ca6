"""Runs the product as a person does: ``cartback demo`` as a process, and other commands beside it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[2]
START_SECONDS = 40
STOP_SECONDS = 20


def cartback(*arguments: str, state_dir: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, on a state folder."""
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-m", "recovery.cli", *arguments],
        env=environment(state_dir, **variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
    )


def environment(state_dir: Path, **variables: str) -> dict[str, str]:
    """This process's environment without addresses of servers, for a command on ``state_dir``."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return kept | {"CARTBACK_STATE_DIR": str(state_dir)} | variables


def free_port() -> int:
    """A port nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class RunningDemo:
    """A demo that answers at ``base_url``; ``log`` is what it printed."""

    base_url: str
    state_dir: Path
    process: subprocess.Popen[bytes]
    log: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command in a second terminal."""
        return cartback(*arguments, state_dir=self.state_dir)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal as Ctrl-C does and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def running_demo(state_dir: Path, *options: str) -> Iterator[RunningDemo]:
    """A demo on ``state_dir``, stopped in the end."""
    log = state_dir.parent / "demo.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "recovery.cli", "demo", "--port", "0", *options],
            env=environment(state_dir),
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    demo = RunningDemo("", state_dir, process, log)
    try:
        wait_until_ready(demo)
        yield demo
    finally:
        if process.poll() is None:
            demo.stop()


def wait_until_ready(demo: RunningDemo) -> None:
    """Wait until it says that it is ready, and where."""
    deadline = time.monotonic() + START_SECONDS
    while "Ready:" not in demo.log.read_text():
        assert demo.process.poll() is None, f"the demo ended: {demo.log.read_text()}"
        assert time.monotonic() < deadline, f"not ready: {demo.log.read_text()}"
        time.sleep(0.05)
    demo.base_url = demo.log.read_text().partition("Ready: ")[2].split()[0]


def mails(demo: RunningDemo, address: str, at_least: int, seconds: float = 20) -> list[dict[str, object]]:
    """The messages to an address, once there are ``at_least`` so many."""
    deadline = time.monotonic() + seconds
    while True:
        found = httpx2.get(f"{demo.base_url}/inbox/messages.json", trust_env=False).json()
        mine = [mail for mail in found if address in mail["delivered_to"]]
        if len(mine) >= at_least or time.monotonic() > deadline:
            return mine
        time.sleep(0.1)


def processes_of(state_dir: Path) -> list[str]:
    """Command lines of processes that still run on a state folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\x00", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(state_dir) in line:
            found.append(line)
    return found
