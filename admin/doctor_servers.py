"""The doctor on what Cartback stands on: database, Redis, mail relay, address, keys, clock and built pages."""

import asyncio
import ipaddress
import pkgutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
import redis.exceptions

from admin.findings import TROUBLE, Finding, good, note, wrong
from recovery import db, mailer, migrations
from recovery.clock import ShiftedClock
from recovery.settings import MINIMUM_KEY_LENGTH, Settings
from recovery.text import duration

ASSISTANT = Path(__file__).parents[1] / "frontend" / "dist" / "assistant" / "assistant.js"
OLDEST_POSTGRESQL = 160_000
OLDEST_REDIS = 7
PATIENCE = 10
FARTHEST_CLOCK = 5.0
START = "Start one with `cartback serve`, or set DATABASE_URL and REDIS_URL."


async def database() -> list[Finding]:
    """Whether PostgreSQL answers, is new enough and has today's tables; needs the models to be connected."""
    try:
        async with asyncio.timeout(PATIENCE):
            (row,) = await db.client().execute_query_dict(
                "SELECT current_setting('server_version_num')::int AS number, "
                "current_setting('server_version') AS version"
            )
    except TROUBLE as error:
        fix = "Start PostgreSQL, or set DATABASE_URL to where it is; its user, password and database must exist."
        return [wrong("Database", f"it can't be reached: {db.describe(error)}", fix)]
    if row["number"] < OLDEST_POSTGRESQL:
        return [wrong("Database", f"PostgreSQL {row['version']} is too old", "Use PostgreSQL 16 or newer.")]
    return [good("Database", f"PostgreSQL {row['version']} answers"), await _schema()]


async def _schema() -> Finding:
    try:
        (row,) = await db.client().execute_query_dict("SELECT to_regclass('tortoise_migrations') IS NULL AS empty")
        applied = set()
        if not row["empty"]:
            rows = await db.client().execute_query_dict("SELECT name FROM tortoise_migrations WHERE app = $1", [db.APP])
            applied = {each["name"] for each in rows}
    except TROUBLE as error:
        return wrong("Schema", f"it can't be read: {db.describe(error)}", "Run this again.")
    known = {module.name for module in pkgutil.iter_modules(migrations.__path__)}
    if known - applied:
        missing = ", ".join(sorted(known - applied))
        return wrong("Schema", f"the tables are behind this version: {missing}", "Run `cartback migrate`.")
    if applied - known:
        newer = ", ".join(sorted(applied - known))
        return wrong("Schema", f"a newer Cartback has been here: {newer}", "Update this one to at least that version.")
    return good("Schema", f"up to date ({max(known)})")


async def redis_server(settings: Settings) -> Finding:
    """Whether Redis or Valkey answers, is new enough, and keeps what it is given."""
    if settings.redis_url is None:
        return wrong("Redis", "REDIS_URL is not set and no Cartback is running here", START)
    try:
        told = await _redis_info(settings.redis_url)
    except (redis.exceptions.RedisError, OSError, ValueError) as error:
        fix = "Start Redis or Valkey, or set REDIS_URL to where it is. Until then carts wait for the next sweep."
        return wrong("Redis", f"it can't be reached: {type(error).__name__}: {error}", fix)
    version = str(told.get("valkey_version") or told["redis_version"])
    name = f"{'Valkey' if told.get('valkey_version') else 'Redis'} {version}"
    if int(str(told["redis_version"]).partition(".")[0]) < OLDEST_REDIS:
        return wrong("Redis", f"{name} is too old", "Use Redis 7 or newer, or Valkey.")
    faults, fixes = [], []
    if told.get("maxmemory_policy", "noeviction") != "noeviction":
        faults.append(f"it may drop jobs and counters when full (maxmemory-policy {told['maxmemory_policy']})")
        fixes.append("set maxmemory-policy to noeviction")
    if not told.get("aof_enabled"):
        faults.append("it forgets its counters in a restart (appendonly no); no cart and no mail is lost by that")
        fixes.append("set appendonly to yes if limits must outlive one")
    if faults:
        return note("Redis", f"{name} answers, but {' and '.join(faults)}", f"{'; '.join(fixes)}.".capitalize())
    return good("Redis", f"{name} answers")


