"""What the assistant may know, and nothing else: the cart's lines, the store's products around them, its policies.

Pure. It holds no name, address, e-mail, key or other cart. Numbers about money, stock and policies are typed facts;
text of the store is only ever quoted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from chatbot.words import content, fold, overlap
from recovery.goods import CouponOutcome, Item, Line, Link, LinkKind, OwnCoupon, PolicyText
from recovery.money import format_money, format_quantity

__all__ = [
    "CouponOutcome", "Item", "Knowledge", "Line", "Link", "LinkKind", "OwnCoupon", "PolicyText", "linked_to",
    "named_in", "subjects",
]  # fmt: skip

#: Only a word this long names something beyond the cart: "hood" is no "hoodie".
CERTAIN = 5


@dataclass(frozen=True)
class Knowledge:
    """Everything one answer may draw on.

    ``coupon_codes`` are those that the cart holds in the shop, ``coupon`` is the one that was prepared for it.
    ``found`` is what the question's words find on the shelf, best first, ``found_links`` what the store offers beside
    it, ``alike`` more of its kind; ``strange`` are words that stand nowhere on the shelf; ``earlier`` are the last
    questions of the conversation and ``shown`` the products shown with each of them, newest first.
    """

    language: str
    shop: str
    currency: str
    digits: int
    total: int | None
    lines: tuple[Line, ...] = ()
    coupon_codes: tuple[str, ...] = ()
    coupon: OwnCoupon | None = None
    siblings: tuple[Item, ...] = ()
    links: tuple[Link, ...] = ()
    policies: tuple[PolicyText, ...] = ()
    contact_url: str | None = None
    #: Whether the store addresses its customers formally.
    formal: bool = False
    found: tuple[Item, ...] = ()
    strange: frozenset[str] = frozenset()
    earlier: tuple[str, ...] = ()
    shown: tuple[tuple[str, ...], ...] = ()
    found_links: tuple[Link, ...] = ()
    alike: tuple[Item, ...] = ()
    in_cart: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        ids = {line.product_id for line in self.lines}
        families = {line.item.family for line in self.lines if line.item is not None}
        object.__setattr__(self, "in_cart", frozenset(ids | families))

    def money(self, amount: int, currency: str | None = None, digits: int | None = None) -> str:
        """An amount as the store's customers read it."""
        if currency is None or currency == self.currency:
            return format_money(amount, self.currency, self.language, self.digits)
        return format_money(amount, currency, self.language, digits)

    def quantity(self, quantity: int) -> str:
        """A quantity as the store's customers read it."""
        return format_quantity(quantity, self.language)

    @property
    def items(self) -> list[Item]:
        """The products in the cart that the store told about, each once."""
        return list({line.item.id: line.item for line in self.lines if line.item is not None}.values())

    @property
    def everything(self) -> list[Item]:
        """Every product that may be spoken of, each once: the cart's, those beside it, those found."""
        beside = (link.item for link in self.links)
        return list({item.id: item for item in (*self.items, *self.found, *beside, *self.siblings)}.values())

    def of_kind(self, kind: str) -> list[PolicyText]:
        """The store's policies of one kind."""
        return [policy for policy in self.policies if policy.kind == kind]


def named_in(question: str, items: Iterable[Item], stopwords: frozenset[str], least: int = 0) -> list[Item]:
    """The items a question names: those whose names share the most words (of at least so many letters) with it."""
    asked = [word for word in content(fold(question), stopwords) if len(word) >= least]
    scored = [(overlap(asked, item.name), item) for item in items]
    best = max((score for score, _ in scored), default=0)
    return [item for score, item in scored if score == best] if best else []


def subjects(question: str, knowledge: Knowledge, stopwords: frozenset[str]) -> list[Item]:
    """What a question is about: products of the cart it names, else linked ones it names, else the whole cart."""
    cart = knowledge.items
    named = named_in(question, cart, stopwords)
    if named:
        return named
    linked = named_in(question, (link.item for link in knowledge.links), stopwords, least=CERTAIN)
    return list({item.id: item for item in linked}.values()) or cart


def linked_to(item: Item, kinds: Iterable[LinkKind], knowledge: Knowledge) -> list[Link]:
    """What the store offers beside ``item`` and is not in the cart yet: what is in stock first, each product once."""
    wanted = list(kinds)
    found = [
        link
        for kind in wanted
        for link in (*knowledge.links, *knowledge.found_links)
        if link.kind == kind
        and link.source in {item.id, item.family}
        and link.item.id not in knowledge.in_cart
        and link.item.family not in knowledge.in_cart
    ]
    once = list({link.item.family: link for link in reversed(found)}.values())[::-1]
    return sorted(once, key=lambda link: not link.item.in_stock)
