"""What needs a person: mails that did not go, customers who wait, stores that can't send, parts that stand still."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from admin import doctor_installation, doctor_shops
from recovery import db
from recovery.stores.registry import StoreInForce

WINDOW = timedelta(days=7)

Kind = Literal[
    "mails_failed", "mails_unknown", "customers_waiting", "store_observing", "store_paused", "module_off",
    "sender_missing", "consent_unset", "installation",
]  # fmt: skip

_MAILS = """
SELECT store_id, status, count(*) AS n FROM email
 WHERE store_id = ANY($1) AND status IN ('failed', 'unknown') AND closed_at > $2 GROUP BY 1, 2 ORDER BY 1, 2
"""
_WAITING = """
SELECT store_id, count(*) AS n FROM conversation
 WHERE store_id = ANY($1) AND waiting_since IS NOT NULL GROUP BY 1 ORDER BY 1
"""
_MAIL_FIXES = {
    "failed": "Look at the relay's answer; what was passing can be sent again.",
    "unknown": "The relay never said whether it took them. Ask its log, then send again or leave it.",
}


@dataclass(frozen=True)
class Attention:
    """One thing: its kind, how many there are of it, at which store (null: all), in words, and what to do."""

    kind: Kind
    state: Literal["wrong", "note"]
    store_id: int | None
    count: int
    words: str
    fix: str


async def needed(stores: Sequence[StoreInForce], now: datetime, *, installation: bool) -> list[Attention]:
    """What needs a person at these stores and, if asked, in the installation; what is wrong first."""
    ids = [store.row.id for store in stores]
    found = [
        Attention(
            "mails_failed" if row["status"] == "failed" else "mails_unknown",
            "wrong", row["store_id"], row["n"],
            f"Mails of the last 7 days that {'failed' if row['status'] == 'failed' else 'may or may not have gone'}: "
            f"{row['n']}",
            _MAIL_FIXES[row["status"]],
        )
        for row in await db.client().execute_query_dict(_MAILS, [ids, now - WINDOW])
    ]  # fmt: skip
    found += [
        Attention("customers_waiting", "wrong", row["store_id"], row["n"],
                  f"Customers who wait for a person: {row['n']}", "Answer them.")
        for row in await db.client().execute_query_dict(_WAITING, [ids])
    ]  # fmt: skip
    for store in stores:
        found += _store(store)
    if installation:
        findings = [*await doctor_installation.worker(), *await doctor_installation.hooks(now)]
        findings += await doctor_shops.examine(now)
        found += [
            Attention("installation", "wrong", None, 1, f"{each.subject}: {each.words}", each.fix)
            for each in findings
            if each.state == "wrong"
        ]
    return sorted(found, key=lambda each: each.state != "wrong")


def _store(store: StoreInForce) -> list[Attention]:
    """What keeps a store from sending, or makes it send less than it could."""
    row, settings, found = store.row, store.settings, []

    def add(kind: Kind, state: Literal["wrong", "note"], words: str, fix: str) -> None:
        found.append(Attention(kind, state, row.id, 1, f"{row.name}: {words}", fix))

    if not settings.enabled:
        add("module_off", "note", "switched off; nothing is detected, scored or sent.", "Switch it on in the settings.")
    if row.mode == "observing":
        add("store_observing", "note", "only observes; nothing is sent.", "Look at what it would send, then go live.")
    if row.mode == "paused":
        add("store_paused", "note", "paused; nothing is sent.", "Set it live again.")
    if not settings.sender_address or not settings.postal_address:
        state: Literal["wrong", "note"] = "wrong" if row.mode == "live" else "note"
        add("sender_missing", state, "has no sender address or no postal address.", "Set both in the settings.")
    if settings.consent_policy is None:
        add("consent_unset", "note", "nobody has chosen who may be written to.", "Choose a consent policy.")
    return found
