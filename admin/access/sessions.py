"""Sessions of signed-in people: opaque, kept in the database, listed and revocable."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from admin.access.scopes import ROLES, Caller
from admin.access.tokens import new_token, token_hash
from admin.models import User, UserSession
from recovery.settings import Settings
from recovery.text import one_line

LIFE = timedelta(days=14)
#: Nobody used it for so long: it ends before its time.
IDLE = timedelta(hours=24)
_SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class SignedIn:
    """A person just let in: their session's row and the token for the browser."""

    session: UserSession
    token: str


async def open_session(user: User, agent: str, now: datetime) -> SignedIn:
    """Let a person in; their old, dead sessions go."""
    await UserSession.filter(user_id=user.id, expires_at__lt=now).delete()
    token = new_token()
    session = await UserSession.create(
        user=user,
        token_hash=token_hash(token),
        agent=one_line(agent, 200),
        created_at=now,
        seen_at=now,
        expires_at=now + LIFE,
    )
    await User.filter(id=user.id).update(signed_in_at=now)
    return SignedIn(session, token)


async def caller_of(token: str, now: datetime) -> Caller | None:
    """Who a session's token belongs to, if it still lives and they may still come in."""
    session = await UserSession.get_or_none(token_hash=token_hash(token)).prefetch_related("user")
    if session is None or session.expires_at <= now or session.seen_at + IDLE <= now:
        return None
    user = session.user
    if user.disabled_at is not None:
        return None
    if session.seen_at + _SEEN_EVERY <= now:
        await UserSession.filter(id=session.id).update(seen_at=now)
    stores = None if user.role == "owner" or user.store_ids is None else frozenset(user.store_ids)
    return Caller("user", user.id, user.name, ROLES[user.role], stores, session.id)  # type: ignore[index]


async def end_sessions(user_id: int, *, but: int | None = None) -> int:
    """Sign a person out everywhere, or everywhere else; how many sessions ended."""
    return await UserSession.filter(user_id=user_id).exclude(id=but or 0).delete()


def cookie_name(settings: Settings) -> str:
    """``__Host-`` binds the cookie to this host and to HTTPS; without HTTPS (this machine only) it can't be had."""
    return "__Host-cartback" if _secure(settings) else "cartback"


def set_cookie(response: Response, settings: Settings, token: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(LIFE.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=_secure(settings),
    )


def drop_cookie(response: Response, settings: Settings) -> None:
    """Take the session from the browser."""
    response.delete_cookie(cookie_name(settings), path="/", httponly=True, samesite="strict", secure=_secure(settings))


def token_in(request: Request, settings: Settings) -> str | None:
    """The session's token that a browser sent."""
    return request.cookies.get(cookie_name(settings))


def _secure(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
