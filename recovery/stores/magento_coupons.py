"""One-time codes in Magento: made so that asking twice makes one, put into a cart, and forgotten when they are over."""

from typing import Any
from urllib.parse import quote

import structlog

from recovery.stores.base import CouponWanted, ShopBusy, ShopRefused, WrongRule
from recovery.stores.magento_criteria import Criteria
from recovery.stores.magento_errors import Cause, MagentoBroken, NotThere, RequestRefused
from recovery.stores.magento_http import MagentoHttp
from recovery.stores.magento_reading import decimal, listed, mapped, text
from recovery.stores.magento_rules import RuleWanted, find_or_make

#: Codes that were made for a rule, not typed by a merchant; a rule that generates its codes takes no others.
GENERATED = 1

log = structlog.get_logger()


async def make(http: MagentoHttp, wanted: CouponWanted) -> list[WrongRule]:
    """Have the shop take a code on the rule of its website and percent; rules of ours that were found wrong.

    Raises:
        ShopRefused: the code is another rule's, or the shop takes none such.
        MagentoError: nobody knows whether the shop took it; asked again, it looks first.
    """
    rule = RuleWanted(wanted.website_id, wanted.percent, wanted.uses_per_customer)
    rule_id, wrong = await find_or_make(http, rule)
    told = await _look_up(http, wanted.code) if wanted.asked_before else None
    if told is None:
        told = await _post(http, wanted, rule_id)
    await _check(http, told, wanted, rule_id)
    if wanted.quote_id is not None:
        await _attach(http, wanted.quote_id, wanted.code)
    return wrong


async def forget(http: MagentoHttp, code: str, *, at_once: bool) -> None:
    """Delete a code; that there is none is as good.

    A code that goes while it lies in a cart makes the order fail once and takes the discount away without a word.

    Raises:
        ShopBusy: an active cart holds it, and ``at_once`` is not set.
        ShopRefused: the shop keeps it.
    """
    if not at_once and await _is_held(http, code):
        raise ShopBusy("an active cart holds the code")
    body = {"codes": [code], "ignoreInvalidCoupons": True}
    answer = mapped(await http.change("POST", "coupons/deleteByCodes", body))
    if code.upper() in {text(failed).upper() for failed in listed(answer.get("failed_items"))}:
        raise ShopRefused("Magento did not delete the code")


async def _post(http: MagentoHttp, wanted: CouponWanted, rule_id: str) -> dict[str, Any]:
    coupon = {
        "rule_id": int(rule_id),
        "code": wanted.code,
        "type": GENERATED,
        "is_primary": False,
        "times_used": 0,
        # Magento copies the limits from the rule whatever is sent, and never looks at the date.
        "usage_limit": 1,
        "usage_per_customer": wanted.uses_per_customer,
        "expiration_date": f"{wanted.expires_at:%Y-%m-%d %H:%M:%S}",
    }
    try:
        return mapped(await http.change("POST", "coupons", {"coupon": coupon}))
    except RequestRefused as refusal:
        # Refused because it exists, or because it never will: only a look tells, as the words are translated.
        known = await _look_up(http, wanted.code)
        if known is None:
            raise ShopRefused(refusal.detail) from refusal
        return known


async def _look_up(http: MagentoHttp, code: str) -> dict[str, Any] | None:
    asked = Criteria().where("code", "eq", code).first(2)
    rows = [mapped(row) for row in listed(mapped(await http.get("coupons/search", asked)).get("items"))]
    return next((row for row in rows if text(row.get("code")).upper() == code.upper()), None)


async def _check(http: MagentoHttp, told: dict[str, Any], wanted: CouponWanted, rule_id: str) -> None:
    if text(told.get("code")).upper() != wanted.code.upper():
        raise ShopRefused("Magento made a coupon without our code")
    if decimal(told.get("usage_limit")) != 1:
        await forget(http, wanted.code, at_once=True)
        raise ShopRefused("Magento made the code for more than one use")
    mine = text(told.get("rule_id"))
    if mine == rule_id:
        return
    # Made at an earlier asking, on a rule that was right then.
    try:
        row = mapped(await http.get(f"salesRules/{mine}"))
    except NotThere:
        row = {}
    rule = RuleWanted(wanted.website_id, wanted.percent, wanted.uses_per_customer)
    if not rule.is_one(row):
        raise ShopRefused("the code belongs to another price rule")
    await forget(http, wanted.code, at_once=True)
    raise MagentoBroken(Cause.FAILS, "the code hung on a price rule that was changed since; it is made anew")


async def _attach(http: MagentoHttp, quote_id: str, code: str) -> None:
    """Put a code into a cart that holds none: a code that does not fit throws the one that was there out."""
    path = f"carts/{quote(quote_id, safe='')}/coupons"
    try:
        if await http.get(path):
            return
        await http.change("PUT", f"{path}/{quote(code, safe='')}")
    except (NotThere, RequestRefused) as error:
        # Not for this cart, or the cart is gone: the customer has the code in the mail all the same.
        log.info("coupon.not_attached", quote_id=quote_id, answer=error.detail)


async def _is_held(http: MagentoHttp, code: str) -> bool:
    asked = Criteria().where("coupon_code", "eq", code).where("is_active", "eq", True).first(1)
    return bool(listed(mapped(await http.get("carts/search", asked.only("items[id],total_count"))).get("items")))
