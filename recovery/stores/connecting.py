"""Connects a Magento: the connection with its encrypted keys, and one observing store per store view."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from recovery.errors import CartbackError
from recovery.models import Connection, Store
from recovery.secrets import Keys
from recovery.stores import registry
from recovery.stores.base import ShopFront
from recovery.stores.connectors import MAGENTO, kept_front
from recovery.stores.magento_auth import Credentials


async def connect_magento(
    keys: Keys,
    key: str,
    base_url: str,
    credentials: Credentials,
    fronts: Iterable[ShopFront],
    now: datetime,
    *,
    name: str = "",
    allow_private: bool = False,
) -> tuple[Connection, list[Store]]:
    """Make the connection, or give the one of this key new keys; its stores, the new ones observing.

    ``name`` is what customers call the shop; Magento does not tell it, and store views are called like "Polski".

    Raises:
        CartbackError: the key belongs to a shop that sends hooks, or the address is not one.
    """
    chosen = list(fronts)
    connection = await Connection.get_or_none(key=key)
    if connection is None:
        shown = name or (urlsplit(base_url).hostname or key).removeprefix("www.")
        connection, _ = await registry.add_connection(keys, key, shown, base_url, now)
        connection.platform = MAGENTO
    elif connection.platform != MAGENTO:
        raise CartbackError(f"The connection {key!r} is one of a shop that sends hooks; choose another key.")
    connection.base_url = base_url.rstrip("/")
    connection.credentials = keys.vault.seal(credentials.sealed_form())
    connection.allow_private = allow_private
    connection.hosts = sorted({*connection.hosts, *_hosts([base_url, *(u for f in chosen for u in _urls(f))])})
    await connection.save(update_fields=["platform", "base_url", "credentials", "allow_private", "hosts"])
    return connection, [await keep_front(connection, front) for front in chosen]


async def keep_front(connection: Connection, front: ShopFront) -> Store:
    """The store of a store view, as the shop tells it now; made if there is none."""
    store = await Store.get_or_none(connection_id=connection.id, code=front.code)
    language = front.locale.partition("-")[0].lower() or "en"
    if store is None:
        store = await registry.add_store(
            connection,
            front.code,
            connection.name,
            language=language,
            currency=front.currency,
            timezone=front.timezone,
        )
    store.language, store.currency, store.timezone = language, front.currency, front.timezone
    store.external_id, store.front = front.external_id, kept_front(front)
    await store.save(update_fields=["language", "currency", "timezone", "external_id", "front"])
    return store


def _urls(front: ShopFront) -> list[str]:
    return [front.link_url, front.media_url]


def _hosts(urls: Iterable[str]) -> set[str]:
    return {host for url in urls if (host := urlsplit(url).hostname)}
