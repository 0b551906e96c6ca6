"""The list of carts left behind: filters, order, pages, what a viewer sees; and one cart with what became of it."""

from typing import Any

import pytest

from recovery.stores import registry
from tests.admin.api import Visitor, key_holder, make_user, sign_in
from tests.shop import Shop
from tests.smtp_sink import SmtpSink


async def leave_carts(shop: Shop, totals: list[int]) -> None:
    for number, total in enumerate(totals, 1):
        await shop.cart(str(number), total=total, customer={"email": f"c{number}@example.com"})
        shop.clock.advance(minutes=1)
    await shop.abandon()


async def walk(visitor: Visitor, query: str) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        page = await visitor.get(f"/abandonments?{query}{after}")
        items += page["items"]
        if page["next"] is None:
            assert page["total"] == len(items)
            return items
        after = f"&after={page['next']}"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-total", ["3", "5", "1", "4", "2"]),
        ("total", ["2", "4", "1", "5", "3"]),
        ("-detected_at", ["5", "4", "3", "2", "1"]),
        ("detected_at", ["1", "2", "3", "4", "5"]),
    ],
)
@pytest.mark.parametrize("limit", [2, 50])
async def test_every_cart_is_listed_once_in_order(shop: Shop, sort: str, expected: list[str], limit: int) -> None:
    await leave_carts(shop, [300, 100, 500, 100, 300])
    await make_user()
    found = await walk(await sign_in(shop), f"sort={sort}&limit={limit}")
    assert [row["quote_id"] for row in found] == expected


async def test_by_score_too(shop: Shop) -> None:
    await leave_carts(shop, [300, 100, 500])
    await make_user()
    visitor = await sign_in(shop)
    found = await walk(visitor, "sort=-score&limit=1")
    scores = [row["score"] for row in found]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


async def test_filters(shop: Shop, smtp_sink: SmtpSink) -> None:
    await leave_carts(shop, [30000, 10000, 50000])
    await shop.plan()
    await shop.deliver()
    await shop.order("o-7", quote_id="1", customer={"email": "c1@example.com"}, number="000077")
    await make_user()
    visitor = await sign_in(shop)

    async def found(query: str) -> set[str]:
        return {row["quote_id"] for row in await walk(visitor, query)}

    assert await found("total_from=20000") == {"1", "3"}
    assert await found("total_to=10000") == {"2"}
    assert await found("status=recovered") == {"1"}
    assert await found("status=contacted") == {"2", "3"}
    assert await found("mail=sent") == {"1", "2", "3"}
    assert await found("mail=none") == set()
    assert await found("q=C2@Example.com") == {"2"}
    assert await found("q=3") == {"3"}
    assert await found("q=o-7") == await found("q=000077") == {"1"}
    assert await found("q=nothing") == set()
    assert await found(f"store={shop.store.id}&score_from=0.1") == {"1", "2", "3"}
    assert await found("since=2030-01-01T00:00:00Z") == set()
    assert await found("skipped_for=no_consent") == set()
    await visitor.get("/abandonments?status=nonsense", 422)
    await visitor.get("/abandonments?since=yesterday", 422)


async def test_a_viewer_sees_no_addresses(shop: Shop) -> None:
    await leave_carts(shop, [30000])
    async with key_holder(shop, ["carts:read"]) as viewer:
        (row,) = (await viewer.get("/abandonments"))["items"]
        detail = await viewer.get(f"/abandonments/{row['id']}")
    assert row["customer"] == "c***@example.com"
    assert "c1@example.com" not in str(detail)
    async with key_holder(shop, ["carts:read", "personal:read"]) as manager:
        (row,) = (await manager.get("/abandonments"))["items"]
    assert row["customer"] == "c1@example.com"


async def test_carts_of_other_stores_do_not_exist(shop: Shop) -> None:
    await leave_carts(shop, [30000])
    other = await registry.add_store(shop.connection, "pl", "P", language="pl", currency="PLN", timezone="UTC")
    (episode,) = await shop.episodes("1")
    async with key_holder(shop, ["carts:read"], [other.id]) as program:
        assert (await program.get("/abandonments"))["items"] == []
        await program.get(f"/abandonments/{episode.id}", 404)


async def test_one_cart_with_what_became_of_it(shop: Shop, smtp_sink: SmtpSink) -> None:
    await shop.queue()
    await shop.deliver()
    shop.clock.advance(minutes=30)
    await shop.order()
    await make_user()
    visitor = await sign_in(shop)
    (row,) = (await visitor.get("/abandonments"))["items"]
    told = await visitor.get(f"/abandonments/{row['id']}")
    kinds = [moment["kind"] for moment in told["timeline"]]
    assert [kind for kind in kinds if kind != "decided"] == [
        "detected", "scored", "mail_queued", "mail_sent", "ordered", "closed",
    ]  # fmt: skip
    assert round(sum(signal["points"] for signal in told["signals"]), 2) == round(row["score"], 2)
    (line,) = told["lines"]
    assert (line["name"], line["quantity"], line["total"]) == ("Jacket K-12", "1", 45999)
    assert told["row"] == row
    assert (row["status"], row["revenue"], row["mail"]) == ("recovered", 46999, "sent")
    assert any("Recovered" in sentence for sentence in told["explanation"])
    await visitor.get("/abandonments/999999", 404)
