"""Finds the product that a question names and the passages of the store's texts that answer it.

Pure. A passage is one attribute or one sentence of a product. A word counts the more the fewer products have it; the
words of a product's own name count for each of its passages.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from chatbot.context import Item, Knowledge
from chatbot.texts import Texts
from chatbot.typos import near, tolerance
from chatbot.words import fold, hits, measured, sentences
from recovery.stems import softened, stem

#: What a word of the same meaning counts, and how much of a question a passage has to speak of.
MEANT, ENOUGH = 0.6, 0.55
BEGUN, LEAST_SLIPPED = 4, 5
#: What an attribute's list may be of, as its name says; where several fit the earlier wins.
KINDS = ("incompatible", "missing", "requires", "compatible", "included")
_MONEY = re.compile(r"[€$£¥₽]|\b(?:eur|usd|gbp|pln|czk|zł|kč)\b", re.IGNORECASE)
#: A number written together with its unit, or any other word in one piece.
_NUMBERED = re.compile(r"^\d+(?=[a-z]{1,3}$)|(?<=\d)[a-z]{1,3}$|^.+$")


@dataclass(frozen=True)
class Passage:
    """One attribute or sentence of a product."""

    text: str
    stems: frozenset[str]
    #: One of ``KINDS`` where an attribute's name says so, else empty.
    kind: str
    #: The attribute's name; empty for a sentence.
    name: str = ""


@dataclass(frozen=True)
class Product:
    """All variants of one product, with what the store says of it; ``item`` stands for it on a card."""

    item: Item
    variants: tuple[Item, ...]
    name: tuple[str, ...]
    passages: tuple[Passage, ...]
    stems: frozenset[str]
    #: What its variants' names say beside its own.
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """What answers a question best; ``share`` is how much of the question it speaks of."""

    product: Product
    passages: tuple[Passage, ...]
    share: float


@lru_cache(maxsize=8_192)
def stems_of(text: str, language: str) -> tuple[str, ...]:
    """The stems of a text, in order; after them its measures, each as one word."""
    folded = fold(text)
    words = folded.split()
    joined = [word for word in measured(folded).split() if word not in words]
    return tuple(stem(word, language) for word in [*words, *joined])


def products_of(question: str, known: Knowledge, texts: Texts) -> list[Product]:
    """Every product that may be spoken of, the cart's first; of variants the one named, else the cart's."""
    families: dict[str, list[Item]] = {}
    for item in known.everything:
        families.setdefault(item.family, []).append(item)
    asked = set(stems_of(question, texts.language))
    return [_product(items, asked, known, texts) for items in families.values()]


def _product(items: list[Item], asked: set[str], known: Knowledge, texts: Texts) -> Product:
    cart = {line.product_id for line in known.lines}
    common = frozenset.intersection(*(frozenset(stems_of(item.name, texts.language)) for item in items))

    def rank(item: Item) -> tuple[int, bool, bool]:
        own = set(stems_of(item.name, texts.language)) - common
        return len(own & asked), item.id in cart, item.parent_id is None

    shown = max(items, key=rank)
    variants = tuple(item for item in items if item.parent_id is not None)
    passages = passages_of(shown, texts)
    name = stems_of(shown.called, texts.language)
    everything = frozenset(name).union(*(passage.stems for passage in passages))
    labels = frozenset(stem for one in variants for stem in stems_of(one.name, texts.language)).difference(name)
    return Product(shown, variants, name, passages, everything, labels)


def passages_of(item: Item, texts: Texts) -> tuple[Passage, ...]:
    """What the store says of one product or variant, money left out."""
    attributes = {f"{name}: {value}": name for name, value in item.attributes}
    said = dict.fromkeys([*sentences(item.short_description), *sentences(item.description)], "")
    return tuple(
        Passage(text, frozenset(stems_of(text, texts.language)), kind_of(name, texts) if name else "", name)
        for text, name in {**said, **attributes}.items()
        if not _MONEY.search(text) and not hits(fold(text), texts.keywords["money_claim"])
    )


def kind_of(name: str, texts: Texts) -> str:
    """Of what an attribute of this name is a list: one of ``KINDS``, or ""."""
    folded = fold(name)
    return next((kind for kind in KINDS if hits(folded, texts.keywords[f"attribute_{kind}"])), "")


class Search:
    """A question against the products that may be spoken of."""

    def __init__(self, question: str, known: Knowledge, texts: Texts) -> None:
        self._texts = texts
        self.products = products_of(question, known, texts)
        self.cart = known.in_cart
        folded = fold(question)
        for phrase, meaning in texts.aliases.items():
            folded = f" {folded} ".replace(f" {phrase} ", f" {meaning} ").strip()
        folded = measured(folded)
        words = [word for word in folded.split() if word not in texts.stopwords and (len(word) > 1 or word.isdigit())]
        asking = [word for kind in ("compatibility", "completeness") for word in texts.keywords[kind]]
        telling = [word for word in words if not hits(word, asking)]
        self.asked_kinds = {kind for kind in ("compatibility", "completeness") if hits(folded, texts.keywords[kind])}
        self.which = bool(hits(folded, texts.keywords["which"]))
        self.words = list(dict.fromkeys(stem(word, texts.language) for word in telling))
        kinds = (stems_of(" ".join(one.item.categories), texts.language) for one in self.products)
        counts = Counter(word for one, kind in zip(self.products, kinds, strict=True) for word in one.stems.union(kind))
        vocabulary = list(counts)
        # "70g" is "70 g" where no product writes it in one.
        self.words = [
            part for word in self.words for part in (_NUMBERED.findall(word) if word not in counts else [word])
        ]
        self._forms = {word: self._alike(word, counts, vocabulary) for word in self.words}
        total = len(self.products) + 1
        self._weight = {
            word: math.log(1 + total / (1 + max((counts[form] for form in forms), default=0)))
            for word, forms in self._forms.items()
        }
        self._synonyms = {word: self._meanings(word) for word in self.words}

    def _alike(self, word: str, counts: Counter[str], vocabulary: list[str]) -> set[str]:
        forms = {word} if word in counts else set()
        if len(word) >= BEGUN and word.isalpha():
            forms |= {other for other in vocabulary if other.startswith(word) and len(other) <= len(word) + 4}
            forms |= {other for other in vocabulary if len(other) >= BEGUN and word.startswith(other)}
        if not forms and word[1:] in counts and word[:1] in counts:
            forms = {word[1:]}  # "tshirt" for "T-shirt"
        forms = forms or {other for other in softened(word) if other in counts}
        slips = tolerance(word)
        if not forms and slips and len(word) > LEAST_SLIPPED and word.isalpha():
            forms = {other for other in vocabulary if other[:1] == word[:1] and near(word, other, slips)}
        return forms

    def _meanings(self, word: str) -> set[str]:
        groups = [{stem(fold(one), self._texts.language) for one in group} for group in self._texts.synonyms]
        return set().union(*(group for group in groups if word in group)) - {word}

    def weigh(self, words: Iterable[str]) -> float:
        """How telling words of the question are: the rarer, the more."""
        return sum(self._weight[word] for word in words)

    def speaks(self, word: str, stems: Iterable[str]) -> float:
        """Whether stems hold a word of the question: 1 in some form, less in another word of its meaning, else 0."""
        there = set(stems)
        if self._forms[word] & there:
            return 1.0
        return MEANT if self._synonyms[word] & there else 0.0

    def named(self) -> list[Product]:
        """The products the question names, best first."""
        counts = Counter(word for product in self.products for word in set(product.name))
        scored = []
        for product in self.products:
            score = 0.0
            for word in self.words:
                places = [at for at, part in enumerate(product.name) if part in self._forms[word]]
                if places:
                    score += 1 / counts[product.name[places[0]]] / (1 + 0.25 * places[0])
            if score:
                own = bool({product.item.id, product.item.family} & self.cart)
                scored.append((score + 0.05 * own, product))
        best = max((score for score, _ in scored), default=0.0)
        near = [pair for pair in scored if pair[0] >= best * 0.45]

        def rank(pair: tuple[float, Product]) -> tuple[bool, float]:
            mine = bool({pair[1].item.id, pair[1].item.family} & self.cart)
            return not (mine and pair[0] >= best * 0.8), -pair[0]

        return [product for _, product in sorted(near, key=rank)]

    def own_words(self, product: Product, other: Product) -> list[str]:
        """The words of a product's name that the question holds and the other's name does not."""
        asked = set().union(*(self._forms[word] for word in self.words))
        return [part for part in product.name if part in asked and part not in other.name]

    def those_in(self, words: Iterable[str], stems: Iterable[str]) -> set[str]:
        """Those of the question's words that occur among these stems in some form."""
        there = set(stems)
        return {word for word in words if self._forms[word] & there}

    def best(self, products: list[Product] | None = None) -> Found | None:
        """The product and its passages that speak most of the question."""
        total = sum(self._weight.values()) or 1.0
        found: tuple[float, Product, list[tuple[float, Passage]]] | None = None
        for product in products if products is not None else self.products:
            ranked = [(self._score(product, passage), passage) for passage in product.passages]
            ranked = sorted((pair for pair in ranked if pair[0] > 0), key=lambda pair: -pair[0])
            own = 0.02 * bool({product.item.id, product.item.family} & self.cart)
            if ranked and (found is None or ranked[0][0] + own > found[0]):
                found = ranked[0][0] + own, product, ranked
        if found is None:
            return None
        top, product, ranked = found
        chosen = [passage for score, passage in ranked if score >= 0.75 * top][:3]
        covered = {word for word in self.words if self._in(word, product, chosen)}
        return Found(product, tuple(chosen), sum(self._weight[word] for word in covered) / total)

    def _in(self, word: str, product: Product, passages: Iterable[Passage]) -> bool:
        return any(self.speaks(word, stems) > 0 for stems in (product.name, *(one.stems for one in passages)))

    def _score(self, product: Product, passage: Passage) -> float:
        inside = sum(self._weight[word] * self.speaks(word, passage.stems) for word in self.words)
        named = sum(
            self._weight[word] * self.speaks(word, product.name) * 0.9
            for word in self.words
            if not self.speaks(word, passage.stems)
        )
        wanted = ("compatible", "incompatible") if "compatibility" in self.asked_kinds else ()
        if "completeness" in self.asked_kinds:
            wanted = (*wanted, "requires", "missing", "included")
        bonus = 0.0
        if passage.kind in wanted:
            bonus = 0.6 if passage.kind != "incompatible" or not self.which else -0.6
        if not inside and not (bonus > 0 and named):
            return 0.0
        return inside + named + bonus
