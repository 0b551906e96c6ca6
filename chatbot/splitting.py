"""Where a growing text may be cut: at the ends of its sentences, or between words of a long one."""

import re

#: A sentence without an end is cut here.
LIMIT = 4_096
#: A quotation that is longer than this is none.
LONGEST_QUOTE = 600
_EVENTS = re.compile(r"[\s\"“”„«»]")
_ENDS = ".!?…。！？"
_CLOSING = "\"”“»')]"
_PARTNERS = {"„": "”“", "“": '”"', "«": "»", '"': '"'}
_ABBREVIATIONS = frozenset(
    "np ok szt e.g i.e approx ca nr tzn tj itp itd m.in ul max min incl vs etc dr mr mrs ms st godz gr tel wg pkt rozm "
    "str inc co al nos fig wlk tys mln pt poz op".split()
)
# Joiners, selectors and skin tones: they belong to the sign before them.
_CONTINUES = "\u200d\ufe0f\u20e3\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_LAST_WORD = re.compile(r"([^\W\d_](?:[\w.]*\w)?)\.$")
_MARKER = re.compile(r"[\s\-•*>#]*\d{1,2}\.$")


class Splitter:
    """The text that has not been cut off yet, scanned once; where it is cut depends on the text alone."""

    def __init__(self) -> None:
        self.text = ""
        self.last_space = 0
        self._scanned = 0
        self._quote: tuple[str, int] | None = None
        self._no_quotes_before = 0

    @property
    def in_quote(self) -> bool:
        """Whether a quotation has begun and not ended."""
        return self._quote is not None

    def sentence_end(self, before: int) -> int | None:
        """Where the first sentence ends, looking no further than ``before`` characters."""
        while True:
            match = _EVENTS.search(self.text, self._scanned, before)
            if match is None:
                self._scanned = max(self._scanned, min(before, len(self.text)))
                return None
            at = match.start()
            self._scanned = at + 1
            if self._given_up(at):
                continue
            if match[0] in '"“”„«»':
                self._turn(match[0], at)
            elif self._quote is None:
                if self._ends_at(at):
                    return at
                self.last_space = at

    def _given_up(self, at: int) -> bool:
        """Whether an open quotation is too long to be one: then the text is scanned anew without it."""
        if self._quote is None or at - self._quote[1] <= LONGEST_QUOTE:
            return False
        self._scanned = self._quote[1]
        self._no_quotes_before, self._quote = at, None
        return True

    def _turn(self, sign: str, at: int) -> None:
        if at < self._no_quotes_before:
            return
        if self._quote is not None:
            if sign in _PARTNERS[self._quote[0]]:
                self._quote = None
        elif sign in _PARTNERS:
            self._quote = (sign, at)

    def _ends_at(self, at: int) -> bool:
        if self.text[at] in "\n\r\u2028\u2029\x85":
            return True
        last = at
        while last and self.text[last - 1] in _CLOSING:
            last -= 1
        if not last or self.text[last - 1] not in _ENDS:
            return False
        head = self.text[max(0, last - 24) : last]
        word = _LAST_WORD.search(head)
        if word is not None and word[1].lower() in _ABBREVIATIONS:
            return False
        return last > 24 or _MARKER.fullmatch(head) is None

    def cut(self, at: int) -> str:
        """Take the text before a place away."""
        taken, self.text = self.text[:at], self.text[at:]
        self._scanned = max(0, self._scanned - at)
        self._no_quotes_before = max(0, self._no_quotes_before - at)
        self.last_space = 0
        self._quote = None
        return taken

    def forced_cut(self) -> int:
        """Where to cut a text without an end: between words, or at least not inside what is one sign to a reader."""
        if self.last_space:
            return self.last_space
        at = LIMIT
        while at > LIMIT - 32 and (self.text[at - 1] == "\u200d" or self.text[at] in _CONTINUES):
            at -= 1
        return at
