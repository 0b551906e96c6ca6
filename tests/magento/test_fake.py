"""The fake shop against the recorded one: asked the same, it answers in the same shape and with the same nulls."""

from collections.abc import Callable
from datetime import timedelta

import httpx2
import pytest

from tests.magento.fake import NEEDED, STORES, TOKEN, FakeMagento
from tests.magento.oauth import Consumer, signature
from tests.magento.records import differences, record
from tests.magento.scenes import (
    all_hidden,
    broken,
    cancelled,
    deleted_customer,
    empty,
    guest,
    hidden_row,
    nothing,
    only_email,
    ordered,
    paid,
    polish,
    polish_paid,
    polish_shipped,
    refunded,
    registered,
    registered_empty,
    repriced,
    several,
    shipped,
    virtual,
    virtual_paid,
    with_coupon,
    with_items,
)

BEARER = {"authorization": f"Bearer {TOKEN}", "accept": "application/json"}
#: Only in the real shop's answers: fields that nobody here reads.
UNREAD = frozenset(
    "add_to_cart_button add_to_compare_button extension_attributes.review_html formatted_prices search_criteria "
    "swatch_image stock_item category_links applied_rule_ids discount_description".split()
)


SAME: list[tuple[Callable[[FakeMagento], None], str]] = [
    (nothing, "009 016 017 018 019 020 023 024 027 033 034 036 037 039 040 043 044 046 049 050 062 065 068 195 470"),
    (nothing, "057 058 059 060 061 063 069 072 074 077 099 100 101 102 434 471"),
    (empty, "107 108 109 110"),
    (with_items, "113 114 115 116 121 123 126:shipped 127:shipped 128:shipped 129:shipped"),
    (paid, "133 134 135 136 137 138 139 140"),
    (several, "187 198"),
    (with_coupon, "245 246"),
    (ordered, "274 275 276 277 278 283 284 285 286 287 290 291"),
    (polish, "144 146 147 150 151 152"),
    (polish_shipped, "154 156"),
    (polish_paid, "158 160 161 175 177"),
    (only_email, "162 164 165"),
    (virtual, "166 168 169"),
    (virtual_paid, "171 173 174"),
    (registered_empty, "317"),
    (registered, "319 320 321 322"),
    (repriced, "339"),
    (hidden_row, "343 344"),
    (all_hidden, "352 353"),
    (deleted_customer, "402"),
    (refunded, "429"),
    (cancelled, "306"),
    (broken, "459 462 463"),
]
CASES = [
    (number.partition(":")[0], shipped if number.endswith(":shipped") else prepare)
    for prepare, numbers in SAME
    for number in numbers.split()
    if number not in {"009", "068", "470"}
]


async def ask(fake: FakeMagento, number: str, headers: dict[str, str] = BEARER) -> httpx2.Response:
    """Ask the fake what the record asked the real shop."""
    told = record(number)
    address = f"{fake.url}{told.path}" + (f"?{told.query}" if told.query else "")
    sent = {} if told.auth == "none" else dict(headers)
    if number == "043":
        sent["accept"] = "text/html"
    async with httpx2.AsyncClient(verify=False) as client:
        return await client.request(told.method, address, headers=sent)


def order_fields(number: str) -> frozenset[str]:
    """The real orders have a hundred more fields; the fake gives those that a client could want."""
    told, fake = record(number).body, _known_order_fields()
    order = told["items"][0] if "items" in told and "entity_id" not in told else told
    rows = set().union(*(set(row) for row in order.get("items", [])))
    return frozenset((set(order) | rows) - fake)


def _known_order_fields() -> set[str]:
    return set(
        "base_currency_code base_discount_amount base_grand_total coupon_code created_at customer_email "
        "customer_group_id customer_is_guest discount_amount entity_id grand_total increment_id order_currency_code "
        "quote_id shipping_amount state status store_id subtotal subtotal_incl_tax tax_amount total_canceled "
        "total_refunded updated_at items item_id name order_id price price_incl_tax product_id product_type "
        "qty_ordered quote_item_id row_total row_total_incl_tax sku parent_item_id".split()
    )


