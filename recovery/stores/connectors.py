"""Opens the connector of a connection, by its platform; a shop that sends hooks has none."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime

from recovery.errors import CartbackError
from recovery.models import Connection, Store
from recovery.secrets import Vault
from recovery.stores.base import Connector, ShopFront
from recovery.stores.magento import open_magento
from recovery.stores.magento_auth import Credentials

MAGENTO = "magento"
#: Platforms that are asked; the others tell by hooks.
ASKED = (MAGENTO,)


@asynccontextmanager
async def open_connector(
    connection: Connection, vault: Vault, now: Callable[[], datetime]
) -> AsyncIterator[Connector | None]:
    """A connector that reads the shop, closed on the way out; None where the shop tells by hooks.

    Raises:
        CartbackError: the connection has no credentials.
        SetupError: they were encrypted with another secret key.
    """
    if connection.platform not in ASKED:
        yield None
        return
    if connection.credentials is None:
        raise CartbackError(
            f"The connection {connection.key!r} has no credentials; `cartback stores connect magento` asks for them."
        )
    credentials = Credentials.from_sealed_form(vault.open(connection.credentials))
    async with open_magento(connection.base_url, credentials, now, allow_private=connection.allow_private) as connector:
        yield connector


def kept_front(front: ShopFront) -> dict[str, object]:
    """A shop front as its store keeps it."""
    return asdict(front)


def front_of(store: Store) -> ShopFront | None:
    """The shop front that a store was made from; None for one that sends hooks."""
    return ShopFront(**store.front) if store.front else None
