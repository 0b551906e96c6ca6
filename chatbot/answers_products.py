"""Answers out of what the store says of its products: fitting, measures, areas, comparisons, reasons."""

from chatbot.asked import SHORT_QUOTE, Answer, Asked, cards_of, person_said, unknown
from chatbot.context import PolicyText
from chatbot.passages import ENOUGH
from chatbot.quotes import MAX_QUOTE, texts_within
from chatbot.words import content, fold, hits, overlap, sentences

#: Pages that are answered from their typed facts, and how much of a question another page has to speak of.
_NO_RULES = frozenset({"contact", "size_guide"})
LEAST_SPOKEN, MOST_OF = 2, 0.6
#: With more words that the store does not have, what it says of a product is beside the point.
MOST_FOREIGN = 1
#: How much less of the question the product named may speak of than another one.
NEARLY = 0.1


def say_passages(asked: Asked, topic: str = "quoted", enough: float = ENOUGH) -> Answer | None:
    """The passages that speak of the question, in the store's own words."""
    found = asked.search.best()
    if found is None or found.share < enough:
        return None
    own = asked.search.best(asked.named[:1]) if asked.named else None
    if own is not None and own.share >= max(enough, found.share - NEARLY):
        found = own
    quoted = texts_within([passage.text for passage in found.passages])
    item = found.product.item
    text = f"{asked.texts.say('says_product', name=item.name)} {asked.texts.quote(quoted)}"
    return Answer(topic, text, cards_of([item], asked))


def say_unsure(asked: Asked) -> Answer | None:
    """What the store says of a product named, where that may not be what was asked, with the way to a person."""
    found = asked.search.best(asked.named[:1]) if asked.named else None
    if found is None or len(asked.foreign) > MOST_FOREIGN:
        return None
    item = found.product.item
    quote = asked.texts.quote(texts_within([passage.text for passage in found.passages], most=SHORT_QUOTE))
    return Answer("unsure", unknown(asked, "unsure", name=item.called, quote=quote), cards_of([item], asked))


def say_safety(asked: Asked) -> Answer:
    """Never a verdict: the store's own warning where it speaks of what was asked, and the way to a person."""
    person = unknown(asked, "unknown_safety")
    warns = asked.texts.keywords["warning"]
    for product in asked.named[:1]:
        words = [word for word in asked.search.words if not asked.search.speaks(word, product.name)]
        said = [
            passage.text
            for passage in product.passages
            if hits(fold(passage.text), warns) and any(asked.search.speaks(word, passage.stems) for word in words)
        ]
        if said:
            quote = asked.texts.quote(texts_within(said, most=SHORT_QUOTE))
            text = f"{asked.texts.say('says_product', name=product.item.called)} {quote}\n{person}"
            return Answer("safety", text, cards_of([product.item], asked))
    return Answer("safety", person)


def say_why(asked: Asked) -> Answer | None:
    # "Why the line and not the braid?" asks for the line.
    for product in (asked.named if asked.spoken else asked.first_named)[:1] or asked.search.products[:1]:
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
    if not titled and _product_says(asked, words):
        return None
    return _quoted_rule("faq", best, words, asked)


def _product_says(asked: Asked, words: set[str]) -> bool:
    """Whether the product named says itself, in one place, what is asked about it."""
    return any(
        overlap(words, f"{product.item.called} {passage.text}") >= len(words)
        for product in asked.named[:1]
        for passage in product.passages
    )


def say_rules(asked: Asked) -> Answer | None:
    """What the store's own pages say, whatever they are about, where they speak of most of the question."""
    named = " ".join(product.item.called for product in asked.named)
    words = {word for word in content(asked.folded, asked.texts.stopwords) if not overlap([word], named)}
    words -= asked.asking | asked.texts.everyday

    def spoken(one: PolicyText) -> int:
        return overlap(words, f"{one.title} {one.text}")

    best = max((one for one in asked.known.policies if one.kind not in _NO_RULES), key=spoken, default=None)
    if best is None or spoken(best) < LEAST_SPOKEN or spoken(best) < MOST_OF * len(words):
        return None
    return _with_person(_quoted_rule("rules", best, words, asked), asked)


def say_help(asked: Asked) -> Answer | None:
    """The page that has what no product has: "do you send *samples*?" is no question about delivery."""
    words = {word for word in asked.known.strange if asked.is_telling(word)}
    others = " ".join(f"{one.title} {one.text}" for one in asked.known.policies if one.kind != "faq")
    words = {word for word in words if not overlap([word], others)}
    best = next((one for one in asked.known.of_kind("faq") if overlap(words, f"{one.title} {one.text}")), None)
    return None if best is None else _with_person(_quoted_rule("faq", best, words, asked), asked)


def _with_person(found: Answer, asked: Asked) -> Answer:
    """It may be less than what was asked."""
    return Answer(found.topic, f"{found.text}\n{person_said(asked)}", found.cards)


def _quoted_rule(topic: str, rule: PolicyText, words: set[str], asked: Asked) -> Answer:
    """As much of a page as goes into a quote: all of it, else the sentences that speak most of the question."""
    parts = sentences(rule.text)
    chosen, room = set(), MAX_QUOTE
    for part in sorted(parts, key=lambda one: -overlap(words, one)):
        if len(part) + 1 <= room:
            chosen.add(part)
            room -= len(part) + 1
    said = texts_within([part for part in parts if part in chosen] or parts, " ")
    text = f"{asked.texts.say('says_policy', title=rule.title)} {asked.texts.quote(said)}"
    return Answer(topic, text, cards_of([product.item for product in asked.first_named[:1]], asked))
