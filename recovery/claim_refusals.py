"""Which words of a sentence stand in a refusal (``I can't give discounts``) and so claim nothing."""

import re

from recovery.claim_reading import Reading

_REFUSAL = re.compile(
    r"\b(?:i|we) (?:can ' t|can t|cannot|can not|could not|couldn ' t|am not able to|are not able to|won ' t|will not|"
    r"do not|don ' t) (?:\w+ )?(?:give|offer|grant|promise|confirm|judge|apply|create|issue|arrange|see|find|know|have|"
    r"check|assess|decide|make|advise|say)\b[^,;:]*$"
    r"|\b(?:i|we) (?:know of|see|have|find) no\b[^,;:]*$|\bthere (?:is|are) no\b[^,;:]*$"
    r"|\bnie (?:moge|mam|znam|widze|wiem|daje|udzielam|potrafie|przyznaje|potwierdze|oceniam)\b(?: , czy\b)?[^,;:]*$"
)
_TURNS = frozenset("but however except unless yet instead already ale jednak chyba oprocz lecz natomiast".split())


def refused(read: Reading, at: int) -> bool:
    """Whether the sentence says that it will not or cannot say this."""
    words = read.words[read.start : at]
    rest = read.words[at:]
    if _TURNS & set(rest) or "currency" in read.here or any(n.first >= read.start for n in read.numbers):
        return False
    return _REFUSAL.search(" ".join(words)) is not None
