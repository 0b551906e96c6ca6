"""The lists find their page by an index: on tables of 20,000 rows no statement reads a whole one."""

import re

import pytest

from admin.api.paging import COUNTED
from recovery import db
from tests.admin.api import Visitor, make_user, sign_in
from tests.shop import Shop

ROWS = 20_000
#: Every list with each order, and the ways to search it.
LISTS = (
    "/abandonments", "/abandonments?sort=detected_at", "/abandonments?sort=-total", "/abandonments?sort=total",
    "/abandonments?sort=-score", "/abandonments?store={store}", "/abandonments?q=q77",
    "/emails", "/emails?store={store}", "/emails?status=failed", "/conversations", "/conversations?store={store}",
    "/conversations?asked=true",
)  # fmt: skip
TABLES = ("cart", "abandonment", "email", "conversation")
# Without looking up 20,000 times that the row a row belongs to is there.
_FILL = """
SET session_replication_role = replica;
INSERT INTO cart (id, connection_id, store_id, quote_id, occurred_at, received_at, activity_at, created_at, status,
                  fingerprint, email, email_hash, registered, is_bot, currency, currency_digits, total, coupon_codes,
                  checkout_stage, payment_failed)
SELECT n, $1, $2, 'q' || n, t, t, t, t, 'active', md5(n::text), 'c' || n || '@example.com', md5(n::text), false, false,
       'EUR', 2, n, '[]', 'contact', false
  FROM generate_series(1, $3::int) n, LATERAL (SELECT $4::timestamptz - n * interval '1 minute' AS t) x;
INSERT INTO abandonment (id, connection_id, store_id, cart_id, open_key, status, detected_at, email_hash, arm,
                         fingerprint, total, currency, currency_digits, score, reason_code, contributions)
SELECT id, connection_id, store_id, id, id, 'contacted', activity_at, email_hash, 'treatment', fingerprint, total,
       currency, 2, (id % 100) / 100.0, 'other', '[]' FROM cart;
INSERT INTO email (id, connection_id, store_id, abandonment_id, step, to_address, email_hash, status, created_at,
                   next_attempt_at, attempts, claims, fence, sent_at)
SELECT gen_random_uuid(), connection_id, store_id, id, 0, 'x@example.com', email_hash,
       CASE WHEN id % 10 = 0 THEN 'failed' ELSE 'sent' END, detected_at, detected_at, 1, 1, 1, detected_at
  FROM abandonment;
INSERT INTO conversation (id, store_id, cart_id, link_jti, language, status, last_seq, created_at, expires_at)
SELECT gen_random_uuid(), store_id, id, md5(id::text), 'en', 'open', 0, activity_at, activity_at FROM cart;
INSERT INTO decision (abandonment_id, step, at, outcome, checks, settings_version)
SELECT id, 0, detected_at, 'sent', '[]', '1.1' FROM abandonment;
INSERT INTO turn (conversation_id, client_id, status, question, answer, cards, cancel_requested, fence, asked_at)
SELECT id, gen_random_uuid(), 'done', 'Is it wool?', 'Yes.', '[]', false, 1, created_at FROM conversation;
RESET session_replication_role;
"""


@pytest.fixture
async def full(shop: Shop) -> Visitor:
    """Somebody who looks at a shop with 20,000 of everything, and the planner knows it."""
    values = {"$1": shop.connection.id, "$2": shop.store.id, "$3": ROWS, "$4": f"'{shop.now.isoformat()}'"}
    await db.client().execute_script(re.sub(r"\$\d", lambda found: str(values[found[0]]), _FILL))
    await db.client().execute_script("ANALYZE")
    await make_user()
    return await sign_in(shop)


async def rows_read_in_order() -> dict[str, int]:
    """What PostgreSQL itself counted: how many rows sequential scans have read of each table."""
    await db.client().execute_query("SELECT pg_stat_force_next_flush()")
    found = await db.client().execute_query_dict(
        "SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE relname = ANY($1)", [list(TABLES)]
    )
    return {row["relname"]: row["seq_tup_read"] for row in found}


async def test_a_page_is_found_by_an_index(full: Visitor) -> None:
    store = (await full.get("/session"))["stores"][0]["id"]
    await full.get("/abandonments")  # whatever a connection does first
    for path in LISTS:
        before = await rows_read_in_order()
        page = await full.get(path.format(store=store))
        after = await rows_read_in_order()
        assert page["items"], path
        for table in TABLES:
            assert after[table] - before[table] <= COUNTED + 1, f"{path} read all of {table}"
        if page["next"]:
            following = path.format(store=store) + ("&" if "?" in path else "?") + f"after={page['next']}"
            assert (await full.get(following))["items"][0] not in page["items"]
            assert await read_by(following, full) <= COUNTED + 1, following
    # The measure sees what it should: a condition that no index knows reads all of a table.
    before = await rows_read_in_order()
    await db.client().execute_query("SELECT count(*) FROM cart WHERE locale IS NOT NULL")
    assert (await rows_read_in_order())["cart"] - before["cart"] == ROWS


async def read_by(path: str, visitor: Visitor) -> int:
    """The most rows that one call read of any table in order."""
    before = await rows_read_in_order()
    await visitor.get(path)
    after = await rows_read_in_order()
    return max(after[table] - before[table] for table in TABLES)
