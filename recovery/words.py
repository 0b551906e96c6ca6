"""Words compared whatever their case, accents and endings (English and Polish); texts taken apart into sentences."""

import re
import unicodedata

from recovery.stems import stem

_WORD = re.compile(r"[a-z0-9]+")
_WORD_OR_DECIMAL = re.compile(r"\d+[.,]\d+|[a-z0-9]+")
_POINT = re.compile(r"\d[.,]\d")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_STROKED = str.maketrans("łŁøØđĐ", "lLoOdD")
#: Two words are one when they share a beginning this long and differ in an ending this short.
STEM = 4
LEAST = 3
ENDING = 3
CENTS = 2


_DECIMAL = re.compile(r"(\d+)[.,](\d+)")
#: A number with its unit is one thing: 600 g are not 600 m.
_MEASURED = re.compile(
    r"\b(\d+(?:\.\d+)?) ?(kg|dkg|g|mg|lb|t|mm|cm|m|km|m2|m3|l|ml|v|w|kw|wh|ah|mah|hz|db|lm|bar|h|min|s|c|inch)\b"
)


def fold(text: str) -> str:
    """Lower case, no accents, words parted by one blank; a decimal number is one word, with a point."""
    plain = unicodedata.normalize("NFKD", text.translate(_STROKED).lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    if _POINT.search(plain) is None:
        return " ".join(_WORD.findall(plain))
    return " ".join(_decimal(word) for word in _WORD_OR_DECIMAL.findall(plain))


def _decimal(word: str) -> str:
    """2,50 as 2.5; three digits behind a comma may be thousands and stay."""
    found = _DECIMAL.fullmatch(word)
    if found is None:
        return word
    whole, part = found.groups()
    part = part if len(part) > CENTS else part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def measured(folded: str) -> str:
    """A folded text with each number and its unit written as one word."""
    return _MEASURED.sub(r"\1\2", folded)


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
