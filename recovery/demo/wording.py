"""The words of the shop's pages in one language, with the right plural."""

from pathlib import Path

import orjson
from babel import Locale

_FOLDER = Path(__file__).parent / "texts"


class Wording:
    """Looks words up by key; a missing key is a mistake of ours and raises."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words: dict[str, str] = orjson.loads((_FOLDER / f"{language}.json").read_bytes())
        self._locale = Locale.parse(language)

    def say(self, key: str, /, **values: object) -> str:
        """The sentence for ``key`` with the values put in."""
        return self._words[key].format(**values)

    def count(self, key: str, number: int) -> str:
        """The sentence for so many of something, for example "2 items"."""
        return self._words[f"{key}.{self._locale.plural_form(number)}"].format(n=number)
