"""Answers about one trait of a product, such as its weight, by the attribute or sentence in which the store states it.

A trait is asked for in many ways and stored under many names; the texts of a language list both, with the units its
value comes in. Questions about the shop itself ("how long does delivery take?") are none of its business.
"""

import re

from chatbot.asked import Answer, Asked, cards_of, person_said
from chatbot.passages import Passage, Product, stems_of
from chatbot.quotes import texts_within
from chatbot.texts import Trait
from chatbot.words import content, fold, hits

#: Topics of the shop, whose words say that no product's trait is asked.
_OF_THE_SHOP = ("warranty", "returns", "payment", "delivery", "delivery_when", "coupon", "area_asked")
#: What an attribute by its name, its unit, and each further word of the question count; and the least that is told.
NAMED, LOOSELY, UNIT, WORD, LEAST = 3.0, 0.1, 1.0, 1.2, 2.0
#: How many products are tried, and how much less than the best a second passage may count.
TRIED, NEARLY, MOST = 3, 0.5, 2
#: With more words that the store does not have, the question is about something else.
MOST_FOREIGN = 1
_BARE = re.compile(r"[\d .x]+")
_NUMBER = r"(?<![a-z0-9.])\d+(?:\.\d+)? ?"


def say_trait(asked: Asked) -> Answer | None:
    """The trait that the question asks for, of the product it names, else of one in the cart."""
    if any(asked.mentions(topic) for topic in _OF_THE_SHOP):
        return None
    wanted = [trait for trait in asked.texts.traits.values() if hits(asked.folded, trait.asks)]
    if asked.search.asked_kinds or hits(asked.folded, asked.texts.keywords["wanted_for"]):
        # "Which plug for the lamp?" asks for another product; "how heavy a load does it need?" for a figure.
        wanted = [trait for trait in wanted if trait.units]
    # "How long does it hold the temperature?" asks how long.
    phrased = [trait for trait in wanted if hits(asked.folded, [ask for ask in trait.asks if " " in ask])]
    wanted = phrased or wanted
    if not wanted or len(asked.foreign) > MOST_FOREIGN:
        return None
    words = _words_beside(wanted, asked)
    named = [one for one in asked.named if one in asked.spoken or _names(words, one, asked)]
    cart = [product for product in asked.search.products if {product.item.id, product.item.family} & asked.search.cart]
    for product in named[:1] or cart[:TRIED]:
        told = _told(product, wanted, words, asked)
        if told:
            item = product.item
            said = f"{asked.texts.say('says_product', name=item.name)} {asked.texts.quote(texts_within(told))}"
            beyond = f"\n{person_said(asked)}" if _of_both(named, asked) else ""
            return Answer("trait", f"{said}{beyond}", cards_of([item], asked))
    return None


def _of_both(named: list[Product], asked: Asked) -> bool:
    """Whether it is asked of two products together, which no attribute of one of them states."""
    if not hits(asked.folded, asked.texts.keywords["together"]):
        return False
    return any(asked.search.own_words(one, named[0]) and asked.search.own_words(named[0], one) for one in named[1:])


def _told(product: Product, wanted: list[Trait], words: list[str], asked: Asked) -> list[str]:
    """The passages that state the trait, best first."""
    beside = [word for word in words if asked.search.speaks(word, product.name) < 1]
    scored = [(max(_score(one, trait, beside, asked) for trait in wanted), one) for one in product.passages]
    best = max((score for score, _ in scored), default=0.0)
    if best < LEAST:
        return []
    ranked = sorted((pair for pair in scored if pair[0] >= best - NEARLY), key=lambda pair: -pair[0])
    return [passage.text for _, passage in ranked[:MOST]]


def _words_beside(wanted: list[Trait], asked: Asked) -> list[str]:
    """The words of the question that do not ask for the trait, as stems."""
    asks = [ask for trait in wanted for ask in trait.asks]
    kept = [word for word in content(asked.folded, asked.texts.stopwords) if not hits(word, asks)]
    stems = {stem for word in kept for stem in stems_of(word, asked.texts.language)}
    return [word for word in asked.search.words if word in stems]


def _names(words: list[str], product: Product, asked: Asked) -> bool:
    return any(asked.search.speaks(word, product.name) >= 1 for word in words)


def _score(passage: Passage, trait: Trait, words: list[str], asked: Asked) -> float:
    named = bool(passage.name) and hits(fold(passage.name), trait.names) > 0
    value = fold(passage.text.removeprefix(f"{passage.name}: ")) if passage.name else fold(passage.text)
    measured = any(re.search(rf"{_NUMBER}{re.escape(unit)}(?![a-z0-9])", value) for unit in trait.units)
    spoken = sum(asked.search.speaks(word, passage.stems) for word in words)
    if trait.units and not measured and not (named and _BARE.fullmatch(value)):
        return 0.0
    # "What does a Philips weigh?" names nothing of the store's: then the attribute's name alone is not enough.
    known = named and bool(asked.named or not asked.foreign)
    if not known and not (spoken and (named or measured)):
        return 0.0
    return (
        (LOOSELY if trait.loose else NAMED) * named
        + UNIT * measured
        + WORD * spoken
        + UNIT * (bool(passage.name) and measured)
    )
