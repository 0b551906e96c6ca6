"""Every catalogue is whole: each link leads somewhere, each price and text exists for both fronts."""

import re
import xml.etree.ElementTree as ElementTree
from decimal import Decimal

import pytest

from recovery.demo.catalogue.files import read_words
from recovery.demo.catalogue.loading import _attributes, catalogue_folder, load_catalogue
from recovery.demo.catalogue.model import Catalogue
from recovery.demo.fronts import CATALOGUES, FIRST, Front, fronts
from recovery.demo.pictures import draw_pictures
from recovery.demo.prices import format_price
from recovery.demo.wording import Wording
from recovery.errors import SetupError

FACTS = {
    "free_shipping_from",
    "shipping_price",
    "return_days",
    "delivery_days_min",
    "delivery_days_max",
    "warranty_months",
    "minimum_order",
}


@pytest.fixture(params=fronts(CATALOGUES).values(), ids=lambda front: front.store)
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    front: Front = request.param
    return front.load()


def test_every_catalogue_folder_is_offered() -> None:
    assert {path.parent.name for path in catalogue_folder(FIRST).parent.glob("*/catalogue.json")} == set(CATALOGUES)


def test_it_is_a_real_shelf(catalogue: Catalogue) -> None:
    assert 14 <= len(catalogue.products) <= 20
    assert 24 <= len(catalogue.variants) <= 60
    stocks = [variant.stock for variant in catalogue.variants.values()]
    assert 0 in stocks
    assert any(0 < stock <= 4 for stock in stocks)


def test_links_lead_to_products_and_never_to_oneself(catalogue: Catalogue) -> None:
    for product in catalogue.products.values():
        for linked in (*product.related, *product.upsell, *product.crosssell):
            assert linked in catalogue.products
            assert linked != product.id
        assert product.crosssell or product.related


def test_an_upsell_costs_more(catalogue: Catalogue) -> None:
    for product in catalogue.products.values():
        assert all(catalogue.products[linked].price > product.price for linked in product.upsell)


def test_every_product_says_what_it_is(catalogue: Catalogue) -> None:
    for product in catalogue.products.values():
        assert product.category in dict(catalogue.categories)
        assert product.price > 0
        assert len(product.description) >= 2
        codes = [attribute.code for attribute in product.attributes]
        assert "use" in codes
        assert len(codes) == len(set(codes))
        assert all(len(attribute.value) <= 255 for attribute in product.attributes)


def test_what_fits_names_products_of_the_shop(catalogue: Catalogue) -> None:
    """Outdoor clothes fit bodies; in the other trades things fit things, and say which."""
    told = [
        attribute.value
        for product in catalogue.products.values()
        for attribute in product.attributes
        if attribute.code in {"compatible", "incompatible", "requires"}
    ]
    assert not any("{" in value for value in told)
    named = {product.name for product in catalogue.products.values() if any(product.name in value for value in told)}
    assert len(named) >= (0 if catalogue.code == FIRST else 7)


def test_an_id_in_a_text_that_no_product_has_is_an_error() -> None:
    with pytest.raises(KeyError, match="submarine"):
        _attributes([["use", "{submarine}"]], read_words(catalogue_folder(FIRST), "en"))


def test_words_of_a_variant_take_the_place_of_the_products(catalogue: Catalogue) -> None:
    for product in catalogue.products.values():
        said = {attribute.code for attribute in product.attributes}
        for variant in product.variants:
            codes = [attribute.code for attribute in variant.attributes]
            assert len(codes) == len(set(codes))
            assert said <= set(codes)


def test_words_of_a_variant_belong_to_one_that_is_sold(catalogue: Catalogue) -> None:
    words = read_words(catalogue_folder(catalogue.code), catalogue.language)
    for product_id, text in words.products.items():
        assert {f"{product_id}-{part}" for part in text.own} <= set(catalogue.variants)


def test_tiles_are_bought_by_the_pack() -> None:
    tile = load_catalogue("tiles", "pl", "PLN").variants["skala-graphite"]
    assert tile.measure.packs(Decimal("4")) == 3
    assert tile.measure.amount(3) == Decimal("4.32")
    assert tile.measure.cost(tile.price, 3) == 54821


def test_variant_ids_are_unique_and_fit_a_hook(catalogue: Catalogue) -> None:
    ids = [variant.id for product in catalogue.products.values() for variant in product.variants]
    assert len(ids) == len(set(ids))
    assert all(len(variant_id) <= 64 for variant_id in ids)


def test_a_size_guide_names_every_size_that_is_sold(catalogue: Catalogue) -> None:
    for product in catalogue.products.values():
        if product.size_guide is None:
            continue
        rows = {row[0] for row in catalogue.size_guides[product.size_guide].rows}
        sizes = {value for axis in product.axes if axis.code == "size" for value, _ in axis.values}
        assert sizes <= rows


def test_policies_state_their_facts_in_their_text(catalogue: Catalogue) -> None:
    assert {"shipping", "returns", "payment"} <= {policy.kind for policy in catalogue.policies}
    for policy in catalogue.policies:
        for fact in policy.facts:
            assert fact.name in FACTS
            shown = format_price(fact.amount, fact.currency, catalogue.language) if fact.currency else str(fact.amount)
            assert shown in policy.text


def test_shipping_costs_what_the_policy_says(catalogue: Catalogue) -> None:
    facts = [fact for policy in catalogue.policies for fact in policy.facts]
    paid = {method.price for method in catalogue.shipping if method.price}
    assert {fact.amount for fact in facts if fact.name == "shipping_price"} == paid
    assert [fact.amount for fact in facts if fact.name == "free_shipping_from"] == [catalogue.free_shipping_from]


@pytest.mark.parametrize("name", CATALOGUES)
def test_both_languages_say_the_same_things(name: str) -> None:
    folder = catalogue_folder(name)
    english, polish = read_words(folder, "en"), read_words(folder, "pl")
    for part in (
        "categories",
        "axes",
        "values",
        "attributes",
        "columns",
        "products",
        "shipping",
        "policies",
        "size_advice",
    ):
        assert getattr(english, part).keys() == getattr(polish, part).keys()
    for product_id, text in english.products.items():
        other = polish.products[product_id]
        assert [entry[0] for entry in text.attributes] == [entry[0] for entry in other.attributes]
        assert {part: [entry[0] for entry in own] for part, own in text.own.items()} == {
            part: [entry[0] for entry in own] for part, own in other.own.items()
        }
        assert len(text.description) == len(other.description)
        assert text.summary != other.summary


def test_page_texts_exist_in_both_languages_with_the_same_values() -> None:
    english, polish = Wording("en")._words, Wording("pl")._words
    assert english.keys() == polish.keys()
    for key, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", polish[key]))


def test_polish_counts_are_grammatical() -> None:
    wording = Wording("pl")
    assert [wording.count("items", n) for n in (1, 2, 5, 22)] == ["1 sztuka", "2 sztuki", "5 sztuk", "22 sztuki"]


def test_every_variant_has_its_picture(catalogue: Catalogue) -> None:
    pictures = draw_pictures(catalogue_folder(catalogue.code))
    for variant in catalogue.variants.values():
        root = ElementTree.fromstring(pictures[variant.picture])
        assert root.tag.endswith("svg")
        assert b"{" not in pictures[variant.picture]
    assert len(set(pictures.values())) > 0.8 * len(catalogue.products)


def test_an_unknown_catalogue_names_the_known_ones() -> None:
    with pytest.raises(SetupError, match="outdoor"):
        catalogue_folder("submarines")
