"""The one port to language models: any OpenAI-compatible server, within deadlines, with every fault in words.

Whoever calls reserves tokens first (``recovery.budgets``). Prompts, answers and keys are never logged. The client
library takes most of a second to import, so it is loaded with the first call, in a thread.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.request import getproxies

import httpx2
import orjson
from pydantic import BaseModel, ValidationError

from recovery import llm_wire as wire
from recovery.llm_breaker import Breaker
from recovery.llm_errors import Cause, LlmCut, LlmUnavailable, refusal
from recovery.llm_profile import ModelProfile, profile_of
from recovery.llm_stream import Call, ChatStream, Deadlines
from recovery.llm_wire import Dialect, Message, Request, Tool, ToolCall, Usage
from recovery.outgoing import AddressRefused, GuardedTransport, check_address

CHAT = Deadlines(connect=4, first=10, between=10, total=60)
BATCH = Deadlines(connect=5, first=45, between=20, total=60)
CHECK = Deadlines(connect=5, first=15, between=10, total=20)
MOST_CONNECTIONS = 1000
LONGEST_BODY = 4 << 20
LONGEST_RETRY_AFTER = 5.0
RETRY_PAUSE = 0.5
STALE = 0.5
#: What costs nothing and may pass; an answer that came and is no good has been paid for.
_WORTH_A_RETRY = frozenset({Cause.TOO_MANY, Cause.SERVER_FAILS, Cause.NOT_REACHABLE})
#: Causes that show that the model is alive.
_ALIVE = frozenset({Cause.REQUEST_REFUSED, Cause.FILTERED})
_PROBE = Request((Message("user", "Answer with the word yes."),), max_tokens=200)

__all__ = [
    "BATCH", "CHAT", "CHECK", "Cause", "ChatStream", "Checked", "Completed", "Deadlines", "Llm", "LlmCut",
    "LlmUnavailable", "Message", "ModelProfile", "Request", "Tool", "ToolCall", "Usage", "open_llm", "profile_of",
]  # fmt: skip

Value = TypeVar("Value", bound=BaseModel)


@dataclass(frozen=True)
class Completed(Generic[Value]):
    """A validated structured answer and its tokens, where the server counts them."""

    value: Value
    usage: Usage | None


@dataclass(frozen=True)
class Checked:
    """A model that answers: seconds to its first piece, and its tokens."""

    seconds: float
    usage: Usage | None


@dataclass(frozen=True)
class _Library:
    """The loaded client library, the connections it uses, and everything the two are known to throw."""

    create: Callable[[ModelProfile, dict[str, Any], httpx2.Timeout], AbstractAsyncContextManager[Any]]
    http: httpx2.AsyncClient
    faults: tuple[type[Exception], ...]


class _Guard:
    """Reports the ends of calls to a breaker."""

    def __init__(self, breaker: Breaker, now: Callable[[], float]) -> None:
        self._breaker = breaker
        self._now = now

    def succeeded(self) -> None:
        self._breaker.succeeded()

    def failed(self, cause: Cause) -> None:
        if cause in _ALIVE:
            self._breaker.succeeded()
        else:
            self._breaker.failed(self._now())


class Llm:
    """Every model that the assistant, or the sweeps, of this process talk to; made by ``open_llm``."""

    def __init__(self, now: Callable[[], float] = time.monotonic, *, private_hosts: bool = False) -> None:
        self._now = now
        self._private_hosts = private_hosts
        self._library: _Library | None = None
        self._loading = asyncio.Lock()
        self._breakers: dict[ModelProfile, Breaker] = {}
        self._dialects: dict[tuple[str, str], Dialect] = {}

    async def close(self) -> None:
        """Close the connections."""
        if self._library is not None:
            await self._library.http.aclose()

    @asynccontextmanager
    async def stream_chat(
        self, profile: ModelProfile, request: Request, deadlines: Deadlines = CHAT
    ) -> AsyncIterator[ChatStream]:
        """Ask, and iterate over the answer as it comes; leaving the block closes the connection. Never asks twice.

        Raises:
            LlmUnavailable: nothing usable came; also while iterating.
            LlmCut: while iterating, the answer broke off or ended improperly.
        """
        guard = self._guard(profile)
        async with self._asking(profile, request, deadlines, guard, None) as (call, chunks):
            stream = ChatStream(call, chunks)
            yield stream
            await stream.drain()

    async def complete_json(
        self,
        profile: ModelProfile,
        request: Request,
        schema: type[Value],
        deadlines: Deadlines = BATCH,
        *,
        retries: int = 1,
    ) -> Completed[Value]:
        """Ask for one answer in the form of ``schema``, whole and validated; asks again at most ``retries`` times.

        Raises:
            LlmUnavailable: no valid answer came in time.
            LlmCut: the answer was cut at the limit of tokens, or by a filter.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + deadlines.total
        while True:
            left = ends - loop.time()
            try:
                return await self._complete(profile, request, schema, replace(deadlines, total=left))
            except LlmUnavailable as error:
                pause = RETRY_PAUSE * random.uniform(1, 2) if error.retry_after is None else error.retry_after  # noqa: S311
                late = pause > LONGEST_RETRY_AFTER or loop.time() + pause >= ends
                if retries < 1 or late or error.cause not in _WORTH_A_RETRY:
                    raise
            retries -= 1
            await asyncio.sleep(pause)

    async def check(self, profile: ModelProfile, deadlines: Deadlines = CHECK) -> Checked:
        """Ask the model for a word, whatever its breaker says.

        Raises:
            LlmUnavailable: with the cause in words, and the server's own words in ``told``.
            LlmCut: it answers, but brokenly.
        """
        guard = _Guard(Breaker(), self._now)
        async with self._asking(profile, _PROBE, deadlines, guard, None) as (call, chunks):
            stream = ChatStream(call, chunks)
            async for _ in stream:
                pass
            return Checked(call.seconds if stream.first_after is None else stream.first_after, stream.usage)

    async def _complete(
        self, profile: ModelProfile, request: Request, schema: type[Value], deadlines: Deadlines
    ) -> Completed[Value]:
        guard = self._guard(profile)
        async with self._asking(profile, request, deadlines, guard, schema) as (call, chunks):
            try:
                async with call.patience():
                    body = await _whole(chunks)
                completed = _structured(body, schema)
            except TimeoutError:
                error: LlmUnavailable | LlmCut = LlmUnavailable(Cause.TOO_SLOW, "no whole answer in time")
            except (LlmUnavailable, LlmCut) as fault:
                error = fault
            except call.faults as fault:
                error = call.translate(fault)
            else:
                guard.succeeded()
                return completed
            guard.failed(error.cause)
            raise error

    @asynccontextmanager
    async def _asking(
        self,
        profile: ModelProfile,
        request: Request,
        deadlines: Deadlines,
        guard: _Guard,
        schema: type[BaseModel] | None,
    ) -> AsyncIterator[tuple[Call, AsyncIterator[bytes]]]:
        """One call whose answer has begun; its bytes are still to be read."""
        library = await self._loaded()
        try:
            await check_address(profile.base_url, private=self._private_hosts)
        except AddressRefused as error:
            raise LlmUnavailable(Cause.NOT_REACHABLE, str(error)) from None
        call = Call(deadlines, guard, library.faults, lambda error: _fault(error, profile))
        async with AsyncExitStack() as stack:
            response = await self._begun(stack, call, profile, request, deadlines, schema)
            # Closed before the response, so that nothing is left half read for the garbage collector.
            yield call, await stack.enter_async_context(aclosing(response.iter_bytes()))

    async def _begun(
        self,
        stack: AsyncExitStack,
        call: Call,
        profile: ModelProfile,
        request: Request,
        deadlines: Deadlines,
        schema: type[BaseModel] | None,
    ) -> Any:
        """The response, begun; a server that refuses a field by name is asked again without it."""
        library = await self._loaded()
        timeout = httpx2.Timeout(None, connect=deadlines.connect, pool=deadlines.connect)
        spoken = (profile.base_url, profile.model)
        dialect = self._dialects.get(spoken, profile.dialect)
        tried, stale = set[Dialect](), False
        while True:
            tried.add(dialect)
            body = wire.body(profile.model, request, dialect, stream=schema is None, schema=schema)
            try:
                async with call.patience():
                    response = await stack.enter_async_context(library.create(profile, body, timeout))
            except TimeoutError:
                error = LlmUnavailable(Cause.TOO_SLOW, "no answer in time")
            except library.faults as fault:
                # A server may close a kept connection in the moment in which it is used again.
                if isinstance(fault.__cause__, httpx2.RemoteProtocolError) and not stale and call.seconds < STALE:
                    stale = True
                    continue
                error = call.translate(fault)
            else:
                self._dialects[spoken] = dialect
                return response
            other = dialect.after(error)
            if other is None or other in tried:
                call.report.failed(error.cause)
                raise error
            dialect = other

    def _guard(self, profile: ModelProfile) -> _Guard:
        """The breaker of a model.

        Raises:
            LlmUnavailable: it has failed too often and is left alone for now.
        """
        breaker = self._breakers.setdefault(profile, Breaker())
        seconds = breaker.wait(self._now())
        if seconds > 0:
            raise LlmUnavailable(Cause.RESTING, f"tried again in {math.ceil(seconds)} s")
        return _Guard(breaker, self._now)

    async def _loaded(self) -> _Library:
        async with self._loading:
            if self._library is None:
                self._library = await asyncio.to_thread(_load, self._private_hosts)
        return self._library


