"""The cart price rules that our coupons hang on in Magento: one per website and percent, looked at and never edited."""

import re
from dataclasses import dataclass
from typing import Any

from recovery.stores.base import ShopRefused, WrongRule
from recovery.stores.magento_criteria import Criteria
from recovery.stores.magento_http import MagentoHttp
from recovery.stores.magento_reading import decimal, listed, mapped, moment, text

#: A shop that spoils every rule, by a module of its own, is not to fill up with them.
MOST_OF_A_NAME = 5
_GROUPS_ASKED = 200

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RuleWanted:
    """Which rule: everything that tells ours apart is in its name."""

    website_id: str
    percent: int
    uses_per_customer: int

    @property
    def name(self) -> str:
        """As it stands in *Marketing > Cart Price Rules*."""
        limit = f", {self.uses_per_customer} per customer" if self.uses_per_customer else ""
        return f"Cartback {self.percent}% [website {self.website_id}{limit}]"

    def is_one(self, row: Row) -> bool:
        """Whether a rule has our name, as it is or with a number."""
        return re.fullmatch(re.escape(self.name) + r"( #\d+)?", text(row.get("name"))) is not None

    def document(self, name: str, groups: list[int]) -> Row:
        """The rule as it is made."""
        website = int(self.website_id) if self.website_id.isdigit() else self.website_id
        return {
            "name": name,
            "description": "Made by Cartback for its one-time codes. Do not edit: switch it off, and another is made.",
            "website_ids": [website],
            "customer_group_ids": groups,
            "is_active": True,
            "simple_action": "by_percent",
            "discount_amount": self.percent,
            "discount_step": 0,
            "apply_to_shipping": False,
            "stop_rules_processing": False,
            "sort_order": 0,
            "coupon_type": "SPECIFIC_COUPON",
            "use_auto_generation": True,
            "uses_per_coupon": 1,
            "uses_per_customer": self.uses_per_customer,
            "simple_free_shipping": "0",
            "is_advanced": True,
            "is_rss": False,
        }


async def find_or_make(http: MagentoHttp, wanted: RuleWanted) -> tuple[str, list[WrongRule]]:
    """The id of a rule that gives what is wanted, and those of its name that don't.

    Raises:
        ShopRefused: the shop makes no such rule, whatever it is told.
    """
    groups = await _groups(http)
    shop_today = http.shop_now.date().isoformat()
    wrong: list[WrongRule] = []
    for row in await _of_name(http, wanted):
        told = faults(row, wanted, groups, shop_today)
        if not told:
            return text(row.get("rule_id")), wrong
        wrong.append(WrongRule(text(row.get("rule_id")), text(row.get("name")), told))
    if len(wrong) >= MOST_OF_A_NAME:
        raise ShopRefused(f"{len(wrong)} price rules {wanted.name!r} are not as they were made; delete them in Magento")
    return await _make(http, wanted, groups, {rule.name for rule in wrong}, shop_today), wrong


def faults(row: Row, wanted: RuleWanted, groups: list[int], today: str) -> tuple[str, ...]:
    """What a rule has that would break a code's promise, in words.

    Magento takes anything: unknown actions, 200 %, no website. Only what it tells of the rule afterwards counts.
    """
    mine = {int(decimal(group)) for group in listed(row.get("customer_group_ids"))}
    websites = [text(website) for website in listed(row.get("website_ids"))]
    checks = [
        ("it is switched off", row.get("is_active") is not True),
        (f"it does not give {wanted.percent} percent", decimal(row.get("discount_amount")) != wanted.percent),
        ("it does not count in percent", row.get("simple_action") != "by_percent"),
        (f"it is not for website {wanted.website_id} alone", websites != [wanted.website_id]),
        ("it leaves customer groups out", not mine.issuperset(groups)),
        ("a code of it is not for one use", decimal(row.get("uses_per_coupon")) != 1),
        ("its uses per customer differ", decimal(row.get("uses_per_customer")) != wanted.uses_per_customer),
        ("it takes no codes made outside", not _takes_codes(row)),
        ("it has conditions", bool(_conditions(row, "condition") or _conditions(row, "action_condition"))),
        ("it counts only some pieces", decimal(row.get("discount_qty")) != 0 or decimal(row.get("discount_step")) > 1),
        ("it is over", _day(row, "to_date", "9999") < today),
        ("it has not begun", _day(row, "from_date", "0000") > today),
    ]
    return tuple(words for words, holds in checks if holds)


def _takes_codes(row: Row) -> bool:
    return row.get("coupon_type") == "SPECIFIC_COUPON" and row.get("use_auto_generation") is True


def _conditions(row: Row, name: str) -> list[Any]:
    return listed(mapped(row.get(name)).get("conditions"))


def _day(row: Row, name: str, otherwise: str) -> str:
    at = moment(row.get(name))
    return at.date().isoformat() if at else otherwise


async def _groups(http: MagentoHttp) -> list[int]:
    answer = mapped(await http.get("customerGroups/search", Criteria().first(_GROUPS_ASKED)))
    found = [int(decimal(mapped(group).get("id"))) for group in listed(answer.get("items"))]
    # Visitors who are not logged in are a group of their own, and most carts are theirs.
    return sorted({0, *found})


async def _of_name(http: MagentoHttp, wanted: RuleWanted) -> list[Row]:
    asked = Criteria().where("name", "like", f"{wanted.name}%").by_id(50, "rule_id")
    rows = [mapped(row) for row in listed(mapped(await http.get("salesRules/search", asked)).get("items"))]
    return [row for row in rows if wanted.is_one(row)]


async def _make(http: MagentoHttp, wanted: RuleWanted, groups: list[int], taken: set[str], today: str) -> str:
    names = [wanted.name, *(f"{wanted.name} #{number}" for number in range(2, MOST_OF_A_NAME + 2))]
    name = next(name for name in names if name not in taken)
    made = mapped(await http.change("POST", "salesRules", {"rule": wanted.document(name, groups)}))
    rule_id = text(made.get("rule_id"))
    told = faults(mapped(await http.get(f"salesRules/{rule_id}")), wanted, groups, today)
    if told:
        raise ShopRefused(f"the new price rule {name!r} came out otherwise: {', '.join(told)}")
    return rule_id
