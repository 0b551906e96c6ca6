"""A customer's talk with the assistant in the demo: its session over HTTP, its messages over the WebSocket."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin, Subprotocol

ANSWER_SECONDS = 20.0


class TalkFailed(Exception):
    """The assistant did not answer; the message says how."""


@dataclass(frozen=True)
class Talk:
    """What became of a talk: its conversation, and the last answer as the customer saw it."""

    conversation: str
    shown: str


async def talk(base_url: str, token: str, questions: Sequence[str]) -> Talk:
    """Open the assistant's link and ask, one question after the other.

    Raises:
        TalkFailed: there is no session, or no answer in time.
    """
    try:
        opened = await _session(base_url, token)
        address = base_url.replace("http", "ws", 1) + "/ws"
        protocols = [Subprotocol("cartback.v1")]
        # The service is on this machine; a proxy from the environment would only be in the way.
        async with connect(address, subprotocols=protocols, origin=Origin(base_url), proxy=None) as socket:
            hello = {"t": "hello", "session": opened["session"], "conv": opened["conv"], "last_seq": 0}
            await socket.send(orjson.dumps(hello).decode())
            shown = ""
            for question in questions:
                async with asyncio.timeout(ANSWER_SECONDS):
                    shown = await _ask(socket, question)
            return Talk(str(opened["conv"]), shown)
    except TimeoutError:
        raise TalkFailed("The assistant did not answer in time.") from None
    except (httpx2.HTTPError, WebSocketException, OSError, ValueError, KeyError) as error:
        raise TalkFailed(f"The assistant could not be talked to ({type(error).__name__}).") from error


async def _session(base_url: str, token: str) -> dict[str, object]:
    async with httpx2.AsyncClient(base_url=base_url, trust_env=False, timeout=10) as client:
        response = await client.post("/api/assistant/session", json={"token": token}, headers={"Origin": base_url})
        opened: dict[str, object] = response.raise_for_status().json()
        return opened


async def _ask(socket: ClientConnection, question: str) -> str:
    """Send a question and read to the end of its answer: slices at their offsets, as the assistant's page does."""
    message = str(uuid.uuid4())
    await socket.send(orjson.dumps({"t": "msg", "id": message, "text": question}).decode())
    text = ""
    while True:
        frame = orjson.loads(await socket.recv())
        if frame["t"] == "err":
            raise TalkFailed(f"The assistant refused the message ({frame.get('code')}).")
        # Several durable events may come in one frame.
        for event in frame["items"] if frame["t"] == "log" else [frame]:
            if event.get("msg") != message:
                continue
            if event["t"] == "start":
                text = ""
            elif event["t"] == "d":
                text = text[: event["off"]] + str(event["x"])
            elif event["t"] == "done":
                return str(event.get("text", text))[: event["len"]]
