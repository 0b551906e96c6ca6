"""The WebSocket endpoint: one reader that never waits for an answer and one writer that never sends past a hole."""

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from chatbot import events, turns
from chatbot.chat import Chat
from chatbot.conversations import ConversationGone, ConversationOver, find_open, touch
from chatbot.counters import client_address
from chatbot.inbox import Request, act
from chatbot.replay import Cursor
from recovery import db
from recovery.errors import LinkRefused
from recovery.tokens import MAX_LIFE_SECONDS, read_session, sign_session

#: Fleeting frames (errors, pongs) that may wait for a slow client.
MAX_WAITING = 64

log = structlog.get_logger()


class Closing(Exception):
    """The socket is at its end; ``code`` is what the client is told, None when it can't hear any more."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


async def endpoint(websocket: WebSocket) -> None:
    """``/ws``: refuse foreign origins and other protocols before accepting, then serve until either side leaves."""
    chat: Chat = websocket.state.chat
    offered = websocket.scope["subprotocols"]
    if websocket.headers.get("origin") != chat.origin or events.SUBPROTOCOL not in offered:
        await websocket.close()
        return
    limits = chat.limits
    name = f"address:{client_address(websocket, chat.runtime.settings)}"
    async with chat.counters.place(name, limits.sockets_per_address, attempts=limits.handshakes_per_minute) as admitted:
        await websocket.accept(subprotocol=events.SUBPROTOCOL)
        if admitted:
            await Socket(chat, websocket).serve()
        else:
            await websocket.close(events.CLOSE_TOO_MANY)


class Socket:
    """One client. The reader takes its frames, the writer sends what its cursor says is due."""

    def __init__(self, chat: Chat, websocket: WebSocket) -> None:
        self._chat = chat
        self._limits = chat.limits
        self._websocket = websocket
        self._conversation: uuid.UUID | None = None
        self._place = ""
        self._session_until = chat.runtime.now()
        self._cursor: Cursor | None = None
        self._early: deque[events.Inbound] = deque()
        self._waiting: deque[dict[str, Any]] = deque()
        self._woken = asyncio.Event()
        self._ending: int | None = None
        self._heard_at = time.monotonic()
        self._bad_frames = 0
        self._frames_left = float(chat.limits.frame_burst)
        self._frame_at = time.monotonic()

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    def end(self, code: int) -> None:
        """Close with ``code`` as soon as the frame under way is out."""
        self._ending = code
        self.wake()

    async def serve(self) -> None:
        """Read and write until either side leaves."""
        code: int | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(tasks), name="socket reader")
                tasks.create_task(self._write(), name="socket writer")
        except* WebSocketDisconnect:
            pass
        except* Closing as group:
            code = next((found.code for found in group.exceptions if isinstance(found, Closing)), None)
        finally:
            if self._conversation is not None:
                await self._chat.counters.release(f"conversation:{self._conversation}", self._place)
                await self._chat.rooms.leave(self._conversation, self, self._chat.fanout)
        log.info("socket.closed", conversation=str(self._conversation), code=code)
        if code is not None:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                async with asyncio.timeout(self._limits.send_seconds):
                    await self._websocket.close(code)

    # Reading

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        try:
            async with asyncio.timeout(self._limits.hello_seconds):
                while not isinstance(frame := await self._receive(), events.Hello):
                    self._keep(frame)
        except TimeoutError as error:
            raise Closing(events.CLOSE_IDLE) from error
        entering = tasks.create_task(self._enter(frame), name="socket entering")
        while True:
            another = await self._receive()
            if self._cursor is None:
                self._keep(another)
            else:
                await entering
                await self._take(another)

    def _keep(self, frame: events.Inbound) -> None:
        """A frame before the welcome waits for it."""
        if len(self._early) >= self._limits.frames_before_welcome:
            raise Closing(events.CLOSE_BAD_MESSAGE)
        self._early.append(frame)

    async def _enter(self, hello: events.Hello) -> None:
        await self._guarded(self._join(hello), None)
        if self._cursor is None:
            raise Closing(events.CLOSE_OVERLOADED)
        while self._early:
            await self._take(self._early.popleft())

    async def _receive(self) -> events.Inbound:
        """The next frame that is one; the others are answered by ``err``."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            self._count_frame()
            try:
                return events.parse(message.get("text") or "")
            except events.BadFrame as error:
                self._say(events.err(error.code, error.ref))
                self._bad_frames += error.code == "bad_message"
                if self._bad_frames >= self._limits.bad_frames:
                    raise Closing(events.CLOSE_BAD_MESSAGE) from error

    def _count_frame(self) -> None:
        now = time.monotonic()
        earned = (now - self._frame_at) * self._limits.frames_per_second
        self._frames_left = min(float(self._limits.frame_burst), self._frames_left + earned) - 1
        self._frame_at = now
        if self._frames_left < 0:
            raise Closing(events.CLOSE_RATE)

    async def _join(self, hello: events.Hello) -> None:
        now = self._chat.runtime.now()
        try:
            claims = read_session(self._chat.runtime.keys, hello.session, now)
        except LinkRefused as error:
            code = events.CLOSE_SESSION_OVER if error.cause == "expired" else events.CLOSE_FORBIDDEN
            raise Closing(code) from error
        if claims.conversation != str(hello.conv):
            raise Closing(events.CLOSE_FORBIDDEN)
        conversation = await find_open(hello.conv, now)
        place = await self._chat.counters.hold(f"conversation:{hello.conv}", self._limits.sockets_per_conversation)
        if place is None:
            raise Closing(events.CLOSE_TOO_MANY)
        self._conversation, self._place = hello.conv, place
        self._session_until = datetime.fromtimestamp(claims.expires_at, now.tzinfo)
        await touch([str(hello.conv)])
        room = await self._chat.rooms.enter(hello.conv, self, self._chat.fanout)
        cursor = Cursor(room, hello.last_seq, hello.partial)
        welcome = {
            "t": "welcome",
            "conv": str(hello.conv),
            "seq": room.seq,
            "resumed": cursor.resumed or hello.last_seq == 0,
            "limits": self._chat.client_limits(),
            "disclosure": (await self._chat.texts_for(conversation.store)).disclosure(conversation.store.name),
        }
        self._say(welcome)
        self._cursor = cursor
        log.info("socket.joined", conversation=str(hello.conv), seq=room.seq, last_seq=hello.last_seq)

    async def _take(self, frame: events.Inbound) -> None:
        if isinstance(frame, events.Ping):
            self._say({"t": "pong", "n": frame.n})
        elif isinstance(frame, events.Bye):
            raise Closing(events.CLOSE_BYE)
        elif isinstance(frame, events.Hello):
            self._say(events.err("bad_message"))
        else:
            self._heard_at = time.monotonic()
            if self._chat.runtime.now() >= self._session_until:
                raise Closing(events.CLOSE_SESSION_OVER)
            assert self._conversation is not None
            await self._guarded(self._act(self._conversation, frame), frame.ref)

    async def _act(self, conversation: uuid.UUID, frame: Request) -> None:
        answer = await act(self._chat, conversation, frame)
        if answer is not None:
            self._say(answer)

    async def _guarded(self, doing: Coroutine[Any, Any, None], ref: str | None) -> None:
        """Do what a frame asks, within a time that keeps the reader reading; what fails is told to the client."""
        try:
            async with asyncio.timeout(self._limits.database_seconds):
                await doing
        except turns.TurnRefused as error:
            self._say(events.err(error.code, ref, retry=error.code in {"busy", "rate"}, after_ms=error.after_ms))
        except ConversationGone as error:
            raise Closing(events.CLOSE_GONE) from error
        except ConversationOver as error:
            raise Closing(events.CLOSE_SESSION_OVER) from error
        except db.UNAVAILABLE as error:
            log.warning("socket.database_away", error=type(error).__name__)
            self._say(events.err("unavailable", ref, retry=True, after_ms=2000))

    # Writing

    def _say(self, frame: dict[str, Any]) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise Closing(events.CLOSE_RATE)
        self._waiting.append(frame)
        self.wake()

    async def _write(self) -> None:
        while True:
            self._woken.clear()
            frame = await self._due()
            if frame is not None:
                await self._send(frame)
                continue
            if self._ending is not None:
                raise Closing(self._ending)
            self._renew()
            await self._woken.wait()

    async def _due(self) -> dict[str, Any] | None:
        if self._waiting:
            return self._waiting.popleft()
        if self._cursor is None or self._ending is not None:
            return None
        try:
            return await self._cursor.next()
        except ConversationGone as error:
            raise Closing(events.CLOSE_GONE) from error
        except db.UNAVAILABLE as error:
            # The watch wakes this socket again within seconds.
            log.warning("socket.unread", error=type(error).__name__)
            return None

    async def _send(self, frame: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._websocket.send_text(events.write(frame))
        except TimeoutError as error:
            # It reads nothing, so it would not read a close frame either; the listener's TCP_USER_TIMEOUT frees it.
            raise Closing(None) from error

    def _renew(self) -> None:
        """Woken every few seconds by the watch: keep the session fresh, end an idle or outdated one."""
        if self._cursor is None:
            return
        now = self._chat.runtime.now()
        left = (self._session_until - now).total_seconds()
        if left <= 0:
            raise Closing(events.CLOSE_SESSION_OVER)
        if time.monotonic() - self._heard_at > self._limits.idle_seconds:
            raise Closing(events.CLOSE_IDLE)
        if left < self._limits.renew_seconds:
            self._session_until = now + timedelta(seconds=MAX_LIFE_SECONDS["ws"])
            self._say({"t": "renew", "session": sign_session(self._chat.runtime.keys, str(self._conversation), now)})
