"""The index of a shelf: which words stand in which product, and the products that a question's words fit best.

Pure. Products are told apart by family: the variants of one product are one entry, found once. Words are folded and
stemmed; weights follow BM25 over weighted fields.
"""

import heapq
import math
import re
import sys
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from chatbot.typos import near, tolerance
from chatbot.words import fold
from recovery.stems import softened, stem

NAME, CATEGORY, ATTRIBUTE, SHORT, TEXT = 8, 4, 3, 2, 1
SATURATION, LENGTHS = 3.0, 0.4
#: What a word counts that is not the very one asked: begun alike, or one slip of the finger away.
BEGUN, SLIPPED = 0.5, 0.7
PREFIX, MOST_BEGUN = 4, 12
#: The shortest part of a word written together: "rainjacket" is "rain" and "jacket".
LEAST_PART = 3
#: Words in more products than this decide between products that rarer words have found, and find none themselves.
COMMON = 2_000
_PART = re.compile(r"[a-z]+|\d+")


class Row(NamedTuple):
    """What the index reads of a product."""

    product_id: str
    parent_id: str | None
    name: str
    attributes: Sequence[dict[str, Any]]
    categories: Sequence[str]
    brand: str | None
    short_description: str
    description: str


class IndexBuilder:
    """Takes rows in any order and makes the index of them."""

    def __init__(self, language: str, stopwords: frozenset[str]) -> None:
        self._language = language
        self._stopwords = stopwords
        self._stems: dict[str, int] = {}
        self._terms: dict[str, int] = {}
        self._documents: dict[str, int] = {}
        self._members: list[list[tuple[str, array[int]]]] = []
        self._lengths = array("f")
        self._postings: list[tuple[array[int], array[int]]] = []
        self._seen: set[tuple[int, int]] = set()

    def add(self, rows: Iterable[Row]) -> None:
        """Take products."""
        for row in rows:
            family = row.parent_id or row.product_id
            document = self._documents.setdefault(family, len(self._documents))
            if document == len(self._members):
                self._members.append([])
                self._lengths.append(0.0)
            names = array("I", dict.fromkeys(self._ids(row.name)))
            member = (row.product_id, names)
            # The product itself stands before its variants.
            self._members[document].insert(0 if row.product_id == family else len(self._members[document]), member)
            self._post(document, self._weights(row, document, names))

    def finish(self) -> "Index":
        """The index; the builder is used up."""
        for documents, weights in self._postings:
            _merge(documents, weights)
        self._seen.clear()
        return Index(self._language, self._stopwords, self._terms, self._postings, self._lengths, list(self._members))

    def _weights(self, row: Row, document: int, names: Iterable[int]) -> dict[int, int]:
        weights: dict[int, int] = dict.fromkeys(names, NAME)
        attributes = " ".join(f"{entry['name']} {entry['value']}" for entry in row.attributes)
        fields = (
            (f"{' '.join(row.categories)} {row.brand or ''}", CATEGORY),
            (attributes, ATTRIBUTE),
            (row.short_description, SHORT),
            (row.description, TEXT),
        )
        for text, weight in fields:
            mark = (document, hash(text))
            # Variants repeat the texts of their product.
            if not text or mark in self._seen:
                continue
            self._seen.add(mark)
            for term in self._ids(text):
                weights[term] = min(weights.get(term, 0) + weight, 255)
        return weights

    def _post(self, document: int, weights: dict[int, int]) -> None:
        self._lengths[document] += sum(weights.values())
        for term, weight in weights.items():
            documents, there = self._postings[term]
            documents.append(document)
            there.append(weight)

    def _ids(self, text: str) -> Iterator[int]:
        for word in _PART.findall(fold(text)):
            known = self._stems.get(word)
            if known is None:
                term = stem(word, self._language)
                known = self._stems[word] = self._terms.setdefault(term, len(self._terms))
                if known == len(self._postings):
                    self._postings.append((array("I"), array("B")))
            yield known


def _merge(documents: "array[int]", weights: "array[int]") -> None:
    """One posting per product, in order: a word of several variants counts once."""
    if all(documents[at] < documents[at + 1] for at in range(len(documents) - 1)):
        return
    best: dict[int, int] = {}
    for document, weight in zip(documents, weights, strict=True):
        best[document] = max(weight, best.get(document, 0))
    order = sorted(best)
    documents[:] = array("I", order)
    weights[:] = array("B", [best[document] for document in order])


