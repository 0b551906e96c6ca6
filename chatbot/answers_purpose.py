"""Answers to "which one for this?": the product that the store itself says is meant for a use, season or place.

What stands in front of the use ("which *tiles* for the shower") says of what kind it should be; what a product is said
not to be for keeps it out.
"""

import re
from dataclasses import dataclass

from chatbot.asked import MAX_CARDS, Answer, Asked, cards_of
from chatbot.context import Item
from chatbot.passages import Passage, Product, passages_of, stems_of
from chatbot.quotes import texts_within
from chatbot.words import fold, hits

#: Topics that ask for something else than what a thing is for.
_OTHERWISE = (
    "cheaper",
    "alternatives",
    "goes_with",
    "warranty",
    "returns",
    "payment",
    "delivery",
    "coupon",
    "set",
    "size",
)
#: What a word of the use counts in an attribute about uses, in another one, in a sentence; and the least share of the
#: question's words that has to be found, the least part of the best that is shown beside it.
USE, ATTRIBUTE, SENTENCE, SHARE, BESIDE = 1.5, 0.7, 1.0, 0.32, 0.75
#: What the kind asked for counts, in a name and in a category; what is of another kind has to be for most of the use.
CALLED, CATEGORY, SHARE_OF_OTHERS = 1.0, 0.8, 0.6
#: An entry of a list ("stews, braising, bread") that is the word alone counts more than one that merely holds it.
ALONE = 0.4
#: And one that holds all of the use ("shower floors").
WHOLE = 0.6
MOST_QUOTED = 2
_ENTRIES = re.compile(r"[,;:.]|\band\b|\bi\b")


@dataclass(frozen=True)
class _Fit:
    """How well one product, as one of its variants, suits a use; ``said`` are the passages that say so."""

    score: float
    item: Item
    said: tuple[str, ...]


def say_purpose(asked: Asked) -> Answer | None:
    """What to take for a use, where the question leaves open which product."""
    if asked.beside is not None or any(asked.mentions(topic) for topic in _OTHERWISE):
        return None
    head, use = _parted(asked)
    kind = _kind(head, asked)
    names = _names_product(use, asked)
    if not use or not kind or (not head and names):
        return None
    # What a product needs is of the kind asked for; what a place or season needs may be of another.
    strictly = names or not hits(asked.folded, asked.texts.keywords["purpose_open"])
    if strictly and CALLED in kind.values():
        kind = {family: worth for family, worth in kind.items() if worth == CALLED}
    found = (
        _fit(product, use, asked, asked.search.weigh(head) * kind.get(product.item.family, 0.0))
        for product in asked.search.products
        if product.item.family in kind or not strictly
    )
    fits = sorted(filter(None, found), key=lambda fit: -fit.score)
    if not fits:
        return None
    best = fits[0]
    shown = [fit.item for fit in fits if fit.score >= BESIDE * best.score][:MAX_CARDS]
    quote = asked.texts.quote(texts_within(list(best.said[:MOST_QUOTED])))
    said = f"{asked.texts.say('says_product', name=best.item.name)} {quote}"
    return Answer("purpose", said, cards_of(shown, asked))


def _parted(asked: Asked) -> tuple[list[str], list[str]]:
    """The telling words before and after the one that leads to a use: "which tiles | for | the shower"."""
    keywords, words = asked.texts.keywords, asked.folded.split()
    opens = next((at for at, word in enumerate(words) if hits(word, keywords["purpose_open"])), None)
    if opens is None and (words[:1] == [] or words[0] in keywords["asking"] or asked.known.earlier):
        return [], []
    start = 0 if opens is None else opens + 1
    link = next((at for at in range(start, len(words)) if words[at] in keywords["purpose_link"]), None)
    if link is None:
        whole = opens is not None and hits(asked.folded, keywords["purpose_whole"])
        return [], _telling(words[start:], asked) if whole else []
    head = _telling(words[start:link], asked)
    return head, _telling(words[link + 1 :], asked) if head or opens is not None else []


def _names_product(use: list[str], asked: Asked) -> bool:
    """Whether the use is a product: what is for that one is a question of what fits or is needed."""
    for product in asked.named:
        called = product.item.called.partition(",")[0].split()
        proper = [word for at, word in enumerate(called) if word[:1].isupper() or at == 0]
        plain = [word for word in called if word.isalpha()]
        telling = stems_of(" ".join([*proper, *plain[-1:]]), asked.texts.language)
        if any(asked.search.speaks(word, telling) >= 1 for word in use):
            return True
    return False


def _telling(words: list[str], asked: Asked) -> list[str]:
    opening = asked.texts.keywords["purpose_open"]
    kept = " ".join(word for word in words if word not in asked.texts.everyday and not hits(word, opening))
    stems = set(stems_of(kept, asked.texts.language))
    return [word for word in asked.search.words if word in stems]


def _kind(head: list[str], asked: Asked) -> dict[str, float]:
    """The families of the kind asked for, so called or of a category so called, with how much that counts."""
    found = {}
    for product in asked.search.products:
        categories = stems_of(" ".join(product.item.categories), asked.texts.language)
        if all(asked.search.speaks(word, product.name) for word in head):
            found[product.item.family] = CALLED
        elif all(asked.search.speaks(word, (*product.name, *categories)) for word in head):
            found[product.item.family] = CATEGORY
    return found


def _fit(product: Product, use: list[str], asked: Asked, of_kind: float) -> _Fit | None:
    """The product as the variant that suits best; None where it says too little, or that it is not for this."""
    candidates = [(product.item, product.passages)]
    candidates += [(one, passages_of(one, asked.texts)) for one in product.variants if one.id != product.item.id]
    least = asked.search.weigh(use) * (SHARE if of_kind or not asked.named else SHARE_OF_OTHERS)
    fits = []
    for item, passages in candidates:
        scored = [(_score(passage, use, asked), passage) for passage in passages]
        if min((score for score, _ in scored), default=0.0) < 0:
            continue
        told = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
        found = {word for word in use for score, one in told if asked.search.speaks(word, one.stems)}
        if told and asked.search.weigh(found) >= least:
            total = sum(max(_word_score(word, one, use, asked) for _, one in told) for word in found)
            own = 0.05 * (item.id in asked.known.in_cart) + 0.02 * item.in_stock
            fits.append(_Fit(total + own + of_kind, item, tuple(passage.text for _, passage in told)))
    return max(fits, key=lambda fit: fit.score, default=None)


def _score(passage: Passage, use: list[str], asked: Asked) -> float:
    """What a passage says for the use; less than nothing where it says that the product is not for it."""
    score = sum(_word_score(word, passage, use, asked) for word in use)
    against = passage.name and hits(fold(passage.name), asked.texts.keywords["attribute_incompatible"])
    return -score if against else score


def _word_score(word: str, passage: Passage, use: list[str], asked: Asked) -> float:
    heard = asked.search.speaks(word, passage.stems)
    if not heard:
        return 0.0
    worth = heard * asked.search.weigh([word])
    if not passage.name:
        return SENTENCE * worth
    if not hits(fold(passage.name), asked.texts.keywords["attribute_use"]):
        return ATTRIBUTE * worth
    entries = [stems_of(entry, asked.texts.language) for entry in _ENTRIES.split(passage.text.lower())]
    spoken = [entry for entry in entries if asked.search.speaks(word, entry)]
    shortest = min((len(entry) for entry in spoken), default=len(entries))
    whole = len(use) > 1 and any(all(asked.search.speaks(one, entry) for one in use) for entry in spoken)
    return USE * worth * (1 + ALONE / max(shortest, 1) + WHOLE * whole)
