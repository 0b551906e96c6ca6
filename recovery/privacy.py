"""How long personal data of the core is kept."""

from datetime import datetime, timedelta

from tortoise.expressions import Q

from recovery.models import HookDelivery, LinkVisit, LlmBudget, Notice, WebhookMessage

HOOK_BODIES = timedelta(days=30)
#: Addresses and words of notices; that there was one, and what became of it, stays.
NOTICES = timedelta(days=30)
#: Webhooks that were delivered or given up, and those whose endpoint is switched off.
WEBHOOKS = timedelta(days=30)
#: Longer than any order can be attributed to a click; what an order was attributed to stays.
VISITS = timedelta(days=90)
#: Longer than any conversation lives.
BUDGETS = timedelta(days=90)


async def retain(now: datetime) -> dict[str, int]:
    """Forget what is older than it may be kept; how much of each kind."""
    bodies = await HookDelivery.filter(received_at__lt=now - HOOK_BODIES, body__isnull=False).update(
        body=None, email_hash=None
    )
    budgets = await LlmBudget.filter(changed_at__lt=now - BUDGETS, reserved=0).delete()
    notices = await Notice.filter(created_at__lt=now - NOTICES, to_address__isnull=False).update(
        to_address=None, reply_to=None, words=None, smtp_text=None
    )
    visits = await LinkVisit.filter(at__lt=now - VISITS).delete()
    webhooks = await WebhookMessage.filter(
        Q(closed_at__lt=now - WEBHOOKS) | Q(closed_at=None, next_attempt_at__lt=now - WEBHOOKS)
    ).delete()
    return {
        "hook bodies": bodies,
        "token budgets": budgets,
        "notices": notices,
        "link visits": visits,
        "webhooks": webhooks,
    }
