from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0007_catalogue_version")]

    operations = [
        ops.AddField(model_name="Connection", name="credentials", field=fields.TextField(null=True)),
        ops.AddField(model_name="Connection", name="allow_private", field=fields.BooleanField(db_default=False)),
        ops.AddField(model_name="Store", name="external_id", field=fields.CharField(null=True, max_length=64)),
        ops.AddField(
            model_name="Store", name="front", field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)
        ),
        ops.CreateModel(
            name="SyncState",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("connection", fields.ForeignKeyField("models.Connection", source_field="connection_id", db_constraint=True, to_field="id", on_delete=OnDelete.CASCADE)),
                ("holder", fields.CharField(null=True, max_length=64)),
                ("lease_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("failures", fields.IntField(default=0)),
                ("error", fields.TextField(null=True)),
                ("orders_since", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("orders_started", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("orders_after", fields.BigIntField(default=0)),
                ("carts_read_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("carts_started", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("carts_after", fields.BigIntField(default=0)),
                ("carts_round", fields.IntField(default=0)),
                ("unreadable", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("catalogue", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("progress", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "sync_state",
                "app": "models",
                "unique_together": (("connection_id",),),
                "pk_attr": "id",
                "table_description": "The cursors of one connection.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SyncCart",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("connection", fields.ForeignKeyField("models.Connection", source_field="connection_id", db_constraint=True, to_field="id", on_delete=OnDelete.CASCADE)),
                ("quote_id", fields.CharField(max_length=64)),
                ("acts", fields.CharField(max_length=64)),
                ("content", fields.CharField(max_length=64)),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("round", fields.IntField()),
                ("taken", fields.BooleanField(default=False)),
                ("failures", fields.IntField(default=0)),
                ("retry_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sync_cart",
                "app": "models",
                "unique_together": (("connection_id", "quote_id"),),
                "indexes": [Index(fields=["connection_id", "round"])],
                "pk_attr": "id",
                "table_description": "An active cart as the list last showed it.",
            },
            bases=["Model"],
        ),
    ]
