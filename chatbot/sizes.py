"""Which size fits: a customer's measures against the size guide of a product, or against the range a product names.

Pure. Between two sizes both are named, beyond the guide that is said; advice is quoted from the guide, never made up.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from chatbot.context import Item, Knowledge, PolicyText
from chatbot.measures import Measure, measures_of, plain
from chatbot.quotes import texts_within
from chatbot.size_tables import Span, Table, column_for, read_table
from chatbot.texts import Texts
from chatbot.variants import own_labels
from chatbot.words import content, fold, hits, overlap, sentences

MAX_QUOTE = 300
#: A measure this much beyond the ends of a range is no measure for it.
BEYOND = 1
_SIZE = re.compile(r"\b(?:X{0,4}S|M|X{0,4}L|[2-6]XL|\d{2}(?:[/–-]\d{2})?)\b")
_SPAN = re.compile(r"(\d{1,3}(?:[.,]\d)?)\s*(?:cm\s*)?(?:[-–—]|to|do|a)\s*(\d{1,3}(?:[.,]\d)?)\s*cm", re.IGNORECASE)
_LABEL_SPAN = re.compile(r"^(\d{2,3})\s*[-–/]\s*(\d{2,3})$")


@dataclass(frozen=True)
class Fit:
    """What one measure says: the sizes it falls into, or between; none where it lies ``beyond`` the guide."""

    measure: Measure
    column: str
    labels: tuple[str, ...]
    between: bool = False


def guide_of(item: Item, known: Knowledge) -> PolicyText | None:
    """The size guide for a product: the one that names it, else the one for its kind, never one for another product."""
    guides = known.of_kind("size_guide")
    own = [guide for guide in guides if any(fold(name) in _whole(guide) for name in _names(item))]
    if own:
        return own[0]
    others = {one.called for one in known.everything}
    free = [guide for guide in guides if not any(fold(name) in _whole(guide) for name in others)]
    # Where guides say what they are for, one that does not name the product is for another.
    if len(free) < len(guides):
        return None
    words = content(fold(f"{item.name} {' '.join(item.categories)}"), frozenset())
    fitting = [guide for guide in free if overlap(words, f"{guide.title} {guide.text}")]
    return fitting[0] if fitting else None


def _whole(guide: PolicyText) -> str:
    return fold(f"{guide.title} {guide.text}")


def _names(item: Item) -> list[str]:
    # A variant is called "Rain jacket, Moss, M" where its guide says "Rain jacket".
    return [item.called, item.name, item.name.partition(",")[0]]


def fits(measures: Iterable[Measure], table: Table, texts: Texts) -> list[Fit]:
    """What each measure says that the guide has a column for."""
    found: list[Fit] = []
    taken: set[str] = set()
    # Those that say what they measure choose their columns first.
    for measure in sorted(measures, key=lambda one: not one.kinds):
        column = column_for(measure, table, taken, texts)
        if column is not None:
            taken.add(column)
            found.append(_fit(measure, column, table.column(column)))
    return found


def _fit(measure: Measure, column: str, spans: list[tuple[str, Span]]) -> Fit:
    inside = tuple(label for label, span in spans if span.holds(measure.value))
    if inside:
        return Fit(measure, column, inside)
    below = [(span.high, label) for label, span in spans if span.high is not None and span.high < measure.value]
    above = [(span.low, label) for label, span in spans if span.low is not None and span.low > measure.value]
    if below and above:
        return Fit(measure, column, (max(below)[1], min(above)[1]), between=True)
    return Fit(measure, column, ())


def fit_said(question: str, item: Item, known: Knowledge, texts: Texts) -> tuple[str, tuple[str, ...]]:
    """What the measures in a question come to, with the sizes named; empty where no guide speaks of them."""
    guide = guide_of(item, known)
    measures = [one for one in measures_of(question, texts) if one.kinds or one.sure or _asks_size(question, texts)]
    if guide is None or not measures:
        return "", ()
    table = read_table(guide.text, texts)
    found = fits(measures, table, texts)
    if not found:
        return "", ()
    said, labels = _verdict(found, item, guide, table, texts)
    return said, labels


def _asks_size(question: str, texts: Texts) -> bool:
    return hits(fold(question), texts.keywords["size"]) > 0


def _verdict(
    found: list[Fit], item: Item, guide: PolicyText, table: Table, texts: Texts
) -> tuple[str, tuple[str, ...]]:
    measures = ", ".join(_measure_said(one, texts) for one in found)
    values = {"name": item.called, "title": guide.title, "measures": measures}
    out = [one for one in found if not one.labels]
    common = [row.label for row in table.rows if all(row.label in one.labels for one in found)]
    if len(out) == len(found):
        return _beyond(out[0], values, table, texts), ()
    if len(common) == 1:
        return texts.say("size_fits", size=common[0], quote=_rows(common, table, texts), **values), tuple(common)
    advice = _advice(table, texts)
    if common:
        sizes = texts.phrases["size_and"].join(common)
        said = texts.say("size_between", sizes=sizes, quote=_rows(common, table, texts), **values)
        return f"{said} {advice}".strip(), tuple(common)
    each = "; ".join(_each(one, texts) for one in found)
    labels = tuple(dict.fromkeys(label for one in found for label in one.labels))
    return f"{texts.say('size_apart', each=each, **values)} {advice}".strip(), labels


def _measure_said(one: Fit, texts: Texts) -> str:
    name = re.sub(r"\s*[(\[].*?[)\]]", "", one.column).lower()
    return f"{name} {_local(one.measure.said, texts)}".strip()


def _each(one: Fit, texts: Texts) -> str:
    sizes = texts.phrases["size_and"].join(one.labels) or texts.phrases["size_none_of"]
    return f"{_measure_said(one, texts)} → {sizes}"


def _local(text: str, texts: Texts) -> str:
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text) if texts.language == "pl" else text


def _beyond(one: Fit, values: dict[str, str], table: Table, texts: Texts) -> str:
    spans = table.column(one.column)
    ends = [(end, label) for label, span in spans for end in (span.low, span.high) if end is not None]
    (low, first), (high, last) = min(ends), max(ends)
    unit = one.measure.unit if one.measure.given or not one.measure.kinds & {"shoe"} else ""
    return texts.say(
        "size_beyond", first=first, last=last, low=_local(plain(low), texts), high=_local(plain(high), texts),
        unit=unit, **values,
    )  # fmt: skip


def _rows(labels: list[str], table: Table, texts: Texts) -> str:
    rows = [row for label in labels if (row := table.of(label))]
    return texts.quote("\n".join([*([table.head] if table.head else []), *(row.text for row in rows)]))


def _advice(table: Table, texts: Texts) -> str:
    said = [note for note in table.notes if hits(fold(note), texts.keywords["size_advice"])]
    return texts.quote(texts_within(said, " ", MAX_QUOTE)) if said else ""


def size_said(question: str, about: list[Item], known: Knowledge, texts: Texts) -> str:
    """The size guide for what the question is about: the lines of the size asked for, else all that are sizes."""
    for item in about:
        guide = guide_of(item, known)
        if guide is None:
            continue
        table = read_table(guide.text, texts)
        sizes = set(_SIZE.findall(question))
        rows = [row for row in table.rows if row.label in sizes] or list(table.rows)
        lines = [row.text for row in rows] or sentences(guide.text)
        chosen = texts_within([*([table.head] if table.head and rows else []), *lines], "\n", MAX_QUOTE)
        return f"{item.called}. {texts.say('says_size', title=guide.title)}\n{texts.quote(chosen)}"
    return ""


def range_said(question: str, item: Item, texts: Texts) -> str:
    """Whether a measure lies within a range that the product names in centimetres; "" where it names none for it."""
    measures = [one for one in measures_of(question, texts) if one.unit == "cm"]
    texts_of = [f"{name}: {value}" for name, value in item.attributes]
    for text in [*texts_of, *sentences(item.short_description), *sentences(item.description)]:
        kinds = {kind for kind, words in texts.measures.items() if hits(fold(text), words)}
        for found in _SPAN.finditer(text):
            span = Span(_number(found[1]), _number(found[2]))
            near = [one for one in measures if _belongs(one, kinds, span)]
            if near:
                phrase = "within" if span.holds(near[0].value) else "outside"
                return texts.say(phrase, name=item.called, measure=_local(near[0].said, texts), text=text)
    return ""


def _belongs(measure: Measure, kinds: set[str], span: Span) -> bool:
    low, high = span.low or Decimal(0), span.high or Decimal(0)
    width = (high - low) * BEYOND
    if measure.kinds and kinds and not measure.kinds & kinds:
        return False
    return low - width <= measure.value <= high + width


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def labels_of(item: Item) -> set[str]:
    """What a variant's name says beside its product's: colour, size."""
    return set(own_labels(item))


def by_number(question: str, variants: Iterable[Item], texts: Texts) -> list[tuple[Item, str]]:
    """The variants whose own label is a range that holds a shoe size or measure in the question."""
    found = []
    for measure in measures_of(question, texts):
        for item in variants:
            for label in labels_of(item):
                span = _LABEL_SPAN.match(label)
                if span and Span(_number(span[1]), _number(span[2])).holds(measure.value):
                    found.append((item, plain(measure.value)))
    return found