@pytest.mark.parametrize(("number", "prepare"), CASES, ids=[number for number, _ in CASES])
async def test_the_fake_answers_as_the_real_shop(
    magento: FakeMagento, number: str, prepare: Callable[[FakeMagento], None]
) -> None:
    prepare(magento)
    response = await ask(magento, number)
    real = record(number)
    assert response.status_code == real.status
    if "json" not in real.headers["content-type"]:
        assert response.text.lstrip().startswith("<!doctype")
        return
    ignored = UNREAD
    if "/orders" in real.path and real.status == 200 and real.body.get("items") is not None:
        rows = real.body["items"]
        ignored |= order_fields(number) if rows else frozenset()
    if real.path.split("/")[-1] == "products-render-info" or "/products" in real.path:
        ignored |= frozenset({"extension_attributes", "custom_attributes", "weight", "label", "media_gallery_entries"})
    if real.status == 200:
        assert differences(real.body, response.json(), ignored=ignored) == []
    else:
        assert differences(real.body, response.json()) == []
        assert response.json()["message"].split("Report ID")[0] == real.body["message"].split("Report ID")[0]


def test_there_are_enough_records() -> None:
    assert len({number for number, _ in CASES}) >= 60


@pytest.mark.parametrize("number", ["001", "002", "003", "054"])
async def test_a_401_looks_the_same_whatever_its_cause(magento: FakeMagento, number: str) -> None:
    headers = {"001": {}, "002": {"authorization": "Bearer wrong"}}.get(number, BEARER)
    if number == "003":
        magento.switches.granted = frozenset()
    if number == "054":
        magento.switches.bearer = False
    response = await ask(magento, number, headers)
    assert (response.status_code, response.json()) == (record(number).status, record(number).body)


@pytest.mark.parametrize("number", ["012", "015", "397", "398", "011"])
async def test_refused_signatures_are_told_as_by_the_real_shop(magento: FakeMagento, number: str) -> None:
    headers = {"host": magento.url.removeprefix("http://")}
    told = {"oauth_consumer_key": magento.consumer.key, "oauth_token": magento.consumer.token}
    told |= {"oauth_signature_method": "HMAC-SHA256", "oauth_timestamp": "1760000000", "oauth_nonce": "n1"}
    told |= {"oauth_version": "1.0"}
    told |= {"397": {"oauth_consumer_key": "other"}, "398": {"oauth_token": "other"}}.get(number, {})
    if number == "011":
        told["oauth_signature_method"] = "HMAC-SHA1"
    if number == "015":
        magento.consumer.nonces.add("n1")
    told["oauth_signature"] = "wrong"
    headers["authorization"] = "OAuth " + ",".join(f'{name}="{value}"' for name, value in told.items())
    async with httpx2.AsyncClient(verify=False) as client:
        response = await client.get(f"{magento.url}/rest/all/V1/store/storeConfigs", headers=headers)
    assert response.status_code == record(number).status
    assert response.json()["message"] == record(number).body["message"]


def test_the_fakes_signature_is_magentos_own() -> None:
    """A vector made by Magento's own signer."""
    told = {
        "oauth_consumer_key": "ckey00000000000000000000000000ck", "oauth_token": "tokn00000000000000000000000000tk",
        "oauth_signature_method": "HMAC-SHA256", "oauth_timestamp": "1760000000", "oauth_nonce": "nonce0001",
        "oauth_version": "1.0",
    }  # fmt: skip
    url = "https://shop.example.com/rest/all/V1/store/storeConfigs"
    assert signature(Consumer(), "GET", url, list(told.items())) == "bbVzo/tlmOgN1ampOoUeE0Sjx8LD9ReYHMnxrv9F1qo="


async def get(fake: FakeMagento, target: str) -> httpx2.Response:
    async with httpx2.AsyncClient(verify=False) as client:
        return await client.get(f"{fake.url}{target}", headers=BEARER, timeout=2)


@pytest.mark.parametrize(("number", "expected"), [("312", [2]), ("313", [2]), ("314", [2])], ids=["0", "false", "true"])
async def test_words_for_booleans_are_read_as_zero(magento: FakeMagento, number: str, expected: list[int]) -> None:
    guest(magento, 1, 1)
    guest(magento, 2, 1).is_active = False
    response = await ask(magento, number)
    assert [cart["id"] for cart in response.json()["items"]] == expected
    assert not any(cart["is_active"] for cart in record(number).body["items"])


async def test_null_is_neither_equal_nor_unequal(magento: FakeMagento) -> None:
    with_items(magento)
    target = "/rest/all/V1/carts/search?searchCriteria[filter_groups][0][filters][0][field]=customer_email"
    target += "&searchCriteria[filter_groups][0][filters][0][value]=x&searchCriteria[filter_groups][0][filters][0]"
    assert (await get(magento, f"{target}[condition_type]=neq")).json()["total_count"] == 0
    assert (await get(magento, f"{target}[condition_type]=null")).json()["total_count"] == 1


