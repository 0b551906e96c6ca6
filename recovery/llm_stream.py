"""One call to a model while it runs: its deadlines, its report to the breaker, and the answer as it streams in."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from recovery.llm_errors import Cause, LlmCut, LlmUnavailable
from recovery.llm_wire import Finish, StreamReader, ToolCall, Usage

#: After the answer's end, how long to wait for the count of its tokens.
USAGE_GRACE = 2.0
DRAIN = 0.05

Fault = TypeVar("Fault", LlmUnavailable, LlmCut)


@dataclass(frozen=True)
class Deadlines:
    """Seconds: to connect; from the call to the first piece; between two pieces; for all of it."""

    connect: float
    first: float
    between: float
    total: float


class Report(Protocol):
    """Who wants to know how calls end."""

    def succeeded(self) -> None:
        """The model answered."""

    def failed(self, cause: Cause) -> None:
        """It did not, and why."""


class Call:
    """What one call knows of itself: how long it may wait, what may be thrown at it, where its end is reported."""

    def __init__(
        self,
        deadlines: Deadlines,
        report: Report,
        faults: tuple[type[Exception], ...],
        translate: Callable[[Exception], LlmUnavailable],
    ) -> None:
        self.faults = faults
        self.translate = translate
        self.report = report
        self.started_at = asyncio.get_running_loop().time()
        self._between = deadlines.between
        self._ends = self.started_at + deadlines.total
        self._next = min(self.started_at + deadlines.first, self._ends)
        self._left_at = 0.0

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return asyncio.get_running_loop().time() - self.started_at

    def patience(self) -> asyncio.Timeout:
        """Ends with TimeoutError when the next piece is overdue."""
        return asyncio.timeout_at(self._next)

    def handed_out(self) -> None:
        """The consumer has a piece; the time it takes is not the model's."""
        self._left_at = self.seconds

    def wanted(self) -> None:
        """The consumer is back for more."""
        self._next = min(self._next + self.seconds - self._left_at, self._ends)

    def moved(self) -> None:
        """The answer grew."""
        self._next = min(self.started_at + self.seconds + self._between, self._ends)

    def nearly_over(self) -> None:
        """The answer is whole; a little longer for the count of its tokens."""
        self._next = min(self._next, self.started_at + self.seconds + USAGE_GRACE)


class ChatStream:
    """One streamed answer: iterate over its pieces of text and whole tool calls, then look at how it ended.

    ``text`` is what has been handed out; ``finish`` is None until the answer is known to be whole (``length``: whole
    up to the limit it was given). Iterating raises ``LlmUnavailable`` when nothing came and ``LlmCut`` after that.
    """

    def __init__(self, call: Call, chunks: AsyncIterator[bytes]) -> None:
        self.text = ""
        self.first_after: float | None = None
        self._call = call
        self._chunks = chunks
        self._reader = StreamReader()
        self._ready: deque[str | ToolCall] = deque()
        self._error: LlmUnavailable | LlmCut | None = None
        self._over = False
        call.handed_out()

    @property
    def finish(self) -> Finish | None:
        """How the answer ended."""
        return self._reader.finish

    @property
    def usage(self) -> Usage | None:
        """The tokens as the server counted them; some never say."""
        return self._reader.usage

    def __aiter__(self) -> "ChatStream":
        return self

    async def __anext__(self) -> str | ToolCall:
        self._call.wanted()
        while not self._ready:
            if self._error is not None:
                error, self._error = self._error, None
                if isinstance(error, LlmCut):
                    error.partial = self.text
                raise error
            if self._over:
                raise StopAsyncIteration
            await self._read()
        piece = self._ready.popleft()
        if isinstance(piece, str):
            self.text += piece
        self._call.handed_out()
        return piece

    async def drain(self) -> None:
        """After a whole answer, read what is left of the response, or its connection could not be used again."""
        if self._over and self._whole and self._error is None:
            with contextlib.suppress(TimeoutError, *self._call.faults):
                async with asyncio.timeout(DRAIN):
                    async for _ in self._chunks:
                        pass

    async def _read(self) -> None:
        """Wait for the next bytes; whatever goes wrong is kept until the pieces before it are handed out."""
        size = self._reader.size
        try:
            async with self._call.patience():
                data = await anext(self._chunks, None)
            # At the end, what is left is a line too.
            for piece in self._reader.feed(b"\n" if data is None else data):
                self._ready.append(piece)
            if data is None or self._reader.done:
                self._end()
        except (LlmUnavailable, LlmCut) as error:
            self._stop(error)
        except TimeoutError:
            self._stop(LlmUnavailable(Cause.TOO_SLOW, "silence within the answer" if size else "no answer in time"))
        except self._call.faults as error:
            self._stop(self._call.translate(error))
        if self._reader.size > size:
            self.first_after = self._call.seconds if self.first_after is None else self.first_after
            self._call.moved()
        if self.finish is not None:
            self._call.nearly_over()

    def _end(self) -> None:
        """The server says that this is all."""
        if self.finish is None:
            raise LlmCut(Cause.BROKEN, "it ended without a finish reason")
        if not self._whole:
            raise LlmUnavailable(Cause.BROKEN, "an empty answer")
        self._over = True
        self._call.report.succeeded()

    @property
    def _whole(self) -> bool:
        return self.finish == "length" or (self.finish is not None and self._reader.size > 0)

    def _stop(self, error: LlmUnavailable | LlmCut) -> None:
        self._over = True
        if self._whole:  # only the count of its tokens is missing
            self._call.report.succeeded()
            return
        self._call.report.failed(error.cause)
        if self._reader.size and not isinstance(error, LlmCut):
            error = LlmCut(error.cause, error.detail, error.told)
        self._error = error
