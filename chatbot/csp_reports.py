"""What browsers kept off the assistant's page, into the log: the directive and a host, nothing of the customer."""

import re
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from chatbot.chat import Chat
from chatbot.counters import client_address
from recovery.runtime import Runtime

PATH = "/csp"
#: A report holds the whole policy and, of ours, never a script.
MAX_REPORT = 8192
_DIRECTIVE = re.compile(r"[a-z][a-z-]{2,40}")

log = structlog.get_logger()


async def csp_report(request: Request) -> Response:
    """``POST /csp``: one report; the sender learns nothing."""
    chat: Chat = request.state.chat
    runtime: Runtime = request.state.runtime
    address = client_address(request, runtime.settings)
    if await chat.counters.attempt(f"csp:{address}", chat.limits.reports_per_address, 3600):
        told = reported(await _body(request))
        if told is not None:
            log.warning("page.kept_off", directive=told[0], blocked=told[1])
    return Response(status_code=204)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REPORT:
            return b""
    return bytes(body)


def reported(body: bytes) -> tuple[str, str] | None:
    """The directive that was broken and the host that broke it; the page's own address may hold a token."""
    try:
        data: Any = orjson.loads(body)
    except ValueError:
        return None
    report = data.get("csp-report") if isinstance(data, dict) else None
    if not isinstance(report, dict):
        return None
    directive = str(report.get("effective-directive") or report.get("violated-directive") or "").partition(" ")[0]
    if not _DIRECTIVE.fullmatch(directive):
        return None
    return directive, _source(str(report.get("blocked-uri", "")))


def _source(blocked: str) -> str:
    """A keyword such as ``inline``, or scheme and host without what follows."""
    try:
        parts = urlsplit(blocked)
        host = parts.hostname or ""
    except ValueError:
        return "?"
    written = f"{parts.scheme}://{host}" if host else parts.scheme or blocked
    return written[:100] if re.fullmatch(r"[\w.:/-]*", written, re.ASCII) else "?"
