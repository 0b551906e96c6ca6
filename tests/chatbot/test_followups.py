"""Questions that lean on the ones before them, over a made-up garden shop."""

import pytest

from chatbot.answers import Answer, answer
from chatbot.texts import load_texts
from tests.chatbot.garden import garden

TEXTS = load_texts()


def asked(language: str, before: str, question: str, shown: tuple[str, ...] = ()) -> Answer:
    known = garden(language, earlier=(before,), shown=(shown,))
    return answer(question, known, TEXTS.of(language))


@pytest.mark.parametrize(
    ("language", "before", "question", "said", "card"),
    [
        ("en", "Tell me about the Whisper mower", "and how heavy is it?", "11 kg", "mower"),
        ("en", "Tell me about the Whisper mower", "how much is it?", "320.00", "mower"),
        ("en", "How much does the Whisper mower weigh?", "and the Nettle trimmer?", "3.1 kg", "trimmer"),
        ("en", "are the Briar gloves in green M available?", "and in blue?", "Briar gloves, Blue", "gloves-Blue-M"),
        ("pl", "opowiedz o kosiarce Szept", "a ile waży?", "11 kg", "mower"),
        ("pl", "opowiedz o kosiarce Szept", "ile kosztuje?", "320,00", "mower"),
        ("pl", "ile waży kosiarka szept?", "a podkaszarka pokrzywa?", "3.1 kg", "trimmer"),
        ("pl", "są rękawice głóg zielone M?", "a w niebieskim?", "Rękawice Głóg, Niebieski", "gloves-Niebieski-M"),
    ],
)
def test_the_last_product_spoken_of_is_meant(language: str, before: str, question: str, said: str, card: str) -> None:
    found = asked(language, before, question)
    assert said in found.text
    assert found.cards[0]["id"] == card


@pytest.mark.parametrize(
    ("language", "before", "question", "said"),
    [
        ("en", "which tools do you have?", "how heavy is it?", "3.1 kg"),
        ("pl", "jakie macie narzędzia?", "a ile waży?", "3.1 kg"),
    ],
)
def test_the_product_shown_on_the_last_card_is_meant(language: str, before: str, question: str, said: str) -> None:
    found = asked(language, before, question, shown=("trimmer", "mower"))
    assert said in found.text
    assert found.cards[0]["id"] == "trimmer"


@pytest.mark.parametrize(
    ("language", "before", "question"),
    [
        ("en", "how heavy is it?", "and the other one?"),
        ("pl", "ile waży?", "a ta druga?"),
    ],
)
def test_the_other_one_is_the_second_shown(language: str, before: str, question: str) -> None:
    found = asked(language, before, question, shown=("trimmer", "mower"))
    assert "11 kg" in found.text
    assert found.cards[0]["id"] == "mower"


@pytest.mark.parametrize(("language", "question"), [("en", "which one is lighter?"), ("pl", "a która jest lżejsza?")])
def test_which_is_more_compares_the_last_two(language: str, question: str) -> None:
    found = asked(language, "?", question, shown=("trimmer", "mower"))
    assert found.topic == "compare"
    assert "3.1 kg" in found.text
    assert "11 kg" in found.text


@pytest.mark.parametrize("question", ["who won the match yesterday?", "asdf qwer"])
def test_what_leans_on_nothing_is_not_answered_out_of_the_last_product(question: str) -> None:
    found = asked("en", "Tell me about the Whisper mower", question)
    assert "https://spade.example/ask" in found.text
