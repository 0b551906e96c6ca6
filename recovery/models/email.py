"""A recovery message on its way: one row per abandonment and step, never two."""

from datetime import datetime
from typing import Any

from tortoise import Model, fields

from recovery.models.abandonment import Abandonment
from recovery.models.store import Connection, Store


class Email(Model):
    """One recovery message.

    ``id`` is the local part of its Message-ID. ``status`` is ``pending|claimed|sending|sent|failed|unknown|cancelled|
    suppressed``. ``fence`` counts claims of ownership: whoever holds an older one has lost it. ``lease_until`` and
    ``claimed_by`` say who works on it, on the database's clock; ``next_attempt_at`` is business time.
    ``words`` is what it says, fixed once; links and bytes are made per attempt. ``written_by`` is ``ready_made`` or
    ``model`` (then ``words_model``); ``words_cause`` says why a model that was to write them did not.
    ``copy_status`` is that of the shop's own copy: null, ``pending``, ``sending``, ``sent`` or ``failed``.
    """

    id = fields.UUIDField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.RESTRICT
    )
    connection_id: int
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.RESTRICT)
    store_id: int
    abandonment: fields.ForeignKeyRelation[Abandonment] = fields.ForeignKeyField(
        "models.Abandonment", related_name="emails", on_delete=fields.RESTRICT
    )
    abandonment_id: int
    step = fields.SmallIntField()
    to_address = fields.CharField(254, null=True)
    email_hash = fields.CharField(64)
    status = fields.CharField(16, default="pending")
    created_at = fields.DatetimeField()
    next_attempt_at = fields.DatetimeField()
    attempts = fields.SmallIntField(default=0)
    claims = fields.SmallIntField(default=0)
    fence = fields.IntField(default=0)
    claimed_by = fields.CharField(64, null=True)
    lease_until: datetime | None = fields.DatetimeField(null=True)
    subject = fields.CharField(255, null=True)
    words: dict[str, Any] | None = fields.JSONField(null=True)
    written_by = fields.CharField(16, null=True)
    words_model = fields.CharField(200, null=True)
    words_tokens = fields.IntField(null=True)
    words_cause = fields.CharField(32, null=True)
    words_detail = fields.CharField(200, null=True)
    composed_at: datetime | None = fields.DatetimeField(null=True)
    smtp_code = fields.SmallIntField(null=True)
    smtp_text = fields.TextField(null=True)
    sent_at: datetime | None = fields.DatetimeField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)
    closed_reason = fields.CharField(64, null=True)
    copy_to = fields.CharField(254, null=True)
    copy_status = fields.CharField(16, null=True)

    class Meta:
        table = "email"
        unique_together = (("abandonment_id", "step"),)
        indexes = (("connection_id", "email_hash"),)
