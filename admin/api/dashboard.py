"""The first page: figures with the time before, what came back and because of what, what needs a person."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from admin import attention, figures, observed
from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.periods import PeriodQuery, period_of, stores_of
from admin.periods import Period
from admin.talks import cost
from recovery import analytics, proof_report
from recovery.eligibility import REASONS
from recovery.proof import Interval
from recovery.stores.registry import StoreInForce
from recovery.text import mask_address

api = Operations("dashboard")


class Tiles(BaseModel):
    """The figures of a time."""

    abandoned: int = Field(description="Carts left behind")
    emails_sent: int
    recovered: int = Field(description="Carts that an order brought back in this time, whenever they were left")
    recovery_rate: float | None = Field(description="Of the carts left behind in this time, the share that came back")
    coupons_issued: int
    coupons_used: int
    conversations: int
    conversations_asked: int = Field(description="Those in which the customer asked something")
    orders_after_chat: int
    model_cost: float | None = Field(description="Estimate, in the currency of the prices set for the model")


class Amount(BaseModel):
    """Orders and what they brought, in minor units."""

    orders: int
    revenue: int


class CameBackRow(BaseModel):
    """What came back in one currency, in this time and in the one before."""

    currency: str
    digits: int
    all: Amount = Field(description="All who came back, whatever brought them; many would have come anyway")
    by_us: Amount = Field(description="Those whom a link or coupon of ours brought")
    before_all: Amount
    before_by_us: Amount


class Range(BaseModel):
    """A figure and the 95 % interval around it."""

    estimate: float
    low: float
    high: float
    may_be_nothing: bool = Field(description="The interval has zero in it: too few to tell")


class MoreRevenue(BaseModel):
    """What the people who could be written to spent more than the held-out, in minor units of one currency."""

    currency: str
    digits: int
    more: Range | None = Field(description="Null where nobody can be compared")


class ProofTold(BaseModel):
    """What came back because of us: people who could be written to against those who were held out."""

    people: int
    held_out: int
    buyers: int
    held_out_buyers: int
    following: int = Field(description="People whose 14 days are not over yet")
    unfair: bool = Field(description="The draw is broken, so nothing is proved")
    more_buyers: Range | None
    revenue: list[MoreRevenue]


class Funnel(BaseModel):
    """How far the carts came that were left behind in this time; each step counts carts."""

    left_behind: int
    scored: int
    mailed: int
    clicked: int = Field(description="A person followed a link of a mail; scanners of mail are left out")
    talked: int = Field(description="The customer asked the assistant something")
    recovered: int


class EarnedRow(BaseModel):
    """Revenue of one bucket and currency, in minor units."""

    currency: str
    digits: int
    all: int
    by_us: int


class BucketRow(BaseModel):
    """One day, week or month, named by its first day in the zone of the page."""

    day: date
    abandoned: int
    emails_sent: int
    recovered: int
    coupons_used: int
    conversations: int
    earned: list[EarnedRow]


class AttentionRow(BaseModel):
    """Something that needs a person."""

    kind: attention.Kind
    state: str = Field(description="wrong or note")
    store: int | None
    count: int
    words: str
    fix: str


class WouldWriteTo(BaseModel):
    """Carts of one currency that would have been written to."""

    currency: str
    digits: int
    carts: int
    worth: int = Field(description="Minor units")


class LeftOut(BaseModel):
    """Carts that would not have been, or not yet."""

    outcome: str = Field(description="skipped, waiting or held_out")
    reason: str | None
    words: str
    carts: int


class WouldBeMail(BaseModel):
    """A message that would have gone; `/abandonments/{id}/mail` shows it whole."""

    abandonment: int
    step: int
    at: datetime
    customer: str | None
    subject: str


class ObservedStore(BaseModel):
    """What an observing store would have done with the carts left behind in this time."""

    store: int
    written_to: list[WouldWriteTo]
    left_out: list[LeftOut]
    mails: list[WouldBeMail]


class Dashboard(BaseModel):
    """The first page."""

    since: datetime
    until: datetime
    before_since: datetime
    before_until: datetime
    timezone: str = Field(description="The store's; UTC for stores in several")
    tiles: Tiles
    before: Tiles
    came_back: list[CameBackRow]
    funnel: Funnel
    trend: list[BucketRow]
    attention: list[AttentionRow]
    observing: list[ObservedStore]


@api.add("GET", "/dashboard", scope="carts:read")
async def show_dashboard(call: Call, query: PeriodQuery) -> Dashboard:
    """The figures of a time and of the time before it, and what needs a person."""
    stores = await stores_of(call, query.store)
    period, ids = period_of(call, query, stores), [store.row.id for store in stores]
    whole = query.store is None and call.who.store_ids is None
    return Dashboard(
        since=period.since,
        until=period.until,
        before_since=period.before_since,
        before_until=period.before_until,
        timezone=period.zone.key,
        tiles=await _tiles(ids, period.since, period.until),
        before=await _tiles(ids, period.before_since, period.before_until),
        came_back=await _came_back(ids, period),
        funnel=Funnel(**await figures.funnel(ids, period.since, period.until)),
        trend=[bucket_row(bucket) for bucket in await figures.series(ids, period, "day")],
        attention=[
            AttentionRow(
                kind=a.kind, state=a.state, store=a.store_id, count=a.count, words=a.words, fix=a.fix
            )
            for a in await attention.needed(stores, call.now, installation=whole)
        ],
        observing=[await _observed(call, store, period) for store in stores if store.row.mode == "observing"],
    )  # fmt: skip


@api.add("GET", "/dashboard/proof", scope="carts:read")
async def show_proof(call: Call, query: PeriodQuery) -> ProofTold:
    """What came back more than from the people held out, with how sure that is; takes longer than the rest."""
    stores = await stores_of(call, query.store)
    period, ids = period_of(call, query, stores), [store.row.id for store in stores]
    proof = await proof_report.compare(ids, period.since, call.now, until=period.until)
    return ProofTold(
        people=proof.treated.people,
        held_out=proof.held.people,
        buyers=proof.treated.buyers,
        held_out_buyers=proof.held.buyers,
        following=proof.following,
        unfair=proof.is_unfair,
        more_buyers=_range(proof.more_buyers),
        revenue=[
            MoreRevenue(
                currency=money.currency,
                digits=money.digits,
                more=_range(money.per_person.times(proof.treated.people) if money.per_person else None),
            )
            for money in proof.money
        ],
    )


def bucket_row(bucket: figures.Bucket) -> BucketRow:
    """A bucket as it is told."""
    earned = [EarnedRow(currency=e.currency, digits=e.digits, all=e.all, by_us=e.by_us) for e in bucket.earned]
    return BucketRow(day=bucket.day, earned=earned, **bucket.counts)


async def _tiles(store_ids: list[int], since: datetime, until: datetime) -> Tiles:
    row = await figures.counts(store_ids, since, until)
    back = row.pop("of_them_recovered")
    return Tiles(
        recovery_rate=round(back / row["abandoned"], 6) if row["abandoned"] else None,
        conversations_asked=row.pop("asked"),
        model_cost=cost(row.pop("cost_micros")),
        **row,
    )


async def _came_back(store_ids: list[int], period: Period) -> list[CameBackRow]:
    now = await analytics.came_back(store_ids, period.since, period.until)
    before = await analytics.came_back(store_ids, period.before_since, period.before_until)
    earlier = {(each.currency, each.digits): each for each in before}
    sums = {(each.currency, each.digits): each for each in now}
    return [
        CameBackRow(
            currency=currency,
            digits=digits,
            all=_amount(sums.get((currency, digits)), "all"),
            by_us=_amount(sums.get((currency, digits)), "by_us"),
            before_all=_amount(earlier.get((currency, digits)), "all"),
            before_by_us=_amount(earlier.get((currency, digits)), "by_us"),
        )
        for currency, digits in dict.fromkeys([*sums, *earlier])
    ]


def _amount(back: analytics.CameBack | None, which: str) -> Amount:
    total = analytics.Sum() if back is None else back.all if which == "all" else back.by_us
    return Amount(orders=total.orders, revenue=total.revenue)


def _range(interval: Interval | None) -> Range | None:
    if interval is None:
        return None
    told = {name: round(getattr(interval, name), 4) for name in ("estimate", "low", "high")}
    return Range(**told, may_be_nothing=interval.spans_zero)


async def _observed(call: Call, store: StoreInForce, period: Period) -> ObservedStore:
    found = await observed.observe(store, period.since, period.until)
    return ObservedStore(
        store=store.row.id,
        written_to=[WouldWriteTo(**row) for row in found.would],
        left_out=[
            LeftOut(**row, words=REASONS.get(row["reason"] or "", row["reason"] or "")) for row in found.skipped
        ],
        mails=[
            WouldBeMail(
                abandonment=mail.abandonment_id,
                step=mail.step,
                at=mail.at,
                customer=mail.address
                if mail.address is None or call.shows_personal
                else mask_address(mail.address),
                subject=mail.subject,
            )
            for mail in found.mails
        ],
    )  # fmt: skip
