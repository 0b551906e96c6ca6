from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0002_partial_indexes")]

    operations = [
        ops.CreateModel(
            name="LlmBudget",
            fields=[
                ("key", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=96)),
                ("cap", fields.BigIntField()),
                ("used", fields.BigIntField(default=0)),
                ("reserved", fields.BigIntField(default=0)),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "llm_budget",
                "app": "models",
                "indexes": [Index(fields=["changed_at"])],
                "pk_attr": "key",
                "table_description": "One budget: ``used`` is settled, ``reserved`` is out on calls that still run; together never above ``cap``.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LlmReservation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("keys", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("tokens", fields.BigIntField()),
                ("until", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "llm_reservation",
                "app": "models",
                "indexes": [Index(fields=["until"])],
                "pk_attr": "id",
                "table_description": "Tokens reserved for one running call in all its budgets; ``until`` is on the database's clock.",
            },
            bases=["Model"],
        ),
    ]
