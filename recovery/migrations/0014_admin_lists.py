from tortoise import migrations
from tortoise.migrations import operations as ops

# What the admin's lists and figures look for: newest first, of one store or of all, and what needs a person.
INDEXES = {
    "abandonment_list_idx": "abandonment (detected_at, id)",
    "abandonment_total_idx": "abandonment (total, id)",
    "abandonment_score_idx": "abandonment (coalesce(score, -1::double precision), id)",
    "abandonment_store_recovered_idx": "abandonment (store_id, recovered_at) WHERE recovered_at IS NOT NULL",
    "abandonment_order_idx": "abandonment (recovered_order_id) WHERE recovered_order_id IS NOT NULL",
    "order_id_idx": '"order" (order_id)',
    "order_number_idx": '"order" (number) WHERE number IS NOT NULL',
    "cart_quote_idx": "cart (quote_id)",
    "email_list_idx": "email (created_at, id)",
    "email_store_list_idx": "email (store_id, created_at, id)",
    "email_person_idx": "email (email_hash)",
    "email_sent_idx": "email (store_id, sent_at) WHERE sent_at IS NOT NULL",
    "email_trouble_idx": "email (store_id, closed_at) WHERE status IN ('failed', 'unknown')",
    "abandonment_person_idx": "abandonment (email_hash)",
    "conversation_list_idx": "conversation (created_at, id)",
    "conversation_waiting_idx": "conversation (store_id) WHERE waiting_since IS NOT NULL",
    "coupon_list_idx": "coupon (created_at, id)",
    "coupon_code_idx": "coupon (upper(code))",
    "suppression_list_idx": "suppression (at, id) WHERE lifted_at IS NULL",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0013_model_scores_and_words")]

    operations = [
        ops.RunSQL(f"CREATE INDEX {name} ON {target}", f"DROP INDEX {name}") for name, target in INDEXES.items()
    ]
