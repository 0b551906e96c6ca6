"""One sentence read beside what was shown before it: its tokens, what each is about, its numbers and units."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from recovery.claim_text import Token, readings, tokens, undisguised
from recovery.claim_words import NUMBERS, PHRASES, STRONG, STRONG_BEGINNINGS, phrases_at, tags

#: What was shown just before counts as the beginning of a claim this far back.
CONTEXT = 160
_LEET = str.maketrans("013457@$!|8€", "oleastasiibe")
_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_NO_ROMAN = frozenset("XL CM MM CD DC MD CC DI MI II".split())
_ISO = frozenset("EUR USD GBP PLN CZK CHF SEK NOK DKK HUF RON UAH JPY CNY BTC CAD AUD RUB TRY INR BRL".split())
_JOINERS = frozenset("- to do and or x / i lub a + bis".split())
#: ``1, 2 or 3 days``, and no chain without an end.
_LONGEST_RANGE = 6
_BETWEEN = frozenset(
    "working business calendar full whole roboczych robocze roboczy roboczego kalendarzowych pelnych calych".split()
)
_SKIPPED = frozenset("-.~:()[]*_,=\"'+#")


@dataclass(frozen=True)
class Number:
    """A number of the sentence: tokens ``first`` to before ``after``, what it may mean, and whether spelt in words."""

    first: int
    after: int
    values: frozenset[Decimal]
    spelt: bool


class Reading:
    """What a sentence says, with the end of what was shown before it; only the sentence itself is judged."""

    def __init__(self, sentence: str, before: str) -> None:
        earlier = undisguised(before[-CONTEXT:])
        if len(before) > CONTEXT:
            earlier = earlier.partition(" ")[2]
        self.sentence = undisguised(sentence)
        self.text = f"{earlier}\n{self.sentence}"
        self.tokens: list[Token] = tokens(self.text)
        self.start = sum(token.start < len(earlier) for token in self.tokens)
        # A sentence that was released in parts is one where variants and options are looked for.
        began = max(earlier.rfind(end) for end in ".!?…\n") + 1
        self.clause = f"{earlier[began:]} {self.sentence}"
        self.clause_start = sum(token.start < began for token in self.tokens)
        self.tags: list[set[str]] = [set(tags(token.low)) if token.kind == "w" else set() for token in self.tokens]
        self._mark_currency()
        self._mark_phrases()
        self._mark_disguised()
        self.here: set[str] = set().union(*self.tags[self.start :])
        self.around: set[str] = self.here.union(*self.tags[: self.start])

    @property
    def indexes(self) -> range:
        """The tokens of the sentence itself."""
        return range(self.start, len(self.tokens))

    @cached_property
    def words(self) -> list[str]:
        """Every token in lower case, so that places in it are places of tokens."""
        return [token.low for token in self.tokens]

    def word_before(self, at: int, reach: int = 1) -> list[str]:
        """The nearest words before a token."""
        return [token.low for token in self.tokens[max(0, at - reach - 3) : at] if token.kind == "w"][-reach:]

    def having(self, *wanted: str) -> list[int]:
        """The tokens of the sentence that are about one of these."""
        if self.here.isdisjoint(wanted):
            return []
        return [at for at in self.indexes if not self.tags[at].isdisjoint(wanted)]

    def names_unknown(self) -> bool:
        """Whether the sentence has a name in it, a word with a capital inside, that no other rule knows."""
        return any(self.is_name(at) for at in self.indexes[1:])

    def is_name(self, at: int) -> bool:
        """Whether a token looks like a name that no other rule knows."""
        token = self.tokens[at]
        return token.kind == "w" and len(token.raw) > 3 and token.raw[0].isupper() and not self.tags[at]

    def span(self, first: int, after: int) -> tuple[int, int]:
        """Where tokens stand in the (undisguised) sentence; what began before it begins at 0."""
        offset = len(self.text) - len(self.sentence)
        return max(0, self.tokens[first].start - offset), self.tokens[after - 1].end - offset

    def _mark_currency(self) -> None:
        for at, token in enumerate(self.tokens):
            if token.raw in _ISO or (token.kind == "m" and unicodedata.category(token.raw) == "Sc"):
                self.tags[at].add("currency")

    def _mark_phrases(self) -> None:
        places = [at for at, token in enumerate(self.tokens) if token.kind == "w"]
        words = [self.tokens[at].low for at in places]
        for nth, at in enumerate(places):
            if words[nth] in PHRASES:
                for length, tag in phrases_at(words, nth):
                    # A phrase that only ends in the sentence is a claim of the sentence.
                    last = places[nth + length - 1]
                    self.tags[at if at >= self.start else last].add(tag)
            for length in (2, 3) if words[nth] in STRONG_BEGINNINGS else ():
                joined = "".join(words[nth : nth + length])
                if joined in STRONG and nth + length <= len(words) and not STRONG & set(words[nth : nth + length]):
                    self.tags[places[nth + length - 1]] |= tags(joined)

    def _mark_disguised(self) -> None:
        """Words written with signs or digits between or for their letters: ``f.r.e.e``, ``f r e e``, ``fr33``."""
        for first, after in self._clusters():
            raw = self.text[self.tokens[first].start : self.tokens[after - 1].end].lower()
            plain = re.sub(r"[^a-z]", "", raw.translate(_LEET))
            kept = re.sub(r"[^a-z]", "", raw)
            for word in {plain, kept}:
                self.tags[max(after - 1, self.start)] |= tags(word) - {"measure", "size", "count", "foreign"}

    def _clusters(self) -> Iterator[tuple[int, int]]:
        """Runs of tokens that may be one word; from the one in which the sentence begins."""
        first = min(self.start, max(len(self.tokens) - 1, 0))
        while first > 0 and self._continues(first):
            first -= 1
        for at in range(first + 1, len(self.tokens) + 1):
            if at < len(self.tokens) and self._continues(at):
                continue
            after = at
            while after > first and self.tokens[after - 1].low in ".,;:!?\"')(":
                after -= 1
            if after - first > 1 and after > self.start and any(t.kind == "w" for t in self.tokens[first:after]):
                yield first, after
            first = at

    def _continues(self, at: int) -> bool:
        one, other = self.tokens[at - 1], self.tokens[at]
        if other.glued:
            return True
        return (
            len(one.raw) == len(other.raw) == 1
            and one.kind == other.kind == "w"
            and (at < 2 or len(self.tokens[at - 2].raw) == 1)
        )

    @cached_property
    def numbers(self) -> list[Number]:
        """The numbers of the whole text, written or spelt."""
        found, at = [], 0
        while at < len(self.tokens):
            token, after = self.tokens[at], at + 1
            if token.kind == "n":
                found.append(Number(at, after, frozenset(readings(token.raw)), spelt=False))
            elif "numeral" in self.tags[at]:
                after = self._spelt_to(at)
                values = [NUMBERS[word] for word in self.words[at:after] if word in NUMBERS]
                found.append(Number(at, after, frozenset({Decimal(_together(values))}), spelt=True))
            elif token.raw not in _NO_ROMAN and len(token.raw) > 1 and _ROMAN.fullmatch(token.raw):
                found.append(Number(at, after, frozenset(), spelt=True))
            at = after
        return found

    def _spelt_to(self, at: int) -> int:
        after = at + 1
        while after < len(self.tokens):
            skip = after + (self.words[after] in ("-", "and"))
            if skip >= len(self.tokens) or "numeral" not in self.tags[skip] or self.tokens[skip].kind != "w":
                break
            after = skip + 1
        return after

    def unit(self, number: Number, wanted: str) -> int | None:
        """The token after a number that is such a unit; a range takes that of its end."""
        end: Number | None = number
        for _ in range(_LONGEST_RANGE):
            if end is None:
                return None
            at = self._past_marks(end.after)
            if at < len(self.tokens) and wanted in self.tags[at]:
                return at
            if at < len(self.tokens) and self.words[at] in _BETWEEN:
                at = self._past_marks(at + 1)
                return at if at < len(self.tokens) and wanted in self.tags[at] else None
            end = self.range_end(end)
        return None

    def range_end(self, number: Number) -> Number | None:
        """The number that a range goes on to."""
        at = number.after
        for _ in range(4):
            if at < len(self.tokens) and self.words[at] in _JOINERS:
                at += 1
        if at == number.after:
            return None
        return self._number_at.get(at)

    @cached_property
    def _number_at(self) -> dict[int, Number]:
        return {number.first: number for number in self.numbers}

    def _past_marks(self, at: int) -> int:
        while at < len(self.tokens) and self.words[at] in _SKIPPED:
            at += 1
        return at

    def sign_before(self, number: Number) -> int | None:
        """The currency right before a number."""
        at = number.first - 1
        while at >= 0 and self.words[at] in _SKIPPED:
            at -= 1
        return at if at >= 0 and "currency" in self.tags[at] else None


def _together(values: list[int]) -> int:
    total = current = 0
    for value in values:
        if value == 1000:
            total, current = total + max(current, 1) * 1000, 0
        elif value == 100:
            current = max(current, 1) * 100
        else:
            current += value
    return total + current
