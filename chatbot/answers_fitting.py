"""Answers whether two things fit: what the list of either says of the other, and what no list says is not known."""

from collections.abc import Iterable
from itertools import takewhile

from chatbot.answers_products import say_passages
from chatbot.asked import MAX_CARDS, SHORT_QUOTE, Answer, Asked, cards_of, unknown
from chatbot.fitting import BOX, FITS, PAIRING, Lists, Match, matches
from chatbot.passages import Passage, Product, stems_of
from chatbot.quotes import texts_within
from chatbot.words import hits

#: How nearly as well as the best an entry must be named to be meant too.
ALIKE, NEARLY = 0.01, 0.6
#: What else a question may be about, though it names two products.
_OTHER_MATTERS = ("warranty", "payment", "delivery", "coupon", "price", "restock", "cheaper", "amount_asked")
_VERBS = ("compatibility", "completeness", "fit_verbs", "whole_set", "comes", "which", "kind_of", "fit_besides")


def say_pair(asked: Asked) -> Answer | None:
    """What the list of one product named says of another one, or of a thing, named."""
    kinds = asked.search.asked_kinds
    which = which_thing(asked)
    own = _say_own(asked) if asked.search.which else None
    if elsewhere(asked) or ("completeness" in kinds and not which):
        return None
    found = matches(asked.search, asked.lists, telling(asked), meant(asked), which)
    fitting = [match for match in found if match.kind != "incompatible"]
    if which:
        found = fitting or ([] if "completeness" in kinds else found)
        # "Which tile for a shower floor?" asks what a tile is for, not what goes with a floor tile.
        found = [match for match in found if _accounts(match, which, asked)]
    asks = which or own or kinds or hits(asked.folded, asked.texts.keywords["fit_verbs"])
    if not asks and not (found and _only_names(found[0], asked)):
        return None
    if beyond_shop(asked) and (found or not which):
        return _say_beyond(found[:1], asked)
    if found and (which or not own):
        return _say_found(found, asked)
    return own or _say_unnamed(asked)


def elsewhere(asked: Asked) -> bool:
    """Whether a question is about something else, though it names things: a memory card is no means of payment."""
    keywords = asked.texts.keywords
    names = set().union(*(product.name for product in asked.search.products))
    words = [word for word in asked.folded.split() if not names.intersection(stems_of(word, asked.texts.language))]
    gone = all(hits(asked.folded, keywords[topic]) for topic in ("sold_out", "what_else"))
    returned = hits(asked.folded, (word for word in keywords["returns"] if " " not in word))
    return gone or returned > 0 or any(hits(" ".join(words), keywords[topic]) for topic in _OTHER_MATTERS)


def which_thing(asked: Asked) -> set[str]:
    """The thing of which it is asked which: "which battery"; none in "what else"."""
    words = asked.folded.split()
    which = [at for at, word in enumerate(words) if word in asked.texts.keywords["which"]]
    names = set().union(*(product.name for product in asked.search.products))
    for at in which:
        after = [word for word in words[at + 1 :] if word not in asked.texts.keywords["kind_of"]][:2]
        after = list(takewhile(lambda word: word not in asked.texts.stopwords, after))
        stems = {stem for word in after for stem in stems_of(word, asked.texts.language)}
        thing = stems.intersection(telling(asked))
        if asked.search.those_in(thing, names):
            return thing
    return set()


def _accounts(match: Match, thing: set[str], asked: Asked) -> bool:
    """Whether a pair accounts for more of what the thing is wanted for than it leaves open."""
    known = set().union(*(product.stems for product in asked.search.products))
    left = asked.search.those_in(match.left - thing, known)
    return asked.search.weigh(left) <= asked.search.weigh(match.covered - thing)


def _only_names(match: Match, asked: Asked) -> bool:
    """Whether a question is but two names with "for" or "in" between them."""
    return set(asked.search.words) <= match.covered and bool(hits(asked.folded, asked.texts.keywords["beside"]))


