"""Signing in and out, one's own sessions, and setting a password by a link."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from admin.access import sessions, users
from admin.access.invitations import mail_link
from admin.access.passwords import LONGEST, SHORTEST
from admin.access.scopes import Role, Scope
from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.problems import Problem, not_found
from admin.models import User, UserSession
from chatbot.counters import client_address
from recovery import db
from recovery.models import Store

api = Operations("session")

Body = ConfigDict(extra="forbid", frozen=True)
Password = Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST)]
LargeId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class SignIn(BaseModel):
    """Who wants in."""

    model_config = Body
    email: str = Field(max_length=254)
    password: str = Field(max_length=LONGEST)


class StoreName(BaseModel):
    """A store within reach."""

    id: int
    connection: str
    code: str
    name: str
    currency: str
    mode: str


class Me(BaseModel):
    """Who is signed in, and what they may do."""

    kind: str = Field(description="user or key")
    name: str
    email: str | None
    role: Role | None
    language: str
    scopes: list[Scope]
    stores: list[StoreName]
    demo: bool = Field(description="Whether this is the demo, whose time can be moved")


class SessionRow(BaseModel):
    """A signed-in browser of one's own."""

    id: int
    agent: str = Field(description="What the browser called itself")
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


class Sessions(BaseModel):
    """One's own sessions, newest first."""

    items: list[SessionRow]


class Forgot(BaseModel):
    """Whose password is to be set anew."""

    model_config = Body
    email: str = Field(max_length=254)


class LinkOwner(BaseModel):
    """Whose link it is."""

    email: str
    name: str
    kind: str = Field(description="invitation or reset")


class NewPassword(BaseModel):
    """The password to set."""

    model_config = Body
    password: Password


class PasswordChange(BaseModel):
    """The old password, and the new one."""

    model_config = Body
    old: str = Field(max_length=LONGEST)
    new: Password


class Profile(BaseModel):
    """What people change of themselves."""

    model_config = Body
    name: str = Field(min_length=1, max_length=100)
    language: str = Field(pattern="^(en|pl)$")


@api.add("POST", "/session", open=True, status=200, media="application/json")
async def sign_in(call: Call, body: SignIn) -> Response:
    """Sign in with address and password; the session comes as a cookie."""
    address = client_address(call.request, call.runtime.settings)
    _refuse_plain_http(call, address)
    user = await users.sign_in(call.passwords, body.email, body.password, address, call.machine_now)
    return await _signed_in(call, user)


@api.add("GET", "/session")
async def who_am_i(call: Call) -> Me:
    """Who is signed in, what they may do, and the stores they see."""
    who = call.who
    user = await User.get(id=who.id) if who.kind == "user" else None
    stores = await Store.all().prefetch_related("connection").order_by("id")
    return Me(
        kind=who.kind,
        name=who.name,
        email=user.email if user else None,
        role=user.role if user else None,
        language=user.language if user else "en",
        scopes=sorted(who.scopes),
        stores=[
            StoreName(id=s.id, connection=s.connection.key, code=s.code, name=s.name, currency=s.currency, mode=s.mode)
            for s in stores
            if who.sees(s.id)
        ],
        demo=call.runtime.settings.clock_file is not None,
    )


@api.add("DELETE", "/session")
async def sign_out(call: Call) -> None:
    """Sign this browser out."""
    if call.who.session_id is not None:
        await UserSession.filter(id=call.who.session_id).delete()
    call.drop_session = True


@api.add("GET", "/sessions")
async def my_sessions(call: Call) -> Sessions:
    """One's own sessions, newest first."""
    rows = await UserSession.filter(user_id=_user_id(call), expires_at__gt=call.machine_now).order_by("-seen_at")
    return Sessions(
        items=[
            SessionRow(
                id=row.id,
                agent=row.agent,
                created_at=row.created_at,
                seen_at=row.seen_at,
                expires_at=row.expires_at,
                current=row.id == call.who.session_id,
            )
            for row in rows
        ]
    )


@api.add("DELETE", "/sessions/{id}")
async def end_session(call: Call, id: LargeId) -> None:
    """End one of one's own sessions."""
    if not await UserSession.filter(id=id, user_id=_user_id(call)).delete():
        raise not_found("session")


@api.add("PUT", "/profile")
async def change_profile(call: Call, body: Profile) -> None:
    """Change one's own name and language."""
    user_id = _user_id(call)
    async with db.in_transaction():
        user = await User.select_for_update().get(id=user_id)
        before = {"name": user.name, "language": user.language}
        await User.filter(id=user_id).update(name=body.name, language=body.language)
        await call.note("profile.changed", f"user {user_id}", before=before, after=body.model_dump())


@api.add("PUT", "/password")
async def change_password(call: Call, body: PasswordChange) -> None:
    """Change one's own password; all other sessions of one's own end."""
    user = await User.get(id=_user_id(call))
    await users.change_password(call.passwords, user, body.old, body.new, call.who.session_id)
    await call.note("password.changed", f"user {user.id}")


@api.add("POST", "/password-reset", open=True, status=202)
async def forgot_password(call: Call, body: Forgot) -> None:
    """Mail a link to set a new password, if there is such an account; the answer is the same if not."""
    address = client_address(call.request, call.runtime.settings)
    email = body.email.strip().lower()
    await users.count_reset(email, address, call.machine_now)
    user = await User.get_or_none(email=email, disabled_at=None)
    if user is not None:
        await mail_link(call.runtime, user, "reset", call.machine_now)


@api.add("GET", "/links/{token}", open=True)
async def look_at_link(call: Call, token: str) -> LinkOwner:
    """Whose invitation or reset this is, while it works."""
    found = await users.user_of_link(token, call.machine_now)
    if found is None:
        raise not_found("link; it may have been used, or be too old")
    user, link = found
    return LinkOwner(email=user.email, name=user.name, kind=link.kind)


@api.add("POST", "/links/{token}", open=True, status=200, media="application/json")
async def use_link(call: Call, token: str, body: NewPassword) -> Response:
    """Set a password by an invitation or reset, once, and sign in."""
    _refuse_plain_http(call, client_address(call.request, call.runtime.settings))
    user = await users.use_link(call.passwords, token, body.password, call.machine_now)
    return await _signed_in(call, user)


async def _signed_in(call: Call, user: User) -> Response:
    opened = await sessions.open_session(user, call.request.headers.get("user-agent", ""), call.machine_now)
    response = Response(b"{}", 200, media_type="application/json")
    sessions.set_cookie(response, call.runtime.settings, opened.token)
    return response


def _user_id(call: Call) -> int:
    """The person who calls.

    Raises:
        Problem: it is a key.
    """
    if call.who.kind != "user":
        raise Problem(403, "people-only", "Only a signed-in person has this.")
    return call.who.id


def _refuse_plain_http(call: Call, address: str) -> None:
    """Passwords go by HTTPS, or on this machine.

    Raises:
        Problem: this is neither.
    """
    settings = call.runtime.settings
    if not settings.public_url.startswith("https://") and not sessions.is_loopback(address):
        raise Problem(403, "https-only", "Set CARTBACK_PUBLIC_URL to an https:// address and sign in there.")
