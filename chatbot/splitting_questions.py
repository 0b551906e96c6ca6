"""Two questions in one message, told apart.

Pure.
"""

import re

from chatbot.texts import Texts
from chatbot.words import fold

LEAST_WORDS, MOST_PARTS = 2, 2


def questions_in(message: str, texts: Texts) -> list[str]:
    """The questions of a message, two at most; the message itself where it is one."""
    asks = "|".join(sorted(texts.keywords["asking"], key=len, reverse=True))
    joins = "|".join(texts.keywords["joining"])
    marked = re.sub(rf"[.,;]?\s+(?:{joins})\s+(?=(?:{asks})\b)", "\n", message, flags=re.IGNORECASE)
    opening = re.compile(rf"(?:{joins})\s+(?=(?:{asks})\b)", re.IGNORECASE)
    split = re.split(r"(?<=\?)\s+|\n+|(?<=[.!])\s+", marked)
    parts = [opening.sub("", part.strip(), count=1) if opening.match(part.strip()) else part.strip() for part in split]
    asking = re.compile(rf"(?:{asks})\b", re.IGNORECASE)
    found = [part for part in parts if len(fold(part).split()) >= LEAST_WORDS]
    # A sentence that asks nothing tells what the question needs: then the message is one.
    if not all(part.endswith("?") or asking.match(part) for part in found):
        return [message]
    return found[:MOST_PARTS] if len(found) > 1 else [message]