@asynccontextmanager
async def open_llm(*, private_hosts: bool = False) -> AsyncIterator[Llm]:
    """The port, closed on the way out; ``private_hosts`` lets it ask models in private networks."""
    llm = Llm(private_hosts=private_hosts)
    try:
        yield llm
    finally:
        await llm.close()


def _load(private_hosts: bool) -> _Library:
    import openai

    limits = httpx2.Limits(max_connections=MOST_CONNECTIONS)
    # A proxy of the environment is what then connects, and guards its own network.
    guard = None if getproxies() else GuardedTransport(private=private_hosts, limits=limits)
    # No redirects: the key and the prompt go where the admin said and nowhere else.
    http = httpx2.AsyncClient(follow_redirects=False, limits=limits, transport=guard)

    def create(
        profile: ModelProfile, body: dict[str, Any], timeout: httpx2.Timeout
    ) -> AbstractAsyncContextManager[Any]:
        client = openai.AsyncOpenAI(
            api_key=profile.api_key or "none", base_url=profile.base_url, http_client=http, max_retries=0
        )
        # The library takes these from the environment, and would tell them to any server.
        client.organization = client.project = None
        headers = {} if profile.api_key else {"Authorization": openai.Omit()}
        begin: Callable[..., AbstractAsyncContextManager[Any]] = client.chat.completions.with_streaming_response.create
        return begin(**body, timeout=timeout, extra_headers=headers)

    faults = (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, AddressRefused)
    known = (*faults, OSError, ValueError)
    return _Library(create, http, known)


