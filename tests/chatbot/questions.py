"""The question set: catalogues as the demo's hooks send them, carts, and the judgement of an answer."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from chatbot.words import fold
from recovery.demo.cart_hooks import Addresses
from recovery.demo.catalogue.loading import read_catalogue
from recovery.demo.catalogue.model import Catalogue
from recovery.demo.catalogue_hooks import policy_batches, product_batches
from recovery.models import Store
from recovery.products import take_policies, take_products
from recovery.runtime import Runtime
from recovery.stores.catalogue import PolicyUpdated, ProductUpdated
from recovery.stores.reading import Reading
from recovery.stores.registry import add_connection, add_store, change_settings

FOLDER = Path(__file__).parents[1] / "questions"
CONTACT = "https://shop.example/contact"
CURRENCIES = {"en": "EUR", "pl": "PLN"}
_MONEY = re.compile(r"€\s?(\d[\d.,]*\d|\d)|(\d[\d\u00a0\u202f .,]*\d|\d)\s?(?:zł|€|EUR|PLN)")
#: What is said of percentages, of pieces in stock, and of days and months, each with its number or range.
_COUNTS = {
    "share": re.compile(r"(\d+(?:[.,]\d+)?)(?:\s?[–-]\s?(\d+))?\s?%"),
    "stock": re.compile(r"(\d+)() left\b|w magazynie: (\d+)()"),
    "time": re.compile(
        r"(\d+)(?:\s?(?:[–-]|to|do)\s?(\d+))?\s?(?:working )?(?:days?|months?|dni|miesi\w+)\b"
        r"|\(w (?:dniach|miesiącach)\): (\d+)(?:–(\d+))?|tyle dni: (\d+)()"
    ),
}


@dataclass(frozen=True)
class Question:
    """One question with what a right answer must and must not hold."""

    id: str
    kind: str
    language: str
    question: str
    cart: tuple[tuple[str, str], ...]
    expect: dict[str, Any]
    before: tuple[str, ...] = ()


@dataclass
class Told:
    """A store that was told a whole catalogue."""

    store: Store
    catalogue: Catalogue
    folder: Path
    amounts: set[int] = field(default_factory=set)


def read_questions(file: Path) -> list[Question]:
    """The questions of one file."""
    return [
        Question(
            one["id"], one["kind"], one["language"], one["question"],
            tuple((line["product"], line["quantity"]) for line in one["cart"]), one["expect"],
            tuple(one.get("before", ())),
        )
        for one in json.loads(file.read_text())
    ]  # fmt: skip


async def tell(runtime: Runtime, folder: Path, language: str, now: datetime) -> Told:
    """A store with the catalogue of that folder, through the payloads of its hooks."""
    catalogue = read_catalogue(folder, language, CURRENCIES[language])
    code = f"{folder.name}-{language}"
    connection, _ = await add_connection(runtime.keys, code, folder.name, "https://shop.example", now)
    store = await add_store(
        connection, language, catalogue.name, language=language, currency=catalogue.currency, timezone="Europe/Warsaw"
    )
    await change_settings(store, {"contact_url": CONTACT})
    reading = Reading(frozenset({"shop.example"}), now, now)
    at = Addresses("https://shop.example", language)
    for batch in product_batches(catalogue, at, lambda variant: variant.stock):
        payload = ProductUpdated.model_validate({"products": batch})
        await take_products(store, [one.snapshot(reading, "") for one in payload.products])
    for policies in policy_batches(catalogue, at):
        told = PolicyUpdated.model_validate({"policies": policies})
        await take_policies(store, [one.snapshot(reading, "") for one in told.policies])
    return Told(await Store.get(id=store.id), catalogue, folder)


def amounts(text: str) -> set[int]:
    """The amounts of money in a text, in minor units of a currency with two decimals."""
    found = set()
    for one, other in _MONEY.findall(text):
        digits = re.sub(r"[\s\u00a0\u202f]", "", one or other)
        whole, _, cents = re.sub(r"[.,](?=\d{3}\b)", "", digits).replace(",", ".").partition(".")
        found.add(int(whole) * 100 + int((cents or "0").ljust(2, "0")[:2]))
    return found


def typed_amounts(told: Told, asked: Question, cards: list[dict[str, Any]], text: str) -> set[int]:
    """What the catalogue itself allows to be said: prices of the products named, its policies' numbers, the cart's."""
    named = {card["id"] for card in cards}
    products = told.catalogue.products.values()
    prices = {
        variant.price
        for product in products
        for variant in product.variants
        if fold(product.name) in fold(text) or {variant.id, product.id} & named
    }
    facts = {fact.amount for policy in told.catalogue.policies for fact in policy.facts if fact.currency}
    free = {0}
    return prices | facts | free | told.amounts | {money["amount"] for money in asked.expect.get("money", ())}


def counts(text: str, language: str) -> set[tuple[str, str]]:
    """The percentages, stock figures, days and months in a text."""
    assert language in CURRENCIES
    return {
        (kind, number.replace(",", "."))
        for kind, pattern in _COUNTS.items()
        for found in pattern.findall(text.replace("\u00a0", " "))
        for number in found
        if number
    }


def typed_counts(told: Told) -> set[tuple[str, str]]:
    """Those that the catalogue's own file holds, read as a plain text of it."""
    catalogue = told.catalogue
    stock = {("stock", str(variant.stock)) for variant in catalogue.variants.values()}
    facts = {("time", str(fact.amount)) for policy in catalogue.policies for fact in policy.facts if not fact.currency}
    written = (told.folder / f"{catalogue.language}.json").read_text()
    quoted = counts(json.dumps(json.loads(written), ensure_ascii=False), catalogue.language)
    return stock | facts | {pair for pair in quoted if pair[0] != "stock"}


def holds(text: str, word: str) -> bool:
    """Whether a folded text holds a word of an expectation: at a word's start, a short one whole."""
    whole = r"(?![a-z0-9])" if len(word) < 4 and word[-1:].isalnum() else ""
    return re.search(rf"(?<![a-z0-9]){re.escape(plain(word))}{whole}", plain(text)) is not None


def plain(text: str) -> str:
    """Folded, with the signs kept that expectations hold."""
    signs = str.maketrans({"ł": "l", "Ł": "l", "\u00a0": " ", "\u202f": " "})
    return "".join(fold(char) or char if char.isalpha() else char for char in text.translate(signs).lower())


def faults(asked: Question, text: str, cards: list[dict[str, Any]], told: Told) -> list[str]:
    """What is wrong with an answer; nothing if it is right."""
    expect = asked.expect
    found = [f"says {word!r}" for word in expect.get("none_of", ()) if holds(text, word)]
    if not expect["answerable"]:
        return found if CONTACT in text else [*found, "does not lead to a person"]
    found += [f"lacks {words}" for words in expect.get("any_of", ()) if not any(holds(text, word) for word in words)]
    if expect.get("products"):
        first = told.catalogue.products[expect["products"][0]]
        ids = {first.id, *(variant.id for variant in first.variants)}
        if fold(first.name) not in fold(text) and not (cards and cards[0]["id"] in ids):
            found.append(f"is not about {first.id}")
    return found
