"""A mail outside the campaign that somebody asked for just now: a fresh link, a conversation for the shop."""

from datetime import datetime
from typing import Any

from tortoise import Model, fields

from recovery.models.store import Store


class Notice(Model):
    """One such mail.

    ``kind`` is ``fresh_link``, ``person``, or an account's ``invitation`` or ``reset``. ``key`` names what was asked
    for, so that asking twice writes once. ``words`` is what it says, fixed once; ``link_jti`` is the link it carries,
    signed anew at each attempt. The columns from ``status`` on mean what they mean for ``email``. After 30 days
    addresses and words are forgotten.
    """

    id = fields.UUIDField(primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.CASCADE)
    store_id: int
    kind = fields.CharField(16)
    key = fields.CharField(128, unique=True)
    to_address = fields.CharField(254, null=True)
    reply_to = fields.CharField(254, null=True)
    words: dict[str, Any] | None = fields.JSONField(null=True)
    link_jti = fields.CharField(32, null=True)
    status = fields.CharField(16, default="pending")
    created_at = fields.DatetimeField()
    next_attempt_at = fields.DatetimeField()
    attempts = fields.SmallIntField(default=0)
    claims = fields.SmallIntField(default=0)
    fence = fields.IntField(default=0)
    claimed_by = fields.CharField(64, null=True)
    lease_until: datetime | None = fields.DatetimeField(null=True)
    smtp_code = fields.SmallIntField(null=True)
    smtp_text = fields.TextField(null=True)
    sent_at: datetime | None = fields.DatetimeField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)
    closed_reason = fields.CharField(64, null=True)

    class Meta:
        table = "notice"
        indexes = (("created_at",),)
