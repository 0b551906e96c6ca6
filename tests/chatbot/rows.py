"""A small store for the assistant's tests: an outdoor shop with one cart, as rows and as what the assistant knows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from recovery.models import Cart, CartItem, LinkToken, Policy, Product, ProductLink, Store
from recovery.runtime import Runtime
from recovery.stores.registry import add_connection, add_store, change_settings
from recovery.tokens import CartClaims, new_jti, sign_cart_link

EMAIL = "jan.kowalski@example.com"

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "jacket": "Hala rain jacket",
        "jacket_text": "A three-layer shell with fully taped seams. The hood fits over a helmet. Now only 199 EUR!",
        "jacket_summary": "Rain jacket for long wet days.",
        "material": ("Material", "Recycled polyamide, microporous membrane"),
        "care": ("Care", "Wash at 30 °C, no fabric softener"),
        "season": ("Season", "All year"),
        "fleece": "Borowik fleece",
        "wind": "Wierch wind jacket",
        "kit": "Care kit",
        "jackets": "Jackets",
        "care_category": "Care",
        "moss": "Moss green",
        "shipping": (
            "Delivery",
            "We send by courier for €4.90. From €100.00 of goods delivery is free. "
            "Orders paid by noon leave the same working day.",
        ),
        "returns": (
            "Returns",
            "Send back anything unworn within 30 days of delivery. You do not have to give a reason.",
        ),
        "payment": ("Payment", "Pay by card, by bank transfer or on delivery. We never see your card data."),
        "guide": (
            "Sizes of tops",
            "S, Height 164–172 cm, Chest 88–94 cm\nM, Height 173–180 cm, Chest 95–101 cm\n"
            "Between two sizes take the larger one.\nHala rain jacket",
        ),
        "working_days": "working days",
    },
    "pl": {
        "jacket": "Kurtka przeciwdeszczowa Hala",
        "jacket_text": "Trójwarstwowa kurtka z klejonymi szwami. Kaptur mieści kask. Teraz tylko 199 zł!",
        "jacket_summary": "Kurtka na długie mokre dni.",
        "material": ("Materiał", "Poliamid z recyklingu, mikroporowata membrana"),
        "care": ("Pielęgnacja", "Prać w 30 °C, bez płynu do płukania"),
        "season": ("Sezon", "Cały rok"),
        "fleece": "Polar Borowik",
        "wind": "Wiatrówka Wierch",
        "kit": "Zestaw do pielęgnacji",
        "jackets": "Kurtki",
        "care_category": "Pielęgnacja",
        "moss": "Zieleń mchu",
        "shipping": (
            "Dostawa",
            "Wysyłamy kurierem za 19,90 zł. Od 400,00 zł za towar dostawa jest bezpłatna. "
            "Zamówienia opłacone do południa wychodzą tego samego dnia.",
        ),
        "returns": ("Zwroty", "Nienoszone rzeczy można odesłać w ciągu 30 dni od dostawy. Nie trzeba podawać powodu."),
        "payment": ("Płatność", "Można zapłacić kartą, przelewem albo przy odbiorze. Danych karty nie widzimy."),
        "guide": (
            "Rozmiary gór",
            "S, Wzrost 164–172 cm, Klatka 88–94 cm\nM, Wzrost 173–180 cm, Klatka 95–101 cm\n"
            "Między rozmiarami lepiej wybrać większy.\nKurtka przeciwdeszczowa Hala",
        ),
        "working_days": "dni robocze",
    },
}


@dataclass(frozen=True)
class Shop:
    """The rows and a genuine assistant link."""

    store: Store
    cart: Cart
    link: LinkToken
    token: str


async def make_shop(runtime: Runtime, language: str = "en", *, minutes: int = 60, name: str = "demo") -> Shop:
    """The store, its products and policies, one cart and its assistant link."""
    now = runtime.now()
    words = TEXTS[language]
    currency = "EUR" if language == "en" else "PLN"
    connection, _ = await add_connection(runtime.keys, f"{name}-{language}", "Demo", "https://shop.example", now)
    store = await add_store(
        connection, language, "Hala & Co.", language=language, currency=currency, timezone="Europe/Warsaw"
    )
    await change_settings(store, {"contact_url": "https://shop.example/contact"})
    await _products(store, words, currency, now)
    await _policies(store, words, currency, language, now)
    cart = await _cart(runtime, store, words, currency, now)
    return await make_link(runtime, store, cart, now, minutes)


async def _products(store: Store, words: dict[str, Any], currency: str, now: datetime) -> None:
    common: dict[str, Any] = {
        "store": store,
        "occurred_at": now,
        "currency": currency,
        "currency_digits": 2,
        "locale": store.language,
    }
    attributes = [{"name": name, "value": value} for name, value in (words[k] for k in ("material", "care", "season"))]
    jacket: dict[str, Any] = {
        "description": words["jacket_text"],
        "short_description": words["jacket_summary"],
        "attributes": attributes,
        "categories": [words["jackets"]],
        "price": 23900,
        **common,
    }
    await Product.create(product_id="hala", name=words["jacket"], in_stock=True, stock_quantity=50000, **jacket)
    for colour, size, stock in (("moss", "S", 2), ("moss", "M", 3), ("moss", "L", 0)):
        await Product.create(
            product_id=f"hala-{colour}-{size.lower()}",
            parent_id="hala",
            name=f"{words['jacket']}, {words['moss']}, {size}",
            in_stock=stock > 0,
            stock_quantity=stock * 10_000,
            url="https://shop.example/product/hala",
            image_url="https://shop.example/hala.svg",
            **jacket,
        )
    for product_id, name, price, category in (
        ("fleece", words["fleece"], 8900, words["jackets"]),
        ("wind", words["wind"], 13900, words["jackets"]),
        ("kit", words["kit"], 1900, words["care_category"]),
    ):
        await Product.create(
            product_id=product_id, name=name, price=price, in_stock=True, categories=[category], **common
        )
    for position, (kind, linked) in enumerate(
        [("related", "wind"), ("upsell", "fleece"), ("crosssell", "kit"), ("crosssell", "fleece")]
    ):
        await ProductLink.create(store=store, product_id="hala", kind=kind, linked_id=linked, position=position)


async def _policies(store: Store, words: dict[str, Any], currency: str, language: str, now: datetime) -> None:
    price, free = (490, 10000) if currency == "EUR" else (1990, 40000)
    facts: dict[str, list[dict[str, Any]]] = {
        "shipping": [
            {"name": "shipping_price", "amount": price, "currency": currency},
            {"name": "free_shipping_from", "amount": free, "currency": currency},
            {"name": "delivery_days_min", "amount": 2},
            {"name": "delivery_days_max", "amount": 3, "condition": words["working_days"]},
        ],
        "returns": [{"name": "return_days", "amount": 30}],
    }
    for kind in ("shipping", "returns", "payment", "size_guide"):
        title, text = words["guide" if kind == "size_guide" else kind]
        await Policy.create(
            store=store, key=kind, kind=kind, locale=language, title=title, text=text, occurred_at=now,
            facts=facts.get(kind, []),
        )  # fmt: skip


async def _cart(runtime: Runtime, store: Store, words: dict[str, Any], currency: str, now: datetime) -> Cart:
    cart = await Cart.create(
        connection_id=store.connection_id, store=store, quote_id="4711", occurred_at=now, received_at=now,
        activity_at=now, created_at=now, fingerprint="f", email=EMAIL, email_hash=runtime.keys.email_hash(EMAIL),
        first_name="Jan", currency=currency, currency_digits=2, total=23900, cart_url="https://shop.example/cart",
    )  # fmt: skip
    await CartItem.create(
        cart=cart, position=0, product_id="hala-moss-m", parent_id="hala",
        name=f"{words['jacket']}, {words['moss']}, M", quantity=10_000, row_total=23900,
        options=[{"name": "Size", "value": "M"}],
        url="https://shop.example/product/hala", image_url="https://shop.example/hala.svg",
    )  # fmt: skip
    return cart


async def make_link(runtime: Runtime, store: Store, cart: Cart, now: datetime, minutes: int) -> Shop:
    """A genuine assistant link of a cart."""
    assert cart.email_hash is not None
    expires_at = (now + timedelta(minutes=minutes)).replace(microsecond=0)
    link = await LinkToken.create(
        jti=new_jti(), kind="assistant", cart=cart, store=store, email_hash=cart.email_hash, created_at=now,
        expires_at=expires_at,
    )  # fmt: skip
    claims = CartClaims(cart.quote_id, store.id, cart.email_hash, int(expires_at.timestamp()), link.jti)
    issued_at = min(now, expires_at) - timedelta(hours=1)
    return Shop(store, cart, link, sign_cart_link(runtime.keys, "assistant", claims, issued_at))
