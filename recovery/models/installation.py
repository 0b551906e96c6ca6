"""What belongs to the installation as a whole: its stored secrets, default settings, heartbeats and job runs."""

from typing import Any

from tortoise import Model, fields


class Installation(Model):
    """The one row (``main``) that makes an installation itself.

    ``pepper`` keys the hashes of e-mail addresses and ``unsubscribe_key`` signs unsubscribe links; both are
    encrypted with the secret key and never change, or every hash and every unsubscribe link would die.
    ``settings`` holds the store settings that differ from the built-in defaults, for all stores.
    """

    name = fields.CharField(16, primary_key=True)
    pepper = fields.TextField()
    unsubscribe_key = fields.TextField()
    settings: dict[str, Any] = fields.JSONField(default=dict)
    settings_version = fields.IntField(default=1)

    class Meta:
        table = "installation"


class Heartbeat(Model):
    """The last sign of life of a part, on the database's clock."""

    name = fields.CharField(64, primary_key=True)
    at = fields.DatetimeField()
    worker = fields.CharField(64)

    class Meta:
        table = "heartbeat"


class JobRun(Model):
    """One run of a sweep that found work or failed, and the last one of each kind in any case."""

    id = fields.BigIntField(primary_key=True)
    job = fields.CharField(16)
    started_at = fields.DatetimeField()
    finished_at = fields.DatetimeField()
    counts: dict[str, int] = fields.JSONField(default=dict)
    error = fields.TextField(null=True)

    class Meta:
        table = "job_run"
        indexes = (("job", "started_at"),)
