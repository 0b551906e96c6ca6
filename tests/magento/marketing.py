"""The fake shop's cart price rules and coupons, with Magento's ways: it takes anything and copies limits from rules."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.magento.criteria import BadRequest, Row, SqlError

GROUPS = {0: "NOT LOGGED IN", 1: "General", 2: "Wholesale", 3: "Retailer"}
_NOT_VALID = "The coupon code isn't valid. Verify the code and try again."
_COMBINE = {"aggregator_type": "all", "operator": None, "value": True}


class InvalidCode(Exception):
    """The 404 of a code that does not fit a cart."""

    def __init__(self) -> None:
        super().__init__(_NOT_VALID)


@dataclass
class Marketing:
    """Rules and coupons by id; ``uses`` are orders that the consumer has not counted yet."""

    today: Callable[[], str]
    groups: dict[int, str] = field(default_factory=lambda: dict(GROUPS))
    rules: dict[int, Row] = field(default_factory=dict)
    coupons: dict[int, Row] = field(default_factory=dict)
    #: The queue consumer that counts uses; while it sleeps, one-time codes are not one-time.
    consumer_sleeps: bool = False
    #: What a module of the shop does to each rule that is saved.
    spoils: Callable[[Row], None] | None = None
    uses: list[tuple[int, int | None]] = field(default_factory=list)
    customers: set[tuple[int, int]] = field(default_factory=set)
    _last: int = 0

    def save_rule(self, told: Row) -> Row:
        """Whatever is told, without a look at it."""
        websites = told.get("website_ids", [])
        if any(website != 1 for website in websites):
            raise SqlError("website")
        rule_id = max(self.rules, default=0) + 1
        self.rules[rule_id] = {
            "rule_id": rule_id, "store_labels": [], "website_ids": websites, "customer_group_ids": [],
            "condition": {"condition_type": "Magento\\SalesRule\\Model\\Rule\\Condition\\Combine"} | _COMBINE,
            "action_condition": {"condition_type": "Magento\\SalesRule\\Model\\Rule\\Condition\\Product\\Combine"}
            | _COMBINE,
            "sort_order": 0, "times_used": 0,
        } | told  # fmt: skip
        if self.spoils is not None:
            self.spoils(self.rules[rule_id])
        return self.rules[rule_id]

    def coupon(self, code: str) -> Row | None:
        """The coupon of a code, in whatever case."""
        return next((row for row in self.coupons.values() if str(row.get("code")).lower() == code.lower()), None)

    def save_coupon(self, told: Row) -> Row:
        """A coupon; limits come from its rule."""
        rule = self.rules.get(told.get("rule_id", 0))
        if rule is None:
            raise _saving(f"No such entity with rule_id = {told.get('rule_id')}")
        if rule["coupon_type"] != "SPECIFIC_COUPON":
            raise _saving("Specified rule does not allow coupons")
        if rule["use_auto_generation"] and told.get("type") != 1:
            raise _saving("Specified rule only allows auto generated coupons")
        if "code" in told and self.coupon(told["code"]):
            raise BadRequest("%1 already exists.", ["Coupon with the same code"])
        self._last += 1
        row = {"coupon_id": self._last, "rule_id": rule["rule_id"]}
        row |= {"code": told["code"]} if "code" in told else {}
        row |= {"usage_limit": rule["uses_per_coupon"], "usage_per_customer": rule["uses_per_customer"]}
        row |= {"times_used": told.get("times_used")}
        row |= {"expiration_date": told["expiration_date"]} if "expiration_date" in told else {}
        self.coupons[self._last] = row | {"is_primary": None, "type": told["type"]}
        return self.coupons[self._last]

    def delete(self, codes: list[str]) -> list[str]:
        """Delete codes; which there were none of."""
        found = {code: self.coupon(code) for code in codes}
        for row in found.values():
            if row is not None:
                del self.coupons[row["coupon_id"]]
        return [code for code, row in found.items() if row is None]

    def discount(self, code: str, customer_id: int | None) -> int:
        """The percent that a code gives a cart; its date is not looked at.

        Raises:
            InvalidCode: none.
        """
        row = self.coupon(code)
        rule = self.rules.get(row["rule_id"]) if row else None
        if row is None or rule is None:
            raise InvalidCode
        group = 0 if customer_id is None else 1
        again = (rule["rule_id"], customer_id) in self.customers and rule["uses_per_customer"]
        used = row["usage_limit"] and (row["times_used"] or 0) >= row["usage_limit"]
        over = str(rule.get("to_date") or "9999") < self.today()
        if not rule["is_active"] or group not in rule["customer_group_ids"] or again or used or over:
            raise InvalidCode
        return int(rule["discount_amount"])

    def note_use(self, code: str, customer_id: int | None) -> None:
        """An order used a code."""
        row = self.coupon(code)
        if row is not None:
            self.uses.append((row["coupon_id"], customer_id))
        if not self.consumer_sleeps:
            self.consume()

    def consume(self) -> None:
        """The consumer wakes and counts."""
        for coupon_id, customer_id in self.uses:
            row = self.coupons.get(coupon_id)
            if row is not None:
                row["times_used"] = (row["times_used"] or 0) + 1
                if customer_id is not None:
                    self.customers.add((row["rule_id"], customer_id))
        self.uses.clear()


def _saving(why: str) -> BadRequest:
    # Not filled in: the placeholder and its value come apart.
    return BadRequest("Error occurred when saving coupon: %1", [why])
