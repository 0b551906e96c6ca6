"""What products still need by the store's own lists, held against a cart, and what the store sells for it.

Pure. A need is met by a product of its name that no list calls unfit; what is in the box is no need.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.context import Item
from chatbot.fitting import FITS, NEEDS, Lists, Named, entries_of
from chatbot.passages import Product, kind_of, stems_of
from chatbot.texts import Texts
from chatbot.words import fold, hits

#: How much of a product's name a need must hold to mean it, and for how many needs the shelf is searched.
MOSTLY, MOST_SEARCHED = 0.6, 6
#: Where a product's name goes on with its measures or its number of pieces.
_SPEC = re.compile(r"[,\d]")


@dataclass(frozen=True)
class Shortfall:
    """The needs that are open, and the products of the cart that meet others."""

    open: tuple[Named, ...]
    met: tuple[Product, ...]

    @property
    def needy(self) -> list[Product]:
        """The products that need something, each once."""
        return once([need.product for need in self.open])

    def said_of(self, product: Product) -> list[str]:
        """The lists by which a product needs something."""
        return list(dict.fromkeys(need.passage.text for need in self.open if need.product == product))


def shortfall(products: Sequence[Product], cart: Sequence[Product], lists: Lists) -> Shortfall:
    """What these products need and the cart does not hold."""
    needs = [need for one in products for need in lists.of(one, NEEDS)]
    met = [(need, one) for need in needs for one in cart if _meets(need, one, lists)]
    done = [need for need, _ in met]
    return Shortfall(tuple(need for need in needs if need not in done), tuple(once([one for _, one in met])))


def sold_for(lacking: Shortfall, cart: Sequence[Product], lists: Lists) -> list[Product]:
    """What the store sells for the open needs and no list calls unfit for the cart."""
    return once([one for need in lacking.open for one in lists.products if _supplies(need, one, cart, lists)])


def once(products: Sequence[Product]) -> list[Product]:
    return list({one.item.family: one for one in products}.values())


def _meets(need: Named, product: Product, lists: Lists) -> bool:
    if product == need.product:
        return False
    if need.entry.stems >= set(product.name):
        return not _unfit(need.product, product, lists)
    told = lists.between(need.product, product)
    listed = bool(told) and all(said.kind in FITS for said in told)
    named = need.entry.stems <= set(product.name)
    return named and (listed or (not told and _is_kind(need, product, lists.language)))


def _is_kind(need: Named, product: Product, language: str) -> bool:
    """Whether a need is what the product is, not what it is for: filter wool is no filter."""
    words = fold(_SPEC.split(product.item.called)[0]).split()
    # The thing stands last in English and first in Polish.
    head = words[:1] if language.startswith("pl") else words[-1:]
    return any(stem in need.entry.stems for word in head for stem in stems_of(word, language))


def _unfit(one: Product, other: Product, lists: Lists) -> bool:
    return any(said.kind == "incompatible" for said in lists.between(one, other))


def _supplies(need: Named, product: Product, cart: Sequence[Product], lists: Lists) -> bool:
    """Whether a product is what is needed; of several of a kind those that the lists name for it."""
    if product in (need.product, *cart) or any(_unfit(product, one, lists) for one in (need.product, *cart)):
        return False
    name = set(product.name)
    shared = need.entry.stems & name
    called = shared == need.entry.stems or len(shared) >= MOSTLY * len(name)
    if need.entry.stems == name or (len(shared) > 1 and called):
        return True
    said = {named.kind for named in lists.between(need.product, product)}
    return need.entry.stems <= name and bool(said & set(FITS))


def needs_of(question: str, items: Sequence[Item], texts: Texts) -> list[str]:
    """What the lists of these products name as needed, to be looked for on the shelf, where a question asks for it."""
    if not hits(fold(question), (*texts.keywords["completeness"], *texts.keywords["whole_set"])):
        return []
    found = [
        entry.text
        for item in items
        for name, value in item.attributes
        if kind_of(name, texts) in NEEDS
        for entry in entries_of(f"{name}: {value}", frozenset(), texts.language)
    ]
    return list(dict.fromkeys(found))[:MOST_SEARCHED]
