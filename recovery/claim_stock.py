"""Whether what a sentence says about stock is true of every product it names."""

import re

from recovery.claim_reading import Reading
from recovery.facts import Facts

_SIZE = re.compile("X{0,4}[SL]|M")
_LAST = frozenset("piece pieces one ones pair item items sztuka sztuki sztuk".split())


def unbacked_stock(read: Reading, facts: Facts) -> list[int]:
    """The words about stock of a sentence that its products' columns do not back."""
    told = [at for at in read.having("in_stock", "out_stock", "left") if not _idle(read, at)]
    if not told:
        return []
    families = facts.subjects(read)
    counts = facts.stock_counts(read)
    numbers = [
        number
        for number in read.numbers
        if number.first >= read.start and read.unit(number, "size") is None and not number.spelt
    ]
    for at in told:
        out = "out_stock" in read.tags[at] or {"not", "nie", "isn", "aren"} & set(read.word_before(at, 3))
        known = not _strange_option(read, families, facts)
        true = known and bool(families) and all(facts.stocked(family, read.clause) != bool(out) for family in families)
        if "left" in read.tags[at] and "in_stock" not in read.tags[at]:
            true = true and any(number.values & counts for number in numbers)
        if not true:
            return told
    return []


def _strange_option(read: Reading, families: list[str], facts: Facts) -> bool:
    """Whether the sentence names a size or another capitalised option that none of the products has."""
    own = {word for family in families for word in facts.own_words(family)}
    return any(
        token.kind == "w"
        and token.low not in own
        and (_SIZE.fullmatch(token.raw) is not None or read.is_name(at))
        and at > read.clause_start
        for at, token in enumerate(read.tokens)
    )


def _idle(read: Reading, at: int) -> bool:
    """Words that speak of stock only beside a number: ``left``, ``last``, ``sztuk``."""
    if {"in_stock", "out_stock"} & read.tags[at]:
        return False
    if read.words[at] in ("last",) or read.words[at].startswith("ostatni"):
        return not _LAST & set(read.words[at + 1 : at + 3])
    counted = any(read.unit(number, "left") == at for number in read.numbers)
    led = read.words[at].startswith(("zostal", "pozostal", "remaining"))
    return not counted and not (led and any(number.first >= read.start for number in read.numbers))
