"""The built-in assistant as a source of answers: reads the rows, answers, and says it piece by piece."""

import asyncio
import re
from collections.abc import AsyncGenerator

from chatbot.answers import answer
from chatbot.assistant import Cards, Piece, Source
from chatbot.knowledge import read_knowledge
from chatbot.limits import Limits
from chatbot.shelf import Shelves
from chatbot.texts import AllTexts
from chatbot.turns import Claim
from recovery.clock import Clock

NAME = "built-in"
WORDS_A_PIECE = 3


def builtin_source(texts: AllTexts, limits: Limits, shelves: Shelves, clock: Clock) -> Source:
    """Answers without a model."""

    async def say(right: Claim) -> AsyncGenerator[Piece, None]:
        known = await read_knowledge(right.conversation, right.question, shelves, clock.now())
        found = answer(right.question, known, texts.of(known.language, formal=known.formal))
        if found.cards:
            yield Cards(found.cards)
        parts = pieces(found.text)
        pause = min(limits.piece_seconds, limits.stream_seconds / len(parts))
        for part in parts:
            yield part
            await asyncio.sleep(pause)

    return Source(NAME, say)


def pieces(text: str) -> list[str]:
    """A text in slices of a few words; joined they are the text."""
    words = re.findall(r"\S+\s*|\s+", text)
    return ["".join(words[at : at + WORDS_A_PIECE]) for at in range(0, len(words), WORDS_A_PIECE)] or [text]
