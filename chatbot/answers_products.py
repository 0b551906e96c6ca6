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


def say_fitting(asked: Asked) -> Answer | None:
    """Whether two things fit: only what the store says of both; of a thing it does not know nothing."""
    kinds = asked.search.asked_kinds
    if not kinds:
        return None
    if kinds == {"compatibility"} and len(asked.search.words) < 2:
        return None
    between = _said_of_both(asked) if kinds == {"compatibility"} and not asked.known.strange else None
    if between is not None:
        return between
    if len(asked.named) < 2 and "completeness" not in kinds and not asked.known.strange:
        return None
    found = say_passages(asked, "fitting")
    if found is None and asked.mentions("compatibility") and asked.known.strange:
        return Answer("unknown", unknown(asked, "fit_unknown"))
    return found


def _said_of_both(asked: Asked) -> Answer | None:
    """Of two products asked about, what the list of either says of the other; not to be named is no verdict."""
    if len(asked.named) < 2 or asked.search.which:
        return None
    one, another = asked.named[:2]
    pairs = [
        (product, other, set(asked.search.own_words(other, product)))
        for product, other in ((one, another), (another, one))
    ]
    if not all(words for _, _, words in pairs):
        return None
    lists = [
        (product, other, words, passage)
        for product, other, words in pairs
        for passage in product.passages
        if passage.kind in ("compatible", "incompatible")
    ]
    for product, _, words, passage in lists:
        if words <= passage.stems:
            item = product.item
            text = (
                f"{asked.texts.say('says_product', name=item.name)} {asked.texts.quote(texts_within([passage.text]))}"
            )
            return Answer("fitting", text, cards_of([item], asked))
    for product, other, words, passage in lists:
        if passage.kind == "compatible" and not words & passage.stems:
            quote = asked.texts.quote(texts_within([passage.text]))
            names = {"name": product.item.called, "other": other.item.called}
            text = unknown(asked, "fit_others", quote=quote, **names)
            return Answer("fitting", text, cards_of([product.item, other.item], asked))
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
    return Answer("faq", f"{asked.texts.say('says_policy', title=best.title)} {asked.texts.quote(said)}")
