"""Which shop fronts the demo has: every catalogue in two languages, each a store of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from recovery.demo.catalogue.loading import load_catalogue
from recovery.demo.catalogue.model import Catalogue

FIRST = "outdoor"
CATALOGUES = (FIRST, "carp", "tiles", "airsoft", "bicycles")
_LANGUAGES = {"en": "EUR", "pl": "PLN"}


@dataclass(frozen=True)
class Front:
    """One store: its code in every hook and address, and what it sells in which language and currency."""

    store: str
    catalogue: str
    language: str
    currency: str

    def load(self) -> Catalogue:
        return load_catalogue(self.catalogue, self.language, self.currency)


def fronts(catalogues: Sequence[str]) -> dict[str, Front]:
    """The fronts of these catalogues by store; the outdoor shop's codes are the bare languages."""
    found = [
        Front(language if name == FIRST else f"{name}-{language}", name, language, currency)
        for name in catalogues
        for language, currency in _LANGUAGES.items()
    ]
    return {front.store: front for front in found}


def beginning_with(name: str) -> list[str]:
    """All catalogues, that one first."""
    return [name, *(other for other in CATALOGUES if other != name)]
