"""Products and policies as told: the newer wins, also over a late older one."""

from datetime import timedelta
from typing import Any

from recovery.models import Policy, Product, ProductLink
from tests.shop import Shop


def policy(text: str, **more: Any) -> dict[str, Any]:
    return {
        "policies": [{"key": "returns", "kind": "returns", "locale": "en", "title": "Returns", "text": text} | more]
    }


def product(price: int, **more: Any) -> dict[str, Any]:
    told = {"product_id": "K-12", "name": "Lamp", "price": price, "currency": "EUR", "in_stock": True}
    return {"products": [told | more]}


async def test_a_removed_policy_stays_removed_when_an_older_text_arrives_late(shop: Shop) -> None:
    start = shop.now
    assert await shop.tell("policy.updated", policy("30 days"), at=start) == "applied"
    assert await shop.tell("policy.updated", policy(""), at=start + timedelta(minutes=2)) == "applied"
    assert await shop.tell("policy.updated", policy("14 days"), at=start + timedelta(minutes=1)) == "older"
    assert (await Policy.get()).text == ""


async def test_an_older_price_changes_nothing(shop: Shop) -> None:
    start = shop.now
    assert await shop.tell("product.updated", product(1900), at=start + timedelta(minutes=1)) == "applied"
    assert await shop.tell("product.updated", product(2900), at=start) == "older"
    assert (await Product.get()).price == 1900


async def test_links_are_replaced_when_told_and_kept_when_not(shop: Shop) -> None:
    start = shop.now
    await shop.tell("product.updated", product(1900, links={"crosssell": ["B", "A", "B"]}), at=start)
    await shop.tell("product.updated", product(1900), at=start + timedelta(minutes=1))
    kept = await ProductLink.all().order_by("position").values_list("kind", "linked_id")
    assert kept == [("crosssell", "B"), ("crosssell", "A")]
    await shop.tell("product.updated", product(1900, links={}), at=start + timedelta(minutes=2))
    assert await ProductLink.all().count() == 0
