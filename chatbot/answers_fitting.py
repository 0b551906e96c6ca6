"""Answers whether two things fit: what the list of either says of the other, and what no list says is not known."""

from collections.abc import Iterable
from typing import Any

from chatbot.answers_products import say_passages
from chatbot.asked import MAX_CARDS, SHORT_QUOTE, Answer, Asked, cards_of, unknown
from chatbot.fitting import FITS, Lists, Match, matches
from chatbot.passages import Passage, Product, stems_of
from chatbot.quotes import texts_within
from chatbot.words import hits

#: How nearly as well as the best an entry must be named to be meant too.
ALIKE, NEARLY = 0.01, 0.6
#: What else a question may be about, though it names two products.
_OTHER_MATTERS = ("warranty", "payment", "delivery", "coupon", "price", "restock", "cheaper", "amount_asked")
_VERBS = ("compatibility", "completeness", "fit_verbs", "set", "comes", "which")


def say_pair(asked: Asked) -> Answer | None:
    """What the list of one product named says of another one, or of a thing, named."""
    kinds = asked.search.asked_kinds
    which = which_thing(asked)
    if elsewhere(asked) or ("completeness" in kinds and not which):
        return None
    found = matches(asked.search, lists_of(asked), telling(asked), meant(asked))
    fitting = [match for match in found if match.kind != "incompatible"]
    if which:
        found = fitting or ([] if "completeness" in kinds else found)
    asks = which or "compatibility" in kinds or hits(asked.folded, asked.texts.keywords["fit_verbs"])
    if not asks and not (found and _only_names(found[0], asked)):
        return None
    if beyond_shop(asked) and (found or not which):
        return _say_beyond(found[:1], asked)
    if found:
        return _say_found(found, asked)
    return _say_own(asked) if which else None


def elsewhere(asked: Asked) -> bool:
    """Whether a question is about something else, though it names things."""
    gone = hits(asked.folded, asked.texts.keywords["sold_out"]) and hits(
        asked.folded, asked.texts.keywords["what_else"]
    )
    return bool(gone) or any(asked.mentions(topic) for topic in _OTHER_MATTERS)


def which_thing(asked: Asked) -> bool:
    """Whether it is asked which of some thing: "which battery", not "what else"."""
    words = asked.folded.split()
    which = [at for at, word in enumerate(words) if word in asked.texts.keywords["which"]]
    names = set().union(*(product.name for product in asked.search.products))
    for at in which:
        after = [word for word in words[at + 1 :] if word not in asked.texts.keywords["kind_of"]][:1]
        stems = {stem for word in after for stem in stems_of(word, asked.texts.language)}
        if asked.search.speaks(stems.intersection(telling(asked)), names):
            return True
    return False


def _only_names(match: Match, asked: Asked) -> bool:
    """Whether a question is but two names with "for" or "in" between them."""
    opens = asked.folded.partition(" ")[0] in asked.texts.keywords["have_first"]
    return not match.left and not opens and bool(hits(asked.folded, asked.texts.keywords["beside"]))


def lists_of(asked: Asked) -> Lists:
    return Lists(asked.search.products, asked.texts.language)


def telling(asked: Asked) -> list[str]:
    """The words of a question that name things, in its order; what only says that it asks of fitting is left out."""
    names = set().union(*(product.name for product in asked.search.products))
    asking = {stem for word in _asking(asked) for stem in stems_of(word, asked.texts.language)}
    return [word for word in asked.search.words if word not in asking or asked.search.speaks([word], names)]


def _asking(asked: Asked) -> set[str]:
    phrases = [phrase for kind in _VERBS for phrase in asked.texts.keywords[kind]]
    parts = {part for phrase in phrases for part in phrase.split()}
    return {word for word in asked.folded.split() if hits(word, parts)}


def beyond_shop(asked: Asked) -> list[str]:
    """The words that stand nowhere in the shop, in the question's order: another maker's thing."""
    strange = asked.strange - _asking(asked)
    return [word for word in dict.fromkeys(asked.folded.split()) if word in strange]


