"""One trait of a product, what to take for a use, and what a question of foreign things gets, in a made-up shop."""

from dataclasses import replace

import pytest

from chatbot.answers import Answer, answer
from chatbot.context import Item, Knowledge, Line, PolicyText
from chatbot.texts import load_texts
from chatbot.words import fold, measured

TEXTS = load_texts()
CONTACT = "https://lamps.example/ask"


def lamp(key: str, name: str, summary: str, *attributes: tuple[str, str]) -> Item:
    return Item(
        key, name, 4900, "EUR", 2, True, short_description=summary, attributes=attributes, categories=("Light",)
    )


DESK = lamp(
    "desk", "Bureau desk lamp", "A lamp for desks that shines for 12 hours on a charge.",
    ("Weight", "1.4 kg"), ("Dimensions", "20 × 45 × 20 cm"), ("Cable", "1.5 m"), ("Made for", "Reading, working"),
    ("Charging time", "3 hours"), ("Not for", "Bathrooms"), ("Material", "Oak, steel"),
)  # fmt: skip
BATH = lamp(
    "bath", "Drop mirror lamp", "A lamp beside the mirror.", ("Weight", "600 g"), ("Made for", "Bathrooms, mirrors"),
    ("Care", "Keep away from children."),
)  # fmt: skip
POLICIES = (
    PolicyText("shipping", "Delivery", "We deliver to Poland.", facts=({"name": "delivery_days_max", "amount": 4},)),
    PolicyText("faq", "Which bulb is warm?", "2700 K is warm, 4000 K is cold."),
    PolicyText("faq", "May I see a swatch?", "We send swatches of every lampshade free of charge."),
)


def asked(question: str, language: str = "en", **changes: object) -> Answer:
    line = Line(DESK.name, 10_000, 4900, DESK.id, DESK)
    known = Knowledge(
        language, "Lamp & Co.", "EUR", 2, 4900, (line,), policies=POLICIES, contact_url=CONTACT, found=(BATH, DESK)
    )
    return answer(question, replace(known, **changes), TEXTS.of(language))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How much does it weigh?", "“Weight: 1.4 kg”"),
        ("how heavy is the mirror lamp", "“Weight: 600 g”"),
        ("How tall is the desk lamp?", "“Dimensions: 20 × 45 × 20 cm”"),
        ("how long is the cable?", "“Cable: 1.5 m”"),
        ("How long does the desk lamp shine?", "12 hours"),
        ("how long does charging take", "“Charging time: 3 hours”"),
        ("what is it made of", "“Material: Oak, steel”"),
    ],
)
def test_a_trait_is_told_by_the_attribute_that_states_it(question: str, said: str) -> None:
    found = asked(question)
    assert said in found.text
    assert "Delivery" not in found.text
    assert "€" not in found.text


@pytest.mark.parametrize("question", ["How long does delivery take?", "how long until the parcel is here"])
def test_the_time_of_delivery_is_no_trait(question: str) -> None:
    assert "4 days" in asked(question).text


@pytest.mark.parametrize(
    ("question", "card"),
    [
        ("something for the bathroom?", "bath"),
        ("something for reading", "desk"),
        ("lamp for mirrors", "bath"),
    ],
)
def test_what_is_for_a_use_is_found_by_it(question: str, card: str) -> None:
    found = asked(question)
    assert found.topic == "purpose"
    assert found.cards[0]["id"] == card


def test_what_is_not_for_a_use_is_not_named_for_it() -> None:
    found = asked("something for bathrooms?")
    assert DESK.name not in found.text
    assert [card["id"] for card in found.cards] == ["bath"]


@pytest.mark.parametrize(
    ("question", "strange"),
    [
        ("how much is wiring?", {"wiring"}),
        ("what does a Philips weigh", {"philips"}),
        ("is it better than an Ikea?", {"ikea"}),
    ],
)
def test_of_what_the_store_does_not_have_nothing_is_said(question: str, strange: set[str]) -> None:
    found = asked(question, strange=frozenset(strange))
    assert found.topic == "unknown"
    assert CONTACT in found.text


def test_a_foreign_word_beside_a_product_leads_to_a_person_too() -> None:
    assert CONTACT in asked("how much is the desk lamp with engraving", strange=frozenset({"engraving"})).text
    assert CONTACT in asked("do you deliver to Canada?", strange=frozenset({"canada"})).text
    assert CONTACT not in asked("do you deliver to Poland?", strange=frozenset({"poland"})).text


def test_a_page_with_what_no_product_has_is_quoted() -> None:
    found = asked("do you send a swatch by parcel?", strange=frozenset({"swatch"}))
    assert "“We send swatches of every lampshade free of charge.”" in found.text


def test_the_old_goods_of_the_customer_are_no_return() -> None:
    assert asked("do you take my old lamp in part exchange?").topic == "unknown"


def test_a_warning_of_the_store_is_quoted_and_no_verdict_given() -> None:
    found = asked("is the mirror lamp dangerous for kids?")
    assert "“Care: Keep away from children.”" in found.text
    assert "not for me to judge" in found.text
    assert "“" not in asked("is the desk lamp dangerous for kids?").text


def test_two_variants_are_compared_and_the_next_larger_one_is_followed_to() -> None:
    small, large = (
        replace(DESK, id=f"desk-{size}", name=f"{DESK.name}, {size} cm", parent_id="desk", title=DESK.name,
                attributes=(("Height", f"{size} cm"), ("Weight", weight)), price=price)
        for size, weight, price in ((30, "1 kg", 4900), (45, "1.4 kg", 5900))
    )  # fmt: skip
    both = asked("30 or 45 desk lamp?", found=(small, large))
    assert "Price: €49.00 | €59.00" in both.text
    assert "Weight: 1 kg | 1.4 kg" in both.text
    next_one = asked("and the bigger one?", found=(small, large), earlier=("how much is the 30 cm desk lamp?",))
    assert "€59.00" in next_one.text


def test_a_number_and_its_unit_are_one_word() -> None:
    assert fold("2,50 m und 0.30 MM") == "2.5 m und 0.3 mm"
    assert fold("10,000 mm") == "10.000 mm"
    assert measured(fold("600 g on 600 m, 12 pieces")) == "600g on 600m 12 pieces"
