"""The shared objects of a process, made once at its start and handed on; there are no module globals."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from tortoise.exceptions import OperationalError

from recovery import db
from recovery.clock import Clock, clock_for
from recovery.doorbell import Doorbell
from recovery.errors import SetupError
from recovery.installation import load_keys
from recovery.llm import Llm, open_llm
from recovery.logs import set_up_logging
from recovery.secrets import Keys
from recovery.settings import Settings, load_settings


@dataclass(frozen=True)
class Runtime:
    """What every edge needs: settings, business time, keys, the worker's doorbell, and the sweeps' port to models.

    The assistant has a port of its own, so that what fails for the sweeps leaves customers their answers.
    """

    settings: Settings
    clock: Clock
    keys: Keys
    doorbell: Doorbell
    llm: Llm = field(default_factory=Llm)

    def now(self) -> datetime:
        """Business time."""
        return self.clock.now()


class State(TypedDict):
    """The lifespan state of the web process, read as ``request.state``."""

    runtime: Runtime


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Connect to the database, open the keys, and close both on the way out.

    Raises:
        SetupError: a server address is missing, the database is away or without tables, or the keys do not fit.
    """
    database_url, redis_url = addresses(settings)
    async with db.connect(database_url):
        keys = await _first_look(settings)
        doorbell = Doorbell(redis_url)
        try:
            async with open_llm(private_hosts=settings.allow_private_hosts) as llm:
                yield Runtime(settings, clock_for(settings.clock_file), keys, doorbell, llm)
        finally:
            await doorbell.close()


async def with_runtime(work: Callable[[Runtime], Awaitable[None]]) -> None:
    """Do something for a terminal: with the settings of the environment, and only what is wrong in the log.

    Raises:
        SetupError: as ``open_runtime`` does.
    """
    settings = load_settings()
    set_up_logging(settings.model_copy(update={"log_format": "text", "log_level": "warning"}))
    async with open_runtime(settings) as runtime:
        await work(runtime)


async def _first_look(settings: Settings) -> Keys:
    """The keys, which is the first thing read; what is wrong with the database shows here, in words."""
    try:
        return await load_keys(settings)
    except db.UNAVAILABLE as error:
        raise SetupError(f"The database can't be reached: {error}.", "Check DATABASE_URL and that it runs.") from error
    except OperationalError as error:
        raise SetupError(f"The database does not fit: {error}.", "Bring its schema up: cartback migrate") from error


def addresses(settings: Settings) -> tuple[str, str]:
    """The database's and Redis's address.

    Raises:
        SetupError: one is missing.
    """
    if settings.database_url is None or settings.redis_url is None:
        missing = "DATABASE_URL" if settings.database_url is None else "REDIS_URL"
        raise SetupError(
            f"{missing} is not set and no Cartback is running here.",
            "Start one with `cartback serve`, or set DATABASE_URL and REDIS_URL.",
        )
    return settings.database_url, settings.redis_url
