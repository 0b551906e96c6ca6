"""What each remaining event does: products, policies, and who may be written to."""

from datetime import timedelta
from typing import Any

from recovery.models import ConsentRecord, Policy, Product, ProductLink, Suppression
from tests.shop import ADDRESS, MORNING, Shop

PRODUCT: dict[str, Any] = {"product_id": "K-12", "name": "Jacket", "price": 45999, "currency": "EUR", "in_stock": True}
POLICY: dict[str, Any] = {"key": "returns", "kind": "returns", "locale": "en", "title": "Returns", "text": "30 days."}


async def products(shop: Shop, *told: dict[str, Any], minutes: float = 0) -> str:
    at = MORNING + timedelta(minutes=minutes)
    return await shop.tell("product.updated", {"products": [PRODUCT | change for change in told]}, at=at)


async def policies(shop: Shop, *told: dict[str, Any], minutes: float = 0) -> str:
    at = MORNING + timedelta(minutes=minutes)
    return await shop.tell("policy.updated", {"policies": [POLICY | change for change in told]}, at=at)


async def test_a_product_is_kept_as_plain_text_and_replaced_by_a_newer_one(shop: Shop) -> None:
    html = "<p>Warm &amp; <b>dry</b></p><script>alert(1)</script><ul><li>Gore</li></ul>"
    assert await products(shop, {"description": html, "min_quantity": "0.5", "stock_quantity": 3}) == "applied"
    product = await Product.get()
    assert "Warm & dry" in product.description
    assert "- Gore" in product.description
    assert "<" not in product.description
    assert "alert" not in product.description
    assert (product.min_quantity, product.stock_quantity, product.active) == (5_000, 30_000, True)
    assert await products(shop, {"price": 1}, minutes=-1) == "older"
    assert await products(shop, {"price": 2, "active": False}, minutes=0) == "applied"
    product = await Product.get()
    assert (product.price, product.active, product.description) == (2, False, "")


async def test_a_version_of_a_product_counts_before_its_time(shop: Shop) -> None:
    await products(shop, {"version": 5, "price": 5})
    assert await products(shop, {"version": 4, "price": 4}, minutes=1) == "older"
    assert await products(shop, {"version": 6, "price": 6}, minutes=-1) == "applied"
    assert (await Product.get()).price == 6


async def test_one_hook_tells_of_several_products(shop: Shop) -> None:
    await products(shop, *({"product_id": str(number)} for number in range(100)))
    assert await Product.all().count() == 100
    assert await products(shop, {"product_id": "1", "price": 7}, {"product_id": "1", "price": 8}) == "applied"
    assert (await Product.get(product_id="1")).price == 8


async def test_links_are_kept_when_absent_and_replaced_when_told(shop: Shop) -> None:
    await products(shop, {"links": {"related": ["b", "a", "b"], "upsell": [7]}})

    async def stored() -> list[tuple[str, str]]:
        return [(link.kind, link.linked_id) for link in await ProductLink.all().order_by("kind", "position")]

    assert await stored() == [("related", "b"), ("related", "a"), ("upsell", "7")]
    await products(shop, {})
    assert len(await stored()) == 3
    await products(shop, {"links": {"crosssell": ["c"]}})
    assert await stored() == [("crosssell", "c")]
    await products(shop, {"links": []})
    assert await stored() == []


async def test_a_policy_is_kept_by_key_and_language_and_removed_by_an_empty_text(shop: Shop) -> None:
    fact = {"name": "return_days", "amount": 30, "condition": "unworn"}
    await policies(shop, {"facts": [fact]}, {"locale": "pl", "text": "30 dni."})
    assert {(p.locale, p.text) for p in await Policy.all()} == {("en", "30 days."), ("pl", "30 dni.")}
    assert (await Policy.get(locale="en")).facts == [fact]
    assert await policies(shop, {"text": "older"}, minutes=-1) == "older"
    assert await policies(shop, {"text": ""}, minutes=1) == "applied"
    assert await policies(shop, {"text": "late"}, minutes=0.5) == "older"
    assert [p.locale for p in await Policy.all() if p.text] == ["pl"]


async def test_consent_is_kept_as_evidence(shop: Shop) -> None:
    said = {"marketing": True, "at": MORNING.isoformat(), "source": "checkout_box", "text_version": "v2"}
    for _ in range(2):
        await shop.tell("consent.updated", {"email": "ANNA@example.com", "consent": said})
    record = await ConsentRecord.get()
    assert (record.marketing, record.source, record.text_version) == (True, "checkout_box", "v2")
    assert record.email_hash == shop.runtime.keys.email_hash(ADDRESS)
    assert not await Suppression.exists()


async def test_an_objection_suppresses_at_once_whatever_comes_late(shop: Shop) -> None:
    def said(marketing: bool, minutes: int) -> dict[str, Any]:
        at = (MORNING + timedelta(minutes=minutes)).isoformat()
        return {"email": ADDRESS, "consent": {"marketing": marketing, "at": at, "source": "account"}}

    shop.clock.advance(hours=1)
    await shop.tell("consent.updated", said(False, 10))
    assert await Suppression.filter(lifted_at=None, cause="objection").count() == 1
    await shop.tell("consent.updated", said(True, 5))
    assert await Suppression.filter(lifted_at=None).count() == 1
    await shop.tell("consent.updated", said(True, 15))
    assert await Suppression.filter(lifted_at=None).count() == 0
    await shop.tell("consent.updated", said(False, 12))
    assert await Suppression.filter(lifted_at=None).count() == 0


async def test_a_hard_bounce_and_a_complaint_suppress_once(shop: Shop) -> None:
    told = {"email": ADDRESS, "at": MORNING.isoformat(), "reason": "550 no such user"}
    await shop.tell("email.bounced", told | {"hard": False})
    assert not await Suppression.exists()
    for event in ("email.bounced", "email.bounced", "email.complained"):
        await shop.tell(event, told)
    causes = [(row.cause, row.detail) for row in await Suppression.all().order_by("id")]
    assert causes == [("bounce", "550 no such user"), ("complaint", "550 no such user")]


async def test_what_is_told_of_no_address_is_taken_with_a_warning(shop: Shop) -> None:
    for event in ("email.bounced", "email.complained"):
        response = await shop.send(event, {"email": "nobody", "at": MORNING.isoformat(), "hard": True})
        assert response.json() == {
            "status": "applied",
            "warnings": [{"path": "data.email", "code": "not_an_address"}],
        }
