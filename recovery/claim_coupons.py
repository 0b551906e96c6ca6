"""What a sentence says of the cart's own coupon: the code, percent and end that are true are struck out before judging.

Pure. Whatever goes beyond the coupon's row (a second one, twice, for others, "only today") leaves it all unbacked.
"""

import re
from collections.abc import Iterable

from recovery.claim_text import undisguised
from recovery.goods import OwnCoupon

#: What stands in a sentence in place of a true code, and of a true percent or end.
CODE, TERM = "\ue001", "\ue002"
#: Beside one of these such words say nothing new.
_OF_IT = ("discount", "rabat", "znizk")
_ITS_NAMES = ("coupon", "kupon", "voucher")
_SPOKEN_OF = re.compile(r"\b(?:codes?|kod(?:u|em|zie)?|(?:coupon|kupon|voucher|discount|rabat|znizk)\w*)\b", re.I)
_BEYOND = re.compile(
    r"\b(?:another|extra|additional\w*|more|bigger|higher|larger|second|next|doubled?|twice|again|stack\w*|combin\w*|"
    r"every\w*|each|any\w*|always|friends?|family|cash|back|(?:whole|entire|all) (?:shop|store|range|products|orders)|"
    r"(?:two|three|four|several|many|\d+) times|today|tonight|tomorrow|soon|hurry|quick\w*|last|"
    r"dodatkow\w*|kolejn\w*|drug[aieo]\w*|wiecej|wieksz\w*|wyzsz\w*|podwoj\w*|dwukrotn\w*|wielokrotn\w*|ponown\w*|"
    r"kazd\w*|wszystk\w*|zawsze|lacz[yeo]\w*|znajom\w*|rodzin\w*|cal\w+ (?:sklep\w*|asortyment\w*|ofert\w*)|"
    r"(?:dwa|dwie|trzy|kilka|\d+) razy|dzis\w*|jutro|wkrotce|ostatni\w*|pospiesz\w*|szybk\w*)\b",
    re.I,
)


def without_coupon(sentence: str, before: str, codes: Iterable[str], coupon: OwnCoupon | None) -> str:
    """A sentence with what is true of the coupon, and codes that the cart holds, struck out."""
    text = sentence.replace(CODE, "").replace(TERM, "")
    if not codes:
        return text
    plain = undisguised(text)
    struck = plain
    for code in codes:
        struck = re.sub(rf"(?<![\w-]){re.escape(undisguised(code))}(?![\w-])", CODE, struck, flags=re.I)
    if coupon is not None and _SPOKEN_OF.search(f"{undisguised(before)} {plain}"):
        struck = re.sub(rf"(?<![\d.,–-]){coupon.percent} ?(?:%|percent\b|per cent\b|procent\b)", TERM, struck)
        struck = _end(coupon.until).sub(TERM, struck)
    return text if struck == plain or _BEYOND.search(struck) else struck


def goes_beyond(sentence: str) -> re.Match[str] | None:
    """What a sentence about a coupon says that no row of a coupon says."""
    return _BEYOND.search(sentence) if CODE in sentence or _SPOKEN_OF.search(sentence) else None


def told_of_coupon(word: str, sentence: str) -> bool:
    """Whether a word of discounts only names the coupon, of which the sentence says something true."""
    if word.startswith(_ITS_NAMES):
        return True
    return (CODE in sentence or TERM in sentence) and (word.startswith(_OF_IT) or word == "off")


def _end(until: str) -> re.Pattern[str]:
    """The ways to write the moment at which a coupon ends."""
    weekday, date, hour = undisguised(until).split(", ")
    day, month, year = date.split(" ")
    at, zone = re.escape(hour.partition(" ")[0]), re.escape(hour.partition(" ")[2])
    return re.compile(
        rf"(?:\b{re.escape(weekday[:4])}\w*,? (?:the )?)?"
        rf"(?:\b{day}(?:st|nd|rd|th)? (?:of )?{month}|\b{month} {day}(?:st|nd|rd|th)?)\b(?:,? {year}\b)?(?: r\.| roku)?"
        rf"(?:,?(?: at| o| do)?(?: godz\.| godziny| godzinie)? {at}\b(?: {zone}\b)?)?",
        re.I,
    )
