"""Stock, alternatives, cheaper and matching products over a made-up garden shop."""

import pytest

from chatbot.answers import MAX_TEXT, Answer, answer
from chatbot.splitting_questions import questions_in
from chatbot.texts import load_texts
from tests.chatbot.garden import garden

TEXTS = load_texts()


def asked(language: str, question: str) -> Answer:
    found = answer(question, garden(language), TEXTS.of(language))
    assert len(found.text) <= MAX_TEXT
    return found


def cards(found: Answer) -> list[str]:
    return [card["id"] for card in found.cards]


@pytest.mark.parametrize(
    ("language", "question", "said", "card"),
    [
        (
            "en",
            "Is the Briar glove in stock in blue, size L?",
            "Briar gloves, Blue, L is in stock: 5 left",
            "gloves-Blue-L",
        ),
        ("en", "do you have the briar gloves in green L?", "Briar gloves, Green, L is out of stock", "gloves-Green-L"),
        ("en", "is the 25 m hose available?", "Meander garden hose, 25 m is out of stock", "hose-25 m"),
        ("pl", "macie rękawice głóg M w niebieskim?", "Rękawice Głóg, Niebieski, M: teraz brak", "gloves-Niebieski-M"),
        (
            "pl",
            "jest szlauch meander 15 m?",
            "Szlauch ogrodowy Meander, 15 m: dostępność – tak, w magazynie: 4",
            "hose-15 m",
        ),
        (
            "pl",
            "sa rekawice glog zielone M?",
            "Rękawice Głóg, Zielony, M: dostępność – tak, w magazynie: 3",
            "gloves-Zielony-M",
        ),
    ],
)
def test_the_variant_asked_for_is_the_one_told_of(language: str, question: str, said: str, card: str) -> None:
    found = asked(language, question)
    assert found.topic == "stock"
    assert found.text.startswith(said)
    assert cards(found)[0] == card


@pytest.mark.parametrize(
    ("language", "question"), [("en", "do you have the gloves in purple?"), ("pl", "macie rękawice głóg w fioletowym?")]
)
def test_a_colour_it_does_not_come_in_is_not_in_stock(language: str, question: str) -> None:
    found = asked(language, question)
    assert "in stock" not in found.text
    assert "dostępność" not in found.text
    assert ("Green" if language == "en" else "Zielony") in found.text


def test_where_it_is_sold_out_the_other_variants_are_named() -> None:
    assert (
        "In stock are: Briar gloves, Green, M; Briar gloves, Blue, L."
        in asked("en", "Briar gloves green L available?").text
    )


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "when will the 25 m hose be back in stock?"), ("pl", "kiedy znowu będzie szlauch 25 m?")],
)
def test_when_something_is_back_is_for_a_person(language: str, question: str) -> None:
    found = asked(language, question)
    assert "25 m" in found.text
    assert "https://spade.example/ask" in found.text


@pytest.mark.parametrize(
    ("language", "question"), [("en", "Do you have garden gnomes?"), ("pl", "macie krasnale ogrodowe?")]
)
def test_what_the_shop_does_not_have_is_not_said_to_be_in_stock(language: str, question: str) -> None:
    found = asked(language, question)
    assert found.topic != "stock"
    assert "https://spade.example/ask" in found.text


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "something cheaper than the Whisper mower?"), ("pl", "coś tańszego niż kosiarka szept?")],
)
def test_cheaper_is_of_the_same_kind_with_its_price(language: str, question: str) -> None:
    found = asked(language, question)
    assert found.topic == "cheaper"
    assert "99.00" in found.text.replace(",", ".")
    assert cards(found) == ["trimmer"]


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "The gloves in green L are sold out, what else is there?"),
        ("pl", "nie ma rękawic głóg zielonych L, co zamiast?"),
    ],
)
def test_instead_of_a_variant_that_is_sold_out_others_in_stock_are_named(language: str, question: str) -> None:
    found = asked(language, question)
    assert found.topic == "alternatives"
    assert set(cards(found)) == (
        {"gloves-Green-M", "gloves-Blue-L"} if language == "en" else {"gloves-Zielony-M", "gloves-Niebieski-L"}
    )
    assert ", L;" not in found.text.partition(":")[2].partition("Blue" if language == "en" else "Niebieski")[0]


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "anything similar to the Meander hose?"), ("pl", "macie coś podobnego do szlaucha meander?")],
)
def test_alternatives_are_the_stores_own(language: str, question: str) -> None:
    assert cards(asked(language, question)) == ["thick"]


@pytest.mark.parametrize(
    ("language", "question"), [("en", "what goes with the hose?"), ("pl", "co pasuje do szlaucha meander?")]
)
def test_what_goes_with_it_is_the_stores_own(language: str, question: str) -> None:
    found = asked(language, question)
    assert (found.topic, cards(found)) == ("goes_with", ["nozzle"])


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Whisper or Nettle, which is lighter?"),
        ("en", "difference between the mower and the trimmer"),
        ("pl", "kosiarka czy podkaszarka, co lżejsze?"),
        ("pl", "czym się różni kosiarka szept od podkaszarki?"),
    ],
)
def test_two_products_are_set_side_by_side_where_they_differ(language: str, question: str) -> None:
    found = asked(language, question)
    assert found.topic == "compare"
    assert cards(found) == ["mower", "trimmer"]
    assert "11 kg" in found.text
    assert "3.1 kg" in found.text
    assert "78 dB" not in found.text, "the same for both"


@pytest.mark.parametrize(
    ("language", "question", "said"),
    [
        ("en", "How heavy is the Whisper mower? And how much is it?", ["11 kg", "320.00"]),
        ("en", "is the 15 m hose available and how heavy is the trimmer", ["4 left", "3.1 kg"]),
        ("pl", "Ile waży kosiarka szept? Ile kosztuje?", ["11 kg", "320,00"]),
        ("pl", "czy jest szlauch meander 15 m i ile waży podkaszarka", ["w magazynie: 4", "3.1 kg"]),
    ],
)
def test_two_questions_of_one_message_are_both_answered(language: str, question: str, said: list[str]) -> None:
    text = asked(language, question).text
    assert all(one in text for one in said)


@pytest.mark.parametrize("question", ["I have a small lawn. Which mower is quiet?", "Is it quiet and light?"])
def test_one_question_stays_one(question: str) -> None:
    assert questions_in(question, TEXTS.of("en")) == [question]


def test_a_product_of_which_nothing_is_told_has_no_reasons() -> None:
    assert "https://spade.example/ask" in asked("en", "why the Torrent hose?").text
