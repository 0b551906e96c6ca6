"""Many carts at once, straight into the tables: what the sweeps and the lists are measured on."""

import asyncpg

from tests.shop import Shop

#: One line each; every tenth customer has two carts. ``{age}`` is how long the cart has been left, as SQL over n.
_CARTS = """
INSERT INTO cart (quote_id, occurred_at, received_at, activity_at, created_at, status, fingerprint, email, email_hash,
                  registered, is_bot, currency, currency_digits, total, coupon_codes, checkout_stage, payment_failed,
                  connection_id, store_id)
SELECT '{prefix}' || n, at, at, at, at, 'active', md5(n::text), 'c' || n % {people} || '@example.com',
       'h1:' || left(md5((n % {people})::text), 22), n % 3 = 0, false, 'EUR', 2, 1000 + n % 90000, '[]',
       (ARRAY['cart', 'contact', 'shipping', 'payment'])[1 + n % 4], n % 50 = 0, $1, $2
  FROM (SELECT n, $3::timestamptz - {age} AS at FROM generate_series(1, $4::int) n) x
"""
_ITEMS = """
INSERT INTO cart_item (cart_id, position, product_id, name, quantity, row_total, options)
SELECT id, 0, 'K-' || id % 500, 'Jacket ' || id % 500, 10000, total, '[]' FROM cart WHERE store_id = $1
"""


async def fill(raw: asyncpg.Connection, shop: Shop, store_id: int, count: int, due: int, prefix: str = "q") -> None:
    """``count`` carts of a store, of which the first ``due`` are left for between one and two hours, the others for
    longer than any store looks back."""
    age = f"CASE WHEN n <= {due} THEN interval '1 hour' + n * interval '0.3 s' ELSE interval '90 days' END"
    statement = _CARTS.format(prefix=prefix, people=max(1, count * 9 // 10), age=age)
    await raw.execute(statement, shop.connection.id, store_id, shop.now, count)
    await raw.execute(_ITEMS, store_id)


async def settle(raw: asyncpg.Connection, *tables: str) -> None:
    """Let the planner know what is there, and leave nothing for later."""
    for table in tables:
        await raw.execute(f"VACUUM ANALYZE {table}")
