"""Signed link tokens: what each kind claims, how it is signed and how it is checked (the only user of ``jwt``).

A token is a JWS (HS256). Its key is derived per kind and per secret key, so that a token of one kind can never pass
as another. Verification order: shape, header, signature, times, claims; whether its row, cart and person still fit
is for the caller (``links``). Every refusal is the same ``LinkRefused``.
"""

import base64
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import jwt
import orjson

from recovery.errors import LinkRefused
from recovery.secrets import Keys, derive, key_id

Kind = Literal["restore", "assistant", "unsub", "ws", "share"]

MAX_LENGTH = 1024
LEEWAY_SECONDS = 30
HANDOFF_SECONDS = 300
#: It may name as many variants as a cart has lines.
LONGEST_HANDOFF = 4096
MAX_LIFE_SECONDS: dict[Kind, int] = {"restore": 91 * 86400, "assistant": 31 * 86400, "ws": 15 * 60, "share": 91 * 86400}
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES: dict[Kind, str] = {
    "restore": "cb-restore+jwt",
    "assistant": "cb-assist+jwt",
    "unsub": "cb-unsub+jwt",
    "ws": "cb-ws+jwt",
    "share": "cb-share+jwt",
}


@dataclass(frozen=True)
class CartClaims:
    """What a restore or assistant link says: which cart of which store, for whom (keyed hash), until when."""

    quote_id: str
    store_id: int
    email_hash: str
    expires_at: int
    jti: str


@dataclass(frozen=True)
class UnsubscribeClaims:
    """What an unsubscribe link says: who (keyed hash), at which store; it never expires."""

    store_id: int
    email_hash: str


@dataclass(frozen=True)
class ShareClaims:
    """What a link to a shared cart says: which cart, and a mark of whose it was; nothing about anybody."""

    cart: int
    mark: str


@dataclass(frozen=True)
class HandoffClaims:
    """What a hand-off says: which cart of which store, and by which link."""

    quote_id: str
    store: str
    ref: str


@dataclass(frozen=True)
class SessionClaims:
    """What a WebSocket session says: which conversation, until when."""

    conversation: str
    expires_at: int


