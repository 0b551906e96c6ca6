"""From an area to packs: what counts as an area, the waste, the rounding, and when a total may be named."""

from dataclasses import replace
from decimal import Decimal

import pytest

from chatbot.areas import area_asked, area_said
from chatbot.cards import card
from chatbot.context import Item, Knowledge, Line
from chatbot.passages import products_of
from chatbot.texts import load_texts

TEXTS = load_texts()
TILE = Item(
    "tile", "Stone tile", 2500, "EUR", 2, True, sold_by="m2", pack=14_400, attributes=(("Pack", "1.44 m² (4 tiles)"),)
)


def said(question: str, item: Item, language: str = "en") -> str:
    texts = TEXTS.of(language)
    known = Knowledge(language, "Shop", "EUR", 2, 2500, lines=(Line(item.name, 10_000, 2500, item.id, item),))
    return area_said(question, products_of(question, known, texts)[0], known, texts).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("question", "area"),
    [
        ("I have a 4 by 3 m floor", "12"),
        ("2.5 x 3 m", "7.5"),
        ("podłoga 2,5 na 4 m", "10"),
        ("12 m2", "12"),
        ("8 square metres", "8"),
        ("8 metrów kwadratowych", "8"),
        ("60x60 tile", None),
        ("ściana 2,5 na 3 metry", "7.5"),
        ("a lawn of 4x3", "12"),
        ("rooms of 4 x 3 m and 2 x 2 m", "16"),
        ("how much is it", None),
    ],
)
def test_an_area_is_understood(question: str, area: str | None) -> None:
    assert area_asked(question) == (Decimal(area) if area else None)


def test_packs_are_rounded_up_with_waste_and_priced_by_the_metre() -> None:
    # By hand: 12 m² and a tenth are 13.2; ten packs of 1.44 are 14.4 m², nine only 12.96; 14.4 × 25.00 is 360.00.
    text = said("I have a 4 by 3 m floor", TILE)
    assert "13.2 m²" in text
    assert "10 packs (14.4 m²)" in text
    assert "€360.00" in text


def test_no_waste_is_added_where_none_is_wanted() -> None:
    assert "9 packs" in said("12 m2 without waste", TILE)
    assert "10 opak." in said("12 m2 z zapasem 15 %", TILE, "pl")


def test_a_product_sold_by_the_piece_gets_no_total() -> None:
    piece = Item("tile", "Stone tile", 2500, "EUR", 2, True, attributes=(("Coverage", "1.44 m²"),))
    text = said("12 m2", piece)
    assert "10 packs" in text
    assert "€" not in text


def test_what_the_store_does_not_say_is_not_worked_out() -> None:
    assert said("12 m2", Item("hat", "Hat", 2500, "EUR", 2, True)) == ""


def test_a_rate_of_use_gives_an_amount() -> None:
    glue = Item("glue", "Glue", 2500, "EUR", 2, True, attributes=(("Consumption", "3 kg/m²"),))
    assert "10 m² × 3 kg/m² = 30 kg" in said("how much for 10 m2", glue)


def test_of_several_rates_the_one_whose_condition_is_named_counts() -> None:
    seed = Item(
        "seed",
        "Lawn seed, 2 kg",
        2500,
        "EUR",
        2,
        True,
        attributes=(("Use", "30 g/m² (new), 15 g/m² (overseeding)"),),
    )
    # By hand: 40 m² × 15 g are 600 g, 40 m² × 30 g are 1,200 g.
    assert "= 600 g" in said("how much for overseeding 40 m2", seed)
    assert "= 1200 g" in said("how much for a new lawn of 40 m2", seed)


def test_an_amount_becomes_packs_where_the_pack_is_stated() -> None:
    mulch = Item("mulch", "Bark mulch, 25 kg", 900, "EUR", 2, True, attributes=(("Consumption", "8 kg/m²"),))
    # By hand: 10 m² × 8 kg are 80 kg, and 80 ÷ 25 is 3.2, so four.
    assert "80 ÷ 25 kg a pack, rounded up, is 4." in said("how many bags for 10 m2", mulch)
    pegs = Item("pegs", "Fleece pegs, 50 pieces", 900, "EUR", 2, True, attributes=(("Use", "6 per m²"),))
    assert "60 ÷ 50 pieces a pack, rounded up, is 2." in said("how many pegs for 10 m2", pegs)


@pytest.mark.parametrize(
    ("language", "question"), [("en", "how many m2 does it cover?"), ("pl", "na ile m2 to starczy?")]
)
def test_how_far_a_pack_goes(language: str, question: str) -> None:
    stain = Item(
        "stain", "Fence stain", 900, "EUR", 2, True, attributes=(("Content", "5 l"), ("Consumption", "0.2 l/m²"))
    )
    assert "= 25 m²" in said(question, stain, language)


def test_a_card_says_what_its_price_is_for() -> None:
    known = Knowledge("en", "Shop", "EUR", 2, 2500)
    assert card(TILE, "", known)["price"] == "€25.00 / m²"
    assert card(replace(TILE, sold_by="piece"), "", known)["price"] == "€25.00"
