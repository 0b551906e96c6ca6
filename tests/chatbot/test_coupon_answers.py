"""Built-in answers about the cart's own coupon: code, percent and end of its row, and honest when it works no more."""

from dataclasses import replace

import pytest

from chatbot.answers import answer
from chatbot.context import CouponOutcome, Knowledge, OwnCoupon
from chatbot.texts import load_texts
from tests.chatbot.catalogue import catalogue

TEXTS = load_texts()
CODE = "BACK-7KQM-2VHX-D4RTN"
UNTIL = {"en": "Friday, 27 November 2026, 18:00 CET", "pl": "piątek, 27 listopada 2026, 18:00 CET"}


def knowing(language: str, outcome: CouponOutcome = "works", held: str | None = None) -> Knowledge:
    return replace(catalogue(language, coupon=held), coupon=OwnCoupon(CODE, 5, UNTIL[language], outcome))


def said(question: str, known: Knowledge) -> str:
    found = answer(question, known, TEXTS.of(known.language))
    assert found.topic == "coupon", found
    return found.text


@pytest.mark.parametrize(
    ("language", "question", "first"),
    [
        ("en", "Do you have a discount?", f"The code {CODE} takes 5% off your whole cart."),
        ("en", "is there a code", f"The code {CODE} takes 5% off"),
        ("en", "any vouchers?", f"The code {CODE} takes 5% off"),
        ("en", "How long is the code valid?", f"The code {CODE} is valid until {UNTIL['en']}."),
        ("en", "when does my coupon expire", f"The code {CODE} is valid until {UNTIL['en']}."),
        ("en", "How do I use the discount?", f"Enter the code {CODE} where"),
        ("en", "Where do I enter the code?", f"Enter the code {CODE} where"),
        ("en", "Can I get a bigger discount?", "I can’t give any other discount. The code"),
        ("pl", "Czy dostanę rabat?", f"Kod {CODE} obejmuje cały koszyk i daje 5% rabatu."),
        ("pl", "macie jakis kod?", f"Kod {CODE} obejmuje cały koszyk"),
        ("pl", "Jak długo ważny jest kod?", f"Kod {CODE} jest ważny do: {UNTIL['pl']}."),
        ("pl", "do kiedy ten rabat", f"Kod {CODE} jest ważny do: {UNTIL['pl']}."),
        ("pl", "Gdzie wpisać kod?", f"Kod {CODE} wpisuje się"),
        ("pl", "Czy jest większa zniżka?", "Nie mogę przyznać innego rabatu. Kod"),
    ],
)
def test_what_is_asked_of_the_coupon_comes_first_and_the_rest_after_it(
    language: str, question: str, first: str
) -> None:
    text = said(question, knowing(language))
    assert text.startswith(first)
    for part in (CODE, "5%", UNTIL[language]):
        assert text.count(part) == 1, part
    assert len(text) <= 600


@pytest.mark.parametrize(
    ("language", "asked", "question"),
    [("en", "Do you have a discount?", "How long is it valid?"), ("pl", "Jest jakiś rabat?", "A do kiedy jest ważny?")],
)
def test_a_question_may_lean_on_the_one_before(language: str, asked: str, question: str) -> None:
    known = replace(knowing(language), earlier=(asked,), shown=((),))
    assert f"{CODE} " in said(question, known)
    alone = answer(question, knowing(language), TEXTS.of(language))
    assert CODE not in alone.text


@pytest.mark.parametrize(
    ("language", "outcome", "words"),
    [
        ("en", "used", "was used for an order"),
        ("en", "over", f"was valid until {UNTIL['en']} and does not work any more"),
        ("en", "withdrawn", "was taken back"),
        ("pl", "used", "został wykorzystany"),
        ("pl", "over", "już nie działa"),
        ("pl", "withdrawn", "został wycofany"),
    ],
)
def test_a_coupon_that_ended_is_told_as_such(language: str, outcome: CouponOutcome, words: str) -> None:
    text = said(
        "Is the coupon still good?" if language == "en" else "Czy ten kupon działa?", knowing(language, outcome)
    )
    assert words in text
    assert "5%" not in text


def test_a_code_that_the_cart_holds_already_need_not_be_entered() -> None:
    assert "in your cart already" in said("How do I use the code?", knowing("en", held=CODE.lower()))
    assert "Enter" not in said("How do I use the code?", knowing("en", held=CODE.lower()))


def test_of_a_used_coupon_the_codes_of_the_cart_are_still_told() -> None:
    text = said("Is there a code?", knowing("en", "used", held="OWN5"))
    assert "already holds this code: OWN5." in text


@pytest.mark.parametrize(
    "question",
    [
        "How long is the warranty?",
        "How long does delivery take?",
        "Can I return it if I used the coupon?",
        "How do I use the care kit?",
    ],
)
def test_a_coupon_does_not_answer_what_is_asked_of_something_else(question: str) -> None:
    without, with_coupon = (answer(question, one, TEXTS.of("en")) for one in (catalogue("en"), knowing("en")))
    assert with_coupon == without
    assert CODE not in with_coupon.text
