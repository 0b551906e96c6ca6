"""A real SMTP server that writes down every message it accepts and misbehaves per recipient as told.

It is the oracle for what was mailed: nothing here knows the code under test.
"""

import asyncio
import email
import email.policy
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from tests.server_thread import ServerThread

EVERYBODY = "*"
Stage = Literal["connect", "mail", "rcpt", "data", "after_dot", "drop_after_dot", "hang_after_dot"]


@dataclass(frozen=True)
class Received:
    """A message that was accepted: from now on it counts as mailed."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    at: float

    @property
    def message(self) -> EmailMessage:
        """The message parsed, with decoded headers."""
        return email.message_from_bytes(self.raw, policy=email.policy.SMTP)

    def text(self, subtype: Literal["plain", "html"] = "plain") -> str:
        """The decoded text or HTML part."""
        body = self.message.get_body((subtype,))
        if body is None:
            raise LookupError(f"no text/{subtype} part")
        content: str = body.get_content()
        return content.replace("\r\n", "\n")


@dataclass
class Answer:
    """What to do at one stage; ``times`` counts down, None is for ever."""

    stage: Stage
    code: int
    text: str
    accept: bool
    delay: float
    times: int | None


@dataclass
class SmtpSink:
    """The ledger and the script of a running sink; ``host`` and ``port`` say where it listens."""

    host: str = "127.0.0.1"
    port: int = 0
    messages: list[Received] = field(default_factory=list)
    refusals: list[tuple[Stage, str]] = field(default_factory=list)
    connections: int = 0
    _answers: dict[str, list[Answer]] = field(default_factory=dict)

    def answer(
        self,
        recipient: str,
        at: Stage,
        code: int = 451,
        text: str = "try again later",
        *,
        accept: bool = True,
        delay: float = 0,
        times: int | None = None,
    ) -> None:
        """Script one stage for a recipient, or for everybody with ``EVERYBODY``.

        Args:
            recipient: the address; at "connect" and "mail" none is known yet, so only ``EVERYBODY`` counts.
            at: the stage; "drop_after_dot" resets the connection and "hang_after_dot" never answers.
            code: the SMTP reply code; below 400 at "after_dot" accepts, as without a script.
            text: the text after the code.
            accept: whether a message that is dropped or hung on after the dot counts as accepted.
            delay: seconds to wait before acting.
            times: how often, then ordinary again.
        """
        if at in {"connect", "mail"} and recipient != EVERYBODY:
            raise ValueError(f"no recipient is known at {at} yet")
        self._answers.setdefault(recipient.lower(), []).append(Answer(at, code, text, accept, delay, times))

    def to(self, recipient: str) -> list[Received]:
        """The accepted messages of one recipient, oldest first."""
        return [each for each in self.messages if recipient.lower() in (to.lower() for to in each.recipients)]

    async def wait_for(self, count: int, seconds: float = 10) -> list[Received]:
        """Wait until at least ``count`` messages are accepted."""
        deadline = time.monotonic() + seconds
        while len(self.messages) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.messages)} of {count} messages after {seconds} s")
            await asyncio.sleep(0.01)
        return list(self.messages)

    def next_answer(self, recipients: list[str], *stages: Stage) -> Answer | None:
        """Take the scripted answer for the first of ``recipients`` that has one, else everybody's."""
        for recipient in [*recipients, EVERYBODY]:
            for answer in self._answers.get(recipient.lower(), []):
                if answer.stage in stages and answer.times != 0:
                    if answer.times is not None:
                        answer.times -= 1
                    return answer
        return None


class _Server(SMTP):
    """aiosmtpd's server with the script applied where its hooks do not reach."""

    def __init__(self, sink: SmtpSink, handler: object) -> None:
        super().__init__(handler, hostname="sink.test", enable_SMTPUTF8=True)
        self._sink = sink

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection, or reset it without sending what is still on its way."""
        if isinstance(self.transport, asyncio.WriteTransport):
            if reset:
                self.transport.abort()
            else:
                self.transport.close()

    async def _handle_client(self) -> None:
        self._sink.connections += 1
        answer = self._sink.next_answer([], "connect")
        if answer is None:
            await super()._handle_client()
            return
        await asyncio.sleep(answer.delay)
        self._sink.refusals.append(("connect", EVERYBODY))
        await self.push(f"{answer.code} {answer.text}")
        self.hang_up()

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        recipients = self.envelope.rcpt_tos if self.envelope else []
        answer = self._sink.next_answer(recipients, "data") if recipients else None
        if answer is None:
            await super().smtp_DATA(arg)
            return
        await asyncio.sleep(answer.delay)
        self._sink.refusals.append(("data", recipients[0]))
        await self.push(f"{answer.code} {answer.text}")


class _Handler:
    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._sink.next_answer([], "mail")
        if answer:
            return await self._refuse(answer, EVERYBODY)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._sink.next_answer([address], "rcpt")
        if answer:
            return await self._refuse(answer, address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: _Server, session: Session, envelope: Envelope) -> str:
        answer = self._sink.next_answer(envelope.rcpt_tos, "after_dot", "drop_after_dot", "hang_after_dot")
        if answer is None:
            self._accept(envelope)
            return "250 OK"
        if answer.stage == "after_dot":
            if answer.code >= 400:
                return await self._refuse(answer, envelope.rcpt_tos[0])
            self._accept(envelope)
            await asyncio.sleep(answer.delay)
            return f"{answer.code} {answer.text}"
        await asyncio.sleep(answer.delay)
        if answer.accept:
            self._accept(envelope)
        if answer.stage == "drop_after_dot":
            server.hang_up(reset=True)
        # Ends when the connection does.
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def _refuse(self, answer: Answer, recipient: str) -> str:
        await asyncio.sleep(answer.delay)
        self._sink.refusals.append((answer.stage, recipient))
        return f"{answer.code} {answer.text}"

    def _accept(self, envelope: Envelope) -> None:
        raw = bytes(envelope.original_content or b"")
        self._sink.messages.append(Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw, time.time()))


class SinkThread(ServerThread[SmtpSink]):
    """A sink in a thread of its own."""

    def __init__(self) -> None:
        super().__init__(SmtpSink(), "smtp-sink")

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        servers: list[_Server] = []

        def protocol() -> _Server:
            servers.append(_Server(self.server, _Handler(self.server)))
            return servers[-1]

        listener = await loop.create_server(protocol, self.server.host, 0)
        self.server.port = listener.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        listener.close()
        for server in servers:
            server.hang_up(reset=True)
        # Let connection_lost run, which cancels the handlers.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
