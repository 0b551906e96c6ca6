"""Reads Magento's products of one store view: texts of the catalogue; prices, links and pictures as visitors see."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from recovery import money
from recovery.stores.base import ShopFront
from recovery.stores.magento_reading import decimal, identifier, link, listed, mapped, minor, text
from recovery.stores.snapshots import LinkKind, ProductSnapshot
from recovery.text import html_to_text

HIDDEN = 1
ENABLED = 1


def is_variant(row: dict[str, Any]) -> bool:
    """Whether a product has no page of its own."""
    return row.get("visibility") == HIDDEN


def children(row: dict[str, Any]) -> list[str]:
    """The ids of the variants of a configurable product."""
    return [text(i) for i in listed(mapped(row.get("extension_attributes")).get("configurable_product_links"))]


def linked_skus(rows: Iterable[dict[str, Any]]) -> set[str]:
    """The SKUs of every product offered beside these."""
    links = (mapped(told) for row in rows for told in listed(row.get("product_links")))
    return {text(told.get("linked_product_sku"), 64) for told in links}


class Shelf:
    """What is known of one page of products, and of those they lean on, while its snapshots are made."""

    def __init__(
        self,
        front: ShopFront,
        infos: Iterable[Any],
        parents: dict[str, dict[str, Any]],
        ids: dict[str, str],
        dearest: dict[str, Decimal],
        asked_at: datetime,
    ) -> None:
        self._front = front
        self._infos = {text(mapped(info).get("id")): mapped(info) for info in infos}
        self._parents = parents
        self._ids = ids
        self._dearest = dearest
        self._asked_at = asked_at

    def snapshot(self, row: dict[str, Any]) -> ProductSnapshot | None:
        """A product with its price, or None while no visitor could see one."""
        number = identifier(row.get("id"))
        if number is None or row.get("status") != ENABLED:
            return None
        parent = self._parents.get(number)
        shown = self._infos.get(text(parent.get("id")) if parent else number)
        if shown is None:
            return None
        prices = mapped(shown.get("price_info"))
        final, regular = decimal(prices.get("final_price")), decimal(prices.get("regular_price"))
        if parent:
            final = regular = self._variant_price(row, text(parent.get("id")), prices)
        currency = self._front.currency
        attributes = {text(mapped(a).get("attribute_code")): mapped(a).get("value")
                      for a in listed(row.get("custom_attributes"))}  # fmt: skip
        return ProductSnapshot(
            product_id=number,
            occurred_at=self._asked_at,
            name=text(row.get("name")) or text(row.get("sku")),
            price=minor(str(final), currency),
            regular_price=minor(str(regular), currency) if regular > final else None,
            currency=currency,
            currency_digits=money.digits_of(currency),
            in_stock=bool(shown.get("is_salable")),
            parent_id=text(parent.get("id")) if parent else None,
            sku=text(row.get("sku"), 64) or None,
            description=_plain(attributes.get("description"), 20_000),
            short_description=_plain(attributes.get("short_description"), 2_000),
            url=link(shown.get("url")),
            image_url=self._picture(row, attributes) or _thumbnail(shown),
            locale=self._front.locale,
            links=self._links(row),
        )

    def _variant_price(self, row: dict[str, Any], parent: str, prices: dict[str, Any]) -> Decimal:
        """Visitors see no prices of variants: the parent's, or the entered one at the parent's tax and rate."""
        low, high = decimal(prices.get("minimal_price")), decimal(prices.get("max_price"))
        own, dearest = decimal(row.get("price")), self._dearest.get(parent, Decimal(0))
        return own * high / dearest if low != high and own and dearest else decimal(prices.get("final_price"))

    def _picture(self, row: dict[str, Any], attributes: dict[str, Any]) -> str | None:
        file = attributes.get("image")
        if not isinstance(file, str) or not file.startswith("/") or not self._front.media_url:
            return None
        return link(f"{self._front.media_url.rstrip('/')}/catalog/product{file}")

    def _links(self, row: dict[str, Any]) -> dict[LinkKind, tuple[str, ...]]:
        links = (mapped(one) for one in listed(row.get("product_links")))
        told = sorted(links, key=lambda one: decimal(one.get("position")))
        return {
            kind: tuple(
                self._ids[sku]
                for one in told
                if one.get("link_type") == kind and (sku := text(one.get("linked_product_sku"), 64)) in self._ids
            )
            for kind in get_args(LinkKind)
        }


def _thumbnail(shown: dict[str, Any]) -> str | None:
    pictures = sorted((mapped(i) for i in listed(shown.get("images"))), key=lambda i: -decimal(i.get("width")))
    return next((url for picture in pictures if (url := link(picture.get("url")))), None)


def _plain(html: Any, limit: int) -> str:
    """The text of a description; Page Builder's and Magento's own directives are no text."""
    if not isinstance(html, str):
        return ""
    without = html.replace("{{", "<!--").replace("}}", "-->")
    return html_to_text(without, limit)
