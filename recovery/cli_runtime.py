"""Runs a command of the command line over the open runtime."""

from collections.abc import Awaitable, Callable

from recovery.logs import set_up_logging
from recovery.runtime import Runtime, open_runtime
from recovery.settings import load_settings


async def with_runtime(work: Callable[[Runtime], Awaitable[None]]) -> None:
    """Open the database and the keys, do ``work``, and close them."""
    settings = load_settings()
    set_up_logging(settings.model_copy(update={"log_format": "text", "log_level": "warning"}))
    async with open_runtime(settings) as runtime:
        await work(runtime)