def meant(asked: Asked) -> list[Product]:
    """The products that "it" and "these" may mean: the one spoken of before, else the cart's only one."""
    if asked.spoken:
        return list(asked.spoken)
    cart = [one for one in asked.search.products if {one.item.id, one.item.family} & asked.known.in_cart]
    return cart if len(cart) == 1 and hits(asked.folded, asked.texts.keywords["pronoun"]) else []


def _say_found(found: list[Match], asked: Asked) -> Answer:
    which = which_thing(asked)
    best = [match for match in found if match.weight >= found[0].weight - ALIKE]
    best = [match for match in best if match.share >= NEARLY * max(one.share for one in best)]
    if not which:
        # Of two batteries the one in the cart is meant.
        own = max(_in_cart(match, asked) for match in best)
        best = [match for match in best if _in_cart(match, asked) == own]
    order = _order(asked)
    best.sort(key=lambda match: order.get(match.named.product.item.family, len(order)))
    told = list({match.pair: match for match in reversed(best)}.values())[::-1][: MAX_CARDS if which else 2]
    first = told[0]
    clear = len({match.kind == "incompatible" for match in told}) == 1
    lines = [] if which or not clear else _verdict(first, asked)
    lines += [_quoted(match, asked) for match in (told if which or not clear else told[:1])]
    if clear:
        lines += _beside(first, asked) + (_instead(first, asked) if first.kind == "incompatible" else [])
    products = [product for match in told for product in _both(match, order)]
    cards = list({product.item.family: product.item for product in products}.values())
    return Answer("fitting", "\n".join(lines), cards_of(cards, asked))


def _in_cart(match: Match, asked: Asked) -> int:
    return len(match.pair & asked.known.in_cart)


def _order(asked: Asked) -> dict[str, int]:
    """The products as the question names them one after the other."""
    return {product.item.family: at for at, product in enumerate(asked.first_named)}


def _both(match: Match, order: dict[str, int]) -> list[Product]:
    both = [one for one in (match.named.product, match.other) if one]
    return sorted(both, key=lambda one: order.get(one.item.family, len(order)))


def _verdict(match: Match, asked: Asked) -> list[str]:
    """Whether they fit, where the entry is the other's name and nothing more; else only who is spoken of."""
    if match.other is None:
        return []
    one, other = (product.item.called for product in _both(match, _order(asked)))
    if not match.exact or match.kind == "requires":
        named = all(stem in match.named.entry.stems for stem in match.other.name)
        return [] if named else [asked.texts.say("fit_pair", one=one, other=other)]
    phrase = "fit_no" if match.kind == "incompatible" else "fit_yes"
    return [asked.texts.say(phrase, one=one, other=other)]


def _quoted(match: Match, asked: Asked) -> str:
    """The list in the store's words; of a long one what it is called and the entry."""
    passage, product = match.named.passage, match.named.product
    said = passage.text
    if len(said) > SHORT_QUOTE:
        said = f"{said.partition(': ')[0]}: … {match.named.entry.text} …"
    shared = _shared(match) if match.kind != "incompatible" and match.other else []
    return says(product, [said, *shared], asked)


def says(product: Product, said: list[str], asked: Asked) -> str:
    """What the store says of a product; its name stands outside the quotation marks."""
    return f"{asked.texts.say('says_product', name=product.item.name)} {asked.texts.quote(texts_within(said))}"


def _shared(match: Match) -> list[str]:
    """A measure that both products state alike: the thread, the voltage, the connector's width."""
    other = {passage.text for passage in match.other.passages} if match.other else set()
    return [
        passage.text
        for passage in match.named.product.passages
        if not passage.kind and passage.text in other and any(char.isdigit() for char in passage.text)
    ][:1]


def _beside(match: Match, asked: Asked) -> list[str]:
    """What the store says of either with the words that the list leaves open."""
    lines = []
    for product in (one for one in (match.other, match.named.product) if one):
        scored = [(asked.search.weight(asked.search.speaks(match.left, one.stems)), one) for one in product.passages]
        said = [one for score, one in sorted(scored, key=lambda pair: -pair[0]) if score and one != match.named.passage]
        lines += [says(product, [said[0].text], asked)] if said else []
    return lines


