"""Composition root of ``demo``: the whole product, the demo shop and an inbox on one port of this machine."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from admin.signin import make_admin_link, refuse_strangers
from chatbot.models import Turn, WithheldSentence
from recovery import serve
from recovery.clock import ShiftedClock, SystemClock
from recovery.demo.app import DemoConfig, DemoSite, build_demo
from recovery.demo.catalogue.loading import catalogue_folder
from recovery.demo.catalogue.model import Catalogue
from recovery.demo.fronts import FIRST, beginning_with, fronts
from recovery.demo.sink import open_sink
from recovery.demo.trick_model import NAME as ATTACKER
from recovery.demo.trick_model import PATH as ATTACKER_PATH
from recovery.emails import cart_link
from recovery.errors import SetupError
from recovery.models import Cart, Connection, LinkToken, Store
from recovery.runtime import Runtime
from recovery.settings import Settings
from recovery.stores import registry
from recovery.tokens import new_jti

HOST = "127.0.0.1"
SWEEP_SECONDS = 1
CONNECTION = "demo"
TIMEZONE = "Europe/Warsaw"


@dataclass(frozen=True)
class Demo:
    """A demo that runs: its address, its settings, and the wait for the signal that ends it."""

    base_url: str
    settings: Settings
    site: DemoSite
    serving: asyncio.Task[None]


async def demo(settings: Settings, port: int, progress: serve.Progress, catalogue: str = FIRST) -> None:
    """Serve the demo until a signal: all catalogues, that one first.

    Raises:
        SetupError: there is no such catalogue, the port is taken or the state folder can't be used.
    """
    catalogue_folder(catalogue)
    async with running_demo(settings, port, progress, beginning_with(catalogue)) as running:
        progress(f"Ready: {running.base_url}")
        await running.serving


@asynccontextmanager
async def running_demo(
    settings: Settings, port: int, progress: serve.Progress, catalogues: Sequence[str] = (FIRST,)
) -> AsyncIterator[Demo]:
    """The whole product on private servers, with the shop, the inbox and the admin page, answering.

    Raises:
        SetupError: the port is taken or the state folder can't be used.
    """
    with serve.take_port(HOST, port) as listener, serve.servers(settings, progress) as (embedded, _):
        async with open_sink(settings.state_dir / "mail", HOST) as sink:
            base_url = f"http://{HOST}:{listener.getsockname()[1]}"
            own = {
                "public_url": base_url,
                "smtp_host": sink.host,
                "smtp_port": sink.port,
                "smtp_security": "none",
                "clock_file": (settings.state_dir / "clock").absolute(),
                "sweep_seconds": SWEEP_SECONDS,
            }
            ready = embedded.model_copy(update=own)
            await serve.migrate(ready, progress)
            progress("Shop, inbox and worker")
            sites: list[DemoSite] = []

            async def extend(runtime: Runtime, stack: AsyncExitStack) -> Sequence[BaseRoute]:
                site = await _build(runtime, base_url, catalogues)
                stack.push_async_callback(site.stop)
                sites.append(site)
                return [*site.routes, Route("/demo/admin", _open_admin)]

            with serve.run_file(ready):
                async with serve.web(ready, listener, with_worker=True, extend=extend) as (_, serving):
                    await sites[0].start()
                    yield Demo(base_url, ready, sites[0], serving)


def reset(settings: Settings) -> None:
    """Forget everything: databases, keys, shop, mails.

    Raises:
        SetupError: a Cartback runs on this state folder, or the folder is not one of ours.
    """
    folder = settings.state_dir
    if settings.run_file.exists():
        raise SetupError(f"A Cartback seems to run on {folder}.", f"Stop it first, or remove {settings.run_file}.")
    for name in ("postgres", "valkey", "mail", "shop", "logs", "clock", "secret.key"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


async def _build(runtime: Runtime, base_url: str, catalogues: Sequence[str]) -> DemoSite:
    offered = {store: front.load() for store, front in fronts(catalogues).items()}
    connection = await _connection(runtime, base_url, offered)
    clock = runtime.clock
    assert isinstance(clock, ShiftedClock)
    return build_demo(
        DemoConfig(
            base_url=base_url,
            hook_url=f"{base_url}/hooks/v1/{CONNECTION}",
            hook_secret=runtime.keys.vault.open(connection.hook_secret),
            state_dir=runtime.settings.state_dir / "shop",
            clock=clock,
            admin_url="/demo/admin",
            catalogues=catalogues,
            mail_dir=runtime.settings.state_dir / "mail",
            backstage=_Backstage(runtime, base_url, connection),
        ),
        offered,
    )


async def _connection(runtime: Runtime, base_url: str, offered: Mapping[str, Catalogue]) -> Connection:
    """The demo's connection and its live stores, made at their first start."""
    connection = await Connection.get_or_none(key=CONNECTION)
    if connection is None:
        connection, _ = await registry.add_connection(runtime.keys, CONNECTION, "Demo shop", base_url, runtime.now())
    for code, shop in offered.items():
        if not await Store.exists(connection_id=connection.id, code=code):
            store = await registry.add_store(
                connection, code, name=shop.name, language=shop.language, currency=shop.currency, timezone=TIMEZONE
            )
            await registry.change_settings(store, _store_settings(base_url, code, shop))
            await registry.set_mode(store, "live", runtime.now())
    return connection


