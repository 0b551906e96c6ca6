"""The doctor's look at coupons: whether the shop takes them, and whether codes and budget last."""

from datetime import datetime, timedelta

from admin.findings import Finding, counted, good, note, wrong
from recovery import coupons_ledger as ledger
from recovery.coupons_shop import callback_fault, source_of
from recovery.models import Connection, Coupon, CouponBudget, LoadedCode, SyncState
from recovery.money import format_money
from recovery.stores.registry import StoreInForce

WINDOW = timedelta(days=7)


async def coupon_findings(store: StoreInForce, name: str, now: datetime) -> list[Finding]:
    """One line about where coupons come from, and what is wrong with it; nothing when they are off."""
    if not store.settings.dynamic_coupons:
        return []
    subject = f"Coupons of {name}"
    url = store.settings.coupon_callback_url
    connection = await Connection.get(id=store.row.connection_id)
    if url is None and await source_of(store, connection) == "magento":
        made = await _callback(store, subject, now, "`cartback stores connect test` says whether a right is missing.")
        return [made, *await _wrong_rules(store, subject), *await _budget(store, subject, now)]
    if url is None:
        return [await _loaded(store, subject, name)]
    fault = callback_fault(url, connection)
    if fault is not None:
        return [wrong(subject, f"are not made: coupon_callback_url can't be used: {fault}", "Mend one of the two.")]
    fix = "Look at the shop's coupon call-back (docs/hooks.md)."
    return [await _callback(store, subject, now, fix), *await _budget(store, subject, now)]


async def _loaded(store: StoreInForce, subject: str, name: str) -> Finding:
    codes = LoadedCode.filter(store_id=store.row.id)
    if not await codes.exists():
        fix = "See coupon_callback_url in docs/settings.md, or `cartback coupons load`; or switch dynamic_coupons off."
        return note(subject, "are on, but there is neither a call-back nor a loaded code, so mails carry none", fix)
    left = await codes.filter(taken_at=None).count()
    words = f"{counted(left, 'loaded code', 'loaded codes')} left"
    fix = f"`cartback coupons load FILE --percent 5 --store {name}`"
    return good(subject, words) if left else note(subject, words, fix)


async def _callback(store: StoreInForce, subject: str, now: datetime, fix: str) -> Finding:
    recent = Coupon.filter(store_id=store.row.id, created_at__gt=now - WINDOW)
    failing = await recent.filter(last_error__isnull=False).order_by("-created_at").first()
    if failing is not None and failing.status != "issued":
        number = await recent.filter(last_error__isnull=False).exclude(status__in=("issued", "redeemed")).count()
        words = f"{counted(number, 'coupon', 'coupons')} of 7 days failed at the shop; its last answer: "
        return wrong(subject, words + (failing.last_error or ""), fix)
    made = await recent.filter(issued_at__isnull=False).count()
    return good(subject, f"the shop took {counted(made, 'coupon', 'coupons')} in 7 days")


async def _wrong_rules(store: StoreInForce, subject: str) -> list[Finding]:
    """Price rules of ours that somebody edited: they are left alone, and others were made beside them."""
    state = await SyncState.get_or_none(connection_id=store.row.connection_id)
    website = (store.row.front or {}).get("website_id")
    told = (state.wrong_rules if state else None) or {}
    rules = [rule for key, found in told.items() if key.partition(":")[0] == website for rule in found]
    return [
        note(
            subject,
            f"price rule {rule_id} {name!r} is not used for new codes: {', '.join(faults)}",
            "In Magento's admin, Marketing > Cart Price Rules: delete it once its codes are over, or put it right.",
        )
        for rule_id, name, *faults in rules
    ]


async def _budget(store: StoreInForce, subject: str, now: datetime) -> list[Finding]:
    month = ledger.month_of(store, now)
    row = await CouponBudget.get_or_none(key=month.key)
    if month.cap is None or row is None:
        return []
    used = row.reserved + row.issued + row.redeemed
    words = f"{format_money(used, month.currency, 'en')} of {format_money(month.cap, month.currency, 'en')} are held"
    fix = "Raise coupon_monthly_budget, or wait for the next month."
    return [note(subject, words, fix) if used * 10 >= month.cap * 9 else good(subject, words)]
