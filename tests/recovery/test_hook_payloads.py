"""What a shop may write: everything that is promised is taken, everything else is refused with path and code."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from recovery.models import HookDelivery, Order, Policy, Product
from recovery.stores.generic import EVENTS
from tests.shop import ADDRESS, HOST, MORNING, Shop, item, signed_headers

AT = MORNING.isoformat()
MINIMAL = (
    b'{"type":"cart.updated","occurred_at":"2026-11-23T10:15:30.120Z","data":{"quote_id":"4711","currency":"PLN",'
    b'"total":45999,"items":[{"product_id":"K-12","name":"Kurtka Tatra","quantity":1,"row_total":45999}]}}'
)
CART: dict[str, Any] = {"quote_id": "1", "currency": "EUR", "total": 45999, "items": [item()]}
ORDER: dict[str, Any] = {
    "order_id": "o1", "state": "paid", "placed_at": AT, "currency": "EUR", "total": 1, "customer": {"email": ADDRESS},
}  # fmt: skip
PRODUCT: dict[str, Any] = {"product_id": "K-12", "name": "Jacket", "price": 45999, "currency": "EUR", "in_stock": True}
POLICY: dict[str, Any] = {"key": "returns", "kind": "returns", "locale": "en", "title": "Returns", "text": "30 days."}
CONSENT: dict[str, Any] = {"marketing": True, "at": AT, "source": "checkout_box"}
EVERY_EVENT: dict[str, dict[str, Any]] = {
    "cart.updated": CART,
    "cart.deleted": {"quote_id": "1"},
    "cart.merged": {"quote_id": "1", "into_quote_id": "2"},
    "cart.restored": {"quote_id": "1", "ref": "abc", "at": AT},
    "order.placed": ORDER,
    "order.updated": ORDER,
    "order.cancelled": ORDER | {"state": "cancelled"},
    "product.updated": {"products": [PRODUCT]},
    "policy.updated": {"policies": [POLICY]},
    "consent.updated": {"email": ADDRESS, "consent": CONSENT},
    "email.delivered": {"message_id": "<b@example.com>", "at": AT},
    "email.bounced": {"email": ADDRESS, "hard": True, "at": AT},
    "email.complained": {"email": ADDRESS, "at": AT},
}
FULL_CART: dict[str, Any] = CART | {
    "version": 7, "currency_digits": 2, "locale": "pl-PL", "created_at": AT, "activity_at": AT, "active": True,
    "items": [
        item(
            line_id=12, parent_id="K", sku="K-12-M", row_total_before_discount=50000, unit_price=45999, quantity="1.5",
            options=[{"name": "Size", "value": "M"}], url=f"https://{HOST}/k", image_url=f"https://{HOST}/k.png",
        )
    ],
    "subtotal": 45999, "discount": 100, "shipping": 0, "tax": 8600, "base_total": 45999, "coupon_codes": ["HELLO"],
    "checkout_stage": "payment", "payment_failed": True,
    "customer": {
        "id": 17, "email": ADDRESS, "registered": True, "first_name": "Anna", "group": "retail", "orders_count": 3,
        "phone_hash": "abc", "postcode_hash": "def",
    },
    "consent": CONSENT | {"channel": "email", "basis": "soft_opt_in", "text_version": "v2"},
    "cart_url": f"https://{HOST}/cart", "restore_url": f"https://{HOST}/restore",
    "intent_trace": {"reason_code": "shipping_cost", "note": "looked at delivery twice"}, "is_bot": False,
}  # fmt: skip


async def refused(response: httpx2.Response, path: str, code: str | None = None) -> None:
    """422, naming the field."""
    assert response.status_code == 422, response.text
    errors = response.json()["errors"]
    assert path in [error["path"] for error in errors], errors
    assert all(error["code"] and error["message"] for error in errors)
    if code:
        assert code in [error["code"] for error in errors]


async def warned(response: httpx2.Response) -> list[tuple[str, str]]:
    assert response.status_code == 200, response.text
    return [(warning["path"], warning["code"]) for warning in response.json()["warnings"]]


async def test_the_minimal_cart_of_the_documentation_is_enough(shop: Shop) -> None:
    shop.store.code = "default"
    await shop.store.save()
    shop.clock.advance(hours=1)
    response = await shop.post(MINIMAL, signed_headers(shop.secret, MINIMAL))
    assert (response.status_code, response.json()) == (200, {"status": "applied", "warnings": []})
    cart = await shop.stored("4711")
    assert (cart.total, cart.currency, cart.status, cart.checkout_stage) == (45999, "PLN", "active", "cart")
    assert [(line.name, line.quantity) for line in cart.items] == [("Kurtka Tatra", 10_000)]
    assert cart.occurred_at == datetime(2026, 11, 23, 10, 15, 30, 120_000, tzinfo=UTC)


async def test_a_full_cart_is_kept_as_told(shop: Shop) -> None:
    assert await warned(await shop.send("cart.updated", FULL_CART)) == []
    cart = await shop.stored()
    for name in (
        "version", "currency", "total", "subtotal", "discount", "shipping", "tax", "base_total", "locale",
        "checkout_stage", "payment_failed", "coupon_codes", "cart_url", "restore_url", "intent_trace", "is_bot",
    ):  # fmt: skip
        assert getattr(cart, name) == FULL_CART[name], name
    assert (cart.email, cart.customer_id, cart.registered, cart.first_name) == (ADDRESS, "17", True, "Anna")
    (line,) = cart.items
    assert (line.line_id, line.quantity, line.options) == ("12", 15_000, [{"name": "Size", "value": "M"}])


@pytest.mark.parametrize("event", EVERY_EVENT)
async def test_each_event_is_taken_and_fits_its_schema(shop: Shop, event: str) -> None:
    assert await shop.tell(event, EVERY_EVENT[event]) in {"applied", "older"}
    schema = (await shop.client.get(f"/hooks/v1/schemas/{event}.json")).json()
    Draft202012Validator.check_schema(schema)
    document = {"type": event, "occurred_at": AT, "store": "en", "data": EVERY_EVENT[event]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)


async def test_the_list_of_schemas_names_every_event(shop: Shop) -> None:
    listed = (await shop.client.get("/hooks/v1/schemas")).json()
    assert sorted(listed) == sorted(EVERY_EVENT) == sorted(EVENTS)
    assert (await shop.client.get("/hooks/v1/schemas/cart.eaten.json")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"total": 1234.0},
        {"customer": None},
        {"customer": []},
        {"consent": []},
        {"intent_trace": None},
        {"customer": {"registered": None, "email": None}},
        {"active": None, "payment_failed": None, "is_bot": None, "coupon_codes": None, "checkout_stage": None},
        {"version": None, "shipping": None, "locale": None, "created_at": None},
        {"items": []},
        {"items": [item(quantity="0.0001"), item(quantity=2.5), item(quantity="3"), item(row_total=-100)]},
        {"items": [item(options=None, url=None, sku=None)]},
        {"quote_id": 0},
        {"quote_id": 2**62},
        {"unheard_of": {"a": [1, None]}},
    ],
    ids=str,
)
async def test_what_php_writes_is_taken_and_fits_the_schema(shop: Shop, change: dict[str, Any]) -> None:
    data = CART | change
    # An empty consent has no required part and an absent one is fine: [] is the empty map.
    if change == {"consent": []}:
        await refused(await shop.send("cart.updated", data), "data.consent.marketing")
        return
    assert await shop.tell("cart.updated", data) == "applied"
    schema = (await shop.client.get("/hooks/v1/schemas/cart.updated.json")).json()
    Draft202012Validator(schema).validate({"type": "cart.updated", "occurred_at": AT, "store": "en", "data": data})


WRONG: dict[str, list[Any]] = {
    "total": [12.5, True, "12", [], 10**16, -(10**16), 1e300],
    "quote_id": ["", " ", -1, 1.0, True, [], "x" * 65, "\x00"],
    "currency": ["eur", "EURO", "XXQ", 978, "", "€"],
    "version": [-1, 1.5, "7", True, 2**60],
    "created_at": [
        1700000000, "2026-11-23", "2026-11-23T10:00:00", "yesterday", "2026-13-01T00:00:00Z", "",
        "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "1969-12-31T00:00:00Z",
    ],
    "items": [None, "x", [item()] * 501],
}  # fmt: skip
WRONG_QUANTITIES = [
    0, -1, "0", "1.00001", "x", "", "NaN", "Infinity", "-Infinity", 1e300, True, "1e400", "1_0 x", 10**12,
]  # fmt: skip
MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    *(("cart.updated", {name: value}, f"data.{name}") for name, values in WRONG.items() for value in values),
    *(("cart.updated", {"items": [item(quantity=value)]}, "data.items.0.quantity") for value in WRONG_QUANTITIES),
    ("cart.updated", {"items": [None]}, "data.items.0"),
    ("cart.updated", {"items": [item(name=" ")]}, "data.items.0.name"),
    ("cart.updated", {"items": [item(name="x" * 256)]}, "data.items.0.name"),
    ("cart.updated", {"items": [item(options=[{"name": "Size"}])]}, "data.items.0.options.0.value"),
    ("cart.updated", {"checkout_stage": "thanks"}, "data.checkout_stage"),
    ("cart.updated", {"active": 1}, "data.active"),
    ("cart.updated", {"active": "true"}, "data.active"),
    ("cart.updated", {"discount": -1}, "data.discount"),
    ("cart.updated", {"currency_digits": 5}, "data.currency_digits"),
    ("cart.updated", {"locale": "not a locale"}, "data.locale"),
    ("cart.updated", {"customer": "anna"}, "data.customer"),
    ("cart.updated", {"customer": {"email": 7}}, "data.customer.email"),
    ("cart.updated", {"customer": {"email": "a" * 255}}, "data.customer.email"),
    ("cart.updated", {"customer": {"orders_count": 2**31}}, "data.customer.orders_count"),
    ("cart.updated", {"intent_trace": {"reason_code": "mood"}}, "data.intent_trace.reason_code"),
    ("cart.updated", {"intent_trace": {"reason_code": ["other"]}}, "data.intent_trace.reason_code"),
    ("cart.updated", {"intent_trace": {"reason_code": {}}}, "data.intent_trace.reason_code"),
    ("cart.updated", {"consent": {"marketing": "yes", "at": AT, "source": "x"}}, "data.consent.marketing"),
    ("cart.updated", {"consent": {"marketing": True, "at": AT}}, "data.consent.source"),
    ("cart.merged", {"into_quote_id": None}, "data.into_quote_id"),
    ("order.placed", {"state": "shipped"}, "data.state"),
    ("order.placed", {"customer": None}, "data.customer"),
    ("order.placed", {"placed_at": "0001-01-01T00:00:00Z"}, "data.placed_at"),
    ("order.placed", {"refunded_total": 1.5}, "data.refunded_total"),
    ("product.updated", {"products": []}, "data.products"),
    ("product.updated", {"products": [PRODUCT] * 101}, "data.products"),
    ("product.updated", {"products": [PRODUCT | {"price": -1}]}, "data.products.0.price"),
    ("product.updated", {"products": [PRODUCT | {"in_stock": None}]}, "data.products.0.in_stock"),
    ("product.updated", {"products": [PRODUCT | {"stock_quantity": -1}]}, "data.products.0.stock_quantity"),
    ("policy.updated", {"policies": [POLICY | {"kind": "mood"}]}, "data.policies.0.kind"),
    ("policy.updated", {"policies": [POLICY | {"facts": [{"amount": 1}]}]}, "data.policies.0.facts.0.name"),
    ("consent.updated", {"consent": None}, "data.consent"),
    ("email.bounced", {"at": None}, "data.at"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "change", "path"), MALFORMED, ids=lambda value: str(value)[:60])
async def test_what_is_malformed_is_refused_by_path(shop: Shop, event: str, change: dict[str, Any], path: str) -> None:
    await refused(await shop.send(event, EVERY_EVENT[event] | change), path)
    assert not await HookDelivery.exists()


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (b"", "", "json"),
        (b"{", "", "json"),
        (b"[]", "type", "missing"),
        (b"null", "", "model_type"),
        (b'"cart"', "", "model_type"),
        (b"7", "", "model_type"),
        (b"[" * 5000, "", "json"),
        (b'{"a":' * 5000, "", "json"),
        (b'{"type":"cart.updated","occurred_at":"2026-11-23T10:00:00Z","store":"en","data":[]}', "data", None),
        (b'{"type":"cart.updated","occurred_at":"2026-11-23T10:00:00Z","store":"en"}', "data", "missing"),
        (b'{"type":7,"occurred_at":"2026-11-23T10:00:00Z","data":{}}', "type", "string_type"),
        (b'{"type":"cart.eaten\\u0000","occurred_at":"2026-11-23T10:00:00Z","data":{}}', "type", "unknown_event"),
        (b'{"type":"cart.updated","occurred_at":"now","data":{}}', "occurred_at", "value_error"),
        (b'{"type":"cart.updated","occurred_at":"0001-01-01T00:00:00+01:00","data":{}}', "occurred_at", None),
        (b'{"type":"cart.updated","occurred_at":NaN,"data":{}}', "", "json"),
    ],
)
async def test_an_envelope_that_is_none_is_refused(shop: Shop, body: bytes, path: str, code: str | None) -> None:
    await refused(await shop.post(body, signed_headers(shop.secret, body)), path, code)


@pytest.mark.parametrize("store", ["pl", "EN", "x\x00", "", "x" * 65])
async def test_a_store_of_another_name_is_refused(shop: Shop, store: str) -> None:
    await refused(await shop.send("cart.updated", CART, store=store), "store")


async def test_half_an_emoji_loses_the_emoji_and_not_the_cart(shop: Shop) -> None:
    # JavaScript's JSON.stringify writes a text cut in the middle of an emoji as a lone surrogate.
    body = orjson.dumps({"type": "cart.updated", "occurred_at": AT, "store": "en", "data": CART}).replace(
        b"Jacket K-12", b"Jacket \\ud83d and \\u0000 \\ud83d\\ude00"
    )
    assert (await shop.post(body, signed_headers(shop.secret, body))).status_code == 200
    assert [line.name for line in (await shop.stored()).items] == ["Jacket and 😀"]


async def test_texts_are_cleaned_wherever_they_come_in(shop: Shop) -> None:
    dirty = "a\x00b\u202e\U000e0041\x07 \n c"
    clean = "ab\u202e c"
    await shop.tell(
        "cart.updated",
        CART
        | {
            "items": [item(name=dirty, sku=dirty, options=[{"name": dirty, "value": dirty}])],
            "coupon_codes": [dirty],
            "customer": {"email": ADDRESS, "first_name": dirty, "group": dirty},
            "intent_trace": {"reason_code": "other", "note": dirty},
        },
    )
    await shop.tell("product.updated", {"products": [PRODUCT | {"name": dirty, "description": f"<b>{dirty}</b>"}]})
    await shop.tell("policy.updated", {"policies": [POLICY | {"text": dirty}]})
    await shop.tell("order.placed", ORDER | {"number": dirty, "coupon_codes": [dirty]})
    cart = await shop.stored()
    (line,) = cart.items
    assert [line.name, line.sku, cart.first_name, cart.customer_group, *cart.coupon_codes] == [clean] * 5
    assert line.options == [{"name": clean, "value": clean}]
    assert cart.intent_trace == {"reason_code": "other", "note": clean}
    assert (await Product.get()).name == clean
    assert "\x00" not in (await Policy.get()).text
    assert (await Order.get()).number == clean


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://evil.example.org/x", "url_host_unknown"),
        (f"http://{HOST}/x", "url_not_https"),
        ("javascript:alert(1)", "url_not_https"),
        (f"https://{HOST}@evil.example.org/", "url_host_unknown"),
        (f"https://evil.example.org#@{HOST}/", "url_host_unknown"),
        (f"https://evil.example.org\\@{HOST}/", "not_a_url"),
        (f"https://anna:secret@{HOST}/", "url_host_unknown"),
        (f"https://{HOST}.evil.example.org/", "url_host_unknown"),
        ("https://[::1", "not_a_url"),
        ("//evil.example.org/", "url_not_https"),
        ("/cart", "url_not_https"),
        (f"https://{HOST}/" + "x" * 2048, "url_too_long"),
        ("http://127.0.0.1/", "url_host_unknown"),
    ],
)
async def test_a_link_that_is_not_the_shops_is_dropped_and_told(shop: Shop, url: str, code: str) -> None:
    data = CART | {"cart_url": url, "restore_url": f"https://{HOST}/r", "items": [item(image_url=url)]}
    told = await warned(await shop.send("cart.updated", data))
    assert told == [("data.items.0.image_url", code), ("data.cart_url", code)]
    cart = await shop.stored()
    assert (cart.cart_url, cart.restore_url, cart.items[0].image_url) == (None, f"https://{HOST}/r", None)


@pytest.mark.parametrize(
    "address",
    [
        "anna", "anna@", "@example.com", "anna@example", "a b@example.com", "a@b.c,d@e.f", "<a@b.com> SIZE=1",
        "a@b..com",
        "anna@exam\nple.com", "anna\u200b@example.com", "a@-b.com", "x" * 65 + "@example.com", "ann@a@example.com",
    ],
)  # fmt: skip
async def test_what_is_no_address_is_dropped_and_told(shop: Shop, address: str) -> None:
    told = await warned(await shop.send("cart.updated", CART | {"customer": {"email": address}}))
    assert told == [("data.customer.email", "not_an_address")]
    assert (await shop.stored()).email is None


async def test_a_hook_from_the_future_happened_now(shop: Shop) -> None:
    await shop.cart(at=MORNING.replace(year=2030))
    cart = await shop.stored()
    assert (cart.occurred_at, cart.activity_at) == (shop.now, shop.now)


texts = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(["\x00", "\ud800", "😀", "é" * 70])
numbers = st.integers() | st.floats() | st.sampled_from([2**31, 2**53, 2**63, 2**64, -1, 1.0, 1e308])
leaves: st.SearchStrategy[Any] = st.none() | st.booleans() | numbers | texts | st.just([]) | st.just({})
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, part in inner:
        found += _places(part, (*path, name))
    return found


def _changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = _changed(copy[path[0]], path[1:], value)
    return copy


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    return _at(document[path[0]], path[1:]) if path else document


def _fitting(value: Any) -> st.SearchStrategy[Any]:
    """Another value of the same kind, so that many a payload is taken and its values reach the database."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return st.booleans() if isinstance(value, bool) else st.just(value)
    return texts if isinstance(value, str) else numbers


