"""Releases a model's answer to the customer: whole sentences, made plain, and none with a claim that no fact backs.

Pure. Time is a parameter. What has been returned is shown and never taken back. A long sentence is released in parts
only while nothing in it could be a claim or the beginning of one.
"""

import re
from dataclasses import dataclass
from typing import Literal

from chatbot.context import Item
from chatbot.splitting import LIMIT, Splitter
from chatbot.texts import Texts
from recovery.claims import first_unbacked, inert
from recovery.cleaning import plain, suspicious
from recovery.facts import Facts

#: A sentence longer than this, or waiting for longer than that many seconds, is released in parts if it may be.
PART = 240
PATIENCE = 2.0
_PLACEHOLDER = re.compile(r"[ \t]?\[\[[ \t]*([^\[\]\n]{0,40}?)[ \t]*\]\]")
_KNOWN = re.compile(r"(?:p:(\d{1,4})|(cart)|(coupon))")
#: A placeholder, link or tag that may have begun.
_BEGUN = re.compile(r"[\[<&]")
#: So many sentences are read at once; a quotation without an end gives up hundreds.
_AT_ONCE = 16
#: How much of what is shown the next sentence is read with.
_TAIL = 240


@dataclass(frozen=True)
class Withheld:
    """A sentence that was not shown: the kind of its first unbacked claim and the words that claim it."""

    sentence: str
    kind: str
    claimed: str


@dataclass(frozen=True)
class Placeholder:
    """A place that our code fills: a product's card, the way to the cart, the coupon."""

    kind: Literal["product", "cart", "coupon"]
    item: Item | None = None


class Release:
    """The release of one turn's text; while it is ``behind``, an empty push goes on with what it has."""

    def __init__(self, facts: Facts, texts: Texts) -> None:
        self.withheld: list[Withheld] = []
        self.placeholders: list[Placeholder] = []
        self._facts = facts
        self._neutral = texts.say("withheld")
        self._waiting = Splitter()
        self._since: float | None = None
        self._held = False
        self._tail = ""
        self._gap = ""
        self._said_neutral = False
        self.behind = False

    def push(self, piece: str, at: float) -> str:
        """Take a piece of the model's text; what may be shown now."""
        if piece and self._since is None:
            self._since = at
        self._waiting.text += piece
        return self._release(at)

    def late(self, at: float) -> str:
        """What may be shown because time alone has passed."""
        due = self.due_at()
        if due is None or at < due:
            return ""
        return self._part(at)

    def due_at(self) -> float | None:
        """When ``late`` should be called; None when time alone releases nothing."""
        waits = self._since is not None and not self._held and self._waiting.last_space
        return self._since + PATIENCE if waits and self._since is not None else None

    def end(self, *, whole: bool) -> str:
        """The rest. Of an answer that was cut off, an unfinished sentence is shown only if it claims nothing."""
        shown = ""
        while self.behind:
            shown += self._release(0.0)
        rest = self._waiting.cut(len(self._waiting.text))
        self._since = None
        if not whole and not inert(plain(_PLACEHOLDER.sub("", rest))):
            return shown
        return shown + self._shown(rest)

    def _release(self, at: float) -> str:
        shown = ""
        self.behind = False
        for _ in range(_AT_ONCE):
            limit = LIMIT if self._held else PART
            end = self._waiting.sentence_end(limit)
            # One more than the limit: whether a sign goes on behind it must be known.
            if end is None and len(self._waiting.text) <= limit:
                return shown
            if end is not None:
                shown += self._taken(end + 1, at)
            elif self._held:
                shown += self._taken(self._waiting.forced_cut(), at)
            else:
                shown += self._part(at)
        self.behind = True
        return shown

    def _part(self, at: float) -> str:
        """The beginning of a sentence, up to its last blank, if it is harmless; else wait for the sentence's end."""
        upto = self._waiting.last_space
        head = self._waiting.text[:upto]
        if head and not self._waiting.in_quote and not _BEGUN.search(head) and inert(plain(head)):
            return self._taken(upto, at)
        self._held = True
        return ""

    def _taken(self, upto: int, at: float) -> str:
        shown = self._shown(self._waiting.cut(upto))
        self._held = False
        self._since = at if self._waiting.text else None
        return shown

    def _shown(self, raw: str) -> str:
        """What a customer sees of a part of the text that is complete."""
        without = _PLACEHOLDER.sub(self._fill, raw)
        sentence = plain(without)
        body = without.strip()
        if not sentence:
            self._gap += without if not body else ""
            return ""
        self._gap += without[: len(without) - len(without.lstrip())]
        fault = self._fault(sentence)
        if fault is not None:
            self.withheld.append(fault)
            if self._said_neutral:
                return ""
            sentence = self._neutral
        self._said_neutral = fault is not None
        said = (_gap(self._gap) if self._tail else "") + sentence
        self._gap = without[len(without.rstrip()) :]
        self._tail = (self._tail + said)[-_TAIL:]
        return said

    def _fill(self, match: re.Match[str]) -> str:
        known = _KNOWN.fullmatch(match[1])
        if known is None:
            return ""
        if known[2] or known[3]:
            self.placeholders.append(Placeholder("cart" if known[2] else "coupon"))
        elif (item := self._facts.placed(int(known[1]))) is not None:
            self.placeholders.append(Placeholder("product", item))
        return ""

    def _fault(self, sentence: str) -> Withheld | None:
        contact = self._facts.contact_url
        kind = suspicious(sentence, contact)
        if kind:
            return Withheld(sentence, kind, "")
        judged = sentence.replace(contact, "…") if contact else sentence
        claim = first_unbacked(judged, self._tail, self._facts)
        return Withheld(sentence, claim.kind, claim.said) if claim else None


def _gap(blanks: str) -> str:
    """The white space between two sentences: a paragraph, a line or a blank, or nothing inside a word."""
    lines = len(re.findall(r"\r\n?|[\n\u2028\u2029\x85]", blanks))
    return "\n" * min(lines, 2) or " " * bool(blanks)