class Index:
    """What words lead to which products."""

    def __init__(
        self,
        language: str,
        stopwords: frozenset[str],
        terms: dict[str, int],
        postings: list[tuple["array[int]", "array[int]"]],
        lengths: "array[float]",
        members: list[list[tuple[str, "array[int]"]]],
    ) -> None:
        self._language = language
        self._stopwords = stopwords
        self._terms = terms
        self._postings = postings
        self._members = members
        average = sum(lengths) / len(lengths) if lengths else 1.0
        self._norms = array("f", (SATURATION * (1 - LENGTHS + LENGTHS * length / average) for length in lengths))
        self._sorted = sorted(terms)
        self._alike: dict[tuple[str, int], list[str]] = defaultdict(list)
        for term in self._sorted:
            self._alike[term[0], len(term)].append(term)
        self.bytes = self._size()

    def search(self, query: str, limit: int) -> list[str]:
        """Ids of the best products, best first."""
        wanted = self._wanted(query)
        scores: dict[int, float] = {}
        # Rare words first: they find, common ones only decide between what is found.
        for term, factor in sorted(wanted.items(), key=lambda pair: len(self._postings[pair[0]][0])):
            self._count(term, factor, scores)
        best = heapq.nsmallest(limit, scores, key=lambda document: (-scores[document], document))
        return [self._member(document, wanted) for document in best]

    def strange(self, query: str) -> set[str]:
        """The words of a query that no product has in any form."""
        words = [word for word in _PART.findall(fold(query)) if word not in self._stopwords]
        return {word for word in words if next(self._forms(word), None) is None}

    def _count(self, term: int, factor: float, scores: dict[int, float]) -> None:
        documents, weights = self._postings[term]
        norms = self._norms
        rarity = factor * math.log(1 + (len(norms) - len(documents) + 0.5) / (len(documents) + 0.5))
        if len(documents) > COMMON and scores:
            for document in scores:
                at = bisect_left(documents, document)
                if at < len(documents) and documents[at] == document:
                    scores[document] += rarity * weights[at] / (weights[at] + norms[document])
            return
        for document, weight in zip(documents, weights, strict=True):
            scores[document] = scores.get(document, 0.0) + rarity * weight / (weight + norms[document])

    def _wanted(self, query: str) -> dict[int, float]:
        """The index's words for those of a query, each with what it counts."""
        words = _PART.findall(fold(query))
        telling = [word for word in words if word not in self._stopwords]
        wanted: dict[int, float] = {}
        for first, second in zip(telling, telling[1:], strict=False):
            self._want(wanted, stem(first + second, self._language), 1.0)
        for word in telling:
            for term, factor in self._forms(word):
                self._want(wanted, term, factor)
        return wanted

    def _want(self, wanted: dict[int, float], term: str, factor: float) -> None:
        number = self._terms.get(term)
        if number is not None:
            wanted[number] = max(factor, wanted.get(number, 0.0))

    def _forms(self, word: str) -> Iterator[tuple[str, float]]:
        term = stem(word, self._language)
        known = term in self._terms
        if known:
            yield term, 1.0
        if len(term) >= PREFIX and term.isalpha():
            yield from ((begun, BEGUN) for begun in self._begun(term))
        if known or not word.isalpha():
            return
        if term not in self._terms:
            yield from ((other, 1.0) for other in softened(term) if other in self._terms)
        # "rainjacket" is "rain" and "jacket", "tshirt" is "t" and "shirt".
        split = [(word[:at], word[at:]) for at in (1, *range(LEAST_PART, len(word) - LEAST_PART + 1))]
        whole = [pair for pair in split if all(stem(part, self._language) in self._terms for part in pair)]
        for part in whole[0] if whole else ():
            yield stem(part, self._language), 1.0
        if not whole:
            yield from ((slipped, SLIPPED) for slipped in self._slipped(term, tolerance(word)))

    def _begun(self, term: str) -> list[str]:
        at = bisect_left(self._sorted, term)
        begun = []
        for other in self._sorted[at : at + MOST_BEGUN + 1]:
            if other != term and other.startswith(term):
                begun.append(other)
        return begun

    def _slipped(self, term: str, most: int) -> list[str]:
        """The known words nearest to a mistyped one; its first letter is taken to be right."""
        for slips in range(1, most + 1):
            lengths = range(len(term) - slips, len(term) + slips + 1)
            found = [
                other
                for length in lengths
                for other in self._alike.get((term[0], length), ())
                if near(term, other, slips)
            ]
            if found:
                return sorted(found, key=lambda other: -len(self._postings[self._terms[other]][0]))[:3]
        return []

    def _member(self, document: int, wanted: dict[int, float]) -> str:
        members = self._members[document]
        return max(members, key=lambda member: sum(term in wanted for term in member[1]))[0]

    def _size(self) -> int:
        postings = sum(sys.getsizeof(one) + sys.getsizeof(other) + 56 for one, other in self._postings)
        words = sum(sys.getsizeof(term) for term in self._sorted) + 3 * sys.getsizeof(self._sorted)
        members = sum(
            sys.getsizeof(names) + sys.getsizeof(product_id) + 80
            for family in self._members
            for product_id, names in family
        )
        return postings + words + sys.getsizeof(self._terms) + members + sys.getsizeof(self._norms)
