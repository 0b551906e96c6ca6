from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0006_coupons")]

    operations = [
        ops.AddField(model_name="Store", name="catalogue_version", field=fields.BigIntField(default=0, db_default=0)),
    ]
