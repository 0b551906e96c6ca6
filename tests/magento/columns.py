"""The database columns of quotes and products, worked out only when a search looks at them."""

from typing import Any

from tests.magento import render
from tests.magento.state import Product, Quote, State


class QuoteRow(dict[str, Any]):
    """A quote's columns; of a big shop's quotes nobody adds up the money unless it is asked for."""

    def __init__(self, state: State, quote: Quote) -> None:
        super().__init__(entity_id=quote.id)
        self._state, self._quote = state, quote

    def __missing__(self, name: str) -> Any:
        quote = self._quote
        if name in {"grand_total", "base_grand_total", "subtotal"}:
            sums = render.sums(self._state, quote)
            kind, key = ("base", "total") if name.startswith("base_") else ("quote", "total")
            return float(sums[kind]["net" if name == "subtotal" else key])
        if name in {"customer_id", "customer_is_guest"}:
            guest = quote.customer is None
            return int(guest) if name == "customer_is_guest" else (quote.customer or {}).get("id")
        if name in {"items_count", "items_qty"}:
            return len(quote.lines) if name == "items_count" else sum(line.qty for line in quote.lines)
        found = getattr(quote, "coupon" if name == "coupon_code" else name)
        return int(found) if isinstance(found, bool) else found


class ProductRow(dict[str, Any]):
    """A product's columns in one store view."""

    def __init__(self, product: Product, store_id: int) -> None:
        super().__init__(entity_id=product.id)
        self._product, self._store_id = product, store_id

    def __missing__(self, name: str) -> Any:
        if name == "name":
            return self._product.name(self._store_id)
        if name == "created_at":
            return "2026-11-23 06:18:23"
        return float(self._product.price) if name == "price" else getattr(self._product, name)
