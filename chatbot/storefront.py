"""The edge to our script on a shop's own pages: the script itself, the saved cart, its restore, a typed address.

Only pages of the connection's own hosts are answered, a page learns nothing of a person, and GET changes nothing. It
stands here and not in the core for the sake of the counters.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatbot.chat import Chat
from chatbot.counters import client_address
from recovery import storefront, sync_contact
from recovery.errors import CartbackError, LinkRefused
from recovery.links import refusal, show_saved
from recovery.models import Connection
from recovery.pages import PRIVATE
from recovery.runtime import Runtime
from recovery.stores.connectors import open_connector
from recovery.sync_contact import Contact
from recovery.text import email_address, one_line
from recovery.tokens import LONGEST_HANDOFF

SCRIPT = Path(__file__).parents[1] / "frontend" / "dist" / "storefront" / "cartback.js"
#: Every page of the shop asks for it; a new version is everywhere within the hour.
CACHED = {
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
MAX_BODY = LONGEST_HANDOFF + 1024
CONTACT_SECONDS = 20.0
#: Magento's masked id of a quote; it goes into an address of the shop.
_SECRET_ID = re.compile(r"[A-Za-z0-9]{16,64}")

log = structlog.get_logger()


def routes() -> list[BaseRoute]:
    """The script and what it asks; they need ``runtime`` and ``chat`` in the state."""
    return [
        Route("/storefront/cartback.js", script, methods=["GET"]),
        Route("/storefront/{connection}/saved", saved, methods=["GET"]),
        Route("/storefront/{connection}/cart", cart, methods=["POST"]),
        Route("/storefront/{connection}/restored", restored, methods=["POST"]),
        Route("/storefront/{connection}/contact", contact, methods=["POST"]),
    ]


async def script(request: Request) -> Response:
    """``GET /storefront/cartback.js``: the same for every shop, so anybody may keep it."""
    if not SCRIPT.is_file():
        raise HTTPException(404)
    return FileResponse(SCRIPT, media_type="text/javascript", headers=CACHED)


async def saved(request: Request) -> Response:
    """``GET /storefront/{connection}/saved?cartback=…``: where the script leads when it can't put the cart back."""
    runtime: Runtime = request.state.runtime
    try:
        connection = await _connection(request)
        token = request.query_params.get("cartback", "")
        return await show_saved(runtime, await storefront.open_handoff(runtime, connection, token))
    except LinkRefused as refused:
        return refusal(request, refused)


async def cart(request: Request) -> Response:
    """``POST /storefront/{connection}/cart {token}``: what was in the cart, and what the shop's form is told of it."""
    asked = await _asked(request)
    if isinstance(asked, Response):
        return asked
    connection, told, answer = asked
    try:
        opened = await storefront.open_handoff(request.state.runtime, connection, _text(told, "token"))
        return answer(await storefront.saved_cart(request.state.runtime, opened), 200)
    except LinkRefused as refused:
        log.info("storefront.refused", cause=refused.cause)
        return answer({"error": "refused"}, 404)


async def restored(request: Request) -> Response:
    """``POST /storefront/{connection}/restored {token}``: the cart is back and its customer has touched the page."""
    asked = await _asked(request)
    if isinstance(asked, Response):
        return asked
    connection, told, answer = asked
    runtime: Runtime = request.state.runtime
    try:
        grace = storefront.TELL_GRACE_SECONDS
        opened = await storefront.open_handoff(runtime, connection, _text(told, "token"), grace=grace)
    except LinkRefused as refused:
        log.info("storefront.refused", cause=refused.cause)
        return answer({"error": "refused"}, 404)
    await storefront.restored(runtime, opened)
    return answer({}, 200)


async def contact(request: Request) -> Response:
    """``POST /storefront/{connection}/contact {cart, email, consent?}``: an address typed in the checkout.

    The page learns nothing of what became of it: that would tell whether an address or a cart is known here.
    """
    asked = await _asked(request)
    if isinstance(asked, Response):
        return asked
    connection, told, answer = asked
    chat: Chat = request.state.chat
    limits, address = chat.limits, client_address(request, request.state.runtime.settings)
    # Each makes the shop be asked: not more of it by one visitor, nor by all of them together, than it can bear.
    if not await chat.counters.attempt(f"contact:{address}", limits.contacts_per_address, 3600):
        return answer({"error": "rate"}, 429)
    if not await chat.counters.attempt(f"contact:{connection.key}", limits.contacts_per_minute, 60):
        return answer({"error": "rate"}, 429)
    email, secret_id = email_address(_text(told, "email")), _text(told, "cart")
    if email is not None and _SECRET_ID.fullmatch(secret_id):
        ticked = one_line(_text(told, "consent"), 500) or None
        await _take_contact(request.state.runtime, connection, Contact(secret_id, email, ticked))
    return answer({}, 202)


async def _take_contact(runtime: Runtime, connection: Connection, told: Contact) -> None:
    try:
        async with (
            asyncio.timeout(CONTACT_SECONDS),
            open_connector(connection, runtime.keys.vault, runtime.now) as shop,
        ):
            outcome = await sync_contact.take(runtime, connection, shop, told) if shop is not None else "unfit"
    except (CartbackError, TimeoutError) as error:
        log.warning("storefront.contact_lost", connection=connection.key, cause=type(error).__name__)
        return
    log.info("storefront.contact", connection=connection.key, outcome=outcome)


class _Answer:
    """Answers one page of one shop, so that its script may read it."""

    def __init__(self, origin: str) -> None:
        self._more = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    def __call__(self, data: Mapping[str, Any], status: int) -> Response:
        """JSON that nobody keeps."""
        return JSONResponse(dict(data), status, headers={**PRIVATE, **self._more})


async def _asked(request: Request) -> tuple[Connection, Mapping[str, Any], _Answer] | Response:
    """Who asks, what for, and how to answer; or the refusal."""
    chat: Chat = request.state.chat
    address = client_address(request, request.state.runtime.settings)
    try:
        connection = await _connection(request)
    except LinkRefused:
        return JSONResponse({"error": "unknown"}, 404)
    origin = request.headers.get("origin", "")
    if origin not in await storefront.origins_of(connection):
        return JSONResponse({"error": "origin"}, 403)
    answer = _Answer(origin)
    if not await chat.counters.attempt(f"storefront:{address}", chat.limits.restores_per_minute, 60):
        return answer({"error": "rate"}, 429)
    return connection, await _told(request), answer


async def _connection(request: Request) -> Connection:
    found = await Connection.get_or_none(key=request.path_params["connection"])
    if found is None:
        raise LinkRefused("no such connection")
    return found


async def _told(request: Request) -> Mapping[str, Any]:
    """The posted object; it is JSON sent as plain text, which spares the browser a question before each."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return MappingProxyType({})
    try:
        data: Any = orjson.loads(bytes(body))
    except ValueError:
        return MappingProxyType({})
    return data if isinstance(data, dict) else MappingProxyType({})


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""
