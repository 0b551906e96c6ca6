"""Whether two things of a shop fit: what either's list says of the other, and never a verdict of its own."""

import pytest

from chatbot.answers import answer
from chatbot.context import Item, Knowledge
from chatbot.texts import load_texts

TEXTS = load_texts()
CONTACT = "https://shop.example/contact"


def item(name: str, *attributes: tuple[str, str]) -> Item:
    return Item(name.lower().replace(" ", "-"), name, 1000, "EUR", 2, True, attributes=attributes)


def shop(language: str) -> Knowledge:
    """A shop of coffee machines with two machines and a filter that names one of them."""
    if language == "en":
        things = (item("Moka espresso machine"), item("Luna drip brewer"),
                  item("Crema water filter", ("Compatible with", "Moka espresso machine")))  # fmt: skip
    else:
        things = (item("Ekspres Moka"), item("Zaparzacz Luna"), item("Filtr Crema", ("Pasuje do", "Ekspres Moka")))
    return Knowledge(language, "Beans", "EUR", 2, 0, found=things, contact_url=CONTACT)


@pytest.mark.parametrize(
    ("language", "question", "said"),
    [
        ("en", "Does the Crema fit the Moka?", "“Compatible with: Moka espresso machine”"),
        ("en", "Is the Moka compatible with the Crema?", "“Compatible with: Moka espresso machine”"),
        ("pl", "czy Crema pasuje do Moka", "„Pasuje do: Ekspres Moka”"),
    ],
)
def test_what_a_list_names_is_quoted_from_either_side(language: str, question: str, said: str) -> None:
    found = answer(question, shop(language), TEXTS.of(language))
    assert said in found.text
    assert CONTACT not in found.text


@pytest.mark.parametrize(
    ("language", "question", "said"),
    [
        ("en", "Does the Crema fit the Luna?", "Luna drip brewer is not named there"),
        ("pl", "czy Crema pasuje do Luna", "Nie ma tam pozycji: Zaparzacz Luna"),
    ],
)
def test_what_a_list_does_not_name_is_for_a_person(language: str, question: str, said: str) -> None:
    found = answer(question, shop(language), TEXTS.of(language))
    assert said in found.text
    assert CONTACT in found.text
