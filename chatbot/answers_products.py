"""Answers out of what the store says of its products: fitting, measures, areas, comparisons, reasons."""

from chatbot.asked import SHORT_QUOTE, Answer, Asked, cards_of, unknown
from chatbot.passages import ENOUGH
from chatbot.quotes import texts_within
from chatbot.words import content, overlap, sentences


def say_passages(asked: Asked, topic: str = "quoted", enough: float = ENOUGH) -> Answer | None:
    """The passages that speak of the question, in the store's own words."""
    found = asked.search.best()
    if found is None or found.share < enough:
        return None
    quoted = texts_within([passage.text for passage in found.passages])
    item = found.product.item
    text = f"{asked.texts.say('says_product', name=item.name)} {asked.texts.quote(quoted)}"
    return Answer(topic, text, cards_of([item], asked))


def say_unsure(asked: Asked) -> Answer | None:
    """What the store says of a product named, where that may not be what was asked, with the way to a person."""
    found = asked.search.best(asked.named[:1]) if asked.named else None
    if found is None:
        return None
    item = found.product.item
    quote = asked.texts.quote(texts_within([passage.text for passage in found.passages], most=SHORT_QUOTE))
    return Answer("unsure", unknown(asked, "unsure", name=item.called, quote=quote), cards_of([item], asked))


def say_why(asked: Asked) -> Answer | None:
    for product in asked.named[:1] or asked.search.products[:1]:
        found = asked.search.best([product])
        said = [passage.text for passage in (found.passages if found else ())]
        own = [passage.text for passage in product.passages if not passage.kind]
        lines = list(dict.fromkeys([*said[:1], *own[::-1]]))
        if not lines:
            return None
        text = f"{asked.texts.say('says_product', name=product.item.called)} {asked.texts.quote(texts_within(lines))}"
        return Answer("why", text, cards_of([product.item], asked))
    return None


def say_faq(asked: Asked) -> Answer | None:
    """A question the store has answered itself: its title asks the same, or its text speaks of every word."""
    words = set(content(asked.folded, asked.texts.stopwords)) - asked.asking
    best = max(asked.known.of_kind("faq"), key=lambda one: overlap(words, f"{one.title} {one.text}"), default=None)
    if best is None or len(words) < 2:
        return None
    spoken = overlap(words, f"{best.title} {best.text}")
    titled = not asked.strange and overlap(words, best.title) >= 2 and 2 * spoken >= len(words)
    if not titled and spoken < len(words):
        return None
    said = texts_within(sentences(best.text), " ")
    text = f"{asked.texts.say('says_policy', title=best.title)} {asked.texts.quote(said)}"
    return Answer("faq", text, cards_of([product.item for product in asked.first_named[:1]], asked))