def _fault(error: Exception, profile: ModelProfile) -> LlmUnavailable:
    """What the client library threw, as one of ours and without the key."""
    response = getattr(error, "response", None)
    if isinstance(response, httpx2.Response):
        found = refusal(response.status_code, response.content, response.headers.get("retry-after"))
    else:
        found = _connection_fault(error.__cause__ if isinstance(error.__cause__, httpx2.HTTPError) else error)
    if profile.api_key:  # some servers repeat it
        found.told = found.told.replace(profile.api_key, "***")
    return found


def _connection_fault(error: BaseException) -> LlmUnavailable:
    name = type(error).__name__
    if isinstance(error, AddressRefused):
        return LlmUnavailable(Cause.NOT_REACHABLE, str(error))
    if isinstance(error, httpx2.PoolTimeout):
        return LlmUnavailable(Cause.TOO_SLOW, "all connections are in use")
    if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)):
        return LlmUnavailable(Cause.NOT_REACHABLE, f"no connection ({name})", str(error))
    if isinstance(error, (httpx2.UnsupportedProtocol, httpx2.InvalidURL)):
        return LlmUnavailable(Cause.NOT_REACHABLE, f"no usable address ({name})", str(error))
    return LlmUnavailable(Cause.BROKEN, f"the connection broke ({name})")


async def _whole(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > LONGEST_BODY:
            raise LlmUnavailable(Cause.BROKEN, "an answer without an end")
    return bytes(body)


def _structured(body: bytes, schema: type[Value]) -> Completed[Value]:
    """The validated value in a whole answer; what the model wrote is in no error."""
    try:
        answer = orjson.loads(body)
        choice = answer["choices"][0]
        reason, message = choice["finish_reason"], choice["message"]
        usage, text = wire.usage_of(answer), wire.text_of(message.get("content"))
    except (ValueError, TypeError, LookupError, AttributeError):
        if isinstance(told := _error_of(body), LlmUnavailable):
            raise told from None
        raise LlmUnavailable(Cause.BROKEN, "not the JSON of an answer") from None
    if message.get("refusal"):
        raise LlmCut(Cause.FILTERED, "the model refuses")
    finish = wire.finish_of(reason)
    if finish != "stop":
        raise LlmCut(Cause.BROKEN, f"it ended with {finish}")
    try:
        return Completed(schema.model_validate_json(orjson.dumps(wire.cleaned(orjson.loads(text)))), usage)
    except (ValidationError, ValueError):
        raise LlmUnavailable(Cause.BROKEN, f"not the JSON of {schema.__name__}") from None


def _error_of(body: bytes) -> LlmUnavailable | None:
    """An error that a server sends with status 200."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        return None
    return refusal(0, answer) if isinstance(answer, dict) and answer.get("error") else None
