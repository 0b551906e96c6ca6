"""The built-in assistant: understands a question and answers it from the store's own data, without any model.

Pure. Numbers come from typed facts or stand in verbatim quotes; products appear as cards made from their rows; what the
data does not say is not said.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chatbot.areas import area_said
from chatbot.cards import card
from chatbot.context import Item, Knowledge, Link, linked_to, named_in, subjects
from chatbot.passages import ENOUGH, Product, Search
from chatbot.quotes import describe, facts_said, of_size, policy_said, range_said, size_said, summary, texts_within
from chatbot.texts import Texts
from chatbot.words import content, fold, hits, overlap, sentences

MAX_TEXT = 600
MAX_CARDS = 3
SHORT_QUOTE = 240

#: What a question may be about; where several fit the earlier wins.
TOPICS = (
    "human",
    "area",
    "measure",
    "compare",
    "why",
    "faq",
    "warranty",
    "returns",
    "payment",
    "delivery",
    "coupon",
    "cheaper",
    "alternatives",
    "fitting",
    "goes_with",
    "stock",
    "have",
    "size",
    "fit",
    "price",
    "order",
    "about",
    "thanks",
    "hello",
)


#: Topics that look at the question themselves, and those that are all of a question or nothing.
_ALWAYS, _GREETINGS, SHORT = (
    frozenset({"area", "compare", "measure", "faq", "fitting"}),
    frozenset({"hello", "thanks"}),
    3,
)


@dataclass(frozen=True)
class Answer:
    """What is said, with at most three products beside it; ``topic`` says how the question was understood."""

    topic: str
    text: str
    cards: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Asked:
    """A question with everything an answer needs."""

    question: str
    folded: str
    known: Knowledge
    texts: Texts

    @cached_property
    def search(self) -> Search:
        return Search(self.question, self.known, self.texts)

    @cached_property
    def named(self) -> list[Product]:
        return self.search.named()

    @cached_property
    def about(self) -> list[Item]:
        """What the question is about: the products it names, else those of the cart."""
        named = [product.item for product in self.named]
        return named[:MAX_CARDS] if named else subjects(self.question, self.known, self.texts.stopwords)

    def mentions(self, topic: str) -> bool:
        if topic in _ALWAYS:
            return True
        if topic in _GREETINGS:
            return len(self.folded.split()) <= SHORT and hits(self.folded, self.texts.keywords[topic]) > 0
        return hits(self.folded, self.texts.keywords[topic]) > 0


def answer(question: str, known: Knowledge, texts: Texts) -> Answer:
    """The answer to a question."""
    asked = _Asked(question, fold(question), known, texts)
    if asked.mentions("safety"):
        return Answer("safety", _unknown(asked, "unknown_safety"))
    topics = (topic for topic in TOPICS if asked.mentions(topic))
    found = next(filter(None, (_SPEAKERS[topic](asked) for topic in topics)), None)
    found = found or _say_passages(asked) or _say_unsure(asked)
    return _fitted(found or Answer("unknown", _unknown(asked, "unknown")))


def _fitted(found: Answer) -> Answer:
    text = found.text
    if len(text) > MAX_TEXT:
        cut = text[: MAX_TEXT - 1]
        text = cut[: max(cut.rfind(". ") + 1, cut.rfind("\n"))].rstrip() or cut.rstrip() + "…"
    return Answer(found.topic, text, found.cards[:MAX_CARDS])


def _cards_of(items: list[Item], asked: _Asked) -> list[dict[str, Any]]:
    why = asked.texts.say("why_cart")
    return [card(item, why if item.id in asked.known.in_cart else "", asked.known) for item in items[:MAX_CARDS]]


def _link_cards(source: Item, links: list[Link], asked: _Asked) -> list[dict[str, Any]]:
    return [
        card(link.item, asked.texts.say(f"why_{link.kind}", name=source.called), asked.known)
        for link in links[:MAX_CARDS]
    ]


def _human(asked: _Asked) -> str:
    if asked.known.contact_url:
        return asked.texts.say("human", shop=asked.known.shop, contact=asked.known.contact_url)
    return asked.texts.say("human_none", shop=asked.known.shop)


def _unknown(asked: _Asked, phrase: str, **values: str) -> str:
    return asked.texts.say(phrase, human=_human(asked), **values)


def _say_human(asked: _Asked) -> Answer:
    said = policy_said("contact", asked.question, asked.known, asked.texts)
    return Answer("human", "\n".join(filter(None, [_human(asked), said])))


def _say_policy(kind: str, topic: str) -> Callable[[_Asked], Answer | None]:
    def say(asked: _Asked) -> Answer | None:
        facts = facts_said(kind, asked.known, asked.texts)
        said = policy_said(kind, asked.question, asked.known, asked.texts, already=facts)
        # A place or a thing that the store's texts do not know may be what the question turns on.
        beyond = _human(asked) if asked.known.strange and topic == "delivery" else ""
        text = "\n".join(filter(None, [facts, said, beyond]))
        return Answer(topic, text) if text else None

    return say


def _say_coupon(asked: _Asked) -> Answer:
    codes = asked.known.coupon_codes
    if codes:
        return Answer("coupon", asked.texts.say("coupon_some", codes=", ".join(codes)))
    return Answer("coupon", asked.texts.say("coupon_none"))


def _say_cheaper(asked: _Asked) -> Answer | None:
    for item in asked.about:
        links = linked_to(item, ("related", "upsell", "crosssell"), asked.known)
        alike = [one for one in asked.known.everything if set(one.categories) & set(item.categories)]
        links += [Link(item.id, "related", one) for one in alike if one.family != item.family]
        # Something that goes with a product is no cheaper version of it, unless it is of the same kind.
        less = [
            link
            for link in links
            if link.item.currency == item.currency
            and link.item.price < item.price
            and (link.kind != "crosssell" or set(link.item.categories) & set(item.categories))
        ]
        less = list({link.item.family: link for link in less}.values())
        if less:
            return Answer("cheaper", asked.texts.say("cheaper", names=_names(less)), _link_cards(item, less, asked))
    first = next(iter(asked.about), None)
    return Answer("cheaper", asked.texts.say("cheaper_none", name=first.called)) if first else None


def _names(links: list[Link]) -> str:
    return ", ".join(link.item.name for link in links[:MAX_CARDS])


def _say_alternatives(asked: _Asked) -> Answer | None:
    return _say_links(asked, "alternatives", ("related", "upsell"))


def _say_goes_with(asked: _Asked) -> Answer | None:
    return _say_links(asked, "goes_with", ("crosssell",))


def _say_links(asked: _Asked, topic: str, kinds: tuple[Any, ...]) -> Answer | None:
    for item in asked.about:
        links = linked_to(item, kinds, asked.known)
        if links:
            text = asked.texts.say(topic, name=item.called, names=_names(links))
            return Answer(topic, text, _link_cards(item, links, asked))
    first = next(iter(asked.about), None)
    return Answer(topic, asked.texts.say(f"{topic}_none", name=first.called)) if first else None


def _say_passages(asked: _Asked, topic: str = "quoted", enough: float = ENOUGH) -> Answer | None:
    """The passages that speak of the question, in the store's own words."""
    found = asked.search.best()
    if found is None or found.share < enough:
        return None
    quoted = texts_within([passage.text for passage in found.passages])
    item = found.product.item
    text = f"{asked.texts.say('says_product', name=item.name)} {asked.texts.quote(quoted)}"
    return Answer(topic, text, _cards_of([item], asked))


