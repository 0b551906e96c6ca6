"""What the store's own attributes say of two products fitting, and of what a product needs, read as typed entries.

Pure. An attribute's name says of which kind its list is; an entry of the list names a product, a kind of product, or
something the store does not sell. What no entry names is not known: neither a yes nor a no.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from chatbot.passages import Passage, Product, Search, stems_of

#: Kinds of lists that say what goes together, and those that say what is still to be bought.
FITS, NEEDS = ("compatible", "requires"), ("requires", "missing")
PAIRING, BOX = (*FITS, "incompatible"), ("included", "missing")
_GROUP, _ITEM = re.compile(r";\s+"), re.compile(r",\s+(?![^(]*\))")
_BRACKETS = re.compile(r"\([^)]*\)")
_NUMBERED = 3


@dataclass(frozen=True)
class Entry:
    """One thing that a list names: its words, those in brackets left out, and the label that it stands under."""

    text: str
    stems: frozenset[str]
    label: frozenset[str]
    bare: bool


@dataclass(frozen=True)
class Named:
    """An entry of a product's list; ``others`` are the products that it may mean, the fullest named first.

    ``exact``: the entry is the name of the one other product and nothing beside it, no version and no condition.
    """

    product: Product
    passage: Passage
    entry: Entry
    others: tuple[Product, ...] = ()
    exact: bool = False

    @property
    def kind(self) -> str:
        return self.passage.kind

    @property
    def plain(self) -> bool:
        """Whether it is the other's name, or part of it, with no version or condition beside it."""
        return self.entry.bare and bool(self.others) and self.entry.stems <= set(self.others[0].name)


@lru_cache(maxsize=8_192)
def entries_of(text: str, names: frozenset[str], language: str) -> tuple[Entry, ...]:
    """The entries of an attribute "Name: one, another; label: a third"; a name with a comma is kept in one piece."""
    value = text.partition(": ")[2]
    for name in sorted((name for name in names if name in value), key=len, reverse=True):
        value = value.replace(name, name.replace(", ", ",\0"))
    found = []
    for group in _GROUP.split(value):
        label, _, items = group.rpartition(": ")
        stems = frozenset(stems_of(label, language))
        for item in _ITEM.split(items):
            said = item.replace("\0", " ").strip()
            plain = _BRACKETS.sub(" ", said)
            found.append(Entry(said, frozenset(stems_of(plain, language)), stems, plain == said and not label))
    return tuple(found)


class Lists:
    """The lists of every product that may be spoken of."""

    def __init__(self, products: Sequence[Product], language: str) -> None:
        self.products = products
        self.language = language
        self._names = frozenset(name for one in products if ", " in (name := one.item.called))

    @cached_property
    def all(self) -> list[Named]:
        """Every entry that says what goes together, what does not, and what is in the box or missing."""
        return [
            self._read(product, passage, entry)
            for product in self.products
            for passage in product.passages
            if passage.kind
            for entry in entries_of(passage.text, self._names, self.language)
            if entry.stems
        ]

    def of(self, product: Product, kinds: Iterable[str]) -> list[Named]:
        """The entries of a product's lists of these kinds."""
        wanted = set(kinds)
        return [one for one in self.all if one.product == product and one.kind in wanted]

    def between(self, one: Product, other: Product) -> list[Named]:
        """What the lists of either say of the other."""
        pairs = ((one, other), (other, one))
        return [
            named for mine, its in pairs for named in self.of(mine, PAIRING) if named.others and its == named.others[0]
        ]

    def apart(self, one: Product, other: Product) -> Named | None:
        """The entry by which two do not fit, where nothing says otherwise and no condition stands with it."""
        said = self.between(one, other)
        clear = [named for named in said if named.kind == "incompatible" and named.exact]
        return clear[0] if clear and all(named.kind == "incompatible" for named in said) else None

    def _read(self, product: Product, passage: Passage, entry: Entry) -> Named:
        others = [one for one in self.products if one.item.family != product.item.family and one.name]
        full = sorted((one for one in others if entry.stems >= set(one.name)), key=lambda one: -len(set(one.name)))
        if full:
            return Named(product, passage, entry, (full[0],), entry.bare and entry.stems == set(full[0].name))
        # "Goggles" may be any product of that name.
        told = any(stem.isalpha() and len(stem) >= _NUMBERED for stem in entry.stems)
        return Named(product, passage, entry, tuple(one for one in others if told and entry.stems <= set(one.name)))


@dataclass(frozen=True)
class Match:
    """An entry that speaks of what a question names; ``left`` are the question's words that neither product bears."""

    named: Named
    other: Product | None
    covered: frozenset[str]
    left: frozenset[str]
    weight: float
    #: How much of the entry the question names: "the Wilk's magazine" is rather "Magazine for Wilk" than "for Ryś".
    share: float

    @property
    def kind(self) -> str:
        return self.named.kind

    @property
    def pair(self) -> frozenset[str]:
        return frozenset(one.item.family for one in (self.named.product, self.other) if one)

    @property
    def exact(self) -> bool:
        """Whether a verdict may be given: names only, and no word of the question beside them."""
        return self.named.exact and not self.left


def matches(
    search: Search, lists: Lists, words: Iterable[str], meant: Iterable[Product] = (), thing: Iterable[str] = ()
) -> list[Match]:
    """The entries that speak of a product and a thing that the words name, the best first.

    ``meant`` are products spoken of without their name, ``thing`` the words of what "which" asks for. A word that
    stands in some product's name and in neither of the two makes it another question.
    """
    asked, spoken, which = list(words), list(meant), set(thing)
    names = set().union(*(one.name for one in search.products)) if search.products else set()
    naming = search.those_in(asked, names)
    found = []
    for named in lists.all:
        if named.kind not in PAIRING:
            continue
        mine = search.those_in(asked, named.product.name)
        if not mine and named.product not in spoken:
            continue
        mine |= search.those_in(asked, named.product.labels)
        other = _meant_by(named, asked, mine, spoken, search)
        there = named.entry.stems | named.entry.label
        if other and len(there) == 1 and search.those_in(asked, other.name) <= mine | search.those_in(asked, there):
            # "Concrete" is not the disc for concrete.
            other = None
        theirs = search.those_in(asked, there | (_called(other) if other else set()))
        covered = mine | theirs
        both = which & covered and theirs & mine - which
        new = search.those_in(theirs - mine, there.union(other.name if other else ()))
        if (new or both or (mine and other in spoken)) and naming <= covered:
            found.append(_match(search, named, other, asked, covered))
    return sorted(found, key=lambda one: (-one.weight, -one.share))


def _meant_by(named: Named, asked: list[str], mine: set[str], spoken: list[Product], search: Search) -> Product | None:
    def rank(one: Product) -> tuple[int, bool]:
        return len(search.those_in(asked, one.name) - mine), one in spoken

    return max(named.others, key=rank, default=None)


def _match(search: Search, named: Named, other: Product | None, asked: list[str], covered: set[str]) -> Match:
    beside = named.product.stems | (other.stems if other else frozenset())
    weak = search.those_in(set(asked) - covered, beside)
    there = named.entry.stems
    told = {stem for stem in there if any(search.those_in([word], [stem]) for word in covered)}
    weight = search.weigh(covered) + search.weigh(weak) / 2
    return Match(named, other, frozenset(covered), frozenset(set(asked) - covered), weight, len(told) / len(there))


def _called(product: Product) -> set[str]:
    """The words of a product's name and of what its variants' names say beside it."""
    return {*product.name, *product.labels}
