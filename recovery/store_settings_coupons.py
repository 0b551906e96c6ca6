"""Store settings of the coupons: how many percent for which cart, and within which limits."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class CouponBand(BaseModel):
    """One line of the coupon table: from ``score_from`` to below ``score_below``, from ``value_from`` to below
    ``value_below`` in whole units of the store's currency, so many percent."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    score_from: float = Field(0, ge=0, le=1)
    score_below: float = Field(1.01, gt=0, le=1.01)
    value_from: float = Field(0, ge=0)
    value_below: float | None = Field(None, gt=0)
    percent: int = Field(ge=0, le=100)

    def covers(self, score: float, value: Decimal) -> bool:
        """Whether a cart of this score and value is in the band."""
        below = self.value_below is None or value < Decimal(str(self.value_below))
        return self.score_from <= score < self.score_below and value >= Decimal(str(self.value_from)) and below


#: The tables with a name: a discount where it may help, or only for those who nearly bought.
COUPON_TABLES: dict[str, tuple[CouponBand, ...]] = {
    "default": (
        CouponBand(score_below=0.55, value_from=100, percent=5),
        CouponBand(score_from=0.55, score_below=0.70, value_from=100, percent=3),
    ),
    "only_high_intent": (CouponBand(score_from=0.70, value_from=100, percent=5),),
}


class CouponSettings(BaseModel):
    """Whether a mail may carry a coupon, of how many percent, and what coupons may cost."""

    dynamic_coupons: bool = Field(True, description="Whether mails may carry a one-time discount code.")
    coupon_table: Literal["default", "only_high_intent"] | list[CouponBand] = Field(
        "default",
        description="Which score and cart value get how many percent: a named table, or a list of bands of your own.",
    )
    coupon_max_percent: int = Field(5, ge=0, le=100, description="The highest discount of a coupon, in percent.")
    coupon_min_cart_value: float = Field(
        100, ge=0, le=1_000_000_000, description="Carts worth less, in the store's currency, get no coupon."
    )
    coupon_expiry_hours: int = Field(48, ge=1, le=24 * 90, description="Hours a coupon works, from when it is made.")
    coupon_uses_per_customer: int = Field(
        0, ge=0, le=1000, description="What the shop is told as uses per customer of the shared rule; 0: no limit."
    )
    coupon_person_days: int = Field(
        90, ge=0, le=3650, description="Days in which a person gets one coupon, in all stores of the shop; 0: no limit."
    )
    coupon_habit_days: int = Field(
        180,
        ge=0,
        le=3650,
        description="Days in which two coupons without an order mean that this person gets no more; 0: never.",
    )
    coupon_monthly_budget: float | None = Field(
        None,
        ge=0,
        le=1_000_000_000_000,
        description="The most that a calendar month's coupons may cost, in the store's currency; unset: no limit.",
    )
    coupon_gross_margin: float | None = Field(
        None, ge=0, le=100, description="The store's usual gross margin in percent of the price, for the floor below."
    )
    coupon_margin_floor: float | None = Field(
        None, ge=0, le=100, description="What must be left of the gross margin after a discount, in percent."
    )
    coupon_prefix: str = Field(
        "BACK", max_length=10, pattern=r"^[A-Z0-9]*$", description="How the codes begin that are made here."
    )
    coupon_callback_url: str | None = Field(
        None, max_length=1024, description="Where the shop takes coupons; at a host of the connection."
    )
    coupon_in_magento: bool = Field(
        False, description="Whether coupons are made in Magento itself; its integration needs two more rights."
    )
    coupon_attach: bool = Field(
        False, description="Whether a coupon made in Magento is put into the cart too, where that holds no code yet."
    )
    coupon_failure: Literal["send_without", "hold"] = Field(
        "send_without", description="When the shop takes no coupon for too long: send the mail without, or hold it."
    )
    coupon_wait_minutes: int = Field(
        120, ge=0, le=60 * 24 * 7, description="Minutes a mail waits for a shop that does not take its coupon."
    )
    coupon_grace_hours: int = Field(
        24, ge=0, le=24 * 30, description="Hours after its end until an unused coupon is withdrawn from the shop."
    )

    @field_validator("coupon_callback_url")
    @classmethod
    def _callback_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username is not None or parts.fragment:
            raise ValueError("must look like https://shop.example.com/cartback/coupons")
        return value

    @property
    def coupon_bands(self) -> Sequence[CouponBand]:
        """The coupon table in force; the first band that covers a cart counts."""
        return COUPON_TABLES[self.coupon_table] if isinstance(self.coupon_table, str) else self.coupon_table
