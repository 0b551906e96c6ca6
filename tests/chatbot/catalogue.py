"""The store of rows.py as the assistant knows it, without a database."""

from typing import Any

from chatbot.context import Item, Knowledge, Line, Link, PolicyText
from tests.chatbot.rows import TEXTS


def catalogue(language: str, *, coupon: str | None = None) -> Knowledge:
    """A cart with a rain jacket, and a fleece, a wind jacket and a care kit linked to it."""
    words = TEXTS[language]
    currency = "EUR" if language == "en" else "PLN"
    price, free = (490, 10000) if currency == "EUR" else (1990, 40000)
    variants = tuple(_jacket(words, currency, size, stock) for size, stock in (("S", 2), ("M", 3), ("L", 0)))
    fleece = _simple("fleece", words["fleece"], 8900, words["jackets"], currency)
    wind = _simple("wind", words["wind"], 13900, words["jackets"], currency)
    kit = _simple("kit", words["kit"], 1900, words["care_category"], currency)
    shipping: tuple[dict[str, Any], ...] = (
        {"name": "shipping_price", "amount": price, "currency": currency},
        {"name": "free_shipping_from", "amount": free, "currency": currency},
        {"name": "delivery_days_min", "amount": 2},
        {"name": "delivery_days_max", "amount": 3, "condition": words["working_days"]},
    )
    return Knowledge(
        language=language,
        shop="Hala & Co.",
        currency=currency,
        digits=2,
        total=23900,
        lines=(Line(variants[1].name, 10_000, 23900, variants[1].id, variants[1]),),
        coupon_codes=(coupon,) if coupon else (),
        siblings=variants,
        links=(
            Link("hala", "related", wind),
            Link("hala", "upsell", fleece),
            Link("hala", "crosssell", kit),
            Link("hala", "crosssell", fleece),
        ),
        policies=(
            _policy("shipping", words["shipping"], *shipping),
            _policy("returns", words["returns"], {"name": "return_days", "amount": 30}),
            _policy("payment", words["payment"]),
            _policy("size_guide", words["guide"]),
        ),
        contact_url="https://shop.example/contact",
    )


def _policy(kind: str, text: tuple[str, str], *facts: dict[str, Any]) -> PolicyText:
    return PolicyText(kind, text[0], text[1], facts=facts)


def _jacket(words: dict[str, Any], currency: str, size: str, stock: int) -> Item:
    return Item(
        id=f"hala-moss-{size.lower()}",
        name=f"{words['jacket']}, {words['moss']}, {size}",
        price=23900,
        currency=currency,
        digits=2,
        in_stock=stock > 0,
        parent_id="hala",
        title=words["jacket"],
        description=words["jacket_text"],
        short_description=words["jacket_summary"],
        attributes=tuple(words[key] for key in ("material", "care", "season")),
        categories=(words["jackets"],),
        stock_quantity=stock * 10_000,
        url="https://shop.example/product/hala",
        image_url="https://shop.example/hala.svg",
    )


def _simple(product_id: str, name: str, price: int, category: str, currency: str) -> Item:
    return Item(product_id, name, price, currency, 2, True, categories=(category,))
