"""The shop's side of coupons: a signed call-back, the shop's own interface, or the codes that a merchant loaded."""

import asyncio
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
import orjson
from standardwebhooks.webhooks import Webhook

from recovery import db
from recovery.errors import CartbackError
from recovery.models import Connection, Coupon, LoadedCode, Store, SyncState
from recovery.outgoing import AddressRefused, GuardedTransport
from recovery.runtime import Runtime
from recovery.stores import base
from recovery.stores.connectors import MAGENTO, front_of, open_connector
from recovery.stores.registry import StoreInForce
from recovery.text import one_line

# People read codes aloud and type them: no 0 and O, no 1, I and L. 31 letters, 13 of them are 64 bits.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_GROUPS = (4, 4, 5)
ATTEMPTS = 2
PAUSE_SECONDS = 0.2
#: Statuses that ask to come again: nothing is decided by them.
_AGAIN = frozenset({408, 425, 429})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_CODE = 64

Source = Literal["callback", "magento", "loaded"]
#: Sources whose codes are made here, so that the shop has to be told of each.
MADE_HERE: tuple[Source, ...] = ("callback", "magento")

_TAKE = """
UPDATE loaded_code SET taken_at = $3
 WHERE id = (SELECT l.id FROM loaded_code l
              WHERE l.store_id = $1 AND l.taken_at IS NULL AND l.percent > 0 AND l.percent <= $2
                AND (l.expires_at IS NULL OR l.expires_at > $3)
                AND NOT EXISTS (SELECT 1 FROM coupon c WHERE c.connection_id = $4 AND c.code = l.code)
              ORDER BY l.percent DESC, l.expires_at NULLS LAST, l.id LIMIT 1 FOR UPDATE OF l SKIP LOCKED)
RETURNING code, percent, expires_at
"""


class ShopRefuses(Exception):
    """The shop will never take this; the message says what it answered."""


class ShopAway(Exception):
    """Nobody answered, or asked to come again; whether the shop took it is not known."""


class ShopBusy(Exception):
    """The code lies in a cart that may be paid this minute; to be withdrawn later."""


@dataclass(frozen=True)
class Call:
    """One call-back; the same id and body as often as it is made."""

    webhook_id: str
    event: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Loaded:
    """A loaded code that is ours now."""

    code: str
    percent: int
    expires_at: datetime | None


def new_code(prefix: str) -> str:
    """A code nobody guesses (64 bits), such as ``BACK-7KQM-2VHX-D4RTN``."""
    groups = ["".join(secrets.choice(_LETTERS) for _ in range(length)) for length in _GROUPS]
    return "-".join([prefix, *groups] if prefix else groups)


