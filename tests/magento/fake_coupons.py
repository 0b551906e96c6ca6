"""The routes of the fake shop about price rules, coupons and the codes of carts."""

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from tests.magento.criteria import BadRequest, Row
from tests.magento.http import Request
from tests.magento.marketing import InvalidCode
from tests.magento.state import VIEWS, Quote, State

CARTS, RULES, GROUPS = "Magento_Cart::manage", "Magento_SalesRule::quote", "Magento_Customer::group"
#: What coupons in Magento need beside reading.
FOR_COUPONS = frozenset({RULES, GROUPS})

_RULE_COLUMNS = set("rule_id name is_active from_date to_date simple_action discount_amount sort_order".split())
_COUPON_COLUMNS = set("coupon_id rule_id code usage_limit times_used expiration_date type".split())


class NoSuchThing(Exception):
    """The 404 of a rule or coupon."""


class Shop(Protocol):
    """What these routes need of the fake."""

    state: State

    def find(self, request: Request, rows: list[Row], columns: set[str]) -> tuple[list[Row], Any, int]: ...

    def quote(self, told: str, *, active: bool = False) -> Quote: ...


def _body(request: Request, name: str) -> Row:
    told = orjson.loads(request.body or b"{}").get(name)
    if told is None:
        raise BadRequest('"%fieldName" is required. Enter and try again.', {"fieldName": name})
    assert isinstance(told, dict)
    return told


def _listed(shop: Shop, request: Request, rows: list[Row], columns: set[str], key: str) -> Row:
    keyed = [{name: row.get(name) for name in columns} for row in rows]
    found, criteria, total = shop.find(request, keyed, columns)
    by_id = {row[key]: row for row in rows}
    return {"items": [by_id[row[key]] for row in found], "search_criteria": criteria, "total_count": total}


def rules(shop: Shop, request: Request, scope: str | None) -> Any:
    return _listed(shop, request, list(shop.state.marketing.rules.values()), _RULE_COLUMNS, "rule_id")


def rule(shop: Shop, request: Request, scope: str | None, told: str) -> Any:
    found = shop.state.marketing.rules.get(int(told))
    if found is None:
        raise NoSuchThing
    if request.method == "PUT":
        found |= _body(request, "rule")
    return found


def new_rule(shop: Shop, request: Request, scope: str | None) -> Any:
    return shop.state.marketing.save_rule(_body(request, "rule"))


def delete_rule(shop: Shop, request: Request, scope: str | None, told: str) -> Any:
    del shop.state.marketing.rules[int(told)]
    return True


def coupons(shop: Shop, request: Request, scope: str | None) -> Any:
    return _listed(shop, request, list(shop.state.marketing.coupons.values()), _COUPON_COLUMNS, "coupon_id")


def coupon(shop: Shop, request: Request, scope: str | None, told: str) -> Any:
    found = shop.state.marketing.coupons.get(int(told))
    if found is None:
        raise NoSuchThing
    if request.method == "DELETE":
        del shop.state.marketing.coupons[int(told)]
        return True
    return found


def new_coupon(shop: Shop, request: Request, scope: str | None) -> Any:
    return shop.state.marketing.save_coupon(_body(request, "coupon"))


def delete_codes(shop: Shop, request: Request, scope: str | None) -> Any:
    told = orjson.loads(request.body)
    if not told.get("ignoreInvalidCoupons", True) and any(
        shop.state.marketing.coupon(code) is None for code in told["codes"]
    ):
        raise BadRequest("Some coupons are invalid.")
    return {"failed_items": [], "missing_items": shop.state.marketing.delete(told["codes"])}


def groups(shop: Shop, request: Request, scope: str | None) -> Any:
    rows = [
        {"id": number, "code": code, "tax_class_id": 3, "tax_class_name": "Retail Customer"}
        for number, code in shop.state.marketing.groups.items()
    ]
    return _listed(shop, request, rows, {"id", "code"}, "id")


def put_code(shop: Shop, request: Request, scope: str | None, told: str, code: str) -> Any:
    """A code that does not fit throws the one that was there out, and the path's store code moves the cart."""
    cart = shop.quote(told, active=True)
    view = next((view for view in VIEWS if view.code == scope), None)
    if view is not None:
        cart.store_id = view.id
    cart.updated_at = shop.state.stamp()
    cart.coupon, cart.discount = None, 0
    cart.discount = shop.state.marketing.discount(code, cart.customer["id"] if cart.customer else None)
    cart.coupon = code
    return True


def take_code(shop: Shop, request: Request, scope: str | None, told: str) -> Any:
    cart = shop.quote(told, active=True)
    cart.coupon, cart.discount, cart.updated_at = None, 0, shop.state.stamp()
    return True


ROUTES: list[tuple[str, str, str, Callable[..., Any]]] = [
    ("GET", r"salesRules/search", RULES, rules),
    ("GET|PUT", r"salesRules/(\d+)", RULES, rule),
    ("DELETE", r"salesRules/(\d+)", RULES, delete_rule),
    ("POST", r"salesRules", RULES, new_rule),
    ("GET", r"coupons/search", RULES, coupons),
    ("GET|DELETE", r"coupons/(\d+)", RULES, coupon),
    ("POST", r"coupons", RULES, new_coupon),
    ("POST", r"coupons/deleteByCodes", RULES, delete_codes),
    ("GET", r"customerGroups/search", GROUPS, groups),
    ("PUT", r"carts/([^/]+)/coupons/([^/]+)", CARTS, put_code),
    ("DELETE", r"carts/([^/]+)/coupons", CARTS, take_code),
]

__all__ = ["FOR_COUPONS", "ROUTES", "InvalidCode", "NoSuchThing"]
