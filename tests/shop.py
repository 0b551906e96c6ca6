"""A small shop for tests: it signs hooks as any sender would, moves business time and calls the sweeps by name."""

import base64
import hashlib
import hmac
import itertools
import time
import uuid
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson
from starlette.applications import Starlette
from starlette.types import Receive, Send

from chatbot.app import create_app
from chatbot.chat import Chat, open_chat
from recovery import campaigns, db, delivery, detection, scoring
from recovery.doorbell import Doorbell
from recovery.installation import load_keys
from recovery.llm import open_llm
from recovery.llm_batch import Window
from recovery.models import Abandonment, Cart, Connection, Email, Store
from recovery.runtime import Runtime
from recovery.settings import Settings
from recovery.stores import registry
from tests.smtp_sink import SmtpSink

MORNING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECRET_KEY = "a-secret-key-that-only-tests-would-use"
ADDRESS = "anna@example.com"
HOST = "shop.example.com"
#: A store that may send: everything it needs and nothing that waits.
READY = {
    "sender_address": "shop@example.com",
    "postal_address": "Long Street 1, 00-001 Warszawa",
    "consent_policy": "off",
    "min_intent_score": 0.0,
    "quiet_hours": "off",
    "mails_per_person": 0,
    "carts_per_person": 0,
    "order_cool_off_days": 0,
}


@dataclass
class Clock:
    """Business time that stands still until a test moves it."""

    moment: datetime = MORNING

    def now(self) -> datetime:
        return self.moment

    def advance(self, **span: float) -> datetime:
        """Move on by ``timedelta(**span)``; the new time."""
        self.moment += timedelta(**span)
        return self.moment


def settings_for(database_url: str, redis_url: str, sink: SmtpSink | None = None, **more: object) -> Settings:
    """Process settings for a test; nothing comes from a file."""
    relay = {"smtp_host": sink.host, "smtp_port": sink.port} if sink else {}
    values = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "secret_key": SECRET_KEY, "smtp_timeout": 5}
    return Settings.model_validate(values | relay | more | {"_env_file": None})


@asynccontextmanager
async def open_runtime(settings: Settings, clock: Clock) -> AsyncIterator[Runtime]:
    """As ``recovery.runtime.open_runtime``, on a clock of the test's own."""
    async with db.connect(settings.database_url or ""):
        doorbell = Doorbell(settings.redis_url or "")
        try:
            async with open_llm() as llm:
                yield Runtime(settings, clock, await load_keys(settings), doorbell, llm)
        finally:
            await doorbell.close()


