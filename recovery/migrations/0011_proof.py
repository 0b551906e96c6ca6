from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

INDEXES = {
    "abandonment_recovered_idx": "abandonment (recovered_at) WHERE recovered_at IS NOT NULL",
    "webhook_message_due_idx": "webhook_message (endpoint_id, next_attempt_at) WHERE status = 'pending'",
    "abandonment_eligible_idx": "abandonment (connection_id, email_hash, eligible_at) WHERE eligible_at IS NOT NULL",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0010_rules")]

    operations = [
        ops.AddField(model_name="Order", name="attribution", field=fields.CharField(null=True, max_length=16)),
        ops.AddField(model_name="Abandonment", name="holdout_percent", field=fields.SmallIntField(null=True)),
        ops.AddField(
            model_name="Abandonment",
            name="eligible_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="LinkToken",
            name="restored_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.CreateModel(
            name="LinkVisit",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "link",
                    fields.ForeignKeyField(
                        "models.LinkToken",
                        source_field="link_id",
                        db_constraint=True,
                        to_field="jti",
                        related_name="visits",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "link_visit",
                "app": "models",
                "indexes": [Index(fields=["link_id"]), Index(fields=["at"])],
                "pk_attr": "id",
                "table_description": "One fetch of a link by GET, by a person or a machine; only the first ones of a link are kept.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "connection",
                    fields.ForeignKeyField(
                        "models.Connection",
                        source_field="connection_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="webhook_endpoints",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("url", fields.CharField(max_length=2048)),
                ("events", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("with_email", fields.BooleanField(default=False)),
                ("secret", fields.TextField(unique=False)),
                ("previous_secret", fields.TextField(null=True, unique=False)),
                ("previous_secret_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("disabled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("disabled_reason", fields.CharField(null=True, max_length=255)),
            ],
            options={
                "table": "webhook_endpoint",
                "app": "models",
                "indexes": [Index(fields=["connection_id"])],
                "pk_attr": "id",
                "table_description": "One address of a merchant's and the events it gets.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookMessage",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "endpoint",
                    fields.ForeignKeyField(
                        "models.WebhookEndpoint",
                        source_field="endpoint_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="messages",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("webhook_id", fields.CharField(max_length=64)),
                ("key", fields.CharField(max_length=128)),
                ("type", fields.CharField(max_length=32)),
                ("email_hash", fields.CharField(null=True, max_length=64)),
                ("body", fields.TextField(unique=False)),
                ("status", fields.CharField(default="pending", max_length=16)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("next_attempt_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("attempts", fields.SmallIntField(default=0)),
                ("fence", fields.IntField(default=0)),
                ("lease_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_status", fields.SmallIntField(null=True)),
                ("last_error", fields.CharField(null=True, max_length=255)),
            ],
            options={
                "table": "webhook_message",
                "app": "models",
                "unique_together": (("endpoint_id", "key"),),
                "indexes": [Index(fields=["created_at"]), Index(fields=["email_hash"])],
                "pk_attr": "id",
                "table_description": "One event on its way to one endpoint.",
            },
            bases=["Model"],
        ),
        *(ops.RunSQL(f"CREATE INDEX {name} ON {target}", f"DROP INDEX {name}") for name, target in INDEXES.items()),
    ]
