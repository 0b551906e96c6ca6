"""The whole way of carts over a fake Magento: found, scored, mailed in the right language and money, bought."""

from recovery.models import Abandonment, Cart, ConsentRecord, Decision, Order, Product, ProductLink, Store
from recovery.stores import registry
from tests.magento.desk import Desk


def body(desk: Desk, address: str, part: str = "plain") -> str:
    """The text of the one mail to an address, its blanks plain ones."""
    (mail,) = desk.sink.to(address)
    found = mail.message.get_body((part,))
    assert found is not None
    return str(found.get_content()).replace("\u00a0", " ").replace("\u202f", " ")


async def test_a_guest_from_cart_to_order_and_back(desk: Desk) -> None:
    cart = desk.guest(1, "BP-30", "WJ-01-M-NAVY")
    await desk.sweep()
    stored = await desk.cart(cart)
    assert (stored.total, stored.currency, stored.email, stored.checkout_stage) == (
        16066, "EUR", "anna@example.com", "payment",
    )  # fmt: skip
    assert await desk.episodes(cart) == []

    await desk.pass_time(40)
    assert await desk.episodes(cart) == ["contacted"]
    (episode,) = await Abandonment.all()
    assert episode.score is not None
    assert episode.score > 0.45
    text = body(desk, "anna@example.com")
    assert "Trail Backpack 30 l" in text
    assert "Ridge Trekking Jacket" in text
    # 46.30 + 110.89 + 3.47 for shipping, each with tax.
    assert "€160.66" in text
    html = body(desk, "anna@example.com", "html")
    assert f"{desk.magento.url}/media/catalog/product/b/p/bp-30.png" in html

    order = desk.magento.place(cart)
    await desk.pass_time(10)
    (episode,) = await Abandonment.all()
    assert (episode.status, episode.recovered_revenue, episode.recovered_currency) == ("recovered", 16066, "EUR")
    assert (await desk.cart(cart)).status == "ordered"

    desk.clock.advance(minutes=60)
    order.set("canceled", "canceled", desk.magento.state.stamp())
    await desk.pass_time(10)
    (episode,) = await Abandonment.all()
    assert episode.recovery_reversed_at is not None
    assert (await Order.get(order_id=str(order.id))).state == "cancelled"
    assert len(desk.sink.to("anna@example.com")) == 1


async def test_a_customer_of_the_polish_store_view(desk: Desk) -> None:
    cart = desk.guest(2, "WJ-01-M-NAVY", "SOCK-3", email=None)
    desk.magento.state.log_in(cart, 1, "john@example.com", subscribed=True)
    await desk.pass_time(45)
    stored = await desk.cart(cart)
    assert (stored.store.code, stored.store.language, stored.registered) == ("pl", "pl", True)
    assert (stored.total, stored.currency, stored.checkout_stage) == (52899, "PLN", "contact")
    assert stored.cart_url == f"{desk.magento.url}/checkout/cart/?___store=pl"
    text = body(desk, "john@example.com")
    assert "Kurtka trekkingowa Ridge" in text
    assert "528,99 zł" in text
    assert "Tatra" in text
    jacket = next(item for item in stored.items if item.sku == "WJ-01-M-NAVY")
    assert (jacket.product_id, jacket.parent_id) == ("7", "9")
    assert jacket.options == [{"name": "Rozmiar", "value": "M"}, {"name": "Kolor", "value": "Navy"}]
    assert jacket.url == f"{desk.magento.url}/ridge-trekking-jacket.html"


async def test_two_store_views_and_two_currencies_side_by_side(desk: Desk) -> None:
    one = desk.guest(1, "BP-30", email="anna@example.com")
    two = desk.guest(2, "BP-30", email="ola@example.com")
    await desk.pass_time(40)
    assert [(c.total, c.currency, c.store.code) for c in (await desk.cart(one), await desk.cart(two))] == [
        (4977, "EUR", "default"), (21500, "PLN", "pl"),
    ]  # fmt: skip
    assert "€49.77" in body(desk, "anna@example.com")
    assert "215,00 zł" in body(desk, "ola@example.com")
    assert "Plecak 30 l" in body(desk, "ola@example.com")


async def test_a_shopper_who_changes_the_store_view_takes_the_cart_along(desk: Desk) -> None:
    cart = desk.guest(1, "BP-30")
    await desk.sweep()
    desk.clock.advance(minutes=5)
    desk.magento.state.switch_view(cart, 2)
    await desk.sweep()
    stored = await desk.cart(cart)
    assert (stored.store.code, stored.currency, stored.total) == ("pl", "PLN", 21500)


async def test_an_address_that_comes_late_is_not_lost(desk: Desk) -> None:
    """It moves nothing that a cursor could follow: only reading the whole window shows it."""
    cart = desk.guest(1, "BP-30", email=None)
    await desk.sweep()
    assert await Cart.all().count() == 0
    desk.clock.advance(minutes=20)
    touched = cart.updated_at
    desk.magento.state.pay(cart, "late@example.com")
    assert cart.updated_at == touched
    await desk.sweep()
    # 25 minutes after the last move of updated_at, but 5 after the address came.
    await desk.pass_time(25)
    assert await desk.episodes(cart) == []
    await desk.pass_time(15)
    assert await desk.episodes(cart) == ["contacted"]


async def test_the_money_of_a_cart_is_asked_once_while_nothing_changes(desk: Desk) -> None:
    for number in range(5):
        desk.guest(1, "BP-30", email=f"person{number}@example.com")
    await desk.sweep()
    assert desk.magento.count("/totals") == 5
    desk.magento.forget()
    await desk.pass_time(20)
    assert desk.magento.count("/totals") == 0
    assert desk.magento.count("orders?") == desk.magento.count("carts/search") == 2


