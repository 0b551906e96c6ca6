"""Reads Magento's store views: each is a shop front with its language, currency and time zone."""

import base64
from typing import Any
from zoneinfo import available_timezones

from recovery import money
from recovery.stores.base import ShopFront
from recovery.stores.magento_reading import link, listed, mapped, text


def fronts(configs: Any, views: Any) -> list[ShopFront]:
    """One shop front per store view, the admin's left out; names and whether they are open come from ``views``."""
    named = {text(mapped(view).get("id")): mapped(view) for view in listed(views)}
    found = []
    for told in map(mapped, listed(configs)):
        view = named.get(text(told.get("id")), {})
        currency = text(told.get("default_display_currency_code"), 3).upper()
        if not money.is_currency(currency) or text(told.get("code")) == "admin":
            continue
        zone = text(told.get("timezone"), 64)
        found.append(
            ShopFront(
                external_id=text(told.get("id"), 64),
                code=text(told.get("code"), 64),
                name=text(view.get("name")) or text(told.get("code"), 64),
                locale=text(told.get("locale"), 35).replace("_", "-"),
                currency=currency,
                timezone=zone if zone in available_timezones() else "UTC",
                base_currency=text(told.get("base_currency_code"), 3).upper(),
                website_id=text(told.get("website_id"), 64),
                link_url=_secure(told, "base_link_url"),
                media_url=_secure(told, "base_media_url"),
                active=bool(view.get("is_active", 1)),
            )
        )
    return found


def _secure(told: dict[str, Any], name: str) -> str:
    return link(told.get(f"secure_{name}")) or link(told.get(name)) or ""


def cart_url(front: ShopFront) -> str | None:
    """The cart page of a shop front; where its address does not tell which it is, by its code."""
    if not front.link_url:
        return None
    told = "" if front.link_url.rstrip("/").endswith(f"/{front.code}") else f"?___store={front.code}"
    return f"{front.link_url.rstrip('/')}/checkout/cart/{told}"


def login_url(front: ShopFront) -> str | None:
    """The page where a customer logs in and is led on to the cart; who is logged in already must not be sent here."""
    cart = cart_url(front)
    if cart is None:
        return None
    # Magento's own writing of base64 in an address.
    referer = base64.b64encode(cart.encode()).decode().translate(str.maketrans("+/=", "-_,"))
    return f"{front.link_url.rstrip('/')}/customer/account/login/referer/{referer}/"
