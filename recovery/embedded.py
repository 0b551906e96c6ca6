"""The private PostgreSQL and Valkey of the embedded mode: one folder of state, one owner at a time."""

import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

from recovery.embedded_postgres import Postgres
from recovery.embedded_process import OWN_SERVERS
from recovery.embedded_valkey import Valkey
from recovery.errors import EmbeddedError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Endpoints:
    """Where the servers answer; both addresses contain a password."""

    database_url: str
    redis_url: str


class EmbeddedServers:
    """A real PostgreSQL and a real Valkey as children of this process, on free loopback ports.

    They keep their data below the state folder from one start to the next and end with this process, however it ends.

    Args:
        state_dir: the folder for data, passwords and logs; made if missing.
        durable: False trades the data's safety for speed (tests).
    """

    def __init__(self, state_dir: Path, *, durable: bool = True) -> None:
        self._state_dir = state_dir.absolute()
        logs = self._state_dir / "logs"
        self._postgres = Postgres(self._state_dir / "postgres", logs / "postgres.log", durable=durable)
        self._valkey = Valkey(self._state_dir / "valkey", logs / "valkey.log", durable=durable)
        self._thread: ThreadPoolExecutor | None = None
        self._lock: IO[str] | None = None

    def start(self) -> Endpoints:
        """Start both servers and wait until they answer.

        Raises:
            EmbeddedError: with the way out, if that is not possible.
        """
        if self._thread is not None:
            raise EmbeddedError("The private servers are running already.")
        try:
            self._take_state_dir()
            return self._in_own_thread(self._start)
        except OSError as error:
            self.stop()
            raise EmbeddedError(
                f"The state folder {self._state_dir} cannot be used: {error}.",
                f"Give it to the user who runs this, or remove it. {OWN_SERVERS}",
            ) from error
        except BaseException:
            # Also on Ctrl-C: whatever runs by now has to end.
            self.stop()
            raise

    def stop(self) -> None:
        """End both servers cleanly; a second call does nothing."""
        if self._thread is not None:
            self._in_own_thread(self._stop)
            self._thread.shutdown()
            self._thread = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Endpoints:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _in_own_thread(self, action: Callable[[], Result]) -> Result:
        """Run ``action`` in the thread that lives as long as the servers.

        Linux ends them when the thread that started them ends, not the process; a caller's thread may end early.
        """
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded")
        return self._thread.submit(action).result()

    def _take_state_dir(self) -> None:
        self._state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._state_dir / "logs").mkdir(exist_ok=True)
        lock = (self._state_dir / "embedded.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read() or "unknown"
            lock.close()
            raise EmbeddedError(
                f"The state folder {self._state_dir} is in use by another Cartback (process {owner}).",
                "Stop that one first, or choose another folder.",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _start(self) -> Endpoints:
        self._valkey.launch()
        self._postgres.launch()
        return Endpoints(database_url=self._postgres.wait_url(), redis_url=self._valkey.wait_url())

    def _stop(self) -> None:
        servers = (self._postgres.process, self._valkey.process)
        for server in servers:
            server.ask_to_stop()
        for server in servers:
            server.wait_stopped()
