from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0003_llm_budgets")]

    operations = [
        ops.AddField(model_name="Turn", name="model", field=fields.CharField(null=True, max_length=200)),
        ops.AddField(model_name="Turn", name="input_tokens", field=fields.IntField(null=True)),
        ops.AddField(model_name="Turn", name="output_tokens", field=fields.IntField(null=True)),
        ops.AddField(model_name="Turn", name="cost_micros", field=fields.BigIntField(null=True)),
        ops.AddField(model_name="Turn", name="first_text_ms", field=fields.IntField(null=True)),
        ops.AddField(model_name="Turn", name="total_ms", field=fields.IntField(null=True)),
        ops.AddField(model_name="Turn", name="fallback_cause", field=fields.CharField(null=True, max_length=32)),
        ops.AddField(model_name="Turn", name="fallback_detail", field=fields.CharField(null=True, max_length=200)),
        ops.CreateModel(
            name="WithheldSentence",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "turn",
                    fields.ForeignKeyField(
                        "models.Turn",
                        source_field="turn_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="withheld",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("sentence", fields.TextField(unique=False)),
                ("kind", fields.CharField(max_length=32)),
                ("claim", fields.CharField(max_length=200)),
            ],
            options={
                "table": "withheld",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A sentence of a model that was not shown, because no typed fact backs what it claims.",
            },
            bases=["Model"],
        ),
    ]