def _say_unsure(asked: _Asked) -> Answer | None:
    """What the store says of a product named, where that may not be what was asked, with the way to a person."""
    found = asked.search.best(asked.named[:1]) if asked.named else None
    if found is None:
        return None
    item = found.product.item
    quote = asked.texts.quote(texts_within([passage.text for passage in found.passages], most=SHORT_QUOTE))
    return Answer("unsure", _unknown(asked, "unsure", name=item.called, quote=quote), _cards_of([item], asked))


def _say_why(asked: _Asked) -> Answer | None:
    for product in asked.named[:1] or asked.search.products[:1]:
        found = asked.search.best([product])
        said = [passage.text for passage in (found.passages if found else ())]
        own = [passage.text for passage in product.passages if not passage.kind]
        lines = list(dict.fromkeys([*said[:1], *own[::-1]]))
        text = f"{asked.texts.say('says_product', name=product.item.called)} {asked.texts.quote(texts_within(lines))}"
        return Answer("why", text, _cards_of([product.item], asked))
    return None


def _say_measure(asked: _Asked) -> Answer | None:
    """A measure in the question against the size guide, or against the range of a product."""
    measures = [number for number in re.findall(r"\d{2,3}", asked.question)]
    if not measures or not (asked.mentions("size") or asked.mentions("compatibility")):
        return None
    for item in asked.about[:MAX_CARDS]:
        said = size_said(asked.question, [item], asked.known, asked.texts)
        if said:
            return Answer("size", said, _cards_of([item], asked))
        span = range_said(measures, item, asked.texts)
        if span:
            return Answer("size", span, _cards_of([item], asked))
    return None


