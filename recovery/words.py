"""Words compared whatever their case, accents and endings (English and Polish); texts taken apart into sentences."""

import re
import unicodedata

from recovery.stems import stem

_WORD = re.compile(r"[a-z0-9]+")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_STROKED = str.maketrans("łŁøØđĐ", "lLoOdD")
#: Two words are one when they share a beginning this long and differ in an ending this short.
STEM = 4
LEAST = 3
ENDING = 3


def fold(text: str) -> str:
    """Lower case, no accents, words parted by one blank."""
    plain = unicodedata.normalize("NFKD", text.translate(_STROKED).lower())
    return " ".join(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))


def same(one: str, other: str) -> bool:
    """Whether two folded words are forms of one: ``kurtka`` and ``kurtkę``, ``jacket`` and ``jackets``."""
    if one == other or (len(one) >= LEAST and len(other) >= LEAST and _one_stem(one, other)):
        return True
    if min(len(one), len(other)) < STEM or one[:STEM] != other[:STEM]:
        return False
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return max(len(one), len(other)) - shared <= ENDING


def _one_stem(one: str, other: str) -> bool:
    return stem(one, "en") == stem(other, "en") or stem(one, "pl") == stem(other, "pl")


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]
