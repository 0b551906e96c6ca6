"""The commands about coupons: what there is, loading codes, taking one back, the budget of a month."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from recovery import console, coupons_shop, coupons_sweep
from recovery import coupons_ledger as ledger
from recovery.errors import CartbackError, NotFound
from recovery.logs import set_up_logging
from recovery.models import Coupon, CouponBudget
from recovery.money import format_money
from recovery.runtime import Runtime, open_runtime
from recovery.settings import load_settings
from recovery.stores import registry
from recovery.text import mask_code

coupons_app = typer.Typer(help="Discount codes: made, used, withdrawn, and what they may cost.", no_args_is_help=True)

StoreOption = Annotated[str | None, typer.Option("--store", help="Only this store: its code, or connection/code.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _run(work: Callable[[Runtime], Awaitable[None]]) -> None:
    async def within() -> None:
        settings = load_settings()
        set_up_logging(settings.model_copy(update={"log_format": "text", "log_level": "warning"}))
        async with open_runtime(settings) as runtime:
            await work(runtime)

    asyncio.run(within())


@coupons_app.command("list")
def list_coupons(
    store: StoreOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many, newest first.")] = 50,
    as_document: JsonOption = False,
) -> None:
    """The newest coupons with what became of them; codes are masked."""

    async def work(runtime: Runtime) -> None:
        ids = [each.row.id for each in await registry.all_in_force(store)]
        rows = (
            await Coupon.filter(store_id__in=ids)
            .order_by("-created_at")
            .limit(limit)
            .prefetch_related("cart", "store__connection")
        )
        told = [_told(row) for row in rows]
        if as_document:
            console.data(told)
        elif told:
            console.table([tuple(str(value or "") for value in row.values()) for row in told], _heads(told))
        else:
            console.note("No coupons yet. `cartback explain` says why a mail carried none.")

    _run(work)


@coupons_app.command("load")
def load_codes(
    file: Annotated[Path, typer.Argument(help="A text file with one code a line.")],
    percent: Annotated[int, typer.Option("--percent", min=1, max=100, help="The discount of these codes.")],
    store: Annotated[str, typer.Option("--store", help="The store: its code, or connection/code.")],
    expires: Annotated[
        datetime | None, typer.Option("--expires", help="When the shop stops taking them, in the store's time zone.")
    ] = None,
    as_document: JsonOption = False,
) -> None:
    """Load codes that were made in the shop; each goes to one abandonment."""

    async def work(runtime: Runtime) -> None:
        row = await registry.find_store(store)
        until = None if expires is None else expires.replace(tzinfo=(await registry.in_force(row)).zone)
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CartbackError(f"{file} can't be read as text: {error}.") from error
        new, known = await coupons_shop.load(row, lines, percent, until, runtime.now())
        if as_document:
            console.data({"loaded": new, "known": known})
        else:
            console.note(f"{new} codes loaded; {known} were known already.")

    _run(work)


@coupons_app.command("withdraw")
def withdraw_coupon(
    code: Annotated[str, typer.Argument(help="The whole code.")], as_document: JsonOption = False
) -> None:
    """Take an unused coupon back; the shop is told in the next sweep of sending."""

    async def work(runtime: Runtime) -> None:
        coupon = await Coupon.filter(code=code.strip()).first()
        if coupon is None:
            raise NotFound(f"There is no coupon {code!r}; loaded codes that nobody got are withdrawn in the shop.")
        if not await coupons_sweep.withdraw_one(coupon, runtime.now()):
            raise CartbackError(f"That coupon is {coupon.status}, so there is nothing to withdraw.")
        await coupon.refresh_from_db()
        if as_document:
            console.data(_told(await Coupon.get(id=coupon.id).prefetch_related("cart", "store__connection")))
        else:
            console.note(f"{mask_code(coupon.code)} is {coupon.status}.")

    _run(work)


@coupons_app.command("budget")
def show_budget(store: StoreOption = None, as_document: JsonOption = False) -> None:
    """What the coupons of each month may cost and cost, at worst."""

    async def work(runtime: Runtime) -> None:
        told = []
        for each in await registry.all_in_force(store):
            await each.row.fetch_related("connection")
            now = ledger.month_of(each, runtime.now())
            rows = await CouponBudget.filter(store_id=each.row.id).order_by("-month").limit(12)
            if now.key not in {row.key for row in rows}:
                rows.insert(0, CouponBudget(key=now.key, month=now.month, currency=now.currency, cap=now.cap))
            told += [_month(each, row, now) for row in rows]
        if as_document:
            console.data(told)
            return
        money = ("cap", "reserved", "issued", "redeemed", "released")
        written = [
            row | {name: "" if row[name] is None else format_money(row[name], row["currency"], "en") for name in money}
            for row in told
        ]
        console.table([tuple(str(value) for value in row.values()) for row in written], _heads(told))

    _run(work)


def _month(store: registry.StoreInForce, row: CouponBudget, now: ledger.Month) -> dict[str, Any]:
    return {
        "store": f"{store.row.connection.key}/{store.row.code}",
        "month": row.month,
        "currency": row.currency,
        "cap": now.cap if row.key == now.key else row.cap,
        "reserved": row.reserved,
        "issued": row.issued,
        "redeemed": row.redeemed,
        "released": row.released,
    }


def _told(row: Coupon) -> dict[str, Any]:
    return {
        "store": f"{row.store.connection.key}/{row.store.code}",
        "code": mask_code(row.code),
        "percent": row.percent,
        "status": row.status,
        "quote_id": row.cart.quote_id,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "redeemed_at": row.redeemed_at,
        "last_error": row.last_error,
    }


def _heads(rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(name.upper().replace("_", " ") for name in rows[0])
