"""The generic connector: what any shop may send by signed hooks, version 1, and its way into the normal form."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from recovery.store_settings import REASON_CODES
from recovery.stores import snapshots
from recovery.stores.catalogue import PolicyUpdated, ProductUpdated
from recovery.stores.fields import (
    Address,
    Amount,
    Count,
    Currency,
    ExternalId,
    Line32,
    Line64,
    Line200,
    Line255,
    Locale,
    Money,
    Name255,
    Payload,
    Quantity,
    SmallCount,
    Time,
    Url,
)
from recovery.stores.reading import Reading, digits_told


class ConsentPayload(Payload):
    """What a person said about marketing mail."""

    marketing: bool
    channel: Literal["email"] = "email"
    at: Time
    basis: Literal["consent", "soft_opt_in"] = "consent"
    source: Line64
    text_version: Line64 | None = None

    def snapshot(self) -> snapshots.Consent:
        return snapshots.Consent(self.marketing, self.at, self.basis, self.source, self.text_version)


class CustomerPayload(Payload):
    """Who a cart or order belongs to."""

    id: ExternalId | None = None
    email: Address | None = None
    registered: bool = False
    first_name: Line64 | None = None
    group: Line64 | None = None
    orders_count: SmallCount | None = None
    phone_hash: Line64 | None = None
    postcode_hash: Line64 | None = None

    def snapshot(self, reading: Reading) -> snapshots.Customer:
        values = self.model_dump() | {"email": reading.email(self.email, "data.customer.email")}
        return snapshots.Customer(**values)


class OptionPayload(Payload):
    """A chosen option, such as Size: M."""

    name: Line255
    value: Line255


class ItemPayload(Payload):
    """One line."""

    line_id: ExternalId | None = None
    product_id: ExternalId
    parent_id: ExternalId | None = None
    sku: Line64 | None = None
    name: Name255
    quantity: Quantity
    row_total: Money
    row_total_before_discount: Money | None = None
    unit_price: Money | None = None
    options: list[OptionPayload] = Field(default_factory=list, max_length=50)
    url: Url | None = None
    image_url: Url | None = None

    def snapshot(self, reading: Reading, path: str) -> snapshots.Item:
        plain = self.model_dump(exclude={"options", "url", "image_url"})
        return snapshots.Item(
            **plain,
            options=tuple((option.name, option.value) for option in self.options),
            url=reading.url(self.url, f"{path}.url"),
            image_url=reading.url(self.image_url, f"{path}.image_url"),
        )


class IntentTracePayload(Payload):
    """What the shop itself believes of the reason."""

    reason_code: Annotated[
        str, Field(json_schema_extra={"enum": list(REASON_CODES)}), BeforeValidator(lambda code: _reason(code))
    ]
    note: Line200 | None = None


class CartUpdated(Payload):
    """``cart.updated``: a whole cart."""

    quote_id: ExternalId
    version: Count | None = None
    currency: Currency
    currency_digits: Annotated[int, Field(ge=0, le=4)] | None = None
    locale: Locale | None = None
    created_at: Time | None = None
    activity_at: Time | None = None
    active: bool = True
    items: list[ItemPayload] = Field(max_length=500)
    total: Money
    subtotal: Money | None = None
    discount: Amount | None = None
    shipping: Money | None = None
    tax: Money | None = None
    base_total: Money | None = None
    coupon_codes: list[Line64] = Field(default_factory=list, max_length=50)
    checkout_stage: snapshots.CheckoutStage = "cart"
    payment_failed: bool = False
    customer: CustomerPayload = Field(default_factory=CustomerPayload)
    consent: ConsentPayload | None = None
    cart_url: Url | None = None
    restore_url: Url | None = None
    intent_trace: IntentTracePayload | None = None
    is_bot: bool = False

    def snapshot(self, reading: Reading) -> snapshots.CartSnapshot:
        plain = self.model_dump(
            exclude={"items", "customer", "consent", "cart_url", "restore_url", "currency_digits", "coupon_codes"}
        )
        return snapshots.CartSnapshot(
            **plain,
            occurred_at=reading.occurred_at,
            currency_digits=digits_told(self.currency, self.currency_digits),
            items=_items(self.items, reading),
            coupon_codes=tuple(self.coupon_codes),
            customer=self.customer.snapshot(reading),
            consent=self.consent.snapshot() if self.consent else None,
            cart_url=reading.url(self.cart_url, "data.cart_url"),
            restore_url=reading.url(self.restore_url, "data.restore_url"),
        )


class CartDeleted(Payload):
    """``cart.deleted``."""

    quote_id: ExternalId
    version: Count | None = None


class CartMerged(Payload):
    """``cart.merged``: the cart went into another one, as at sign-in."""

    quote_id: ExternalId
    into_quote_id: ExternalId
    version: Count | None = None


class CartRestored(Payload):
    """``cart.restored``: the shop let a customer into a saved cart by our hand-off."""

    quote_id: ExternalId
    ref: Line32
    at: Time


class OrderEvent(Payload):
    """``order.placed``, ``order.updated`` and ``order.cancelled``: a whole order; ``state`` decides."""

    order_id: ExternalId
    number: Line64 | None = None
    version: Count | None = None
    quote_id: ExternalId | None = None
    state: snapshots.OrderState
    placed_at: Time
    currency: Currency
    currency_digits: Annotated[int, Field(ge=0, le=4)] | None = None
    total: Money
    refunded_total: Money = 0
    shipping: Money | None = None
    tax: Money | None = None
    discount: Money | None = None
    base_total: Money | None = None
    items: list[ItemPayload] | None = Field(None, max_length=500)
    coupon_codes: list[Line64] = Field(default_factory=list, max_length=50)
    ref: Line32 | None = None
    locale: Locale | None = None
    customer: CustomerPayload

    def snapshot(self, reading: Reading) -> snapshots.OrderSnapshot:
        plain = self.model_dump(
            exclude={"items", "customer", "currency_digits", "coupon_codes", "shipping", "tax", "discount", "locale"}
        )
        return snapshots.OrderSnapshot(
            **plain,
            occurred_at=reading.occurred_at,
            currency_digits=digits_told(self.currency, self.currency_digits),
            items=None if self.items is None else _items(self.items, reading),
            coupon_codes=tuple(self.coupon_codes),
            customer=self.customer.snapshot(reading),
        )


class ConsentUpdated(Payload):
    """``consent.updated``: a person agreed or objected outside a cart."""

    email: Address
    customer_id: ExternalId | None = None
    consent: ConsentPayload


class EmailDelivered(Payload):
    """``email.delivered``, as told by the provider through the shop."""

    message_id: Line255
    email: Address | None = None
    at: Time


class EmailTrouble(Payload):
    """``email.bounced`` and ``email.complained``, as told by the provider through the shop."""

    email: Address
    message_id: Line255 | None = None
    hard: bool = True
    reason: Line255 | None = None
    at: Time


EVENTS: dict[str, type[Payload]] = {
    "cart.updated": CartUpdated,
    "cart.deleted": CartDeleted,
    "cart.merged": CartMerged,
    "cart.restored": CartRestored,
    "order.placed": OrderEvent,
    "order.updated": OrderEvent,
    "order.cancelled": OrderEvent,
    "product.updated": ProductUpdated,
    "policy.updated": PolicyUpdated,
    "consent.updated": ConsentUpdated,
    "email.delivered": EmailDelivered,
    "email.bounced": EmailTrouble,
    "email.complained": EmailTrouble,
}


class Envelope(Payload):
    """What every hook looks like on the outside."""

    type: str
    occurred_at: Time
    store: Line64 = "default"
    data: dict[str, Any]


def json_schema(event: str) -> dict[str, Any]:
    """The JSON Schema of one event with its envelope."""
    schema = EVENTS[event].model_json_schema()
    definitions = schema.pop("$defs", {})
    envelope = Envelope.model_json_schema()
    envelope["properties"] |= {"type": {"const": event}, "data": schema}
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **envelope, "$defs": definitions}
    for part in (whole, schema, *definitions.values()):
        _allow_absence(part)
    return whole


def _allow_absence(schema: dict[str, Any]) -> None:
    """Say of one object what ``Payload`` does: null is absent, and an empty map may be written as []."""
    required = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        if name not in required and {"type": "null"} not in part.get("anyOf", []):
            schema["properties"][name] = {"anyOf": [part, {"type": "null"}]}
    for part in schema.get("properties", {}).values():
        options = part.get("anyOf", [])
        if any("$ref" in option for option in options):
            options.append({"type": "array", "maxItems": 0})


def _items(items: list[ItemPayload], reading: Reading) -> tuple[snapshots.Item, ...]:
    return tuple(item.snapshot(reading, f"data.items.{index}") for index, item in enumerate(items))


def _reason(code: object) -> object:
    if code not in REASON_CODES:
        raise ValueError(f"must be one of {', '.join(REASON_CODES)}")
    return code
