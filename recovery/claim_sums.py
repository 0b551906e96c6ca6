"""Whether a sum, a time or a comparison of prices in a sentence equals the typed facts that its words speak of."""

import re
from decimal import Decimal

from recovery.claim_reading import Number, Reading
from recovery.facts import Facts, Mention, Money, PolicyFact
from recovery.words import fold, same

_CURRENCIES = {
    "€": "EUR", "£": "GBP", "euro": "EUR", "euros": "EUR", "zl": "PLN", "zloty": "PLN", "zlote": "PLN",
    "zlotych": "PLN", "kc": "CZK", "dollars": "USD", "$": "USD", "pounds": "GBP",
}  # fmt: skip
_VAGUE = frozenset(
    "both oba obie off less below under almost nearly was were formerly previously instead extra save ponizej prawie "
    "mniej zamiast wczesniej dawniej bylo byla rabatu".split()
)
_ONWARD = frozenset("for by with via do przy kurierem w".split())
_UNIT_PRICE = re.compile(r"\b(?:per|za|a|an|each) (m2|m|kg|g|l|piece|pair|pack|packet|sztuke|pare|metr|opakowanie)\b")


def backed_sum(read: Reading, number: Number, sign: int, facts: Facts) -> bool:
    """Whether an amount of money is the one that the sentence's context allows."""
    currency = _currency(read, sign, facts)
    words = set(read.words[read.start :])
    if currency is None or number.spelt or _VAGUE & words or _wrong_unit(read, facts):
        return False
    said = {Money(value, currency) for value in number.values}
    return bool(said & _allowed(read, number, facts))


def _currency(read: Reading, sign: int, facts: Facts) -> str | None:
    raw = read.tokens[sign].raw
    return raw if re.fullmatch(r"[A-Z]{3}", raw) else _CURRENCIES.get(raw.lower())


def _wrong_unit(read: Reading, facts: Facts) -> bool:
    found = _UNIT_PRICE.search(read.sentence.lower())
    if found is None:
        return False
    unit = {"sztuke": "piece", "pair": "piece", "pare": "piece", "metr": "m"}.get(fold(found[1]), fold(found[1]))
    return unit not in {item.sold_by for family in facts.subjects(read) for item in facts.variants(family, "")}


def _allowed(read: Reading, number: Number, facts: Facts) -> set[Money]:
    allowed: set[Money] = set()
    mentions = facts.mentions(read.words)
    if "minimum" in read.here:
        return _of(facts.amounts("minimum_order"))
    if "delivery" in read.here:
        if "free" in read.here and "threshold" in read.here:
            allowed |= _of(facts.amounts("free_shipping_from"))
        allowed |= _of(_by_condition(read, number, facts.amounts("shipping_price")))
    if "cart" in read.here and facts.total is not None:
        allowed.add(facts.total)
    own = [mention for mention in mentions if mention.at >= read.start]
    if own:
        nearest = _nearest(read, number, own)
        return allowed | facts.prices(nearest.family, read.clause)
    if "delivery" in read.here or "cart" in read.here:
        return allowed
    for family in facts.subjects(read)[-1:]:
        allowed |= facts.prices(family, read.clause)
    return allowed


def _of(facts: list[PolicyFact]) -> set[Money]:
    return {Money(fact.amount, fact.currency) for fact in facts if fact.currency}


def _nearest(read: Reading, number: Number, mentions: list[Mention]) -> Mention:
    ahead = [mention for mention in mentions if mention.at > number.first]
    behind = [mention for mention in mentions if mention.at < number.first]
    after = read.words[number.after : number.after + 3]
    if ahead and (not behind or _ONWARD & set(after)):
        return ahead[0]
    return behind[-1]


def _by_condition(read: Reading, number: Number, facts: list[PolicyFact]) -> list[PolicyFact]:
    """Of facts that hold each for something (``courier``), those of the one a sentence names nearest to the number."""
    places = [
        Mention(fact.condition, at)
        for fact in facts
        for at in read.indexes
        if any(same(read.words[at], word) for word in fold(fact.condition).split() if len(word) > 3)
    ]
    shared = [place for place in places if sum(other.at == place.at for other in places) == 1]
    if not shared:
        return facts
    meant = _nearest(read, number, sorted(shared, key=lambda place: place.at)).family
    return [fact for fact in facts if fact.condition == meant]


def backed_time(read: Reading, number: Number, span: str, facts: Facts) -> bool:
    """Whether a number of days, weeks, months or years is that of the topic the sentence speaks of."""
    topics = read.here if {"delivery", "returns", "warranty"} & read.here else read.around
    days = {value * {"day": 1, "week": 7}.get(span, 10_000) for value in number.values}
    months = {value * {"month": 1, "year": 12}.get(span, 10_000) for value in number.values}
    if "returns" in topics and days & {fact.amount for fact in facts.amounts("return_days")}:
        return span in ("day", "week")
    if "warranty" in topics and months & {fact.amount for fact in facts.amounts("warranty_months")}:
        return span in ("month", "year")
    return "delivery" in topics and span == "day" and _days_hold(read, number, facts)


def _days_hold(read: Reading, number: Number, facts: Facts) -> bool:
    low = {fact.amount for fact in facts.amounts("delivery_days_min")}
    high = {fact.amount for fact in facts.amounts("delivery_days_max")}
    if number.values & high:
        return True
    end = read.range_end(number)
    return bool(number.values & low and end is not None and end.values & high)


def compares_truly(read: Reading, facts: Facts) -> bool:
    """Whether a sentence compares the prices of exactly two products as they are."""
    families = list(dict.fromkeys(m.family for m in facts.mentions(read.words) if m.at >= read.start))
    words = read.words[read.start :]
    if len(families) != 2 or not {"than", "niz", "od"} & set(words) or {"not", "nie", "isn"} & set(words):
        return False
    # How much cheaper is another claim, and so is one about half or twice.
    if any(number.first >= read.start for number in read.numbers) or "fraction" in read.here:
        return False
    one, other = (facts.prices(family, read.clause) for family in families)
    if {money.currency for money in one} != {money.currency for money in other}:
        return False
    lower = max(_values(one)) < min(_values(other))
    higher = min(_values(one)) > max(_values(other))
    return (not read.having("cheaper") or lower) and (not read.having("dearer") or higher)


def _values(prices: set[Money]) -> list[Decimal]:
    return [money.amount for money in prices]
