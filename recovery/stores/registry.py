"""Connections and stores: making, finding and changing them, and the settings in force for each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from recovery import money
from recovery.errors import CartbackError, NotFound
from recovery.installation import default_settings, save_default_settings
from recovery.models import Connection, Store
from recovery.secrets import Keys, Vault, new_hook_secret
from recovery.store_settings import StoreSettings, effective, merge, seal_secrets

Mode = Literal["observing", "live", "paused"]
MODES: tuple[Mode, ...] = ("observing", "live", "paused")


@dataclass(frozen=True)
class StoreInForce:
    """A store with the settings in force; ``version`` names the settings a decision was made under."""

    row: Store
    settings: StoreSettings
    version: str

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return ZoneInfo(self.row.timezone)


async def in_force(store: Store) -> StoreInForce:
    """``store`` with the settings in force now."""
    inherited, inherited_version = await default_settings()
    return StoreInForce(store, effective(store.settings, inherited), f"{inherited_version}.{store.settings_version}")


async def all_in_force(only: str | None = None) -> list[StoreInForce]:
    """Every store (or the one named ``only``, as ``connection/code`` or ``code``) with its settings in force.

    Raises:
        NotFound: there is no such store, or several connections have one of that code.
    """
    stores = [await find_store(only)] if only else await Store.all().order_by("id")
    inherited, inherited_version = await default_settings()
    return [
        StoreInForce(s, effective(s.settings, inherited), f"{inherited_version}.{s.settings_version}") for s in stores
    ]


async def find_store(name: str) -> Store:
    """The store called ``connection/code``, or ``code`` alone where that is clear.

    Raises:
        NotFound: none or several fit; the message lists what there is.
    """
    connection, _, code = name.rpartition("/")
    query = Store.filter(code=code).prefetch_related("connection")
    found = await (query.filter(connection__key=connection) if connection else query)
    if len(found) == 1:
        return found[0]
    names = [f"{s.connection.key}/{s.code}" for s in (found or await Store.all().prefetch_related("connection"))]
    known = ", ".join(sorted(names)) or "none yet; make one with `cartback stores add`"
    raise NotFound(f"{'No' if not found else 'More than one'} store is called {name!r}. Stores: {known}.")


async def add_connection(
    keys: Keys, key: str, name: str, base_url: str, now: datetime, hosts: list[str] | None = None
) -> tuple[Connection, str]:
    """Make a generic connection; its hook secret is returned once and only kept encrypted.

    Raises:
        CartbackError: the key is taken or the address is not one.
    """
    host = urlsplit(base_url).hostname
    if host is None or not base_url.startswith(("https://", "http://")):
        raise CartbackError(f"{base_url!r} is not a web address; it must look like https://shop.example.com.")
    if await Connection.exists(key=key):
        raise CartbackError(f"A connection called {key!r} exists already; choose another key.")
    secret = new_hook_secret()
    connection = await Connection.create(
        key=key,
        name=name,
        base_url=base_url.rstrip("/"),
        hosts=sorted({host, *(hosts or [])}),
        hook_secret=keys.vault.seal(secret),
        created_at=now,
    )
    return connection, secret


async def add_store(
    connection: Connection, code: str, name: str, *, language: str, currency: str, timezone: str
) -> Store:
    """Make a store; it starts ``observing``: it decides everything and sends nothing.

    Raises:
        CartbackError: the code is taken, or the currency or time zone does not exist.
    """
    if not money.is_currency(currency):
        raise CartbackError(f"{currency!r} is not a currency code; use one of ISO 4217 such as EUR.")
    if timezone not in available_timezones():
        raise CartbackError(f"{timezone!r} is not a time zone; use one such as Europe/Warsaw.")
    if await Store.exists(connection_id=connection.id, code=code):
        raise CartbackError(f"The connection {connection.key!r} has a store {code!r} already.")
    return await Store.create(
        connection=connection, code=code, name=name, language=language, currency=currency, timezone=timezone
    )


async def set_mode(store: Store, mode: Mode, now: datetime) -> None:
    """Observe, go live or pause; going live takes only carts that fall idle from now on."""
    live_since = now if mode == "live" and store.mode != "live" else store.live_since
    store.mode, store.live_since = mode, live_since
    await store.save(update_fields=["mode", "live_since"])


async def change_settings(store: Store, changes: dict[str, Any]) -> StoreSettings:
    """Change a store's own settings; null goes back to what it inherits.

    Raises:
        SettingRefused: a name or value is wrong; nothing is changed.
    """
    inherited, _ = await default_settings()
    values, settings = merge(store.settings, changes, inherited)
    store.settings, store.settings_version = values, store.settings_version + 1
    await store.save(update_fields=["settings", "settings_version"])
    return settings


def hook_secrets(keys: Keys, connection: Connection, now: datetime) -> list[str]:
    """The secrets whose signatures count now: the current one and, during a rotation, the one before."""
    secrets = [keys.vault.open(connection.hook_secret)]
    until = connection.previous_hook_secret_until
    if connection.previous_hook_secret and until and now <= until:
        secrets.append(keys.vault.open(connection.previous_hook_secret))
    return secrets


async def allow_host(connection_key: str, host: str) -> list[str]:
    """Let links of a connection name one more host; all that are allowed now.

    Raises:
        NotFound: there is no such connection.
        CartbackError: that is not a host name.
    """
    connection = await Connection.get_or_none(key=connection_key)
    if connection is None:
        raise NotFound(f"There is no connection {connection_key!r}; `cartback stores list` shows them.")
    if urlsplit(f"https://{host}").hostname != host:
        raise CartbackError(f"{host!r} is not a host name; write it like media.shop.example, without https://.")
    connection.hosts = sorted({*connection.hosts, host})
    await connection.save(update_fields=["hosts"])
    return connection.hosts


async def rotate_hook_secret(keys: Keys, connection_key: str, grace_hours: int, now: datetime) -> str:
    """Make a new hook secret and accept the old one for a while; the new one is returned once.

    Raises:
        NotFound: there is no such connection.
    """
    connection = await Connection.get_or_none(key=connection_key)
    if connection is None:
        raise NotFound(f"There is no connection {connection_key!r}; `cartback stores list` shows them.")
    secret = new_hook_secret()
    connection.previous_hook_secret = connection.hook_secret
    connection.previous_hook_secret_until = now + timedelta(hours=grace_hours)
    connection.hook_secret = keys.vault.seal(secret)
    await connection.save(update_fields=["hook_secret", "previous_hook_secret", "previous_hook_secret_until"])
    return secret


async def settings_of(store_name: str | None) -> tuple[dict[str, Any], StoreSettings]:
    """What a store (or, None, the installation) has set itself, and the settings in force."""
    inherited, _ = await default_settings()
    if store_name is None:
        return inherited, effective({}, inherited)
    store = await find_store(store_name)
    return store.settings, effective(store.settings, inherited)


async def save_settings(vault: Vault, store_name: str | None, changes: dict[str, Any]) -> StoreSettings:
    """Change settings of a store or, None, of the installation; null goes back to what is inherited.

    Secrets come as they are and are stored encrypted.

    Raises:
        SettingRefused: a name or value is wrong; nothing is changed.
        NotFound: there is no such store.
    """
    changes = seal_secrets(vault, changes)
    if store_name is None:
        return await save_default_settings(changes)
    return await change_settings(await find_store(store_name), changes)
