"""Personal data of the admin pages: sessions of the merchant's own people, and nothing of any customer."""

from datetime import datetime, timedelta

from admin.models import AdminSession

SESSIONS = timedelta(days=30)


async def export(connection_id: int, email_hash: str, address: str) -> dict[str, list[dict[str, object]]]:
    """Nothing: the pages are drawn from rows of the other packages."""
    return {}


async def erase(connection_id: int, email_hash: str, address: str, now: datetime) -> dict[str, int]:
    """Nothing, as nothing is held."""
    return {}


async def retain(now: datetime) -> dict[str, int]:
    """Forget the sessions that ended a month ago; how many."""
    return {"admin sessions": await AdminSession.filter(expires_at__lt=now - SESSIONS).delete()}
