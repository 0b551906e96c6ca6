"""The assistant's words, one file per language: for the page, for built-in answers, for understanding questions."""

from functools import cached_property
from importlib.resources import files
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from chatbot.words import fold

LANGUAGES = ("en", "pl")
FALLBACK = "en"


class Trait(BaseModel):
    """How a trait of a product is asked for, what stores call it, and the units its value comes in.

    The names of a ``loose`` one are so general ("time") that the other words of a question say more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asks: list[str]
    names: list[str]
    units: list[str]
    loose: bool = False


class Texts(BaseModel):
    """One language; words to look for are folded (see ``words``), a ``*`` at a keyword stands for any end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str
    page: dict[str, str]
    starters: dict[str, str]
    starter_words: dict[str, list[str]]
    phrases: dict[str, str]
    quotes: tuple[str, str]
    keywords: dict[str, list[str]]
    measures: dict[str, list[str]]
    traits: dict[str, Trait]
    synonyms: list[list[str]]
    aliases: dict[str, str]
    #: Number words as digits.
    numbers: dict[str, str]
    stopwords: frozenset[str]
    everyday: frozenset[str]

    @cached_property
    def asking(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """Every word that questions of any kind are made of, and the beginnings of such words."""
        phrases = [*(one for group in self.keywords.values() for one in group), *self.aliases]
        phrases += [one for group in self.measures.values() for one in group]
        phrases += [one for trait in self.traits.values() for one in (*trait.asks, *trait.units)]
        phrases += [fold(one) for group in self.synonyms for one in group]
        words = {word for phrase in phrases for word in phrase.split()}
        whole = {word for word in words if not word.endswith("*")}
        return self.stopwords | self.everyday | whole, tuple(word[:-1] for word in words - whole if len(word) > 1)

    def say(self, phrase: str, **values: Any) -> str:
        """A phrase of an answer."""
        return self.phrases[phrase].format(**values)

    def quote(self, text: str) -> str:
        """The store's own words, marked as such."""
        return f"{self.quotes[0]}{text}{self.quotes[1]}"

    def disclosure(self, shop: str) -> str:
        """Whom the customer is talking to."""
        return self.page["disclosure"].format(shop=shop)


class AllTexts:
    """Every language there is."""

    def __init__(self, by_language: dict[str, Texts]) -> None:
        self._by_language = by_language

    def of(self, tag: str) -> Texts:
        """The texts for a BCP 47 tag, by its language; English where there are none."""
        return self._by_language.get(tag.partition("-")[0].lower(), self._by_language[FALLBACK])

    def preferred(self, accept_language: str) -> Texts:
        """The texts for a browser whose ``Accept-Language`` is this."""
        for part in accept_language.split(","):
            tag = part.partition(";")[0].strip().partition("-")[0].lower()
            if tag in self._by_language:
                return self._by_language[tag]
        return self._by_language[FALLBACK]


def load_texts() -> AllTexts:
    """Read the files of every language."""
    return AllTexts({language: _read(language) for language in LANGUAGES})


def _read(language: str) -> Texts:
    folder = files("chatbot").joinpath("locale")
    data = orjson.loads(folder.joinpath(f"{language}.json").read_bytes())
    traits = orjson.loads(folder.joinpath(f"traits.{language}.json").read_bytes())
    words = {"stopwords": frozenset(data["stopwords"].split()), "everyday": frozenset(data["everyday"].split())}
    return Texts(language=language, traits=traits, **(data | words))