async def test_no_payload_breaks_anything(shop: Shop) -> None:
    """Any value at any place of any event: taken or refused by name, never an error of ours."""
    full = EVERY_EVENT | {"cart.updated": FULL_CART}

    @st.composite
    def bodies(draw: st.DrawFn) -> bytes:
        event = draw(st.sampled_from(sorted(full)))
        document = {"type": event, "occurred_at": AT, "store": "en", "data": full[event]}
        for _ in range(draw(st.integers(1, 2))):
            path = draw(st.sampled_from([path for path in _places(document) if len(path) > 1] or [("data",)]))
            fitting = _fitting(_at(document, path))
            document = _changed(document, path, draw(st.one_of(fitting, fitting, fitting, values)))
        if draw(st.integers(0, 9)) == 0:
            document |= {draw(st.sampled_from(["type", "occurred_at", "store", "data"])): draw(values)}
        return _json(document)

    seen: list[bytes] = []

    @settings(max_examples=300, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(bodies())
    def collect(body: bytes) -> None:
        seen.append(body)

    collect()
    answered = Counter[int]()
    for body in seen:
        response = await shop.post(body, signed_headers(shop.secret, body))
        assert response.status_code in {200, 422}, (response.status_code, body)
        answered[response.status_code] += 1
        if response.status_code == 422:
            assert all(error["code"] for error in response.json()["errors"])
    assert min(answered[200], answered[422]) > 30, answered


def _json(document: Any) -> bytes:
    """JSON as JavaScript writes it: lone surrogates escaped; what JSON cannot say left to the reader."""

    return json.dumps(document, ensure_ascii=True).encode()