def _say_fitting(asked: _Asked) -> Answer | None:
    """Whether two things fit: only what the store says of both; of a thing it does not know nothing."""
    if not asked.search.asked_kinds:
        return None
    found = _say_passages(asked, "fitting")
    if found is None and asked.mentions("compatibility") and asked.known.strange:
        return Answer("unknown", _unknown(asked, "fit_unknown"))
    return found


def _say_area(asked: _Asked) -> Answer | None:
    for product in asked.named or asked.search.products[:1]:
        said = area_said(asked.question, product, asked.known, asked.texts)
        if said:
            return Answer("area", said, _cards_of([product.item], asked))
    return None


def _say_compare(asked: _Asked) -> Answer | None:
    between = f" {asked.folded} ".find(" czy ") > 0 and asked.texts.language == "pl"
    if (
        len(asked.named) < 2
        or asked.search.asked_kinds
        or not (hits(asked.folded, asked.texts.keywords["compare"]) or between)
    ):
        return None
    one, other = (product.item for product in asked.named[:2])
    those = dict(other.attributes)
    lines = [
        asked.texts.say("compare", attribute=name, one=one.called, this=value, other=other.called, that=those[name])
        for name, value in one.attributes
        if name in those and those[name] != value
    ]
    if not lines:
        return None
    head = asked.texts.say("compare_head", one=one.called, other=other.called)
    return Answer("compare", texts_within([head, *lines], "\n", MAX_TEXT), _cards_of([one, other], asked))


def _say_faq(asked: _Asked) -> Answer | None:
    """A question the store has answered itself."""
    words = set(content(asked.folded, asked.texts.stopwords))
    best = max(asked.known.of_kind("faq"), key=lambda one: overlap(words, one.title), default=None)
    if best is None or overlap(words, best.title) < 2 or 2 * overlap(words, f"{best.title} {best.text}") < len(words):
        return None
    said = texts_within(sentences(best.text), " ")
    return Answer("faq", f"{asked.texts.say('says_policy', title=best.title)} {asked.texts.quote(said)}")


def _say_stock(asked: _Asked) -> Answer | None:
    said, about = [], asked.about[:1]
    for item in about:
        family = [one for one in asked.known.everything if one.family == item.family and one.parent_id]
        wanted = of_size(asked.question, family)
        if wanted:
            said += [_stock_of(one, asked) for one in wanted[:MAX_CARDS]]
            continue
        said.append(_stock_of(item, asked))
        others = [one.name for one in family if one.in_stock and one.id != item.id]
        if others and not item.in_stock:
            said.append(asked.texts.say("variants_in_stock", names="; ".join(others[:6])))
    return Answer("stock", "\n".join(said), _cards_of(about, asked)) if said else None


