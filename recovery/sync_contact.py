"""Takes the address that a guest typed in the shop's checkout, before the shop itself keeps it.

Anybody may say anything here, so the shop is asked: only an active guest's cart that has no address yet gets one.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from recovery import carts, db
from recovery.models import Cart, Connection, SyncCart
from recovery.persons import latest_consent, lock_persons, suppression_in_force
from recovery.runtime import Runtime
from recovery.stores.base import CartSeen, Connector
from recovery.stores.magento_reading import mapped
from recovery.stores.registry import StoreInForce
from recovery.stores.snapshots import CartSnapshot, Consent
from recovery.sync_catalogue import refs
from recovery.sync_round import Round, begin

CHECKOUT_BOX = "storefront_checkout"
LONGEST_VERSION = 64

Outcome = Literal["taken", "known", "unfit"]


@dataclass(frozen=True, slots=True)
class Contact:
    """What the script saw: the cart by the secret id its browser knows, the address, the text beside a ticked box."""

    secret_id: str
    email: str
    ticked: str | None = None


async def take(runtime: Runtime, connection: Connection, connector: Connector, contact: Contact) -> Outcome:
    """Keep the address with its cart, and a ticked box as evidence of consent. Call outside of any transaction.

    Raises:
        ShopError: the shop can't be asked.
    """
    run = await begin(runtime, connection, connector)
    quote_id = await connector.guest_cart(contact.secret_id)
    seen = next(iter(await connector.carts_by_id([quote_id])), None) if quote_id else None
    store = run.store_of(seen.store_id) if seen else None
    if seen is None or store is None or not _is_guests(seen):
        return "unfit"
    person = runtime.keys.email_hash(contact.email)
    known = await Cart.get_or_none(connection_id=connection.id, quote_id=seen.quote_id)
    if known is not None and known.email_hash is not None:
        if known.email_hash == person and known.status == "active":
            await _hear(run, store, person, contact)
            return "known"
        return "unfit"
    if seen.email is not None and runtime.keys.email_hash(seen.email) != person:
        return "unfit"
    front = run.fronts[seen.store_id]
    snapshot = await connector.cart(seen, front, await refs(run, store, front, set(seen.skus)))
    return await _keep(run, store, seen, snapshot, person, contact)


def _is_guests(seen: CartSeen) -> bool:
    """Whether it is an active cart of nobody's account, with something in it."""
    customer = mapped(seen.row.get("customer"))
    guest = customer.get("id") is None and seen.row.get("customer_is_guest") is not False
    return seen.active and seen.items > 0 and guest


async def _keep(
    run: Round, store: StoreInForce, seen: CartSeen, snapshot: CartSnapshot, person: str, contact: Contact
) -> Outcome:
    now = run.now()
    told = replace(snapshot, activity_at=now, customer=replace(snapshot.customer, email=contact.email))
    async with db.in_transaction():
        outcome, _ = await carts.take(store.row, told, run.runtime.keys, now)
        # From here on each reading of the shop brings this cart along, though the shop does not tell its address.
        row = await SyncCart.get_or_none(connection_id=run.connection.id, quote_id=seen.quote_id) or SyncCart(
            connection_id=run.connection.id, quote_id=seen.quote_id
        )
        row.update_from_dict(
            {"acts": seen.acts, "content": seen.content, "changed_at": now, "round": run.state.carts_round,
             "taken": True, "failures": 0, "retry_at": None}
        )  # fmt: skip
        await row.save()
    if outcome == "applied":
        await _hear(run, store, person, contact)
    return "taken" if outcome == "applied" else "unfit"


async def _hear(run: Round, store: StoreInForce, person: str, contact: Contact) -> None:
    """A ticked box speaks for who was never heard of: what anybody can send must not undo anybody's refusal."""
    if contact.ticked is None:
        return
    if await latest_consent(run.connection.id, person) is not None:
        return
    if await suppression_in_force(run.connection.id, store.row.id, person) is not None:
        return
    text = contact.ticked
    version = text if len(text) <= LONGEST_VERSION else f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    said = Consent(True, run.now(), "consent", CHECKOUT_BOX, version)
    async with db.in_transaction():
        await lock_persons(run.connection.id, [person])
        await carts.hear_consent(run.connection.id, person, said, run.now())
