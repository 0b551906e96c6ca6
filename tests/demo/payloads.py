"""Hand-made checks of hook data against the published field list, independent of the service's own schemas."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

STAGES = ["cart", "contact", "shipping", "payment", "review"]
POLICY_KINDS = {"shipping", "returns", "payment", "warranty", "contact", "faq", "size_guide", "other"}
HOST = "shop.test"


def text(value: object, longest: int, *, empty: bool = False) -> None:
    assert isinstance(value, str)
    assert len(value) <= longest
    assert value or empty


def money(value: object) -> None:
    assert type(value) is int
    assert value >= 0


def moment(value: object) -> datetime:
    assert isinstance(value, str)
    found = datetime.fromisoformat(value)
    assert found.tzinfo is not None
    return found


def url(value: object) -> None:
    assert isinstance(value, str)
    assert urlsplit(value).hostname == HOST


def only(data: dict[str, Any], required: str, optional: str = "") -> None:
    """Every required field is there and nothing unheard of."""
    must, may = set(required.split()), set(optional.split())
    assert must <= data.keys(), must - data.keys()
    assert data.keys() <= must | may, data.keys() - must - may


def consent(data: dict[str, Any]) -> None:
    only(data, "marketing at source", "channel basis text_version")
    assert type(data["marketing"]) is bool
    assert data["channel"] == "email"
    assert data["basis"] in {"consent", "soft_opt_in"}
    moment(data["at"])
    text(data["source"], 64)
    text(data["text_version"], 64)


def item(data: dict[str, Any]) -> None:
    only(
        data,
        "product_id name quantity row_total",
        "line_id parent_id sku row_total_before_discount unit_price options url image_url",
    )
    text(data["product_id"], 64)
    text(data["name"], 255)
    assert 0 < data["quantity"] <= 200
    money(data["row_total"])
    url(data["url"])
    for option in data.get("options", []):
        only(option, "name value")


def cart(data: dict[str, Any]) -> None:
    only(
        data,
        "quote_id version currency items total",
        "locale created_at activity_at active subtotal discount shipping coupon_codes checkout_stage payment_failed "
        "customer consent cart_url restore_url",
    )
    text(data["quote_id"], 64)
    assert type(data["version"]) is int
    assert data["currency"] in {"EUR", "PLN"}
    assert data["checkout_stage"] in STAGES
    assert len({line["line_id"] for line in data["items"]}) == len(data["items"])
    for line in data["items"]:
        item(line)
    goods = sum(line["row_total"] for line in data["items"])
    assert data["total"] == goods + data.get("shipping", 0)
    assert data["subtotal"] - data["discount"] == goods
    url(data["cart_url"])
    url(data["restore_url"])
    moment(data["created_at"])
    moment(data["activity_at"])
    if "consent" in data:
        consent(data["consent"])
        assert data["customer"]["email"]
    if "customer" in data:
        only(data["customer"], "email registered", "id first_name orders_count")


def order(data: dict[str, Any]) -> None:
    only(
        data,
        "order_id state placed_at currency total customer",
        "number version quote_id shipping discount items coupon_codes ref locale",
    )
    assert data["state"] in {"pending", "paid", "completed", "cancelled", "refunded"}
    moment(data["placed_at"])
    assert data["total"] == sum(line["row_total"] for line in data["items"]) + data["shipping"]
    only(data["customer"], "email registered", "id")


def product(data: dict[str, Any]) -> None:
    only(
        data,
        "product_id name price currency in_stock",
        "parent_id sku active description short_description attributes categories brand regular_price tax_included "
        "stock_quantity sold_by min_quantity quantity_step url image_url locale links",
    )
    text(data["product_id"], 64)
    text(data["name"], 255)
    text(data["description"], 20_000)
    text(data["short_description"], 2_000)
    money(data["price"])
    assert data["in_stock"] is (data["stock_quantity"] > 0)
    for attribute in data["attributes"]:
        only(attribute, "name value", "code unit")
        text(attribute["name"], 64)
        text(attribute["value"], 255)
        text(attribute.get("unit", ""), 16, empty=True)
    assert data["links"].keys() == {"related", "upsell", "crosssell"}
    url(data["url"])
    url(data["image_url"])


def policy(data: dict[str, Any]) -> None:
    only(data, "key kind locale title text", "url version facts")
    assert data["kind"] in POLICY_KINDS
    text(data["text"], 20_000)
    for fact in data["facts"]:
        only(fact, "name amount", "currency condition")
        money(fact["amount"])


def products(data: dict[str, Any]) -> None:
    assert 1 <= len(data["products"]) <= 100
    for entry in data["products"]:
        product(entry)


def policies(data: dict[str, Any]) -> None:
    assert 1 <= len(data["policies"]) <= 20
    for entry in data["policies"]:
        policy(entry)


def restored(data: dict[str, Any]) -> None:
    only(data, "quote_id ref at")
    text(data["ref"], 32)
    moment(data["at"])


def changed_consent(data: dict[str, Any]) -> None:
    only(data, "email consent", "customer_id")
    consent(data["consent"])


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "cart.updated": cart,
    "cart.deleted": lambda data: only(data, "quote_id version"),
    "cart.merged": lambda data: only(data, "quote_id into_quote_id version"),
    "cart.restored": restored,
    "order.placed": order,
    "order.cancelled": order,
    "product.updated": products,
    "policy.updated": policies,
    "consent.updated": changed_consent,
}


def envelope(sent: dict[str, Any]) -> None:
    """One whole hook of any type the shop sends."""
    only(sent, "type occurred_at store data")
    moment(sent["occurred_at"])
    CHECKS[sent["type"]](sent["data"])
