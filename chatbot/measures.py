"""The measures a customer writes, whatever their unit, and what of the body each may measure.

Pure. Lengths are compared in centimetres; what had to be converted is said with its arithmetic.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from chatbot.texts import Texts

INCH, FOOT, POUND = Decimal("2.54"), 12, Decimal("0.4536")
#: What of a person measures how much, in centimetres (a shoe: its European number).
PLAUSIBLE = {
    "height": (50, 225), "chest": (40, 160), "waist": (40, 160), "hips": (50, 170), "inseam": (30, 110),
    "foot": (9, 34), "head": (32, 70), "hand": (10, 32), "shoe": (16, 52), "neck": (25, 55), "arm": (30, 100),
    "weight": (3, 180), "age": (0, 18),
}  # fmt: skip
#: A word this far from a number, or beyond a comma, does not say what it measures.
FAR, COMMA = 5, 2
_STROKED = str.maketrans("łŁ’′‘”“″", "lL'''\"\"\"")
_NUMBER = r"\d{1,3}(?:[.,]\d{1,2})?"
_ENDS = r"(?=\s*(?:$|[,.;?!)]|and\b|tall|waist|chest|bust|hips?|inseam|inside|high|long|around|head|foot|leg|hand))"
_PART = re.compile(
    rf"(?P<feet>[3-7])\s*(?:'|ft\b|foot\b|feet\b)\s*(?:(?P<inches>\d{{1,2}}(?:[.,]\d)?)\s*(?:\"|''|in\b|inch\w*)?)?"
    r"|(?<![\d.,€$£/×x-])(?P<metres>[012])\s?(?:[.,]|m\s?)(?P<cents>\d{2})\s*(?:m\b|metr\w*)?"
    r"(?!\s*(?:(?:g|l|v|j|a|kg|ml|mm|cm|lbs?|zl|eur|pln|m2|m²)\b|[\d%€$£\"×/-]|[.,]\d|x\s*\d))"
    rf"|(?<![\d.,€$£/×x-])(?P<number>{_NUMBER})\s*(?P<unit>cm|mm|kg|kilo\w*|lbs?|years?|lat\w*|inch\w*|cal\w*|\"|in{_ENDS})?(?!\s*[/×%€$£]|[\d-]|\s*x\s*\d|[.,]\d)"
    r"|(?P<word>[a-z]+)|(?P<comma>[,;])"
)
_OTHER_UNIT = re.compile(r"(?:g|l|ml|m2|m²|km|v|j|x|zl|eur|pln|mah|euros?|days?|dni|pieces?|szt\w*|m|mm|lb|pack\w*)\b")


@dataclass(frozen=True)
class Measure:
    """A number of the customer's; ``kinds`` is what it may measure, empty where that was not said."""

    value: Decimal
    unit: str
    said: str
    kinds: frozenset[str] = frozenset()
    beside: str = ""
    given: str = ""

    @property
    def sure(self) -> bool:
        """Whether a number without a word beside it may be taken for a measure of the body."""
        return self.given in {"cm", "m", "in", "ft"}


def unaccented(text: str) -> str:
    """Small letters without accents, signs kept."""
    plain = unicodedata.normalize("NFKD", text.translate(_STROKED).lower())
    return "".join(char for char in plain if not unicodedata.combining(char))


def measures_of(question: str, texts: Texts) -> list[Measure]:
    """The measures in a question, each with what it measures where a word beside it says so."""
    parts = list(_parts(unaccented(question)))
    places = [at for at, part in enumerate(parts) if isinstance(part, Measure)]
    if not places or len(places) > 4:
        return []
    words = _kind_words(parts, texts)
    options = [_options(at, parts, words) for at in places]
    best = min(itertools.product(*options), key=_cost)
    found = zip(places, (part for part in parts if isinstance(part, Measure)), best, strict=True)
    return [
        _named(measured, at, parts, words.get(-1 if place is None else place)) for at, measured, (place, _) in found
    ]


