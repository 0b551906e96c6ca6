"""The wire of OpenAI-compatible chat completions: requests as JSON, schemas, and event streams read line by line.

Lines are parsed by orjson from bytes, not turned into the client library's objects: those cost most of the CPU of a
streamed answer (measured: 83 against 16 microseconds a piece, HTTP included).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson
from pydantic import BaseModel

from recovery.llm_errors import Cause, LlmCut, LlmUnavailable, refusal
from recovery.text import without_forbidden

Finish = Literal["stop", "tool_calls", "length"]
FINISHES: tuple[Finish, ...] = ("stop", "tool_calls", "length")
CHARACTERS_PER_TOKEN = 3
LONGEST_LINE = 1 << 20
LONGEST_ANSWER = 200_000
MOST_CALLS = 16
MOST_TOKENS = 1 << 31
# Everything else is a limit that pydantic checks afterwards; several servers refuse schemas that name one.
_SCHEMA_WORDS = ("type", "enum", "const", "anyOf", "items", "$ref", "description")
_SSE_FIELDS = (b"event:", b"id:", b"retry:")


@dataclass(frozen=True)
class ToolCall:
    """What the model asks for; ``arguments`` is JSON as the model wrote it, to be validated."""

    id: str
    name: str
    arguments: str = field(repr=False)


@dataclass(frozen=True)
class Message:
    """One message of a prompt; ``call_id`` names the tool call that a ``tool`` message answers."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = field(repr=False)
    tool_calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None


@dataclass(frozen=True)
class Tool:
    """A function the model may ask for."""

    name: str
    description: str
    parameters: type[BaseModel]


@dataclass(frozen=True)
class Request:
    """What a model is asked: messages, tools, and how many tokens it may answer with."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 800

    @property
    def estimate(self) -> int:
        """The tokens to reserve: a third of the characters, rounded up, and the longest answer."""
        characters = len(orjson.dumps([wire_message(m) for m in self.messages]).decode())
        characters += len(orjson.dumps([_wire_tool(tool) for tool in self.tools]).decode()) if self.tools else 0
        return math.ceil(characters / CHARACTERS_PER_TOKEN) + self.max_tokens


@dataclass(frozen=True)
class Usage:
    """Tokens as the server counted them."""

    input: int
    output: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.input + self.output


@dataclass(frozen=True)
class Dialect:
    """What a server takes of the fields that not all of them know."""

    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    usage: bool = True
    store: bool = False

    def after(self, refused: LlmUnavailable) -> "Dialect | None":
        """The dialect to try when the server refuses a field by name; None when it is about something else."""
        if refused.cause is not Cause.REQUEST_REFUSED:
            return None
        if self.limit in refused.told:
            return replace(self, limit="max_completion_tokens" if self.limit == "max_tokens" else "max_tokens")
        if self.usage and "stream_options" in refused.told:
            return replace(self, usage=False)
        if self.store and "store" in refused.told:
            return replace(self, store=False)
        return None


def body(
    model: str, request: Request, dialect: Dialect, *, stream: bool, schema: type[BaseModel] | None = None
) -> dict[str, Any]:
    """The JSON body of one call."""
    made: dict[str, Any] = {"model": model, "messages": [wire_message(m) for m in request.messages], "stream": stream}
    made[dialect.limit] = request.max_tokens
    if stream and dialect.usage:
        made["stream_options"] = {"include_usage": True}
    if dialect.store:
        made["store"] = False
    if request.tools:
        made["tools"] = [_wire_tool(tool) for tool in request.tools]
    if schema is not None:
        named = {"name": schema.__name__, "schema": strict_schema(schema), "strict": True}
        made["response_format"] = {"type": "json_schema", "json_schema": named}
    return made


def wire_message(message: Message) -> dict[str, Any]:
    """A message as the wire has it."""
    made: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.tool_calls:
        made["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.call_id is not None:
        made["tool_call_id"] = message.call_id
    return made


def _wire_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": strict_schema(tool.parameters)}
    return {"type": "function", "function": function}


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of ``model`` in the subset that strict structured outputs take everywhere.

    Every field is required, no other is allowed, and limits of length and size are left out.
    """
    return _strict(model.model_json_schema())


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for word in _SCHEMA_WORDS:
        if word == "items" and word in schema:
            made[word] = _strict(schema[word])
        elif word == "anyOf" and word in schema:
            made[word] = [_strict(each) for each in schema[word]]
        elif word == "const" and word in schema:
            made["enum"] = [schema[word]]
        elif word in schema:
            made[word] = schema[word]
    if schema.get("type") == "object":
        made["properties"] = {name: _strict(each) for name, each in schema.get("properties", {}).items()}
        made["required"] = list(made["properties"])
        made["additionalProperties"] = False
    if "$ref" in made:  # no other word may stand beside it
        made = {"$ref": made["$ref"]}
    if "$defs" in schema:
        made["$defs"] = {name: _strict(each) for name, each in schema["$defs"].items()}
    return made


