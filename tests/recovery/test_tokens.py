"""Link tokens: what is signed comes back, and nothing else is ever believed."""

import base64
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import orjson
import pytest

from recovery.errors import LinkRefused
from recovery.secrets import Keys, Vault, derive, key_id
from recovery.tokens import (
    CartClaims,
    SessionClaims,
    ShareClaims,
    UnsubscribeClaims,
    new_jti,
    read_cart_link,
    read_session,
    read_share,
    read_unsubscribe,
    sign_cart_link,
    sign_handoff,
    sign_session,
    sign_share,
    sign_unsubscribe,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
OLD, NEW = "the-older-secret-key-of-32-letters", "the-newer-secret-key-of-32-letters"
MUTATIONS = 2000


def keys(*secrets: str) -> Keys:
    return Keys(secrets or (NEW,), Vault(list(secrets or (NEW,))), b"pepper", b"u" * 32)


def claims(life: timedelta = timedelta(days=7), **more: Any) -> CartClaims:
    values: dict[str, Any] = {"quote_id": "4711", "store_id": 1, "email_hash": "h1:abc", "jti": "j" * 22}
    return CartClaims(**(values | {"expires_at": int((NOW + life).timestamp())} | more))


def token_of(kind: str) -> str:
    if kind in {"restore", "assistant"}:
        return sign_cart_link(keys(), kind, claims(timedelta(days=1)), NOW)  # type: ignore[arg-type]
    if kind == "unsub":
        return sign_unsubscribe(keys(), UnsubscribeClaims(1, "h1:abc"))
    if kind == "ws":
        return sign_session(keys(), "conversation", NOW)
    if kind == "share":
        return sign_share(keys(), ShareClaims(7, "a mark"), NOW, NOW + timedelta(days=1))
    return sign_handoff("whsec_" + base64.b64encode(b"s" * 32).decode(), "4711", "en", "ref", int(NOW.timestamp()))


READERS = ["restore", "assistant", "unsub", "ws", "share"]


def read(kind: Any, token: str, at: datetime = NOW) -> CartClaims | UnsubscribeClaims | SessionClaims | ShareClaims:
    if kind == "unsub":
        return read_unsubscribe(keys(), token)
    if kind == "share":
        return read_share(keys(), token, at)
    return read_session(keys(), token, at) if kind == "ws" else read_cart_link(keys(), kind, token, at)


def refuses(kind: str, token: str, at: datetime = NOW) -> str:
    with pytest.raises(LinkRefused) as refused:
        read(kind, token, at)
    return refused.value.cause


def test_what_is_signed_comes_back() -> None:
    assert read("restore", token_of("restore")) == claims(timedelta(days=1))
    assert read("unsub", token_of("unsub")) == UnsubscribeClaims(1, "h1:abc")
    assert read("ws", token_of("ws")) == SessionClaims("conversation", int(NOW.timestamp()) + 900)


def test_tokens_fit_a_link_and_tell_no_address() -> None:
    token = token_of("restore")
    assert len(token) < 500
    payload = orjson.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert {"quote_id", "email", "store_id", "expires_at"} <= set(payload)
    assert payload["email"] == "h1:abc"
    assert len({new_jti() for _ in range(100)}) == 100


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["restore", "assistant", "unsub", "ws", "share", "handoff"])
def test_no_kind_passes_for_another(kind: str, reader: str) -> None:
    if kind != reader:
        refuses(reader, token_of(kind))


@pytest.mark.parametrize(("kind", "life"), [("restore", 86400), ("assistant", 86400), ("ws", 900), ("share", 86400)])
def test_a_token_ends_on_business_time(kind: str, life: int) -> None:
    token = token_of(kind)
    read(kind, token, NOW + timedelta(seconds=life + 29))
    assert refuses(kind, token, NOW + timedelta(seconds=life + 31)) == "expired"
    read(kind, token, NOW - timedelta(seconds=29))
    refuses(kind, token, NOW - timedelta(seconds=31))


def test_an_unsubscribe_link_never_ends() -> None:
    assert read("unsub", token_of("unsub"), NOW + timedelta(days=36500)) == UnsubscribeClaims(1, "h1:abc")


@pytest.mark.parametrize(("kind", "days"), [("restore", 92), ("assistant", 32)])
def test_no_token_lives_longer_than_its_kind(kind: Any, days: int) -> None:
    refuses(kind, sign_cart_link(keys(), kind, claims(timedelta(days=days)), NOW))


