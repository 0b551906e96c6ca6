"""What became of mails after they left: events of providers, the providers themselves, and a stop for complaints."""

from datetime import datetime

from tortoise import Model, fields

from recovery.models.email import Email
from recovery.models.store import Connection


class EmailEvent(Model):
    """One thing that a provider, the shop or the relay said of a mail; ``key`` makes that it counts once.

    ``kind`` is ``delivered``, ``bounced`` or ``complained``. ``hard`` says of a bounce that the address does not work.
    ``source`` is ``hook``, ``relay``, ``ses``, ``postmark`` or ``mailgun``. ``email`` is null where nobody told which.
    """

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    email: fields.ForeignKeyNullableRelation[Email] = fields.ForeignKeyField(
        "models.Email", null=True, related_name="events", on_delete=fields.SET_NULL
    )
    email_id: str | None
    email_hash = fields.CharField(64, null=True)
    kind = fields.CharField(16)
    hard = fields.BooleanField(default=False)
    source = fields.CharField(16)
    key = fields.CharField(64)
    reason = fields.CharField(255, null=True)
    at = fields.DatetimeField()
    received_at = fields.DatetimeField()

    class Meta:
        table = "email_event"
        unique_together = (("connection_id", "key"),)
        indexes = (("connection_id", "kind", "at"), ("connection_id", "email_hash"), ("email_id",))


class MailProvider(Model):
    """A provider that may report to a connection.

    ``kind`` is ``ses``, ``postmark`` or ``mailgun``; ``secret``, encrypted, is the password it signs in with, or the
    key it signs with. ``confirm_url`` is what a person is to open once before the provider begins.
    """

    id = fields.IntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    kind = fields.CharField(16)
    secret = fields.TextField()
    confirm_url = fields.CharField(2048, null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "mail_provider"
        unique_together = (("connection_id", "kind"),)


class ComplaintHold(Model):
    """Too many complaints: no recovery mail of this connection goes until a person lifts it.

    ``mails`` and ``complaints`` are what was counted then; after ``lifted_at`` counting begins anew.
    """

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    at = fields.DatetimeField()
    mails = fields.IntField()
    complaints = fields.IntField()
    lifted_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "complaint_hold"
        indexes = (("connection_id", "lifted_at"),)
