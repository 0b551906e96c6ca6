"""Puts the demo together: the shop, its hooks, the inbox and the start page, as routes for the web process."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from recovery.clock import ShiftedClock
from recovery.demo.cart_pages import CartPages
from recovery.demo.catalogue.loading import catalogue_folder
from recovery.demo.catalogue.model import Catalogue
from recovery.demo.checkout_pages import CheckoutPages
from recovery.demo.coupon_pages import CouponPages
from recovery.demo.fronts import FIRST, fronts
from recovery.demo.handoff import handoff_key
from recovery.demo.hook_sender import RETRY_SECONDS, HookSender
from recovery.demo.inbox import InboxPages
from recovery.demo.mailbox import Mailbox
from recovery.demo.order_pages import OrderPages
from recovery.demo.pictures import draw_pictures
from recovery.demo.restore_pages import RestorePages
from recovery.demo.session import Sessions
from recovery.demo.shelf_pages import ShelfPages
from recovery.demo.shop import DemoShop
from recovery.demo.start_page import StartPages
from recovery.demo.storefront import Storefront
from recovery.demo.trick_model import ObedientModel
from recovery.demo.trick_pages import TrickPages
from recovery.demo.trick_play import Backstage, Stage
from recovery.demo.views import Views

# The two languages of the shop that is offered first.
_AT_ONCE = 2
_ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class DemoConfig:
    """What the demo needs to know; ``mail_dir`` is the sink's folder, by default inside ``state_dir``.

    With a ``backstage`` there is the page "Try to trick it".
    """

    base_url: str
    hook_url: str
    hook_secret: str
    state_dir: Path
    clock: ShiftedClock
    admin_url: str
    catalogues: Sequence[str] = (FIRST,)
    mail_dir: Path | None = None
    retry_seconds: Sequence[float] = RETRY_SECONDS
    backstage: Backstage | None = None

    @property
    def inbox_dir(self) -> Path:
        return self.mail_dir or self.state_dir / "mail"


class DemoSite:
    """The demo's routes and its background senders; ``start`` and ``stop`` belong into the lifespan."""

    def __init__(
        self, routes: list[BaseRoute], shop: DemoShop, sender: HookSender, others: Sequence[HookSender] = ()
    ) -> None:
        self.routes = routes
        self.shop = shop
        self.sender = sender
        self._others = others
        self._announcing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Announce the first shop and send whatever waits, also from the run before; the other shops follow."""
        stores = list(self.shop.catalogues)
        for store in stores[:_AT_ONCE]:
            self.shop.announce(store)
        for sender in (self.sender, *self._others):
            await sender.start()
        self._announcing = asyncio.create_task(self._announce(stores[_AT_ONCE:]))

    async def stop(self) -> None:
        """Stop sending; what is not delivered waits for the next start."""
        if self._announcing:
            self._announcing.cancel()
            await asyncio.gather(self._announcing, return_exceptions=True)
        for sender in (self.sender, *self._others):
            await sender.stop()

    async def _announce(self, stores: Sequence[str]) -> None:
        """One store after the other, each when nothing waits, so that no customer's cart queues behind them all."""
        for store in stores:
            await self.sender.flush()
            self.shop.announce(store)


def build_demo(config: DemoConfig, catalogues: dict[str, Catalogue] | None = None) -> DemoSite:
    """Make the demo; ``catalogues`` replaces the loaded ones, by store."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    config.inbox_dir.mkdir(parents=True, exist_ok=True)
    base_url = config.base_url.rstrip("/")
    offered = catalogues or {store: front.load() for store, front in fronts(config.catalogues).items()}
    pictures: dict[str, bytes] = {}
    for name in config.catalogues:
        pictures |= draw_pictures(catalogue_folder(name))
    sender = HookSender(config.hook_url, config.hook_secret, config.state_dir, retry_seconds=config.retry_seconds)
    shop = DemoShop(base_url, offered, sender, config.clock, config.state_dir)
    views = Views()
    front = Storefront(shop, Sessions(shop.records.session_key, base_url), views)
    mailbox = Mailbox(config.inbox_dir)
    routes: list[BaseRoute] = [
        Mount("/demo/assets", StaticFiles(directory=_ASSETS)),
        *StartPages(
            views, config.clock, sender, mailbox, config.admin_url, offered, trick=bool(config.backstage)
        ).routes(),
        *CouponPages(shop, config.hook_secret).routes(),
        *ShelfPages(front, pictures).routes(),
        *CartPages(front).routes(),
        *CheckoutPages(front).routes(),
        *OrderPages(front).routes(),
        *RestorePages(front, handoff_key(config.hook_secret)).routes(),
        *InboxPages(mailbox, views, base_url).routes(),
    ]
    if config.backstage is None:
        return DemoSite(routes, shop, sender)
    pages, hooks = _trick(config, config.backstage, base_url, views)
    return DemoSite([*routes, *pages.routes()], shop, sender, [hooks])


def _trick(config: DemoConfig, backstage: Backstage, base_url: str, views: Views) -> tuple[TrickPages, HookSender]:
    """The page of the attacks, with its own queue of hooks, so that those of the shop stay easy to read."""
    folder = config.state_dir / "trick"
    folder.mkdir(parents=True, exist_ok=True)
    sender = HookSender(config.hook_url, config.hook_secret, folder, retry_seconds=config.retry_seconds)
    model = ObedientModel()
    return TrickPages(views, Stage(base_url, backstage, model, sender, config.clock), model), sender
