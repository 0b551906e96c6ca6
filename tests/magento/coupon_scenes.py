"""Price rules, coupons and carts as they were when the real shop's were recorded."""

from typing import Any

from tests.magento.fake import FakeMagento
from tests.magento.records import record
from tests.magento.scenes import guest, paid, polish
from tests.magento.state import Quote

EXPIRED = "2020-01-01 00:00:00"


def ruled(fake: FakeMagento) -> None:
    """The first rule, as it was recorded."""
    fake.state.marketing.save_rule(dict(record("207").sent["rule"]))


def coded(fake: FakeMagento) -> None:
    ruled(fake)
    fake.state.marketing.save_coupon(dict(record("219").sent["coupon"]))


def coupon(fake: FakeMagento, code: str, **more: Any) -> None:
    fake.state.marketing.save_coupon({"rule_id": 1, "code": code, "type": 1, **more})


def two_rules(fake: FakeMagento) -> None:
    ruled(fake)
    ruled(fake)


def at_cart(fake: FakeMagento) -> None:
    """Cart 1 of the default store, a code of the rule, none in the cart."""
    coded(fake)
    paid(fake)


def with_code(fake: FakeMagento) -> None:
    at_cart(fake)
    fake.state.type_code(fake.state.quotes[1], "BACK-AAAA2222")


def at_polish(fake: FakeMagento) -> None:
    coded(fake)
    for code in ("BACK Ż/ó 1", "BACK-NOEXP1"):
        coupon(fake, code)
    coupon(fake, "BACK-EXPIRED1", expiration_date=EXPIRED)
    polish(fake)


def polish_with_lower(fake: FakeMagento) -> None:
    at_polish(fake)
    fake.state.type_code(fake.state.quotes[2], "back-noexp1")


def to_delete(fake: FakeMagento) -> None:
    ruled(fake)
    for number in range(60):
        coupon(fake, f"CODE-{number}")


def deleting(fake: FakeMagento) -> None:
    ruled(fake)
    coupon(fake, "BACK-ISO00001")


def once_used(fake: FakeMagento) -> None:
    ruled(fake)
    coupon(fake, "BACK-ONCE0001")
    fake.state.marketing.coupons[1]["times_used"] = 1
    fake.state.add(guest(fake, 9, 2), "BP-30")


def keeping(fake: FakeMagento) -> None:
    ruled(fake)
    coupon(fake, "BACK-KEEP0001")
    coupon(fake, "BACK-KEEP0002")
    cart = guest(fake, 325, 2)
    fake.state.add(cart, "BP-30")
    fake.state.type_code(cart, "BACK-KEEP0001")


def lost_code(fake: FakeMagento) -> None:
    keeping(fake)
    cart = fake.state.quotes[325]
    cart.coupon, cart.discount = None, 0


def kept_second(fake: FakeMagento) -> None:
    keeping(fake)
    fake.state.type_code(fake.state.quotes[325], "BACK-KEEP0002")


def dated(fake: FakeMagento) -> None:
    """Rules that are over, that end today, and that are switched off."""
    for number, name in (("367", "PASTRULE01"), ("370", "TODAYRULE1"), ("372", "INACTRULE1")):
        fake.state.marketing.save_rule(dict(record(number).sent["rule"]))
        coupon(fake, name, rule_id=len(fake.state.marketing.rules))
    fake.state.add(guest(fake, 322, 2), "BP-30")


def crossing(fake: FakeMagento) -> None:
    ruled(fake)
    for number, (quote_id, store_id) in enumerate(((332, 2), (333, 1), (334, 2)), 1):
        coupon(fake, f"BACK-CROSS00{number}")
        fake.state.add(guest(fake, quote_id, store_id), "BP-30")


def admins(fake: FakeMagento) -> None:
    ruled(fake)
    coupon(fake, "BACK-ADMTOK01")
    fake.state.add(guest(fake, 328, 2), "BP-30")


def once_per_customer(fake: FakeMagento) -> None:
    fake.state.marketing.save_rule(dict(record("207").sent["rule"]) | {"uses_per_customer": 1})
    coupon(fake, "ONCECUST01")
    coupon(fake, "ONCECUST02")
    for quote_id, code in ((339, "ONCECUST01"), (340, None)):
        cart = _customers(fake, quote_id)
        if code:
            fake.state.type_code(cart, code)
            fake.place(cart)


def _customers(fake: FakeMagento, quote_id: int) -> Quote:
    cart = guest(fake, quote_id, 2)
    fake.state.add(cart, "BP-30")
    fake.state.log_in(cart, 1, "john@example.com")
    return cart


def for_customers(fake: FakeMagento) -> None:
    fake.state.marketing.save_rule(dict(record("207").sent["rule"]) | {"customer_group_ids": [1]})
    coupon(fake, "ONLYGEN001")
    fake.state.add(guest(fake, 341, 2), "BP-30")


def nothing_left(fake: FakeMagento) -> None:
    ruled(fake)
    for number in range(3):
        coupon(fake, f"X-{number}")
