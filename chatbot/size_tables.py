"""Size guides as tables, whatever shape the store wrote them in: bars, tabs, commas, headings above, prose lines.

Pure. Spans are in the units of measures: centimetres, kilograms, years.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal

from chatbot.measures import INCH, POUND, Measure, unaccented
from chatbot.texts import Texts
from chatbot.words import fold, hits, overlap, sentences

_LABEL = re.compile(
    r"^(?:eu|size|rozmiar|rozm\.?)?\s*"
    r"((?:X{0,4}S|M|X{0,4}L|[2-6]XL|[2-4]XS|one size|uniwersalny)(?:\s*/\s*(?:X{0,4}S|M|X{0,4}L))?"
    r"|\d{1,3}(?:[.,]5)?(?:\s*[/–-]\s*\d{1,3})?)$",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"^(?:(?i:size|rozmiar|rozm\.?)\s+)?((?:X{0,4}S|M|X{0,4}L|[2-6]XL|[2-4]XS)(?:/(?:X{0,4}S|M|X{0,4}L))?"
    r"|(?:EU\s*)?\d{1,2}(?:[/–-]\d{1,2})?(?=\s*:))\s*(?:[:,–-]\s*|\s+(?=\D*\d))(.*)$"
)
_N = r"(\d{1,3}(?:[.,]\d{1,2})?)"
_UNIT = r"\s*(cm|mm|m\b|in\b|inch\w*|\"|''|cal\w*|kg|lbs?|years?|lat\w*)?"
_SPAN = re.compile(
    rf"(?:(up to|under|below|max\.?|do|ponizej|<=?|≤)\s*{_N}"
    rf"|(?:(?:from|between|od|miedzy)\s+)?{_N}{_UNIT}\s*(?:[-–—]|to\b|do\b|and\b|a\b)\s*{_N}"
    rf"|(from|over|above|od|powyzej|min\.?|>=?|≥)\s*{_N}"
    rf"|{_N}\s*(\+)?){_UNIT}"
)
_RULE = re.compile(r"^[\s|:+=-]+$")
_SIZES = frozenset({"size", "sizes", "rozmiar", "rozmiary", "eu"})
_MILLIMETRES, _METRES = Decimal("0.1"), Decimal(100)


@dataclass(frozen=True)
class Span:
    """From a measure to a measure; an open end is None."""

    low: Decimal | None
    high: Decimal | None

    def holds(self, value: Decimal) -> bool:
        """Whether a measure lies within; a table in whole numbers is read in whole numbers."""
        if all(bound is None or bound == bound.to_integral_value() for bound in (self.low, self.high)):
            value = value.quantize(Decimal(1))
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Row:
    """One size: its label, the store's own line, and a span for each measure."""

    label: str
    text: str
    spans: dict[str, Span]


@dataclass(frozen=True)
class Table:
    """A size guide; ``head`` is the line that names the measures, where there is one, ``notes`` all that is no row."""

    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    head: str = ""
    columns: tuple[str, ...] = field(default=())

    def column(self, name: str) -> list[tuple[str, Span]]:
        """The sizes with their spans of one measure."""
        return [(row.label, row.spans[name]) for row in self.rows if name in row.spans]

    def of(self, label: str) -> Row | None:
        """The row of a size."""
        return next((row for row in self.rows if fold(row.label) == fold(label)), None)


