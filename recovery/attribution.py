"""What of ours brought an order, if anything: a link the shop saw, a coupon, or a click that only looks like it.

Three ways, the surest first. ``ref``: the shop let the customer in by our hand-off, and says so in the order or by
``cart.restored``. ``coupon``: the order used a code that we made. ``inferred``: somebody fetched a link of the mail as
people do, not as mail scanners do, and the cart changed or the order came within a day. Links count for the store's
``attribution_days``; a coupon counts as long as the shop takes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from recovery.models import Abandonment, Cart, Coupon, Email, LinkToken, LinkVisit, Order

Way = Literal["ref", "coupon", "inferred", "none"]

#: The surest first; what was found once is never replaced by less.
WAYS: tuple[Way, ...] = ("ref", "coupon", "inferred", "none")
#: Scanners fetch links while the mail is still on its way.
SCANNER_SPAN = timedelta(seconds=10)
#: Nobody opens every link of a mail within seconds, but scanners do.
ALL_LINKS_SPAN = timedelta(seconds=5)
#: How soon something must follow a click that the shop did not confirm.
FOLLOWED_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class SentMail:
    """A mail that went out, and when each of its links was fetched (a link that nobody fetched is there, too)."""

    sent_at: datetime
    visits: Mapping[str, Sequence[datetime]]


@dataclass(frozen=True)
class Trail:
    """What is known of the way of an order.

    ``let_in_at`` is when the shop let the customer in by a link of ours, ``activity`` when the cart changed.
    """

    placed_at: datetime
    let_in_at: tuple[datetime, ...] = ()
    coupon_used: bool = False
    mails: tuple[SentMail, ...] = ()
    activity: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Source:
    """What brought an order, and the abandonment whose link or coupon it was where that is known."""

    way: Way
    abandonment_id: int | None = None


def way_of(trail: Trail, window: timedelta) -> Way:
    """The surest way that the trail shows."""

    def in_window(moment: datetime) -> bool:
        return trail.placed_at - window <= moment <= trail.placed_at

    if any(in_window(moment) for moment in trail.let_in_at):
        return "ref"
    if trail.coupon_used:
        return "coupon"
    clicks = [click for mail in trail.mails for click in human_visits(mail) if in_window(click)]
    followed = (*(at for at in trail.activity if at <= trail.placed_at), trail.placed_at)
    if any(click < at <= click + FOLLOWED_WITHIN for click in clicks for at in followed):
        return "inferred"
    return "none"


def human_visits(mail: SentMail) -> list[datetime]:
    """The fetches that look like a person's."""
    return [
        at
        for visits in mail.visits.values()
        for at in visits
        if at >= mail.sent_at + SCANNER_SPAN and not _took_every_link(mail, at)
    ]


def _took_every_link(mail: SentMail, at: datetime) -> bool:
    """Whether every link of a mail with several was fetched around this moment."""
    return len(mail.visits) > 1 and all(
        any(abs(other - at) <= ALL_LINKS_SPAN for other in visits) for visits in mail.visits.values()
    )


def surer(known: str | None, found: Way) -> Way:
    """What an order keeps when it is looked at again: visits are forgotten after a while, the answer is not."""
    return next(way for way in WAYS if way in (known, found))


async def persons_named(connection_id: int, ref: str | None, codes: Iterable[str]) -> list[str]:
    """Whose link or coupon an order names: people to lock with its own, since their episode may end by it."""
    links = await LinkToken.filter(jti=ref, store__connection_id=connection_id) if ref else []
    coupons = await Coupon.filter(connection_id=connection_id, code__in=[*codes, *(code.upper() for code in codes)])
    return [*(link.email_hash for link in links), *(coupon.email_hash for coupon in coupons)]


async def note_restored(connection_id: int, ref: str, at: datetime) -> None:
    """The shop let a customer in by the link named ``ref``; one that is not ours means nothing."""
    found = await LinkToken.get_or_none(jti=ref, store__connection_id=connection_id)
    if found is not None and (found.restored_at is None or found.restored_at < at):
        await LinkToken.filter(jti=ref).update(restored_at=at)


async def trace(order: Order, cart: Cart | None, window: timedelta) -> Source:
    """What brought an order, as far as is known now; its coupons must have been noted before."""
    named = None
    if order.ref:
        named = await LinkToken.get_or_none(jti=order.ref, store__connection_id=order.connection_id).prefetch_related(
            "email", "visits"
        )
    coupon = await Coupon.filter(redeemed_order_id=order.id).order_by("id").first()
    links = await _links(order, cart)
    given_back = await _given_back(order, cart, window)
    if named is None and given_back is not None:
        named = given_back
        links = [*links, given_back]
    let_in = [link.restored_at for link in links if link.restored_at]
    if named is not None and named is not given_back:
        # The order names the link, so it was used; when, is known from its visits, or else at least since when.
        let_in += [named.created_at, *(visit.at for visit in named.visits), *filter(None, [named.restored_at])]
    trail = Trail(
        placed_at=order.placed_at,
        let_in_at=tuple(let_in),
        coupon_used=coupon is not None,
        mails=await _mails(links),
        activity=await _activity(cart),
    )
    way = way_of(trail, window)
    if way == "ref" and named is not None and named.email is not None:
        return Source(way, named.email.abandonment_id)
    return Source(way, coupon.abandonment_id if coupon is not None else None)


async def _links(order: Order, cart: Cart | None) -> list[LinkToken]:
    """The links that gave this order's cart, or, where the shop does not tell the cart, its person's carts."""
    if cart is not None:
        return await LinkToken.filter(cart_id=cart.id)
    if order.quote_id is None and order.email_hash is not None:
        return await LinkToken.filter(store__connection_id=order.connection_id, email_hash=order.email_hash)
    return []


async def _given_back(order: Order, cart: Cart | None, window: timedelta) -> LinkToken | None:
    """The link that the shop last let this order's person in by, when what it gave back went into another cart.

    Our script puts a guest's products into the session's own cart, which is a new one.
    """
    if order.email_hash is None:
        return None
    mine = LinkToken.filter(
        store__connection_id=order.connection_id,
        email_hash=order.email_hash,
        restored_at__gte=order.placed_at - window,
        restored_at__lte=order.placed_at,
    )
    if cart is not None:
        mine = mine.exclude(cart_id=cart.id)
    return await mine.order_by("-restored_at").prefetch_related("email", "visits").first()


async def _mails(links: Sequence[LinkToken]) -> tuple[SentMail, ...]:
    """The mails of these links that went out or may have, with the visits of the links in the mail itself."""
    in_mail = [link for link in links if link.email_id is not None and link.renews is None]
    sent = await Email.filter(id__in={link.email_id for link in in_mail}, status__in=("sent", "unknown"))
    visits: dict[str, list[datetime]] = {link.jti: [] for link in in_mail}
    for visit in await LinkVisit.filter(link_id__in=list(visits)):
        visits[visit.link_id].append(visit.at)
    return tuple(
        SentMail(
            mail.sent_at or mail.composed_at or mail.created_at,
            {link.jti: visits[link.jti] for link in in_mail if link.email_id == mail.id},
        )
        for mail in sent
    )


async def _activity(cart: Cart | None) -> tuple[datetime, ...]:
    """When the cart changed: last, and each time that an episode of it ended by that."""
    if cart is None:
        return ()
    ended = await Abandonment.filter(cart_id=cart.id, closed_at__isnull=False)
    return (cart.activity_at, *(episode.closed_at for episode in ended if episode.closed_at))
