"""The tables of the admin: its people, their sessions and links, API keys, what was changed, answers kept for a while.

Of every token only a SHA-256 hash is kept. Times here are the machine's, not business time, which the demo moves.
"""

from datetime import datetime
from typing import Any

from tortoise import Model, fields


class AdminSession(Model):
    """A one-time link of this machine and the session it opened."""

    id = fields.BigIntField(primary_key=True)
    link_hash = fields.CharField(64, unique=True)
    session_hash = fields.CharField(64, null=True, unique=True)
    created_at = fields.DatetimeField()
    opened_at: datetime | None = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "admin_session"


class User(Model):
    """A person who may sign in; ``email`` is in lower case.

    ``role`` is ``owner``, ``manager`` or ``viewer``; ``store_ids`` are the stores they see, null for all. Without a
    ``password_hash`` they were invited and have not come yet.
    """

    id = fields.IntField(primary_key=True)
    email = fields.CharField(254, unique=True)
    name = fields.CharField(100)
    role = fields.CharField(16)
    store_ids: list[int] | None = fields.JSONField(null=True)
    language = fields.CharField(8, default="en")
    password_hash = fields.CharField(255, null=True)
    created_at = fields.DatetimeField()
    signed_in_at: datetime | None = fields.DatetimeField(null=True)
    disabled_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "admin_user"


class UserSession(Model):
    """A signed-in browser; deleting the row ends it. ``agent`` is what the browser called itself."""

    id = fields.BigIntField(primary_key=True)
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("models.User", on_delete=fields.CASCADE)
    user_id: int
    token_hash = fields.CharField(64, unique=True)
    agent = fields.CharField(200)
    created_at = fields.DatetimeField()
    seen_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "user_session"


class UserLink(Model):
    """A link that lets a person set a password, once; ``kind`` is ``invitation`` or ``reset``."""

    id = fields.BigIntField(primary_key=True)
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("models.User", on_delete=fields.CASCADE)
    user_id: int
    kind = fields.CharField(16)
    token_hash = fields.CharField(64, unique=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "user_link"


class ApiKey(Model):
    """A key for programs; ``hint`` is its beginning, to recognise it by."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(100)
    hint = fields.CharField(16)
    key_hash = fields.CharField(64, unique=True)
    scopes: list[str] = fields.JSONField()
    store_ids: list[int] | None = fields.JSONField(null=True)
    created_by = fields.CharField(100)
    created_at = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)
    expires_at: datetime | None = fields.DatetimeField(null=True)
    revoked_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "api_key"


class SignInFailure(Model):
    """One wrong password; ``key`` is the hash of the account or of the address it came from."""

    id = fields.BigIntField(primary_key=True)
    key = fields.CharField(64)
    at = fields.DatetimeField()

    class Meta:
        table = "signin_failure"
        indexes = (("key", "at"),)


class AuditEntry(Model):
    """One change: who, what, of what, before and after; secrets stand as set or not."""

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    actor_kind = fields.CharField(8)
    actor_id = fields.IntField(null=True)
    actor_name = fields.CharField(100)
    action = fields.CharField(64)
    target = fields.CharField(100)
    store_id = fields.IntField(null=True)
    before: dict[str, Any] | None = fields.JSONField(null=True)
    after: dict[str, Any] | None = fields.JSONField(null=True)
    request_id = fields.CharField(32, null=True)

    class Meta:
        table = "audit_entry"
        indexes = (("at", "id"), ("store_id", "at"))


class IdempotentAnswer(Model):
    """What an action with an ``Idempotency-Key`` answered, so that a repetition gets the same; without ``status`` it
    still runs."""

    id = fields.BigIntField(primary_key=True)
    actor = fields.CharField(32)
    key = fields.CharField(255)
    request_hash = fields.CharField(64)
    status = fields.SmallIntField(null=True)
    body = fields.TextField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "idempotent_answer"
        unique_together = (("actor", "key"),)
