"""One answer by a model: rounds of streaming with tools, through the gate, within deadlines and budgets."""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from chatbot.account import Account
from chatbot.release import Release
from chatbot.tools import TOOLS, Toolbox
from recovery import budgets, db
from recovery.llm import CHAT, Cause, ChatStream, Deadlines, Llm, LlmCut, LlmUnavailable, ModelProfile
from recovery.llm_errors import UNPAID
from recovery.llm_wire import CHARACTERS_PER_TOKEN, Message, Request, ToolCall, Usage

MOST_ROUNDS = 4
MAX_TOKENS = 1000
#: Characters of one answer that are read, all rounds together; twice what so many tokens hold. Then it is cut.
MOST_TEXT = 8_000
#: So many are read before other customers have their turn: a server may send any amount at once.
SLICE = 256
#: The port gives up first, so that its breaker hears of a model that is too slow.
GRACE = 0.2
_LAST_ROUND = Message("system", "Answer now from what you have; there is no further look-up.")

log = structlog.get_logger()

Piece = str | ToolCall
Reserve = Callable[[int], Awaitable[budgets.Reservation]]


@dataclass(frozen=True)
class Patience:
    """Until when the first text must be shown (on the loop's clock), and seconds between two texts."""

    first_until: float
    between: float
    total: float


