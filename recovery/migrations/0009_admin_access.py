"""Who may come in: people, their sessions and links, API keys, failures to sign in, changes, kept answers."""

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0008_sync")]

    operations = [
        ops.CreateModel(
            name="ApiKey",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("name", fields.CharField(max_length=100)),
                ("hint", fields.CharField(max_length=16)),
                ("key_hash", fields.CharField(unique=True, max_length=64)),
                ("scopes", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("store_ids", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("created_by", fields.CharField(max_length=100)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "api_key", "app": "models", "pk_attr": "id", "table_description": "A key for programs; ``hint`` is its beginning, to recognise it by."},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("actor_kind", fields.CharField(max_length=8)),
                ("actor_id", fields.IntField(null=True)),
                ("actor_name", fields.CharField(max_length=100)),
                ("action", fields.CharField(max_length=64)),
                ("target", fields.CharField(max_length=100)),
                ("store_id", fields.IntField(null=True)),
                ("before", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("after", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("request_id", fields.CharField(null=True, max_length=32)),
            ],
            options={"table": "audit_entry", "app": "models", "indexes": [Index(fields=["at", "id"]), Index(fields=["store_id", "at"])], "pk_attr": "id", "table_description": "One change: who, what, of what, before and after; secrets stand as set or not."},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("actor", fields.CharField(max_length=32)),
                ("key", fields.CharField(max_length=255)),
                ("request_hash", fields.CharField(max_length=64)),
                ("status", fields.SmallIntField(null=True)),
                ("body", fields.TextField(null=True, unique=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "idempotent_answer", "app": "models", "unique_together": (("actor", "key"),), "pk_attr": "id", "table_description": "What an action with an ``Idempotency-Key`` answered, so that a repetition gets the same; without ``status`` it"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SignInFailure",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("key", fields.CharField(max_length=64)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "signin_failure", "app": "models", "indexes": [Index(fields=["key", "at"])], "pk_attr": "id", "table_description": "One wrong password; ``key`` is the hash of the account or of the address it came from."},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="User",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("email", fields.CharField(unique=True, max_length=254)),
                ("name", fields.CharField(max_length=100)),
                ("role", fields.CharField(max_length=16)),
                ("store_ids", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("language", fields.CharField(default="en", max_length=8)),
                ("password_hash", fields.CharField(null=True, max_length=255)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("signed_in_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("disabled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "admin_user", "app": "models", "pk_attr": "id", "table_description": "A person who may sign in; ``email`` is in lower case."},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UserLink",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("user", fields.ForeignKeyField("models.User", source_field="user_id", db_constraint=True, to_field="id", on_delete=OnDelete.CASCADE)),
                ("kind", fields.CharField(max_length=16)),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "user_link", "app": "models", "pk_attr": "id", "table_description": "A link that lets a person set a password, once; ``kind`` is ``invitation`` or ``reset``."},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UserSession",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("user", fields.ForeignKeyField("models.User", source_field="user_id", db_constraint=True, to_field="id", on_delete=OnDelete.CASCADE)),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("agent", fields.CharField(max_length=200)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("seen_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "user_session", "app": "models", "pk_attr": "id", "table_description": "A signed-in browser; deleting the row ends it. ``agent`` is what the browser called itself."},
            bases=["Model"],
        ),
    ]
