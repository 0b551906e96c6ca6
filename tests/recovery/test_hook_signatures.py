"""Who may speak: a hook counts only when it is signed, whole, in time and with a secret in force."""

import base64
import time
from datetime import timedelta

import httpx2
import orjson
import pytest

from recovery.models import Cart, HookDelivery, RejectedDelivery
from recovery.secrets import new_hook_secret
from tests.shop import MORNING, Shop, item, sign, signed_headers

CART = orjson.dumps(
    {
        "type": "cart.updated",
        "occurred_at": MORNING.isoformat(),
        "store": "en",
        "data": {"quote_id": "1", "currency": "EUR", "total": 45999, "items": [item()]},
    }
)


async def answers(response: httpx2.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert [error["code"] for error in response.json()["errors"]] == [code]


async def nothing_was_kept() -> bool:
    return not await Cart.exists() and not await HookDelivery.exists()


async def test_a_signed_hook_is_stored_and_applied(shop: Shop) -> None:
    response = await shop.post(CART, signed_headers(shop.secret, CART, "msg_1"))
    assert (response.status_code, response.json()) == (200, {"status": "applied", "warnings": []})
    assert (await HookDelivery.get()).webhook_id == "msg_1"
    assert (await shop.stored()).total == 45999


async def test_no_changed_byte_of_the_body_is_taken(shop: Shop) -> None:
    headers = signed_headers(shop.secret, CART)
    for place in range(len(CART)):
        forged = CART[:place] + bytes([CART[place] ^ 1]) + CART[place + 1 :]
        assert (await shop.post(forged, headers)).status_code == 401, place
    assert await nothing_was_kept()


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_no_changed_byte_of_a_header_is_taken(shop: Shop, name: str) -> None:
    headers = signed_headers(shop.secret, CART)
    told = headers[name]
    for place in range(len(told)):
        for bit in (1, 2, 4):
            forged = told[:place] + chr(ord(told[place]) ^ bit) + told[place + 1 :]
            response = await shop.post(CART, headers | {name: forged})
            # The last sign of base64 has spare bits: another text, the same 32 bytes of signature.
            same = name == "webhook-signature" and forged.startswith("v1,") and _bytes(forged) == _bytes(told)
            assert response.status_code == (200 if same else 401), forged


def _bytes(signature: str) -> bytes | None:
    try:
        return base64.b64decode(signature.removeprefix("v1,"))
    except ValueError:
        return None


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("told", [None, "", " "])
async def test_every_header_is_needed(shop: Shop, name: str, told: str | None) -> None:
    headers = signed_headers(shop.secret, CART)
    del headers[name]
    await answers(await shop.post(CART, headers if told is None else headers | {name: told}), 401, "signature")
    assert await nothing_was_kept()


@pytest.mark.parametrize(("seconds", "status"), [(-310, 401), (-295, 200), (0, 200), (295, 200), (310, 401)])
async def test_a_hook_counts_for_five_minutes_either_way(shop: Shop, seconds: int, status: int) -> None:
    response = await shop.post(CART, signed_headers(shop.secret, CART, at=time.time() + seconds))
    assert response.status_code == status


@pytest.mark.parametrize("timestamp", ["inf", "-inf", "nan", "1e400", "soon", "٣", "9" * 400, "0x10", "-1"])
async def test_a_timestamp_that_is_none_is_refused(shop: Shop, timestamp: str) -> None:
    headers = signed_headers(shop.secret, CART) | {"webhook-timestamp": timestamp}
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    response = await shop.client.post("/hooks/v1/demo", content=CART, headers=encoded)
    assert response.status_code == 401


@pytest.mark.parametrize(
    "signature",
    ["v1", "v1,", "v1,!!!", "v2,{}", "v1a,{}", ",", "v1,a,b", "v1,{} junk", "{}", "v1,żółć", "v1," + "A" * 20_000],
)
async def test_a_signature_of_another_shape_is_refused_and_breaks_nothing(shop: Shop, signature: str) -> None:
    headers = signed_headers(shop.secret, CART)
    genuine = headers["webhook-signature"].removeprefix("v1,")
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    encoded[b"webhook-signature"] = signature.replace("{}", genuine if "junk" not in signature else "AAAA").encode()
    response = await shop.client.post("/hooks/v1/demo", content=CART, headers=encoded)
    assert response.status_code == 401


async def test_one_good_signature_of_several_is_enough(shop: Shop) -> None:
    headers = signed_headers(shop.secret, CART)
    several = f"{sign(new_hook_secret(), 'x', '1', b'')} {headers['webhook-signature']} v1a,AAAA"
    assert (await shop.post(CART, headers | {"webhook-signature": several})).status_code == 200


async def test_the_same_json_written_otherwise_is_another_body(shop: Shop) -> None:
    headers = signed_headers(shop.secret, CART)
    spaced = orjson.dumps(orjson.loads(CART), option=orjson.OPT_INDENT_2)
    await answers(await shop.post(spaced, headers), 401, "signature")


async def test_a_signature_is_for_its_own_id(shop: Shop) -> None:
    headers = signed_headers(shop.secret, CART, "msg_1")
    await answers(await shop.post(CART, headers | {"webhook-id": "msg_2"}), 401, "signature")


async def test_another_connections_secret_is_no_good(shop: Shop) -> None:
    await answers(await shop.post(CART, signed_headers(new_hook_secret(), CART)), 401, "signature")


async def test_an_unknown_connection_answers_as_a_wrong_signature(shop: Shop) -> None:
    wrong = await shop.post(CART, signed_headers(new_hook_secret(), CART))
    for unknown in ("nobody", "demo%00", "%F0%9F%9B%92", "demo%20", "x" * 500):
        response = await shop.post(CART, signed_headers(shop.secret, CART), connection=unknown)
        assert (response.status_code, response.content) == (401, wrong.content), unknown


async def test_both_secrets_count_during_a_rotation_and_the_old_one_never_after(shop: Shop) -> None:
    old, fresh = shop.secret, new_hook_secret()
    shop.connection.previous_hook_secret = shop.connection.hook_secret
    shop.connection.previous_hook_secret_until = shop.now + timedelta(hours=24)
    shop.connection.hook_secret = shop.runtime.keys.vault.seal(fresh)
    await shop.connection.save()

    assert (await shop.post(CART, signed_headers(old, CART))).status_code == 200
    assert (await shop.post(CART, signed_headers(fresh, CART))).status_code == 200
    shop.clock.advance(hours=24, seconds=1)
    assert (await shop.post(CART, signed_headers(old, CART))).status_code == 401
    assert (await shop.post(CART, signed_headers(fresh, CART))).status_code == 200


async def test_a_signed_body_that_is_not_utf8_is_refused(shop: Shop) -> None:
    body = CART.replace(b"Jacket", b"Jac\xffet")
    response = await shop.post(body, signed_headers(shop.secret, body))
    assert response.status_code in {401, 422}
    assert await nothing_was_kept()


async def test_a_body_has_at_most_256_kibibytes(shop: Shop) -> None:
    for size, status in ((256 * 1024, 200), (256 * 1024 + 1, 413)):
        body = CART + b" " * (size - len(CART))
        assert (await shop.post(body, signed_headers(shop.secret, body))).status_code == status


async def test_an_id_names_one_body_for_ever(shop: Shop) -> None:
    other = CART.replace(b"45999", b"45998")
    assert (await shop.post(CART, signed_headers(shop.secret, CART, "msg_1"))).json()["status"] == "applied"
    assert (await shop.post(CART, signed_headers(shop.secret, CART, "msg_1"))).json()["status"] == "duplicate"
    await answers(await shop.post(other, signed_headers(shop.secret, other, "msg_1")), 409, "reused")
    assert (await shop.stored()).total == 45999
    assert await HookDelivery.all().count() == 1


async def test_long_ids_that_begin_alike_are_two_ids(shop: Shop) -> None:
    other = CART.replace(b"45999", b"45998")
    stem = "x" * 300
    first = await shop.post(CART, signed_headers(shop.secret, CART, stem + "1"))
    second = await shop.post(other, signed_headers(shop.secret, other, stem + "2"))
    assert first.status_code == second.status_code
    assert first.status_code in {200, 422}


async def test_a_refused_hook_leaves_no_trace_but_its_refusal(shop: Shop) -> None:
    body = orjson.dumps({"type": "cart.updated", "occurred_at": MORNING.isoformat(), "store": "en", "data": {}})
    response = await shop.post(body, signed_headers(shop.secret, body, "msg_1"))
    assert response.status_code == 422
    kept = await RejectedDelivery.get()
    assert (kept.webhook_id, kept.status, kept.path, kept.code) == ("msg_1", 422, "data.quote_id", "missing")
    assert await nothing_was_kept()
    # Mended by the shop, the same id is taken.
    assert (await shop.post(CART, signed_headers(shop.secret, CART, "msg_1"))).json()["status"] == "applied"


async def test_only_the_last_fifty_refusals_are_kept(shop: Shop) -> None:
    for number in range(55):
        await shop.post(b"{}", signed_headers(shop.secret, b"{}", f"msg_{number}"))
    kept = await RejectedDelivery.all().order_by("id")
    assert [row.webhook_id for row in kept] == [f"msg_{number}" for number in range(5, 55)]
