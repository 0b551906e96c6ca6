"""Answers about what a product or the whole cart still needs: by the store's own lists, held against the cart."""

from collections.abc import Iterable

from chatbot.answers_fitting import beyond_shop, elsewhere, is_own, says, telling, which_thing
from chatbot.asked import MAX_CARDS, SHORT_QUOTE, Answer, Asked, cards_of, unknown
from chatbot.context import linked_to
from chatbot.fitting import NEEDS, Lists, Named
from chatbot.needs import shortfall, sold_for
from chatbot.passages import Passage, Product
from chatbot.quotes import texts_within
from chatbot.words import hits

#: How many products' needs are told, and how many products may be spoken of beside them.
MOST_NEEDY, MOST_NAMED = 3, 4
#: How nearly as much of a question a text must speak of as the best.
ALIKE = 0.75


def say_set(asked: Asked) -> Answer | None:
    """What the whole cart still needs, or what is named for what the customer is about to do."""
    if (
        not hits(asked.folded, asked.texts.keywords["whole_set"])
        or not asked.known.items
        or elsewhere(asked)
        or which_thing(asked)
    ):
        return None
    cart = _cart(asked)
    needy = [one for one in asked.named if one in cart and is_own(one, asked)] or cart
    return _told(needy, asked, whole=True)


def say_needs(asked: Asked) -> Answer | None:
    """What a product named needs beside it, or whether a thing comes with it."""
    kinds = asked.search.asked_kinds
    comes = hits(asked.folded, asked.texts.keywords["comes"])
    if not ("completeness" in kinds or comes) or elsewhere(asked):
        return None
    if comes or not asked.search.which:
        return _say_of_thing(asked, comes=bool(comes))
    lists = asked.lists
    needy = [one for one in asked.named if lists.of(one, NEEDS) and is_own(one, asked)][:2]
    needy = needy or [one for one in asked.named if lists.of(one, NEEDS)][:1]
    # What one requires comes before what another is sold without.
    needy.sort(key=lambda one: not lists.of(one, ["requires"]))
    return _told(needy, asked) if needy else None


def _cart(asked: Asked) -> list[Product]:
    return [one for one in asked.search.products if {one.item.id, one.item.family} & asked.known.in_cart]


def _say_of_thing(asked: Asked, *, comes: bool) -> Answer | None:
    """Whether a thing comes with a product: the list that names it, else what is in the box and what is not."""
    found = _naming(asked)
    if found and (comes or not beyond_shop(asked)):
        said = list(dict.fromkeys(one.passage.text for one in found))
        return Answer("set", says(found[0].product, said, asked), cards_of([found[0].product.item], asked))
    for product in asked.named[:1]:
        of_box = asked.lists.of(product, ("included", "missing"))
        if comes and of_box:
            said = list(dict.fromkeys(one.passage.text for one in of_box))
            text = f"{says(product, said, asked)} {unknown(asked, 'set_unnamed')}"
            return Answer("set", text, cards_of([product.item], asked))
    return None


def _naming(asked: Asked) -> list[Named]:
    """The entries of one product's box and needs that name the thing asked for; of one unnamed the cart's."""
    lists, words, search = asked.lists, telling(asked), asked.search
    best: tuple[float, list[Named]] = (0.0, [])
    for product in dict.fromkeys((*asked.named, *search.products)):
        mine = search.those_in(words, product.name)
        if not mine and product not in _cart(asked):
            continue
        of_box = lists.of(product, ("included", *NEEDS))
        named = [one for one in of_box if search.those_in(set(words) - mine, one.entry.stems | one.entry.label)]
        thing = set().union(*(search.those_in(words, one.entry.stems | one.entry.label) for one in named))
        if named and search.weigh(mine | thing) > best[0]:
            best = search.weigh(mine | thing), named
    return best[1]


def _told(needy: list[Product], asked: Asked, *, whole: bool = False) -> Answer | None:
    lists, cart = asked.lists, _cart(asked)
    lacking = shortfall(needy, cart, lists)
    apart = _apart(cart if whole else needy, cart, lists, asked)
    sold = sold_for(lacking, cart, lists)
    purpose = _for_purpose(needy, [*cart, *sold], asked) if whole else {}
    offers = _offers(needy, [*sold, *purpose], asked)
    lines = [
        *apart,
        *(_needs(product, lacking.said_of(product), asked) for product in lacking.needy[:MOST_NEEDY]),
        *_names("set_have", lacking.met, asked),
        *([unknown(asked, "set_whole")] if lacking.met and not (apart or lacking.open) else []),
        *_names("set_sold", sold, asked),
        *(says(product, [said.text], asked) for product, said in purpose.items()),
        *_names("set_offers", offers, asked),
    ]
    if not lines:
        return None
    beside = [one.item for one in (*sold, *purpose, *offers)]
    own = [product.item for product in needy]
    cards = [*own[:1], *beside] if not whole else beside or own
    return Answer("set", "\n".join(lines), cards_of(cards[:MAX_CARDS], asked))


def _needs(product: Product, said: list[str], asked: Asked) -> str:
    quote = asked.texts.quote(texts_within(said, most=SHORT_QUOTE))
    return f"{asked.texts.say('says_product', name=product.item.name)} {quote}"


def _names(phrase: str, products: Iterable[Product], asked: Asked) -> list[str]:
    names = list(dict.fromkeys(one.item.called for one in products))[:MOST_NAMED]
    return [asked.texts.say(phrase, names=", ".join(names).removesuffix("."))] if names else []


def _apart(products: list[Product], cart: list[Product], lists: Lists, asked: Asked) -> list[str]:
    """The first two of the cart that the store's lists say do not fit."""
    for one in products:
        for other in cart:
            named = lists.apart(one, other) if one != other else None
            if named is not None:
                head = asked.texts.say("set_apart", one=one.item.called, other=other.item.called)
                return [f"{head} {says(named.product, [named.passage.text], asked)}"]
    return []


def _for_purpose(needy: list[Product], but: list[Product], asked: Asked) -> dict[Product, Passage]:
    """What the store says to be for what the question names: winter, night, travel."""
    called = set().union(*(one.name for one in needy))
    words = set(telling(asked)) - asked.search.those_in(telling(asked), called)
    scored = [
        (asked.search.weigh(asked.search.those_in(words, said.stems)), one, said)
        for one in asked.search.products
        if one not in but
        for said in one.passages
        if not said.kind
    ]
    best = max((score for score, _, _ in scored), default=0.0)
    chosen: dict[Product, Passage] = {}
    for score, one, said in sorted(scored, key=lambda found: -found[0]):
        if score and score >= best * ALIKE and len(chosen) < MAX_CARDS:
            chosen.setdefault(one, said)
    return chosen


def _offers(needy: list[Product], told: list[Product], asked: Asked) -> list[Product]:
    """What the store recommends beside the products and has not been told yet."""
    families = {link.item.family for one in needy for link in linked_to(one.item, ("crosssell",), asked.known)}
    known = {one.item.family for one in told}
    return [one for one in asked.search.products if one.item.family in families - known]
