from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0009_admin_access")]

    operations = [
        ops.AddField(model_name="Order", name="items_key", field=fields.CharField(null=True, max_length=32)),
        ops.AddIndex(model_name="Order", index=Index(fields=["connection_id", "phone_hash"])),
        ops.AddIndex(model_name="Order", index=Index(fields=["connection_id", "postcode_hash"])),
        ops.AddIndex(model_name="Order", index=Index(fields=["connection_id", "items_key"])),
    ]
