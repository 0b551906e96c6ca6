"""Sign-in of the admin page: one-time links made on this machine, the sessions they open, loopback only."""

import functools
import hashlib
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime, timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Send

from admin.access.sessions import is_loopback
from admin.models import AdminSession
from admin.pages import HEADERS, page
from recovery import db
from recovery.clock import SystemClock

LINK_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(hours=12)
#: What a proxy adds: whoever comes through one comes from elsewhere, whatever the address says.
_PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")

Endpoint = Callable[[Request], Awaitable[Response]]


async def make_admin_link(now: datetime) -> str:
    """Make a link that opens the admin page once, within ten minutes; its path.

    ``now`` is the machine's time. Links and sessions end by it, not by business time, which the demo moves by days.
    """
    await AdminSession.filter(expires_at__lt=SystemClock().now()).delete()
    token = secrets.token_urlsafe(32)
    await AdminSession.create(link_hash=_hash(token), created_at=now, expires_at=now + LINK_LIFE)
    return f"/admin/open/{token}"


def refuse_strangers(request: Request) -> None:
    """Let only this machine in, and nobody through a proxy.

    Raises:
        HTTPException: 404, as if there were nothing here.
    """
    host = request.client.host if request.client else ""
    if not is_loopback(host) or any(name in request.headers for name in _PROXY_HEADERS):
        raise HTTPException(404)


class LoopbackOnly:
    """``refuse_strangers`` before an application, such as the files of the admin page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        refuse_strangers(Request(scope))
        await self._app(scope, receive, send)


def signed_in(endpoint: Endpoint) -> Endpoint:
    """``endpoint`` for people with a session on this machine; everybody else learns how to get one."""

    @functools.wraps(endpoint)
    async def guarded(request: Request) -> Response:
        refuse_strangers(request)
        try:
            return await endpoint(request) if await _has_session(request) else _how_to_sign_in(request)
        except db.UNAVAILABLE:
            return page("database_away", request, status=503)

    return guarded


async def open_link(request: Request) -> Response:
    """Turn a one-time link into a session cookie and go on to the overview."""
    refuse_strangers(request)
    now, session = SystemClock().now(), secrets.token_urlsafe(32)
    try:
        opened = await AdminSession.filter(
            link_hash=_hash(request.path_params["token"]), opened_at=None, expires_at__gt=now
        ).update(session_hash=_hash(session), opened_at=now, expires_at=now + SESSION_LIFE)
    except db.UNAVAILABLE:
        return page("database_away", request, status=503)
    if not opened:
        return _how_to_sign_in(request)
    response = RedirectResponse("/admin", 303, headers=HEADERS)
    response.set_cookie(
        _cookie(request),
        session,
        max_age=int(SESSION_LIFE.total_seconds()),
        path="/admin",
        httponly=True,
        samesite="strict",
        secure=_is_https(request),
    )
    return response


async def _has_session(request: Request) -> bool:
    session = request.cookies.get(_cookie(request))
    if not session:
        return False
    return await AdminSession.filter(session_hash=_hash(session), expires_at__gt=SystemClock().now()).exists()


def _how_to_sign_in(request: Request) -> Response:
    return page("signin", request, status=403)


def _cookie(request: Request) -> str:
    """``__Host-`` would need the path /; ``__Secure-`` at least keeps plain HTTP from setting it."""
    return "__Secure-cartback_admin" if _is_https(request) else "cartback_admin"


def _is_https(request: Request) -> bool:
    # The page is for this machine, mostly by plain HTTP whatever the public address is.
    return request.url.scheme == "https"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
