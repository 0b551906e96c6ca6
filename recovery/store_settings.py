"""What a merchant decides, per store with inherited defaults: names, meaning, ranges and built-in values."""

import re
from typing import Any

from pydantic import ConfigDict, ValidationError

from recovery.errors import CartbackError
from recovery.secrets import Vault
from recovery.store_settings_attribution import AttributionSettings
from recovery.store_settings_campaign import CampaignSettings, Variant
from recovery.store_settings_coupons import CouponSettings
from recovery.store_settings_limits import LimitSettings
from recovery.store_settings_mail import MailSettings
from recovery.store_settings_model import SEALED, ModelSettings
from recovery.store_settings_privacy import PrivacySettings
from recovery.store_settings_storefront import StorefrontSettings

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


class SettingRefused(CartbackError):
    """A setting's name or value is wrong; the message says which and what it must be."""


class StoreSettings(
    StorefrontSettings,
    PrivacySettings,
    AttributionSettings,
    ModelSettings,
    CouponSettings,
    MailSettings,
    LimitSettings,
    CampaignSettings,
):
    """The settings of one store; defaults are the original's where it names one (see docs/settings.md).

    Its fields are listed from the last base to the first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    def shown(self) -> dict[str, Any]:
        """Every setting for people to see, secrets only as set or not."""
        return self.model_dump() | {name: _shown(getattr(self, name)) for name in SECRET_SETTINGS}

    def variant_of(self, step: int) -> Variant:
        """The text of the message of this step (from 0): its own, else by its place in the sequence."""
        chosen = self.steps[step].variant if step < len(self.steps) else None
        if chosen is not None:
            return chosen
        if step == 0:
            return "reminder"
        return "last_call" if step >= len(self.steps) - 1 else "question"

    def may_carry_coupon(self, step: int) -> bool:
        """Whether the message of this step (from 0) may carry a coupon."""
        chosen = self.steps[step].coupon if step < len(self.steps) else None
        return step == len(self.steps) - 1 if chosen is None else chosen


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
        sealed[name] = f"{SEALED}{ending}:{vault.seal(value)}"
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
    ending = stored.removeprefix(SEALED).rpartition(":")[0]
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
