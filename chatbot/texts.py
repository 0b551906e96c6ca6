"""The assistant's words, one file per language: for the page, for built-in answers, for understanding questions."""

from importlib.resources import files
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

LANGUAGES = ("en", "pl")
FALLBACK = "en"


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
    synonyms: list[list[str]]
    aliases: dict[str, str]
    stopwords: frozenset[str]

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
    data = orjson.loads(files("chatbot").joinpath("locale", f"{language}.json").read_bytes())
    return Texts(language=language, **(data | {"stopwords": frozenset(data["stopwords"].split())}))