@dataclass
class _Draft:
    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class StreamReader:
    """Turns the bytes of an event stream into pieces of text and whole tool calls; knows how the answer ended.

    ``size`` counts the characters of both, half calls included.

    Raises ``LlmUnavailable`` for what is broken and ``LlmCut`` for an answer that ended improperly.
    """

    def __init__(self) -> None:
        self.finish: Finish | None = None
        self.usage: Usage | None = None
        self.done = False
        self.size = 0
        self._rest = b""
        self._drafts: dict[object, _Draft] = {}

    def feed(self, data: bytes) -> Iterator[str | ToolCall]:
        """The pieces that ``data`` completes, one by one, so that none is lost when a later one is broken."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise LlmUnavailable(Cause.BROKEN, "a line without an end")
        for line in lines:
            if not self.done and (payload := _payload(line)) is not None:
                if payload == b"[DONE]":
                    self.done = True
                else:
                    yield from self._chunk(_loads(payload))

    def _chunk(self, chunk: Any) -> Iterator[str | ToolCall]:
        if not isinstance(chunk, dict):
            raise LlmUnavailable(Cause.BROKEN, "an event that is no object")
        if chunk.get("error"):
            error = chunk["error"]
            code = error.get("code") if isinstance(error, dict) else None
            raise refusal(code if isinstance(code, int) and 400 <= code < 600 else 0, chunk)
        self.usage = usage_of(chunk) or self.usage
        choices = chunk.get("choices")
        if self.finish is not None or not isinstance(choices, list) or not choices:
            return
        choice = choices[0]
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict):
            raise LlmUnavailable(Cause.BROKEN, "a choice without a delta")
        text = text_of(delta.get("content"))
        if text:
            yield self._grown(text)
        for call in delta.get("tool_calls") or ():
            self._draft(call)
        yield from self._end(choice.get("finish_reason"))

    def _end(self, reason: object) -> Iterator[ToolCall]:
        if reason is None or reason == "":
            return
        self.finish = finish_of(reason)
        if self.finish == "length":  # the last call may be half a call
            return
        for draft in self._drafts.values():
            if not draft.name:
                raise LlmUnavailable(Cause.BROKEN, "a tool call without a name")
            yield ToolCall(draft.id, draft.name, "".join(draft.arguments))

    def _draft(self, call: Any) -> None:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise LlmUnavailable(Cause.BROKEN, "a tool call without a function")
        # Some servers send whole calls without an index; then each is a call of its own.
        index = call.get("index")
        key: object = index if isinstance(index, int) else ("whole", len(self._drafts))
        draft = self._drafts.setdefault(key, _Draft(f"call_{len(self._drafts) + 1}"))
        if len(self._drafts) > MOST_CALLS:
            raise LlmUnavailable(Cause.BROKEN, f"more than {MOST_CALLS} tool calls at once")
        draft.id = call["id"] if isinstance(call.get("id"), str) and call["id"] else draft.id
        draft.name = draft.name or self._grown(str(function.get("name") or ""))
        arguments = function.get("arguments") or ""
        text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        draft.arguments.append(self._grown(text))

    def _grown(self, text: str) -> str:
        self.size += len(text)
        if self.size > LONGEST_ANSWER:
            raise LlmCut(Cause.BROKEN, "an answer without an end")
        return text


def _payload(line: bytes) -> bytes | None:
    """The data of one line of an event stream; None for the lines that carry none."""
    line = line.rstrip(b"\r")
    if line.startswith(b"data:"):
        return line[5:].strip()
    if not line or line.startswith((b":", *_SSE_FIELDS)):
        return None
    raise LlmUnavailable(Cause.BROKEN, "not an event stream")


def _loads(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except ValueError:  # not JSON, or not UTF-8
        raise LlmUnavailable(Cause.BROKEN, "an event that is not JSON") from None


def usage_of(answer: Mapping[str, Any]) -> Usage | None:
    """The tokens an answer or event counts, if it does."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return None
    counts = [count for name in ("prompt_tokens", "completion_tokens") if isinstance(count := usage.get(name), int)]
    return Usage(*counts) if len(counts) == 2 and all(0 <= count < MOST_TOKENS for count in counts) else None


def finish_of(reason: object) -> Finish:
    """A finish reason that says that the answer is whole, or whole up to the limit it was given."""
    for known in FINISHES:
        if reason == known:
            return known
    if reason == "content_filter":
        raise LlmCut(Cause.FILTERED)
    raise LlmCut(Cause.BROKEN, "an unknown finish reason")


def text_of(content: object) -> str:
    """The text of a content field, which is a string or, with some servers, a list of parts."""
    if isinstance(content, list):
        parts: Sequence[Any] = content
        content = "".join(str(p.get("text", "")) for p in parts if isinstance(p, dict) and p.get("type") == "text")
    return without_forbidden(content) if isinstance(content, str) else ""


def cleaned(value: Any) -> Any:
    """``value`` with every string in it made safe to keep."""
    if isinstance(value, str):
        return without_forbidden(value)
    if isinstance(value, list):
        return [cleaned(each) for each in value]
    if isinstance(value, dict):
        return {name: cleaned(each) for name, each in value.items()}
    return value