def telling(asked: Asked) -> list[str]:
    """The words of a question that name things, in its order; what only says that it asks of fitting is left out."""
    names = set().union(*(product.name for product in asked.search.products))
    asking = {stem for word in _asking(asked) for stem in stems_of(word, asked.texts.language)}
    return [word for word in asked.search.words if word not in asking or asked.search.those_in([word], names)]


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
    if asked.spoken or asked.search.which:
        return list(asked.spoken)
    words = set(telling(asked))
    wholly = [one for one in asked.search.products if asked.search.those_in(words, one.name) == words]
    if "compatibility" not in asked.search.asked_kinds or not words or not wholly:
        return []
    cart = [one for one in asked.search.products if {one.item.id, one.item.family} & asked.known.in_cart]
    return [one for one in cart if one not in wholly]


def _say_found(found: list[Match], asked: Asked) -> Answer:
    which = bool(which_thing(asked))
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
    lines += _conditions(first, asked)
    if clear and first.kind == "incompatible":
        lines += _instead(first, asked)
    if which:
        lines += _own_lines(asked)
    elif clear:
        lines += _beside(first, asked)
    products = [product for match in told for product in _both(match, order)]
    cards = list({product.item.family: product.item for product in products}.values())
    return Answer("fitting", "\n".join(lines), cards_of(cards, asked))


def _in_cart(match: Match, asked: Asked) -> int:
    return len(match.pair & asked.known.in_cart)


def _order(asked: Asked) -> dict[str, int]:
    """The products as the question names them one after the other."""
    return {product.item.family: asked.place(product) for product in asked.search.products}


def _both(match: Match, order: dict[str, int]) -> list[Product]:
    both = [one for one in (match.named.product, match.other) if one]
    return sorted(both, key=lambda one: order.get(one.item.family, len(order)))


def _verdict(match: Match, asked: Asked) -> list[str]:
    """Whether they fit, where the entry is the other's name and nothing more; else only who is spoken of."""
    if match.other is None:
        return []
    # Of a product whose own list it is the version that the list is of.
    one, other = (
        product.item.name if product == match.named.product else product.item.called
        for product in _both(match, _order(asked))
    )
    said = asked.lists.between(match.named.product, match.other)
    sure = match.exact and match.kind != "requires" and all(one.plain and one.kind == match.kind for one in said)
    if not sure:
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
        scored = [(asked.search.weigh(asked.search.those_in(match.left, one.stems)), one) for one in product.passages]
        ranked = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
        said = [one for _, one in ranked if one != match.named.passage and one.kind not in BOX]
        lines += [says(product, [said[0].text], asked)] if said else []
    return lines


def _conditions(match: Match, asked: Asked) -> list[str]:
    """What else the list of either says of the other, where it is more than a name: from which year, of which size."""
    said = asked.lists.between(match.named.product, match.other) if match.other else []
    more = [one for one in said if not one.plain and one.passage != match.named.passage]
    return [says(one.product, [one.passage.text], asked) for one in more[:1]]


def _instead(match: Match, asked: Asked) -> list[str]:
    """What of the same kind the store's lists name for the other one."""
    if match.other is None:
        return []
    lists = asked.lists
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
    """Of what the shop does not know nothing is said: neither a yes nor a no, only what it says of the thing it has."""
    pair = [one for match in found for one in (match.named.product, match.other) if one]
    product = next((one for one in (*pair, *asked.named) if is_own(one, asked)), None) or next(iter(asked.named), None)
    if product is None:
        return None
    against = [one.named.passage.text for one in found if one.kind == "incompatible" and one.named.product == product]
    words = set(telling(asked)) - asked.search.those_in(telling(asked), product.name)
    told = [one.text for one in product.passages if not one.kind and asked.search.those_in(words, one.stems)][:1]
    if not (found or told or asked.search.asked_kinds):
        return None
    # The values alone: "Compatible with" before them would read as a yes.
    values = [one.text.partition(": ")[2] for one in product.passages if one.kind == "compatible"]
    said = [*against, *told, *values]
    if not said:
        return Answer("fitting", unknown(asked, "fit_unknown"), cards_of([product.item], asked)) if found else None
    quote = asked.texts.quote(texts_within(said, most=SHORT_QUOTE))
    text = unknown(asked, "fit_beyond", name=product.item.called, quote=quote)
    return Answer("fitting", text, cards_of([product.item], asked))


