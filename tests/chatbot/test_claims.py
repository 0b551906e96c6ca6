"""Ordinary answers pass; each kind of claim is found, typed, and let through only with its own fact behind it."""

from dataclasses import replace
from typing import Any

import pytest

from recovery.claims import unbacked
from recovery.facts import Facts, typed_facts
from tests.chatbot.demo_knowledge import demo_knowledge
from tests.chatbot.honest import HONEST

FACTS = {language: typed_facts(demo_knowledge(language)) for language in ("en", "pl")}


def test_honest_answers_pass() -> None:
    count = sum(map(len, HONEST.values()))
    stopped = {
        sentence: claims
        for language, sentences in HONEST.items()
        for sentence in sentences
        if (claims := unbacked(sentence, "", FACTS[language]))
    }
    assert count >= 120
    assert len(stopped) <= 0.05 * count, stopped


@pytest.mark.parametrize(
    ("language", "sentence", "kind"),
    [
        ("en", "The Hala rain jacket costs €19.00.", "price"),
        ("en", "The Sarnia insulated jacket costs €239.00.", "price"),
        ("en", "The Hala rain jacket costs €289.00 and the Sarnia insulated jacket €239.00.", "price"),
        ("en", "The Hala rain jacket costs twelve euros.", "price"),
        ("en", "It costs １２ €.", "price"),
        ("en", "It costs ١٢ €.", "price"),
        ("en", "It costs 1 2 , 9 9 €.", "price"),
        ("en", "It costs 1\u200b9 €.", "price"),
        ("en", "It costs 12k.", "number"),
        ("en", "Only 239,00 PLN.", "price"),
        ("en", "Delivery costs €150.00.", "price"),
        ("en", "A courier costs €4.90.", "price"),
        ("en", "Save 20 % now.", "percent"),
        ("en", "You get twenty percent.", "percent"),
        ("en", "The socks are 20 % merino off the price.", "percent"),
        ("en", "Use SUMMER at the till.", "code"),
        ("en", "Only 3 left.", "number"),
        ("en", "It is sold out.", "stock"),
        ("en", "The beanie in Moss green is in stock.", "stock"),
        ("en", "Delivery takes 3 days.", "delivery"),
        ("en", "You get it tomorrow.", "date"),
        ("en", "Return it within 60 days.", "delivery"),
        ("en", "You have ninety days.", "delivery"),
        ("en", "The warranty lasts 5 years.", "delivery"),
        ("en", "The Hala rain jacket is cheaper than the Borowik fleece.", "comparison"),
        ("en", "It is reduced.", "comparison"),
        ("en", "It is yours for free.", "free"),
        ("en", "I can't believe it is free.", "free"),
        ("en", "I can't give discounts, but the code is yours.", "comparison"),
        ("en", "It is safe for children.", "safety"),
        ("en", "The shop writes: “Send it back within 90 days.”", "delivery"),
        ("en", "The shop writes: “You do not have to give a reason and it is free.”", "free"),
        ("pl", "Kurtka kosztuje dwanaście złotych.", "price"),
        ("pl", "Kosztuje 12 złociszy.", "price"),
        ("pl", "Kosztuje 1 2 , 9 9 zł.", "number"),
        ("pl", "Wszystko za pół ceny.", "comparison"),
        ("pl", "Druga para gratis.", "free"),
        ("pl", "To ostatnie sztuki.", "stock"),
        ("pl", "Paczka będzie jutro.", "date"),
        ("pl", "Jest bezpieczna dla dzieci.", "safety"),
        ("pl", "Zwrot w ciągu 14 dni.", "delivery"),
    ],
)
def test_a_claim_without_its_fact_is_found(language: str, sentence: str, kind: str) -> None:
    assert kind in {claim.kind for claim in unbacked(sentence, "", FACTS[language])}


@pytest.mark.parametrize(
    ("before", "sentence"),
    [("The price is.", "5."), ("It takes.", "Five euros."), ("You get it", "for free."), ("Delivery?", "Fast."),
     ("The price:", "Five."), ("The Sarnia insulated jacket is warm.", "It costs €239.00.")],
)  # fmt: skip
def test_what_was_shown_before_makes_a_claim_of_a_sentence(before: str, sentence: str) -> None:
    assert unbacked(sentence, before, FACTS["en"])


def test_the_product_named_before_backs_the_price_of_it() -> None:
    assert unbacked("It costs €289.00.", "The Sarnia insulated jacket is warm.", FACTS["en"]) == []


def test_a_claim_tells_its_amount_and_place() -> None:
    sentence = "The Hala rain jacket costs €19.50."
    (claim,) = unbacked(sentence, "", FACTS["en"])
    assert (claim.kind, str(claim.amount), sentence[slice(*claim.span)]) == ("price", "19.50", "19.50")


def test_numbers_in_a_products_text_back_nothing() -> None:
    known = demo_knowledge("en", {"description": "Now only €12.00!", "attribute": "€12.00", "product_name": "€12.00"})
    assert unbacked("The Hala rain jacket costs €12.00.", "", typed_facts(known))


def test_a_policy_backs_its_own_sentence_only_as_a_quotation() -> None:
    sentence = "Collecting in our shop costs nothing."
    assert unbacked(sentence, "", FACTS["en"])
    assert unbacked(f"The shop writes: “{sentence}”", "", FACTS["en"]) == []


def test_a_coupon_of_the_cart_may_be_named() -> None:
    sentence = "The cart already holds this code: TRAIL5."
    assert unbacked(sentence, "", FACTS["en"])
    held = typed_facts(replace(demo_knowledge("en"), coupon_codes=("TRAIL5",)))
    assert unbacked(sentence, "", held) == []


def test_a_product_that_a_tool_returned_backs_its_price() -> None:
    known = demo_knowledge("en")
    tents = replace(known.siblings[0], id="tent", parent_id=None, name="Everest tent", title="", price=39900)
    facts = Facts(known)
    sentence = "The Everest tent costs €399.00."
    assert unbacked(sentence, "", facts)
    facts.add([tents])
    assert unbacked(sentence, "", facts) == []
    assert facts.placed(facts.place(tents)) == tents


@pytest.mark.parametrize("planted", [{"name": "Enter HALAFRIENDS"}, {"attributes": (("Care", "Enter HALAFRIENDS"),)}])
def test_no_name_or_attribute_makes_a_code_of_its_own(planted: dict[str, Any]) -> None:
    """Words in capitals of a product's texts may be said, but nobody is told to type them in."""
    known = demo_knowledge("en")
    line = known.lines[0]
    assert line.item is not None
    item = replace(line.item, id="planted", parent_id=None, title="", **planted)
    facts = typed_facts(replace(known, found=(item,)))
    claims = unbacked("Enter HALAFRIENDS at checkout.", "", facts)
    assert [(claim.kind, claim.said) for claim in claims] == [("code", "HALAFRIENDS")]
    assert unbacked("The zips are by YKK.", "", facts) == []
