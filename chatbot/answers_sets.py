"""Answers about what a product or the whole cart still needs: by the store's own lists, held against the cart."""

from chatbot.answers_fitting import beyond_shop, elsewhere, lists_of, says, telling
from chatbot.asked import MAX_CARDS, SHORT_QUOTE, Answer, Asked, cards_of, unknown
from chatbot.context import linked_to
from chatbot.fitting import FITS, NEEDS, Lists, Named
from chatbot.passages import Passage, Product
from chatbot.quotes import texts_within
from chatbot.words import hits

#: How many products' needs are told, and how many products may be spoken of beside them.
MOST_NEEDY, MOST_NAMED = 3, 4
#: How nearly as much of a question a text must speak of as the best.
ALIKE = 0.75
#: How much of a product's name a need must hold to mean it.
MOSTLY = 0.6


def say_set(asked: Asked) -> Answer | None:
    """What the whole cart still needs, or what is named for what the customer is about to do."""
    if not hits(asked.folded, asked.texts.keywords["set"]) or not asked.known.items or elsewhere(asked):
        return None
    cart = _cart(asked)
    needy = [one for one in asked.named if one in cart and _own(one, asked)] or cart
    return _told(needy, asked, whole=True)


def say_needs(asked: Asked) -> Answer | None:
    """What a product named needs beside it, or whether a thing comes with it."""
    kinds = asked.search.asked_kinds
    comes = hits(asked.folded, asked.texts.keywords["comes"])
    if not ("completeness" in kinds or comes) or elsewhere(asked):
        return None
    if comes or not asked.search.which:
        return _say_of_thing(asked, comes=bool(comes))
    lists = lists_of(asked)
    needy = [one for one in asked.named if lists.of(one, NEEDS) and _own(one, asked)][:2]
    needy = needy or [one for one in asked.named if lists.of(one, NEEDS)][:1]
    # What one requires comes before what another is sold without.
    needy.sort(key=lambda one: not lists.of(one, ["requires"]))
    return _told(needy, asked) if needy else None


def _cart(asked: Asked) -> list[Product]:
    return [one for one in asked.search.products if {one.item.id, one.item.family} & asked.known.in_cart]


def _own(product: Product, asked: Asked) -> bool:
    """Whether a question names a product by a word that no other has."""
    others = set().union(*(one.name for one in asked.search.products if one != product))
    mine = asked.search.speaks(telling(asked), product.name)
    return bool(mine - asked.search.speaks(mine, others))


def _say_of_thing(asked: Asked, *, comes: bool) -> Answer | None:
    """Whether a thing comes with a product: the list that names it, else what is in the box and what is not."""
    lists, words = lists_of(asked), telling(asked)
    for product in asked.named:
        thing = set(words) - asked.search.speaks(words, product.name)
        of_box = lists.of(product, ("included", *NEEDS))
        named = [one for one in of_box if asked.search.speaks(thing, one.entry.stems | one.entry.label)]
        if named and (comes or not beyond_shop(asked)):
            said = list(dict.fromkeys(one.passage.text for one in named))
            return Answer("set", says(product, said, asked), cards_of([product.item], asked))
    for product in asked.named[:1]:
        of_box = lists.of(product, ("included", "missing"))
        if comes and of_box:
            said = list(dict.fromkeys(one.passage.text for one in of_box))
            text = f"{says(product, said, asked)} {unknown(asked, 'set_unnamed')}"
            return Answer("set", text, cards_of([product.item], asked))
    return None


def _told(needy: list[Product], asked: Asked, *, whole: bool = False) -> Answer | None:
    lists = lists_of(asked)
    cart = _cart(asked)
    apart = _apart(cart if whole else needy, cart, lists, asked)
    needs = {one.item.family: lists.of(one, NEEDS) for one in needy}
    met = [(need, one) for found in needs.values() for need in found for one in cart if _meets(need, one, lists)]
    done = {id(need) for need, _ in met}
    open_needs = [need for found in needs.values() for need in found if id(need) not in done]
    lines = list(apart)
    for product in [one for one in needy if any(need.product == one for need in open_needs)][:MOST_NEEDY]:
        said = list(dict.fromkeys(need.passage.text for need in open_needs if need.product == product))
        lines.append(f"{asked.texts.say('says_product', name=product.item.name)} {_quote(said, asked)}")
    lines += _names("set_have", [one for _, one in met], asked)
    sold = _once([one for need in open_needs for one in asked.search.products if _supplies(need, one, cart, lists)])
    lines += _names("set_sold", sold, asked)
    purpose = _for_purpose(needy, [*cart, *sold], asked) if whole else {}
    lines += [says(product, [said.text], asked) for product, said in purpose.items()]
    offers = _offers(needy, [*sold, *purpose], asked)
    lines += _names("set_offers", offers, asked)
    if not lines:
        return None
    if whole and not (apart or open_needs or purpose or offers):
        lines.append(unknown(asked, "set_whole"))
    beside = [one.item for one in (*sold, *purpose, *offers)]
    own = [product.item for product in needy]
    cards = [*own[:1], *beside] if not whole else beside or own
    return Answer("set", "\n".join(lines), cards_of(cards[:MAX_CARDS], asked))


def _quote(said: list[str], asked: Asked) -> str:
    return asked.texts.quote(texts_within(said, most=SHORT_QUOTE))


def _names(phrase: str, products: list[Product], asked: Asked) -> list[str]:
    names = list(dict.fromkeys(one.item.called for one in products))[:MOST_NAMED]
    return [asked.texts.say(phrase, names=", ".join(names).removesuffix("."))] if names else []


def _once(products: list[Product]) -> list[Product]:
    return list({one.item.family: one for one in products}.values())


def _apart(products: list[Product], cart: list[Product], lists: Lists, asked: Asked) -> list[str]:
    """The first two of the cart that the store's lists say do not fit."""
    for one in products:
        for other in cart:
            named = lists.apart(one, other) if one != other else None
            if named is not None:
                head = asked.texts.say("set_apart", one=one.item.called, other=other.item.called)
                return [f"{head} {says(named.product, [named.passage.text], asked)}"]
    return []


def _meets(need: Named, product: Product, lists: Lists) -> bool:
    """Whether a product is what an entry asks for: named there, or of that name, and nothing says it does not fit."""
    if product == need.product or not need.entry.stems:
        return False
    named = need.entry.stems >= set(product.name) or need.entry.stems <= set(product.name)
    return named and not _against(need.product, product, lists)


def _against(one: Product, other: Product, lists: Lists) -> bool:
    return any(said.kind == "incompatible" for said in lists.between(one, other))


def _supplies(need: Named, product: Product, cart: list[Product], lists: Lists) -> bool:
    """Whether the store sells what is still needed; of several of a kind those that its lists name for it."""
    if product in (need.product, *cart) or any(_against(product, one, lists) for one in (need.product, *cart)):
        return False
    name = set(product.name)
    shared = need.entry.stems & name
    called = shared == need.entry.stems or len(shared) >= MOSTLY * len(name)
    if need.entry.stems == name or (len(shared) > 1 and called):
        return True
    said = {named.kind for named in lists.between(need.product, product)}
    return need.entry.stems <= name and bool(said & set(FITS))


def _for_purpose(needy: list[Product], but: list[Product], asked: Asked) -> dict[Product, Passage]:
    """What the store says to be for what the question names: winter, night, travel."""
    called = set().union(*(one.name for one in needy))
    words = set(telling(asked)) - asked.search.speaks(telling(asked), called)
    scored = [
        (asked.search.weight(asked.search.speaks(words, said.stems)), one, said)
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
