"""The commands about who may come in: people of the admin, and API keys."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated

import typer

from admin.access import audit, keys, users
from admin.access.invitations import link_address
from admin.access.scopes import ROLES, SCOPES, Role, Scope
from admin.models import ApiKey, User
from recovery import console, db
from recovery.clock import SystemClock
from recovery.errors import NotFound
from recovery.logs import set_up_logging
from recovery.runtime import Runtime, open_runtime
from recovery.settings import load_settings
from recovery.stores.registry import find_store

admin_app = typer.Typer(help="Who may sign in, and API keys for programs.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys for programs.", no_args_is_help=True)
admin_app.add_typer(keys_app, name="keys")

StoresOption = Annotated[
    list[str] | None, typer.Option("--store", help="Only this store, code or connection/code; may be repeated.")
]


def _run(work: Callable[[Runtime], Awaitable[None]]) -> None:
    async def within() -> None:
        settings = load_settings()
        set_up_logging(settings.model_copy(update={"log_format": "text", "log_level": "warning"}))
        async with open_runtime(settings) as runtime:
            await work(runtime)

    asyncio.run(within())


async def _store_ids(names: list[str] | None) -> list[int] | None:
    return [(await find_store(name)).id for name in names] if names else None


@admin_app.command("create")
def create(
    email: Annotated[str, typer.Argument(help="The address they sign in with.")],
    name: Annotated[str, typer.Option(help="Their name; unset: the address.")] = "",
    role: Annotated[str, typer.Option(help="owner, manager or viewer.")] = "owner",
    store: StoresOption = None,
) -> None:
    """Make an account; the printed link lets them choose a password, once, within a week."""
    chosen = _role(role)

    async def work(runtime: Runtime) -> None:
        now = SystemClock().now()
        async with db.in_transaction():
            new = users.NewUser(email, name or email, chosen, await _store_ids(store))
            user = await users.create_user(new, now)
            token = await users.make_link(user, "invitation", now)
            after = {"email": user.email, "role": user.role, "stores": user.store_ids}
            await audit.note(None, "user.invited", f"user {user.id}", now, after=after)
        console.note(f"{user.email} is {user.role}. They choose a password here, once, within 7 days:")
        console.line(link_address(runtime, token))

    _run(work)


@admin_app.command("reset")
def reset(email: Annotated[str, typer.Argument(help="Whose password is to be set anew.")]) -> None:
    """Print a link with which a person sets a new password, once, within an hour."""

    async def work(runtime: Runtime) -> None:
        user = await User.get_or_none(email=users.fold_address(email), disabled_at=None)
        if user is None:
            raise NotFound(f"Nobody signs in as {email}; `cartback admin list` shows who does.")
        now = SystemClock().now()
        async with db.in_transaction():
            token = await users.make_link(user, "reset", now)
            await audit.note(None, "user.link_made", f"user {user.id}", now)
        console.line(link_address(runtime, token))

    _run(work)


@admin_app.command("list")
def list_users(as_document: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Who may sign in."""

    async def work(runtime: Runtime) -> None:
        rows = await User.all().order_by("email")
        told = [
            {
                "email": row.email,
                "role": row.role,
                "state": "disabled" if row.disabled_at else "active" if row.password_hash else "invited",
                "stores": row.store_ids,
                "signed_in_at": row.signed_in_at and row.signed_in_at.isoformat(timespec="minutes"),
            }
            for row in rows
        ]
        if as_document:
            console.data(told)
        elif told:
            lines = [tuple("all" if v is None and n == "stores" else str(v or "") for n, v in r.items()) for r in told]
            console.table(lines, ("EMAIL", "ROLE", "STATE", "STORES", "LAST HERE"))
        else:
            console.note("Nobody yet. Make the first owner with: cartback admin create you@example.com")

    _run(work)


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="What it may do; may be repeated. Unset: read.")] = None,
    store: StoresOption = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days it works; unset: until revoked.")] = None,
) -> None:
    """Make an API key; it is printed once."""
    scopes = _scopes(scope)

    async def work(runtime: Runtime) -> None:
        now = SystemClock().now()
        expires_at = now + timedelta(days=days) if days else None
        async with db.in_transaction():
            row, key = await keys.make_key(name, scopes, await _store_ids(store), "command line", now, expires_at)
            after = {"name": name, "scopes": row.scopes, "stores": row.store_ids}
            await audit.note(None, "key.made", f"key {row.id}", now, after=after)
        console.note(f"Send it as Authorization: Bearer …, to {runtime.settings.public_url}/api/v1. Shown only now:")
        console.line(key)

    _run(work)


@keys_app.command("revoke")
def revoke_key(hint: Annotated[str, typer.Argument(help="How the key begins, as the list shows it.")]) -> None:
    """End an API key at once."""

    async def work(runtime: Runtime) -> None:
        now = SystemClock().now()
        async with db.in_transaction():
            if not await ApiKey.filter(hint=hint, revoked_at=None).update(revoked_at=now):
                raise NotFound(f"No key that counts begins with {hint!r}; `cartback admin keys list` shows them.")
            await audit.note(None, "key.revoked", f"key {hint}", now)
        console.note(f"The key {hint}… no longer counts.")

    _run(work)


@keys_app.command("list")
def list_keys() -> None:
    """The API keys that count."""

    async def work(runtime: Runtime) -> None:
        rows = await ApiKey.filter(revoked_at=None).order_by("id")
        if rows:
            lines = [(row.hint + "…", row.name, " ".join(row.scopes), row.created_by) for row in rows]
            console.table(lines, ("KEY", "NAME", "SCOPES", "MADE BY"))
        else:
            console.note("No keys yet. Make one with: cartback admin keys create NAME --scope carts:read")

    _run(work)


def _role(text: str) -> Role:
    found = next((role for role in ROLES if role == text), None)
    if found is None:
        console.fail(f"There is no role {text!r}; there are {', '.join(ROLES)}.", console.USAGE)
    return found


def _scopes(told: list[str] | None) -> list[Scope]:
    if not told:
        return sorted(ROLES["viewer"])
    unknown = set(told) - set(SCOPES)
    if unknown:
        known = ", ".join(SCOPES)
        console.fail(f"There is no scope {', '.join(sorted(unknown))}; there are {known}.", console.USAGE)
    return [scope for scope in SCOPES if scope in told]
