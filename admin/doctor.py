"""The doctor: looks at the whole installation or at one of four classic questions, and says what to do."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tortoise.exceptions import ConfigurationError

from admin import (
    doctor_carts,
    doctor_emails,
    doctor_installation,
    doctor_model,
    doctor_report,
    doctor_servers,
    doctor_shops,
    doctor_use,
)
from admin.findings import Finding, not_checked, unless_away, wrong
from recovery import db
from recovery.clock import clock_for
from recovery.errors import SetupError
from recovery.settings import Settings
from recovery.text import mask_addresses

TOPICS = ("carts", "emails", "ai-score", "assistant")
_ANSWERS = {
    "carts": doctor_carts.examine,
    "emails": doctor_emails.examine,
    "ai-score": doctor_use.examine_scores,
    "assistant": doctor_use.examine_assistant,
}

__all__ = ["TOPICS", "Finding", "examine", "report_text"]


async def examine(settings: Settings, topic: str = "") -> list[Finding]:
    """Every finding on the installation or, with one of ``TOPICS``, on that question; never fails itself."""
    async with _connected(settings) as (database, usable):
        return await _topic(settings, topic, database, usable) if topic else await _all(settings, database, usable)


async def examine_within(settings: Settings) -> list[Finding]:
    """``examine`` of the whole installation by a process that has the models open already."""
    database = await unless_away("Database", doctor_servers.database())
    return await _all(settings, database, all(finding.state != "wrong" for finding in database))


async def report_text(settings: Settings) -> str:
    """Everything an engineer asks for first, as one text: versions, settings without secrets, findings, last errors.

    Addresses are masked last, over the whole text, so that none slips through from anywhere.
    """
    async with _connected(settings) as (database, usable):
        parts = [doctor_report.versions(), doctor_report.process_settings(settings)]
        parts.append(doctor_report.findings("Installation", await _all(settings, database, usable)))
        for topic in TOPICS if usable else ():
            parts.append(doctor_report.findings(topic, await _topic(settings, topic, [], usable)))
        parts += await doctor_report.history() if usable else []
    return mask_addresses("\n\n".join(parts)) + "\n"


async def _all(settings: Settings, database: list[Finding], usable: bool) -> list[Finding]:
    key_findings, key = doctor_servers.secret_key(settings)
    found = [*database, await doctor_servers.redis_server(settings), await doctor_servers.relay(settings)]
    found += [
        doctor_servers.public_url(settings),
        doctor_servers.front_end(),
        *key_findings,
    ]
    if not usable:
        subjects = ("Stored secrets", "Model", "Worker", "Clock", "Stores", "Hooks")
        return [*found, *map(not_checked, subjects), *doctor_servers.demo_clock(settings)]
    now = clock_for(settings.clock_file).now()
    keys = [*filter(None, [key]), *(each.get_secret_value() for each in settings.previous_secret_keys)]
    found += await unless_away("Stored secrets", doctor_installation.stored_secrets(keys))
    found += await unless_away("Model", doctor_model.examine(keys, private_hosts=settings.allow_private_hosts))
    found += await unless_away("Worker", doctor_installation.worker())
    found += await unless_away("Clock", doctor_servers.clock(settings))
    found += await unless_away("Stores", doctor_installation.stores())
    found += await unless_away("Hooks", doctor_installation.hooks(now))
    return found + await unless_away("Shops", doctor_shops.examine(now))


async def _topic(settings: Settings, topic: str, database: list[Finding], usable: bool) -> list[Finding]:
    trouble = [finding for finding in database if finding.state == "wrong"]
    if not usable:
        return [*trouble, not_checked(topic)]
    now = clock_for(settings.clock_file).now()
    return trouble + await unless_away(topic, _ANSWERS[topic](now))


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[tuple[list[Finding], bool]]:
    """The models on the database, what there is to say about it, and whether the rest can rest on it."""
    async with AsyncExitStack() as stack:
        if settings.database_url is None:
            found = [wrong("Database", "DATABASE_URL is not set and no Cartback is running here", doctor_servers.START)]
        else:
            try:
                await stack.enter_async_context(db.connect(settings.database_url))
                found = await doctor_servers.database()
            except (SetupError, ConfigurationError, ValueError) as error:
                found = [wrong("Database", str(error), "Set DATABASE_URL to postgres://user:password@host:5432/name.")]
        yield found, all(finding.state != "wrong" for finding in found)
