from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

# What the sweep of notices looks for; partial, so that they stay small however many are done.
INDEXES = {
    "notice_due_idx": "notice (next_attempt_at) WHERE status = 'pending'",
    "notice_leased_idx": "notice (lease_until) WHERE status IN ('claimed', 'sending')",
    "link_token_fresh_idx": "link_token (cart_id, created_at) WHERE renews IS NOT NULL",
}


class Migration(migrations.Migration):
    dependencies = [('models', '0004_model_answers')]

    operations = [
        ops.CreateModel(
            name='CartSwap',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('cart', fields.ForeignKeyField('models.Cart', source_field='cart_id', db_constraint=True, to_field='id', related_name='swaps', on_delete=OnDelete.CASCADE)),
                ('client_id', fields.UUIDField()),
                ('product_id', fields.CharField(max_length=64)),
                ('quantity', fields.BigIntField()),
                ('taken_id', fields.CharField(null=True, max_length=64)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'cart_swap', 'app': 'models', 'unique_together': (('cart_id', 'client_id'),), 'pk_attr': 'id', 'table_description': 'The customer put ``taken_id`` in place of the line of ``product_id``; null: the line is as the shop told it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Notice',
            fields=[
                ('id', fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ('store', fields.ForeignKeyField('models.Store', source_field='store_id', db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('kind', fields.CharField(max_length=16)),
                ('key', fields.CharField(unique=True, max_length=128)),
                ('to_address', fields.CharField(null=True, max_length=254)),
                ('reply_to', fields.CharField(null=True, max_length=254)),
                ('words', fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ('link_jti', fields.CharField(null=True, max_length=32)),
                ('status', fields.CharField(default='pending', max_length=16)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('next_attempt_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('attempts', fields.SmallIntField(default=0)),
                ('claims', fields.SmallIntField(default=0)),
                ('fence', fields.IntField(default=0)),
                ('claimed_by', fields.CharField(null=True, max_length=64)),
                ('lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('smtp_code', fields.SmallIntField(null=True)),
                ('smtp_text', fields.TextField(null=True, unique=False)),
                ('sent_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('closed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('closed_reason', fields.CharField(null=True, max_length=64)),
            ],
            options={'table': 'notice', 'app': 'models', 'indexes': [Index(fields=['created_at'])], 'pk_attr': 'id', 'table_description': 'One such mail.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Conversation',
            name='waiting_address',
            field=fields.CharField(null=True, max_length=254),
        ),
        ops.AddField(
            model_name='Conversation',
            name='waiting_since',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='LinkToken',
            name='renews',
            field=fields.CharField(null=True, max_length=32),
        ),
        *(ops.RunSQL(f"CREATE INDEX {name} ON {target}", f"DROP INDEX {name}") for name, target in INDEXES.items()),
    ]
