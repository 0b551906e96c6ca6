"""Every WebSocket message of protocol ``cartback.v1``, in and out: shape, meaning, parsing and writing.

One JSON object per text frame, ``t`` is its type. Frames are at most 16 KiB. The socket is authenticated by its first
frame (``hello``, within 5 s), never by its URL or a cookie. A turn is a question and its answer; on the wire both are
named by the id that the client gave the question, so ``turn`` and ``msg`` hold the same UUID.

From the client
    hello   {session, conv, last_seq, partial?: {msg, ep, off}}   who, and what the client has already
    msg     {id: UUID, text}              a question of at most 1,200 code points; sent again, same id, until ``ok``
    cancel  {turn}                        stop the answer; what was written stays (a lost connection does not stop it)
    retry   {turn}                        ask the question of a finished turn once more, at most once per turn
    vote    {msg, v: -1 | 0 | 1}          what the customer thinks of an answer
    person  {id: UUID, address?}          a person please; no ``address``: answer to the cart's own
    take    {id: UUID, line, product}     put variant ``product`` in place of the line with product id ``line``
    ping    {n}                           answered by ``pong``
    bye     {}                            leaving; the server closes with 1000

From the server, durable: kept in the database, numbered by ``seq`` without a hole, sent strictly in that order
    ok      {seq, id, turn, text, at, retry_of?}   the question is stored; it may repeat, with the ``seq`` it had
    start   {seq, turn, msg, ep}          an answer begins from nothing; ``ep`` counts who produces it, a later one wins
    cards   {seq, msg, items}             products beside the answer: {id, name, price, image, url, why, in_stock}
    done    {seq, msg, ep, len, sha, finish, text?}   the answer is complete; ``text`` comes where no ``d`` could
    vote    {seq, msg, v}                 somebody voted
    state   {seq, ordered, coupon}        the cart has become an order (true), or none again (false); its coupon that
                                          works now, {code, percent, expires_at}, or null
    person  {seq, id, address, at}        the shop was asked to answer; ``address`` is masked
    cart    {seq, id?, lines, total}      the cart to restore as it stands now; ``id`` is that of the ``take`` behind
                                          it, without one the shop has changed it

From the server, fleeting
    welcome {conv, seq, resumed, limits, disclosure}  after ``hello``; not ``resumed``: forget all, a full log comes
    log     {items, more}                 several durable events at once, oldest first, each with its ``seq``
    d       {msg, ep, off, x}             ``x`` is the answer's text from ``off`` on; overlap is to be ignored
    renew   {session}                     a fresh session token in place of the old one
    err     {code, retry, after_ms, ref}  ``ref`` (an id or null) was not done; ``code`` is one of ERRORS
    pong    {n}

``off`` and ``len`` count Unicode code points, and a slice never splits one. ``sha`` is the first 8 bytes, in hex, of
the SHA-256 of the whole text in UTF-8. A text longer than ``len`` is cut to it. ``finish`` is ``stop`` (whole), ``cut``
(broken off), ``cancelled``, ``fallback`` (the built-in assistant answered in place of a failing model) or ``error``
(no answer).

``person`` and ``take`` are sent again, same id, until their durable event comes. A line of ``cart`` is {product_id,
name, options, quantity, total, image, url, in_stock, was?}, texts as people read them; ``was`` is the product id the
shop knows of this line, when another variant stands in its place, and taking that one undoes it. ``total`` is null
where only the shop can tell it.

Close codes: 1000 bye · 1009, 1007, 1002 protocol · 1012 restart, come again · 1013 overloaded, come later · 4400 bad
messages · 4401 session over, get another · 4403 forbidden · 4404 conversation gone · 4408 no hello, or idle ·
4409 too many sockets · 4429 too many frames.
"""

import hashlib
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from recovery.errors import CartbackError
from recovery.text import clean_text

SUBPROTOCOL = "cartback.v1"
MAX_FRAME_BYTES = 16 * 1024
MAX_QUESTION = 1200
#: Code points in one ``d``: at most four bytes each, so at most 4 KB.
MAX_SLICE = 1024

Finish = Literal["stop", "cut", "cancelled", "fallback", "error"]
ErrorCode = Literal[
    "bad_message",
    "too_long",
    "empty",
    "busy",
    "rate",
    "day_limit",
    "unknown_turn",
    "bad_address",
    "no_support",
    "not_taken",
    "unavailable",
]
#: What an ``err`` may say.
ERRORS: tuple[ErrorCode, ...] = get_args(ErrorCode)

CLOSE_BYE = 1000
CLOSE_RESTART = 1012
CLOSE_OVERLOADED = 1013
CLOSE_BAD_MESSAGE = 4400
CLOSE_SESSION_OVER = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_GONE = 4404
CLOSE_IDLE = 4408
CLOSE_TOO_MANY = 4409
CLOSE_RATE = 4429


class BadFrame(CartbackError):
    """A frame from the client that is not a message of the protocol; ``ref`` is its id where it has one."""

    def __init__(self, code: ErrorCode, ref: str | None = None) -> None:
        super().__init__(code)
        self.code: ErrorCode = code
        self.ref = ref