def callback_fault(url: str, connection: Connection) -> str | None:
    """Why coupons can't be sent to this address, if they can't."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host not in connection.hosts:
        return f"{host} is not a host of the connection; allow it: cartback stores allow-host {connection.key} {host}"
    if parts.scheme != "https" and host not in _LOOPBACK:
        return "it must begin with https://"
    return None


async def source_of(store: StoreInForce, connection: Connection) -> Source | None:
    """Where the store's coupons come from, if from anywhere; a call-back goes before the shop's own interface."""
    url = store.settings.coupon_callback_url
    if url is not None:
        return "callback" if callback_fault(url, connection) is None else None
    if store.settings.coupon_in_magento and connection.platform == MAGENTO:
        return "magento"
    return "loaded" if await LoadedCode.exists(store_id=store.row.id) else None


async def create(
    runtime: Runtime,
    store: StoreInForce,
    connection: Connection,
    coupon: Coupon,
    connector: base.Connector | None = None,
) -> None:
    """Have the shop take a coupon; the same coupon as often as it needs. ``connector`` is an open one, if there is.

    Raises:
        ShopRefuses: it never will.
        ShopAway: it may later, or may have.
    """
    if coupon.source == "magento":
        await _make_in_shop(store, connector, coupon)
    else:
        await _tell_of(runtime, store, connection, coupon)


async def _tell_of(runtime: Runtime, store: StoreInForce, connection: Connection, coupon: Coupon) -> None:
    cart = coupon.cart
    data = {
        "code": coupon.code,
        "percent": coupon.percent,
        "expires_at": coupon.expires_at.isoformat(),
        "uses": 1,
        "uses_per_customer": store.settings.coupon_uses_per_customer,
        "quote_id": cart.quote_id,
        "customer_id": cart.customer_id,
        "currency": coupon.currency,
        "worst_case": coupon.amount,
    }
    told = {name: value for name, value in data.items() if value is not None}
    call = Call(f"coupon-{coupon.id}-create", "coupon.create", coupon.created_at, told)
    await _call(runtime, store, connection, call)


async def withdraw(
    runtime: Runtime, store: StoreInForce, connection: Connection, coupon: Coupon, *, at_once: bool = False
) -> None:
    """Have the shop forget a coupon; that it never knew it is as good.

    Raises:
        ShopRefuses: it will not.
        ShopAway: nobody answered.
        ShopBusy: a cart holds the code, and ``at_once`` is not set.
    """
    if coupon.source == "magento":
        try:
            async with open_connector(connection, runtime.keys.vault, runtime.now) as connector:
                await _interface(connector).forget_coupon(coupon.code, at_once=at_once)
        except base.ShopBusy as busy:
            raise ShopBusy(str(busy)) from busy
        except base.ShopRefused as refusal:
            raise ShopRefuses(str(refusal)[:200]) from refusal
        except CartbackError as error:
            raise ShopAway(str(error)[:200]) from error
        return
    try:
        at = coupon.closed_at or coupon.expires_at
        call = Call(f"coupon-{coupon.id}-withdraw", "coupon.withdraw", at, {"code": coupon.code})
        await _call(runtime, store, connection, call)
    except ShopRefuses as refusal:
        if not str(refusal).startswith(("404", "410")):
            raise


async def take_loaded(store: StoreInForce, percent: int, now: datetime) -> Loaded | None:
    """Take the best loaded code of at most ``percent``, which nobody else can take then."""
    rows = await db.client().execute_query_dict(_TAKE, [store.row.id, percent, now, store.row.connection_id])
    return Loaded(rows[0]["code"], rows[0]["percent"], rows[0]["expires_at"]) if rows else None


async def load(
    store: Store, codes: Iterable[str], percent: int, expires_at: datetime | None, now: datetime
) -> tuple[int, int]:
    """Keep the shop's own codes for later; how many are new, and how many were known.

    Raises:
        CartbackError: a line is no code; nothing is loaded.
    """
    wanted = []
    for number, line in enumerate(codes, 1):
        code = line.strip()
        if not code:
            continue
        if code != one_line(code) or " " in code or len(code) > LONGEST_CODE:
            raise CartbackError(f"Line {number} is not a code: one word of at most {LONGEST_CODE} characters, please.")
        wanted.append(code)
    unique = list(dict.fromkeys(wanted))
    async with db.in_transaction():
        rows = await LoadedCode.filter(store__connection_id=store.connection_id, code__in=unique).only("code")
        known = {row.code for row in rows}
        fresh = [code for code in unique if code not in known]
        await LoadedCode.bulk_create(
            [
                LoadedCode(store_id=store.id, code=code, percent=percent, expires_at=expires_at, loaded_at=now)
                for code in fresh
            ],
            ignore_conflicts=True,
        )
    return len(fresh), len(unique) - len(fresh)


async def _make_in_shop(store: StoreInForce, connector: base.Connector | None, coupon: Coupon) -> None:
    front = front_of(store.row)
    wanted = base.CouponWanted(
        code=coupon.code,
        percent=coupon.percent,
        expires_at=coupon.expires_at,
        website_id=front.website_id if front else "",
        uses_per_customer=store.settings.coupon_uses_per_customer,
        asked_before=coupon.asks > 0,
        quote_id=coupon.cart.quote_id if coupon.attached else None,
    )
    try:
        wrong = await _interface(connector).make_coupon(wanted)
    except base.ShopRefused as refusal:
        raise ShopRefuses(str(refusal)[:200]) from refusal
    except CartbackError as error:
        raise ShopAway(str(error)[:200]) from error
    # The doctor tells of them; the newest reading of a rule is the one that counts.
    kept = {f"{wanted.website_id}:{wanted.percent}": [[rule.rule_id, rule.name, *rule.faults] for rule in wrong]}
    state = await SyncState.get_or_none(connection_id=coupon.connection_id)
    known = (state.wrong_rules if state else None) or {}
    if state is not None and known | kept != known:
        await SyncState.filter(id=state.id).update(wrong_rules=known | kept)


def _interface(connector: base.Connector | None) -> base.Connector:
    if connector is None:
        raise ShopAway("the connection is not one of a shop with an interface")
    return connector


async def _call(runtime: Runtime, store: StoreInForce, connection: Connection, call: Call) -> None:
    url = store.settings.coupon_callback_url
    fault = "no coupon_callback_url is set" if url is None else callback_fault(url, connection)
    if url is None or fault is not None:
        raise ShopAway(fault)
    told = {"type": call.event, "occurred_at": call.at.isoformat(), "store": store.row.code, "data": call.data}
    body = orjson.dumps(told)
    secret = runtime.keys.vault.open(connection.hook_secret)
    trouble = ShopAway("")
    # A proxy of the environment must not see codes; where a redirect leads nobody has allowed.
    private = runtime.settings.allow_private_hosts or connection.allow_private
    loopback = private or urlsplit(url).hostname in _LOOPBACK
    transport = GuardedTransport(private=private, loopback=loopback)
    async with httpx2.AsyncClient(
        timeout=runtime.settings.coupon_timeout, trust_env=False, transport=transport
    ) as client:
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with asyncio.timeout(runtime.settings.coupon_timeout):
                    await _ask_once(client, url, secret, call.webhook_id, body)
            except ShopAway as away:
                trouble = away
            except AddressRefused as refused:
                trouble = ShopAway(f"not called: {refused}")
            except (httpx2.HTTPError, TimeoutError, OSError) as error:
                trouble = ShopAway(f"no answer ({type(error).__name__})")
            else:
                return
    raise trouble


async def _ask_once(client: httpx2.AsyncClient, url: str, secret: str, webhook_id: str, body: bytes) -> None:
    # Signed anew for each attempt, by the real clock: the shop checks the timestamp with its own.
    signed_at = datetime.fromtimestamp(int(time.time()), UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(signed_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, signed_at, body.decode()),
    }
    # The status is all that counts: whatever body follows is never read.
    async with client.stream("POST", url, content=body, headers=headers) as response:
        status = response.status_code
    if 200 <= status < 300 or status == 409:
        return
    if 400 <= status < 500 and status not in _AGAIN:
        raise ShopRefuses(f"{status} {response.reason_phrase}"[:200])
    raise ShopAway(f"{status} {response.reason_phrase}"[:200])
