"""Hooks as they arrived: each accepted once, the last refused ones kept for the engineer."""

from tortoise import Model, fields

from recovery.models.store import Connection


class HookDelivery(Model):
    """One accepted hook, stored in the transaction that applied it; ``body`` goes with retention or erasure."""

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    webhook_id = fields.CharField(255)
    type = fields.CharField(32)
    occurred_at = fields.DatetimeField()
    received_at = fields.DatetimeField()
    body_sha256 = fields.CharField(64)
    body = fields.TextField(null=True)
    email_hash = fields.CharField(64, null=True)
    status = fields.CharField(16)
    warnings: list[dict[str, str]] = fields.JSONField(default=list)

    class Meta:
        table = "hook_delivery"
        unique_together = (("connection_id", "webhook_id"),)
        indexes = (("connection_id", "email_hash"), ("received_at",))


class RejectedDelivery(Model):
    """A hook that was refused: when, with which status, for which field; never its body."""

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    webhook_id = fields.CharField(255, null=True)
    status = fields.SmallIntField()
    path = fields.CharField(255)
    code = fields.CharField(64)
    at = fields.DatetimeField()

    class Meta:
        table = "rejected_delivery"
        indexes = (("connection_id", "at"),)