def _say_have(asked: _Asked) -> Answer | None:
    """Whether the shop has something: only of what is known can it be said."""
    known = [*asked.known.items, *(link.item for link in asked.known.links)]
    if asked.mentions("size") and not of_size(asked.question, list(asked.known.siblings)):
        return None
    if asked.known.strange:
        return None
    return _say_stock(asked) if named_in(asked.question, known, asked.texts.stopwords) else None


def _stock_of(item: Item, asked: _Asked) -> str:
    if not item.in_stock:
        return asked.texts.say("out_of_stock", name=item.name)
    if item.stock_quantity:
        return asked.texts.say("in_stock_count", name=item.name, count=asked.known.quantity(item.stock_quantity))
    return asked.texts.say("in_stock", name=item.name)


def _say_size(asked: _Asked) -> Answer | None:
    about = asked.about
    said = size_said(asked.question, about, asked.known, asked.texts)
    if said:
        return Answer("size", said, _cards_of(about[:1], asked))
    described = describe(asked.question, about, asked.texts) or summary(about, asked.texts)
    if described:
        return Answer("size", f"{asked.texts.say('size_none')}\n{described}", _cards_of(about[:1], asked))
    return None


def _say_fit(asked: _Asked) -> Answer | None:
    """Whether it fits the customer; whether it fits some other thing is not for a size guide to say."""
    words = content(asked.folded, asked.texts.stopwords)
    thing = [word for word in words if not hits(word, asked.texts.keywords["fit"])]
    about = asked.about
    if any(not overlap([word], item.name) for word in thing for item in about[:1]):
        said = describe(asked.question, about, asked.texts, certain=True)
        return Answer("quoted", said, _cards_of(about[:1], asked)) if said else None
    return _say_size(asked)


def _say_price(asked: _Asked) -> Answer | None:
    known, texts, about = asked.known, asked.texts, asked.about
    whole = asked.mentions("cart") or [item.id for item in about] == [item.id for item in known.items]
    if whole and known.lines:
        said = [
            texts.say(
                "price_line", quantity=known.quantity(line.quantity), name=line.name, total=known.money(line.row_total)
            )
            for line in known.lines[:5]
        ]
        return Answer("price", "\n".join([*said, texts.say("price_total", total=known.money(known.total))]))
    if not about:
        return Answer("price", texts.say("empty_cart")) if not known.lines else None
    said = [_price_of(item, asked) for item in about[:MAX_CARDS]]
    return Answer("price", "\n".join(said), _cards_of(about, asked))


def _price_of(item: Item, asked: _Asked) -> str:
    unit = "" if item.sold_by == "piece" else asked.texts.say("per_unit", unit=item.sold_by)
    price = asked.known.money(item.price, item.currency, item.digits)
    return asked.texts.say("price_one", name=item.name, price=price, unit=unit)


def _say_about(asked: _Asked) -> Answer | None:
    about = asked.about
    said = describe(asked.question, about, asked.texts, loose=True) or summary(about, asked.texts)
    return Answer("about", said, _cards_of(about[:1], asked)) if said else None


def _plain(topic: str) -> Callable[[_Asked], Answer]:
    return lambda asked: Answer(topic, asked.texts.say(topic))


_SPEAKERS: dict[str, Callable[[_Asked], Answer | None]] = {
    "human": _say_human,
    "warranty": _say_policy("warranty", "warranty"),
    "returns": _say_policy("returns", "returns"),
    "payment": _say_policy("payment", "payment"),
    "delivery": _say_policy("shipping", "delivery"),
    "coupon": _say_coupon,
    "cheaper": _say_cheaper,
    "area": _say_area,
    "compare": _say_compare,
    "faq": _say_faq,
    "why": _say_why,
    "measure": _say_measure,
    "fitting": _say_fitting,
    "alternatives": _say_alternatives,
    "goes_with": _say_goes_with,
    "stock": _say_stock,
    "size": _say_size,
    "have": _say_have,
    "fit": _say_fit,
    "price": _say_price,
    "order": _plain("order"),
    "about": _say_about,
    "thanks": _plain("thanks"),
    "hello": _plain("hello"),
}