def is_own(product: Product, asked: Asked) -> bool:
    """Whether a question names a product by a word that no other has."""
    others = set().union(*(one.name for one in asked.search.products if one != product))
    mine = asked.search.those_in(telling(asked), product.name)
    return bool(mine - asked.search.those_in(mine, others))


def _say_own(asked: Asked) -> Answer | None:
    product, said = _own_attribute(asked)
    return Answer("fitting", says(product, said, asked), cards_of([product.item], asked)) if product else None


def _own_lines(asked: Asked) -> list[str]:
    product, said = _own_attribute(asked)
    return [says(product, said, asked)] if product else []


def _own_attribute(asked: Asked) -> tuple[Product | None, list[str]]:
    """What a product named states under the very name that is asked for: "which connector has the ...?"."""
    for product in asked.named:
        own = asked.search.those_in(telling(asked), product.name)
        rest = set(telling(asked)) - own
        said = [one for one in product.passages if rest and _titled(one, rest, asked)]
        if own and said:
            return product, [one.text for one in said]
    return None, []


def _titled(passage: Passage, words: Iterable[str], asked: Asked) -> bool:
    title, parted, _ = passage.text.partition(": ")
    return bool(parted) and asked.search.those_in(words, stems_of(title, asked.texts.language)) == set(words)


def say_fitting(asked: Asked) -> Answer | None:
    """Whether two things fit: only what the store says of both; of a thing it does not know nothing."""
    kinds = asked.search.asked_kinds
    if not kinds:
        return None
    if kinds == {"compatibility"} and len(asked.search.words) < 2:
        return None
    if len(asked.named) < 2 and "completeness" not in kinds and not asked.known.strange:
        return None
    found = say_passages(asked, "fitting")
    if found is None and asked.mentions("compatibility") and asked.known.strange:
        return Answer("unknown", unknown(asked, "fit_unknown"))
    return found


def _say_unnamed(asked: Asked) -> Answer | None:
    """Of two products asked about what one's list names, where neither names the other: that is no verdict."""
    if asked.search.which or "compatibility" not in asked.search.asked_kinds or asked.known.strange - _asking(asked):
        return None
    lists = asked.lists
    for pair in _pair(asked):
        one, other = sorted(pair, key=asked.place)
        if lists.between(one, other):
            return None
        for product, beside in ((one, other), (other, one)):
            named = [passage.text for passage in product.passages if passage.kind == "compatible"]
            if named and not _speaks_of(product, beside, lists):
                quote = asked.texts.quote(texts_within(named))
                names = {"name": product.item.name, "other": beside.item.called}
                text = unknown(asked, "fit_others", quote=quote, **names)
                return Answer("fitting", text, cards_of([product.item, beside.item], asked))
    return None


def _pair(asked: Asked) -> list[tuple[Product, Product]]:
    """The two products that a question's words name between them; where they name one alone, that and what is meant."""
    search, words = asked.search, telling(asked)
    naming = search.those_in(words, set().union(*(one.name for one in search.products)))
    pairs = []
    for one in search.products:
        mine = search.those_in(words, one.name)
        for other in search.products:
            its = search.those_in(words, other.name)
            if one != other and mine - its and its - mine and mine | its == naming:
                pairs.append((len(mine) / len(one.name) + len(its) / len(other.name), one, other))
    if pairs:
        return [max(pairs, key=lambda pair: pair[0])[1:]]
    named = [one for one in asked.named if naming and search.those_in(words, one.name) == naming]
    return [(one, other) for one in named[:1] for other in meant(asked)[:1]]


def _speaks_of(product: Product, other: Product, lists: Lists) -> bool:
    """Whether a list of a product names a kind that the other may be of."""
    rare = set(other.name) - set().union(*(one.name for one in lists.products if one != other))
    return any(named.entry.stems & (rare or set(other.name)) for named in lists.of(product, PAIRING))
