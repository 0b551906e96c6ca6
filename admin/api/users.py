"""The people and the API keys: inviting, changing, ending; for owners."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from admin.access import keys, sessions
from admin.access import users as people
from admin.access.invitations import mail_link
from admin.access.scopes import Role, Scope
from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.problems import FieldError, Problem, not_found
from admin.models import ApiKey, User
from recovery import db
from recovery.models import Store

api = Operations("users")

Body = ConfigDict(extra="forbid", frozen=True)
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
StoreIds = Annotated[list[Id], Field(max_length=1000)]


class UserRow(BaseModel):
    """A person who may sign in."""

    id: int
    email: str
    name: str
    role: Role
    stores: list[int] | None = Field(description="The stores they see; null: all")
    language: str
    state: str = Field(description="invited, active or disabled")
    created_at: datetime
    signed_in_at: datetime | None


class Users(BaseModel):
    """Everybody, by name."""

    items: list[UserRow]


class Invitation(BaseModel):
    """Whom to invite."""

    model_config = Body
    email: str = Field(max_length=254)
    name: str = Field(min_length=1, max_length=100)
    role: Role
    stores: StoreIds | None = Field(None, description="The stores they see; null: all")
    language: str = Field("en", pattern="^(en|pl)$")


class Invited(BaseModel):
    """The new account, and the link to hand over if no mail could be sent."""

    user: UserRow
    link: str = Field(description="Where they choose a password, once; shown only now")
    mailed: bool


class UserChange(BaseModel):
    """What to change of a person; what is left out stays."""

    model_config = Body
    name: str | None = Field(None, min_length=1, max_length=100)
    role: Role | None = None
    stores: StoreIds | None = Field(None, description="The stores they see; null: all")
    disabled: bool | None = None


class KeyRow(BaseModel):
    """An API key, without the key."""

    id: int
    name: str
    hint: str = Field(description="How it begins")
    scopes: list[str]
    stores: list[int] | None
    created_by: str
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class Keys(BaseModel):
    """All keys, newest first."""

    items: list[KeyRow]


class NewKey(BaseModel):
    """What a key is for, and what it may do."""

    model_config = Body
    name: str = Field(min_length=1, max_length=100)
    scopes: list[Scope] = Field(min_length=1)
    stores: StoreIds | None = Field(None, description="The stores it sees; null: all")
    days: int | None = Field(None, ge=1, le=3650, description="Days it works; null: until it is revoked")


class MadeKey(BaseModel):
    """The new key; this is the only time it is told."""

    key: str
    row: KeyRow


@api.add("GET", "/users", scope="users:read")
async def list_users(call: Call) -> Users:
    """Everybody who may sign in, by name."""
    return Users(items=[_row(user) for user in await User.all().order_by("name", "id")])


@api.add("POST", "/users", scope="users:write", status=201, secret=True)
async def invite_user(call: Call, body: Invitation) -> Invited:
    """Invite a person; they choose their password by a link, which is mailed if any store can send."""
    await _known_stores(body.stores)
    new = people.NewUser(body.email, body.name, body.role, body.stores, body.language)
    async with db.in_transaction():
        user = await people.create_user(new, call.machine_now)
        await call.note("user.invited", f"user {user.id}", after=_told(user))
    link, mailed = await mail_link(call.runtime, user, "invitation", call.machine_now)
    return Invited(user=_row(user), link=link, mailed=mailed)


@api.add("PATCH", "/users/{id}", scope="users:write")
async def change_user(call: Call, id: Id, body: UserChange) -> UserRow:
    """Change a person's name, role or stores, or keep them out; their sessions end when they may do less."""
    await _known_stores(body.stores)
    async with db.in_transaction():
        user = await User.select_for_update().get_or_none(id=id)
        if user is None:
            raise not_found("person")
        before = _told(user)
        changes = body.model_dump(exclude_unset=True)
        if "stores" in changes:
            user.store_ids = changes["stores"]
        user.name, user.role = body.name or user.name, body.role or user.role
        if body.disabled is not None:
            user.disabled_at = (user.disabled_at or call.machine_now) if body.disabled else None
        if (user.role != "owner" or user.disabled_at) and before["role"] == "owner":
            await _keep_an_owner(user.id)
        await user.save()
        if user.disabled_at or _told(user) != before:
            await sessions.end_sessions(user.id, but=call.who.session_id)
        await call.note("user.changed", f"user {user.id}", before=before, after=_told(user))
    return _row(user)


