"""One process of the embedded mode: starts it bound to its parent's life, reads its log, ends it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recovery.errors import EmbeddedError

OWN_SERVERS = "Or use servers of your own: set DATABASE_URL and REDIS_URL."
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
_EXEC = Path(__file__).with_name("embedded_exec.py")
_LOG_LINES = 10


@dataclass(frozen=True)
class RunAs:
    """The user and group a server runs as, where that is not ours."""

    user: int
    group: int


def free_port() -> int:
    """A loopback port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def guarded(
    command: list[str], death_signal: signal.Signals, *, run_as: RunAs | None = None, folder: Path | None = None
) -> list[str]:
    """The command line that runs ``command`` so that it gets ``death_signal`` when this process dies.

    ``{folder}`` in the command becomes a name of ``folder`` that ``run_as`` can use even if its parents are closed.
    """
    ids = [run_as.user, run_as.group] if run_as else [-1, -1]
    numbers = [str(number) for number in (os.getpid(), int(death_signal), *ids)]
    return [sys.executable, "-I", "-S", str(_EXEC), *numbers, str(folder or ""), *command]


class ServerProcess:
    """A running server, its log and, beside that, the file with its process id.

    Args:
        name: what to call it in messages.
        folder: the folder of its data; part of its command line, by which a leftover is recognised.
        log: the file that takes its output; the log of the start before is kept beside it.
        stop_signal: asks it for a clean and fast end.
    """

    def __init__(self, name: str, folder: Path, log: Path, stop_signal: signal.Signals) -> None:
        self.name = name
        self._folder = folder
        self._log = log
        self._stop_signal = stop_signal
        self._pid_file = log.with_suffix(".pid")
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, command: list[str], *, run_as: RunAs | None = None, folder: Path | None = None) -> None:
        """Start it in the background, in a session of its own, so that a Ctrl-C in the terminal is left to us."""
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.1"))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - paths come from our own search
                guarded(command, self._stop_signal, run_as=run_as, folder=folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._process.pid))

    def wait_ready(self, ready: Callable[[], bool]) -> bool:
        """Wait until ``ready()``; False if another program was faster to take the port.

        Raises:
            EmbeddedError: it ended, or is not ready in time.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if ready():
                return True
            if self._process is None or self._process.poll() is not None:
                if "Address already in use" in self._log.read_text(errors="replace"):
                    return False
                raise self.broken("ended while starting")
            time.sleep(0.01)
        raise self.broken(f"was not ready within {READY_SECONDS:.0f} seconds")

    def ask_to_stop(self) -> None:
        """Ask for a clean end; does not wait."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self._stop_signal)

    def wait_stopped(self) -> None:
        """Wait for the end, and enforce it after a deadline."""
        if self._process is None:
            return
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._pid_file.unlink(missing_ok=True)

    def end_leftover(self) -> None:
        """End a server that outlived an earlier parent; no other process is ever touched."""
        pid = self._leftover()
        if pid is None:
            return
        for stop_signal in (self._stop_signal, signal.SIGKILL):
            os.kill(pid, stop_signal)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                if self._leftover() is None:
                    return
                time.sleep(0.02)
        raise EmbeddedError(
            f"A {self.name} of an earlier start (process {pid}) still uses {self._folder}.", "End that process."
        )

    def broken(self, what: str) -> EmbeddedError:
        """The error for a person: what is wrong, the end of the log, the way out."""
        lines = self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        ending = "\n  ".join(lines) or "(empty)"
        return EmbeddedError(
            f"The private {self.name} {what}. Its log {self._log} ends with:\n  {ending}\n",
            f"If its data is damaged, `cartback demo --reset` starts anew, as does removing {self._folder}. "
            f"{OWN_SERVERS}",
        )

    def _leftover(self) -> int | None:
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if str(self._folder) in command_line(pid) else None


def command_line(pid: int) -> str:
    """The command line of a process; empty if there is no such process or it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if sys.platform == "linux":
            return ""
    answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)  # noqa: S603, S607
    return answer.stdout.decode(errors="replace")
