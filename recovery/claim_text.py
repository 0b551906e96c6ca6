"""A text as the gate reads it: disguises undone (look-alikes, digits of any script, invisible marks), then tokens."""

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

#: Marks nobody sees, or that only decorate the letter before them.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u0300-\u036f\u0483-\u0489\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u2800\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0"
    "\U000e0000-\U000e01ef]+"
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
#: Pairs of a letter and the Latin one it is taken for: Cyrillic, Greek, small capitals, strokes.
_PAIRS = (
    "АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT УY ХX аa вb еe ѕs іi јj кk мm нh оo рp сc тt уy хx һh ԁd ԛq ԝw гr пn иu "
    "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX αa βb εe ιi κk νv οo ρp τt υu χx γy ωw σo μu Ωo "
    "ꜰf ʀr ᴀa ᴄc ᴅd ᴇe ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ʙb ɡg ɑa ɩi ıi ȷj "
    "łl ŁL øo ØO đd ĐD æe ÆE œe ŒE ßs ðd þp ƒf ŧt ħh"
)
_SIGNS = {
    **dict.fromkeys("‐‑‒–—―−﹣－⁓", "-"),
    **dict.fromkeys("“”„«»‟″＂", '"'),
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("⁄∕", "/"),
    **dict.fromkeys("。．｡", "."),
    **dict.fromkeys("٪﹪", "%"),
    "٫": ".",
    "٬": ",",
    "×": "x",
}
# Letters in boxes and on flags, which no normal form turns into letters.
_BOXED = {base + n: chr(65 + n) for base in (0x1F150, 0x1F170, 0x1F1E6) for n in range(26)}
_TABLE: dict[int, str] = {ord(pair[0]): pair[1] for pair in _PAIRS.split()}
_TABLE |= {ord(sign): plain for sign, plain in _SIGNS.items()} | _BOXED
_TOKEN = re.compile(
    r"(?P<number>\d+(?:[.,']\d+)*(?:[ \u00a0\u202f]\d{3}(?!\d))*(?:[.,]\d{1,2}(?!\d))?)"
    r"|(?P<word>[^\W\d_]+)|(?P<mark>\S)"
)


class Token(NamedTuple):
    """``kind``: n(umber), w(ord) or m(ark); ``glued``: nothing stands between it and the one before."""

    kind: str
    low: str
    raw: str
    start: int
    end: int
    glued: bool


def undisguised(text: str) -> str:
    """``text`` in plain letters and ASCII digits, its case kept; what no rule turns into those stays as it is."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", _UNSEEN.sub("", text.translate(_TABLE))).translate(_TABLE)
    return _NOT_ASCII.sub(_plain, _UNSEEN.sub("", text))


def _plain(match: re.Match[str]) -> str:
    char = match[0]
    if char.isspace():
        return "\n" if char in "\u2028\u2029\x85" else " "
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    value = unicodedata.numeric(char, None)
    if value is None or char.isalpha():
        return char
    return f" {value:g} "


def tokens(text: str) -> list[Token]:
    """The numbers, words and marks of an undisguised text."""
    found, end = [], -1
    for match in _TOKEN.finditer(text):
        raw = match[0]
        kind = str(match.lastgroup)[0]
        start, glued, end = match.start(), match.start() == end, match.end()
        found.append(Token(kind, raw.lower(), raw, start, end, glued))
    return found


def readings(number: str) -> set[Decimal]:
    """What a written number may mean: ``1.299`` is 1299 or 1.299."""
    digits = re.sub(r"[ \u00a0\u202f']", "", number)
    points = [char for char in digits if char in ".,"]
    whole = Decimal(re.sub(r"[.,]", "", digits))
    if not points:
        return {whole}
    last = max(digits.rfind("."), digits.rfind(","))
    after = len(digits) - last - 1
    decimal = whole.scaleb(-after)
    if len(points) > 1 and points[-1] in points[:-1]:
        return {whole}
    return {whole, decimal} if after == 3 and len(points) == 1 else {decimal}
