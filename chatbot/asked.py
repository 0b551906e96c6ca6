"""A question with what its answer may draw on, and the parts that answers are made of."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chatbot.cards import card
from chatbot.context import Item, Knowledge, Link, subjects
from chatbot.fitting import Lists
from chatbot.passages import Product, Search, stems_of
from chatbot.texts import Texts
from chatbot.words import hits, overlap

MAX_TEXT = 600
MAX_CARDS = 3
SHORT_QUOTE = 240
#: A word this short says little of its own.
LEAST_FOREIGN = 4
#: Topics that look at the question themselves, and those that are all of a question or nothing.
_ALWAYS = frozenset({"area", "compare", "measure", "faq", "fitting", "pair", "needs", "trait", "purpose", "help"})
_OPENINGS, _GREETINGS, SHORT = frozenset({"have_first"}), frozenset({"hello", "thanks"}), 3


@dataclass(frozen=True)
class Answer:
    """What is said, with at most three products beside it; ``topic`` says how the question was understood."""

    topic: str
    text: str
    cards: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """A question with everything an answer needs.

    ``spoken`` is what it speaks of without naming it, ``beside`` what that is wanted for; ``variant_only`` where it
    names nothing but a colour or size.
    """

    question: str
    folded: str
    known: Knowledge
    texts: Texts
    spoken: tuple[Product, ...] = ()
    beside: Product | None = None
    variant_only: bool = False

    @cached_property
    def search(self) -> Search:
        return Search(self.question, self.known, self.texts)

    @cached_property
    def named(self) -> list[Product]:
        """The products the question names or speaks of, best first."""
        families = {product.item.family: product for product in self.search.products}
        # The variant shown is the one that this question names.
        spoken = [families.get(product.item.family, product) for product in self.spoken]
        return [*spoken, *(one for one in self.search.named() if one not in spoken)]

    @cached_property
    def lists(self) -> Lists:
        """What the products' lists say of fitting and needing."""
        return Lists(self.search.products, self.texts.language)

    @cached_property
    def first_named(self) -> list[Product]:
        """The products the question names, in the order of the words that name them; after "which" comes the thing."""
        return sorted(self.named, key=self.place)

    def place(self, product: Product) -> int:
        """At which word of the question a product is named first; after all of them where it is not."""
        mine = self.search.those_in(self.search.words, product.name)
        return min((self._stems.index(word) for word in mine if word in self._stems), default=len(self._stems))

    @cached_property
    def _stems(self) -> list[str]:
        words = self.folded.split()
        start = next((at for at, word in enumerate(words) if word in self.texts.keywords["which"]), 0)
        return [stem for word in (*words[start:], *words[:start]) for stem in stems_of(word, self.texts.language)]

    @cached_property
    def asking(self) -> set[str]:
        """The words that only say that two things are compared."""
        words = (*self.texts.keywords["compare"], *self.texts.keywords["both"])
        return {word for word in self.folded.split() if hits(word, words)}

    @property
    def strange(self) -> set[str]:
        """The words that stand nowhere on the shelf and do not merely ask."""
        return {word for word in self.known.strange if len(word) > 1} - self.asking

    def is_telling(self, word: str) -> bool:
        """Whether a word is none of those that questions are made of."""
        whole, begun = self.texts.asking
        return len(word) >= LEAST_FOREIGN and word.isalpha() and word not in whole and not word.startswith(begun)

    @cached_property
    def foreign(self) -> set[str]:
        """The words that neither the store's products and policies have nor questions are made of."""
        said = " ".join(f"{policy.title} {policy.text}" for policy in self.known.policies)
        return {word for word in self.known.strange if self.is_telling(word) and not overlap([word], said)}

    @cached_property
    def about(self) -> list[Item]:
        """What the question is about: the products it names, else those of the cart."""
        named = [product.item for product in self.named]
        return named[:MAX_CARDS] if named else subjects(self.question, self.known, self.texts.stopwords)

    def mentions(self, topic: str) -> bool:
        if topic in _ALWAYS:
            return True
        if topic in _OPENINGS:
            return self.folded.partition(" ")[0] in self.texts.keywords[topic]
        if topic in _GREETINGS:
            return len(self.folded.split()) <= SHORT and hits(self.folded, self.texts.keywords[topic]) > 0
        return hits(self.folded, self.texts.keywords[topic]) > 0


def cards_of(items: list[Item], asked: Asked) -> list[dict[str, Any]]:
    why = asked.texts.say("why_cart")
    return [card(item, why if item.id in asked.known.in_cart else "", asked.known) for item in items[:MAX_CARDS]]


def link_cards(source: Item, links: list[Link], asked: Asked) -> list[dict[str, Any]]:
    return [
        card(link.item, asked.texts.say(f"why_{link.kind}", name=source.called), asked.known)
        for link in links[:MAX_CARDS]
    ]


def person_said(asked: Asked) -> str:
    if asked.known.contact_url:
        return asked.texts.say("human", shop=asked.known.shop, contact=asked.known.contact_url)
    return asked.texts.say("human_none", shop=asked.known.shop)


def unknown(asked: Asked, phrase: str, **values: str) -> str:
    return asked.texts.say(phrase, human=person_said(asked), **values)