def new_jti() -> str:
    """A fresh token id, 128 random bits."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")


def sign_cart_link(keys: Keys, kind: Literal["restore", "assistant"], claims: CartClaims, now: datetime) -> str:
    """A token for ``/r/`` or ``/a/``; the row with its ``jti`` must exist or the link opens nothing."""
    return _sign(
        keys,
        kind,
        {
            "quote_id": claims.quote_id,
            "store_id": claims.store_id,
            "email": claims.email_hash,
            "expires_at": claims.expires_at,
            "exp": claims.expires_at,
            "iat": int(now.timestamp()),
            "jti": claims.jti,
        },
    )


def read_cart_link(
    keys: Keys, kind: Literal["restore", "assistant"], token: str, now: datetime, *, expired_too: bool = False
) -> CartClaims:
    """The claims of a genuine, unexpired link of this kind; ``expired_too`` leaves the end of its time unchecked.

    Raises:
        LinkRefused: anything else; its cause is ``expired`` when only the time is over.
    """
    types = {"quote_id": str, "store_id": int, "email": str, "expires_at": int, "jti": str}
    data = _read(keys, kind, token, now, types, expired_too=expired_too)
    if data["expires_at"] != data["exp"]:
        raise LinkRefused("the two expiries differ")
    return CartClaims(data["quote_id"], data["store_id"], data["email"], data["expires_at"], data["jti"])


def sign_unsubscribe(keys: Keys, claims: UnsubscribeClaims) -> str:
    """A token for ``/u/`` that works for ever."""
    payload = {"iss": "cartback", "aud": "unsub", "store_id": claims.store_id, "email": claims.email_hash}
    headers = {"typ": _TYPES["unsub"], "kid": "unsub"}
    return jwt.encode(payload, derive(keys.unsubscribe_key, "unsub"), algorithm="HS256", headers=headers)


def read_unsubscribe(keys: Keys, token: str) -> UnsubscribeClaims:
    """Whom an unsubscribe link names.

    Raises:
        LinkRefused: it is not genuine.
    """
    _header(token, "unsub", {"unsub"})
    data = _decode(token, derive(keys.unsubscribe_key, "unsub"), "unsub", ["iss", "aud"])
    _types(data, {"store_id": int, "email": str})
    return UnsubscribeClaims(data["store_id"], data["email"])


def sign_share(keys: Keys, claims: ShareClaims, now: datetime, until: datetime) -> str:
    """A token for ``/s/``: it shows a cart, and opens nothing else; there is no row behind it."""
    times = {"iat": int(now.timestamp()), "exp": int(until.timestamp())}
    return _sign(keys, "share", {"cart": claims.cart, "mark": claims.mark} | times)


def read_share(keys: Keys, token: str, now: datetime) -> ShareClaims:
    """The cart a shared link shows.

    Raises:
        LinkRefused: it is not genuine or its time is over (cause ``expired``).
    """
    data = _read(keys, "share", token, now, {"cart": int, "mark": str})
    return ShareClaims(data["cart"], data["mark"])


def sign_session(keys: Keys, conversation: str, now: datetime) -> str:
    """A token that opens the WebSocket of one conversation for 15 minutes."""
    issued = int(now.timestamp())
    return _sign(keys, "ws", {"conv": conversation, "iat": issued, "exp": issued + MAX_LIFE_SECONDS["ws"]})


def read_session(keys: Keys, token: str, now: datetime) -> SessionClaims:
    """The conversation a session token opens.

    Raises:
        LinkRefused: it is not genuine or its time is over (cause ``expired``).
    """
    data = _read(keys, "ws", token, now, {"conv": str})
    return SessionClaims(data["conv"], data["exp"])


def sign_handoff(
    hook_secret: str, quote_id: str, store: str, ref: str, issued_at: int, more: Mapping[str, Any] | None = None
) -> str:
    """The short proof with which a shop lets the customer into the saved cart; the key comes from its hook secret.

    ``issued_at`` is in seconds of real time, since the shop checks it with its own clock. ``more`` may hold ``swap``,
    products of the cart with the variants that the customer took instead, and ``coupon``, a code that the shop may put
    into the cart; what is empty is left out.
    """
    claims: dict[str, Any] = {
        "iss": "cartback",
        "aud": "handoff",
        "quote_id": quote_id,
        "store": store,
        "ref": ref,
        "iat": issued_at,
        "exp": issued_at + HANDOFF_SECONDS,
    } | {name: value for name, value in (more or {}).items() if value}
    secret = base64.b64decode(hook_secret.removeprefix("whsec_") + "==")
    return jwt.encode(claims, derive(secret, "handoff"), algorithm="HS256", headers={"typ": "cb-handoff+jwt"})


def read_handoff(hook_secrets: Iterable[str], token: str, seconds: int, *, grace: int = 0) -> HandoffClaims:
    """The claims of a hand-off of ours, for a shop whose side our own script plays.

    ``seconds`` is real time, as for ``sign_handoff``; ``grace`` so many more seconds are allowed after its end.

    Raises:
        LinkRefused: it is not genuine or its time is over (cause ``expired``).
    """
    if len(token) > LONGEST_HANDOFF or not _SHAPE.fullmatch(token):
        raise LinkRefused("no token")
    try:
        kind = jwt.get_unverified_header(token).get("typ")
    except jwt.PyJWTError as error:
        raise LinkRefused("unreadable header") from error
    if kind != "cb-handoff+jwt":
        raise LinkRefused("another kind of token")
    for secret in hook_secrets:
        key = derive(base64.b64decode(secret.removeprefix("whsec_") + "=="), "handoff")
        try:
            data = _decode(token, key, "handoff", ["iss", "aud", "iat", "exp"])
        except LinkRefused:
            continue
        _types(data, {"quote_id": str, "store": str, "ref": str, "iat": int, "exp": int})
        if data["iat"] > seconds + LEEWAY_SECONDS or data["exp"] - data["iat"] > HANDOFF_SECONDS:
            raise LinkRefused("it lives too long")
        if data["exp"] + LEEWAY_SECONDS + grace < seconds:
            raise LinkRefused("expired")
        return HandoffClaims(data["quote_id"], data["store"], data["ref"])
    raise LinkRefused("not genuine")


def _sign(keys: Keys, kind: Kind, claims: dict[str, Any]) -> str:
    newest = keys.secret_keys[0]
    headers = {"typ": _TYPES[kind], "kid": key_id(newest)}
    return jwt.encode({"iss": "cartback", "aud": kind} | claims, _key(newest, kind), algorithm="HS256", headers=headers)


def _read(
    keys: Keys, kind: Kind, token: str, now: datetime, types: dict[str, type], *, expired_too: bool = False
) -> dict[str, Any]:
    known = {key_id(secret): secret for secret in keys.secret_keys}
    kid = _header(token, kind, known.keys())
    data = _decode(token, _key(known[kid], kind), kind, ["iss", "aud", "iat", "exp"])
    _types(data, types | {"iat": int, "exp": int})
    if data["exp"] - data["iat"] > MAX_LIFE_SECONDS[kind]:
        raise LinkRefused("it lives too long")
    # The demo moves business time, so the times are checked against ``now`` and not against the machine's clock.
    seconds = now.timestamp()
    if data["iat"] > seconds + LEEWAY_SECONDS:
        raise LinkRefused("issued in the future")
    if data["exp"] < seconds - LEEWAY_SECONDS and not expired_too:
        raise LinkRefused("expired")
    return data


def _key(secret_key: str, kind: Kind) -> bytes:
    return derive(secret_key.encode(), f"cartback link {kind}")


def _header(token: str, kind: Kind, known: Any) -> str:
    if len(token) > MAX_LENGTH or not _SHAPE.fullmatch(token):
        raise LinkRefused("not a token")
    encoded = token.partition(".")[0]
    try:
        header = orjson.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError as error:
        raise LinkRefused("unreadable header") from error
    if not isinstance(header, dict) or header.get("alg") != "HS256" or header.get("typ") != _TYPES[kind]:
        raise LinkRefused("another kind of token")
    kid = header.get("kid")
    if not isinstance(kid, str) or kid not in known:
        raise LinkRefused("unknown key")
    return kid


def _decode(token: str, key: bytes, audience: str, required: list[str]) -> dict[str, Any]:
    options: Any = {
        "require": required,
        "strict_aud": True,
        "verify_exp": False,
        "verify_iat": False,
        "enforce_minimum_key_length": True,
    }
    try:
        return jwt.decode(token, key, algorithms=["HS256"], audience=audience, issuer="cartback", options=options)
    except (jwt.PyJWTError, ValueError, UnicodeError) as error:
        raise LinkRefused("not genuine") from error


def _types(data: dict[str, Any], types: dict[str, type]) -> None:
    for name, kind in types.items():
        value = data.get(name)
        # bool is an int to Python, never to us; nothing we sign is beyond 2**53.
        if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and abs(value) > 2**53):
            raise LinkRefused(f"claim {name} is wrong")
