"""How an answer came about: who gave it, how it ended, what it cost and what was held back of it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from chatbot.release import Withheld

LONGEST_DETAIL = 200
LONGEST_SENTENCE = 1000

#: How a source may say that its answer ended; what befalls an answer from outside is not its to say.
Ending = Literal["stop", "cut", "fallback"]


@dataclass
class Account:
    """A source that has more to tell than its text gives this out first, and keeps it true until its answer ends.

    Tokens are of all calls together, as the server counted them or, where it did not, as we estimate; ``cost`` is in
    millionths of the currency that the store's prices are in. ``fallback_cause`` is why the model did not answer.
    """

    answered_by: str
    ending: Ending = "stop"
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    fallback_cause: str | None = None
    fallback_detail: str | None = None
    withheld: list[Withheld] = field(default_factory=list)
    first_text_ms: int | None = None
    total_ms: int | None = None

    def failed(self, cause: str, detail: str) -> None:
        """Note why the model did not answer."""
        self.fallback_cause, self.fallback_detail = cause, detail[:LONGEST_DETAIL]