def test_the_older_key_still_reads_and_the_newer_signs() -> None:
    old = sign_cart_link(keys(OLD), "restore", claims(), NOW)
    assert read_cart_link(keys(NEW, OLD), "restore", old, NOW) == claims()
    fresh = sign_cart_link(keys(NEW, OLD), "restore", claims(), NOW)
    assert read_cart_link(keys(NEW), "restore", fresh, NOW) == claims()
    with pytest.raises(LinkRefused):
        read_cart_link(keys(NEW), "restore", old, NOW)
    # Unsubscribe links outlive every secret key.
    assert read_unsubscribe(keys(NEW), sign_unsubscribe(keys(OLD), UnsubscribeClaims(1, "h1:abc"))).store_id == 1


GOOD: dict[str, Any] = {
    "iss": "cartback", "aud": "restore", "quote_id": "4711", "store_id": 1, "email": "h1:abc", "jti": "j" * 22,
    "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 600, "expires_at": int(NOW.timestamp()) + 600,
}  # fmt: skip
HEADER = {"typ": "cb-restore+jwt", "kid": key_id(NEW)}
KEY = derive(NEW.encode(), "cartback link restore")


def test_the_forge_itself_makes_good_tokens() -> None:
    read("restore", jwt.encode(GOOD, KEY, "HS256", headers=HEADER))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "assistant"}, {"aud": ["restore"]}, {"aud": None}, {"iss": "other"}, {"iss": ["cartback"]},
        {"exp": 10**400}, {"exp": str(GOOD["exp"])}, {"exp": None}, {"exp": 1.5}, {"exp": True},
        {"expires_at": GOOD["expires_at"] + 1}, {"expires_at": None},
        {"iat": None}, {"iat": "now"}, {"iat": -(10**30)}, {"quote_id": 4711}, {"quote_id": None},
        {"store_id": "1"}, {"store_id": True}, {"store_id": 2**60}, {"email": None}, {"email": ["h1:abc"]}, {"jti": 7},
    ],
    ids=lambda change: str(change)[:40],
)  # fmt: skip
def test_a_rightly_signed_token_with_a_wrong_claim_is_refused(change: dict[str, Any]) -> None:
    payload = {name: value for name, value in (GOOD | change).items() if value is not None}
    refuses("restore", jwt.api_jws.encode(json.dumps(payload).encode(), KEY, "HS256", headers=HEADER))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"}, {"alg": "HS512"}, {"alg": "RS256"}, {"typ": "JWT"}, {"typ": "cb-assist+jwt"}, {"typ": None},
        {"kid": "unknown"}, {"kid": "../../etc/passwd"}, {"kid": None}, {"kid": ["x"]}, {"kid": {}}, {"kid": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_header_of_our_own_making_only(header: dict[str, Any]) -> None:
    whole = {"alg": "HS256"} | HEADER | header
    whole = {name: value for name, value in whole.items() if value is not None}
    encoded = base64.urlsafe_b64encode(orjson.dumps(whole)).decode().rstrip("=")
    genuine = jwt.encode(GOOD, KEY, "HS256", headers=HEADER).split(".")
    for signature in (genuine[2], ""):
        refuses("restore", f"{encoded}.{genuine[1]}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "a.b", "a.b.c", "a.b.c.d", "\ud800.b.c", "é.b.c", "x" * 1025, "." * 1000, "bnVsbA.e30.x",
        "W10.e30.x", "e30.e30.", "\x00", "MQ.e30.AA",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", READERS)
def test_what_is_no_token_at_all_is_refused(kind: str, token: str) -> None:
    refuses(kind, token)


@pytest.mark.parametrize("kind", READERS)
def test_no_mutation_is_believed(kind: str) -> None:
    dice = random.Random(3)
    genuine = token_of(kind)
    alphabet = "ABCabc012-_.=+/ \x00é\ud800"
    for _ in range(MUTATIONS // len(READERS)):
        letters = list(genuine)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(letters))
            how = dice.randrange(4)
            if how == 0:
                letters[place] = dice.choice(alphabet)
            elif how == 1:
                del letters[place]
            elif how == 2:
                letters.insert(place, dice.choice(alphabet))
            else:
                other = dice.randrange(len(letters))
                letters[place], letters[other] = letters[other], letters[place]
        mutated = "".join(letters)
        if _same_bytes(mutated, genuine):
            continue
        refuses(kind, mutated)


def _same_bytes(one: str, other: str) -> bool:
    """The last sign of base64 has spare bits: another text of the same token."""

    def decoded(token: str) -> tuple[str, bytes | None]:
        signed, _, signature = token.rpartition(".")
        try:
            return signed, base64.urlsafe_b64decode(signature + "==")
        except ValueError:
            return signed, None

    return decoded(one) == decoded(other)


def test_the_shop_can_check_a_handoff_with_its_own_secret() -> None:
    secret = b"s" * 32
    token = token_of("handoff")
    proof = jwt.decode(
        token,
        derive(secret, "handoff"),
        ["HS256"],
        audience="handoff",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (proof["quote_id"], proof["store"], proof["ref"], proof["exp"] - proof["iat"]) == ("4711", "en", "ref", 300)
