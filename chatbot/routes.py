"""The assistant's routes: the page of its link, the session behind the page, and the WebSocket."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson
import structlog
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from chatbot import csp_reports
from chatbot.assistant import publish_events
from chatbot.chat import Chat
from chatbot.conversations import GONE_CARTS, ConversationGone, open_session
from chatbot.counters import client_address
from chatbot.fresh_links import AgainRefused, ask_again
from chatbot.news import own_coupon, tell_news
from chatbot.pages import page_view, way_back
from chatbot.sockets import endpoint
from chatbot.texts import Texts
from recovery.errors import LinkRefused
from recovery.links import count_use, open_link
from recovery.pages import PRIVATE, Look, look_of
from recovery.runtime import Runtime
from recovery.stores.registry import in_force
from recovery.tokens import MAX_LENGTH

MAX_BODY = MAX_LENGTH + 256

log = structlog.get_logger()


def routes() -> list[BaseRoute]:
    """The routes of this package, for the composition root; they need ``runtime`` and ``chat`` in the state."""
    return [
        Route("/a", reload_page, methods=["GET"]),
        Route("/a/{token}", link_page, methods=["GET"]),
        Route("/api/assistant/session", session, methods=["POST"]),
        Route("/api/assistant/again", again, methods=["POST"]),
        Route(csp_reports.PATH, csp_reports.csp_report, methods=["POST"]),
        WebSocketRoute("/ws", endpoint),
    ]


async def reload_page(request: Request) -> Response:
    """``GET /a``: where the page's address leads after a reload; its script goes back to the link it kept."""
    texts = _chat(request).texts.preferred(request.headers.get("accept-language", ""))
    return _html(request, "reload.html", texts, 200, script=True)


async def link_page(request: Request) -> Response:
    """``GET /a/{token}``: the page, whole, from rows; only the link's counters change."""
    runtime, token = _runtime(request), request.path_params["token"]
    now = runtime.now()
    try:
        opened = await open_link(runtime, "assistant", token, now)
        if opened.link.expires_at <= now:
            raise LinkRefused("expired")
        if opened.cart.status in GONE_CARTS:
            raise LinkRefused(f"cart {opened.cart.status}")
    except LinkRefused as error:
        log.info("assistant.refused", cause=error.cause)
        return await _refused(request, error, token, now)
    if request.method == "GET":
        await count_use(opened.link, now)
    texts = await _chat(request).texts_for(opened.store)
    view = await page_view(runtime, opened, texts, now)
    boot = {
        "token": token,
        "texts": texts.page,
        "shop": view.look.shop,
        "contact": view.contact,
        "ordered": view.ordered,
        "limits": _chat(request).client_limits(),
        "suggestions": view.starters,
        "person": {"address": view.person_address, "available": view.person},
        "share": view.share,
        "coupon": await own_coupon(opened.cart, opened.link.email_hash, now),
    }
    return _html(request, "assistant.html", texts, 200, look=view.look, boot=boot, view=view)


async def _refused(request: Request, error: LinkRefused, token: str, now: datetime) -> Response:
    """A link that opens nothing: one page for every cause, but a genuine one whose time is over still leads back."""
    if error.cause == "expired":
        try:
            opened = await open_link(_runtime(request), "assistant", token, now, expired_too=True)
        except LinkRefused:
            opened = None
        if opened is not None and opened.cart.status not in GONE_CARTS:
            texts = await _chat(request).texts_for(opened.store)
            back = await way_back(_runtime(request), opened, now)
            look = look_of(opened.store, (await in_force(opened.store)).settings)
            boot = {"token": token, "texts": texts.page}
            return _html(request, "over.html", texts, 410, look=look, boot=boot, back=back)
    texts = _chat(request).texts.preferred(request.headers.get("accept-language", ""))
    return _html(request, "refused.html", texts, 404)


