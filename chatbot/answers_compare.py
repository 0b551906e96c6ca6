"""Two products side by side: what the store states of both and where it differs, what the question is about first."""

from chatbot.asked import MAX_TEXT, Answer, Asked, cards_of
from chatbot.context import Item
from chatbot.passages import Search
from chatbot.quotes import texts_within
from chatbot.variants import own_labels, variants_asked
from chatbot.words import content, fold, hits, overlap

TWO = 2


def say_compare(asked: Asked) -> Answer | None:
    """The differing attributes of two products."""
    said_so = hits(asked.folded, asked.texts.keywords["compare"])
    between = asked.texts.language == "pl" and f" {asked.folded} ".find(" czy ") > 0
    if len(asked.spoken) < TWO and not (said_so or between):
        return None
    items = [product.item for product in asked.spoken] if len(asked.spoken) >= TWO else _sides(asked)
    if len(items) < TWO:
        return _variants(asked)
    one, other = items[:TWO]
    lines = _differences(one, other, asked)
    if not lines:
        return None
    head = asked.texts.say("compare_head", one=one.called, other=other.called)
    return Answer("compare", texts_within([head, *lines], "\n", MAX_TEXT), cards_of([one, other], asked))


def _variants(asked: Asked) -> Answer | None:
    """Two variants of one product, where more sets them apart than what they are called by."""
    items = variants_asked(asked.question, asked.named[0], asked.texts)[:TWO] if asked.named else []
    if len(items) < TWO:
        return None
    one, other = items
    labels = {label for item in items for label in own_labels(item)}
    lines = [
        asked.texts.say("compare", attribute=name, this=this, that=that)
        for name, this, that in _differing(one, other)
        if not {this, that} & labels
    ]
    if one.price != other.price:
        prices = [asked.known.money(item.price, item.currency, item.digits) for item in items]
        lines.insert(0, asked.texts.say("compare", attribute=asked.texts.say("price"), this=prices[0], that=prices[1]))
    if not lines:
        return None
    head = asked.texts.say("compare_head", one=one.name, other=other.name)
    return Answer("compare", texts_within([head, *lines], "\n", MAX_TEXT), cards_of(items, asked))


def _differing(one: Item, other: Item) -> list[tuple[str, str, str]]:
    those = dict(other.attributes)
    return [(name, value, those[name]) for name, value in one.attributes if name in those and those[name] != value]


def _sides(asked: Asked) -> list[Item]:
    """The product on each side of "or", "and", "than": one that both sides name is no comparison."""
    parts: list[list[str]] = [[]]
    for word in asked.folded.split():
        if word in asked.texts.keywords["both"]:
            parts.append([])
        else:
            parts[-1].append(word)
    mine = {product.item.family: product.item for product in asked.search.products}
    found: dict[str, Item] = {}
    for part in parts:
        named = Search(" ".join(part), asked.known, asked.texts).named() if part else []
        fresh = [product.item.family for product in named if product.item.family not in found]
        if fresh:
            found[fresh[0]] = mine[fresh[0]]
    return list(found.values())


def _differences(one: Item, other: Item, asked: Asked) -> list[str]:
    pairs = _differing(one, other)
    words = [word for word in content(asked.folded, asked.texts.stopwords) if not overlap([word], one.called)]
    words = [word for word in words if not overlap([word], other.called)]
    meant = [fold(alike) for group in asked.texts.synonyms if overlap(words, " ".join(group)) for alike in group]

    def about(pair: tuple[str, str, str]) -> int:
        text = " ".join(pair)
        return 2 * overlap(words, text) + bool(overlap(meant, text))

    return [
        asked.texts.say("compare", attribute=name, this=this, that=that)
        for name, this, that in sorted(pairs, key=about, reverse=True)
    ]
