"""What may happen while a mail is on its way, told as the shop, the customer or the operator would tell it."""

from admin import rights
from recovery.emails import unsubscribe_link
from tests.shop import Shop


async def order(shop: Shop, address: str, quote_id: str) -> None:
    await shop.order(quote_id=quote_id, customer={"email": address})


async def order_elsewhere(shop: Shop, address: str, quote_id: str) -> None:
    await shop.order(quote_id="99", customer={"email": address})


async def refuse(shop: Shop, address: str, quote_id: str) -> None:
    consent = {"marketing": False, "at": shop.now.isoformat(), "source": "account"}
    await shop.tell("consent.updated", {"email": address, "consent": consent})


async def complain(shop: Shop, address: str, quote_id: str) -> None:
    await shop.tell("email.complained", {"email": address, "at": shop.now.isoformat()})


async def bounce(shop: Shop, address: str, quote_id: str) -> None:
    await shop.tell("email.bounced", {"email": address, "at": shop.now.isoformat(), "hard": True})


async def unsubscribe(shop: Shop, address: str, quote_id: str) -> None:
    link = unsubscribe_link(shop.runtime, shop.store.id, shop.runtime.keys.email_hash(address))
    await shop.client.post(link, data={"List-Unsubscribe": "One-Click"})


async def erase(shop: Shop, address: str, quote_id: str) -> None:
    await rights.erase(shop.runtime, await rights.find_subject(shop.runtime, address, None))


async def change(shop: Shop, address: str, quote_id: str) -> None:
    await shop.cart(quote_id, customer={"email": "eva@example.com"})


async def delete(shop: Shop, address: str, quote_id: str) -> None:
    await shop.tell("cart.deleted", {"quote_id": quote_id})
