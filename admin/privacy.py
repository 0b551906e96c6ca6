"""Personal data of the admin: sessions, links and kept answers of the merchant's own people, and how long they stay."""

from datetime import datetime, timedelta

from admin.models import AdminSession, IdempotentAnswer, UserLink, UserSession

#: After they ended.
SESSIONS = timedelta(days=30)
#: A program that asks again does so at once.
ANSWERS = timedelta(days=1)


async def export(connection_id: int, email_hash: str, address: str) -> dict[str, list[dict[str, object]]]:
    """Nothing of a customer: the pages are drawn from rows of the other packages."""
    return {}


async def erase(connection_id: int, email_hash: str, address: str, now: datetime) -> dict[str, int]:
    """Forget the kept answers that name the person; nothing else here is about a customer."""
    found = await IdempotentAnswer.filter(body__icontains=address).delete()
    return {"kept answers": found} if found else {}


async def retain(now: datetime) -> dict[str, int]:
    """Forget what ended long enough ago, ``now`` being the machine's time; how much of each kind."""
    ended = now - SESSIONS
    sessions = await AdminSession.filter(expires_at__lt=ended).delete()
    sessions += await UserSession.filter(expires_at__lt=ended).delete()
    return {
        "admin sessions": sessions,
        "admin links": await UserLink.filter(expires_at__lt=ended).delete(),
        "kept answers": await IdempotentAnswer.filter(created_at__lt=now - ANSWERS).delete(),
    }
