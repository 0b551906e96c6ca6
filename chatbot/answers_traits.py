"""Answers about one trait of a product, such as its weight, by the attribute or sentence in which the store states it.

A trait is asked for in many ways and stored under many names; the texts of a language list both, with the units its
value comes in. Questions about the shop itself ("how long does delivery take?") are none of its business.
"""

import re

from chatbot.asked import Answer, Asked, cards_of
from chatbot.passages import BEGUN, Passage, Product, stems_of
from chatbot.quotes import texts_within
from chatbot.texts import Trait
from chatbot.words import content, fold, hits

#: Topics of the shop, whose words say that no product's trait is asked.
_OF_THE_SHOP = ("warranty", "returns", "payment", "delivery", "delivery_when", "coupon", "area_asked")
#: What an attribute by its name, its unit, and each further word of the question count; and the least that is told.
NAMED, UNIT, WORD, LEAST = 3.0, 1.0, 1.2, 2.0
#: How many products are tried, and how much less than the best a second passage may count.
TRIED, NEARLY, MOST = 3, 0.5, 2
_NUMBER = r"(?<![a-z0-9.])\d+(?:\.\d+)? ?"


def say_trait(asked: Asked) -> Answer | None:
    """The trait that the question asks for, of the product it names, else of one in the cart."""
    if any(asked.mentions(topic) for topic in _OF_THE_SHOP):
        return None
    wanted = [trait for trait in asked.texts.traits.values() if hits(asked.folded, trait.asks)]
    if asked.search.asked_kinds or hits(asked.folded, asked.texts.keywords["wanted_for"]):
        # "Which plug for the lamp?" asks for another product; "how heavy a load does it need?" for a figure.
        wanted = [trait for trait in wanted if trait.units]
    if not wanted or (asked.foreign and not asked.named):
        return None
    cart = [product for product in asked.search.products if {product.item.id, product.item.family} & asked.search.cart]
    for product in (asked.named or cart)[:TRIED]:
        told = _told(product, wanted, asked)
        if told:
            item = product.item
            said = f"{asked.texts.say('says_product', name=item.name)} {asked.texts.quote(texts_within(told))}"
            return Answer("trait", said, cards_of([item], asked))
        if asked.named:
            return None
    return None


def _told(product: Product, wanted: list[Trait], asked: Asked) -> list[str]:
    """The passages that state the trait, best first."""
    words = _words_beside(product, wanted, asked)
    scored = [(max(_score(one, trait, words, asked) for trait in wanted), one) for one in product.passages]
    best = max((score for score, _ in scored), default=0.0)
    if best < LEAST:
        return []
    ranked = sorted((pair for pair in scored if pair[0] >= best - NEARLY), key=lambda pair: -pair[0])
    return [passage.text for _, passage in ranked[:MOST]]


def _words_beside(product: Product, wanted: list[Trait], asked: Asked) -> set[str]:
    """The stems of the question that neither ask for the trait nor name the product."""
    asks = [ask for trait in wanted for ask in trait.asks]
    words = [word for word in content(asked.folded, asked.texts.stopwords) if not hits(word, asks)]
    return {stem for word in words for stem in stems_of(word, asked.texts.language)} - set(product.name)


def _score(passage: Passage, trait: Trait, words: set[str], asked: Asked) -> float:
    named = bool(passage.name) and hits(fold(passage.name), trait.names) > 0
    value = fold(passage.text.removeprefix(f"{passage.name}: ")) if passage.name else fold(passage.text)
    measured = any(re.search(rf"{_NUMBER}{re.escape(unit)}(?![a-z0-9])", value) for unit in trait.units)
    spoken = sum(any(_alike(word, stem) for stem in passage.stems) for word in words)
    if trait.units and not measured and not (named and re.search(r"\d", value)):
        return 0.0
    if not named and not (measured and (passage.name or spoken)):
        return 0.0
    return NAMED * named + UNIT * measured + WORD * spoken + UNIT * (bool(passage.name) and measured)


def _alike(word: str, other: str) -> bool:
    least = min(len(word), len(other))
    return word == other or (least >= BEGUN and word[:least] == other[:least])
