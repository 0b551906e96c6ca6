"""The cart's own coupon backs its code, percent and end while it works, and nothing beyond them."""

from dataclasses import replace

import pytest

from chatbot.context import CouponOutcome, OwnCoupon
from recovery.claims import unbacked
from recovery.facts import Facts, typed_facts
from tests.chatbot.demo_knowledge import demo_knowledge

CODE = "BACK-7KQM-2VHX-D4RTN"
UNTIL = {"en": "Friday, 27 November 2026, 18:00 CET", "pl": "piątek, 27 listopada 2026, 18:00 CET"}


def facts(language: str, outcome: CouponOutcome = "works") -> Facts:
    """Of the outdoor demo shop, whose cart has a coupon of 5 %."""
    coupon = OwnCoupon(CODE, 5, UNTIL[language], outcome)
    return typed_facts(replace(demo_knowledge(language), coupon=coupon))


HONEST = {
    "en": [
        f"Your code is {CODE}.",
        f"Yes, the code {CODE} gives you 5 % off your whole cart.",
        f"Use the coupon code {CODE} at checkout for a 5% discount on this cart.",
        f"The code {CODE} is valid until {UNTIL['en']}.",
        f"{CODE} works once and covers the whole cart.",
        "The coupon is valid until 27 November 2026.",
        "Your coupon ends on Friday, November 27 at 18:00.",
        "Your coupon of 5 percent was prepared automatically.",
        "The coupon works until November 27th, 2026.",
    ],
    "pl": [
        f"Kod {CODE} daje 5% rabatu na cały koszyk.",
        f"Kod {CODE} jest ważny do: {UNTIL['pl']}.",
        f"Kod {CODE} jest ważny do piątku, 27 listopada 2026 r.",
        "Kupon jest ważny do 27 listopada.",
        f"W polu na kod rabatowy proszę wpisać {CODE}.",
    ],
}


@pytest.mark.parametrize(("language", "sentence"), [(one, said) for one, all_ in HONEST.items() for said in all_])
def test_what_is_true_of_the_coupon_may_be_said_while_it_works(language: str, sentence: str) -> None:
    assert unbacked(sentence, "", facts(language)) == []


@pytest.mark.parametrize("outcome", ["used", "over", "withdrawn"])
def test_of_a_coupon_that_does_not_work_neither_code_nor_percent_is_backed(outcome: CouponOutcome) -> None:
    ended = facts("en", outcome)
    for sentence in HONEST["en"][:6]:
        assert unbacked(sentence, "", ended), sentence


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", f"Use {CODE} or SAVE50 at checkout."),
        ("en", "Use the code BACK-7KQM-2VHX."),
        ("en", f"Use the code {CODE}-X."),
        ("en", f"The code {CODE} gives you 15 % off your cart."),
        ("en", f"The code {CODE} gives you 0.5 % off your cart."),
        ("en", f"The code {CODE} gives you 50 % off your cart."),
        ("en", f"The code {CODE} takes €5 off."),
        ("en", f"The code {CODE} makes delivery free."),
        ("en", f"The code {CODE} gives 5 % off delivery."),
        ("en", f"The code {CODE} is valid until 28 November 2026."),
        ("en", f"The code {CODE} is valid until 27 November 2027."),
        ("en", f"The code {CODE} is valid until 27 November 2026, 23:00."),
        ("en", f"The code {CODE} is valid until Saturday, 27 November 2026."),
        ("en", f"The code {CODE} is valid for 30 days."),
        ("en", f"The code {CODE} works twice."),
        ("en", f"The code {CODE} works three times."),
        ("en", f"With {CODE} you get another 5 % off."),
        ("en", f"The code {CODE} gives 5 % off everything, always."),
        ("en", f"Give {CODE} to your friends."),
        ("en", "Your coupon expires today."),
        ("en", "Your coupon is the last one."),
        ("en", "The jacket is 5 % off."),
        ("en", "There is a sale with your coupon."),
        ("en", "Your parcel arrives on 27 November 2026."),
        ("pl", f"Kod {CODE} daje 15% rabatu."),
        ("pl", f"Kod {CODE} daje dodatkowe 5% rabatu."),
        ("pl", f"Kod {CODE} działa dwa razy."),
        ("pl", f"Kod {CODE} jest ważny do 28 listopada 2026."),
        ("pl", f"Kod {CODE} i kod LATO20 dają 5% rabatu."),
        ("pl", "Kupon jest ważny tylko dzisiaj."),
        ("pl", f"Z kodem {CODE} dostawa jest darmowa."),
    ],
)
def test_nothing_beyond_the_coupon_is_backed(language: str, sentence: str) -> None:
    assert unbacked(sentence, "", facts(language)), sentence


def test_its_end_is_backed_only_where_the_coupon_is_spoken_of() -> None:
    sentence = "It is valid until 27 November 2026."
    assert unbacked(sentence, "", facts("en"))
    assert unbacked(sentence, f"Your code is {CODE}.", facts("en")) == []
    assert unbacked("It arrives on 27 November 2026.", f"Your code is {CODE}.", facts("en"))


def test_what_stands_for_a_true_code_can_not_be_written_by_a_model() -> None:
    assert unbacked("Use the code \ue001 for \ue002 off your cart.", "", facts("en"))


def test_another_coupon_may_be_refused() -> None:
    assert unbacked("I can't give you another coupon.", "", facts("en")) == []
