"""Answers about areas: of which product how much is wanted, and for which area."""

from chatbot.areas import area_asked, area_said, counted
from chatbot.asked import Answer, Asked, cards_of
from chatbot.passages import Product, Search
from chatbot.variants import words_left


def say_area(asked: Asked) -> Answer | None:
    """How much of what is counted in the question the area takes, which an earlier question may have named."""
    what = counted(asked.question)
    room = None
    if what and asked.spoken:
        room = next(filter(None, map(area_asked, asked.known.earlier)), None)
    for product in _counted(what, asked) or asked.search.products[:1]:
        said = area_said(asked.question, product, asked.known, asked.texts, room=room)
        if said:
            return Answer("area", said, cards_of([product.item], asked))
    return None


def _counted(what: str, asked: Asked) -> list[Product]:
    first = Search(what, asked.known, asked.texts).named() if what else []
    first = sorted(first, key=lambda product: len(words_left(what, product, asked.texts)))
    mine = {product.item.id: product for product in asked.search.products}
    ranked = [mine[product.item.id] for product in first if product.item.id in mine]
    return [*ranked, *(one for one in asked.named if one not in ranked)]
