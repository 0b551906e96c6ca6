"""Sources of answers for the tests: they say what they are told to, in slices that respect nothing."""

import asyncio
from collections.abc import AsyncGenerator

from chatbot.assistant import Piece, Source
from chatbot.turns import Claim

EMOJI = "Sure 👩‍🔧 the fitter says: „Zażółć gęślą jaźń” — 🇵🇱 fits ✅. "


def telling(text: str, *, pause: float = 0.01, size: int = 5, times: int = 1) -> Source:
    """A source that says ``text`` in slices of a few code points, in no regard to what they split."""
    whole = text * times

    async def say(_: Claim) -> AsyncGenerator[Piece, None]:
        for at in range(0, len(whole), size):
            yield whole[at : at + size]
            await asyncio.sleep(pause)

    return Source("test", say)


class Stalling:
    """A source that says something, then nothing until it is let go."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    def source(self) -> Source:
        """This, as the assistant takes it."""
        return Source("stalling", self._say)

    async def _say(self, _: Claim) -> AsyncGenerator[Piece, None]:
        yield "First words. "
        await self.go_on.wait()
        yield "Last words."
