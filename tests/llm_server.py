"""An OpenAI-compatible server on a real socket: answers as scripted, breaks in every known way, records every request.

It knows nothing of the code under test. Without a script it plays the obedient attacker: it does whatever any text in
the prompt tells it to (``SAY: words``, ``CALL: tool {json}``, ``REVEAL``), wherever that text stands.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from tests.llm_obedience import fill, obey, schema_fault
from tests.server_thread import StreamServerThread

Fault = Literal[
    "hang",  # the request is read and nothing comes back
    "stall",  # silence after some pieces
    "comments",  # only keep-alive comments after some pieces
    "cut",  # the connection is reset
    "clean_cut",  # the stream ends as if it were whole, without a finish reason
    "short",  # the connection is closed inside the chunked body
    "bad_json",
    "bad_utf8",
    "error_event",
    "no_done",  # whole, but the connection is reset after the finish reason
]
KEY = "sk-canary-7f3a9c51e0b2d846-abcd"
MODEL = "model-a"


@dataclass(frozen=True)
class Reply:
    """One answer. ``pieces`` are streamed one event each; ``after`` says after how many of them ``fault`` strikes."""

    pieces: tuple[str, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    finish: str | None = None
    usage: bool = True
    fault: Fault | None = None
    after: int = 0
    pause: float = 0
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def says(text: str, **more: Any) -> Reply:
    """A streamed text, a word an event."""
    words = text.split(" ")
    return Reply(tuple(word if i == len(words) - 1 else f"{word} " for i, word in enumerate(words)), **more)


def refuses(status: int, code: str = "", message: str = "no", **headers: str) -> Reply:
    """An error as OpenAI words it."""
    error = {"message": message, "type": "error", "param": None, "code": code or None}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=orjson.dumps({"error": error}), headers=named)


HTML = Reply(headers={"content-type": "text/html"}, body=b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n")


@dataclass
class Asked:
    """A request as it arrived; ``hung_up`` is set when the client closed before the answer was whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        """The text of every message."""
        return [str(message.get("content")) for message in self.body.get("messages", [])]


@dataclass
class LlmServer:
    """The record and the script of a running server."""

    host: str = "127.0.0.1"
    port: int = 0
    key: str | None = KEY
    models: tuple[str, ...] = (MODEL,)
    #: Fields that this server refuses by name, as several do with those they do not know.
    unknown_fields: tuple[str, ...] = ()
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    behaviour: Callable[[Asked], Reply] = lambda asked: obedient(asked)
    _script: list[Reply] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """What a client is configured with."""
        return f"http://{self.host}:{self.port}/v1"

    def script(self, *replies: Reply) -> None:
        """Answer the next requests so, one each; then ``behaviour`` again."""
        self._script += replies

    def reply_to(self, asked: Asked) -> Reply:
        """The answer to one request, after what any real server checks."""
        if self.key is not None and asked.headers.get("authorization") != f"Bearer {self.key}":
            # Some servers repeat the key; this is one of them.
            return refuses(401, "invalid_api_key", f"Incorrect API key: {asked.headers.get('authorization')}")
        if asked.path == "/v1/models":
            listed = [{"id": model, "object": "model", "created": 0, "owned_by": "test"} for model in self.models]
            return Reply(body=orjson.dumps({"object": "list", "data": listed}))
        if asked.method != "POST" or asked.path != "/v1/chat/completions":
            return refuses(404, "", f"Invalid URL ({asked.method} {asked.path})")
        if asked.body.get("model") not in self.models:
            return refuses(404, "model_not_found", f"The model `{asked.body.get('model')}` does not exist")
        refused = [name for name in self.unknown_fields if name in asked.body]
        if refused:
            return refuses(422, "", f"Extra inputs are not permitted: {', '.join(refused)}")
        schema = asked.body.get("response_format", {}).get("json_schema", {})
        fault = schema_fault(schema.get("schema", {})) if schema.get("strict") else None
        if fault:
            return refuses(400, "invalid_request_error", f"Invalid schema for response_format: {fault}")
        return self._script.pop(0) if self._script else self.behaviour(asked)


def obedient(asked: Asked) -> Reply:
    """What a model says that believes every word it reads."""
    orders = obey(asked.body.get("messages", []))
    schema = asked.body.get("response_format", {}).get("json_schema", {}).get("schema")
    if schema is not None:
        return Reply((orjson.dumps(fill(schema, orders.text or "text")).decode(),))
    tools = {tool["function"]["name"] for tool in asked.body.get("tools", [])}
    answered = any(message["role"] == "tool" for message in asked.body["messages"])
    calls = tuple(call for call in orders.calls if call[0] in tools and not answered)
    return Reply(calls=calls) if calls else says(orders.text or "I have nothing to say.")


class LlmThread(StreamServerThread[LlmServer]):
    """An OpenAI-compatible server in a thread of its own."""

    def __init__(self) -> None:
        super().__init__(LlmServer(), "llm-server")

    def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Coroutine[Any, Any, None]:
        """Answer on one connection."""
        return _Connection(self.server, reader, writer).serve()


class _HungUp(Exception):
    """The client is gone."""


class _Reset(Exception):
    """The script wants the connection to be reset."""