def sign(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """A signature by the text of Standard Webhooks, written without its library."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, b".".join([webhook_id.encode(), timestamp.encode(), body]), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(secret: str, body: bytes, webhook_id: str | None = None, at: float | None = None) -> dict[str, str]:
    """The three headers of a hook."""
    webhook_id = webhook_id or f"msg_{uuid.uuid4().hex}"
    timestamp = str(int(time.time() if at is None else at))
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(secret, webhook_id, timestamp, body),
    }


def item(product_id: str = "K-12", row_total: int = 45999, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    """One line."""
    return {
        "product_id": product_id,
        "name": f"Jacket {product_id}",
        "quantity": quantity,
        "row_total": row_total,
    } | more


def in_process(app: Starlette, runtime: Runtime, chat: Chat) -> httpx2.AsyncClient:
    """A client that calls ``app`` in this loop; an exception in the app fails the test."""

    async def with_state(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        scope["state"] = {"runtime": runtime, "chat": chat}
        await app(scope, receive, send)

    return httpx2.AsyncClient(transport=httpx2.ASGITransport(with_state), base_url="http://127.0.0.1:8000")


@dataclass
class Shop:
    """One connection with one store, its secret, and a client of the web process."""

    runtime: Runtime
    clock: Clock
    client: httpx2.AsyncClient
    connection: Connection
    secret: str
    store: Store
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def post(self, body: bytes, headers: dict[str, str], connection: str | None = None) -> httpx2.Response:
        """POST raw bytes to the hook address."""
        path = f"/hooks/v1/{connection or self.connection.key}"
        return await self.client.post(path, content=body, headers=headers)

    async def send(
        self,
        event: str,
        data: dict[str, Any],
        *,
        at: datetime | None = None,
        webhook_id: str | None = None,
        **envelope: Any,
    ) -> httpx2.Response:
        """Send one signed hook; it happened ``at`` (default: now)."""
        told = {"type": event, "occurred_at": (at or self.now).isoformat(), "store": self.store.code, "data": data}
        body = orjson.dumps(told | envelope)
        return await self.post(body, signed_headers(self.secret, body, webhook_id))

    async def tell(self, event: str, data: dict[str, Any], **how: Any) -> str:
        """As ``send``, for a hook that must be taken; its status."""
        response = await self.send(event, data, **how)
        assert response.status_code == 200, response.text
        status: str = response.json()["status"]
        return status

    async def cart(self, quote_id: str = "1", *, at: datetime | None = None, **told: Any) -> str:
        """Tell a cart of one jacket by Anna at the contact step; ``told`` replaces or (None) removes fields."""
        data = {
            "quote_id": quote_id,
            "currency": "EUR",
            "total": 45999,
            "items": [item()],
            "checkout_stage": "contact",
            "customer": {"email": ADDRESS},
        }
        return await self.tell("cart.updated", data | told, at=at)

    async def order(
        self,
        order_id: str = "o1",
        state: str = "paid",
        *,
        at: datetime | None = None,
        event: str = "order.placed",
        **told: Any,
    ) -> str:
        """Tell an order of the cart "1"; ``quote_id=None`` leaves the cart out."""
        data = {
            "order_id": order_id,
            "state": state,
            "placed_at": (at or self.now).isoformat(),
            "currency": "EUR",
            "total": 46999,
            "quote_id": "1",
            "customer": {"email": ADDRESS},
        }
        return await self.tell(event, data | told, at=at)

    async def stored(self, quote_id: str = "1") -> Cart:
        """The cart as stored, with its lines."""
        return await Cart.get(connection_id=self.connection.id, quote_id=quote_id).prefetch_related("items")

    async def episodes(self, quote_id: str = "1") -> list[Abandonment]:
        """The abandonments of a cart, oldest first."""
        return await Abandonment.filter(cart__quote_id=quote_id).order_by("id")

    async def episode(self, quote_id: str = "1") -> Abandonment:
        """The newest abandonment of a cart."""
        return (await self.episodes(quote_id))[-1]

    async def emails(self) -> list[Email]:
        """Every e-mail row, oldest first."""
        return await Email.all().order_by("created_at", "step")

    async def set(self, **changes: Any) -> None:
        """Change settings of the store."""
        await registry.change_settings(self.store, changes)

    async def go(self, mode: registry.Mode) -> None:
        """Observe, go live or pause now."""
        await registry.set_mode(self.store, mode, self.now)

    async def in_force(self) -> registry.StoreInForce:
        """The store as the sweeps see it."""
        return await registry.in_force(await Store.get(id=self.store.id))

    async def detect(self, limit: int | None = None) -> int:
        return await detection.sweep(await self.in_force(), self.runtime.keys, self.now, limit)

    async def score(self, limit: int | None = None, window: Window | None = None) -> int:
        store = await self.in_force()
        return await scoring.sweep(store, self.now, limit, window or Window(self.runtime, store, 30))

    async def plan(self, limit: int | None = None) -> dict[str, int]:
        return await campaigns.sweep(await self.in_force(), self.now, limit)

    async def deliver(self, limit: int | None = None) -> delivery.EmailSweep:
        return await delivery.sweep(self.runtime, await self.in_force(), limit)

    async def abandon(self, minutes: float = 31) -> None:
        """Let the carts fall idle, detect and score them."""
        self.clock.advance(minutes=minutes)
        await self.detect()
        await self.score()

    async def queue(self, quote_id: str = "1", **told: Any) -> Email:
        """Bring one cart all the way to a queued mail."""
        await self.cart(quote_id, **told)
        await self.abandon()
        await self.plan()
        return await Email.get(abandonment__cart__quote_id=quote_id)


async def make_shop(runtime: Runtime, clock: Clock, client: httpx2.AsyncClient) -> Shop:
    """A connection "demo" with an English store "en" in euro."""
    return Shop(runtime, clock, client, *await make_shop_rows(runtime, clock.now()))


async def make_shop_rows(runtime: Runtime, now: datetime) -> tuple[Connection, str, Store]:
    """The rows of ``make_shop`` and the connection's hook secret, for who needs no client in this process."""
    connection, secret = await registry.add_connection(runtime.keys, "demo", "Demo", f"https://{HOST}", now)
    store = await registry.add_store(connection, "en", "Tatra", language="en", currency="EUR", timezone="Europe/Warsaw")
    return connection, secret, store


@asynccontextmanager
async def open_shop(settings: Settings) -> AsyncIterator[Shop]:
    """A shop whose client calls the web process in this loop."""
    clock = Clock()
    async with open_runtime(settings, clock) as runtime, open_chat(runtime) as chat:
        app = create_app({"runtime": runtime, "chat": chat}, ())
        async with in_process(app, runtime, chat) as client:
            yield await make_shop(runtime, clock, client)
