"""Sign-in of the read-only admin page: one-time links and the sessions they open."""

from datetime import datetime

from tortoise import Model, fields


class AdminSession(Model):
    """A one-time link and the session it opened; only SHA-256 hashes of both tokens are kept."""

    id = fields.BigIntField(primary_key=True)
    link_hash = fields.CharField(64, unique=True)
    session_hash = fields.CharField(64, null=True, unique=True)
    created_at = fields.DatetimeField()
    opened_at: datetime | None = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "admin_session"