class _Frame(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    @property
    def ref(self) -> str | None:
        """What an ``err`` about this frame names."""
        return None


# Strict pydantic takes a UUID from JSON text only; here the frame has been parsed before.
_Id = Annotated[UUID, Field(strict=False)]
_Count = Annotated[int, Field(ge=0, le=2**53)]


class Partial(_Frame):
    """How much of a running answer the client has."""

    msg: _Id
    ep: _Count = 1
    off: _Count


class Hello(_Frame):
    """The first frame."""

    t: Literal["hello"]
    session: str = Field(max_length=1024)
    conv: _Id
    last_seq: _Count = 0
    partial: Partial | None = None


class Msg(_Frame):
    """A question; ``text`` is cleaned and neither empty nor too long."""

    t: Literal["msg"]
    id: _Id
    text: Annotated[str, AfterValidator(clean_text)]

    @property
    def ref(self) -> str:
        """What an ``err`` about this frame names."""
        return str(self.id)


class Cancel(_Frame):
    """Stop an answer."""

    t: Literal["cancel"]
    turn: _Id

    @property
    def ref(self) -> str:
        """What an ``err`` about this frame names."""
        return str(self.turn)


class Retry(_Frame):
    """Ask a question once more."""

    t: Literal["retry"]
    turn: _Id

    @property
    def ref(self) -> str:
        """What an ``err`` about this frame names."""
        return str(self.turn)


class Vote(_Frame):
    """Thumb up (1), down (-1) or neither (0)."""

    t: Literal["vote"]
    msg: _Id
    v: int = Field(ge=-1, le=1)

    @property
    def ref(self) -> str:
        """What an ``err`` about this frame names."""
        return str(self.msg)


class Person(_Frame):
    """A person please; ``address`` is where the answer should go, the cart's own address if it is None."""

    t: Literal["person"]
    id: _Id
    address: str | None = Field(None, max_length=320)

    @property
    def ref(self) -> str:
        """What an ``err`` about this frame names."""
        return str(self.id)


class Take(_Frame):
    """Put another variant in place of a line of the cart."""

    t: Literal["take"]
    id: _Id
    line: Annotated[str, AfterValidator(clean_text)] = Field(min_length=1, max_length=64)
    product: Annotated[str, AfterValidator(clean_text)] = Field(min_length=1, max_length=64)

    @property
    def ref(self) -> str:
        """What an ``err`` about this frame names."""
        return str(self.id)


class Ping(_Frame):
    """A sign of life."""

    t: Literal["ping"]
    n: _Count = 0


class Bye(_Frame):
    """The client leaves."""

    t: Literal["bye"]


Inbound = Hello | Msg | Cancel | Retry | Vote | Person | Take | Ping | Bye
_INBOUND: TypeAdapter[Inbound] = TypeAdapter(Annotated[Inbound, Field(discriminator="t")])


def parse(raw: str | bytes) -> Inbound:
    """The message in ``raw``.

    Raises:
        BadFrame: it is none; never anything else, whatever the bytes.
    """
    try:
        data = orjson.loads(raw)
        if not isinstance(data, dict):
            raise BadFrame("bad_message")
        frame = _INBOUND.validate_python(data)
    except (ValueError, RecursionError) as error:
        # ValidationError, orjson's error and what a lone surrogate raises are all ValueErrors.
        raise BadFrame("bad_message", _ref(data) if isinstance(error, ValidationError) else None) from error
    if isinstance(frame, Msg):
        if not frame.text:
            raise BadFrame("empty", str(frame.id))
        if len(frame.text) > MAX_QUESTION:
            raise BadFrame("too_long", str(frame.id))
    return frame


def _ref(data: dict[str, Any]) -> str | None:
    found = data.get("id") or data.get("turn") or data.get("msg")
    return found[:64] if isinstance(found, str) else None


def write(frame: dict[str, Any]) -> str:
    """A frame as it travels."""
    return orjson.dumps(frame).decode()


def digest(text: str) -> str:
    """The ``sha`` of an answer."""
    return hashlib.sha256(text.encode()).digest()[:8].hex()


def ok(turn: str, text: str, at: str, retry_of: str | None = None) -> dict[str, Any]:
    """The question is stored."""
    return {"t": "ok", "id": turn, "turn": turn, "text": text, "at": at} | ({"retry_of": retry_of} if retry_of else {})


def start(turn: str, ep: int) -> dict[str, Any]:
    """An answer begins."""
    return {"t": "start", "turn": turn, "msg": turn, "ep": ep}


def cards(turn: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Products beside an answer."""
    return {"t": "cards", "msg": turn, "items": items}


def done(turn: str, ep: int, text: str, finish: Finish) -> dict[str, Any]:
    """An answer is complete."""
    return {"t": "done", "msg": turn, "ep": ep, "len": len(text), "sha": digest(text), "finish": finish}


def vote(turn: str, value: int) -> dict[str, Any]:
    """Somebody voted."""
    return {"t": "vote", "msg": turn, "v": value}


def coupon(code: str, percent: int, expires_at: str) -> dict[str, Any]:
    """A coupon that works, as ``state`` and the page have it."""
    return {"code": code, "percent": percent, "expires_at": expires_at}


def state(ordered: bool, own: dict[str, Any] | None = None) -> dict[str, Any]:
    """What became of the cart, and its coupon."""
    return {"t": "state", "ordered": ordered, "coupon": own}


def person(ask: str, address: str, at: str) -> dict[str, Any]:
    """The shop was asked to answer; ``address`` is masked."""
    return {"t": "person", "id": ask, "address": address, "at": at}


def cart(lines: list[dict[str, Any]], total: str | None, take: str | None = None) -> dict[str, Any]:
    """The cart to restore as it stands now."""
    return {"t": "cart", "lines": lines, "total": total} | ({"id": take} if take else {})


def delta(turn: str, ep: int, offset: int, text: str) -> dict[str, Any]:
    """A slice of an answer."""
    return {"t": "d", "msg": turn, "ep": ep, "off": offset, "x": text}


def err(code: ErrorCode, ref: str | None = None, *, retry: bool = False, after_ms: int = 0) -> dict[str, Any]:
    """Something was not done."""
    return {"t": "err", "code": code, "retry": retry, "after_ms": after_ms, "ref": ref}
