"""Drafts of mails as language models write them (mail_drafts.toml), and the rules' verdict on one."""

import tomllib
from pathlib import Path
from typing import Any

from recovery.emails_model import WrittenMail, examined
from recovery.emails_rules import Fault
from recovery.goods import Item, Line
from recovery.models import Cart, Store
from recovery.store_settings import StoreSettings
from recovery.stores.registry import StoreInForce

_FILE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
#: Language (and form of address) → drafts that a shop would send.
HONEST: dict[str, list[dict[str, Any]]] = _FILE["honest"]
#: Language → rule → sentences that break it.
BROKEN: dict[str, dict[str, list[str]]] = _FILE["broken"]
NAMES = {
    "en": ("Hala rain jacket", "Merino socks"),
    "pl": ("Kurtka przeciwdeszczowa Hala", "Skarpety z merynosa"),
}


def verdict(kind: str, draft: dict[str, Any], **store: Any) -> Fault | None:
    """The first rule that a draft breaks, in a store with a jacket at 239.00 and socks at 19.00, for one Anna."""
    language, _, formal = kind.partition("_")
    currency = "PLN" if language == "pl" else "EUR"
    items = [
        Item(str(n), name, price, currency, 2, in_stock=True)
        for n, (name, price) in enumerate(zip(NAMES[language], (23900, 1900), strict=True))
    ]
    lines = [Line(item.name, 10_000, item.price, item.id, item) for item in items]
    settings = StoreSettings(form_of_address="formal" if formal else "informal")
    row = Store(**{"name": "Tatra", "language": language, "currency": currency, "code": "s", "timezone": "UTC"} | store)
    cart = Cart(currency=currency, currency_digits=2, total=25800, first_name="Anna")
    return examined(WrittenMail.model_validate(draft), StoreInForce(row, settings, "v"), cart, lines)[1]
