"""Answers about stock: of a product, of the variant asked for, and what there is where that one is sold out."""

from dataclasses import replace

from chatbot.asked import MAX_CARDS, Answer, Asked, cards_of, person_said, unknown
from chatbot.context import Item
from chatbot.passages import Product
from chatbot.variants import others_said, variants_asked, words_left
from chatbot.words import fold, hits

MOST_NAMED = 6


def say_stock(asked: Asked) -> Answer | None:
    """Whether there is any of the product, or variant, asked for."""
    product = meant(asked)
    if product is None:
        about = asked.about[:1]
        return Answer("stock", stock_of(about[0], asked), cards_of(about, asked)) if about else None
    wanted = wanted_of(asked, product)
    if not wanted and product.variants and _other_variant(asked, product):
        said = asked.texts.say("variants_are", name=product.item.called, names=others_said(product.variants))
        return Answer("stock", said, cards_of([product.item], asked))
    shown = wanted[:MAX_CARDS] or [product.item]
    said = "\n".join(stock_of(one, asked) for one in shown)
    left = [one for one in product.variants if one.in_stock and one not in shown]
    if left and not any(one.in_stock for one in shown):
        named = "; ".join(one.name for one in left[:MOST_NAMED])
        said = f"{said}\n{asked.texts.say('variants_in_stock', names=named)}"
    return Answer("stock", said, cards_of(shown, asked))


def say_restock(asked: Asked) -> Answer | None:
    """When something is back: the store's data do not say."""
    found = say_stock(asked)
    if found is None:
        return None
    return Answer("stock", f"{found.text}\n{asked.texts.say('restock_unknown')} {person_said(asked)}", found.cards)


def say_have(asked: Asked) -> Answer | None:
    """Whether the shop has something: only where a product or its variants are called all that was asked for."""
    product = meant(asked)
    if product is None or not asked.search.words:
        return None
    left = words_left(asked.question, product, asked.texts)
    if left and hits(asked.folded, asked.texts.keywords["sell"]):
        return Answer("unknown", unknown(asked, "unknown"))
    colour_or_size = bool(product.variants) and len(left) == 1 and _other_variant(asked, product)
    return say_stock(asked) if not left or colour_or_size else None


def meant(asked: Asked) -> Product | None:
    """The product that most words of the question name, its variants' words counted."""
    named = asked.named
    if not named:
        return None
    left = {product.item.id: len(words_left(asked.question, product, asked.texts)) for product in named}
    return min(named, key=lambda product: left[product.item.id])


def wanted_of(asked: Asked, product: Product) -> list[Item]:
    """The variants asked for; what "and in blue?" leaves open, the question before it says."""
    wanted = variants_asked(asked.question, product, asked.texts)
    if not asked.variant_only:
        return wanted
    return variants_asked(asked.known.earlier[0], replace(product, variants=tuple(wanted)), asked.texts) or wanted


def _other_variant(asked: Asked, product: Product) -> bool:
    """Whether a colour or size is asked for that the product does not come in."""
    left = words_left(asked.question, product, asked.texts)
    asks = asked.texts.keywords["variant_asked"]
    return bool(left) and any(f" {word} {one}" in f" {fold(asked.question)}" for word in asks for one in left)


def stock_of(item: Item, asked: Asked) -> str:
    """Whether there is any of it, in a sentence."""
    if not item.in_stock:
        return asked.texts.say("out_of_stock", name=item.name)
    if item.stock_quantity:
        return asked.texts.say("in_stock_count", name=item.name, count=asked.known.quantity(item.stock_quantity))
    return asked.texts.say("in_stock", name=item.name)