async def test_what_visitors_see_is_in_the_catalogue_of_each_view(desk: Desk) -> None:
    await desk.sync()
    stores = {store.code: store.id for store in await Store.all()}
    jacket = await Product.get(store_id=stores["pl"], product_id="9")
    assert (jacket.name, jacket.price, jacket.currency) == ("Kurtka trekkingowa Ridge", 47900, "PLN")
    variant = await Product.get(store_id=stores["default"], product_id="7")
    assert (variant.parent_id, variant.price, variant.currency, variant.in_stock) == ("9", 11089, "EUR", True)
    links = await ProductLink.filter(store_id=stores["pl"], product_id="9").order_by("kind", "position")
    assert [(link.kind, link.linked_id) for link in links] == [
        ("crosssell", "2"), ("related", "1"), ("related", "3"), ("upsell", "12"),
    ]  # fmt: skip
    assert not await Product.filter(product_id="14").exists()

    desk.clock.advance(hours=25)
    desk.magento.state.product("HOOK-8").in_stock = False
    desk.magento.state.product("SOCK-3").status = 2
    del desk.magento.state.products[1]
    await desk.sync()
    told = {p.product_id: (p.active, p.in_stock) for p in await Product.filter(store_id=stores["pl"])}
    assert (told["3"], told["2"], told["1"]) == ((True, False), (False, False), (False, True))


async def test_links_that_lead_elsewhere_are_dropped(desk: Desk) -> None:
    desk.connection.hosts = ["shop.example.com"]
    await desk.connection.save()
    counts = await desk.sync()
    assert counts["links_dropped"] > 0
    assert {(p.url, p.image_url) for p in await Product.all()} == {(None, None)}


async def test_a_changed_product_is_seen_within_the_hour(desk: Desk) -> None:
    await desk.sync()
    desk.clock.advance(minutes=20)
    product = desk.magento.state.product("BP-30")
    product.names[2], product.updated_at = "Plecak 35 l", desk.magento.state.stamp()
    desk.magento.forget()
    await desk.sync()
    assert {p.name for p in await Product.filter(product_id="1")} == {"Plecak 35 l", "Trail Backpack 30 l"}
    assert desk.magento.count("products-render-info") == 2


async def test_the_newsletters_tick_is_consent_and_its_removal_an_objection(desk: Desk) -> None:
    cart = desk.guest(2, "BP-30", email=None)
    desk.magento.state.log_in(cart, 1, "john@example.com")
    await desk.sync()
    assert await ConsentRecord.all().count() == 0
    assert cart.customer is not None
    for ticked, expected in ((True, [True]), (True, [True]), (False, [True, False])):
        desk.clock.advance(minutes=5)
        cart.customer["subscribed"] = ticked
        await desk.sync()
        assert [record.marketing for record in await ConsentRecord.all().order_by("at")] == expected


async def test_the_cart_of_a_deleted_customer_is_written_to_no_more(desk: Desk) -> None:
    cart = desk.guest(2, "BP-30", email=None)
    desk.magento.state.log_in(cart, 1, "john@example.com")
    desk.magento.state.delete_customer(cart)
    await desk.pass_time(60)
    assert desk.sink.to("john@example.com") == []


async def test_carts_that_are_merged_or_emptied_end(desk: Desk) -> None:
    merged, emptied, kept = (desk.guest(1, "BP-30", email=f"{name}@example.com") for name in ("ann", "eva", "ida"))
    await desk.sweep()
    desk.clock.advance(minutes=10)
    desk.magento.state.merge(merged)
    desk.magento.state.remove(emptied, emptied.lines[0])
    await desk.pass_time(45)
    assert (await desk.cart(merged)).status == "deleted"
    assert [await desk.episodes(cart) for cart in (merged, emptied, kept)] == [[], [], ["contacted"]]
    assert desk.sink.to("ann@example.com") == desk.sink.to("eva@example.com") == []


async def test_a_failed_payment_gives_the_cart_back(desk: Desk) -> None:
    cart = desk.guest(1, "BP-30")
    await desk.sweep()
    desk.clock.advance(minutes=5)
    order = desk.magento.place(cart, state="pending_payment", status="pending_payment")
    await desk.sweep()
    assert (await desk.cart(cart)).status == "ordered"
    desk.clock.advance(minutes=5)
    order.set("canceled", "canceled", desk.magento.state.stamp())
    desk.magento.state.restore(order)
    desk.clock.advance(minutes=5)
    await desk.sweep()
    stored = await desk.cart(cart)
    assert (stored.status, stored.payment_failed) == ("active", True)


async def test_a_cart_bought_under_another_address_is_held(desk: Desk) -> None:
    for store in await Store.all():
        await registry.change_settings(store, {"bought_elsewhere_hours": 72})
    carts = [desk.guest(1, "BP-30", email=email) for email in ("anna@example.com", "anna.work@example.com")]
    for cart, phone in zip(carts, ("+48 601 234 567", "601-234-567"), strict=True):
        cart.billing["telephone"] = phone
    await desk.sweep()
    desk.clock.advance(minutes=1)
    desk.magento.place(carts[1])
    await desk.pass_time(45)
    assert desk.sink.messages == []
    (waits,) = await Decision.all()
    assert (waits.outcome, waits.reason) == ("waiting", "bought_elsewhere")
    assert waits.checks[-1]["values"]["sign"] == "phone"
    stored = await desk.cart(carts[0])
    assert "601234567" not in (stored.phone_hash or "601234567")