class _Pump:
    """Takes pieces of a stream as they come, so that waiting for the next one can end without ending the stream."""

    def __init__(self, stream: ChatStream) -> None:
        self._pieces: asyncio.Queue[Piece | Exception | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._take(stream), name="model stream")

    async def _take(self, stream: ChatStream) -> None:
        try:
            async for piece in stream:
                self._pieces.put_nowait(piece)
        except (LlmUnavailable, LlmCut) as error:
            self._pieces.put_nowait(error)
        else:
            self._pieces.put_nowait(None)

    async def next(self, until: float) -> Piece | None:
        """The next piece, None at the end.

        Raises:
            TimeoutError: there is none yet.
            LlmUnavailable, LlmCut: what ended the stream.
        """
        if self._pieces.empty():
            async with asyncio.timeout_at(until):
                piece = await self._pieces.get()
        else:
            piece = self._pieces.get_nowait()
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def close(self) -> None:
        """Stop taking."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class ModelAnswer:
    """The answer to one question; ``shown`` tells whether the customer has seen any of it."""

    def __init__(
        self,
        llm: Llm,
        profile: ModelProfile,
        release: Release,
        tools: Toolbox,
        patience: Patience,
        reserve: Reserve,
        account: Account,
    ) -> None:
        self.shown = False
        self._llm = llm
        self._profile = profile
        self._release = release
        self._tools = tools
        self._patience = patience
        self._reserve = reserve
        self._account = account
        self._due = patience.first_until
        self._clock = asyncio.get_running_loop().time
        self._ends = self._clock() + patience.total
        self._calls: list[ToolCall] = []
        self._text_left = MOST_TEXT

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The text as it may be shown.

        Raises:
            LlmUnavailable, LlmCut, LlmRefusedBudget: there is no whole answer; ``shown`` says what to do.
        """
        asked = tuple(messages)
        for number in range(1, MOST_ROUNDS + 1):
            last = (_LAST_ROUND,) if number == MOST_ROUNDS else ()
            said = ""
            async with contextlib.aclosing(self._round(Request(asked + last, TOOLS, MAX_TOKENS))) as pieces:
                async for text, shown in pieces:
                    said += text
                    if shown:
                        self._moved()
                        yield shown
            if not self._calls:
                rest = self._release.end(whole=True)
                if rest:
                    self._moved()
                    yield rest
                return
            asked += (Message("assistant", said, tuple(self._calls)), *[await self._looked_up(c) for c in self._calls])
        raise LlmCut(Cause.BROKEN, f"it asked for tools {MOST_ROUNDS} times and did not answer")

    def _moved(self) -> None:
        self.shown = True
        self._due = self._clock() + self._patience.between

    async def _looked_up(self, call: ToolCall) -> Message:
        return Message("tool", await self._tools.answer(call), call_id=call.id)

    async def _round(self, request: Request) -> AsyncGenerator[tuple[str, str], None]:
        """One call: each piece of its text with what may be shown then; its tool calls are in ``_calls`` after it."""
        self._calls = []
        reservation = await self._reserve(request.estimate)
        stream: ChatStream | None = None
        usage: Usage | None = Usage(0, 0)
        try:
            async with self._llm.stream_chat(self._profile, request, self._deadlines()) as stream:
                usage = None
                async for said in self._paced(stream):
                    yield said
            if stream.finish == "length":
                raise LlmCut(Cause.BROKEN, "it reached the limit of its tokens")
        except LlmUnavailable as error:
            usage = Usage(0, 0) if error.cause in UNPAID else None
            raise
        finally:
            if stream is not None and stream.usage is not None:
                usage = stream.usage
            await self._settle(reservation, request, usage, stream)

    def _deadlines(self) -> Deadlines:
        left = max(0.05, self._due - self._clock())
        total = max(left, self._ends - self._clock())
        return Deadlines(min(CHAT.connect, left), left, min(CHAT.between, self._patience.between), total)

    async def _paced(self, stream: ChatStream) -> AsyncGenerator[tuple[str, str], None]:
        """Each piece with what may be shown, and what time alone releases."""
        pump = _Pump(stream)
        try:
            while True:
                patience = self._due + GRACE
                held_until = self._release.due_at()
                try:
                    piece = await pump.next(patience if held_until is None else min(patience, held_until))
                except TimeoutError:
                    yield "", self._released_by_time()
                    continue
                if piece is None:
                    return
                if isinstance(piece, ToolCall):
                    self._calls.append(piece)
                    continue
                for at in range(0, len(piece), SLICE):
                    part = piece[at : at + SLICE]
                    yield part, self._released(part)
                    await asyncio.sleep(0)
                    while self._release.behind:
                        yield "", self._released("")
                        await asyncio.sleep(0)
        finally:
            await pump.close()

    def _released(self, part: str) -> str:
        """What may be shown now that a further part has come."""
        self._text_left -= len(part)
        if self._text_left < 0:
            raise LlmCut(Cause.BROKEN, f"longer than {MOST_TEXT} characters")
        shown = self._release.push(part, self._clock())
        if not shown:
            self._check()
        return shown

    def _released_by_time(self) -> str:
        shown = self._release.late(self._clock())
        if not shown:
            self._check()
        return shown

    def _check(self) -> None:
        """The customer's own deadline, whatever the port thinks of the model."""
        if self._clock() >= self._due + GRACE:
            if self.shown:
                raise LlmCut(Cause.TOO_SLOW, "nothing more to show in time")
            raise LlmUnavailable(Cause.TOO_SLOW, "nothing to show in time")

    async def _settle(
        self, reservation: budgets.Reservation, request: Request, usage: Usage | None, stream: ChatStream | None
    ) -> None:
        """Count what the call used: as the server says, else all that was reserved."""
        text = len(stream.text) if stream is not None else 0
        counted = usage or Usage(request.estimate - request.max_tokens, math.ceil(text / CHARACTERS_PER_TOKEN))
        account = self._account
        if counted.total:
            account.input_tokens = (account.input_tokens or 0) + counted.input
            account.output_tokens = (account.output_tokens or 0) + counted.output
            cost = self._profile.cost(Usage(account.input_tokens, account.output_tokens))
            account.cost = None if cost is None else cost * 1_000_000
        try:
            await budgets.settle(reservation, None if usage is None else usage.total)
        except db.UNAVAILABLE as error:
            # What was reserved comes back by itself once its lease is over.
            log.warning("model.unsettled", error=type(error).__name__)
