"""Where a merchant wants to be told what happens, and each thing there is to tell: a row is the queue."""

from datetime import datetime

from tortoise import Model, fields

from recovery.models.store import Connection


class WebhookEndpoint(Model):
    """One address of a merchant's and the events it gets.

    ``secret`` and ``previous_secret`` are encrypted; both sign until ``previous_secret_until``. ``with_email`` puts the
    customer's address into the events. A disabled endpoint gets nothing new; what waits for it is kept.
    """

    id = fields.IntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", related_name="webhook_endpoints", on_delete=fields.CASCADE
    )
    connection_id: int
    url = fields.CharField(2048)
    events: list[str] = fields.JSONField(default=list)
    with_email = fields.BooleanField(default=False)
    secret = fields.TextField()
    previous_secret = fields.TextField(null=True)
    previous_secret_until: datetime | None = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    disabled_at: datetime | None = fields.DatetimeField(null=True)
    disabled_reason = fields.CharField(255, null=True)

    class Meta:
        table = "webhook_endpoint"
        indexes = (("connection_id",),)


class WebhookMessage(Model):
    """One event on its way to one endpoint: ``status`` is ``pending|delivered|failed``.

    ``webhook_id`` is the same at every attempt, ``key`` names the fact, so that it is told once. ``fence`` counts
    claims: whoever holds an older one changes nothing. ``lease_until`` is on the database's clock, ``next_attempt_at``
    business time. ``email_hash`` is the person it tells of.
    """

    id = fields.BigIntField(primary_key=True)
    endpoint: fields.ForeignKeyRelation[WebhookEndpoint] = fields.ForeignKeyField(
        "models.WebhookEndpoint", related_name="messages", on_delete=fields.CASCADE
    )
    endpoint_id: int
    webhook_id = fields.CharField(64)
    key = fields.CharField(128)
    type = fields.CharField(32)
    email_hash = fields.CharField(64, null=True)
    body = fields.TextField()
    status = fields.CharField(16, default="pending")
    created_at = fields.DatetimeField()
    next_attempt_at = fields.DatetimeField()
    attempts = fields.SmallIntField(default=0)
    fence = fields.IntField(default=0)
    lease_until: datetime | None = fields.DatetimeField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)
    last_status = fields.SmallIntField(null=True)
    last_error = fields.CharField(255, null=True)

    class Meta:
        table = "webhook_message"
        unique_together = (("endpoint_id", "key"),)
        indexes = (("created_at",), ("email_hash",))