def _store_settings(base_url: str, code: str, shop: Catalogue) -> dict[str, object]:
    return {
        "consent_policy": "require",
        "sender_address": shop.email,
        "postal_address": shop.address,
        "privacy_url": f"{base_url}/shop/{code}/help",
        # Minutes, and no limit per person: whoever plays with it leaves many carts under one address.
        "steps": [{"delay_minutes": 0}, {"delay_minutes": 60, "coupon": True}],
        "coupon_callback_url": f"{base_url}/shop/coupons",
        "coupon_person_days": 0,
        "coupon_habit_days": 0,
        "mails_per_person": 0,
        "carts_per_person": 0,
        "order_cool_off_days": 0,
        "bought_elsewhere_hours": 0,
        "quiet_hours": "off",
        "contact_url": f"{base_url}/shop/{code}/help",
    }


class _Backstage:
    """What "Try to trick it" needs beyond public interfaces: a store with the attacker as its model, links, reasons."""

    def __init__(self, runtime: Runtime, base_url: str, connection: Connection) -> None:
        self._runtime = runtime
        self._base_url = base_url
        self._connection = connection

    async def set_stage(self, store: str, catalogue: Catalogue) -> None:
        row = await Store.get_or_none(connection_id=self._connection.id, code=store)
        if row is None:
            # It observes, as every new store does: nothing is ever sent from it.
            row = await registry.add_store(
                self._connection,
                store,
                name=catalogue.name,
                language=catalogue.language,
                currency=catalogue.currency,
                timezone=TIMEZONE,
            )
        # The port may be another than at the last start.
        model = {"ai_provider": "openai", "ai_base_url": f"{self._base_url}{ATTACKER_PATH}", "ai_model": ATTACKER}
        # It is there to be talked to.
        await registry.change_settings(row, model | {"ai_scoring": "off", "ai_emails": False})

    async def link(self, store: str, quote_id: str) -> str:
        now = self._runtime.now()
        cart = await Cart.get_or_none(
            connection_id=self._connection.id, quote_id=quote_id, store__code=store
        ).select_related("store")
        if cart is None or cart.email_hash is None:
            raise LookupError(quote_id)
        until = (now + timedelta(days=1)).replace(microsecond=0)
        row = await LinkToken.create(
            jti=new_jti(), kind="assistant", cart=cart, store=cart.store, email_hash=cart.email_hash, created_at=now,
            expires_at=until,
        )  # fmt: skip
        return cart_link(self._runtime, row, cart, until, now).rpartition("/")[2]

    async def withheld(self, conversation: str) -> Sequence[tuple[str, str]]:
        turn = await Turn.filter(conversation_id=uuid.UUID(conversation)).order_by("-id").first()
        held = await WithheldSentence.filter(turn_id=turn.id).order_by("id") if turn else []
        return [(each.sentence, each.kind) for each in held]


async def _open_admin(request: Request) -> Response:
    """A fresh one-time link, for whoever sits at this machine."""
    refuse_strangers(request)
    return RedirectResponse(await make_admin_link(SystemClock().now()), 303)
