"""The questions a customer could start with, and what each of them means: only such as the store's own data answer.

Pure. The page offers their words, and the built-in assistant knows these words again, so that none is misunderstood.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chatbot.areas import pack_of
from chatbot.context import Item, Knowledge, linked_to
from chatbot.size_tables import read_table
from chatbot.sizes import guide_of, labels_of
from chatbot.texts import Texts
from chatbot.words import fold, hits

#: A longer name does not fit on a button.
MAX_NAME = 60
#: The most helpful first; each by what a cart must hold or a store must say.
ORDER = ("size", "set", "packs", "delivery", "goes_with", "returns", "about", "cheaper", "use", "payment")
_POLICIES = {"delivery": "shipping", "returns": "returns", "payment": "payment"}
#: What nobody asks of something bought already.
_BEFORE_BUYING = frozenset({"packs", "cheaper", "payment"})


@dataclass(frozen=True)
class Starter:
    """One question: its kind, and the product it is about, if it is about one."""

    kind: str
    item: Item | None = None


def starters(known: Knowledge, texts: Texts, *, ordered: bool) -> list[str]:
    """Every question that has an answer, the most helpful first; the page shows a few and goes on from there."""
    kinds = [kind for kind in ORDER if not (ordered and kind in _BEFORE_BUYING)]
    return [_worded(Starter(kind, item), known, texts) for kind in kinds for item in _subjects(kind, known, texts)[:1]]


def meaning_of(question: str, known: Knowledge, texts: Texts) -> Starter | None:
    """What one of our own questions means; None if it is the customer's own."""
    asked = question.strip()
    for kind in ORDER:
        if asked == texts.starters[kind] or _named(asked, texts.starters.get(f"{kind}_of", "")) is not None:
            for item in _subjects(kind, known, texts):
                if asked in (texts.starters[kind], _worded(Starter(kind, item), known, texts)):
                    return Starter(kind, item)
    name = _named(asked, texts.page["about_card"])
    item = next((one for one in known.everything if one.name == name), None) if name else None
    return Starter("card", item) if item else None


def _named(asked: str, template: str) -> str | None:
    """The name in a question of this wording; None if it is worded otherwise."""
    before, _, after = template.partition("{name}")
    if not template or not (asked.startswith(before) and asked.endswith(after)):
        return None
    return asked.removeprefix(before).removesuffix(after)


def plain(starter: Starter, texts: Texts) -> str:
    """The question without a name in it."""
    return texts.starters.get(starter.kind, "")


def told(item: Item, what: str, texts: Texts) -> list[str]:
    """The attributes of a product that answer a question, in the store's own words."""
    return [f"{name}: {value}" for name, value in item.attributes if hits(fold(name), texts.starter_words[what])]


def _subjects(kind: str, known: Knowledge, texts: Texts) -> list[Item | None]:
    """What a question can be asked of, in the cart's order; of the shop itself that is None."""
    if kind in _POLICIES:
        return [None] if known.of_kind(_POLICIES[kind]) else []
    answers = _ANSWERED[kind]
    found: list[Item | None] = [item for item in known.items if answers(item, known, texts)]
    return found[:1] if kind == "set" else found


def _sized(item: Item, known: Knowledge, texts: Texts) -> bool:
    """Whether its size guide speaks of the very size in the cart: a guide for jackets is none for mitts."""
    guide = guide_of(item, known)
    if guide is None:
        return False
    table = read_table(guide.text, texts)
    options = {value for line in known.lines if line.item is item for _, value in line.options}
    return any(table.of(label) is not None for label in labels_of(item) | options)


def _cheaper(item: Item, known: Knowledge, _: Texts) -> bool:
    links = linked_to(item, ("related", "upsell"), known)
    return any(
        link.item.price < item.price and (link.item.currency, link.item.sold_by) == (item.currency, item.sold_by)
        for link in links
    )


_ANSWERED: dict[str, Callable[[Item, Knowledge, Texts], bool]] = {
    "size": _sized,
    "set": lambda item, _, texts: bool(told(item, "set", texts)),
    "packs": lambda item, _, __: item.sold_by != "piece" and pack_of(item) is not None,
    "goes_with": lambda item, known, _: bool(linked_to(item, ("crosssell",), known)),
    "about": lambda item, _, texts: bool(told(item, "about", texts)),
    "use": lambda item, _, texts: bool(told(item, "use", texts)),
    "cheaper": _cheaper,
}


def _worded(starter: Starter, known: Knowledge, texts: Texts) -> str:
    """Where the cart holds several products, a question names the one it is about."""
    several = f"{starter.kind}_of"
    item = starter.item
    if item is None or len(known.lines) == 1 or several not in texts.starters or len(item.called) > MAX_NAME:
        return texts.starters[starter.kind]
    return texts.starters[several].format(name=item.called)
