"""First questions: only such as the store's data can answer, and each meaning what it says."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chatbot.answers import answer
from chatbot.context import Knowledge, Line
from chatbot.starters import meaning_of, starters
from chatbot.texts import load_texts
from tests.chatbot.catalogue import catalogue

TEXTS = load_texts()
EN, PL = TEXTS.of("en"), TEXTS.of("pl")
Change = Callable[[Knowledge], Knowledge]


def offered(known: Knowledge, *, ordered: bool = False) -> list[str]:
    """What is offered in English."""
    return starters(known, EN, ordered=ordered)


def jacket_with(**changes: object) -> Change:
    """The jacket in the cart with something of it changed."""

    def change(known: Knowledge) -> Knowledge:
        line = known.lines[0]
        assert line.item is not None
        item = replace(line.item, **changes)  # type: ignore[arg-type]
        return replace(known, lines=(replace(line, item=item),), siblings=(item,))

    return change


def without(kind: str) -> Change:
    """No policy or link of a kind."""
    return lambda known: replace(
        known,
        policies=tuple(one for one in known.policies if one.kind != kind),
        links=tuple(one for one in known.links if one.kind != kind),
    )


def test_nothing_is_offered_that_nothing_answers() -> None:
    known = catalogue("en")
    stranger = Line("Something", 10_000, 100, "unknown")
    assert offered(replace(known, lines=(stranger,), siblings=(), links=(), policies=())) == []
    # Of a product that the store never told about only the shop itself can be asked.
    assert offered(replace(known, lines=(stranger,), siblings=(), links=())) == [
        "How long does delivery take?", "Can I send it back?", "How can I pay?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "question"),
    [
        (without("size_guide"), "Which size fits me?"),
        (jacket_with(title="Tent", name="Tent, 2 persons", categories=("Tents",)), "Which size fits me?"),
        (jacket_with(name="Rain jacket, one size"), "Which size fits me?"),
        (jacket_with(attributes=()), "What is it made of?"),
        (without("crosssell"), "What goes with it?"),
        (jacket_with(price=100), "Is there something cheaper?"),
        (without("payment"), "How can I pay?"),
    ],
)
def test_each_question_hangs_on_what_answers_it(change: Change, question: str) -> None:
    known = catalogue("en")
    assert question in offered(known)
    assert question not in offered(change(known))


def test_packs_and_sets_are_asked_of_what_is_sold_or_needs_so() -> None:
    known = catalogue("en")
    by_area = jacket_with(sold_by="m2", pack=14_400)(known)
    needing = jacket_with(attributes=(("Requires", "Care kit"),))(known)
    assert "How many packs for 10 m²?" in offered(by_area)
    assert "Do I need anything else for it?" in offered(needing)
    assert not {"How many packs for 10 m²?", "Do I need anything else for it?"} & set(offered(known))


def test_an_order_needs_no_buying_advice() -> None:
    gone = set(offered(catalogue("en"))) - set(offered(catalogue("en"), ordered=True))
    assert gone == {"Is there something cheaper?", "How can I pay?"}


def test_beside_others_a_product_is_called_by_its_name() -> None:
    known = catalogue("en")
    several = replace(known, lines=(*known.lines, Line("Something", 10_000, 100, "unknown")))
    assert offered(several)[0] == "Which size of the Hala rain jacket fits me?"
    long = jacket_with(title="Hala rain jacket " * 4)(known)
    assert offered(replace(long, lines=(*long.lines, several.lines[1])))[0] == "Which size fits me?"


def test_the_customers_own_words_are_none_of_ours() -> None:
    known = catalogue("en")
    assert meaning_of("Which size fits me, I am 178 cm tall?", known, EN) is None
    assert meaning_of("Tell me about the moon", known, EN) is None
    assert meaning_of("What goes with the Hala rain jacket?", replace(known, lines=()), EN) is None


def test_an_earlier_question_changes_nothing_of_ours() -> None:
    known = replace(catalogue("en"), earlier=("How much is the care kit?",), shown=(("kit",),))
    assert [card["id"] for card in answer("What is it made of?", known, EN).cards] == ["hala-moss-m"]


@pytest.mark.parametrize("language", ["en", "pl"])
def test_it_tells_about_a_card(language: str) -> None:
    words, known = TEXTS.of(language), catalogue(language)
    said = answer(words.page["about_card"].format(name=known.lines[0].name), known, words)
    assert (said.topic, [card["id"] for card in said.cards]) == ("about", ["hala-moss-m"])
