"""Slows down whoever guesses passwords: for one account, and for one address with many accounts.

Waiting grows with the failures and ends by itself; an account is never locked, or anybody could lock its owner out.
"""

import hashlib
from datetime import datetime, timedelta

from admin.models import SignInFailure

WINDOW = timedelta(minutes=15)
#: So many failures in the window cost nothing.
FREE_FOR_ACCOUNT, FREE_FOR_ADDRESS = 5, 20
LONGEST_WAIT = timedelta(minutes=5)


def account_key(email: str) -> str:
    """The name under which failures of an account are counted."""
    return hashlib.sha256(f"account:{email}".encode()).hexdigest()


def address_key(address: str) -> str:
    """The name under which failures from an address are counted."""
    return hashlib.sha256(f"address:{address}".encode()).hexdigest()


async def seconds_to_wait(email: str, address: str, now: datetime) -> int:
    """Seconds until this account may be tried from this address again; 0 is at once."""
    waits = [
        await _wait(account_key(email), FREE_FOR_ACCOUNT, now),
        await _wait(address_key(address), FREE_FOR_ADDRESS, now),
    ]
    return max(waits)


async def note_failure(email: str, address: str, now: datetime) -> None:
    """Count a wrong password, whether there is such an account or not."""
    await SignInFailure.filter(at__lt=now - WINDOW).delete()
    for key in (account_key(email), address_key(address)):
        await SignInFailure.create(key=key, at=now)


async def forgive(email: str) -> None:
    """Forget an account's failures: its owner has come."""
    await SignInFailure.filter(key=account_key(email)).delete()


async def _wait(key: str, free: int, now: datetime) -> int:
    failures = await SignInFailure.filter(key=key, at__gt=now - WINDOW).order_by("-at").values_list("at", flat=True)
    beyond = len(failures) - free
    if beyond < 0:
        return 0
    wait = min(timedelta(seconds=2 ** min(beyond, 10)), LONGEST_WAIT)
    newest: datetime = failures[0]  # type: ignore[assignment]
    left = (newest + wait - now).total_seconds()
    return max(0, -int(-left // 1))
