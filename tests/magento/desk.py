"""A Cartback beside the fake Magento: connected as the command line does it, its sweeps called by name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from recovery import jobs, sync
from recovery.models import Abandonment, Cart, Connection, Email, Store
from recovery.runtime import Runtime
from recovery.stores import registry
from recovery.stores.connecting import connect_magento
from recovery.stores.magento import open_magento
from recovery.stores.magento_auth import Credentials
from tests.magento.fake import TOKEN, FakeMagento
from tests.magento.state import Quote
from tests.shop import READY, Clock, open_runtime, settings_for
from tests.smtp_sink import SmtpSink


@dataclass
class Desk:
    """The service, its clock and the shop it reads."""

    runtime: Runtime
    clock: Clock
    magento: FakeMagento
    sink: SmtpSink
    connection: Connection

    async def sync(self, *, full: bool = False) -> dict[str, int]:
        """One round, due or not."""
        return await sync.sync(self.runtime, self.connection, full=full)

    async def sweep(self) -> dict[str, int]:
        """One run of every sweep, as the worker does it."""
        counts: dict[str, int] = {}
        for name in ("sync", "detect", "score", "email"):
            report = await jobs.JOBS[name](self.runtime, jobs.EVERYTHING)
            counts |= report.counts
        return counts

    async def pass_time(self, minutes: int, step: int = 10) -> None:
        """Let time pass with the worker running."""
        for part in [step] * (minutes // step) + [minutes % step] * bool(minutes % step):
            self.clock.advance(minutes=part)
            await self.sweep()

    def guest(self, store_id: int = 1, *skus: str, email: str | None = "anna@example.com") -> Quote:
        """A guest's cart; with an address it is at the payment step."""
        cart = self.magento.state.new_cart(store_id)
        for sku in skus or ("BP-30",):
            self.magento.state.add(cart, sku)
        if email is not None:
            self.magento.state.ship(cart)
            self.magento.state.pay(cart, email)
        return cart

    async def cart(self, quote: Quote) -> Cart:
        """A cart as stored."""
        return await Cart.get(connection_id=self.connection.id, quote_id=str(quote.id)).prefetch_related(
            "items", "store"
        )

    async def episodes(self, quote: Quote) -> list[str]:
        """What became of a cart's episodes, oldest first."""
        rows = await Abandonment.filter(cart__quote_id=str(quote.id)).order_by("id")
        return [row.status for row in rows]

    async def mails(self) -> list[str]:
        """The states of all mails."""
        return [row.status for row in await Email.all().order_by("created_at")]


@asynccontextmanager
async def open_desk(
    database_url: str, redis_url: str, sink: SmtpSink, magento: FakeMagento, clock: Clock
) -> AsyncIterator[Desk]:
    """Both store views connected and live, writing to everybody."""
    settings = settings_for(database_url, redis_url, sink)
    async with open_runtime(settings, clock) as runtime:
        credentials = Credentials(TOKEN)
        async with open_magento(magento.url, credentials, clock.now, allow_private=True) as connector:
            fronts = await connector.fronts()
        connection, stores = await connect_magento(
            runtime.keys, "mag", magento.url, credentials, fronts, clock.now(), name="Tatra", allow_private=True
        )
        assert {store.mode for store in stores} == {"observing"}
        for store in await Store.all():
            # All guests of the fake live at one address and buy the same.
            await registry.change_settings(store, READY | {"bought_elsewhere_hours": 0})
            await registry.set_mode(store, "live", clock.now())
        yield Desk(runtime, clock, magento, sink, connection)
