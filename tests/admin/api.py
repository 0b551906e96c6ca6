"""A visitor of the API for tests: signs in as anybody, with a browser's headers or a key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx2
from argon2 import PasswordHasher

from admin.access import keys, sessions, users
from admin.access.scopes import Role, Scope
from admin.models import User
from recovery.clock import SystemClock
from tests.shop import Shop

PASSWORD = "correct horse battery"
BASE = "http://127.0.0.1:8000/api/v1"
BROWSER = {"x-cartback": "1", "origin": "http://127.0.0.1:8000"}


@dataclass
class Visitor:
    """Calls the API; ``last`` is the newest answer."""

    client: httpx2.AsyncClient

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """One call; ``if_match="x"`` becomes the header If-Match."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=told)

    async def get(self, path: str, status: int = 200) -> Any:
        """The JSON of a GET that answers ``status``."""
        response = await self.call("GET", path)
        assert response.status_code == status, response.text
        return response.json()

    async def send(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """The JSON (None without content) of a call that answers ``status``."""
        response = await self.call(method, path, body, **headers)
        assert response.status_code == status, response.text
        return response.json() if response.content else None


def stranger(shop: Shop, **headers: str) -> Visitor:
    """Somebody without a session, on this machine."""
    transport = shop.client._transport
    client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=BROWSER | headers)
    return Visitor(client)


async def make_user(email: str = "owner@example.com", role: Role = "owner", store_ids: list[int] | None = None) -> User:
    """An account with ``PASSWORD``."""
    user = await users.create_user(users.NewUser(email, "Olga", role, store_ids), SystemClock().now())
    await User.filter(id=user.id).update(password_hash=_hashed())
    return user


async def sign_in(shop: Shop, email: str = "owner@example.com", **headers: str) -> Visitor:
    """A browser in which this account is signed in already: a password costs a good part of a second."""
    visitor = stranger(shop, **headers)
    user = await User.get(email=email)
    opened = await sessions.open_session(user, headers.get("user-agent", "test"), SystemClock().now())
    visitor.client.cookies.set(sessions.cookie_name(shop.runtime.settings), opened.token, domain="127.0.0.1", path="/")
    return visitor


@cache
def _hashed() -> str:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@asynccontextmanager
async def key_holder(shop: Shop, scopes: list[Scope], store_ids: list[int] | None = None) -> AsyncIterator[Visitor]:
    """A program with a key for these scopes."""
    _, key = await keys.make_key("test", scopes, store_ids, "a test", SystemClock().now(), None)
    client = httpx2.AsyncClient(
        transport=shop.client._transport, base_url="http://127.0.0.1:8000", headers={"authorization": f"Bearer {key}"}
    )
    async with client:
        yield Visitor(client)
