"""Ready-made texts by language: one TOML file each in ``locale/``; English where a language or a text is missing."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from recovery.money import babel_locale

FALLBACK = "en"


@cache
def _catalogue(language: str) -> dict[str, Any]:
    return tomllib.loads(files("recovery").joinpath("locale", f"{language}.toml").read_text("utf-8"))


@cache
def languages() -> list[str]:
    """The languages there are texts for."""
    names = (file.name.removesuffix(".toml") for file in files("recovery").joinpath("locale").iterdir())
    return sorted(names)


def missing_texts(language: str) -> list[str]:
    """What a catalogue lacks, as ``section.key``: for each of these English stands in, or one plural for another."""
    own, wanted = _catalogue(language), list[str]()
    for section, texts in _catalogue(FALLBACK).items():
        if not isinstance(texts, dict):
            wanted += [] if section in own else [section]
            continue
        keys = {key.removesuffix("_formal") for key in texts}
        if keys == set(babel_locale(FALLBACK).plural_form.tags | {"other"}):
            keys = set(babel_locale(language).plural_form.tags | {"other"})
        elif "other" in own.get(section, {}):
            continue
        wanted += [f"{section}.{key}" for key in sorted(keys) if key not in own.get(section, {})]
    return wanted


class Texts:
    """The texts of one language and form of address.

    Args:
        tag: a BCP 47 tag; its language part decides.
        formal: takes the text under ``<key>_formal`` where there is one.
    """

    def __init__(self, tag: str, *, formal: bool = False) -> None:
        wanted = tag.replace("_", "-").partition("-")[0].lower()
        # The tag may be a browser's word, so it is looked up and never made a file name.
        self.language = wanted if wanted in languages() else FALLBACK
        self._formal = formal

    def get(self, section: str, key: str, **values: object) -> str:
        """The text ``section.key`` (or ``section.other``) with ``values`` put in.

        Raises:
            KeyError: no language has it, which is a mistake in the program.
        """
        suffixes = ("_formal", "") if self._formal else ("",)
        # This language's general text comes before another language's special one.
        for language in dict.fromkeys((self.language, FALLBACK)):
            texts = _catalogue(language).get(section, {})
            for name in (key, "other"):
                for suffix in suffixes:
                    if name + suffix in texts:
                        # A shop called "Hala & Co." ends no sentence twice.
                        return str(texts[name + suffix]).format(**values).replace("..", ".")
        raise KeyError(f"{section}.{key}")

    def section(self, section: str, **values: object) -> dict[str, str]:
        """Every text of a section, for a template."""
        keys = {key.removesuffix("_formal") for key in _catalogue(FALLBACK)[section]}
        return {key: self.get(section, key, **values) for key in keys}

    def count(self, section: str, n: int) -> str:
        """``n`` things in the right plural form, such as "3 products"."""
        form = babel_locale(self.language).plural_form(n)
        return self.get(section, form, n=n)
