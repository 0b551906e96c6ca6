"""Words of a question compared with words of a store; comparing two words themselves is `recovery.words`."""

import re
from collections.abc import Iterable

from recovery.words import fold, measured, same, sentences

#: How words are compared is the core's; both are used together everywhere here.
__all__ = ["content", "fold", "hits", "measured", "numbers", "overlap", "same", "sentences"]


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


def numbers(text: str) -> list[str]:
    """The numbers in a text, as written, without their blanks."""
    return re.findall(r"\d+(?:[.,]\d+)?", re.sub(r"(?<=\d)[\s\u00a0\u202f](?=\d{3}\b)", "", text))
