"""Answers about other products: cheaper ones, others instead, what goes with one."""

from collections.abc import Iterable
from typing import Any

from chatbot.answers_stock import meant
from chatbot.asked import MAX_CARDS, Answer, Asked, cards_of, link_cards
from chatbot.context import Item, Link, linked_to
from chatbot.passages import Product, Search
from chatbot.variants import variants_asked
from chatbot.words import content, fold, hits, overlap
from recovery.money import unit_name

MOST_VARIANTS = 5


def subject(asked: Asked) -> Item | None:
    """The product that others are looked for beside: the one after "than", else the one named, else the cart's."""
    words = asked.folded.split()
    after = [at for at, word in enumerate(words) if word in asked.texts.keywords["than"]]
    if after:
        named = Search(" ".join(words[after[-1] + 1 :]), asked.known, asked.texts).named()
        if named:
            return named[0].item
    return next(iter(asked.about), None)


def say_cheaper(asked: Asked) -> Answer | None:
    """What costs less and is of the same kind, or is recommended beside it."""
    item = subject(asked)
    if item is None:
        return None
    linked = [link.item for link in linked_to(item, ("related", "upsell"), asked.known)]
    alike = _alike(item, asked)
    less = _once(one for one in (*alike, *linked) if _costs_less(one, item))
    # What the customer says it is for ("for the wall") decides, then what is nearest in price.
    asking = (*asked.texts.keywords["cheaper"], *asked.texts.keywords["than"])
    words = [word for word in content(asked.folded, asked.texts.stopwords) if not hits(word, asking)]
    words = [word for word in words if not overlap([word], item.called)]
    less.sort(key=lambda one: (-_speaks_of(words, one), not one.in_stock, -one.price))
    if not less:
        return Answer("cheaper", asked.texts.say("cheaper_none", name=item.called))
    names = ", ".join(asked.texts.say("priced", **_price(one, asked)) for one in less[:MAX_CARDS])
    text = asked.texts.say("cheaper_than", **(_price(item, asked) | {"names": names}))
    return Answer("cheaper", text, _related_cards(item, less, asked))


def _costs_less(one: Item, item: Item) -> bool:
    same_measure = one.currency == item.currency and one.sold_by == item.sold_by
    return same_measure and one.price < item.price and one.family != item.family


def _speaks_of(words: list[str], item: Item) -> int:
    said = f"{item.name} {item.short_description} {' '.join(value for _, value in item.attributes)}"
    return overlap(words, said) + overlap(words, item.called)


def _price(item: Item, asked: Asked) -> dict[str, Any]:
    unit = "" if item.sold_by == "piece" else asked.texts.say("per_unit", unit=unit_name(item.sold_by))
    return {"name": item.called, "price": asked.known.money(item.price, item.currency, item.digits), "unit": unit}


def _alike(item: Item, asked: Asked) -> list[Item]:
    """Others of the same category, one of each family."""
    kinds = set(item.categories)
    everything = (*asked.known.everything, *asked.known.alike)
    return _once(one for one in everything if kinds & set(one.categories) and one.family != item.family)


def _once(items: Iterable[Item]) -> list[Item]:
    found: dict[str, Item] = {}
    for item in items:
        known = found.get(item.family)
        if known is None or (item.in_stock and not known.in_stock):
            found[item.family] = item
    return list(found.values())


def _related_cards(source: Item, items: list[Item], asked: Asked) -> list[dict[str, Any]]:
    return link_cards(source, [Link(source.id, "related", one) for one in items], asked)


def say_sold_out(asked: Asked) -> Answer | None:
    """What to take where something is sold out: other variants of it, others of its kind."""
    if not hits(asked.folded, asked.texts.keywords["what_else"]) or not asked.named:
        return None
    return say_alternatives(asked)


def say_alternatives(asked: Asked) -> Answer | None:
    """Other variants in stock where one was named, what the store names beside it, else others of its kind."""
    product = meant(asked)
    item = product.item if product else next(iter(asked.about), None)
    if item is None:
        return None
    variants = _other_variants(asked, product) if product else []
    linked = [link.item for link in linked_to(item, ("related", "upsell"), asked.known)]
    others = [one for one in _once(linked) if one.in_stock] or _fitting(item, asked)
    said = []
    if variants:
        named = "; ".join(one.name for one in variants[:MOST_VARIANTS])
        said.append(asked.texts.say("variants_in_stock", names=named))
    if others:
        phrase = "alternatives" if linked else "alternatives_kind"
        names = ", ".join(one.called for one in others[:MAX_CARDS])
        said.append(asked.texts.say(phrase, name=item.called, names=names))
    if not said:
        return Answer("alternatives", asked.texts.say("alternatives_none", name=item.called))
    return Answer("alternatives", " ".join(said), _beside_cards(item, variants, others, asked))


def _other_variants(asked: Asked, product: Product) -> list[Item]:
    wanted = variants_asked(asked.question, product, asked.texts)
    if not wanted and not hits(asked.folded, asked.texts.keywords["sold_out"]):
        return []
    left = [one for one in product.variants if one.in_stock and one not in wanted]
    # What shares a colour or size with the one asked for stands first.
    named = {word for one in wanted for word in fold(one.name).split()}
    return sorted(left, key=lambda one: -len(named & set(fold(one.name).split())))


def _fitting(item: Item, asked: Asked) -> list[Item]:
    words = [word for word in content(asked.folded, asked.texts.stopwords) if not overlap([word], item.called)]
    alike = [one for one in _alike(item, asked) if one.in_stock]
    return sorted(alike, key=lambda one: -_speaks_of(words, one))


def _beside_cards(item: Item, variants: list[Item], others: list[Item], asked: Asked) -> list[dict[str, Any]]:
    own = cards_of(variants[: MAX_CARDS - 1] if others else variants, asked)
    return [*own, *_related_cards(item, others, asked)][:MAX_CARDS]


def say_goes_with(asked: Asked) -> Answer | None:
    """What the store recommends with a product, else what it says the product goes with."""
    about = [product.item for product in asked.named] or asked.about
    for item in about[:MAX_CARDS]:
        links = linked_to(item, ("crosssell",), asked.known)
        if links:
            names = ", ".join(link.item.called for link in links[:MAX_CARDS])
            text = asked.texts.say("goes_with", name=item.called, names=names)
            return Answer("goes_with", text, link_cards(item, links, asked))
        if item.family in asked.known.in_cart or asked.named:
            break
    first = next(iter(about), None)
    if first is None:
        return None
    said = _stated(first, asked)
    if said:
        return Answer("goes_with", said, cards_of([first], asked))
    return Answer("goes_with", asked.texts.say("goes_with_none", name=first.called))


def _stated(item: Item, asked: Asked) -> str:
    kinds = asked.texts.keywords["attribute_compatible"]
    not_for = asked.texts.keywords["attribute_incompatible"]
    stated = [
        f"{name}: {value}"
        for name, value in item.attributes
        if hits(fold(name), kinds) and not hits(fold(name), not_for)
    ]
    return f"{asked.texts.say('says_product', name=item.called)} {asked.texts.quote(stated[0])}" if stated else ""