async def session(request: Request) -> Response:
    """``POST /api/assistant/session {token}``: the conversation of a link, made at the first call."""
    chat, runtime = _chat(request), _runtime(request)
    token = await _posted_token(request)
    if isinstance(token, Response):
        return token
    now = runtime.now()
    try:
        opened = await open_session(runtime, token, now)
    except LinkRefused as error:
        log.info("assistant.session_refused", cause=error.cause)
        return _refusal("expired", 410) if error.cause == "expired" else _refusal("refused", 404)
    except ConversationGone:
        return _refusal("closed", 410)
    conversation = opened.conversation
    # Before the socket replays what was told: the page has the cart of this moment.
    written = await tell_news(conversation.id, now)
    await publish_events(chat.fanout, conversation.id, written)
    store = await conversation.store
    return _json(
        {
            "conv": str(conversation.id),
            "session": opened.session,
            "seq": written[-1].seq if written else conversation.last_seq,
            "limits": chat.client_limits(),
            "disclosure": (await chat.texts_for(store)).disclosure(store.name),
            "language": conversation.language,
            "expires_at": conversation.expires_at.isoformat(),
        },
        200,
    )


async def again(request: Request) -> Response:
    """``POST /api/assistant/again {token}``: a fresh link in place of one whose time is over, mailed to its owner."""
    chat, runtime = _chat(request), _runtime(request)
    token = await _posted_token(request)
    if isinstance(token, Response):
        return token
    address = client_address(request, runtime.settings)
    if not await chat.counters.attempt(f"again:{address}", chat.limits.fresh_links_per_address, 3600):
        return _refusal("rate", 429, 3600)
    try:
        return _json({"sent_to": await ask_again(runtime, token, runtime.now())}, 202)
    except LinkRefused as error:
        log.info("assistant.again_refused", cause=error.cause)
        return _refusal("refused", 404)
    except ConversationGone:
        return _refusal("closed", 410)
    except AgainRefused as error:
        return _refusal(error.code, error.status, error.after)


async def _posted_token(request: Request) -> str | Response:
    """The token that our own page posts, or the refusal."""
    origin = _chat(request).origin
    if request.headers.get("origin", origin) != origin:
        return _refusal("forbidden", 403)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return _refusal("unsupported_type", 415)
    return _token_of(await _body(request)) or _refusal("bad_request", 400)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body)


def _token_of(body: bytes) -> str | None:
    try:
        data = orjson.loads(body) if len(body) <= MAX_BODY else None
    except ValueError:
        return None
    token = data.get("token") if isinstance(data, dict) else None
    return token if isinstance(token, str) else None


def _refusal(code: str, status: int, after: int = 0) -> Response:
    return _json({"error": code}, status, {"Retry-After": str(after)} if after else {})


def _json(data: dict[str, Any], status: int, more: Mapping[str, str] = MappingProxyType({})) -> Response:
    return JSONResponse(data, status, headers={**PRIVATE, **more})


def _html(
    request: Request,
    template: str,
    texts: Texts,
    status: int,
    *,
    look: Look | None = None,
    boot: dict[str, Any] | None = None,
    script: bool = False,
    **values: Any,
) -> Response:
    """A page; what its script starts from is ``boot``."""
    chat = _chat(request)
    body = chat.templates.get_template(template).render(
        page=texts.page,
        language=texts.language,
        look=look,
        boot=_script_json(boot) if boot is not None else "",
        script=script or boot is not None,
        **values,
    )
    policy = _policy(chat.origin, look or Look())
    return HTMLResponse(body, status, headers=PRIVATE | {"Content-Security-Policy": policy})


def _policy(origin: str, look: Look) -> str:
    """The page runs its own script, talks to its own server and shows pictures of its own store, nothing else."""
    pictures = " ".join(["'self'", *look.pictures])
    sockets = origin.replace("http", "ws", 1)
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src {look.style_source}",
            f"img-src {pictures}",
            f"connect-src 'self' {sockets}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "require-trusted-types-for 'script'",
            f"report-uri {csp_reports.PATH}",
        ]
    )


def _script_json(data: dict[str, Any]) -> Markup:
    """Data for a ``<script type="application/json">``: nothing in it can end the script."""
    written = orjson.dumps(data).decode()
    return Markup(written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.state.runtime
    return runtime


def _chat(request: Request) -> Chat:
    chat: Chat = request.state.chat
    return chat
