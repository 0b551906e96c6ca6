"""The parts of the doctor's report beside its findings: versions, settings without secrets, runs, refused hooks."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from admin.findings import TROUBLE, Finding
from recovery import db
from recovery.models import JobRun, RejectedDelivery
from recovery.settings import Settings

PACKAGES = (
    "cartback", "starlette", "uvicorn", "websockets", "tortoise-orm", "asyncpg", "arq", "redis", "aiosmtplib",
    "pyjwt", "pydantic", "cryptography",
)  # fmt: skip
LAST_RUNS = 20
LAST_REFUSED = 20
_ADDRESSES = ("database_url", "redis_url", "public_url")
_MARKS = {"good": "ok  ", "note": "note", "wrong": "FAIL"}


def versions() -> str:
    """Of this program, Python, the system and the packages that matter."""
    lines = [f"made {_time(datetime.now(UTC))}", f"Python {platform.python_version()} on {platform.platform()}"]
    return _section("Versions", lines + [f"{name} {_version(name)}" for name in PACKAGES])


def process_settings(settings: Settings) -> str:
    """Every setting of the process; secrets only as set or not, addresses without user and password."""
    lines = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name in _ADDRESSES:
            value = _without_user(value)
        elif "secret" in name or "password" in name or "username" in name:
            value = "set" if value else "not set"
        lines.append(f"{name} = {value}")
    return _section("Settings", lines)


def findings(title: str, found: Sequence[Finding]) -> str:
    """Findings as lines."""
    lines = []
    for finding in found:
        lines.append(f"{_MARKS[finding.state]}  {finding.subject}: {finding.words}")
        if finding.fix:
            lines.append(f"      -> {finding.fix}")
    return _section(title, lines)


async def history() -> list[str]:
    """The last runs of the jobs and the last refused hooks."""
    try:
        runs = await JobRun.all().order_by("-started_at").limit(LAST_RUNS)
        refused = await RejectedDelivery.all().order_by("-id").limit(LAST_REFUSED).prefetch_related("connection")
    except TROUBLE as error:
        return [_section("Last runs", [f"not read; the database failed: {db.describe(error)}"])]
    ran = [f"{_time(run.started_at)} {run.job} {run.counts} {run.error or ''}".rstrip() for run in runs]
    hooks = [
        f"{_time(each.at)} {each.connection.key} {each.status} {each.path or '(whole)'} {each.code}" for each in refused
    ]
    return [_section("Last runs", ran), _section("Last refused hooks", hooks)]


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"== {title}", *(lines or ["none"])])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _without_user(url: str | None) -> str:
    if not url:
        return "not set"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
