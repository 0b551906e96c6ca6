"""Chooses the questions a customer could start with: only such as the store's own data can answer. Pure."""

from dataclasses import dataclass, field

from chatbot.texts import Texts
from chatbot.words import fold, hits

#: A longer name does not fit on a button.
MAX_NAME = 40


@dataclass(frozen=True)
class CartFacts:
    """What the store has told about the products of a cart and beside them."""

    policies: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    #: Names of the attributes of the cart's products.
    attributes: frozenset[str] = frozenset()
    #: The products that come in sizes, by their name.
    sized: tuple[str, ...] = ()
    lines: int = 0
    by_area: bool = False
    cheaper: bool = False
    ordered: bool = field(default=False, kw_only=True)


def starters(facts: CartFacts, texts: Texts) -> list[str]:
    """Every question that has an answer, the most helpful first; the page shows a few and goes on from there."""
    return [_worded(name, facts, texts) for name, usable in _usable(facts, texts).items() if usable]


def _usable(facts: CartFacts, texts: Texts) -> dict[str, bool]:
    def told(what: str) -> bool:
        return any(hits(fold(name), texts.starter_words[what]) for name in facts.attributes)

    return {
        "size": "size_guide" in facts.policies and bool(facts.sized),
        "set": told("set"),
        "packs": facts.by_area and not facts.ordered,
        "delivery": "shipping" in facts.policies,
        "goes_with": "crosssell" in facts.links,
        "returns": "returns" in facts.policies,
        "about": told("material"),
        "cheaper": facts.cheaper and not facts.ordered,
        "use": told("use"),
        "payment": "payment" in facts.policies and not facts.ordered,
    }


def _worded(name: str, facts: CartFacts, texts: Texts) -> str:
    """A question about a size names its product where the cart holds others too."""
    if name == "size" and facts.lines > 1 and len(facts.sized[0]) <= MAX_NAME:
        return texts.starters["size_of"].format(name=facts.sized[0])
    return texts.starters[name]