def read_table(text: str, texts: Texts) -> Table:
    """The table in a size guide; without rows where there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _RULE.match(line)]
    head: list[str] = []
    head_line, across = "", False
    rows: list[Row] = []
    notes: list[str] = []
    turned: list[tuple[str, list[str]]] = []
    for line in lines:
        cells = _cells(line, len(head))
        heading = _heading(cells, texts)
        if heading:
            head, head_line, across = cells, line, heading == "sizes"
            continue
        if across and len(cells) == len(head):
            turned.append((line, cells))
            continue
        row = _headed(line, cells, head) or _led(line, cells)
        if row is not None:
            rows.append(row)
        else:
            notes += sentences(line)
    rows += _turned(head, turned)
    names = dict.fromkeys(name for row in rows for name in row.spans)
    return Table(tuple(rows), tuple(notes), head_line, tuple(names))


def _cells(line: str, wanted: int) -> list[str]:
    for sign in ("|", "\t", ";"):
        if sign in line:
            return [cell.strip() for cell in line.strip(sign + " ").split(sign)]
    if wanted > 1 and line.count(",") == wanted - 1:
        return [cell.strip() for cell in line.split(",")]
    words = line.split()
    if len(words) > 2 and fold(words[0]) in _SIZES and not re.search(r"[\d,;]", line):
        return words
    wide = re.split(r"\s{2,}", line)
    if len(wide) > 1:
        return wide
    if wanted > 1 and len(line.split()) == wanted:
        return line.split()
    return [cell.strip() for cell in re.split(r",(?!\d)|(?<!\d),", line)]


def _heading(cells: list[str], texts: Texts) -> str:
    """``measures`` where a line names measures, ``sizes`` where it names sizes for the lines below, else empty."""
    if len(cells) < 2:
        return ""
    named = [any(hits(fold(cell), words) for words in texts.measures.values()) for cell in cells[1:]]
    spans = [bool(re.search(r"\d\s*[-–]\s*\d|\d{2}", cell)) for cell in cells]
    if any(named) and not any(spans):
        return "measures"
    first = fold(cells[0])
    sizes = not first or first.split()[0] in _SIZES
    return "sizes" if sizes and all(_LABEL.match(cell) for cell in cells[1:]) else ""


def _headed(line: str, cells: list[str], head: list[str]) -> Row | None:
    if not head or len(cells) != len(head):
        return None
    spans = {name: span for name, cell in zip(head[1:], cells[1:], strict=True) if (span := _whole(cell, name))}
    return Row(cells[0], line, spans) if spans and len(cells[0]) <= 24 else None


def _led(line: str, cells: list[str]) -> Row | None:
    """A line that begins with its size and names its measures itself."""
    if len(cells) > 1 and _LABEL.match(cells[0]):
        label, rest = cells[0], ", ".join(cells[1:])
    else:
        found = _LEADING.match(line)
        if not found:
            return None
        label, rest = found[1], found[2]
    spans: dict[str, Span] = {}
    last = 0
    plain = unaccented(rest)
    for one in _SPAN.finditer(plain):
        name = rest[last : one.start()].strip(" ,;:.()") if len(plain) == len(rest) else plain[last : one.start()]
        spans.setdefault(name, _span(one, ""))
        last = one.end()
    return Row(label, line, spans) if spans else None


def _turned(head: list[str], lines: list[tuple[str, list[str]]]) -> list[Row]:
    rows = []
    for at in range(1, len(head)):
        spans = {cells[0]: span for _, cells in lines if (span := _whole(cells[at], cells[0]))}
        text = ", ".join([head[at], *(f"{cells[0]} {cells[at]}" for _, cells in lines)])
        if spans:
            rows.append(Row(head[at], text, spans))
    return rows


def _whole(cell: str, name: str) -> Span | None:
    found = _SPAN.search(unaccented(cell))
    return _span(found, unaccented(name)) if found else None


def _span(found: re.Match[str], name: str) -> Span:
    most, upto, low, unit, high, least, above, one, plus, last = found.groups()
    factor = _factor(last or unit or "", name)
    if most:
        return Span(None, _scaled(upto, factor))
    if low:
        return Span(_scaled(low, factor), _scaled(high, factor))
    if least or plus:
        return Span(_scaled(above or one, factor), None)
    return Span(_scaled(one, factor), _scaled(one, factor))


def _scaled(text: str, factor: Decimal) -> Decimal:
    return Decimal(text.replace(",", ".")) * factor


def _factor(unit: str, name: str) -> Decimal:
    said = unit or next(iter(re.findall(r"[(\[,]\s*(cm|mm|in|inch|inches|cal\w*|m|kg|lbs?)\s*[)\]]?$", name)), "")
    if said == "mm":
        return _MILLIMETRES
    if said == "m":
        return _METRES
    if said.startswith(("in", "cal", '"', "''")):
        return INCH
    return POUND if said.startswith("lb") else Decimal(1)


def column_for(measure: Measure, table: Table, taken: set[str], texts: Texts) -> str | None:
    """The column that a measure belongs to: the one named like it, else the only one it can be meant for."""
    free = [name for name in table.columns if name not in taken]
    if measure.kinds:
        named = [name for name in free if measure.kinds & kinds_of(name, table, texts)]
        return named[0] if named else None
    own = [name for name in free if not kinds_of(name, table, texts) and overlap(measure.beside.split(), name)]
    if own:
        return own[0]
    near = [name for name in free if _near(measure.value, [span for _, span in table.column(name)])]
    return near[0] if len(near) == 1 or (near and near[0] == table.columns[0]) else None


def kinds_of(name: str, table: Table, texts: Texts) -> set[str]:
    """What a column of a table measures, by its name; of a nameless one by its numbers."""
    folded = fold(name)
    found = {kind for kind, words in texts.measures.items() if hits(folded, words)}
    if "inseam" in found and found & {"foot", "shoe"}:
        found = {"inseam"} if _near(Decimal(80), [span for _, span in table.column(name)]) else found - {"inseam"}
    if not folded and _near(Decimal(170), [span for _, span in table.column(name)]):
        return {"height"}
    return found


def _near(value: Decimal, spans: list[Span]) -> bool:
    ends = [end for span in spans for end in (span.low, span.high) if end is not None]
    return bool(ends) and min(ends) * Decimal("0.85") <= value <= max(ends) * Decimal("1.15")
