"""A demo shop over ASGI with a real hook endpoint behind it."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from recovery.clock import ShiftedClock
from recovery.demo.app import DemoConfig, DemoSite, build_demo
from recovery.demo.cart_state import Cart
from recovery.demo.catalogue.model import Catalogue
from tests.demo.hook_endpoint import SECRET, HookEndpoint, hook_endpoint

BASE = "http://shop.test"


@dataclass
class Browser:
    """One browser with its cookies on the demo's pages."""

    client: httpx2.AsyncClient
    site: DemoSite
    endpoint: HookEndpoint
    store: str = "en"

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(path if path.startswith("/") else f"/shop/{self.store}/{path}")

    async def post(self, path: str, **fields: str) -> httpx2.Response:
        return await self.client.post(path if path.startswith("/") else f"/shop/{self.store}/{path}", data=fields)

    async def told(self) -> HookEndpoint:
        """The endpoint once everything the shop has to tell is told."""
        await asyncio.wait_for(self.site.sender.flush(), 10)
        return self.endpoint

    async def fill(self, variant: str = "hala-moss-m", quantity: int = 1) -> Cart:
        await self.post("cart/add", product=variant.split("-")[0], variant=variant, quantity=str(quantity))
        return self.cart()

    async def give_email(self, email: str = "anna@example.com", *, newsletter: bool = True) -> None:
        await self.post("checkout/contact", email=email, **({"newsletter": "yes"} if newsletter else {}))

    async def check_out(self, payment: str = "card") -> httpx2.Response:
        """From a filled cart to the order page."""
        await self.give_email()
        await self.post("checkout/shipping", method="courier")
        await self.post("checkout/payment", method=payment)
        return await self.post("order")

    def cart(self) -> Cart:
        """The newest cart of the shop."""
        return list(self.site.shop.records.carts.values())[-1]


class DemoWorld:
    """Builds demo sites on one state folder and one endpoint, and closes what it opened."""

    def __init__(self, state_dir: Path, endpoint: HookEndpoint) -> None:
        self.state_dir = state_dir
        self.endpoint = endpoint
        self.clock = ShiftedClock(state_dir / "clock")
        self._sites: list[DemoSite] = []
        self._clients: list[httpx2.AsyncClient] = []

    async def open(self, offered: dict[str, Catalogue] | None = None, **changes: Any) -> DemoSite:
        settings: dict[str, Any] = {
            "base_url": BASE,
            "hook_url": self.endpoint.url,
            "hook_secret": SECRET,
            "state_dir": self.state_dir,
            "clock": self.clock,
            "admin_url": "/admin",
            "retry_seconds": (0.02,),
        }
        site = build_demo(DemoConfig(**{**settings, **changes}), offered)
        await site.start()
        self._sites.append(site)
        return site

    def browser(self, site: DemoSite, store: str = "en") -> Browser:
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(Starlette(routes=site.routes)), base_url=BASE, follow_redirects=True
        )
        self._clients.append(client)
        return Browser(client, site, self.endpoint, store)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        for site in self._sites:
            await site.stop()


@pytest.fixture
async def endpoint() -> AsyncIterator[HookEndpoint]:
    async with hook_endpoint() as opened:
        yield opened


@pytest.fixture
async def world(tmp_path: Path, endpoint: HookEndpoint) -> AsyncIterator[DemoWorld]:
    opened = DemoWorld(tmp_path / "demo", endpoint)
    yield opened
    await opened.close()


@pytest.fixture
async def browser(world: DemoWorld) -> Browser:
    return world.browser(await world.open())


def words(html: str) -> str:
    """The text of a page, for asserting what a person reads."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