async def test_the_store_code_in_the_path_belies_the_store(magento: FakeMagento) -> None:
    polish(magento)
    for scope, told in (("all", 2), ("default", 1), ("pl", 2)):
        assert (await get(magento, f"/rest/{scope}/V1/carts/2")).json()["store_id"] == told
    listed = await get(magento, "/rest/default/V1/carts/search?searchCriteria[page_size]=5")
    assert listed.json()["items"][0]["store_id"] == 2


async def test_a_read_by_id_moves_a_cart_that_waits_to_be_recollected(magento: FakeMagento) -> None:
    repriced(magento)
    cart = magento.state.quotes[12]
    cart.updated_at = "2026-01-01 00:00:00"
    await get(magento, "/rest/all/V1/carts/search?searchCriteria[page_size]=5")
    assert cart.updated_at == "2026-01-01 00:00:00"
    await get(magento, "/rest/all/V1/carts/12/totals")
    assert cart.updated_at == magento.state.stamp()


async def test_pages_past_the_end(magento: FakeMagento) -> None:
    for quote_id in (1, 2, 3):
        guest(magento, quote_id, 1)
    target = "/rest/all/V1/carts/search?searchCriteria[page_size]=2&searchCriteria[current_page]=9"
    target += "&searchCriteria[sort_orders][0][field]=entity_id&searchCriteria[sort_orders][0][direction]=ASC"
    assert (await get(magento, target)).json()["items"] == []
    magento.switches.clamp = True
    assert [cart["id"] for cart in (await get(magento, target)).json()["items"]] == [3]


async def test_the_input_limit_refuses_only_the_camel(magento: FakeMagento) -> None:
    magento.switches.input_limit = 100
    snake = await get(magento, "/rest/all/V1/carts/search?searchCriteria[page_size]=300")
    camel = await get(magento, "/rest/all/V1/carts/search?searchCriteria[pageSize]=300")
    assert (snake.status_code, camel.json()) == (200, record("410").body)


@pytest.mark.parametrize("down", ["503", "502", "fatal"])
async def test_a_shop_that_is_down(magento: FakeMagento, down: str) -> None:
    magento.switches.down = down
    assert (await get(magento, "/rest/V1/carts/search?searchCriteria=")).status_code >= 500


@pytest.mark.parametrize("down", ["hang", "refuse"])
async def test_a_shop_that_does_not_answer(magento: FakeMagento, down: str) -> None:
    magento.switches.down = down
    with pytest.raises(httpx2.HTTPError):
        await get(magento, "/rest/V1/carts/search?searchCriteria=")


async def test_one_poison_cart_breaks_its_page(magento: FakeMagento) -> None:
    with_items(magento)
    guest(magento, 2, 1)
    magento.switches.poison[2] = "500"
    order = "&searchCriteria[sort_orders][0][field]=entity_id&searchCriteria[sort_orders][0][direction]=ASC"
    target = f"/rest/all/V1/carts/search?searchCriteria[page_size]=%d{order}"
    assert [(await get(magento, target % size)).status_code for size in (1, 2)] == [200, 500]


async def test_too_many_requests_say_when_to_come_back(magento: FakeMagento) -> None:
    magento.switches.too_many = 1
    response = await get(magento, "/rest/V1/carts/search?searchCriteria=")
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert (await get(magento, "/rest/V1/carts/search?searchCriteria=")).status_code == 200


async def test_the_date_is_the_shops_own(magento: FakeMagento) -> None:
    magento.state.skew = timedelta(minutes=10)
    response = await get(magento, "/rest/V1/carts/search?searchCriteria=")
    assert response.headers["date"] == "Mon, 23 Nov 2026 10:10:00 GMT"


async def test_a_missing_right_is_named(magento: FakeMagento) -> None:
    magento.switches.granted = NEEDED - {STORES}
    response = await ask(magento, "044")
    assert response.json() == record("004").body


async def test_a_rule_edit_moves_all_carts_and_a_merged_cart_is_gone(magento: FakeMagento) -> None:
    with_items(magento)
    polish(magento)
    magento.state.quotes[1].updated_at = "2026-01-01 00:00:00"
    magento.state.edit_rule()
    assert magento.state.quotes[1].updated_at == magento.state.stamp()
    magento.state.merge(magento.state.quotes[2])
    assert (await get(magento, "/rest/all/V1/carts/2")).status_code == 404


def test_a_difference_would_be_seen() -> None:
    real = {"a": None, "b": [{"c": 1}], "d": "x"}
    assert differences(real, {"a": 0, "b": [{"c": 1.5}], "e": "x"}) == [
        ".d is only in the real shop", ".e is only here", ".a is null in the real shop and number here",
    ]  # fmt: skip
    assert differences([1], []) == [" is not empty in the real shop and empty here"]
