"""Structured logs without personal data or tokens: set-up, and the access log with link tokens masked."""

import logging
import re
import sys
import time
import traceback
from collections.abc import MutableMapping
from typing import Any
from uuid import uuid4

import orjson
import structlog
from starlette.types import ASGIApp, Message, Receive, Send
from structlog.typing import EventDict

from recovery.settings import Settings

_TOKEN_IN_PATH = re.compile(r"(?i)(/[rau]/|/admin/open/|/api/v1/links/).+|[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}")
_QUIET_PATHS = ("/healthz", "/readyz", "/static/", "/assets/")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

log = structlog.get_logger()


def set_up_logging(settings: Settings) -> None:
    """Send our own log lines to stderr, as JSON or text; other libraries only from warnings on."""
    level = _LEVELS[settings.log_level]
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("arq").setLevel(logging.WARNING)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _stack_without_values,
    ]
    if settings.log_format == "json":
        structlog.configure(
            processors=[
                *shared,
                structlog.processors.JSONRenderer(serializer=orjson.dumps),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
            cache_logger_on_first_use=True,
        )
    else:
        structlog.configure(
            processors=[*shared, _stack_as_text, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )


def _stack_without_values(logger: object, method: str, event: EventDict) -> EventDict:
    """An exception as where it was raised and its kind; its message may quote what a customer typed."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["exception"] = type(error).__name__
        event["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _stack_as_text(logger: object, method: str, event: EventDict) -> EventDict:
    """The places as the console takes them, one a line."""
    if "stack" in event:
        event["stack"] = "\n".join(event["stack"])
    return event


def masked_path(path: str) -> str:
    """A path for the log: what opens a cart or stops mails is never written down, however a mail program bent it."""
    return _TOKEN_IN_PATH.sub(lambda found: f"{found[1] or ''}***", path)


class AccessLog:
    """One line per request: method, masked path, status, milliseconds, request id; never a query string."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex[:12]
        status = 500
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                if status >= 500 or not scope["path"].startswith(_QUIET_PATHS):
                    log.info(
                        "http",
                        method=scope["method"],
                        path=masked_path(scope["path"]),
                        status=status,
                        ms=round((time.perf_counter() - started) * 1000, 1),
                    )
