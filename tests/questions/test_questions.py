"""The question set is sound: its files fit their catalogues, and no kind or language is left thin."""

import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from recovery.demo.catalogue.model import Catalogue
from recovery.demo.fronts import CATALOGUES, fronts

FOLDER = Path(__file__).parent
KINDS = {
    "size", "compatibility", "complete_set", "purpose", "material", "why", "comparison", "alternatives", "cheaper",
    "goes_with", "area", "price", "coupon", "delivery", "returns", "payment", "warranty", "stock", "order", "human",
    "faq", "safety", "unknown", "follow_up",
}  # fmt: skip
# What any shop is asked; the rest takes knowing the trade.
COMMON = {"price", "coupon", "delivery", "returns", "payment", "warranty", "stock", "order", "human", "faq"}
FIELDS = {"id", "kind", "language", "cart", "question", "expect"}
EXPECTED = {"answerable", "products", "any_of", "none_of", "money"}
FRONTS = {(front.catalogue, front.language): front for front in fronts(CATALOGUES).values()}


def questions(catalogue: str, language: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads((FOLDER / f"{catalogue}.{language}.json").read_bytes())
    return found


ALL = {key: questions(*key) for key in FRONTS}


def folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().replace("ł", "l"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@pytest.fixture(params=FRONTS, ids=".".join)
def key(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


def test_every_file_belongs_to_a_shop_front() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {".".join(front) for front in FRONTS}


def test_ids_are_unique_and_say_where_they_stand() -> None:
    for (catalogue, language), asked in ALL.items():
        assert all(item["id"].startswith(f"{catalogue}.{language}.") for item in asked)
    ids = [item["id"] for asked in ALL.values() for item in asked]
    assert len(ids) == len(set(ids))


def test_each_question_has_its_shape(key: tuple[str, str]) -> None:
    for item in ALL[key]:
        assert item.keys() - {"before"} == FIELDS, item["id"]
        assert item["kind"] in KINDS, item["id"]
        assert item["language"] == key[1], item["id"]
        assert 0 < len(item["question"]) <= 1200, item["id"]
        assert (item["kind"] == "follow_up") == bool(item.get("before")), item["id"]
        expect = item["expect"]
        assert expect.keys() <= EXPECTED, item["id"]
        assert isinstance(expect["answerable"], bool), item["id"]
        if expect["answerable"]:
            assert expect.keys() & {"products", "any_of", "money"}, item["id"]
        else:
            assert expect.keys() <= {"answerable", "none_of"}, item["id"]


def test_words_are_folded(key: tuple[str, str]) -> None:
    for item in ALL[key]:
        wanted = [word for words in item["expect"].get("any_of", []) for word in words]
        for word in (*wanted, *item["expect"].get("none_of", [])):
            # "10 × 10" and a minus of its own keep their signs; folding leaves them alone.
            assert word == folded(word), item["id"]
            assert word.strip(), item["id"]


def test_carts_and_products_exist(key: tuple[str, str]) -> None:
    shop = FRONTS[key].load()
    for item in ALL[key]:
        for family in item["expect"].get("products", []):
            assert family in shop.products, item["id"]
        for line in item["cart"]:
            variant = shop.variants[line["product"]]
            assert variant.stock > 0, item["id"]
            assert Decimal(line["quantity"]) % variant.measure.pack == 0, item["id"]


def test_amounts_of_money_follow_from_the_catalogue(key: tuple[str, str]) -> None:
    """Each amount is a price, a delivery rule, or packs of something at its price; a cart adds its lines and sum."""
    shop = FRONTS[key].load()
    for item in ALL[key]:
        for amount in item["expect"].get("money", []):
            assert amount["currency"] == shop.currency, item["id"]
            assert amount["amount"] in known_amounts(shop, item["cart"]), (item["id"], amount)


def known_amounts(shop: Catalogue, cart: list[dict[str, str]]) -> set[int]:
    found = {0, shop.free_shipping_from} | {method.price for method in shop.shipping}
    for variant in shop.variants.values():
        found |= {variant.price} | {variant.measure.cost(variant.price, packs) for packs in range(1, 13)}
    lines = []
    for line in cart:
        variant = shop.variants[line["product"]]
        lines.append(variant.measure.cost(variant.price, variant.measure.packs(Decimal(line["quantity"]))))
    return found | set(lines) | {sum(lines)}


def test_counts_and_shares_hold() -> None:
    everything = [item for asked in ALL.values() for item in asked]
    assert len(everything) >= 250
    for catalogue in CATALOGUES:
        assert len(ALL[catalogue, "en"]) + len(ALL[catalogue, "pl"]) >= 45
    english = sum(item["language"] == "en" for item in everything)
    assert 0.4 <= english / len(everything) <= 0.6
    assert {item["kind"] for item in everything} == KINDS
    assert sum(item["kind"] not in COMMON for item in everything) / len(everything) >= 0.6
    assert sum(not item["expect"]["answerable"] for item in everything) / len(everything) >= 0.18


def test_polish_is_typed_as_people_type_it() -> None:
    asked = [item["question"] for (_, language), items in ALL.items() if language == "pl" for item in items]
    plain = [question for question in asked if question == folded(question) or question.isascii()]
    assert len(plain) / len(asked) >= 0.9