def _instead(match: Match, asked: Asked) -> list[str]:
    """What of the same kind the store's lists name for the other one."""
    if match.other is None:
        return []
    lists = lists_of(asked)
    one, other = _both(match, _order(asked))
    kinds = set(one.item.categories)
    names = []
    for product in asked.search.products:
        said = {named.kind for named in lists.between(product, other)} if product not in (one, other) else set()
        if kinds & set(product.item.categories) and said & set(FITS) and "incompatible" not in said:
            names.append(product.item.called)
    said_instead = asked.texts.say("fit_instead", name=other.item.called, names=", ".join(names[:MAX_CARDS]))
    return [said_instead] if names else []


def _say_beyond(found: list[Match], asked: Asked) -> Answer | None:
    """Of what the shop does not know nothing is said: neither a yes nor a no, only what it does name."""
    product = found[0].named.product if found else next(iter(asked.named), None)
    if product is None:
        return None
    named = [one for one in product.passages if one.kind == "compatible"]
    against = [found[0].named.passage.text] if found and found[0].kind == "incompatible" else []
    if not named and not against:
        return None
    # The values alone: "Compatible with" before them would read as a yes.
    values = [one.text.partition(": ")[2] for one in named]
    quote = asked.texts.quote(texts_within([*against, *values], most=SHORT_QUOTE))
    text = unknown(asked, "fit_beyond", name=product.item.called, quote=quote)
    return Answer("fitting", text, cards_of([product.item], asked))


def _say_own(asked: Asked) -> Answer | None:
    """What a product named says under the very name that is asked for: "which connector has the ...?"."""
    for product in asked.named:
        own = asked.search.speaks(telling(asked), product.name)
        rest = set(telling(asked)) - own
        said = [one for one in product.passages if rest and _titled(one, rest, asked)]
        if own and said:
            return Answer("fitting", says(product, [one.text for one in said], asked), cards_of([product.item], asked))
    return None


def _titled(passage: Passage, words: Iterable[str], asked: Asked) -> bool:
    title, parted, _ = passage.text.partition(": ")
    return bool(parted) and asked.search.speaks(words, stems_of(title, asked.texts.language)) == set(words)


def say_fitting(asked: Asked) -> Answer | None:
    """Whether two things fit: only what the store says of both; of a thing it does not know nothing."""
    kinds = asked.search.asked_kinds
    if not kinds:
        return None
    if kinds == {"compatibility"} and len(asked.search.words) < 2:
        return None
    unnamed = _say_unnamed(asked) if kinds == {"compatibility"} and not asked.known.strange else None
    if unnamed is not None:
        return unnamed
    if len(asked.named) < 2 and "completeness" not in kinds and not asked.known.strange:
        return None
    found = say_passages(asked, "fitting")
    if found is None and asked.mentions("compatibility") and asked.known.strange:
        return Answer("unknown", unknown(asked, "fit_unknown"))
    return found


def _say_unnamed(asked: Asked) -> Answer | None:
    """Of two products asked about what one's list names, where neither names the other: that is no verdict."""
    if len(asked.named) < 2 or asked.search.which:
        return None
    one, other = asked.named[:2]
    words = telling(asked)
    mine, its = (asked.search.speaks(words, product.name) for product in (one, other))
    if not mine - its or not its - mine or lists_of(asked).between(one, other):
        return None
    for product, beside, theirs in ((one, other, its - mine), (other, one, mine - its)):
        named = [passage for passage in product.passages if passage.kind == "compatible"]
        if named and not any(asked.search.speaks(theirs, passage.stems) for passage in named):
            quote = asked.texts.quote(texts_within([passage.text for passage in named]))
            names: dict[str, Any] = {"name": product.item.called, "other": beside.item.called}
            text = unknown(asked, "fit_others", quote=quote, **names)
            return Answer("fitting", text, cards_of([product.item, beside.item], asked))
    return None
