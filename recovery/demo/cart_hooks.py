"""The data of hooks about carts, orders and consent, as docs/hooks.md describes them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from recovery.demo.cart_state import Cart, Consent, Order, OrderLine, PricedCart, PricedLine
from recovery.demo.catalogue.model import Catalogue, Variant
from recovery.demo.customers import CUSTOMERS
from recovery.demo.hook_sender import stamp

CONSENT_TEXT = "newsletter-2026-11"


@dataclass(frozen=True)
class Addresses:
    """The shop's absolute addresses for one store."""

    base: str
    store: str

    def page(self, path: str = "") -> str:
        return f"{self.base}/shop/{self.store}/{path}"

    def picture(self, name: str) -> str:
        return f"{self.base}/shop/pictures/{name}.svg"

    def product(self, variant: Variant) -> str:
        query = f"?choice={variant.id}" if variant.choices else ""
        return self.page(f"product/{variant.product_id}{query}")


def number(amount: Decimal) -> int | float:
    """A quantity as a hook takes it; a pack's few decimals survive as a float."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def cart_data(cart: Cart, priced: PricedCart, catalogue: Catalogue, at: Addresses, orders: int) -> dict[str, object]:
    """A whole snapshot of the cart; ``orders`` is how many its registered customer placed before."""
    data: dict[str, object] = {
        "quote_id": cart.quote_id,
        "version": cart.version,
        "currency": catalogue.currency,
        "locale": catalogue.language,
        "created_at": stamp(cart.created_at),
        "activity_at": stamp(cart.activity_at),
        "active": cart.status == "open",
        "items": [_cart_item(line, at) for line in priced.lines],
        "subtotal": priced.subtotal,
        "discount": priced.discount,
        "total": priced.total,
        "coupon_codes": [cart.coupon] if cart.coupon else [],
        "checkout_stage": cart.stage,
        "payment_failed": cart.payment_failed,
        "cart_url": at.page("cart"),
        "restore_url": at.page("restore"),
    }
    if priced.shipping is not None:
        data["shipping"] = priced.shipping
    if cart.email:
        data["customer"] = _cart_customer(cart, orders)
        if cart.consent:
            data["consent"] = consent_object(cart.consent)
    return data


def order_data(order: Order, language: str, at: Addresses) -> dict[str, object]:
    """A whole snapshot of the order; ``state`` says what it is now."""
    customer: dict[str, object] = {"email": order.email, "registered": order.customer_id is not None}
    if order.customer_id:
        customer["id"] = order.customer_id
    data: dict[str, object] = {
        "order_id": order.order_id,
        "number": order.number,
        "version": order.version,
        "state": order.state,
        "placed_at": stamp(order.placed_at),
        "currency": order.currency,
        "total": order.total,
        "shipping": order.shipping,
        "discount": order.discount,
        "coupon_codes": [order.coupon] if order.coupon else [],
        "locale": language,
        "items": [_order_item(line, at) for line in order.lines],
        "customer": customer,
    }
    if order.quote_id:
        data["quote_id"] = order.quote_id
    if order.ref:
        data["ref"] = order.ref
    return data


def consent_data(email: str, customer_id: str | None, consent: Consent) -> dict[str, object]:
    """A change of the newsletter box after the address was known."""
    data: dict[str, object] = {"email": email, "consent": consent_object(consent)}
    if customer_id:
        data["customer_id"] = customer_id
    return data


def consent_object(consent: Consent) -> dict[str, object]:
    return {
        "marketing": consent.marketing,
        "channel": "email",
        "at": stamp(consent.at),
        "basis": "consent",
        "source": "checkout_box",
        "text_version": CONSENT_TEXT,
    }


def restored_data(cart: Cart, ref: str, at: datetime) -> dict[str, object]:
    return {"quote_id": cart.quote_id, "ref": ref, "at": stamp(at)}


def _cart_customer(cart: Cart, orders: int) -> dict[str, object]:
    customer = CUSTOMERS.get(cart.customer_id or "")
    if customer is None:
        return {"email": cart.email, "registered": False}
    return {
        "id": customer.id,
        "email": cart.email,
        "registered": True,
        "first_name": customer.first_name,
        "orders_count": orders,
    }


def _cart_item(line: PricedLine, at: Addresses) -> dict[str, object]:
    variant = line.variant
    item: dict[str, object] = {
        "line_id": variant.id,
        "product_id": variant.id,
        "sku": variant.id.upper(),
        "name": variant.name,
        "quantity": number(variant.measure.amount(line.quantity)),
        "row_total": line.row_total,
        "row_total_before_discount": line.before_discount,
        "unit_price": variant.price,
        "options": [{"name": choice.name, "value": choice.value_name} for choice in variant.choices],
        "url": at.product(variant),
        "image_url": at.picture(variant.picture),
    }
    if variant.id != variant.product_id:
        item["parent_id"] = variant.product_id
    return item


def _order_item(line: OrderLine, at: Addresses) -> dict[str, object]:
    item: dict[str, object] = {
        "line_id": line.variant_id,
        "product_id": line.variant_id,
        "name": line.name,
        "quantity": number(line.measure.amount(line.quantity)),
        "row_total": line.row_total,
        "url": at.page(f"product/{line.product_id}"),
    }
    if line.variant_id != line.product_id:
        item["parent_id"] = line.product_id
    return item
