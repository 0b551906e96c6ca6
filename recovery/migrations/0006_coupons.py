from typing import Any

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

TIME: Any = {"auto_now": False, "auto_now_add": False}


def _belongs_to(model: str, on_delete: OnDelete, **more: Any) -> Any:
    """A foreign key as the generator writes it."""
    column = f"{more.pop('column', model.lower())}_id"
    return fields.ForeignKeyField(
        f"models.{model}", source_field=column, db_constraint=True, to_field="id", on_delete=on_delete, **more
    )


def _id() -> fields.BigIntField:
    return fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)


class Migration(migrations.Migration):
    dependencies = [("models", "0005_people")]

    operations = [
        ops.CreateModel(
            name="Coupon",
            fields=[
                ("id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("connection", _belongs_to("Connection", OnDelete.RESTRICT)),
                ("store", _belongs_to("Store", OnDelete.RESTRICT)),
                ("abandonment", _belongs_to("Abandonment", OnDelete.CASCADE, related_name="coupons")),
                ("cart", _belongs_to("Cart", OnDelete.CASCADE)),
                ("step", fields.SmallIntField()),
                ("email_hash", fields.CharField(max_length=64)),
                ("code", fields.CharField(max_length=64)),
                ("percent", fields.SmallIntField()),
                ("source", fields.CharField(max_length=16)),
                ("status", fields.CharField(max_length=16)),
                ("amount", fields.BigIntField()),
                ("currency", fields.CharField(max_length=3)),
                ("budget_key", fields.CharField(max_length=64)),
                ("created_at", fields.DatetimeField(**TIME)),
                ("expires_at", fields.DatetimeField(**TIME)),
                ("issued_at", fields.DatetimeField(null=True, **TIME)),
                ("closed_at", fields.DatetimeField(null=True, **TIME)),
                ("closed_reason", fields.CharField(null=True, max_length=32)),
                ("next_try_at", fields.DatetimeField(null=True, **TIME)),
                ("asks", fields.SmallIntField(default=0)),
                ("last_error", fields.CharField(null=True, max_length=255)),
                ("redeemed_at", fields.DatetimeField(null=True, **TIME)),
                (
                    "redeemed_order",
                    _belongs_to("Order", OnDelete.SET_NULL, column="redeemed_order", null=True, related_name="coupons"),
                ),
            ],
            options={
                "table": "coupon",
                "app": "models",
                "unique_together": (("abandonment_id",), ("connection_id", "code")),
                "indexes": [
                    Index(fields=["connection_id", "email_hash"]),
                    Index(fields=["store_id", "status"]),
                    Index(fields=["cart_id"]),
                ],
                "pk_attr": "id",
                "table_description": "The one coupon of one abandonment; its row holds the code before the shop is asked.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LoadedCode",
            fields=[
                ("id", _id()),
                ("store", _belongs_to("Store", OnDelete.CASCADE)),
                ("code", fields.CharField(max_length=64)),
                ("percent", fields.SmallIntField()),
                ("expires_at", fields.DatetimeField(null=True, **TIME)),
                ("loaded_at", fields.DatetimeField(**TIME)),
                ("taken_at", fields.DatetimeField(null=True, **TIME)),
            ],
            options={
                "table": "loaded_code",
                "app": "models",
                "unique_together": (("store_id", "code"),),
                "indexes": [Index(fields=["store_id", "taken_at", "percent"])],
                "pk_attr": "id",
                "table_description": "A code that the merchant made in the shop and loaded here, to be taken by one abandonment.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CouponDecision",
            fields=[
                ("id", _id()),
                ("abandonment", _belongs_to("Abandonment", OnDelete.CASCADE, related_name="coupon_decisions")),
                ("step", fields.SmallIntField()),
                ("at", fields.DatetimeField(**TIME)),
                ("percent", fields.SmallIntField()),
                ("reason", fields.CharField(max_length=32)),
                ("values", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("checks", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("settings_version", fields.CharField(max_length=32)),
            ],
            options={
                "table": "coupon_decision",
                "app": "models",
                "unique_together": (("abandonment_id", "step"),),
                "pk_attr": "id",
                "table_description": "Why a message carries a coupon or not: the verdict of its step, the checks with their values.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CouponBudget",
            fields=[
                ("key", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("store", _belongs_to("Store", OnDelete.CASCADE)),
                ("month", fields.CharField(max_length=7)),
                ("currency", fields.CharField(max_length=3)),
                ("cap", fields.BigIntField(null=True)),
                ("reserved", fields.BigIntField(default=0)),
                ("issued", fields.BigIntField(default=0)),
                ("redeemed", fields.BigIntField(default=0)),
                ("released", fields.BigIntField(default=0)),
                ("changed_at", fields.DatetimeField(**TIME)),
            ],
            options={
                "table": "coupon_budget",
                "app": "models",
                "indexes": [Index(fields=["store_id", "month"])],
                "pk_attr": "key",
                "table_description": "The worst-case discounts of one store in one calendar month of its time zone, in minor units of one currency.",
            },
            bases=["Model"],
        ),
    ]
