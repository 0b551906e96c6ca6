"""The doctor on the installation as its rows tell it: stored secrets, worker, stores, hooks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from admin.findings import Finding, counted, good, note, wrong
from recovery import db, health
from recovery.errors import SetupError
from recovery.models import Connection, Installation
from recovery.secrets import Vault
from recovery.stores.registry import StoreInForce, all_in_force
from recovery.text import duration

LAST_HOOKS = 50
#: From this share of refused hooks on, the shop and we do not understand each other.
TOO_MANY_REFUSED = 0.5

_HOOKS = """
SELECT c.key, (SELECT max(received_at) FROM hook_delivery d WHERE d.connection_id = c.id) AS last_at,
       count(latest.at) AS hooks, count(latest.at) FILTER (WHERE latest.refused) AS refused
  FROM connection c
  LEFT JOIN LATERAL (
       SELECT * FROM (
              (SELECT received_at AS at, false AS refused FROM hook_delivery d WHERE d.connection_id = c.id
                ORDER BY d.id DESC LIMIT $1)
              UNION ALL
              (SELECT r.at, true FROM rejected_delivery r WHERE r.connection_id = c.id ORDER BY r.id DESC LIMIT $1)
              ) every ORDER BY at DESC LIMIT $1
       ) latest ON true
 WHERE c.platform = 'generic'
 GROUP BY c.id, c.key ORDER BY c.key
"""


async def stored_secrets(keys: Sequence[str]) -> list[Finding]:
    """Whether the secret key opens what was stored with it."""
    row = await Installation.get_or_none(name="main")
    if row is None:
        return [note("Stored secrets", "none yet; the first start makes them")]
    if not keys:
        return [note("Stored secrets", "not checked; that needs the secret key")]
    connections = await Connection.all().order_by("key")
    sealed = {"the installation's": [row.pepper, row.unsubscribe_key]}
    sealed |= {f"connection {c.key}'s": [*filter(None, [c.hook_secret, c.credentials])] for c in connections}
    vault = Vault(list(keys))
    shut = [owner for owner, secrets in sealed.items() if not all(_opens(vault, secret) for secret in secrets)]
    if shut:
        fix = (
            "Set CARTBACK_SECRET_KEY to the one this database was made with, "
            "or add that one to CARTBACK_PREVIOUS_SECRET_KEYS."
        )
        return [wrong("Stored secrets", f"the secret key does not open {', '.join(shut)}", fix)]
    return [good("Stored secrets", f"the secret key opens all of them ({counted(len(sealed), 'owner', 'owners')})")]


def _opens(vault: Vault, sealed: str) -> bool:
    try:
        vault.open(sealed)
    except SetupError:
        return False
    return True


async def worker() -> list[Finding]:
    """Whether a worker gives signs of life."""
    age = await health.heartbeat_age()
    fix = "Start one: `cartback worker` (`cartback serve` without DATABASE_URL and `cartback demo` bring their own)."
    if age is None:
        return [wrong("Worker", "no worker has ever run, so nothing is detected, scored or sent by itself", fix)]
    if age > health.HEARTBEAT_TOO_OLD:
        minutes = int(age.total_seconds() // 60)
        return [wrong("Worker", f"silent for {duration(minutes)}, so nothing is detected, scored or sent", fix)]
    return [good("Worker", f"gave a sign of life {max(0, int(age.total_seconds()))} s ago")]


async def stores() -> list[Finding]:
    """Each store's mode, sender and consent policy."""
    named = await named_stores()
    return [finding for store, name in named for finding in _store(store, name)] if named else [no_store()]


def no_store() -> Finding:
    """There is no store at all."""
    fix = "Make one: `cartback stores add --connection KEY --url https://shop.example.com`."
    return wrong("Stores", "there is none, so every hook is refused", fix)


def _store(store: StoreInForce, name: str) -> list[Finding]:
    settings, found = store.settings, []
    subject = f"Store {name}"
    if not settings.enabled:
        fix = f"`cartback settings set enabled true --store {name}`"
        found.append(note(subject, "the module is switched off; nothing is detected, scored or sent", fix))
    if store.row.mode == "live":
        found.append(good(subject, "live"))
    else:
        does = "decides everything and sends nothing" if store.row.mode == "observing" else "does nothing at all"
        fix = f"When you want mails to go out: `cartback stores mode {name} live`"
        found.append(note(subject, f"{store.row.mode}: it {does}", fix))
    missing = [part for part in ("sender_address", "postal_address") if not getattr(settings, part)]
    if missing:
        make = wrong if store.row.mode == "live" else note
        fix = f"`cartback settings set {missing[0]} ... --store {name}`"
        found.append(make(subject, f"sends nothing without {' and '.join(missing)}", fix))
    if settings.consent_policy is None:
        fix = f"Choose: `cartback settings set consent_policy require|soft_opt_in|off --store {name}`"
        found.append(note(subject, "nobody has chosen a consent policy; it works like require", fix))
    return found


async def named_stores() -> list[tuple[StoreInForce, str]]:
    """Every store with its name as commands take it; none before the first start made the installation."""
    connections = {row.id: row.key for row in await Connection.all()}
    found = await all_in_force() if connections else []
    return [(store, f"{connections[store.row.connection_id]}/{store.row.code}") for store in found]


async def hooks(now: datetime) -> list[Finding]:
    """Whether the hooks of each shop that sends them arrive and are taken."""
    rows = await db.client().execute_query_dict(_HOOKS, [LAST_HOOKS])
    return [_hooks(row, now) for row in rows]


def _hooks(row: dict[str, Any], now: datetime) -> Finding:
    subject = f"Hooks of {row['key']}"
    if not row["hooks"]:
        fix = f"Let the shop send its carts to /hooks/v1/{row['key']}; docs/hooks.md has an example to paste."
        return note(subject, "none has ever come", fix)
    last = "none was ever taken"
    if row["last_at"]:
        last = f"the last one came {duration(max(0, int((now - row['last_at']).total_seconds() // 60)))} ago"
    if not row["refused"]:
        return good(subject, f"{last}; none of the last {row['hooks']} was refused")
    words = f"{last}; refused: {row['refused']} of the last {row['hooks']}"
    fix = "The page /admin/hooks shows the field and the cause of each."
    if row["refused"] >= TOO_MANY_REFUSED * row["hooks"]:
        return wrong(subject, words, fix)
    return note(subject, words, fix)
