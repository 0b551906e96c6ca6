"""Mails as shops send them, for the eye and for the tests of how a mail looks: everything a mail can hold at once."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from recovery.emails import Letter, Links, ready_made_words
from recovery.emails_look import Look
from recovery.store_settings import StoreSettings
from tests.shop import MORNING, READY

HOSTS = frozenset({"s.example"})
LINKS = Links("https://c.example/r/R", "https://c.example/a/A", "https://c.example/u/U")


def letter(
    *, language: str = "en", lines: list[Any] | None = None, links: Links | None = None, reason: str = "other",
    cart: dict[str, Any] | None = None, shop: str = "Tatra", step: int = 0, look: Look | None = None, **changes: Any,
) -> Letter:  # fmt: skip
    """A letter over plain objects: what is rendered must not need a database."""
    store: Any = SimpleNamespace(
        row=SimpleNamespace(name=shop, language=language, currency="EUR"),
        settings=StoreSettings.model_validate(READY | changes),
    )
    whole: Any = SimpleNamespace(
        **{"total": 45999, "currency": "EUR", "currency_digits": 2, "discount": None, "shipping": None}
        | {"payment_failed": False}
        | (cart or {})
    )
    items: Any = lines or [line()]
    abandonment: Any = SimpleNamespace(reason_code=reason)
    email: Any = SimpleNamespace(
        id=UUID(int=7), to_address="anna@example.com", copy_to="owner@example.com", composed_at=MORNING,
        created_at=MORNING,
    )  # fmt: skip
    words = ready_made_words(store, abandonment, whole, len(items), step)
    return Letter(email, store, whole, items, words, links or LINKS, look or Look(HOSTS))


def line(name: str = "Jacket", **more: Any) -> Any:
    values = {
        "name": name, "options": [], "quantity": 10_000, "row_total": 45999, "image_url": None, "product_id": "K-12",
        "unit_price": None,
    }  # fmt: skip
    return SimpleNamespace(**(values | more))


LOGO = "https://s.example/logo.svg"
PICTURE = "https://s.example/tile.svg"
CODE = "BACK-7KQ2-4RTN"
PRIVACY = "https://s.example/privacy"

_TOLD: dict[str, dict[str, Any]] = {
    "en": {
        "shop": "Harbour & Finch",
        "postal_address": "Harbour & Finch Ltd, 4 Quay Street, Bristol BS1 4TJ",
        "names": ("Waxed field jacket", "Oak floor tile Sylva 60 × 20 cm, natural grain, R10", "Wool cap"),
        "options": [{"name": "Colour", "value": "Moss"}, {"name": "Size", "value": "M"}],
        "coupon": {
            "title": "5% off your cart", "label": "Your code",
            "terms": "It covers the whole cart and can be used once. Valid until Friday, 27 November 2026, 18:00 GMT.",
            "prepared": "The coupon was prepared automatically.",
        },
    },
    "pl": {
        "shop": "Płytki i Spółka",
        "postal_address": "Płytki i Spółka sp. z o.o., ul. Długa 1, 00-001 Warszawa",
        "names": ("Kurtka woskowana „Bieszczady”", "Płytka drewnopodobna Sylva 60 × 20 cm, dąb naturalny, R10",
                  "Czapka wełniana"),
        "options": [{"name": "Kolor", "value": "zieleń mchu"}, {"name": "Rozmiar", "value": "M"}],
        "coupon": {
            "title": "5% rabatu na koszyk", "label": "Kod",
            "terms": "Kod obejmuje cały koszyk i działa jeden raz. Ważny do: piątek, 27 listopada 2026, 18:00 CET.",
            "prepared": "Kupon został przygotowany automatycznie.",
        },
    },
}  # fmt: skip


def product(number: str, price: int, *, in_stock: bool = True, sold_by: str = "piece") -> Any:
    """A product as the shop tells it today."""
    return SimpleNamespace(
        product_id=number, currency="PLN", currency_digits=2, price=price, in_stock=in_stock, active=True,
        sold_by=sold_by,
    )  # fmt: skip


def full_letter(told_in: str, **changes: Any) -> Letter:
    """Three lines (one dearer now, one by the square metre, one gone), a discount, delivery, a coupon, every link."""
    told = _TOLD[told_in]
    names = told["names"]
    lines = [
        line(names[0], product_id="1", row_total=45900, unit_price=45900, options=told["options"], image_url=PICTURE),
        line(names[1], product_id="2", row_total=127915, unit_price=12690, quantity=100_800, image_url=PICTURE),
        line(names[2], product_id="3", row_total=9900, unit_price=9900),
    ]
    today = [product("1", 47900), product("2", 12690, sold_by="m2"), product("3", 9900, in_stock=False)]
    cart = {"total": 183715, "currency": "PLN", "discount": 1990, "shipping": 1990}
    settings = {"postal_address": told["postal_address"], "privacy_url": PRIVACY, "logo_url": LOGO, "language": told_in}
    made = letter(
        lines=lines, cart=cart, shop=told["shop"],
        look=Look(HOSTS, {each.product_id: each for each in today}),
        **settings | changes,
    )  # fmt: skip
    made.words["coupon"] = told["coupon"] | {"code": CODE, "percent": 5}
    return made
