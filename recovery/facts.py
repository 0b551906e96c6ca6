"""The typed facts of one turn or mail: what alone backs a claim about money, stock, delivery, returns or a code.

Pure. They come from columns and `policy.facts`; a number in any free text backs nothing. Texts are kept only to tell
which product a sentence names, and whether a quotation is the store's own sentence word for word.
"""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from recovery.claim_reading import Reading
from recovery.goods import Item, Line, Link, OwnCoupon, PolicyText
from recovery.money import QUANTITY_SCALE, digits_of, to_decimal
from recovery.words import STEM, fold, same, sentences

_JOINING = frozenset("and the for with without dla oraz bez pod nad from".split())
_SHOUTED = re.compile(r"[A-Z]{3,}")
# Too near to some words of names for a comparison by stems.
_COMMON = frozenset("there these those their other others after here then when where jest jako tego tylko".split())
_NONE: frozenset[str] = frozenset()
_LOOSE = re.compile(r"[\s\u00a0]+")


@dataclass(frozen=True)
class PolicyFact:
    """A number of a policy: an amount in ``currency``, or days, months, percent by its name."""

    name: str
    amount: Decimal
    currency: str | None
    condition: str = ""


@dataclass(frozen=True)
class Money:
    """An amount in whole units of its currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Mention:
    """A product that a text names: its family and where in the text's words."""

    family: str
    at: int


class Known(Protocol):
    """What one turn of the assistant or one mail may draw on, as far as it backs claims."""

    @property
    def currency(self) -> str: ...
    @property
    def digits(self) -> int: ...
    @property
    def total(self) -> int | None:
        """Of the cart; None where only the shop can tell it."""

    @property
    def lines(self) -> Sequence[Line]: ...
    @property
    def coupon_codes(self) -> Sequence[str]:
        """The codes that the cart holds in the shop and that may be told."""

    @property
    def coupon(self) -> OwnCoupon | None:
        """The one that was prepared for the cart."""

    @property
    def siblings(self) -> Sequence[Item]: ...
    @property
    def links(self) -> Sequence[Link]: ...
    @property
    def found(self) -> Sequence[Item]: ...
    @property
    def policies(self) -> Sequence[PolicyText]: ...
    @property
    def contact_url(self) -> str | None: ...


@dataclass
class _Family:
    words: tuple[str, ...]
    items: list[Item] = field(default_factory=list)