@api.add("POST", "/users/{id}/link", scope="users:write", status=201, secret=True)
async def renew_link(call: Call, id: Id) -> Invited:
    """Make a fresh link for a person to choose a password; older ones no longer work."""
    user = await User.get_or_none(id=id, disabled_at=None)
    if user is None:
        raise not_found("person")
    kind: people.LinkKind = "reset" if user.password_hash else "invitation"
    link, mailed = await mail_link(call.runtime, user, kind, call.machine_now)
    await call.note("user.link_made", f"user {user.id}")
    return Invited(user=_row(user), link=link, mailed=mailed)


@api.add("GET", "/api-keys", scope="users:read")
async def list_keys(call: Call) -> Keys:
    """All API keys, newest first."""
    return Keys(items=[_key_row(row) for row in await ApiKey.all().order_by("-id")])


@api.add("POST", "/api-keys", scope="users:write", status=201, secret=True)
async def make_key(call: Call, body: NewKey) -> MadeKey:
    """Make an API key; it is told once. It can do no more than whoever makes it."""
    await _known_stores(body.stores)
    beyond = [scope for scope in body.scopes if not call.may(scope)]
    if beyond:
        raise Problem(403, "not-allowed", f"You can't give away what you may not do: {', '.join(beyond)}.")
    if call.who.store_ids is not None and (body.stores is None or not call.who.store_ids >= set(body.stores)):
        raise Problem(403, "not-allowed", "You can't open stores that you don't see.")
    expires_at = call.machine_now + timedelta(days=body.days) if body.days else None
    async with db.in_transaction():
        row, key = await keys.make_key(body.name, body.scopes, body.stores, call.who.name, call.machine_now, expires_at)
        after = {"name": row.name, "scopes": row.scopes, "stores": row.store_ids}
        await call.note("key.made", f"key {row.id}", after=after)
    return MadeKey(key=key, row=_key_row(row))


@api.add("DELETE", "/api-keys/{id}", scope="users:write")
async def revoke_key(call: Call, id: Id) -> None:
    """End an API key."""
    async with db.in_transaction():
        if not await ApiKey.filter(id=id, revoked_at=None).update(revoked_at=call.machine_now):
            raise not_found("key")
        await call.note("key.revoked", f"key {id}")


async def _known_stores(ids: list[int] | None) -> None:
    missing = set(ids or ()) - set(await Store.filter(id__in=ids or []).values_list("id", flat=True))
    if missing:
        error = FieldError(field="stores", message=f"There are no stores {sorted(missing)}.")
        raise Problem(422, "invalid", "Some stores do not exist.", errors=[error])


async def _keep_an_owner(user_id: int) -> None:
    if not await people.count_owners(but=user_id):
        raise Problem(409, "last-owner", "Somebody has to stay the owner; make another one first.")


def _told(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "stores": user.store_ids,
        "disabled": user.disabled_at is not None,
    }


def _row(user: User) -> UserRow:
    state = "disabled" if user.disabled_at else "active" if user.password_hash else "invited"
    return UserRow(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role,
        stores=user.store_ids,
        language=user.language,
        state=state,
        created_at=user.created_at,
        signed_in_at=user.signed_in_at,
    )


def _key_row(row: ApiKey) -> KeyRow:
    return KeyRow(
        id=row.id,
        name=row.name,
        hint=row.hint,
        scopes=row.scopes,
        stores=row.store_ids,
        created_by=row.created_by,
        created_at=row.created_at,
        used_at=row.used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
