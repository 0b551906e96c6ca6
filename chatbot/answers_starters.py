"""Answers to the questions that the page itself offers: what each means is known, so nothing of it is guessed."""

from dataclasses import replace

from chatbot.areas import area_said
from chatbot.asked import MAX_CARDS, Answer, Asked, cards_of
from chatbot.context import Item
from chatbot.quotes import summary, texts_within
from chatbot.starters import meaning_of, plain, told
from chatbot.words import fold


def own_question(asked: Asked) -> tuple[str, Asked] | None:
    """The topic of one of the page's own questions, and the question without a name, about its product."""
    starter = meaning_of(asked.question, asked.known, asked.texts)
    if starter is None:
        return None
    question = plain(starter, asked.texts)
    known = replace(asked.known, strange=frozenset(), earlier=(), shown=())
    own = Asked(question, fold(question), known, asked.texts)
    if starter.item is None:
        return starter.kind, own
    family = starter.item.family
    product = next(one for one in own.search.products if one.item.family == family)
    return starter.kind, replace(own, spoken=(replace(product, item=starter.item),))


def say_told(what: str, asked: Asked) -> Answer | None:
    """The attributes of the product spoken of that answer the question."""
    item = asked.named[0].item
    return Answer("trait", _quoted(item, told(item, what, asked.texts), asked), cards_of([item], asked))


def say_card(asked: Asked) -> Answer | None:
    """What the store says of the product on a card, in short."""
    item = asked.named[0].item
    said = summary([item], asked.texts)
    return Answer("about", said, cards_of([item], asked)) if said else None


def say_packs(asked: Asked) -> Answer | None:
    """How many packs of the product spoken of the question's area takes."""
    product = asked.named[0]
    said = area_said(asked.question, product, asked.known, asked.texts)
    return Answer("area", said, cards_of([product.item], asked)) if said else None


def say_needed(asked: Asked) -> Answer | None:
    """What the cart's products need and do not bring along, with those of the shop's products that it names."""
    needing = [item for item in asked.known.items if told(item, "set", asked.texts)][:MAX_CARDS]
    needs = [told(item, "set", asked.texts) for item in needing]
    named = fold(" ".join(text for texts in needs for text in texts))
    beside = [item for item in asked.known.everything if fold(item.called) in named]
    wanted = {item.family: item for item in beside if item.family not in asked.known.in_cart}
    said = [_quoted(item, texts, asked) for item, texts in zip(needing, needs, strict=True)]
    return Answer("fitting", "\n".join(said), cards_of(list(wanted.values()) or needing, asked))


def _quoted(item: Item, texts: list[str], asked: Asked) -> str:
    return f"{asked.texts.say('says_product', name=item.called)} {asked.texts.quote(texts_within(texts))}"
