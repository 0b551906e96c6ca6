from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0011_proof")]

    operations = [
        ops.CreateModel(
            name="EmailEvent",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("connection", fields.ForeignKeyField("models.Connection", source_field="connection_id", db_constraint=True, to_field="id", on_delete=OnDelete.CASCADE)),
                ("email", fields.ForeignKeyField("models.Email", source_field="email_id", null=True, db_constraint=True, to_field="id", related_name="events", on_delete=OnDelete.SET_NULL)),
                ("email_hash", fields.CharField(null=True, max_length=64)),
                ("kind", fields.CharField(max_length=16)),
                ("hard", fields.BooleanField(default=False)),
                ("source", fields.CharField(max_length=16)),
                ("key", fields.CharField(max_length=64)),
                ("reason", fields.CharField(null=True, max_length=255)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "email_event",
                "app": "models",
                "unique_together": (("connection_id", "key"),),
                "indexes": [
                    Index(fields=["connection_id", "kind", "at"]),
                    Index(fields=["connection_id", "email_hash"]),
                    Index(fields=["email_id"]),
                ],
                "pk_attr": "id",
                "table_description": "One thing that a provider, the shop or the relay said of a mail; ``key`` makes that it counts once.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MailProvider",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("connection", fields.ForeignKeyField("models.Connection", source_field="connection_id", db_constraint=True, to_field="id", on_delete=OnDelete.CASCADE)),
                ("kind", fields.CharField(max_length=16)),
                ("secret", fields.TextField(unique=False)),
                ("confirm_url", fields.CharField(null=True, max_length=2048)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "mail_provider",
                "app": "models",
                "unique_together": (("connection_id", "kind"),),
                "pk_attr": "id",
                "table_description": "A provider that may report to a connection.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ComplaintHold",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("connection", fields.ForeignKeyField("models.Connection", source_field="connection_id", db_constraint=True, to_field="id", on_delete=OnDelete.CASCADE)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("mails", fields.IntField()),
                ("complaints", fields.IntField()),
                ("lifted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "complaint_hold",
                "app": "models",
                "indexes": [Index(fields=["connection_id", "lifted_at"])],
                "pk_attr": "id",
                "table_description": "Too many complaints: no recovery mail of this connection goes until a person lifts it.",
            },
            bases=["Model"],
        ),
    ]
