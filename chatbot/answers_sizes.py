"""Answers about sizes: from a measure to a size, and what the size guide says."""

from chatbot.asked import MAX_CARDS, Answer, Asked, cards_of, person_said
from chatbot.context import Item
from chatbot.measures import measures_of
from chatbot.quotes import describe, summary
from chatbot.sizes import by_number, fit_said, labels_of, range_said, size_said


def say_measure(asked: Asked) -> Answer | None:
    """A measure in the question against the size guide, the range a product names, or the sizes it comes in."""
    measures = measures_of(asked.question, asked.texts)
    if not any(one.kinds for one in measures) and not (measures and _asks_fit(asked)):
        return None
    about = [product.item for product in asked.named] or asked.about
    beyond: Answer | None = None
    for item in about[: 2 * MAX_CARDS]:
        said, labels = fit_said(asked.question, item, asked.known, asked.texts)
        if said and labels:
            return Answer("size", said, cards_of(_of_labels(labels, item, asked), asked))
        found = _beside_guide(item, asked) if not said else None
        if found:
            return found
        if said and beyond is None:
            beyond = Answer("size", f"{said} {person_said(asked)}", cards_of([item], asked))
    return beyond


def _asks_fit(asked: Asked) -> bool:
    return (
        "cm" in asked.folded.split()
        or asked.mentions("size")
        or asked.mentions("compatibility")
        or asked.mentions("fit")
    )


def _beside_guide(item: Item, asked: Asked) -> Answer | None:
    family = [one for one in asked.known.everything if one.family == item.family and one.parent_id]
    for variant, measure in by_number(asked.question, family, asked.texts):
        said = asked.texts.say("size_number", name=item.called, measure=measure, label=variant.name.rpartition(", ")[2])
        return Answer("size", said, cards_of([variant], asked))
    span = range_said(asked.question, item, asked.texts)
    return Answer("size", span, cards_of([item], asked)) if span else None


def _of_labels(labels: tuple[str, ...], item: Item, asked: Asked) -> list[Item]:
    """The variants of these sizes, one each: that of the colour spoken of, and one that can be bought."""
    family = [one for one in asked.known.everything if one.family == item.family and one.parent_id]
    found = []
    for label in labels:
        sized = [one for one in family if label in labels_of(one)]
        spoken = labels_of(item)
        found += sorted(sized, key=lambda one: (-len(labels_of(one) & spoken), not one.in_stock))[:1]
    return found or [item]


def say_size(asked: Asked) -> Answer | None:
    """What the size guide says, or the description where there is none."""
    about = asked.about
    said = size_said(asked.question, about, asked.known, asked.texts)
    if said:
        return Answer("size", said, cards_of(about[:1], asked))
    described = describe(asked.question, about, asked.texts) or summary(about, asked.texts)
    if described:
        return Answer("size", f"{asked.texts.say('size_none')}\n{described}", cards_of(about[:1], asked))
    return None
