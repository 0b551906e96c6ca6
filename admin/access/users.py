"""The people of the admin: inviting them, letting them set a password, letting them in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tortoise.exceptions import IntegrityError

from admin.access import throttle
from admin.access.passwords import LONGEST, SHORTEST, Passwords
from admin.access.scopes import Role
from admin.access.sessions import end_sessions
from admin.access.tokens import new_token, token_hash
from admin.models import User, UserLink
from recovery import db
from recovery.errors import CartbackError, NotFound
from recovery.text import email_address

LINK_LIFE: dict[str, timedelta] = {"invitation": timedelta(days=7), "reset": timedelta(hours=1)}
LinkKind = Literal["invitation", "reset"]


class Refused(CartbackError):
    """An account can't be made or changed like this; the message says why."""


class WrongPassword(CartbackError):
    """Address and password do not belong together; nothing says which of them is wrong."""

    def __init__(self) -> None:
        super().__init__("This address and this password do not belong together.")


class TooManyTries(CartbackError):
    """This account, or this address, was tried too often; ``seconds`` until the next try."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passwords. Try again in {seconds} seconds.")
        self.seconds = seconds


@dataclass(frozen=True)
class NewUser:
    """Whom to let in: lower-case address, name, role, and the stores they see (None: all)."""

    email: str
    name: str
    role: Role
    store_ids: list[int] | None = None
    language: str = "en"


async def create_user(new: NewUser, now: datetime) -> User:
    """Make an account without a password.

    Raises:
        Refused: the address is none, or has an account already.
    """
    email = fold_address(new.email)
    stores = None if new.role == "owner" else new.store_ids
    try:
        return await User.create(
            email=email, name=new.name, role=new.role, store_ids=stores, language=new.language, created_at=now
        )
    except IntegrityError:
        raise Refused(f"{email} has an account already.") from None


async def make_link(user: User, kind: LinkKind, now: datetime) -> str:
    """A one-time link with which a person sets their password; older ones of theirs no longer work. Its token."""
    await UserLink.filter(user_id=user.id, used_at=None).delete()
    token = new_token()
    await UserLink.create(
        user=user, kind=kind, token_hash=token_hash(token), created_at=now, expires_at=now + LINK_LIFE[kind]
    )
    return token


async def user_of_link(token: str, now: datetime) -> tuple[User, UserLink] | None:
    """Whose link this is, while it works."""
    link = await UserLink.get_or_none(token_hash=token_hash(token), used_at=None).prefetch_related("user")
    if link is None or link.expires_at <= now or link.user.disabled_at is not None:
        return None
    return link.user, link


async def use_link(passwords: Passwords, token: str, password: str, now: datetime) -> User:
    """Set a password by a link; every session there was ends.

    Raises:
        NotFound: the link does not work, or not any more.
        Refused: the password is unfit.
    """
    check_password(password)
    found = await user_of_link(token, now)
    if found is None:
        raise NotFound("This link does not work any more; ask for a new one.")
    user, link = found
    kept = await passwords.hash(password)
    async with db.in_transaction():
        if not await UserLink.filter(id=link.id, used_at=None).update(used_at=now):
            raise NotFound("This link was used already; ask for a new one.")
        await User.filter(id=user.id).update(password_hash=kept)
        await end_sessions(user.id)
    await throttle.forgive(user.email)
    return await User.get(id=user.id)


async def sign_in(passwords: Passwords, email: str, password: str, address: str, now: datetime) -> User:
    """The person with this address and password.

    Raises:
        WrongPassword: there is none, or they may not come in.
        TooManyTries: not now.
    """
    email = email.strip().lower()
    wait = await throttle.seconds_to_wait(email, address, now)
    if wait:
        raise TooManyTries(wait)
    user = await User.get_or_none(email=email, disabled_at=None)
    kept = user.password_hash if user else None
    if not await passwords.verify(kept, password) or user is None or kept is None:
        await throttle.note_failure(email, address, now)
        raise WrongPassword
    await throttle.forgive(email)
    if passwords.outdated(kept):
        await User.filter(id=user.id).update(password_hash=await passwords.hash(password))
    return user


async def change_password(passwords: Passwords, user: User, old: str, new: str, session_id: int | None) -> None:
    """Replace a password by whoever knows it; every other session of theirs ends.

    Raises:
        WrongPassword: the old one is another.
        Refused: the new one is unfit.
    """
    check_password(new)
    if not await passwords.verify(user.password_hash, old):
        raise WrongPassword
    await User.filter(id=user.id).update(password_hash=await passwords.hash(new))
    await end_sessions(user.id, but=session_id)


async def count_reset(email: str, address: str, now: datetime) -> None:
    """Count a forgotten password like a wrong one, so that nobody floods a mailbox.

    Raises:
        TooManyTries: not now.
    """
    wait = await throttle.seconds_to_wait(email, address, now)
    if wait:
        raise TooManyTries(wait)
    await throttle.note_failure(email, address, now)


async def count_owners(but: int) -> int:
    """How many owners can still come in besides one."""
    return await User.filter(role="owner", disabled_at=None).exclude(id=but).count()


def fold_address(text: str) -> str:
    """An address as accounts are known by.

    Raises:
        Refused: it is none.
    """
    email = email_address(text.strip().lower())
    if email is None:
        raise Refused(f"{text!r} is not an e-mail address.")
    return email


def check_password(password: str) -> None:
    """Long enough to be worth something (NIST SP 800-63B asks for length, not for signs).

    Raises:
        Refused: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused(f"A password has {SHORTEST} to {LONGEST} characters.")
