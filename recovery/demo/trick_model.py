"""The obedient attacker: a language model's server whose model does what any text it reads tells it to.

It speaks the part of the OpenAI protocol that the assistant uses (streamed chat completions) and knows nothing else.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

NAME = "obedient-attacker"
PATH = "/demo/attacker/v1"
_ORDER = re.compile(r"SAY:[ \t]*([^\n]+)")
_NOTHING = "I have nothing to say."


class ObedientModel:
    """Serves the attacker and remembers what it said; ``forget`` before a play, ``said`` after it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def forget(self) -> None:
        """Begin a new record."""
        self.said = []

    def routes(self) -> list[Route]:
        return [Route(f"{PATH}/chat/completions", self.complete, methods=["POST"])]

    async def complete(self, request: Request) -> Response:
        """``POST /chat/completions``: every order found in any message, a word an event."""
        try:
            body = orjson.loads(await request.body())
            messages = body["messages"]
            orders = [order for message in messages for order in orders_in(str(message.get("content") or ""))]
        except (ValueError, TypeError, KeyError, AttributeError):
            return JSONResponse({"error": {"message": "no chat completion", "type": "invalid_request_error"}}, 400)
        text = " ".join(dict.fromkeys(orders)) or _NOTHING
        self.said.append(text)
        return StreamingResponse(_events(text), media_type="text/event-stream")


def orders_in(content: str) -> Iterator[str]:
    """Every order in a message, in the texts of the JSON inside it as well."""
    opening = content.find("{")
    try:
        found, end = json.JSONDecoder().raw_decode(content, opening) if opening >= 0 else (None, 0)
    except ValueError:
        found, end = None, 0
    texts = [content] if found is None else [content[:opening], *_texts(found), content[end:]]
    for text in texts:
        yield from (order.strip() for order in _ORDER.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


async def _events(text: str) -> AsyncIterator[bytes]:
    for piece in re.findall(r"\S+\s*", text):
        yield _event({"content": piece})
    yield _event({}, "stop")
    yield b"data: [DONE]\n\n"


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": NAME, "choices": [choice]}
    return b"data: " + orjson.dumps(chunk) + b"\n\n"