def _parts(text: str) -> Iterator[Measure | str]:
    for found in _PART.finditer(text):
        if found["word"] or found["comma"]:
            yield found["word"] or ","
        elif found["feet"]:
            inches = int(found["feet"]) * FOOT + _decimal(found["inches"] or "0")
            said = f"{found['feet']}'{found['inches'] or 0}″ = {plain(inches)} in × 2.54 = {plain(inches * INCH)} cm"
            yield Measure(inches * INCH, "cm", said, given="ft")
        elif found["metres"]:
            value = _decimal(f"{found['metres']}.{found['cents']}") * 100
            yield Measure(value, "cm", f"{plain(value)} cm", given="m")
        elif not _OTHER_UNIT.match(text[found.end() :].lstrip()):
            yield _measure(_decimal(found["number"]), found["unit"] or "")


def _measure(value: Decimal, unit: str) -> Measure:
    if unit.startswith(("in", "cal", '"')):
        return Measure(value * INCH, "cm", f"{plain(value)} in × 2.54 = {plain(value * INCH)} cm", given="in")
    if unit == "mm":
        return Measure(value / 10, "cm", f"{plain(value)} mm = {plain(value / 10)} cm", given="mm")
    if unit.startswith("lb"):
        return Measure(value * POUND, "kg", f"{plain(value)} lb × 0.4536 = {plain(value * POUND)} kg", given="kg")
    if unit.startswith(("year", "lat")):
        return Measure(value, "years", plain(value), given="years")
    if unit.startswith("k"):
        return Measure(value, "kg", f"{plain(value)} kg", given="kg")
    return Measure(value, "cm", f"{plain(value)} cm", given=unit)


def _kind_words(parts: list[Measure | str], texts: Texts) -> dict[int, frozenset[str]]:
    """Where words stand that say what is measured, and what."""
    found: dict[int, set[str]] = {}
    for kind, keywords in texts.measures.items():
        for keyword in keywords:
            wanted = keyword.split()
            for at in range(len(parts) - len(wanted) + 1):
                if all(_is(part, word) for part, word in zip(parts[at : at + len(wanted)], wanted, strict=True)):
                    found.setdefault(at + len(wanted) - 1, set()).add(kind)
    return {at: frozenset(kinds) for at, kinds in found.items()}


def _is(part: Measure | str, word: str) -> bool:
    if isinstance(part, Measure):
        return False
    return part.startswith(word[:-1]) if word.endswith("*") else part == word


def _options(at: int, parts: list[Measure | str], words: dict[int, frozenset[str]]) -> list[tuple[int | None, int]]:
    """The words that may say what the number measures, each with how far off it stands."""
    found: list[tuple[int | None, int]] = [(None, 3 * FAR)]
    for place in words:
        between = parts[min(at, place) + 1 : max(at, place)]
        measured = parts[at]
        if not isinstance(measured, Measure) or any(isinstance(part, Measure) for part in between):
            continue
        far = len(between) + COMMA * between.count(",")
        if far <= FAR and _plausible(words[place], measured):
            found.append((place, far))
    return found


def _plausible(kinds: frozenset[str], measured: Measure) -> frozenset[str]:
    units = {"weight": "kg", "age": "years", "shoe": ""}
    return frozenset(
        kind
        for kind in kinds
        if PLAUSIBLE[kind][0] <= measured.value <= PLAUSIBLE[kind][1]
        and (not measured.given or (measured.given == units[kind] if kind in units else measured.unit == "cm"))
    )


def _cost(chosen: tuple[tuple[int | None, int], ...]) -> int:
    """The nearest words together; one word says of one number only."""
    places = [place for place, _ in chosen if place is not None]
    return sum(far for _, far in chosen) + 100 * (len(places) - len(set(places)))


def _named(measured: Measure, at: int, parts: list[Measure | str], kinds: frozenset[str] | None) -> Measure:
    beside = " ".join(part for part in parts[max(at - 4, 0) : at + 4] if isinstance(part, str))
    kinds = _plausible(kinds, measured) if kinds is not None else _by_unit(measured)
    if not measured.given and kinds & {"shoe", "weight", "age"}:
        return replace(measured, kinds=kinds, beside=beside, said=plain(measured.value))
    return replace(measured, kinds=kinds, beside=beside)


def _by_unit(measured: Measure) -> frozenset[str]:
    return frozenset({"kg": {"weight"}, "years": {"age"}}.get(measured.unit, set()))


def plain(number: Decimal) -> str:
    """A number without needless zeros."""
    return f"{number:.1f}".rstrip("0").rstrip(".")


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
