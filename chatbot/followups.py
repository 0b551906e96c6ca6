"""What a question leaves to the ones before it: which product "it" is, and what is asked of "the other one".

Pure. The product spoken of last is the first one shown with the last answer, else the one the last question named.
"""

import re
from dataclasses import replace

from chatbot.asked import Asked
from chatbot.context import Item
from chatbot.passages import Product, Search
from chatbot.variants import own_labels, variants_asked, words_left
from chatbot.words import fold, hits, overlap, same

#: How many products of one turn may be meant afterwards.
REMEMBERED = 3
TWO = 2
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def resolved(asked: Asked) -> Asked:
    """The question with the products it speaks of without naming them, and what it asks of them."""
    lasts = _spoken_last(asked)
    if not lasts:
        return asked
    own = asked.search.named()
    keywords = asked.texts.keywords
    if len(lasts) > 1 and hits(asked.folded, keywords["the_other"]):
        return _asked_again(asked, lasts[1], lasts)
    if not own:
        return _of_last(asked, lasts)
    opening = asked.folded.partition(" ")[0] in keywords["follow_opening"]
    pronoun = hits(asked.folded, keywords["pronoun"]) > 0
    if not opening and not pronoun:
        return asked
    # "What goes with the jacket?" names the one spoken of itself.
    another = all(one.item.family != lasts[0].item.family for one in own)
    start = asked.folded.removeprefix("and ").removeprefix("a ")
    if another and any(start.startswith(one) for one in keywords["which_first"]):
        return replace(
            asked, spoken=tuple(sorted(own, key=lambda one: -_related(one, lasts[0], asked))), beside=lasts[0]
        )
    if opening and not words_left(asked.question, own[0], asked.texts):
        return _asked_again(asked, own[0], lasts)
    return replace(asked, spoken=(lasts[0],)) if pronoun else asked


def _spoken_last(asked: Asked) -> list[Product]:
    known = asked.known
    products = {product.item.family: product for product in asked.search.products}
    families = {item.id: item.family for item in known.everything}
    found: list[Product] = []
    for question, shown in zip(known.earlier, known.shown or ((),) * len(known.earlier), strict=False):
        cards = [products[families[one]] for one in shown if families.get(one) in products]
        found += cards or Search(question, known, asked.texts).named()[:REMEMBERED]
    return list({product.item.family: product for product in found}.values())


def _of_last(asked: Asked, lasts: list[Product]) -> Asked:
    folded = asked.folded
    if len(lasts) > 1 and _compares(folded, asked):
        return replace(asked, spoken=tuple(lasts[:2]))
    last = lasts[0]
    beside = _next_variant(folded, last, asked)
    if beside is not None:
        # "And the bigger one?": what was asked before, of the next variant.
        earlier, size = asked.known.earlier[0], _size(beside)[0]
        question = _NUMBER.sub(size, earlier, count=1) if _NUMBER.search(earlier) else f"{earlier} {size}"
        return Asked(question, fold(question), asked.known, asked.texts, spoken=(replace(last, item=beside),))
    if variants_asked(asked.question, last, asked.texts) and not words_left(asked.question, last, asked.texts):
        # "And in blue?": what was asked before, of another variant.
        return replace(asked, spoken=(last,), variant_only=True)
    return replace(asked, spoken=(last,))


def _next_variant(folded: str, product: Product, asked: Asked) -> Item | None:
    """The next larger or smaller variant of a product than the one asked about, by the numbers they are called by."""
    up, down = (hits(folded, asked.texts.keywords[key]) > 0 for key in ("larger", "smaller"))
    sized = [(float(found[0].replace(",", ".")), item) for item in product.variants if (found := _size(item))]
    if up == down or len(sized) < TWO:
        return None
    sized.sort(key=lambda pair: pair[0] if up else -pair[0])
    before = variants_asked(asked.known.earlier[0], product, asked.texts) or [product.item]
    at = next((at for at, (_, item) in enumerate(sized) if item.id == before[0].id), len(sized) - TWO)
    return sized[min(at + 1, len(sized) - 1)][1]


def _size(item: Item) -> list[str]:
    return _NUMBER.findall(" ".join(own_labels(item)))


def _compares(folded: str, asked: Asked) -> bool:
    which = hits(folded, asked.texts.keywords["which"]) > 0
    endings = tuple(asked.texts.keywords["more_ending"])
    return which and (any(word.endswith(endings) and len(word) > 5 for word in folded.split()) or " more " in folded)


def _asked_again(asked: Asked, product: Product, lasts: list[Product]) -> Asked:
    """The last question, of another product; the names of the products it was asked of left out."""
    names = [word for last in lasts for word in fold(last.item.called).split()]
    kept = [word for word in asked.known.earlier[0].split() if not _is_name(fold(word), names)]
    question = " ".join(kept)
    return Asked(question, fold(question), asked.known, asked.texts, spoken=(product,))


def _is_name(word: str, names: list[str]) -> bool:
    return any(same(part, name) for part in word.split() for name in names if len(part) > 2)


def _related(product: Product, last: Product, asked: Asked) -> float:
    """How much the store's data tie a product to the one spoken of last."""
    links = (*asked.known.links, *asked.known.found_links)
    linked = any(
        link.source in {last.item.id, last.item.family} and link.item.family == product.item.family for link in links
    )
    name = [word for word in fold(last.item.called).split() if len(word) > 2]
    tied = 0.0
    for one, other in ((product, name), (last, [word for word in fold(product.item.called).split() if len(word) > 2])):
        for passage in one.passages:
            share = overlap(other, passage.text) / max(len(other), 1)
            sign = {"compatible": 2.0, "incompatible": -2.0}.get(passage.kind, 0.3)
            tied += sign * share
    return linked + tied