async def _redis_info(url: str) -> dict[str, Any]:
    client = redis.asyncio.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    try:
        told: dict[str, Any] = await client.info()
    finally:
        await client.aclose()
    return told


async def relay(settings: Settings) -> Finding:
    """Whether the mail relay lets us in; nothing is sent."""
    profile = replace(mailer.profile_of(settings), timeout=min(PATIENCE, settings.smtp_timeout))
    where = f"{profile.host}:{profile.port}"
    try:
        await mailer.check(profile)
    except mailer.RelayTrouble as trouble:
        fix = "Set CARTBACK_SMTP_HOST, _PORT, _SECURITY, _USERNAME and _PASSWORD to those of your mail provider."
        return wrong("Mail relay", f"{where} can't be used: {trouble}", fix)
    if profile.username and profile.security == "none" and not is_loopback(profile.host):
        fix = "Set CARTBACK_SMTP_SECURITY to starttls or tls."
        return wrong("Mail relay", f"{where} takes our password over an open line", fix)
    return good("Mail relay", f"{where} answers{' and takes the sign-in' if profile.username else ''}")


def public_url(settings: Settings) -> Finding:
    """Links in mails are worth what this address is worth."""
    parts = urlsplit(settings.public_url)
    if not parts.hostname:
        return wrong("Public address", f"{settings.public_url} has no host", "Set CARTBACK_PUBLIC_URL.")
    if is_loopback(parts.hostname):
        if settings.clock_file is not None:
            return good("Public address", f"{settings.public_url}, right for the demo")
        fix = "Before you write to customers, set CARTBACK_PUBLIC_URL to https:// and your own host name."
        return note("Public address", f"{settings.public_url}: links in mails open on this machine only", fix)
    if parts.scheme != "https":
        fix = "Put a certificate before it and set CARTBACK_PUBLIC_URL to the https:// address."
        return wrong("Public address", f"{settings.public_url} carries customers' links over an open line", fix)
    return good("Public address", settings.public_url)


def secret_key(settings: Settings) -> tuple[list[Finding], str | None]:
    """How the secret key is kept, and the key."""
    path, found = settings.state_dir / "secret.key", []
    if path.exists() and path.stat().st_mode & 0o077:
        found = [wrong("Secret key", f"others on this machine can read {path}", f"Run: chmod 600 {path}")]
    if settings.secret_key is not None:
        key, where = settings.secret_key.get_secret_value(), "the environment"
    elif path.exists():
        key, where = path.read_text().strip(), str(path)
    else:
        fix = "Set CARTBACK_SECRET_KEY; make one with: openssl rand -hex 32"
        return [*found, wrong("Secret key", "there is none", fix)], None
    if len(key) < MINIMUM_KEY_LENGTH:
        fix = f"Use one with at least {MINIMUM_KEY_LENGTH}; make it with: openssl rand -hex 32"
        return [*found, wrong("Secret key", f"the one from {where} has {len(key)} characters", fix)], key
    return found or [good("Secret key", f"from {where}, {len(key)} characters")], key


async def clock(settings: Settings) -> list[Finding]:
    """The database's clock against ours; leases use the one and links the other."""
    before = datetime.now(UTC)
    (row,) = await db.client().execute_query_dict("SELECT clock_timestamp() AS at")
    middle = before + (datetime.now(UTC) - before) / 2
    apart = (row["at"] - middle).total_seconds()
    if abs(apart) > FARTHEST_CLOCK:
        fix = "Let both machines set their clocks from the network (NTP)."
        return [wrong("Clock", f"the database's clock is {apart:+.0f} s off ours", fix), *demo_clock(settings)]
    return [good("Clock", f"within {max(abs(apart), 0.1):.1f} s of the database's"), *demo_clock(settings)]


def demo_clock(settings: Settings) -> list[Finding]:
    """Whether the demo's time is ahead of the machine's."""
    ahead = ShiftedClock(settings.clock_file).offset_seconds() if settings.clock_file else 0
    if not ahead:
        return []
    return [note("Demo time", f"is {duration(ahead // 60)} ahead of this machine's, because somebody moved it")]


def front_end(script: Path = ASSISTANT) -> Finding:
    """Whether the assistant's page has been built."""
    if script.is_file():
        return good("Pages", "the assistant's page is built")
    return wrong("Pages", "the assistant's page has not been built, so its links show no chat", "Run `make frontend`.")


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
