"""A client of the assistant's protocol for the tests; it keeps what it saw and checks each frame against the rules."""

import asyncio
import hashlib
import json
import socket
import uuid
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

Frame = dict[str, Any]


class Transcript:
    """What a client knows; it survives its sockets. ``texts`` holds answers by turn, ``finished`` their last words."""

    def __init__(self) -> None:
        self.seq = 0
        self.questions: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.episodes: dict[str, int] = {}
        self.finished: dict[str, Frame] = {}
        self.cards: dict[str, list[Frame]] = {}
        self.running: str | None = None

    def take(self, frame: Frame) -> None:
        """Apply a frame as a page would."""
        kind = frame["t"]
        if kind == "log":
            for item in frame["items"]:
                self.take(item)
        elif kind == "d":
            self._slice(frame)
        elif "seq" in frame and kind != "welcome":
            if kind == "ok" and frame["seq"] <= self.seq:
                return
            assert frame["seq"] == self.seq + 1, f"hole: had {self.seq}, got {frame}"
            self.seq = frame["seq"]
            self._durable(frame)

    def _slice(self, frame: Frame) -> None:
        assert self.running == frame["msg"], f"text of an answer that is not running: {frame}"
        if frame["ep"] != self.episodes[frame["msg"]]:
            assert frame["ep"] < self.episodes[frame["msg"]]
            return
        text = self.texts[frame["msg"]]
        assert frame["off"] <= len(text), f"a gap: had {len(text)}, got {frame}"
        self.texts[frame["msg"]] = text[: frame["off"]] + frame["x"]

    def _durable(self, frame: Frame) -> None:
        kind = frame["t"]
        if kind == "ok":
            assert frame["id"] not in self.questions, "one question twice"
            self.questions[frame["id"]] = frame["text"]
        elif kind == "start":
            self.running = frame["msg"]
            self.texts[frame["msg"]], self.episodes[frame["msg"]] = "", frame["ep"]
        elif kind == "cards":
            self.cards[frame["msg"]] = frame["items"]
        elif kind == "done":
            self._done(frame)

    def _done(self, frame: Frame) -> None:
        turn = frame["msg"]
        assert turn not in self.finished, "finished twice"
        text = frame.get("text", self.texts.get(turn, ""))[: frame["len"]]
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        assert (len(text), digest) == (frame["len"], frame["sha"]), f"text differs: {text!r} {frame}"
        self.texts[turn], self.finished[turn], self.running = text, frame, None

    def partial(self) -> Frame | None:
        """What to tell the server about an answer that is being written."""
        if self.running is None:
            return None
        return {"msg": self.running, "ep": self.episodes[self.running], "off": len(self.texts[self.running])}


class Client:
    """One socket; ``frames`` are all that came."""

    def __init__(
        self,
        base: str,
        transcript: Transcript | None = None,
        origin: str | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self.base = base
        self.seen = transcript or Transcript()
        self.frames: list[Frame] = []
        self._origin = origin or base
        self._receive_buffer = receive_buffer
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        address = urlsplit(self.base)
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if self._receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (address.hostname, address.port))
        self._socket = await connect(
            self.base.replace("http://", "ws://") + "/ws",
            subprotocols=[Subprotocol("cartback.v1")],
            origin=Origin(self._origin),
            compression=None,
            max_queue=None,
            sock=plain,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()

    @property
    def socket(self) -> ClientConnection:
        """The open socket."""
        assert self._socket is not None
        return self._socket

    async def send(self, **frame: Any) -> None:
        """Send a frame."""
        await self.socket.send(json.dumps(frame))

    async def hello(self, opened: Frame) -> Frame:
        """Say hello with what this client has already; the welcome."""
        partial = self.seen.partial()
        extra = {"partial": partial} if partial else {}
        await self.send(t="hello", session=opened["session"], conv=opened["conv"], last_seq=self.seen.seq, **extra)
        return await self.until("welcome")

    async def ask(self, text: str, id_: str | None = None) -> str:
        """Send a question; its id."""
        turn = id_ or str(uuid.uuid4())
        await self.send(t="msg", id=turn, text=text)
        return turn

    async def receive(self, seconds: float = 5) -> Frame:
        """The next frame, applied."""
        async with asyncio.timeout(seconds):
            frame: Frame = json.loads(await self.socket.recv())
        self.frames.append(frame)
        self.seen.take(frame)
        return frame

    async def until(self, kind: str, seconds: float = 5) -> Frame:
        """Receive up to the first frame of a kind."""
        async with asyncio.timeout(seconds):
            while (frame := await self.receive(seconds))["t"] != kind:
                pass
        return frame

    async def until_done(self, turn: str, seconds: float = 8) -> str:
        """Receive until an answer is complete; its text."""
        async with asyncio.timeout(seconds):
            while turn not in self.seen.finished:
                await self.receive(seconds)
        return self.seen.texts[turn]

    async def closed(self, seconds: float = 8) -> int:
        """Receive until the server closes; its code."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.receive(seconds)
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else 1006
