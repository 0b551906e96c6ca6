from tortoise import migrations
from tortoise.migrations import operations as ops

# What the three sweeps look for; partial, so that they stay small however many rows are done.
INDEXES = {
    "cart_due_idx": "cart (store_id, activity_at) WHERE status = 'active' AND email_hash IS NOT NULL",
    "abandonment_unscored_idx": "abandonment (store_id, detected_at) WHERE status = 'detected'",
    "abandonment_due_idx": "abandonment (store_id, due_at) WHERE due_at IS NOT NULL",
    "abandonment_open_idx": "abandonment (detected_at) WHERE open_key IS NOT NULL",
    "email_due_idx": "email (next_attempt_at) WHERE status = 'pending'",
    "email_leased_idx": "email (lease_until) WHERE status IN ('claimed', 'sending')",
    "email_copy_idx": "email (sent_at) WHERE copy_status = 'pending'",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]

    operations = [
        ops.RunSQL(f"CREATE INDEX {name} ON {target}", f"DROP INDEX {name}") for name, target in INDEXES.items()
    ]
