"""The built-in assistant: understands a question and answers it from the store's own data, without any model.

Pure. Numbers come from typed facts or stand in verbatim quotes; products appear as cards made from their rows; what the
data does not say is not said.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from chatbot.answers_areas import say_area
from chatbot.answers_compare import say_compare
from chatbot.answers_coupon import say_coupon, say_own_coupon
from chatbot.answers_fitting import say_fitting, say_pair
from chatbot.answers_offers import say_alternatives, say_cheaper, say_goes_with, say_sold_out
from chatbot.answers_products import (
    say_faq,
    say_help,
    say_passages,
    say_rules,
    say_safety,
    say_unsure,
    say_why,
)
from chatbot.answers_purpose import say_purpose
from chatbot.answers_sets import say_needs, say_set
from chatbot.answers_sizes import say_measure, say_size
from chatbot.answers_starters import own_question, say_card, say_needed, say_packs, say_told
from chatbot.answers_stock import say_have, say_restock, say_stock, wanted_of
from chatbot.answers_traits import say_trait
from chatbot.asked import MAX_CARDS, MAX_TEXT, Answer, Asked, cards_of, person_said, unknown
from chatbot.context import Item, Knowledge
from chatbot.followups import resolved
from chatbot.passages import ENOUGH, Search
from chatbot.quotes import describe, facts_said, policy_said, summary, texts_within
from chatbot.splitting_questions import questions_in
from chatbot.texts import Texts
from chatbot.words import content, fold, hits, overlap
from recovery.money import unit_name

__all__ = ["MAX_CARDS", "MAX_TEXT", "Answer", "answer"]

#: What a question may be about; where several fit the earlier wins.
TOPICS = (
    "human",
    "coupon_until",
    "coupon_how",
    "restock",
    "area",
    "compare",
    "trait",
    "measure",
    "whole_set",
    "pair",
    "needs",
    "why",
    "purpose",
    "faq",
    "help",
    "beyond",
    "warranty",
    "returns",
    "order_now",
    "delivery_when",
    "payment",
    "delivery",
    "how_long",
    "coupon",
    "cheaper",
    "sold_out",
    "alternatives",
    "fitting",
    "goes_with",
    "stock",
    "have",
    "have_first",
    "size",
    "fit",
    "price",
    "order",
    "about",
    "thanks",
    "hello",
)


#: Answers that a word foreign to the store makes doubtful, and of these the ones that need a product.
_ABOUT_PRODUCTS = frozenset({"price", "about", "why", "alternatives", "stock"})
_HEDGED = _ABOUT_PRODUCTS | {"delivery", "returns", "payment", "warranty", "trait", "quoted", "faq", "rules"}


def answer(question: str, known: Knowledge, texts: Texts) -> Answer:
    """The answer to a question."""
    own = own_question(Asked(question, fold(question), known, texts))
    said = _OWN[own[0]](own[1]) if own is not None else None
    if said is not None:
        return _fitted(said)
    question = _counted(question, texts)
    asked = Asked(question, fold(question), known, texts)
    if asked.mentions("safety"):
        return _fitted(say_safety(asked))
    both = _both(asked)
    return _fitted(both or _found(resolved(asked) if known.earlier else asked))


def _counted(question: str, texts: Texts) -> str:
    """The question with its number words as digits: "for two" as "for 2"."""
    return " ".join(texts.numbers.get(fold(word), word) for word in question.split(" "))


def _both(asked: Asked) -> Answer | None:
    """The answers to the two questions of one message; None where it is one, or both are answered alike."""
    parts = questions_in(asked.question, asked.texts)
    if len(parts) == 1:
        return None
    known = asked.known
    first = answer(parts[0], known, asked.texts)
    # The second may lean on the first.
    ids = tuple(card["id"] for card in first.cards)
    known = replace(known, earlier=(parts[0], *known.earlier), shown=(ids, *known.shown))
    second = answer(parts[1], known, asked.texts)
    if first.topic == second.topic or {first.topic, second.topic} & {"unsure"}:
        return None
    room = (MAX_TEXT - 1) // 2
    texts = [
        _cut(one.text, max(room, MAX_TEXT - 1 - len(other.text))) for one, other in ((first, second), (second, first))
    ]
    cards = {card["id"]: card for card in (*first.cards, *second.cards)}
    known_topic = first.topic if first.topic != "unknown" else second.topic
    return Answer(known_topic, "\n".join(texts), list(cards.values()))


def _found(asked: Asked) -> Answer:
    if asked.variant_only:
        return _say_variant(asked)
    if _beside_unknown(asked):
        return Answer("unknown", unknown(asked, "unknown"))
    topics = (topic for topic in TOPICS if asked.mentions(topic))
    found = next(filter(None, (_SPEAKERS[topic](asked) for topic in topics)), None)
    found = found or _say_spoken(asked) or say_passages(asked) or say_rules(asked) or say_unsure(asked)
    return _hedged(found, asked) if found else Answer("unknown", unknown(asked, "unknown"))


def _hedged(found: Answer, asked: Asked) -> Answer:
    """An answer to what the store may not have: with the way to a person, or not given at all."""
    if not asked.foreign or found.topic not in _HEDGED:
        return found
    person = person_said(asked)
    if person in found.text:
        return found
    if found.topic in _ABOUT_PRODUCTS and not asked.named:
        return Answer("unknown", unknown(asked, "unknown"))
    return Answer(found.topic, f"{_cut(found.text, MAX_TEXT - len(person) - 1)}\n{person}", found.cards)


def _beside_unknown(asked: Asked) -> bool:
    """Whether something is to be compared with what the shop does not have."""
    words, keywords = asked.folded.split(), asked.texts.keywords
    compares = hits(asked.folded, keywords["better"]) > 0
    than = keywords["than"] if compares else keywords["than_strict"]
    after = [at for at, word in enumerate(words) if word in than]
    beside = set(words[after[-1] + 1 :]) if after else set()
    return bool(beside & (asked.foreign if compares else asked.known.strange))


def _say_variant(asked: Asked) -> Answer:
    """Of another variant what was asked before: its price, else whether there is any."""
    before = fold(asked.known.earlier[0])
    wanted = wanted_of(asked, asked.named[0])[:MAX_CARDS]
    if hits(before, asked.texts.keywords["price"]):
        return Answer("price", "\n".join(_price_of(one, asked) for one in wanted), cards_of(wanted, asked))
    return say_stock(asked) or Answer("unknown", unknown(asked, "unknown"))


def _say_spoken(asked: Asked) -> Answer | None:
    """What the store says of the product that was spoken of before."""
    for product in asked.named[: bool(asked.spoken)]:
        words = asked.search if asked.beside is None else Search(asked.beside.item.called, asked.known, asked.texts)
        found = words.best([product])
        if found is not None and found.share >= ENOUGH:
            quote = asked.texts.quote(texts_within([passage.text for passage in found.passages]))
            said = f"{asked.texts.say('says_product', name=product.item.name)} {quote}"
            return Answer("quoted", said, cards_of([product.item], asked))
    return None


def _fitted(found: Answer) -> Answer:
    return Answer(found.topic, _cut(found.text, MAX_TEXT), found.cards[:MAX_CARDS])


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    return cut[: max(cut.rfind(". ") + 1, cut.rfind("\n"))].rstrip() or cut.rstrip() + "…"


def _say_human(asked: Asked) -> Answer:
    said = policy_said("contact", asked.question, asked.known, asked.texts)
    return Answer("human", "\n".join(filter(None, [person_said(asked), said])))


def _say_policy(kind: str, topic: str) -> Callable[[Asked], Answer | None]:
    def say(asked: Asked) -> Answer | None:
        facts = facts_said(kind, asked.known, asked.texts)
        said = policy_said(kind, asked.question, asked.known, asked.texts, already=facts)
        text = "\n".join(filter(None, [facts, said]))
        return Answer(topic, text) if text else None

    return say


def _say_fit(asked: Asked) -> Answer | None:
    """Whether it fits the customer; whether it fits some other thing is not for a size guide to say."""
    words = content(asked.folded, asked.texts.stopwords)
    thing = [word for word in words if not hits(word, asked.texts.keywords["fit"])]
    about = asked.about
    if any(not overlap([word], item.name) for word in thing for item in about[:1]):
        said = describe(asked.question, about, asked.texts, certain=True)
        return Answer("quoted", said, cards_of(about[:1], asked)) if said else None
    return say_size(asked)


def _say_price(asked: Asked) -> Answer | None:
    known, texts, about = asked.known, asked.texts, asked.about
    if hits(asked.folded, texts.keywords["not_price"]):
        return None

    def told(amount: int | None) -> str:
        return texts.say("price_untold") if amount is None else known.money(amount)

    whole = asked.mentions("cart") or [item.id for item in about] == [item.id for item in known.items]
    if whole and known.lines:
        said = [
            texts.say("price_line", quantity=known.quantity(line.quantity), name=line.name, total=told(line.row_total))
            for line in known.lines[:5]
        ]
        total = texts.say("price_total", total=told(known.total)) if known.total is not None else ""
        return Answer("price", "\n".join(filter(None, [*said, total])))
    if not about:
        return Answer("price", texts.say("empty_cart")) if not known.lines else None
    said = [_price_of(item, asked) for item in about[:MAX_CARDS]]
    return Answer("price", "\n".join(said), cards_of(about, asked))


def _price_of(item: Item, asked: Asked) -> str:
    unit = "" if item.sold_by == "piece" else asked.texts.say("per_unit", unit=unit_name(item.sold_by))
    price = asked.known.money(item.price, item.currency, item.digits)
    return asked.texts.say("price_one", name=item.name, price=price, unit=unit)


def _say_about(asked: Asked) -> Answer | None:
    about = asked.about
    open_ = hits(asked.folded, asked.texts.keywords["tell"]) > 0
    said = describe(asked.question, about, asked.texts, loose=bool(asked.named) or open_)
    said = said or (summary(about, asked.texts) if open_ or asked.named else "")
    return Answer("about", said, cards_of(about[:1], asked)) if said else None


def _plain(topic: str) -> Callable[[Asked], Answer]:
    return lambda asked: Answer(topic, asked.texts.say(topic))


_SPEAKERS: dict[str, Callable[[Asked], Answer | None]] = {
    "human": _say_human,
    "warranty": _say_policy("warranty", "warranty"),
    "returns": _say_policy("returns", "returns"),
    "order_now": _plain("order"),
    "delivery_when": _say_policy("shipping", "delivery"),
    "payment": _say_policy("payment", "payment"),
    "delivery": _say_policy("shipping", "delivery"),
    "coupon": say_coupon,
    "coupon_until": say_own_coupon,
    "coupon_how": say_own_coupon,
    "how_long": _say_policy("shipping", "delivery"),
    "cheaper": say_cheaper,
    "sold_out": say_sold_out,
    "area": say_area,
    "compare": say_compare,
    "faq": say_faq,
    "help": say_help,
    "beyond": lambda asked: say_rules(asked) or Answer("unknown", unknown(asked, "unknown")),
    "why": say_why,
    "measure": say_measure,
    "trait": say_trait,
    "purpose": say_purpose,
    "fitting": say_fitting,
    "pair": say_pair,
    "needs": say_needs,
    "whole_set": say_set,
    "alternatives": say_alternatives,
    "goes_with": say_goes_with,
    "restock": say_restock,
    "stock": say_stock,
    "size": say_size,
    "have": say_have,
    "have_first": say_have,
    "fit": _say_fit,
    "price": _say_price,
    "order": _plain("order"),
    "about": _say_about,
    "thanks": _plain("thanks"),
    "hello": _plain("hello"),
}


def _say_own_set(asked: Asked) -> Answer | None:
    return say_set(asked) or say_needed(asked)


#: The page's own questions, by what they mean.
_OWN: dict[str, Callable[[Asked], Answer | None]] = {
    "size": say_size,
    "set": _say_own_set,
    "packs": say_packs,
    "delivery": _SPEAKERS["delivery"],
    "goes_with": say_goes_with,
    "returns": _SPEAKERS["returns"],
    "about": partial(say_told, "about"),
    "cheaper": say_cheaper,
    "use": partial(say_told, "use"),
    "payment": _SPEAKERS["payment"],
    "card": say_card,
}
