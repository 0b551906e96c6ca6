"""Three numbers that are never mixed: scripted stories of customers, and what a person reading them would count."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from recovery import analytics
from recovery.attribution import SentMail, Trail, surer, way_of
from recovery.models import LinkToken, LinkVisit, Order
from tests.coupon_shop import CouponShop
from tests.recovery.coupons import coupon, send, with_coupons
from tests.shop import MORNING, Shop, item
from tests.smtp_sink import SmtpSink

WEEK = timedelta(days=7)


def at(**span: float) -> datetime:
    return MORNING + timedelta(**span)


# The rule, on facts alone


@pytest.mark.parametrize(
    ("visits", "order", "way"),
    [
        ({"r": [{"seconds": 10}], "a": []}, {"hours": 1}, "inferred"),
        ({"r": [{"seconds": 9}], "a": []}, {"hours": 1}, "none"),
        ({"r": [{"minutes": 5}], "a": []}, {"hours": 24, "minutes": 5}, "inferred"),
        ({"r": [{"minutes": 5}], "a": []}, {"hours": 24, "minutes": 6}, "none"),
        ({"r": [{"minutes": 5}], "a": []}, {"minutes": 4}, "none"),
        # A scanner that comes late and takes everything, and a person after it.
        ({"r": [{"minutes": 5}], "a": [{"minutes": 5, "seconds": 5}]}, {"hours": 1}, "none"),
        ({"r": [{"minutes": 5}], "a": [{"minutes": 5, "seconds": 6}]}, {"hours": 1}, "inferred"),
        ({"r": [{"seconds": 2}, {"minutes": 30}], "a": [{"seconds": 3}]}, {"hours": 1}, "inferred"),
        # A mail with one link only: a click on it is no click on all of them.
        ({"r": [{"minutes": 5}]}, {"hours": 1}, "inferred"),
    ],
)
def test_which_clicks_look_like_a_person(
    visits: dict[str, list[dict[str, float]]], order: dict[str, float], way: str
) -> None:
    mail = SentMail(MORNING, {link: [at(**moment) for moment in moments] for link, moments in visits.items()})
    assert way_of(Trail(at(**order), mails=(mail,)), WEEK) == way


def test_a_change_of_the_cart_within_a_day_confirms_a_click_for_the_whole_window() -> None:
    mail = SentMail(MORNING, {"r": [at(hours=1)], "a": []})
    trail = Trail(at(days=5), mails=(mail,), activity=(at(hours=20),))
    assert way_of(trail, WEEK) == "inferred"
    assert way_of(trail, timedelta(days=4)) == "none"
    assert way_of(Trail(at(days=5), mails=(mail,), activity=(at(minutes=59),)), WEEK) == "none"


def test_the_surest_way_counts_and_is_kept() -> None:
    mail = SentMail(MORNING, {"r": [at(hours=1)]})
    assert way_of(Trail(at(hours=2), (at(hours=1),), True, (mail,)), WEEK) == "ref"
    assert way_of(Trail(at(days=8), (at(hours=1),), True, (mail,)), WEEK) == "coupon"
    assert way_of(Trail(at(hours=2), (at(hours=3),)), WEEK) == "none"
    assert [surer(None, "none"), surer("ref", "none"), surer("inferred", "ref"), surer("none", "coupon")] == [
        "none",
        "ref",
        "ref",
        "coupon",
    ]


# Stories, through hooks, mails and links


@dataclass
class Story:
    """What happens to one customer, step by step; ``way`` and the sums are what a person reading it would count."""

    steps: list[Any]
    way: str | None
    came_back: tuple[int, int] = (1, 46999)
    by_us: tuple[int, int] = (1, 46999)
    settings: dict[str, Any] = field(default_factory=dict)


class Teller:
    """Tells one story to a live shop."""

    def __init__(self, shop: Shop, sink: SmtpSink) -> None:
        self.shop, self.sink = shop, sink
        self.links: dict[str, str] = {}

    async def tell(self, story: Story) -> None:
        await self.shop.set(**story.settings)
        for step in story.steps:
            name, values = step if isinstance(step, tuple) else (step, {})
            await getattr(self, name)(**values)

    async def mail(self) -> None:
        await self.shop.queue()
        assert (await self.shop.deliver()).counts == {"sent": 1}
        text = self.sink.messages[-1].text("plain")
        self.links = {path[0]: f"/{path}" for path in re.findall(r"http://127\.0\.0\.1:8000/([ra]/\S+)", text)}

    async def wait(self, **span: float) -> None:
        self.shop.clock.advance(**span)

    async def click(self, link: str = "r", method: str = "GET") -> None:
        assert (await self.shop.client.request(method, self.links[link])).status_code < 400

    async def change(self) -> None:
        await self.shop.cart(items=[item(quantity=2)])

    async def restored(self, **told: Any) -> None:
        moment = told.pop("at", self.shop.now)
        data = {"quote_id": "1", "ref": await self.ref(), "at": moment.isoformat()}
        await self.shop.tell("cart.restored", data | told)

    async def order(self, *, named: bool = False, **told: Any) -> None:
        await self.shop.order(**(told | ({"ref": await self.ref()} if named else {})))

    async def ref(self) -> str:
        return (await LinkToken.get(kind="restore")).jti


MINUTE, HOUR = ("wait", {"minutes": 1}), ("wait", {"hours": 1})
CANCEL = ("order", {"state": "cancelled", "event": "order.cancelled"})
STORIES = {
    "comes back unasked": Story(["mail", HOUR, "order"], "none", by_us=(0, 0)),
    "clicks and orders": Story(["mail", MINUTE, "click", MINUTE, "order"], "inferred"),
    "talks to the assistant and orders": Story(["mail", MINUTE, ("click", {"link": "a"}), HOUR, "order"], "inferred"),
    "a scanner at once": Story(["mail", "click", HOUR, "order"], "none", by_us=(0, 0)),
    "a scanner that only looks": Story(
        ["mail", MINUTE, ("click", {"method": "HEAD"}), ("click", {"link": "a", "method": "HEAD"}), HOUR, "order"],
        "none",
        by_us=(0, 0),
    ),
    "a scanner that takes everything": Story(
        ["mail", MINUTE, "click", ("click", {"link": "a"}), HOUR, "order"], "none", by_us=(0, 0)
    ),
    "clicks, and orders two days later": Story(
        ["mail", MINUTE, "click", ("wait", {"hours": 48}), "order"], "none", by_us=(0, 0)
    ),
    "clicks, changes the cart, orders four days later": Story(
        ["mail", MINUTE, "click", MINUTE, "change", ("wait", {"days": 4}), "order"], "inferred"
    ),
    "the same where the window is shorter": Story(
        ["mail", MINUTE, "click", MINUTE, "change", ("wait", {"days": 4}), "order"],
        "none",
        by_us=(0, 0),
        settings={"attribution_days": 3},
    ),
    "the shop names the link": Story(["mail", "click", HOUR, ("order", {"named": True})], "ref"),
    "the shop let them in": Story(["mail", "click", "restored", ("wait", {"days": 6}), "order"], "ref"),
    "the shop let them in too long ago": Story(
        ["mail", "click", "restored", ("wait", {"days": 8}), "order"], "none", by_us=(0, 0)
    ),
    "the shop tells of it after the order": Story(
        ["mail", ("wait", {"hours": 2}), "order", MINUTE, ("restored", {"at": at(minutes=40)})], "ref"
    ),
    "the shop names a link of somebody else": Story(
        ["mail", HOUR, ("restored", {"ref": "nobody"}), ("order", {"ref": "nobody"})], "none", by_us=(0, 0)
    ),
    "orders in another cart by our link": Story(
        ["mail", "click", HOUR, ("order", {"named": True, "quote_id": "77", "customer": {"email": "b@example.com"}})],
        "ref",
    ),
    "the order is cancelled": Story(
        ["mail", MINUTE, "click", MINUTE, "order", MINUTE, CANCEL], "inferred", (0, 0), (0, 0)
    ),
    "cancelled and paid after all": Story(
        ["mail", MINUTE, "click", MINUTE, "order", MINUTE, CANCEL, MINUTE, ("order", {"event": "order.updated"})],
        "inferred",
    ),
    "some of it is given back": Story(
        ["mail", MINUTE, "click", MINUTE, "order", MINUTE, ("order", {"refunded_total": 6999, "state": "refunded"})],
        "inferred",
        (1, 40000),
        (1, 40000),
    ),
    "orders again": Story(
        ["mail", MINUTE, "click", MINUTE, "order", MINUTE, ("order", {"order_id": "o2", "total": 5})], "inferred"
    ),
    "never left a cart": Story([("order", {"quote_id": None})], "none", (0, 0), (0, 0)),
}


@pytest.mark.parametrize("name", STORIES)
async def test_a_story_counts_as_whoever_reads_it_would_say(name: str, live: Shop, smtp_sink: SmtpSink) -> None:
    story = STORIES[name]
    await Teller(live, smtp_sink).tell(story)
    assert (await Order.get(order_id="o1")).attribution == story.way
    sums = await analytics.came_back([live.store.id], MORNING)
    counted = [((each.all.orders, each.all.revenue), (each.by_us.orders, each.by_us.revenue)) for each in sums]
    assert counted == ([(story.came_back, story.by_us)] if story.came_back[0] else [])


async def test_a_coupon_counts_as_ours(live: Shop, till: CouponShop) -> None:
    await with_coupons(live, till)
    await live.queue()
    await send(live)
    live.clock.advance(hours=30)
    # The code was typed in elsewhere: in another cart, by somebody whom we don't know.
    code = (await coupon()).code
    await live.order(quote_id="77", customer={"email": "b@example.com"}, coupon_codes=[code.lower()])
    assert (await Order.get()).attribution == "coupon"
    (sums,) = await analytics.came_back([live.store.id], MORNING)
    assert sums.by_way["coupon"] == sums.all == analytics.Sum(1, 46999)
    assert (await live.episode()).status == "recovered"


async def test_currencies_and_stores_are_kept_apart(live: Shop, smtp_sink: SmtpSink) -> None:
    people = {"1": ("EUR", 46999), "2": ("JPY", 9000), "3": ("EUR", 1)}
    for quote_id, (currency, _) in people.items():
        await live.cart(quote_id, currency=currency, customer={"email": f"p{quote_id}@example.com"})
    await live.abandon()
    for quote_id, (currency, total) in people.items():
        customer = {"email": f"p{quote_id}@example.com"}
        await live.order(f"o{quote_id}", quote_id=quote_id, currency=currency, total=total, customer=customer)
    euro, yen = await analytics.came_back([live.store.id], MORNING)
    assert (euro.currency, euro.digits, euro.all) == ("EUR", 2, analytics.Sum(2, 47000))
    assert (yen.currency, yen.digits, yen.all) == ("JPY", 0, analytics.Sum(1, 9000))
    assert await analytics.came_back([live.store.id + 1], MORNING) == []
    assert await analytics.came_back([live.store.id], live.now + timedelta(seconds=1)) == []


async def test_only_the_first_visits_of_a_link_are_kept(live: Shop, smtp_sink: SmtpSink) -> None:
    teller = Teller(live, smtp_sink)
    await teller.mail()
    await LinkToken.filter(kind="restore").update(uses=99)
    await teller.click()
    await teller.click()
    assert (await LinkToken.get(kind="restore")).uses == 101
    assert await LinkVisit.all().count() == 1
