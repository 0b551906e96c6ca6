"""The admin's lists at 100,000 carts: through the API with its sign-in, against the same rows by raw SQL."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from tests.admin.api import Visitor, key_holder
from tests.bench.carts import fill, settle
from tests.bench.place import Place
from tests.bench.ratios import Costs, Figure, in_pairs, percentile
from tests.shop import Shop, open_shop

MOST = 2.0
_ABANDONED = """
INSERT INTO abandonment (connection_id, store_id, cart_id, status, detected_at, email_hash, arm, fingerprint, total,
                         currency, currency_digits, score, reason_code, contributions)
SELECT connection_id, store_id, id, (ARRAY['scored', 'contacted', 'recovered', 'expired'])[1 + id % 4],
       activity_at + id * interval '1 second', email_hash, 'treatment', fingerprint, total, currency, 2,
       id % 97 / 97.0, 'other', '[]' FROM cart
"""
_DECIDED = """
INSERT INTO decision (abandonment_id, step, at, outcome, reason, checks, settings_version)
SELECT id, 0, detected_at, 'skipped', 'low_score', '[]', '1.1' FROM abandonment
"""
_TALKED = """
INSERT INTO conversation (id, store_id, cart_id, link_jti, language, status, last_seq, created_at, expires_at)
SELECT gen_random_uuid(), store_id, id, 'j' || id, 'en', 'open', 4, activity_at + id * interval '1 second',
       activity_at FROM cart
"""
_TURNS = """
INSERT INTO turn (conversation_id, client_id, status, finish, question, answer, cards, cancel_requested, fence,
                  asked_at)
SELECT id, gen_random_uuid(), 'done', 'stop', 'Does it fit?', 'It fits.', '[]', false, 1, created_at
  FROM conversation, generate_series(1, 2)
"""
#: The rows of a page and how many there are, counted as far as a page tells.
_CARTS = """
SELECT a.*, c.quote_id, c.email, (SELECT count(*) FROM cart_item i WHERE i.cart_id = c.id) AS items,
       (SELECT status FROM email e WHERE e.abandonment_id = a.id ORDER BY step DESC LIMIT 1) AS mail,
       d.outcome, d.reason
  FROM (SELECT * FROM abandonment a WHERE {where} ORDER BY {key} DESC, id DESC LIMIT 51) a
  JOIN cart c ON c.id = a.cart_id
  LEFT JOIN LATERAL (SELECT outcome, reason FROM decision
                      WHERE abandonment_id = a.id ORDER BY at DESC, id DESC LIMIT 1) d ON true
 ORDER BY {key} DESC, a.id DESC
"""
_TALKS = """
SELECT v.*, c.email, c.quote_id, t.*
  FROM (SELECT * FROM conversation ORDER BY created_at DESC, id DESC LIMIT 51) v
  JOIN cart c ON c.id = v.cart_id
  LEFT JOIN LATERAL (SELECT count(*), count(fallback_cause), sum(vote), sum(input_tokens), max(asked_at), max(question)
                       FROM turn WHERE conversation_id = v.id) t ON true
 ORDER BY v.created_at DESC, v.id DESC
"""
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT 10001) x"
#: Path of the API, the statements that find the same.
LISTS = {
    "carts, newest": (
        "/abandonments",
        (_CARTS.format(where="true", key="a.detected_at"), _COUNT.format(source="abandonment")),
    ),
    "carts of a status by score": (
        "/abandonments?status=contacted&sort=-score",
        (
            _CARTS.format(where="a.status = 'contacted'", key="a.score"),
            _COUNT.format(source="abandonment WHERE status = 'contacted'"),
        ),
    ),
    "conversations": ("/conversations", (_TALKS, _COUNT.format(source="conversation"))),
}


async def repeated(step: Callable[[], Awaitable[Any]], count: int) -> Costs:
    """Milliseconds of one of many, the slow ones."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        await step()
        times.append(1000 * (time.perf_counter() - started))
    return {"p95": percentile(times, 95)}


async def measured(visitor: Visitor, raw: Any, name: str, count: int) -> Figure:
    """One list."""
    path, statements = LISTS[name]

    async def by_api() -> None:
        assert len((await visitor.get(path))["items"]) == 50

    async def by_sql() -> None:
        page, number = [await raw.fetch(statement) for statement in statements]
        assert (len(page), len(number)) == (51, 1)

    found = await in_pairs(lambda: repeated(by_api, count), lambda: repeated(by_sql, count))
    return Figure("lists", f"{name}, p95", "ms", found["p95"], MOST)


async def prepare(shop: Shop, raw: asyncpg.Connection, count: int) -> None:
    """Carts, each with an abandonment, a decision and a conversation of two turns."""
    await fill(raw, shop, shop.store.id, count, count)
    for statement in (_ABANDONED, _DECIDED, _TALKED, _TURNS):
        await raw.execute(statement)
    await settle(raw, "cart", "cart_item", "abandonment", "decision", "conversation", "turn")


async def run(place: Place) -> list[Figure]:
    """The case."""
    with place.settings() as settings:
        raw = await asyncpg.connect(settings.database_url)
        async with open_shop(settings) as shop:
            await prepare(shop, raw, place.size(100_000, 250))
            async with key_holder(shop, ["carts:read", "conversations:read"]) as visitor:
                count = place.size(30, 2)
                figures = [await measured(visitor, raw, name, count) for name in LISTS]
        await raw.close()
    return figures
