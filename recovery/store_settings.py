"""What a merchant decides, per store with inherited defaults: names, meaning, ranges and built-in values."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recovery.errors import CartbackError
from recovery.secrets import Vault
from recovery.text import email_address

REASON_CODES = (
    "price_sensitivity",
    "shipping_cost",
    "shipping_speed",
    "product_fit",
    "trust_security",
    "returns_policy",
    "payment_options",
    "comparison",
    "timing_deferred",
    "checkout_friction",
    "technical_error",
    "other",
)

#: Settings that are encrypted before they are stored and never shown.
SECRET_SETTINGS = frozenset({"ai_api_key"})
#: From this length on, the last four characters give nothing away.
LONG_SECRET = 16
_SECRET = re.compile(r"[!-~]{1,500}")
_SEALED = "sealed:"


class SettingRefused(CartbackError):
    """A setting's name or value is wrong; the message says which and what it must be."""


class Step(BaseModel):
    """One message of the sequence: how long after the detection it is due."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    delay_minutes: int = Field(0, ge=0, le=60 * 24 * 30, description="Minutes from the detection to this message.")
    coupon: bool | None = Field(
        None, description="Whether this message may carry a coupon; unset: only the last message may."
    )


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


class StoreSettings(BaseModel):
    """The settings of one store; defaults are the original's where it names one (see docs/settings.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    enabled: bool = Field(True, description="Off: nothing is detected, scored or sent for this store.")
    inactivity_minutes: int = Field(
        30,
        ge=1,
        le=60 * 24 * 30,
        description="Minutes without a change until an active cart counts as abandoned.",
    )
    look_back_hours: int = Field(
        24, ge=1, le=24 * 30, description="Carts that fell idle longer ago than this are history and never detected."
    )
    expire_days: int = Field(14, ge=1, le=90, description="Days after which an abandonment nobody came back to ends.")
    batch_size: int = Field(
        100, ge=1, le=5000, description="Carts handled in one run of detection, of scoring and of sending."
    )
    min_intent_score: float = Field(
        0.45, ge=0, le=1, description="Only carts with at least this intent score are written to; equal is enough."
    )
    steps: list[Step] = Field(
        default_factory=lambda: [Step(delay_minutes=0)],
        min_length=1,
        max_length=10,
        description="The messages of the sequence, each with its delay from the detection.",
    )
    consent_policy: Literal["require", "soft_opt_in", "off"] | None = Field(
        None,
        description="Who may be written to: require (a positive consent), soft_opt_in (also earlier customers who did "
        "not object), off (no proof asked). Unset works like require until a person chooses.",
    )
    holdout_percent: int = Field(
        0, ge=0, le=50, description="Share of people who are never written to, to measure what the mails really bring."
    )
    max_email_attempts: int = Field(3, ge=1, le=20, description="Failed attempts after which a mail is given up.")
    copy_address: str | None = Field(None, description="The shop's own address that gets a marked copy of each mail.")
    sender_name: str | None = Field(None, max_length=78, description="Name in the From line; unset: the store's name.")
    sender_address: str | None = Field(None, description="Address in the From line. Nothing is sent without it.")
    reply_to: str | None = Field(None, description="Where answers of customers go; unset: the sender.")
    support_address: str | None = Field(
        None, description="Where questions for a person go; unset: where answers of customers go."
    )
    postal_address: str | None = Field(
        None,
        max_length=255,
        description="The merchant's postal address for the foot of each mail. Nothing is sent without it.",
    )
    privacy_url: str | None = Field(None, max_length=1024, description="Link to the store's privacy policy.")
    contact_url: str | None = Field(None, max_length=1024, description="Where a customer reaches a person.")
    logo_url: str | None = Field(
        None,
        max_length=1024,
        description="The store's logo on pages reached from a mail; shown if its host is one of the connection's.",
    )
    brand_color: str | None = Field(
        None,
        description="The store's colour on pages reached from a mail, such as #1d5a8a; made readable where it is not.",
    )
    form_of_address: Literal["informal", "formal"] = Field(
        "informal", description="How Polish texts address the customer: informal (Ty) or formal (Państwo)."
    )
    restore_days: int = Field(7, ge=1, le=90, description="Days a restore link works.")
    assistant_link: bool = Field(True, description="Whether mails carry a link to the live assistant.")
    conversation_minutes: int = Field(
        1440, ge=5, le=60 * 24 * 30, description="Minutes the assistant link works, from the sending of its mail."
    )
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
    coupon_failure: Literal["send_without", "hold"] = Field(
        "send_without", description="When the shop takes no coupon for too long: send the mail without, or hold it."
    )
    coupon_wait_minutes: int = Field(
        120, ge=0, le=60 * 24 * 7, description="Minutes a mail waits for a shop that does not take its coupon."
    )
    coupon_grace_hours: int = Field(
        24, ge=0, le=24 * 30, description="Hours after its end until an unused coupon is withdrawn from the shop."
    )
    ai_provider: Literal["heuristic", "openai"] = Field(
        "heuristic", description="What is asked: heuristic (built in) or openai (any OpenAI-compatible server)."
    )
    ai_base_url: str = Field(
        "https://api.openai.com/v1", max_length=1024, description="Where the model's server is; most end in /v1."
    )
    ai_model: str | None = Field(
        None, min_length=1, max_length=200, description="The model, as its provider spells it; openai needs it."
    )
    ai_api_key: str | None = Field(
        None, description="The key for the model's server; kept encrypted and never shown again. - reads it in."
    )
    ai_input_price: float | None = Field(
        None, ge=0, le=100_000, description="Price of a million tokens sent to the model, to estimate cost."
    )
    ai_output_price: float | None = Field(
        None, ge=0, le=100_000, description="Price of a million tokens the model answers with, in the same currency."
    )

    conversation_prompt: str | None = Field(
        None,
        max_length=4000,
        description="How the model behind the assistant is to speak and what it should know of the shop; {shop} and "
        "{language} stand for the store's. Rules, prices and the disclosure stay as they are.",
    )

    @field_validator("copy_address", "sender_address", "reply_to", "support_address")
    @classmethod
    def _one_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        address = email_address(value)
        if address is None:
            raise ValueError("must be one e-mail address")
        return address

    @field_validator("privacy_url", "contact_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://", "mailto:")):
            raise ValueError("must start with https://")
        return value

    @field_validator("logo_url")
    @classmethod
    def _picture_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("must start with https://")
        return value

    @field_validator("brand_color")
    @classmethod
    def _color(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch("#[0-9a-fA-F]{6}", value):
            raise ValueError("must be a colour such as #1d5a8a")
        return value and value.lower()

    @field_validator("coupon_callback_url")
    @classmethod
    def _callback_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username is not None or parts.fragment:
            raise ValueError("must look like https://shop.example.com/cartback/coupons")
        return value

    @field_validator("ai_base_url")
    @classmethod
    def _model_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must look like https://api.example.com/v1")
        if parts.username is not None:
            raise ValueError("must not hold a user name or key; the key is ai_api_key")
        return value.rstrip("/").removesuffix("/chat/completions")

    @field_validator("ai_api_key")
    @classmethod
    def _sealed(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(_SEALED):
            raise ValueError("must be encrypted before it is stored")
        return value

    @model_validator(mode="after")
    def _delays_rise(self) -> Self:
        delays = [step.delay_minutes for step in self.steps]
        if delays != sorted(set(delays)):
            raise ValueError("the delays of the steps must rise")
        return self

    def shown(self) -> dict[str, Any]:
        """Every setting for people to see, secrets only as set or not."""
        return self.model_dump() | {name: _shown(getattr(self, name)) for name in SECRET_SETTINGS}

    @property
    def coupon_bands(self) -> Sequence[CouponBand]:
        """The coupon table in force; the first band that covers a cart counts."""
        return COUPON_TABLES[self.coupon_table] if isinstance(self.coupon_table, str) else self.coupon_table

    def may_carry_coupon(self, step: int) -> bool:
        """Whether the message of this step (from 0) may carry a coupon."""
        chosen = self.steps[step].coupon if step < len(self.steps) else None
        return step == len(self.steps) - 1 if chosen is None else chosen

    @property
    def effective_consent_policy(self) -> Literal["require", "soft_opt_in", "off"]:
        """The policy in force: until a person has chosen, the strictest."""
        return self.consent_policy or "require"


def seal_secrets(vault: Vault, changes: dict[str, Any]) -> dict[str, Any]:
    """``changes`` with every secret encrypted for the database, its last characters kept to recognise it by.

    Raises:
        SettingRefused: a secret is none; the message does not repeat it.
    """
    sealed = dict(changes)
    for name in SECRET_SETTINGS & changes.keys():
        value = changes[name]
        if value is None:
            continue
        if not isinstance(value, str) or not _SECRET.fullmatch(value):
            raise SettingRefused(f"{name}: must be one word of at most 500 ordinary letters, digits and signs")
        ending = value[-4:] if len(value) >= LONG_SECRET else ""
        sealed[name] = f"{_SEALED}{ending}:{vault.seal(value)}"
    return sealed


def open_secret(vault: Vault, stored: str) -> str:
    """A secret setting as it was given.

    Raises:
        SetupError: it was encrypted with another secret key.
    """
    return vault.open(stored.rpartition(":")[2])


def _shown(stored: str | None) -> str | None:
    if stored is None:
        return None
    ending = stored.removeprefix(_SEALED).rpartition(":")[0]
    return f"set, ends in …{ending}" if ending else "set"


def effective(store: dict[str, Any], inherited: dict[str, Any]) -> StoreSettings:
    """The settings in force: the store's own values over the installation's over the built-in ones.

    A stored value that a newer version no longer accepts is left out rather than stopping the store.
    """
    values = inherited | store
    try:
        return StoreSettings.model_validate(values)
    except ValidationError as error:
        wrong = {str(e["loc"][0]) for e in error.errors() if e["loc"]}
        return StoreSettings.model_validate({k: v for k, v in values.items() if k not in wrong})


def merge(
    current: dict[str, Any], changes: dict[str, Any], inherited: dict[str, Any]
) -> tuple[dict[str, Any], StoreSettings]:
    """``current`` with ``changes`` made to it (null removes a value), and the settings then in force.

    Raises:
        SettingRefused: an unknown name or an unfit value.
    """
    values = {name: value for name, value in (current | changes).items() if value is not None}
    try:
        return values, StoreSettings.model_validate(inherited | values)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in e['loc']) or 'steps'}: {_words(e)}" for e in error.errors()]
        raise SettingRefused("; ".join(problems)) from error


def _words(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such setting"
    return str(error["msg"]).removeprefix("Value error, ")
