"""Hooks in: signed, stored and applied by the web process, against the same check and statements by raw asyncpg."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from tests.bench.place import Place, program
from tests.bench.ratios import Costs, Figure, in_pairs, percentile
from tests.shop import Clock, item, make_shop_rows, open_runtime, sign, signed_headers

AT_ONCE = 16
#: At least half as fast.
MOST = 2.0

Hook = tuple[bytes, dict[str, str]]
Take = Callable[[Hook], Awaitable[None]]

_PERSON = "INSERT INTO person (email_hash, connection_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id"
_DELIVERY = """
INSERT INTO hook_delivery (connection_id, webhook_id, type, occurred_at, received_at, body_sha256, body, status,
                           warnings)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '[]') ON CONFLICT (connection_id, webhook_id) DO NOTHING RETURNING id
"""
_CART = """
INSERT INTO cart (quote_id, occurred_at, received_at, activity_at, created_at, status, fingerprint, email, email_hash,
                  registered, is_bot, currency, currency_digits, total, coupon_codes, checkout_stage, payment_failed,
                  connection_id, store_id)
VALUES ($1, $2, $3, $3, $2, 'active', $4, $5, $6, false, false, $7, 2, $8, '[]', $9, false, $10, $11) RETURNING id
"""
_ITEM = """
INSERT INTO cart_item (position, product_id, name, quantity, row_total, options, cart_id)
VALUES ($1, $2, $3, $4, $5, '[]', $6) RETURNING id
"""
_DONE = """
UPDATE hook_delivery SET status = $1, email_hash = $2, warnings = $3 WHERE connection_id = $4 AND webhook_id = $5
"""
_ERASED = "SELECT 1 FROM suppression WHERE connection_id = $1 AND email_hash = $2 AND cause = 'erased' AND at >= $3"


def make_hooks(secret: str, count: int, numbers: "itertools.count[int]", at: datetime) -> list[Hook]:
    """Carts nobody has told of yet, of two lines and a person each, signed now."""
    found = []
    for number in itertools.islice(numbers, count):
        data = {
            "quote_id": str(number),
            "currency": "EUR",
            "total": 46999,
            "items": [item(), item("K-13", 1000)],
            "checkout_stage": "contact",
            "customer": {"email": f"c{number}@example.com"},
        }
        told = {"type": "cart.updated", "occurred_at": at.isoformat(), "store": "en", "data": data}
        body = orjson.dumps(told)
        found.append((body, signed_headers(secret, body)))
    return found


async def crowd(hooks: Sequence[Hook], makers: Sequence[Take]) -> Costs:
    """Hand in all hooks, several at once; milliseconds each, and the slowest of a hundred."""
    waiting = iter(hooks)
    times: list[float] = []

    async def sender(take: Take) -> None:
        for hook in waiting:
            started = time.perf_counter()
            await take(hook)
            times.append(1000 * (time.perf_counter() - started))

    started = time.perf_counter()
    await asyncio.gather(*map(sender, makers))
    return {"each": 1000 * (time.perf_counter() - started) / len(hooks), "p99": percentile(times, 99)}


async def http_sender(port: int, path: str) -> Take:
    """Posts over one connection that stays open, with as little work of its own as can be."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def take(hook: Hook) -> None:
        body, headers = hook
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n{lines}\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)

    return take


def raw_taker(pool: Any, secret: str) -> Take:
    """What the web process does with a new cart, statement by statement, without its checks of what is told."""
    key = base64.b64decode(secret.removeprefix("whsec_"))

    async def take(hook: Hook) -> None:
        body, headers = hook
        webhook_id = headers["webhook-id"]
        signed = sign(secret, webhook_id, headers["webhook-timestamp"], body)
        assert hmac.compare_digest(signed, headers["webhook-signature"])
        told = orjson.loads(body)
        async with pool.acquire() as connection:
            shop = await connection.fetchrow("SELECT * FROM connection WHERE key = $1 LIMIT 2", "demo")
            front = "SELECT * FROM store WHERE connection_id = $1 AND code = $2 LIMIT 2"
            store = await connection.fetchrow(front, shop["id"], told["store"])
            person = hmac.new(key, told["data"]["customer"]["email"].encode(), hashlib.sha256).hexdigest()[:24]
            async with connection.transaction():
                await _apply(connection, shop["id"], store["id"], webhook_id, told, body, person)

    return take


async def _apply(
    connection: Any, shop: int, store: int, webhook_id: str, told: dict[str, Any], body: bytes, person: str
) -> None:
    data, at = told["data"], datetime.fromisoformat(told["occurred_at"])
    quote, digest = data["quote_id"], hashlib.sha256(body).hexdigest()
    cart = "SELECT * FROM cart WHERE connection_id = $1 AND quote_id = $2 LIMIT 2"
    await connection.fetch(_DELIVERY, shop, webhook_id, told["type"], at, at, digest, body.decode(), "applied")
    await connection.fetch(cart, shop, quote)
    await connection.fetch(_PERSON, person, shop)
    locked = "SELECT id FROM person WHERE connection_id = $1 AND email_hash = ANY($2) ORDER BY email_hash FOR UPDATE"
    await connection.fetch(locked, shop, [person])
    await connection.fetch("SELECT pg_advisory_xact_lock($1, hashtext($2))", shop, f"quote {quote}")
    await connection.fetch(_ERASED, shop, person, at)
    marked = "SELECT 1 FROM cart WHERE connection_id = $1 AND quote_id = $2 AND received_at >= $3"
    await connection.fetch(marked, shop, f"erased:{quote}", at)
    await connection.fetch(f"{cart} FOR UPDATE", shop, quote)
    await connection.fetch('SELECT * FROM "order" WHERE connection_id = $1 AND quote_id = $2', shop, quote)
    row = await connection.fetchval(
        _CART, quote, at, at, digest, data["customer"]["email"], person, data["currency"], data["total"],
        data["checkout_stage"], shop, store,
    )  # fmt: skip
    lines = [(n, i["product_id"], i["name"], 10_000, i["row_total"], row) for n, i in enumerate(data["items"])]
    await connection.executemany(_ITEM, lines)
    await connection.fetch("SELECT * FROM abandonment WHERE open_key = $1 LIMIT 2 FOR UPDATE", row)
    await connection.execute(_DONE, "applied", person, "[]", shop, webhook_id)
    await connection.fetch(_ERASED, shop, person, at)


async def run(place: Place) -> list[Figure]:
    """The case."""
    clock, numbers, count = Clock(), itertools.count(1), place.size(400, 20)
    with place.settings() as settings:
        async with (
            open_runtime(settings, clock) as runtime,
            program("web_node", str(settings.database_url), str(settings.redis_url)) as web,
            asyncpg.create_pool(settings.database_url, min_size=AT_ONCE, max_size=AT_ONCE) as pool,
        ):
            connection, secret, _ = await make_shop_rows(runtime, clock.now())
            assert web.stdout is not None
            port = int(await web.stdout.readline())
            senders = [await http_sender(port, f"/hooks/v1/{connection.key}") for _ in range(AT_ONCE)]
            takers = [raw_taker(pool, secret)] * AT_ONCE
            found = await in_pairs(
                lambda: crowd(make_hooks(secret, count, numbers, clock.now()), senders),
                lambda: crowd(make_hooks(secret, count, numbers, clock.now()), takers),
            )
    return [
        Figure("hooks", "a hook", "ms", found["each"], MOST),
        Figure("hooks", "p99 of 16 at once", "ms", found["p99"], None),
    ]
