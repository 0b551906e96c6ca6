"""How long personal data of the core is kept; one person is told of by ``privacy_export``, forgotten by ``_erase``."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from tortoise.expressions import Q

from recovery import db
from recovery.models import (
    Abandonment,
    Cart,
    Email,
    EmailEvent,
    HookDelivery,
    LinkToken,
    LinkVisit,
    LlmBudget,
    Notice,
    WebhookMessage,
)
from recovery.models import RejectedDelivery as Rejected
from recovery.privacy_erase import forget_carts, forget_episodes
from recovery.secrets import ERASED, Keys
from recovery.stores.registry import all_in_force

HOOK_BODIES = timedelta(days=30)
#: What a refused hook was called, and which field of it was wrong.
REFUSED_HOOKS = timedelta(days=30)
#: Addresses and words of notices; that there was one, and what became of it, stays.
NOTICES = timedelta(days=30)
#: Webhooks that were delivered or given up, and those whose endpoint is switched off.
WEBHOOKS = timedelta(days=30)
#: Longer than any order can be attributed to a click; what an order was attributed to stays.
VISITS = timedelta(days=90)
#: Longer than any conversation lives.
BUDGETS = timedelta(days=90)
BATCH = 500

_OLD_CARTS = f"""
SELECT c.id FROM cart c
 WHERE c.store_id = $1 AND c.activity_at < $2 AND c.quote_id NOT LIKE '{ERASED}%'
   AND NOT EXISTS (SELECT 1 FROM abandonment a WHERE a.open_key = c.id)
 ORDER BY c.id LIMIT {BATCH} FOR UPDATE OF c SKIP LOCKED
"""  # noqa: S608


async def retain(keys: Keys, now: datetime) -> dict[str, int]:
    """Forget what is older than it may be kept, some hundred rows at a time; how much of each kind."""
    counts = {
        "hook bodies": await _each(
            HookDelivery.filter(received_at__lt=now - HOOK_BODIES, body__isnull=False),
            lambda rows: rows.update(body=None, email_hash=None),
        ),
        "refused hooks": await _each(Rejected.filter(at__lt=now - REFUSED_HOOKS), lambda rows: rows.delete()),
        "token budgets": await LlmBudget.filter(changed_at__lt=now - BUDGETS, reserved=0).delete(),
        "notices": await _each(
            Notice.filter(created_at__lt=now - NOTICES, to_address__isnull=False),
            lambda rows: rows.update(to_address=None, reply_to=None, words=None, smtp_text=None),
        ),
        "link visits": await _each(LinkVisit.filter(at__lt=now - VISITS), lambda rows: rows.delete()),
        "webhooks": await _each(
            WebhookMessage.filter(
                Q(closed_at__lt=now - WEBHOOKS) | Q(closed_at=None, next_attempt_at__lt=now - WEBHOOKS)
            ),
            lambda rows: rows.delete(),
        ),
        "carts": 0,
        "mails": 0,
    }
    for store in await all_in_force(None):
        before = now - timedelta(days=store.settings.keep_carts_days)
        counts["carts"] += await _old_carts(store.row.id, keys, before, now)
        counts["mails"] += await _old_mails(store.row.id, before)
    return counts


async def _each(old: Any, forget: Callable[[Any], Awaitable[int]]) -> int:
    """Do it to all that is old, a batch at a time, so that no statement holds many rows for long."""
    done = 0
    while ids := [row[0] for row in await old.limit(BATCH).values_list("id")]:
        done += await forget(old.model.filter(id__in=ids))
    return done


async def _old_carts(store_id: int, keys: Keys, before: datetime, now: datetime) -> int:
    done = 0
    while True:
        async with db.in_transaction():
            rows = await db.client().execute_query_dict(_OLD_CARTS, [store_id, before])
            carts = await Cart.filter(id__in=[row["id"] for row in rows])
            if not carts:
                return done
            episodes = await Abandonment.filter(cart_id__in=[cart.id for cart in carts]).values_list("id")
            await forget_episodes([int(row[0]) for row in episodes])
            await forget_carts(carts, keys, now)
            done += len(carts)


async def _old_mails(store_id: int, before: datetime) -> int:
    """Mails of carts that live on, with what was told of them, and links nobody can use any more."""
    theirs = {"store_id": store_id}
    gone = Email.filter(**theirs, created_at__lt=before, words__isnull=False)
    done = await _each(gone, lambda rows: rows.update(to_address=None, subject=None, words=None, smtp_text=None))
    await _each(EmailEvent.filter(email__store_id=store_id, at__lt=before), lambda rows: rows.delete())
    old_links = LinkToken.filter(**theirs, expires_at__lt=before)
    while jtis := [row[0] for row in await old_links.limit(BATCH).values_list("jti")]:
        await LinkToken.filter(jti__in=jtis).delete()
    return done
