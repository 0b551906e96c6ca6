"""The money-claim gate: which claims of a sentence no typed fact backs; when in doubt, it is not backed.

Pure. A claim is a price, percentage, code, stock, delivery, return or warranty statement, a comparison of prices, or a
conclusion about safety or law. English and Polish are read whole; what cannot be read is not let through.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from recovery.claim_coupons import CODE, TERM, goes_beyond, told_of_coupon, without_coupon
from recovery.claim_reading import Number, Reading
from recovery.claim_refusals import refused
from recovery.claim_stock import unbacked_stock
from recovery.claim_sums import backed_sum, backed_time, compares_truly
from recovery.claim_words import NEVER
from recovery.facts import Facts

_QUOTED = re.compile(r"[“„«\"]([^“„«\"”»]+)[”“»\"]")
_MAY = frozenset("can may able mozna mozesz moze mozliwy mozliwa".split())
# Letters set apart, by four or more: nobody writes so but to be misread.
_SET_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_](?:\s|[^\w\s,])){3,}[^\W\d_](?![^\W_])")
# Stands for a quotation that the store's own text backs.
_STRUCK = "\ue000"
_SAYING = frozenset("writes write says say pisze podaje mowi".split())
_FREE_OF = frozenset("of from".split())
_FREE_MOVES = frozenset("movement hand hands choice room".split())
_DEGREES = frozenset("below above around under near ponizej powyzej okolo sub".split())
_PAID = frozenset("cost costs charge shipping risk tax fee delivery postage".split())
_BARE_AFTER = frozenset("nur for at only just za tylko jedyne po of to is be costs cost take pay from".split())


@dataclass(frozen=True)
class Claim:
    """Something a sentence claims: its kind, the amount and unit if it has one, and where in the sentence it stands."""

    kind: str
    said: str
    span: tuple[int, int]
    amount: Decimal | None = None
    unit: str = ""


def unbacked(sentence: str, before: str, facts: Facts) -> list[Claim]:
    """The claims of a sentence that no typed fact backs, read after what was shown ``before`` it."""
    return list(_unbacked(sentence, before, facts))


def first_unbacked(sentence: str, before: str, facts: Facts) -> Claim | None:
    """The first of these claims, if there is one."""
    return next(_unbacked(sentence, before, facts), None)


def _unbacked(sentence: str, before: str, facts: Facts) -> Iterator[Claim]:
    if any(char.isalnum() or ord(char) > 0xFF for char in sentence):
        judged = without_coupon(_without_quotes(sentence, facts), before, facts.codes, facts.coupon)
        read = Reading(judged, before)
        for judge in _JUDGES:
            yield from judge(read, facts)


def inert(text: str) -> bool:
    """Whether nothing in a text is a claim or could be the beginning of one."""
    read = Reading(text, "")
    harmless = {"measure", "material", "count", "size", "today", "scope", "trigger", "threshold", "hour"}
    return (
        not any(number.values != {Decimal(1)} or not number.spelt for number in read.numbers)
        and not (read.here - harmless - {"numeral"})
        and not _SET_APART.search(read.sentence)
        and not re.search(r"[\[\]<>{}@/“”„«»\"|]", read.sentence)
    )


def _without_quotes(sentence: str, facts: Facts) -> str:
    def kept(match: re.Match[str]) -> str:
        if facts.is_policy_quote(match[1]):
            return _STRUCK
        if facts.is_own_words(match[1]):
            found = Reading(match[1], "")
            claims = [claim for judge in _JUDGES for claim in judge(found, facts)]
            return _STRUCK if all(claim.kind == "safety" for claim in claims) else match[0]
        return match[0]

    return _QUOTED.sub(kept, sentence.replace(_STRUCK, ""))


def _claim(
    read: Reading, kind: str, first: int, after: int = 0, amount: Decimal | None = None, unit: str = ""
) -> Claim:
    after = after or first + 1
    said = " ".join(token.raw for token in read.tokens[first:after])
    return Claim(kind, said, read.span(first, after), amount, unit)


def _never(read: Reading, facts: Facts) -> Iterator[Claim]:
    """What is not true of anything, whatever the facts."""
    for at in read.having(*NEVER):
        kind = next(tag for tag in NEVER if tag in read.tags[at])
        beside = read.word_before(at)
        if kind == "relative" and beside and beside[0] in ("more", "less", "bardziej"):
            continue
        if kind == "discount" and facts.codes and told_of_coupon(read.words[at], read.sentence):
            continue
        if not refused(read, at):
            yield _claim(read, "comparison" if kind in ("discount", "relative") else kind, at)


def _unreadable(read: Reading, facts: Facts) -> Iterator[Claim]:
    strange = next((at for at in read.indexes if any(c.isalpha() and not c.isascii() for c in read.words[at])), None)
    if strange is not None:
        yield _claim(read, "foreign", strange)
    if _SET_APART.search(read.clause):
        yield _claim(read, "foreign", read.start, len(read.tokens))
    foreign = read.having("foreign")
    if len({read.words[at] for at in foreign}) >= 2:
        yield _claim(read, "foreign", foreign[0], foreign[-1] + 1)


def _numbers(read: Reading, facts: Facts) -> Iterator[Claim]:
    for number in read.numbers:
        if number.after <= read.start:
            continue
        kind = _explained(read, number, facts)
        if kind:
            amount = min(number.values) if number.values else None
            yield _claim(read, kind, number.first, number.after, amount)


def _explained(read: Reading, number: Number, facts: Facts) -> str:
    """The kind of unbacked claim that a number makes; "" when it is none or true."""
    sign = read.sign_before(number)
    unit = read.unit(number, "currency")
    if sign is not None or unit is not None:
        place = sign if sign is not None else unit
        assert place is not None
        return "" if backed_sum(read, number, place, facts) else "price"
    if _percent(read, number):
        return "" if _backed_percent(read, number, facts) else "percent"
    for span in ("day", "week", "month", "year"):
        if read.unit(number, span) is not None:
            return _time(read, number, span, facts)
    if number.spelt:
        return _spelt(read, number)
    if {"in_stock", "left", "out_stock"} & read.here and _is_count(read, number, facts):
        return ""
    return "" if _harmless(read, number, facts) else "number"


def _percent(read: Reading, number: Number) -> bool:
    at = number.after
    return (at < len(read.tokens) and read.words[at] in "%‰") or read.unit(number, "percent") is not None


def _backed_percent(read: Reading, number: Number, facts: Facts) -> bool:
    known = {fact.amount for name in facts.policy if name.endswith("_percent") for fact in facts.amounts(name)}
    if number.values & known:
        return True
    beside = range(max(read.start, number.first - 2), min(len(read.tokens), number.after + 4))
    suspicious = {"price", "cost", "currency", "free", "cart", "delivery", "fraction", "code"} & read.here
    told = any("material" in read.tags[at] for at in beside)
    return told and not suspicious and not {"off", "less", "mniej"} & set(read.words[read.start :])


def _time(read: Reading, number: Number, span: str, facts: Facts) -> str:
    single = number.spelt and number.values == {Decimal(1)} and not {"delivery", "returns", "warranty"} & read.around
    return "" if single or backed_time(read, number, span, facts) else "delivery"


def _spelt(read: Reading, number: Number) -> str:
    """A number in words is a claim where it stands for money: bare behind a price word, or as so many for so many."""
    nearby = read.words[number.after : number.after + 2]
    if nearby[:1] in (["for"], ["off"], ["less"], ["left"], ["remaining"]) and number.values != {Decimal(1)}:
        return "number"
    if number.values == {Decimal(1)}:
        return ""
    if nearby[:1] in (["in"], ["na"], ["w"]) and {"in_stock", "left"} & read.here:
        return "stock"
    bare = not nearby or not nearby[0].isalpha() or nearby[0] in ("only", "now", "today", "each", "a", "per", "teraz")
    before = read.word_before(number.first)
    if bare and (_price_open(read, number.first, 12) or (before and before[0] in _BARE_AFTER)):
        return "price"
    return ""


def _price_open(read: Reading, at: int, reach: int) -> bool:
    """Whether a price word stands before a token and no sum has followed it."""
    for place in range(at - 1, max(-1, at - 1 - reach), -1):
        if "currency" in read.tags[place]:
            return False
        if {"price", "cost"} & read.tags[place]:
            return True
    return False


def _is_count(read: Reading, number: Number, facts: Facts) -> bool:
    """In a sentence about stock a number may be the number there is; the judge of stock says whether it is."""
    return bool(number.values & facts.stock_counts(read))


def _harmless(read: Reading, number: Number, facts: Facts) -> bool:
    if _price_open(read, number.first, 4):
        return False
    if read.unit(number, "measure") is not None or _of_degrees(read, number) or _power(read, number):
        return True
    if read.unit(number, "hour") is not None:
        return not {"delivery", "returns", "in_stock", "left", "price", "today"} & read.around
    counted = [read.unit(number, "count"), read.unit(replace(number, after=number.after + 1), "count")]
    if counted != [None, None] and max(number.values) <= 20:
        return not {"in_stock", "left"} & read.here
    return _is_size(read, number) or _is_item(read, number, facts)


def _of_degrees(read: Reading, number: Number) -> bool:
    rest = read.words[number.after : number.after + 6]
    return "°" in rest[:2] or (read.range_end(number) is not None and "°" in rest)


def _power(read: Reading, number: Number) -> bool:
    """The 2 of m2."""
    return read.tokens[number.first].glued and read.words[number.first - 1] in ("m", "cm", "mm", "km", "dm")


def _is_size(read: Reading, number: Number) -> bool:
    if max(number.values, default=Decimal(0)) >= 300 or {"price", "cost", "currency"} & read.here:
        return False
    near = range(max(read.start, number.first - 6), number.first)
    return any("size" in read.tags[at] for at in near)


def _is_item(read: Reading, number: Number, facts: Facts) -> bool:
    """The marker of a list, so many of the cart's, or a number that belongs to a product's name."""
    following = read.words[number.after : number.after + 2]
    if number.first == read.start and following[:1] in (["."], [")"]) and len(following) > 1:
        return max(number.values) <= 20
    if following[:1] == ["x"] and number.values & facts.quantities():
        return bool(facts.mentions(read.words[number.after :]))
    return facts.names_number(read.words, number.first)


def _money_words(read: Reading, facts: Facts) -> Iterator[Claim]:
    """Currencies and percents without a number, parts of a price, and what costs without a sum."""
    judged = _beside_numbers(read)
    for at in read.having("currency"):
        if at not in judged and not _ordinary(read, at):
            yield _claim(read, "price", at)
    for at in read.having("percent"):
        if at not in judged and not refused(read, at):
            yield _claim(read, "percent", at)
    dear = {"price", "cost", "currency", "discount"} & read.around or {"off", "less", "taniej"} & set(read.words)
    for at in read.having("fraction"):
        if dear:
            yield _claim(read, "percent", at)
    if not any("currency" in read.tags[at] for at in read.indexes) and not compares_truly(read, facts):
        for at in read.having("cost"):
            if not refused(read, at):
                yield _claim(read, "price", at)


def _beside_numbers(read: Reading) -> set[int | None]:
    """The currencies and percents that belong to a number, which is judged with them."""
    if {"currency", "percent"}.isdisjoint(read.here):
        return set()
    return {read.sign_before(number) for number in read.numbers} | {
        read.unit(number, unit) for number in read.numbers for unit in ("currency", "percent")
    }


def _ordinary(read: Reading, at: int) -> bool:
    return read.words[at] in ("pound", "pounds") and "measure" in read.here


def _free(read: Reading, facts: Facts) -> Iterator[Claim]:
    for at in read.having("free"):
        if _harmless_free(read, at) or refused(read, at):
            continue
        known = {fact.amount for fact in facts.amounts("free_shipping_from")}
        told = [number for number in read.numbers if number.first >= read.start and number.values & known]
        if not (told and {"delivery", "cart"} & read.here and "threshold" in read.here):
            yield _claim(read, "free", at)


def _harmless_free(read: Reading, at: int) -> bool:
    before, after = read.word_before(at), read.words[at + 1 : at + 2]
    if read.words[at] in ("zero", "nil"):
        return bool(before and before[0] in _DEGREES)
    if read.words[at] != "free":
        return False
    if at and read.words[at - 1] == "-":
        return not (before and before[0] in _PAID)
    if before and before[0] in ("feel", "hands"):
        return True
    paid = {"price", "cost", "delivery", "currency", "cart", "returns"} & read.here or _PAID & set(read.words)
    return bool(after and after[0] in _FREE_OF | _FREE_MOVES and not paid)


def _codes(read: Reading, facts: Facts) -> Iterator[Claim]:
    """A code that the cart neither holds nor got, and what is said of one beyond its row."""
    for at in read.indexes:
        if _looks_like_code(read, at, facts):
            yield _claim(read, "code", at)
    asked, known = read.having("code"), CODE in read.sentence or TERM in read.sentence
    beyond = goes_beyond(read.sentence) if facts.codes else None
    for at in asked or (read.having("discount") if beyond else []):
        if (not known or beyond) and not refused(read, at):
            yield _claim(read, "code", at)


def _looks_like_code(read: Reading, at: int, facts: Facts) -> bool:
    token = read.tokens[at]
    if token.kind != "w" or not token.raw.isupper():
        return False
    # Whoever names a product or an attribute could otherwise have its words typed in as a code.
    if len(token.raw) >= 3 and any("trigger" in tags for tags in read.tags[max(read.start, at - 2) : at]):
        return True
    urged = {"trigger", "code"} & read.here
    known = token.raw in facts.shouted or facts.mentions([token.low])
    return len(token.raw) >= (3 if urged else 6) and not known


def _promises(read: Reading, facts: Facts) -> Iterator[Claim]:
    """What is said of delivery, returns and warranty beyond their numbers."""
    short = read.around if len(read.indexes) <= 5 else read.here
    for at in read.having("today"):
        if {"delivery", "left"} & short or ({"in_stock"} & short and read.words[at] != "now"):
            yield _claim(read, "delivery", at)
    for at in read.having("scope"):
        if {"returns", "warranty"} & short:
            yield _claim(read, "returns", at)


def _rights(read: Reading, facts: Facts) -> Iterator[Claim]:
    """That something can be returned or is under warranty, where no typed fact says for how long."""
    may = _MAY & set(read.words[read.start :])
    unknown = [] if facts.amounts("return_days") or not may else read.having("returns")
    unknown += [] if facts.amounts("warranty_months") else read.having("warranty")
    for at in unknown:
        if not refused(read, at):
            kind = "warranty" if "warranty" in read.tags[at] else "returns"
            yield _claim(read, kind, at)


def _topics(read: Reading, facts: Facts) -> Iterator[Claim]:
    """A sentence about prices, delivery, returns or warranty says a true number, or where to look."""
    numbers = [number for number in read.numbers if number.first >= read.start]
    counted = any(not _harmless(read, number, facts) and _is_fact(read, number) for number in numbers)
    quoted = _STRUCK in read.sentence and _SAYING & set(read.words[read.start :])
    if counted or quoted or "pointer" in read.here or _by_method(read) or compares_truly(read, facts):
        return
    for at in read.having("price", "delivery", "returns", "warranty"):
        if not refused(read, at):
            tags = read.tags[at]
            yield _claim(read, next(tag for tag in ("price", "delivery", "returns", "warranty") if tag in tags), at)


def _is_fact(read: Reading, number: Number) -> bool:
    units = ("currency", "day", "week", "month", "year")
    return read.sign_before(number) is not None or any(read.unit(number, unit) is not None for unit in units)


def _by_method(read: Reading) -> bool:
    """By whom things are sent is told by no number: ``by courier``, ``kurierem``."""
    words = read.words[read.start :]
    ways = {"by", "locker", "courier", "or", "parcel", "delivery", "is", "a", "the", "."}
    return set(words) <= ways | {
        "kurierem",
        "lub",
        "albo",
        "do",
        "automatu",
        "paczkowego",
        "dostawa",
        "jest",
        "wysylka",
    }


def _stock(read: Reading, facts: Facts) -> Iterator[Claim]:
    for at in unbacked_stock(read, facts):
        if not refused(read, at):
            yield _claim(read, "stock", at)


def _comparisons(read: Reading, facts: Facts) -> Iterator[Claim]:
    for at in read.having("cheaper", "dearer"):
        if not compares_truly(read, facts) and not refused(read, at):
            yield _claim(read, "comparison", at)


_JUDGES: tuple[Callable[[Reading, Facts], Iterator[Claim]], ...] = (
    _never, _unreadable, _numbers, _money_words, _free, _codes, _promises, _rights, _topics, _stock, _comparisons,
)  # fmt: skip
