"""What any shop may tell of its products and policies by signed hooks, version 1."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from recovery.stores import snapshots
from recovery.stores.fields import (
    Amount,
    Count,
    Currency,
    ExternalId,
    Line16,
    Line64,
    Line128,
    Line255,
    Locale,
    Name255,
    Payload,
    Quantity,
    Stock,
    Url,
    text_up_to,
)
from recovery.stores.reading import Reading, digits_told
from recovery.text import html_to_text


class AttributePayload(Payload):
    """One property of a product."""

    name: Line64
    value: Line255
    code: Line64 | None = None
    unit: Line16 | None = None


class LinksPayload(Payload):
    """Products offered beside this one, best first."""

    related: list[ExternalId] = Field(default_factory=list, max_length=50)
    upsell: list[ExternalId] = Field(default_factory=list, max_length=50)
    crosssell: list[ExternalId] = Field(default_factory=list, max_length=50)


class ProductPayload(Payload):
    """One product or variant."""

    product_id: ExternalId
    version: Count | None = None
    parent_id: ExternalId | None = None
    sku: Line64 | None = None
    active: bool = True
    name: Name255
    description: text_up_to(20_000) = ""  # type: ignore[valid-type]
    short_description: text_up_to(2_000) = ""  # type: ignore[valid-type]
    attributes: list[AttributePayload] = Field(default_factory=list, max_length=200)
    categories: list[Line128] = Field(default_factory=list, max_length=50)
    brand: Line255 | None = None
    price: Amount
    regular_price: Amount | None = None
    lowest_price_30d: Amount | None = None
    currency: Currency
    currency_digits: Annotated[int, Field(ge=0, le=4)] | None = None
    tax_included: bool = True
    in_stock: bool
    stock_quantity: Stock | None = None
    min_quantity: Quantity | None = None
    quantity_step: Quantity | None = None
    sold_by: Line16 = "piece"
    url: Url | None = None
    image_url: Url | None = None
    locale: Locale | None = None
    links: LinksPayload | None = None

    def snapshot(self, reading: Reading, path: str) -> snapshots.ProductSnapshot:
        plain = self.model_dump(
            exclude={
                "description", "short_description", "attributes", "categories", "url", "image_url", "links",
                "currency_digits",
            }
        )  # fmt: skip
        return snapshots.ProductSnapshot(
            **plain,
            occurred_at=reading.occurred_at,
            currency_digits=digits_told(self.currency, self.currency_digits),
            description=html_to_text(self.description),
            short_description=html_to_text(self.short_description),
            attributes=tuple(attribute.model_dump(exclude_none=True) for attribute in self.attributes),
            categories=tuple(self.categories),
            url=reading.url(self.url, f"{path}.url"),
            image_url=reading.url(self.image_url, f"{path}.image_url"),
            links=None
            if self.links is None
            else {kind: tuple(getattr(self.links, kind)) for kind in get_args(snapshots.LinkKind)},
        )


class ProductUpdated(Payload):
    """``product.updated``: up to 100 products of one store in one language."""

    products: list[ProductPayload] = Field(min_length=1, max_length=100)


class PolicyFactPayload(Payload):
    """A number about a policy that may be stated by itself."""

    name: Literal[
        "free_shipping_from", "shipping_price", "return_days", "delivery_days_min", "delivery_days_max",
        "warranty_months", "minimum_order",
    ]  # fmt: skip
    amount: Amount
    currency: Currency | None = None
    condition: Line128 | None = None


class PolicyPayload(Payload):
    """One text of the store's own."""

    key: Line64
    kind: Literal["shipping", "returns", "payment", "warranty", "contact", "faq", "size_guide", "other"]
    locale: Locale
    title: Name255
    text: text_up_to(20_000)  # type: ignore[valid-type]
    url: Url | None = None
    version: Count | None = None
    facts: list[PolicyFactPayload] = Field(default_factory=list, max_length=50)

    def snapshot(self, reading: Reading, path: str) -> snapshots.PolicySnapshot:
        return snapshots.PolicySnapshot(
            **self.model_dump(exclude={"url", "facts"}),
            occurred_at=reading.occurred_at,
            url=reading.url(self.url, f"{path}.url"),
            facts=tuple(fact.model_dump(exclude_none=True) for fact in self.facts),
        )


class PolicyUpdated(Payload):
    """``policy.updated``: up to 20 policies of one store."""

    policies: list[PolicyPayload] = Field(min_length=1, max_length=20)