class Facts:
    """What is true in one turn; a tool that returns further products adds them."""

    def __init__(self, known: Known) -> None:
        self.currency = known.currency
        #: None where only the shop can tell it.
        self.total = None if known.total is None else Money(to_decimal(known.total, known.digits), known.currency)
        self.lines = tuple(known.lines)
        working = known.coupon is not None and known.coupon.outcome == "works"
        #: The cart's own coupon while it is valid; ``codes`` are it and those that the cart holds in the shop.
        self.coupon = known.coupon if working else None
        self.codes = frozenset((*known.coupon_codes, *((self.coupon.code,) if self.coupon else ())))
        self.contact_url = known.contact_url
        self.policy: dict[str, list[PolicyFact]] = {}
        self._digits = known.digits
        self._items: dict[str, Item] = {}
        self._families: dict[str, _Family] = {}
        self._by_stem: dict[str, list[tuple[str, str]]] = {}
        # What was shown is read again with each of the next sentences, word by word.
        self._named: dict[str, Set[str]] = {}
        self._quotes: set[str] = set()
        self._own: set[str] = set()
        self.shouted: set[str] = set()
        self._option_sets: dict[str, set[str]] = {}
        for policy in known.policies:
            self._quotes |= {_loose(one) for one in sentences(policy.text)}
            for fact in policy.facts:
                self._take(fact["name"], fact["amount"], fact.get("currency"), fact.get("condition") or "")
        self.add(line.item for line in known.lines if line.item is not None)
        self.add(known.siblings)
        self.add(link.item for link in known.links)
        self.add(known.found)

    def _take(self, name: str, amount: int, currency: str | None, condition: str) -> None:
        digits = self._digits if currency == self.currency else digits_of(currency or "")
        value = to_decimal(amount, digits) if currency else Decimal(amount)
        self.policy.setdefault(name, []).append(PolicyFact(name, value, currency, condition))

    def add(self, items: Iterable[Item]) -> None:
        """Take further products of the store that this turn may speak of; each keeps its place."""
        self._option_sets.clear()
        self._named.clear()
        for item in items:
            if item.id in self._items:
                continue
            self._items[item.id] = item
            family = self._families.setdefault(item.family, _Family(_name_words(item.called)))
            family.items.append(item)
            if len(family.items) == 1:
                for word in family.words:
                    self._by_stem.setdefault(word[:STEM], []).append((word, item.family))
            self._own |= {_loose(one) for one in sentences(item.description) + sentences(item.short_description)}
            self._own |= {_loose(f"{name}: {value}") for name, value in item.attributes}
            self._own |= {_loose(value) for _, value in item.attributes}
            self.shouted |= {word for _, value in item.attributes for word in _SHOUTED.findall(value)}

    @property
    def items(self) -> list[Item]:
        """Every product of this turn, in its place."""
        return list(self._items.values())

    def place(self, item: Item) -> int:
        """The number n by which ``[[p:n]]`` means an item, from 1."""
        return list(self._items).index(item.id) + 1

    def placed(self, number: int) -> Item | None:
        """The item that ``[[p:n]]`` means."""
        return self.items[number - 1] if 0 < number <= len(self._items) else None

    def amounts(self, name: str) -> list[PolicyFact]:
        """The policy facts of one name."""
        return self.policy.get(name, [])

    def mentions(self, words: list[str]) -> list[Mention]:
        """The products that folded words name, by words that only one product's name has; in order."""
        found = []
        for at, word in enumerate(words):
            families = _NONE if word in _COMMON else self._named_by(word)
            if len(families) == 1:
                found.append(Mention(next(iter(families)), at))
        return found

    def _named_by(self, word: str) -> Set[str]:
        near = self._by_stem.get(word[:STEM])
        if not near:
            return _NONE
        if word not in self._named:
            self._named[word] = {family for known, family in near if same(word, known)}
        return self._named[word]

    def names_number(self, words: list[str], at: int) -> bool:
        """Whether a number is part of a product's name, right behind another word of it."""
        if at == 0 or not words[at - 1].isalpha():
            return False
        named = self._named_by(words[at - 1])
        return any(words[at] in self._families[family].words for family in named)

    def subjects(self, read: Reading) -> list[str]:
        """The families a sentence speaks of: named in it, else last named before it, else the only one it can mean."""
        mentions = self.mentions(read.words)
        own = [mention.family for mention in mentions if mention.at >= read.start]
        if own:
            return list(dict.fromkeys(own))
        if read.names_unknown():
            return []
        earlier = [mention.family for mention in mentions]
        if earlier:
            return earlier[-1:]
        hinted = self.hinted(read.words[read.start :]) or self.in_cart()
        return hinted if len(hinted) == 1 else []

    def stocked(self, family: str, text: str) -> bool:
        """Whether a family, in every variant that a text names, is in stock."""
        return all(any(item.in_stock for item in items) for items in self._by_option(family, text))

    def _by_option(self, family: str, text: str) -> list[list[Item]]:
        meant = self.variants(family, text)
        options = {option for item in meant for option in self._options(item) if _tells(option, text)}
        return [[item for item in meant if option in self._options(item)] for option in options] or [meant]

    def _options(self, item: Item) -> set[str]:
        if item.id not in self._option_sets:
            self._option_sets[item.id] = self._find_options(item)
        return self._option_sets[item.id]

    def _find_options(self, item: Item) -> set[str]:
        """What tells a variant from its siblings: attributes that they do not share, else the end of its name."""
        siblings = self._families[item.family].items
        told = {
            value for name, value in item.attributes if any((name, value) not in one.attributes for one in siblings)
        }
        own = item.name.removeprefix(item.title) if item.title else ""
        return told or {option.strip() for option in own.split(",") if option.strip()}

    def own_words(self, family: str) -> set[str]:
        """The folded words of a family's names and options."""
        items = self._families[family].items
        return {
            word
            for item in items
            for text in (item.name, item.title, *self._options(item))
            for word in fold(text).split()
        }

    def stock_counts(self, read: Reading) -> set[Decimal]:
        """How many there are of what a sentence speaks of, where it means one thing."""
        families = self.subjects(read)
        items = self.variants(families[0], read.clause) if len(families) == 1 else []
        whole = [item for item in items if item.stock_quantity is not None]
        return {Decimal(item.stock_quantity or 0) / QUANTITY_SCALE for item in whole[:1]} if len(items) == 1 else set()

    def in_cart(self) -> list[str]:
        """The families in the cart."""
        return list(dict.fromkeys(line.item.family for line in self.lines if line.item is not None))

    def hinted(self, words: list[str]) -> list[str]:
        """The families of the cart that a common word (``jacket``) points to."""
        pointed = set().union(*(self._named_by(word) for word in words))
        return [family for family in self.in_cart() if family in pointed]

    def variants(self, family: str, text: str) -> list[Item]:
        """The items of a family that a text means: those whose options it names, else the one in the cart, else all."""
        items = self._families[family].items
        told = {item.id: sum(_tells(option, text) for option in self._options(item)) for item in items}
        best = max(told.values())
        if best:
            return [item for item in items if told[item.id] == best]
        carted = {line.product_id for line in self.lines}
        return [item for item in items if item.id in carted] or items

    def prices(self, family: str, text: str) -> set[Money]:
        """What an item of a family, or the cart's line with it, costs."""
        items = self.variants(family, text)
        ids = {item.id for item in items}
        lines = [line for line in self.lines if line.product_id in ids]
        return {Money(to_decimal(item.price, item.digits), item.currency) for item in items} | {
            Money(to_decimal(line.row_total, self._digits), self.currency)
            for line in lines
            if line.row_total is not None
        }

    def quantities(self) -> set[Decimal]:
        """How many of something the cart holds."""
        return {Decimal(line.quantity) / QUANTITY_SCALE for line in self.lines}

    def is_policy_quote(self, text: str) -> bool:
        """Whether a quotation is one whole sentence of a policy, or several, word for word."""
        return _made_of(text, self._quotes)

    def is_own_words(self, text: str) -> bool:
        """Whether a quotation is whole sentences of the store's products or policies, word for word."""
        return _made_of(text, self._own | self._quotes)


def typed_facts(known: Known) -> Facts:
    """The typed facts of what one turn or mail knows."""
    return Facts(known)


def _name_words(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in fold(name).split() if len(word) > 2 and word not in _JOINING))


def _loose(text: str) -> str:
    return _LOOSE.sub(" ", text).strip().rstrip(".")


def _made_of(text: str, known: set[str]) -> bool:
    parts = [_loose(part) for part in sentences(text)]
    return bool(parts) and (_loose(text) in known or all(part in known for part in parts))


def _tells(option: str, text: str) -> bool:
    if len(option) <= 3:
        return re.search(rf"(?<![\w'’]){re.escape(option)}(?!\w)", text) is not None
    return f" {fold(option)} " in f" {fold(text)} "
