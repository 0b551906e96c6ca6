"""The fake shop's rules and coupons against the recorded ones: shape, nulls, messages, and the traps by name."""

from collections.abc import Callable

import httpx2
import pytest

from tests.magento import coupon_scenes as scenes
from tests.magento.fake import NEEDED, TOKEN, FakeMagento
from tests.magento.fake_coupons import FOR_COUPONS
from tests.magento.records import differences, record
from tests.magento.scenes import guest, nothing

BEARER = {"authorization": f"Bearer {TOKEN}", "accept": "application/json"}

SAME: list[tuple[Callable[[FakeMagento], None], str]] = [
    (nothing, "052 206 207 210 211 212 213 214 215 224 466"),
    (scenes.ruled, "208 209 216 217 219 222 223 225 226 227 228 229 238 359"),
    (scenes.two_rules, "218"),
    (scenes.coded, "220 221 235 236 237"),
    (scenes.at_cart, "241 242 243"),
    (scenes.with_code, "244 247"),
    (scenes.at_polish, "248 251 252"),
    (scenes.polish_with_lower, "253 254 255"),
    (scenes.to_delete, "259"),
    (scenes.coded, "260"),
    (scenes.deleting, "264 265"),
    (scenes.once_used, "303 304 310"),
    (scenes.keeping, "383 385"),
    (scenes.lost_code, "384"),
    (scenes.kept_second, "386"),
    (scenes.dated, "369 371 373"),
    (scenes.admins, "399"),
    (scenes.crossing, "415 416 417"),
    (scenes.once_per_customer, "452"),
    (scenes.for_customers, "453"),
    (scenes.nothing_left, "465"),
]
CASES = [(number, prepare) for prepare, numbers in SAME for number in numbers.split()]


@pytest.fixture
def shop(magento: FakeMagento) -> FakeMagento:
    """One whose integration may make coupons."""
    magento.switches.granted = NEEDED | FOR_COUPONS
    return magento


async def ask(fake: FakeMagento, number: str) -> httpx2.Response:
    """Ask the fake what the record asked the real shop."""
    told = record(number)
    address = f"{fake.url}{told.path}" + (f"?{told.query}" if told.query else "")
    async with httpx2.AsyncClient(verify=False) as client:
        return await client.request(told.method, address, headers=BEARER, json=told.sent)


@pytest.mark.parametrize(("number", "prepare"), CASES, ids=[number for number, _ in CASES])
async def test_the_fake_answers_as_the_real_shop(
    shop: FakeMagento, number: str, prepare: Callable[[FakeMagento], None]
) -> None:
    prepare(shop)
    response, real = await ask(shop, number), record(number)
    assert response.status_code == real.status
    assert differences(real.body, response.json(), ignored=frozenset({"search_criteria", "applied_rule_ids"})) == []
    if isinstance(real.body, dict) and real.status != 200:
        assert response.json()["message"].split("Report ID")[0] == real.body["message"].split("Report ID")[0]
        assert response.json().get("parameters") == real.body.get("parameters")


async def test_limits_come_from_the_rule(shop: FakeMagento) -> None:
    scenes.ruled(shop)
    told = (await ask(shop, "219")).json()
    real = record("219").body
    assert (told["usage_limit"], told["usage_per_customer"]) == (real["usage_limit"], real["usage_per_customer"])
    assert record("219").sent["coupon"]["usage_limit"] == 7


async def test_a_code_that_does_not_fit_throws_the_one_before_out(shop: FakeMagento) -> None:
    scenes.keeping(shop)
    await ask(shop, "383")
    assert (await ask(shop, "384")).json() == record("384").body == []


async def test_a_store_code_in_the_path_moves_the_cart(shop: FakeMagento) -> None:
    scenes.crossing(shop)
    for number in ("415", "416", "417"):
        await ask(shop, number)
    assert [shop.state.quotes[quote_id].store_id for quote_id in (332, 333, 334)] == [1, 1, 2]


async def test_a_one_time_code_is_used_twice_while_the_consumer_sleeps(shop: FakeMagento) -> None:
    scenes.deleting(shop)
    marketing = shop.state.marketing
    marketing.consumer_sleeps = True
    for quote_id in (1, 2):
        cart = guest(shop, quote_id, 1)
        shop.state.add(cart, "BP-30")
        shop.state.pay(cart, "anna@example.com")
        shop.state.type_code(cart, "back-iso00001")
        shop.place(cart)
    assert marketing.coupons[1]["times_used"] is None
    marketing.consume()
    assert marketing.coupons[1]["times_used"] == 2
    with pytest.raises(Exception, match="isn't valid"):
        marketing.discount("BACK-ISO00001", None)


async def test_a_missing_right_is_named(shop: FakeMagento) -> None:
    shop.switches.granted = NEEDED
    response = await ask(shop, "007")
    assert (response.status_code, response.json()) == (record("007").status, record("007").body)
