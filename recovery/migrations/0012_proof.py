from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

INDEXES = {
    "abandonment_recovered_idx": "abandonment (recovered_at) WHERE recovered_at IS NOT NULL",
    "abandonment_eligible_idx": "abandonment (connection_id, email_hash, eligible_at) WHERE eligible_at IS NOT NULL",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0008_sync")]

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
        *(ops.RunSQL(f"CREATE INDEX {name} ON {target}", f"DROP INDEX {name}") for name, target in INDEXES.items()),
    ]
