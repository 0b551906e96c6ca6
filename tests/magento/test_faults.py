"""What goes wrong with real shops: nobody is written to falsely, nothing is lost, and a good day follows a bad one."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from recovery import campaigns, detection, jobs, scoring, sync
from recovery.models import Abandonment, Cart, Email, Store, SyncCart, SyncState
from recovery.stores.magento_errors import MagentoBroken, NotAllowed
from recovery.stores.registry import in_force
from tests.magento.desk import Desk
from tests.magento.fake import FakeMagento


async def waiting_mail(desk: Desk) -> Email:
    """Bring one cart to a queued mail that could go now, with the relay refusing nothing."""
    cart = desk.guest(1, "BP-30")
    await desk.sync()
    desk.clock.advance(minutes=35)
    await desk.sync()
    return await queued(desk, cart.id)


async def queued(desk: Desk, quote_id: int) -> Email:
    """Detect, score and plan, but do not send."""
    store = await in_force(await Store.get(code="default"))
    await detection.sweep(store, desk.runtime.keys, desk.clock.now())
    await scoring.sweep(store, desk.clock.now())
    await campaigns.sweep(store, desk.clock.now())
    return await Email.get(abandonment__cart__quote_id=str(quote_id))


async def send(desk: Desk) -> dict[str, int]:
    return (await jobs.email(desk.runtime)).counts


async def test_an_order_of_the_last_second_stops_the_mail(desk: Desk) -> None:
    await waiting_mail(desk)
    desk.magento.place(desk.magento.state.quotes[1])
    assert await send(desk) == {"lost": 1}
    assert desk.sink.to("anna@example.com") == []
    assert (await Abandonment.get()).status == "recovered"


async def test_an_order_from_another_cart_of_the_same_person_stops_it_too(desk: Desk) -> None:
    await waiting_mail(desk)
    other = desk.guest(2, "SOCK-3", email="ANNA@example.com")
    desk.magento.place(other)
    await send(desk)
    assert desk.sink.to("anna@example.com") == []
    assert await desk.mails() == ["cancelled"]


@pytest.mark.parametrize("what", ["merged", "changed", "emptied", "hidden"])
async def test_a_cart_that_is_another_now_gets_no_mail(desk: Desk, what: str) -> None:
    await waiting_mail(desk)
    state, cart = desk.magento.state, desk.magento.state.quotes[1]
    if what == "merged":
        state.merge(cart)
    elif what == "changed":
        state.add(cart, "SOCK-3")
    elif what == "emptied":
        state.remove(cart, cart.lines[0])
    else:
        state.product("BP-30").status = 2
        cart.updated_at = state.stamp()
    await send(desk)
    assert desk.sink.to("anna@example.com") == []
    assert await desk.mails() == ["cancelled"]


@pytest.mark.parametrize("down", ["503", "refuse", "fatal"])
async def test_while_the_shop_can_not_be_asked_no_mail_goes(desk: Desk, down: str) -> None:
    email = await waiting_mail(desk)
    desk.magento.switches.down = down
    assert await send(desk) == {"shop_away": 1}
    email = await Email.get(id=email.id)
    assert (email.status, email.attempts) == ("pending", 0)
    desk.magento.switches.down = None
    desk.clock.advance(minutes=3)
    assert await send(desk) == {"sent": 1}
    assert len(desk.sink.to("anna@example.com")) == 1


async def test_one_cart_whose_money_can_not_be_read_is_asked_later(desk: Desk) -> None:
    bad, good = desk.guest(1, "BP-30", email="bad@example.com"), desk.guest(1, "BP-30", email="good@example.com")
    desk.magento.switches.broken_totals = {bad.id}
    assert (await desk.sync())["carts_put_off"] == 1
    assert [cart.email for cart in await Cart.all()] == ["good@example.com"]
    desk.clock.advance(minutes=3)
    assert "carts_put_off" not in await desk.sync()
    desk.magento.switches.broken_totals = set()
    desk.clock.advance(minutes=3)
    await desk.sync()
    assert sorted(str(cart.email) for cart in await Cart.all()) == ["bad@example.com", "good@example.com"]
    assert (await desk.cart(good)).status == "active"


async def test_a_cart_that_changed_and_can_not_be_read_is_not_left_behind(desk: Desk) -> None:
    cart = desk.guest(1, "BP-30")
    await desk.sync()
    desk.clock.advance(minutes=28)
    desk.magento.state.add(cart, "SOCK-3")
    desk.magento.switches.broken_totals = {cart.id}
    await desk.sweep()
    desk.clock.advance(minutes=10)
    await desk.sweep()
    assert await desk.episodes(cart) == []


async def test_a_poison_cart_hides_no_other_and_is_not_left_behind(desk: Desk) -> None:
    carts = [desk.guest(1, "BP-30", email=f"p{number}@example.com") for number in range(4)]
    await desk.sync()
    desk.magento.switches.poison = {carts[1].id: "500"}
    await desk.pass_time(45, step=15)
    assert [await desk.episodes(cart) for cart in carts] == [["contacted"], [], ["contacted"], ["contacted"]]
    assert (await SyncState.get()).unreadable == [carts[1].id]
    desk.magento.forget()
    desk.clock.advance(minutes=5)
    await desk.sync()
    # From the second round on it is left out of the question.
    assert desk.magento.count("carts/search") == 1


async def test_clamped_pages_end_and_count_nothing_twice(desk: Desk) -> None:
    desk.magento.switches.clamp = True
    for number in range(50):
        desk.guest(1, "BP-30", email=None if number else "one@example.com")
    counts = await desk.sync()
    assert (counts["carts_read"], counts["carts"]) == (50, 1)


@pytest.mark.parametrize("cause", ["bearer", "right"])
async def test_both_kinds_of_401_stop_everything_and_say_so(desk: Desk, cause: str) -> None:
    cart = desk.guest(1, "BP-30")
    await desk.sync()
    if cause == "bearer":
        desk.magento.switches.bearer = False
    else:
        desk.magento.switches.granted = frozenset()
    desk.clock.advance(minutes=40)
    with pytest.raises(NotAllowed, match="authorized to access Magento_Sales::actions_view"):
        await desk.sync()
    await desk.pass_time(60, step=30)
    assert await desk.episodes(cart) == []
    assert "access refused" in str((await SyncState.get()).error)
    desk.magento.switches.bearer, desk.magento.switches.granted = True, FakeMagento().switches.granted
    await desk.pass_time(40, step=20)
    assert await desk.episodes(cart) == ["contacted"]


async def test_a_shop_that_is_down_for_an_hour(desk: Desk) -> None:
    """Bought, changed and left alone meanwhile: only the last is written to, and only after the shop is back."""
    bought, changed, left = (desk.guest(1, "BP-30", email=f"{name}@example.com") for name in ("bo", "chris", "lee"))
    await desk.sync()
    desk.clock.advance(minutes=10)
    desk.magento.switches.down = "503"
    desk.magento.place(bought)
    await desk.pass_time(50, step=25)
    assert await Abandonment.all().count() == 0
    desk.magento.state.add(changed, "SOCK-3")
    new = desk.guest(2, "BP-30", email="newly@example.com")
    desk.clock.advance(minutes=10)
    desk.magento.switches.down = None
    await desk.pass_time(20, step=20)
    assert [await desk.episodes(cart) for cart in (bought, changed, left, new)] == [[], [], ["contacted"], []]
    assert (await desk.cart(bought)).status == "ordered"
    assert (await desk.cart(changed)).total == 6134
    await desk.pass_time(40, step=20)
    assert [await desk.episodes(cart) for cart in (changed, new)] == [["contacted"], ["contacted"]]
    assert desk.sink.to("bo@example.com") == []


@pytest.mark.parametrize("minutes", [10, -10])
async def test_a_shop_whose_clock_is_ten_minutes_off(desk: Desk, minutes: int) -> None:
    desk.magento.state.skew = timedelta(minutes=minutes)
    cart = desk.guest(1, "BP-30")
    await desk.sync()
    stored = await desk.cart(cart)
    assert (stored.activity_at, stored.created_at) == (desk.clock.now(), desk.clock.now())
    desk.clock.advance(minutes=25)
    await desk.sweep()
    assert await desk.episodes(cart) == []
    desk.clock.advance(minutes=6)
    await desk.sweep()
    assert await desk.episodes(cart) == ["contacted"]
    desk.magento.place(cart)
    await desk.pass_time(5)
    assert await desk.episodes(cart) == ["recovered"]


async def test_a_rule_edit_that_moves_all_carts_is_nobodys_doing(desk: Desk) -> None:
    carts = [desk.guest(1, "BP-30", email=f"p{number}@example.com") for number in range(3)]
    await desk.sync()
    before = {cart.quote_id: cart.activity_at for cart in await Cart.all()}
    desk.clock.advance(minutes=20)
    desk.magento.state.edit_rule()
    await desk.sync()
    assert {cart.quote_id: cart.activity_at for cart in await Cart.all()} == before
    desk.magento.forget()
    desk.clock.advance(minutes=5)
    await desk.sync()  # our reads moved the carts: asked once more, and then no more
    desk.clock.advance(minutes=6)
    desk.magento.forget()
    await desk.sweep()
    assert [await desk.episodes(cart) for cart in carts] == [["contacted"]] * 3
    assert desk.magento.count("/totals") == 0


async def test_a_new_price_is_taken_without_being_an_act(desk: Desk) -> None:
    cart = desk.guest(1, "BP-30")
    await desk.sync()
    before = (await desk.cart(cart)).activity_at
    desk.clock.advance(minutes=10)
    desk.magento.state.reprice(desk.magento.state.product("BP-30"), Decimal(300))
    await desk.sync()
    stored = await desk.cart(cart)
    assert (stored.total, stored.activity_at) == (7292, before)


async def test_a_round_that_is_killed_is_gone_on_with(desk: Desk) -> None:
    for number in range(120):
        desk.guest(1, "BP-30", email=f"p{number}@example.com" if number % 40 == 0 else None)
    desk.magento.switches.slow = 0.1
    task = asyncio.create_task(desk.sync())
    for _ in range(2000):
        if await SyncState.filter(carts_after__gt=0).exists():
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    desk.magento.switches.slow = 0
    read = await SyncCart.all().count()
    assert 50 <= read < 120
    desk.magento.forget()
    counts = await desk.sync()
    assert counts["carts_read"] <= 120 - 50
    assert await SyncCart.all().count() == 120
    assert await Cart.all().count() == 3
    assert (await SyncState.get()).carts_read_at is not None


async def test_one_process_reads_a_shop_at_a_time(desk: Desk) -> None:
    desk.guest(1, "BP-30")
    desk.magento.switches.slow = 0.05
    one, two = await asyncio.gather(desk.sync(), desk.sync())
    assert sorted([bool(one), bool(two)]) == [False, True]
    # The list of orders and that of carts, each by one of them only.
    assert desk.magento.count("=updated_at") == 2


async def test_a_shop_in_trouble_is_asked_less_and_less(desk: Desk) -> None:
    desk.magento.switches.down = "fatal"
    pauses = []
    for _ in range(3):
        with pytest.raises(MagentoBroken):
            await desk.sync()
        state = await SyncState.get()
        assert state.due_at is not None
        pauses.append((state.due_at - desk.clock.now()).total_seconds())
    assert pauses == [60, 120, 240]
    assert await sync.due(desk.runtime) == []


async def test_everything_anew_when_asked(desk: Desk) -> None:
    desk.guest(1, "BP-30")
    await desk.sync()
    desk.clock.advance(minutes=5)
    desk.magento.forget()
    counts = await desk.sync(full=True)
    assert counts["products"] > 10
    assert desk.magento.count("store/storeConfigs") == 1
