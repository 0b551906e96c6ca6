from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0014_admin_lists")]

    operations = [
        ops.AddField(
            model_name="Coupon", name="attached", field=fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddField(
            model_name="SyncState", name="wrong_rules", field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)
        ),
        ops.AddField(
            model_name="SyncState", name="pages", field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)
        ),
        ops.CreateModel(
            name="ShopPage",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("store", fields.ForeignKeyField("models.Store", source_field="store_id", db_constraint=True, to_field="id", on_delete=OnDelete.CASCADE)),
                ("kind", fields.CharField(max_length=8)),
                ("external_id", fields.CharField(max_length=64)),
                ("identifier", fields.CharField(max_length=255)),
                ("title", fields.CharField(max_length=255)),
                ("used_as", fields.CharField(max_length=16)),
                ("read_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("missing_since", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "shop_page",
                "app": "models",
                "unique_together": (("store_id", "kind", "external_id"),),
                "pk_attr": "id",
                "table_description": "A page or block of the shop that a store uses as a policy.",
            },
            bases=["Model"],
        ),
    ]
