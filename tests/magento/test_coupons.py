"""Coupons made in Magento: one rule for all, a code made once however often it is asked for, and taken back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from recovery.stores.base import CouponWanted, ShopBusy, ShopRefused
from recovery.stores.magento import MagentoConnector, open_magento
from recovery.stores.magento_auth import Credentials
from recovery.stores.magento_errors import MagentoAway, NotAllowed
from tests.magento.criteria import Row
from tests.magento.fake import NEEDED, TOKEN, FakeMagento
from tests.magento.fake_coupons import FOR_COUPONS
from tests.shop import Clock

WANTED = CouponWanted("BACK-7KQM-2VHX-D4RTN", 5, datetime(2026, 11, 25, 10, tzinfo=UTC), "1", 0)
NAME = "Cartback 5% [website 1]"


@pytest.fixture
async def shop(magento: FakeMagento, clock: Clock) -> AsyncIterator[MagentoConnector]:
    """The client of a shop that lets coupons be made."""
    magento.switches.granted = NEEDED | FOR_COUPONS
    async with open_magento(magento.url, Credentials(TOKEN), clock.now, allow_private=True, pause=0.01) as connector:
        yield connector


def changes(magento: FakeMagento) -> list[str]:
    """What was not only read."""
    return [target.split(" ", 1)[1].partition("/V1/")[2] for target in magento.asked if not target.startswith("GET")]


async def test_one_rule_carries_the_codes_of_a_percent(magento: FakeMagento, shop: MagentoConnector) -> None:
    for code in ("BACK-1", "BACK-2"):
        assert await shop.make_coupon(replace(WANTED, code=code)) == []
    await shop.make_coupon(replace(WANTED, code="BACK-3", percent=3))
    await shop.make_coupon(replace(WANTED, code="BACK-4", uses_per_customer=2))
    marketing = magento.state.marketing
    assert [rule["name"] for rule in marketing.rules.values()] == [
        NAME, "Cartback 3% [website 1]", "Cartback 5% [website 1, 2 per customer]",
    ]  # fmt: skip
    rule = marketing.rules[1]
    assert (rule["customer_group_ids"], rule["website_ids"], rule["uses_per_coupon"]) == ([0, 1, 2, 3], [1], 1)
    assert [(c["rule_id"], c["code"], c["usage_limit"]) for c in marketing.coupons.values()] == [
        (1, "BACK-1", 1), (1, "BACK-2", 1), (2, "BACK-3", 1), (3, "BACK-4", 1),
    ]  # fmt: skip
    assert marketing.coupons[1]["expiration_date"] == "2026-11-25 10:00:00"
    assert all("/rest/all/V1/" in target for target in magento.asked)


WRONG: list[tuple[str, Any, str]] = [
    ("is_active", False, "it is switched off"),
    ("discount_amount", 50, "it does not give 5 percent"),
    ("simple_action", "by_fixed", "it does not count in percent"),
    ("website_ids", [1, 2], "it is not for website 1 alone"),
    ("customer_group_ids", [1], "it leaves customer groups out"),
    ("uses_per_coupon", 0, "a code of it is not for one use"),
    ("uses_per_customer", 1, "its uses per customer differ"),
    ("use_auto_generation", False, "it takes no codes made outside"),
    ("condition", {"conditions": [{"attribute_name": "base_subtotal"}]}, "it has conditions"),
    ("discount_qty", 1, "it counts only some pieces"),
    ("to_date", "2026-11-22", "it is over"),
    ("from_date", "2026-11-24", "it has not begun"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG, ids=[name for name, _, _ in WRONG])
async def test_a_rule_that_was_edited_is_left_alone(
    magento: FakeMagento, shop: MagentoConnector, name: str, value: Any, words: str
) -> None:
    await shop.make_coupon(replace(WANTED, code="BACK-1"))
    rules = magento.state.marketing.rules
    rules[1][name] = value
    edited = dict(rules[1])
    (wrong,) = await shop.make_coupon(WANTED)
    assert (wrong.rule_id, wrong.name, wrong.faults) == ("1", NAME, (words,))
    assert rules[1] == edited
    assert rules[2]["name"] == f"{NAME} #2"
    assert magento.state.marketing.coupons[2]["rule_id"] == 2


async def test_a_shop_that_spoils_every_rule_is_not_filled_with_them(
    magento: FakeMagento, shop: MagentoConnector
) -> None:
    def doubles(rule: Row) -> None:
        rule["discount_amount"] *= 2

    magento.state.marketing.spoils = doubles
    for _ in range(8):
        with pytest.raises(ShopRefused):
            await shop.make_coupon(WANTED)
    assert len(magento.state.marketing.rules) == 5
    assert magento.state.marketing.coupons == {}


async def test_a_lost_answer_makes_no_second_code_and_no_second_rule(
    magento: FakeMagento, shop: MagentoConnector
) -> None:
    for _ in range(2):  # the rule's answer gets lost, then the code's
        magento.switches.lost_answers = 1
        with pytest.raises(MagentoAway):
            await shop.make_coupon(WANTED)
    assert changes(magento) == ["salesRules", "coupons"]
    await shop.make_coupon(replace(WANTED, asked_before=True))
    assert changes(magento) == ["salesRules", "coupons"]
    assert len(magento.state.marketing.rules) == len(magento.state.marketing.coupons) == 1


async def test_a_code_that_exists_is_ours_or_refused(magento: FakeMagento, shop: MagentoConnector) -> None:
    await shop.make_coupon(WANTED)
    await shop.make_coupon(WANTED)  # as after a crash between the shop's yes and our note of it
    assert len(magento.state.marketing.coupons) == 1
    foreign = magento.state.marketing.save_rule(dict(magento.state.marketing.rules[1]) | {"name": "Spring sale"})
    foreign["rule_id"] = 2
    magento.state.marketing.coupons[1]["rule_id"] = 2
    with pytest.raises(ShopRefused, match="another price rule"):
        await shop.make_coupon(replace(WANTED, asked_before=True))
    assert magento.state.marketing.coupons


async def test_a_missing_right_is_told_by_name(magento: FakeMagento, shop: MagentoConnector) -> None:
    magento.switches.granted = NEEDED
    with pytest.raises(NotAllowed) as caught:
        await shop.make_coupon(WANTED)
    assert caught.value.resource == "Magento_Customer::group"


async def test_a_code_is_put_only_into_a_cart_without_one(magento: FakeMagento, shop: MagentoConnector) -> None:
    state = magento.state
    mine, empty = state.new_cart(2), state.new_cart(2)
    for cart in (mine, empty):
        state.add(cart, "BP-30")
    await shop.make_coupon(replace(WANTED, code="OWN-CODE"))
    state.type_code(mine, "own-code")
    for cart, code in ((mine, "BACK-1"), (empty, "BACK-2")):
        await shop.make_coupon(replace(WANTED, code=code, quote_id=str(cart.id)))
    assert (mine.coupon, empty.coupon) == ("own-code", "BACK-2")
    assert empty.store_id == 2
    # A cart that is gone is no reason to keep the code from the customer.
    empty.is_active = False
    await shop.make_coupon(replace(WANTED, code="BACK-3", quote_id=str(empty.id)))
    assert state.marketing.coupon("BACK-3")


async def test_a_code_in_a_cart_is_not_deleted_under_the_shoppers_hands(
    magento: FakeMagento, shop: MagentoConnector
) -> None:
    await shop.make_coupon(WANTED)
    cart = magento.state.new_cart()
    magento.state.add(cart, "BP-30")
    magento.state.type_code(cart, WANTED.code.lower())
    with pytest.raises(ShopBusy):
        await shop.forget_coupon(WANTED.code, at_once=False)
    assert magento.state.marketing.coupon(WANTED.code)
    await shop.forget_coupon(WANTED.code, at_once=True)
    assert magento.state.marketing.coupon(WANTED.code) is None


async def test_forgetting_twice_is_as_good(magento: FakeMagento, shop: MagentoConnector) -> None:
    await shop.forget_coupon("NO-SUCH", at_once=False)
    assert changes(magento) == ["coupons/deleteByCodes"]


@pytest.mark.parametrize("down", ["503", "502", "refuse"])
async def test_nothing_is_sent_twice_to_a_shop_that_is_away(
    magento: FakeMagento, shop: MagentoConnector, down: str
) -> None:
    magento.switches.down = down
    with pytest.raises(MagentoAway):
        await shop.http.change("POST", "coupons", {"coupon": {}})
    assert len(magento.asked) == 1


async def test_a_change_is_signed_too(magento: FakeMagento, clock: Clock) -> None:
    magento.switches.granted, magento.switches.bearer = NEEDED | FOR_COUPONS, False
    magento.consumer.drops_port = True
    keys = magento.consumer
    credentials = Credentials(keys.token, keys.token_secret, keys.key, keys.secret)
    async with open_magento(magento.url, credentials, clock.now, allow_private=True) as connector:
        await connector.http.change("POST", "coupons/deleteByCodes", {"codes": ["A"], "ignoreInvalidCoupons": True})
    assert len(magento.asked) == 2
