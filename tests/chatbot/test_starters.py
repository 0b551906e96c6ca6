"""First questions: only such as the store's data can answer, and each understood for what it asks."""

from dataclasses import replace

import pytest

from chatbot.answers import answer
from chatbot.starters import CartFacts, starters
from chatbot.texts import load_texts
from tests.chatbot.catalogue import catalogue

TEXTS_OF = load_texts()
EVERYTHING = CartFacts(
    policies=frozenset({"size_guide", "shipping", "returns", "payment"}),
    links=frozenset({"crosssell", "related"}),
    attributes=frozenset({"Material", "Made for", "Requires"}),
    sized=("Hala rain jacket",),
    lines=1,
    by_area=True,
    cheaper=True,
)


def test_nothing_is_offered_that_nothing_answers() -> None:
    assert starters(CartFacts(), TEXTS_OF.of("en")) == []
    assert starters(CartFacts(policies=frozenset({"size_guide"})), TEXTS_OF.of("en")) == []


@pytest.mark.parametrize(
    ("change", "question"),
    [
        ({"policies": frozenset()}, "Which size fits me?"),
        ({"sized": ()}, "Which size fits me?"),
        ({"attributes": frozenset({"Material"})}, "Is my set complete?"),
        ({"attributes": frozenset({"Requires"})}, "What is it made of?"),
        ({"by_area": False}, "How many packs do I need?"),
        ({"links": frozenset({"related"})}, "What goes with it?"),
        ({"cheaper": False}, "Is there something cheaper?"),
        ({"ordered": True}, "How can I pay?"),
    ],
)
def test_each_question_hangs_on_what_answers_it(change: dict[str, object], question: str) -> None:
    assert question in starters(EVERYTHING, TEXTS_OF.of("en"))
    assert question not in starters(replace(EVERYTHING, **change), TEXTS_OF.of("en"))  # type: ignore[arg-type]


def test_attributes_are_known_in_polish_too() -> None:
    told = CartFacts(attributes=frozenset({"Wymaga", "Materiał", "Przeznaczenie"}))
    assert starters(told, TEXTS_OF.of("pl")) == [
        "Czy zestaw jest kompletny?",
        "Z czego to jest zrobione?",
        "Do czego to służy?",
    ]


def test_a_size_is_asked_of_a_product_by_its_name_where_there_are_others() -> None:
    several = replace(EVERYTHING, lines=2)
    assert starters(several, TEXTS_OF.of("en"))[0] == "Which size of the Hala rain jacket fits me?"
    assert starters(several, TEXTS_OF.of("pl"))[0] == "Hala rain jacket: jaki rozmiar wybrać?"
    assert starters(replace(several, sized=("x" * 80,)), TEXTS_OF.of("en"))[0] == "Which size fits me?"


@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize(
    ("name", "topics"),
    [
        ("size", {"size"}),
        ("size_of", {"size"}),
        ("goes_with", {"goes_with"}),
        ("delivery", {"delivery"}),
        ("returns", {"returns"}),
        ("payment", {"payment"}),
        ("about", {"about", "trait"}),
        ("use", {"about"}),
        ("cheaper", {"cheaper"}),
    ],
)
def test_the_built_in_assistant_understands_them(language: str, name: str, topics: set[str]) -> None:
    texts, known = TEXTS_OF.of(language), catalogue(language)
    question = texts.starters[name].format(name=known.lines[0].name)
    assert answer(question, known, texts).topic in topics


@pytest.mark.parametrize("language", ["en", "pl"])
def test_it_tells_about_a_card(language: str) -> None:
    texts, known = TEXTS_OF.of(language), catalogue(language)
    asked = texts.page["about_card"].format(name=known.lines[0].name)
    assert answer(asked, known, texts).topic == "about"
