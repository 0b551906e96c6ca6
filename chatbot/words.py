"""Words of a question compared with words of a store, whatever their case, accents and endings (English and Polish)."""

import re
import unicodedata
from collections.abc import Iterable

from chatbot.stems import stem

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


def hits(folded: str, keywords: Iterable[str]) -> int:
    """How much of a folded question is keywords: letters matched, so that longer and more ones count more.

    ``weigh*`` is any word that begins so; ``where * made`` is both, one after the other.
    """
    words, padded = folded.split(), f" {folded} "
    found = 0
    for keyword in keywords:
        if " * " in keyword:
            first, _, second = keyword.partition(" * ")
            start = padded.find(f" {first} ")
            found += len(keyword) * (start >= 0 and f" {second} " in padded[start + len(first) + 1 :])
        elif keyword.endswith("*") and " " in keyword:
            found += len(keyword) * (f" {keyword[:-1]}" in padded)
        elif keyword.endswith("*"):
            found += max((len(keyword) for word in words if word.startswith(keyword[:-1])), default=0)
        elif f" {keyword} " in padded:
            found += len(keyword)
    return found


def content(folded: str, stopwords: frozenset[str]) -> list[str]:
    """The words of a folded text that mean something."""
    return [word for word in folded.split() if word not in stopwords and (len(word) > 2 or not word.isalpha())]


def overlap(words: Iterable[str], text: str) -> int:
    """How many of ``words`` (folded) occur in ``text`` in some form."""
    there = set(fold(text).split())
    return sum(any(same(word, other) for other in there) for word in set(words))


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def numbers(text: str) -> list[str]:
    """The numbers in a text, as written, without their blanks."""
    return re.findall(r"\d+(?:[.,]\d+)?", re.sub(r"(?<=\d)[\s\u00a0\u202f](?=\d{3}\b)", "", text))