class _Connection:
    """One connection, several requests."""

    def __init__(self, server: LlmServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._gone: asyncio.Task[bytes] | None = None

    async def serve(self) -> None:
        self._server.connections += 1
        try:
            while (asked := await self._read()) is not None:
                self._gone = asyncio.create_task(self._reader.read(1))
                try:
                    await self._answer(asked, self._server.reply_to(asked))
                except _HungUp:
                    asked.hung_up.set()
                    return
                self._gone.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._gone
        except _Reset:
            self._reset()
        except ConnectionError:
            pass
        finally:
            if self._gone is not None:
                self._gone.cancel()
                await asyncio.gather(self._gone, return_exceptions=True)
            self._writer.close()

    def _reset(self) -> None:
        """RST instead of FIN, and whatever was not sent is lost."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _read(self) -> Asked | None:
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        method, path, _ = first.split(" ")
        asked = Asked(method, path, headers, orjson.loads(body) if body else {})
        self._server.asked.append(asked)
        return asked

    async def _answer(self, asked: Asked, reply: Reply) -> None:
        if reply.fault == "hang":
            await self._wait(None)
        if reply.body is not None or reply.status != 200:
            await self._whole(reply.status, reply.body or b"", reply.headers)
        elif asked.body.get("stream"):
            await self._stream(asked, reply)
        else:
            await self._completion(asked, reply)

    async def _wait(self, seconds: float | None) -> None:
        """Wait, for ever with None, unless the client hangs up."""
        assert self._gone is not None
        done, _ = await asyncio.wait({self._gone}, timeout=seconds)
        if done:
            raise _HungUp

    async def _whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        told = {"content-type": "application/json", "content-length": str(len(body))} | dict(headers)
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        await self._send(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body)

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def _completion(self, asked: Asked, reply: Reply) -> None:
        message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
        if reply.calls:
            message["tool_calls"] = [_call(number, call) for number, call in enumerate(reply.calls)]
        choice = {"index": 0, "message": message, "finish_reason": _finish(reply), "logprobs": None}
        answer = _envelope(asked, "chat.completion") | {"choices": [choice]}
        if reply.usage:
            answer["usage"] = _usage(asked, reply)
        body = orjson.dumps(answer)
        if reply.fault == "bad_json":
            body = body[:-20]
        elif reply.fault == "bad_utf8":
            body = body.replace(b'"content":"', b'"content":"\xff')
        elif reply.fault == "cut":
            await self._send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{")
            await asyncio.sleep(0.05)
            raise _Reset
        await self._whole(200, body, reply.headers)

    async def _stream(self, asked: Asked, reply: Reply) -> None:
        await self._send(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        await self._event(_chunk(asked, {"role": "assistant", "content": ""}))
        for number, piece in enumerate(reply.pieces):
            if reply.fault is not None and reply.fault != "no_done" and number == reply.after:
                await self._break(reply.fault)
            await self._event(_chunk(asked, {"content": piece}))
            if reply.pause:
                await self._wait(reply.pause)
        for number, call in enumerate(reply.calls):
            # As real servers do: the name first, then the arguments in fragments.
            whole = _call(number, call)
            named = whole | {"index": number, "function": {"name": call[0], "arguments": ""}}
            await self._event(_chunk(asked, {"tool_calls": [named]}))
            for part in (call[1][:7], call[1][7:]):
                fragment = {"index": number, "function": {"arguments": part}}
                await self._event(_chunk(asked, {"tool_calls": [fragment]}))
        if reply.fault is not None and reply.fault != "no_done":
            await self._break(reply.fault)
        await self._event(_chunk(asked, {}, _finish(reply)))
        if reply.fault == "no_done":
            await self._break("cut")
        if reply.usage and asked.body.get("stream_options", {}).get("include_usage"):
            counted = _envelope(asked, "chat.completion.chunk") | {"choices": [], "usage": _usage(asked, reply)}
            await self._event(orjson.dumps(counted))
        await self._event(b"[DONE]")
        await self._send(b"0\r\n\r\n")

    async def _event(self, data: bytes) -> None:
        await self._raw(b"data: " + data + b"\n\n")

    async def _raw(self, data: bytes) -> None:
        await self._send(b"%x\r\n%b\r\n" % (len(data), data))

    async def _break(self, fault: Fault) -> None:
        if fault == "stall":
            await self._wait(None)
        while fault == "comments":
            await self._raw(b": keep-alive\n\n")
            await self._wait(0.05)
        if fault == "bad_json":
            await self._event(b'{"choices":[{"delta":{"content":"half')
        elif fault == "bad_utf8":
            await self._event(b'{"choices":[{"index":0,"delta":{"content":"\xc3\x28"}}]}')
        elif fault == "error_event":
            await self._event(b'{"error":{"message":"overloaded","type":"server_error","code":"overloaded"}}')
        elif fault == "clean_cut":
            await self._send(b"0\r\n\r\n")
        await asyncio.sleep(0.05)  # what was sent has arrived when the connection breaks
        if fault == "cut":
            raise _Reset
        raise ConnectionError("closed as scripted")


def _finish(reply: Reply) -> str:
    return reply.finish or ("tool_calls" if reply.calls else "stop")


def _call(number: int, call: tuple[str, str]) -> dict[str, Any]:
    return {"id": f"call-{number}", "type": "function", "function": {"name": call[0], "arguments": call[1]}}


def _envelope(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_760_000_000, "model": asked.body["model"]}


def _chunk(asked: Asked, delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return orjson.dumps(_envelope(asked, "chat.completion.chunk") | {"choices": [choice]})


def _usage(asked: Asked, reply: Reply) -> dict[str, int]:
    prompt = sum(map(len, asked.texts)) // 4 + 1
    answer = len(reply.pieces) + 5 * len(reply.calls)
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
