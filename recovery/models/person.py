"""A person is an e-mail address of a connection, known by a keyed hash: consent, suppression and the lock row."""

from tortoise import Model, fields

from recovery.models.store import Connection, Store


class Person(Model):
    """The row that everything about one address locks first; made on demand."""

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    email_hash = fields.CharField(64)

    class Meta:
        table = "person"
        unique_together = (("connection_id", "email_hash"),)


class ConsentRecord(Model):
    """One piece of evidence for or against marketing mail; the latest ``at`` counts, on equal ``at`` the refusal."""

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    email_hash = fields.CharField(64)
    marketing = fields.BooleanField()
    basis = fields.CharField(16)
    source = fields.CharField(64)
    text_version = fields.CharField(64, null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "consent_record"
        unique_together = (("connection_id", "email_hash", "at", "marketing", "source"),)


class Suppression(Model):
    """Nobody at this address is written to; ``store`` null means all stores of the connection.

    ``cause`` is ``unsubscribe``, ``complaint``, ``bounce``, ``objection`` or ``manual``.
    """

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    store: fields.ForeignKeyNullableRelation[Store] = fields.ForeignKeyField(
        "models.Store", null=True, on_delete=fields.CASCADE
    )
    store_id: int | None
    email_hash = fields.CharField(64)
    cause = fields.CharField(16)
    detail = fields.CharField(255, null=True)
    at = fields.DatetimeField()
    lifted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "suppression"
        indexes = (("connection_id", "email_hash"),)
