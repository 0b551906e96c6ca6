"""Puts the demo together: the shop, its hooks, the inbox and the start page, as routes for the web process."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from recovery.clock import ShiftedClock
from recovery.demo.cart_pages import CartPages
from recovery.demo.catalogue.files import read_numbers
from recovery.demo.catalogue.loading import catalogue_folder, load_catalogue
from recovery.demo.catalogue.model import Catalogue
from recovery.demo.checkout_pages import CheckoutPages
from recovery.demo.coupon_pages import CouponPages
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
from recovery.demo.views import Views

# Each shop front's language and currency; the key is the store's code in every hook.
STORES = {"en": ("en", "EUR"), "pl": ("pl", "PLN")}
_ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class DemoConfig:
    """What the demo needs to know; ``mail_dir`` is the sink's folder, by default inside ``state_dir``."""

    base_url: str
    hook_url: str
    hook_secret: str
    state_dir: Path
    clock: ShiftedClock
    admin_url: str
    catalogue: str = "outdoor"
    mail_dir: Path | None = None
    retry_seconds: Sequence[float] = RETRY_SECONDS

    @property
    def inbox_dir(self) -> Path:
        return self.mail_dir or self.state_dir / "mail"


class DemoSite:
    """The demo's routes and its background sender; ``start`` and ``stop`` belong into the lifespan."""

    def __init__(self, routes: list[BaseRoute], shop: DemoShop, sender: HookSender) -> None:
        self.routes = routes
        self.shop = shop
        self.sender = sender

    async def start(self) -> None:
        """Announce the catalogue and send whatever waits, also from the run before."""
        self.shop.announce()
        await self.sender.start()

    async def stop(self) -> None:
        """Stop sending; what is not delivered waits for the next start."""
        await self.sender.stop()


def build_demo(config: DemoConfig, catalogues: dict[str, Catalogue] | None = None) -> DemoSite:
    """Make the demo; ``catalogues`` replaces the ones of ``config.catalogue``, by store."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    config.inbox_dir.mkdir(parents=True, exist_ok=True)
    base_url = config.base_url.rstrip("/")
    folder = catalogue_folder(config.catalogue)
    offered = catalogues or {store: load_catalogue(config.catalogue, *front) for store, front in STORES.items()}
    sender = HookSender(config.hook_url, config.hook_secret, config.state_dir, retry_seconds=config.retry_seconds)
    shop = DemoShop(base_url, offered, sender, config.clock, config.state_dir)
    views = Views()
    front = Storefront(shop, Sessions(shop.records.session_key, base_url), views)
    mailbox = Mailbox(config.inbox_dir)
    routes: list[BaseRoute] = [
        Mount("/demo/assets", StaticFiles(directory=_ASSETS)),
        *StartPages(views, config.clock, sender, mailbox, config.admin_url, next(iter(offered))).routes(),
        *CouponPages(shop, config.hook_secret).routes(),
        *ShelfPages(front, draw_pictures(folder, read_numbers(folder))).routes(),
        *CartPages(front).routes(),
        *CheckoutPages(front).routes(),
        *OrderPages(front).routes(),
        *RestorePages(front, handoff_key(config.hook_secret)).routes(),
        *InboxPages(mailbox, views, base_url).routes(),
    ]
    return DemoSite(routes, shop, sender)
