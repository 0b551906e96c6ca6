"""Tables of a time against what was sent: each group counted by hand, sums that add up, a sheet that runs nothing."""

import csv
import io
from collections import Counter

import pytest

from admin.sheets import csv_of
from tests.admin.api import Visitor, key_holder, make_user, sign_in
from tests.shop import Shop
from tests.smtp_sink import SmtpSink


@pytest.fixture
async def told(shop: Shop, smtp_sink: SmtpSink) -> tuple[Visitor, Counter[str]]:
    """Six carts: two whose payment failed, four others; three are bought, one of those orders is cancelled."""
    stages = {"1": "cart", "2": "cart", "3": "payment", "4": "payment", "5": "contact", "6": "contact"}
    for quote_id, stage in stages.items():
        failed = stage == "payment"
        await shop.cart(
            quote_id, checkout_stage=stage, customer={"email": f"c{quote_id}@example.com"}, payment_failed=failed
        )
    await shop.cart("7", customer={"email": "info@example.com"})
    await shop.abandon()
    await shop.plan()
    await shop.deliver()
    shop.clock.advance(minutes=10)
    for quote_id in ("1", "3", "5"):
        customer = {"email": f"c{quote_id}@example.com"}
        await shop.order(f"o{quote_id}", quote_id=quote_id, total=1000 * int(quote_id), customer=customer)
    await shop.order("o5", "cancelled", event="order.cancelled", quote_id="5", customer={"email": "c5@example.com"})
    scores = Counter([f"{int((await shop.episode(str(n))).score * 10) / 10:.1f}" for n in range(1, 8)])  # type: ignore[operator]
    await make_user()
    return await sign_in(shop), scores


async def test_each_group_is_counted(told: tuple[Visitor, Counter[str]], smtp_sink: SmtpSink) -> None:
    visitor, scores = told
    page = await visitor.get("/analytics?unit=week")
    tables = {each["by"]: {row["key"]: row for row in each["rows"]} for each in page["breakdowns"]}
    for rows in tables.values():
        assert sum(row["carts"] for row in rows.values()) == 7
        assert sum(row["mailed"] for row in rows.values()) == len(smtp_sink.messages) == 6
        assert sum(row["recovered"] for row in rows.values()) == 2
        assert sum(earned["all"] for row in rows.values() for earned in row["earned"]) == 4000
    failed = tables["reason"]["technical_error"]
    assert (failed["carts"], failed["recovered"], failed["rate"]) == (2, 1, 0.5)
    assert failed["earned"] == [{"currency": "EUR", "digits": 2, "all": 3000, "by_us": 0}]
    assert {key: row["carts"] for key, row in tables["score_band"].items()} == scores
    assert {key: row["carts"] for key, row in tables["step"].items()} == {"1": 6, "none": 1}
    assert {key: row["carts"] for key, row in tables["words"].items()} == {"ready_made": 6, "none": 1}
    assert [(row["reason"], row["carts"]) for row in page["left_out"]] == [("role_address", 1)]
    assert [row["day"] for row in page["series"]][-1] == "2026-11-23"
    assert page["series"][-1]["abandoned"] == 7
    assert "attribution_days (7)" in page["rule"]


async def test_each_table_as_a_sheet(told: tuple[Visitor, Counter[str]]) -> None:
    visitor, _ = told
    for table in ("series", "left_out", "reason", "score_band", "step", "coupon", "words", "store", "arm"):
        response = await visitor.call("GET", f"/analytics/csv?table={table}")
        assert response.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(response.text)))
        assert sum(int(row.get("carts") or row.get("abandoned") or 0) for row in rows) == (
            1 if table == "left_out" else 7
        )
        if table == "reason":
            assert {row["reason"]: row["revenue EUR"] for row in rows}["technical_error"] == "30.00"


def test_a_sheet_runs_nothing() -> None:
    text = csv_of(("a", "b"), [("=1+1", -5), ("@x", "+y"), ("\tz", "fine, too")])
    assert list(csv.reader(io.StringIO(text)))[1:] == [["'=1+1", "-5"], ["'@x", "'+y"], ["'\tz", "fine, too"]]


async def test_other_stores_are_not_counted(told: tuple[Visitor, Counter[str]], shop: Shop) -> None:
    async with key_holder(shop, ["carts:read"], []) as program:
        page = await program.get("/analytics")
    assert all(each["rows"] == [] for each in page["breakdowns"])
