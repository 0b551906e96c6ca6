"""A shopper's way through the shop, told by the hooks that reach Cartback."""

import asyncio
import json
from datetime import datetime

import pytest

from recovery.errors import SetupError
from tests.demo import payloads
from tests.demo.conftest import Browser, DemoWorld, words


async def test_the_catalogue_is_announced_per_store_at_every_start(world: DemoWorld) -> None:
    site = await world.open()
    await asyncio.wait_for(site.sender.flush(), 10)
    hooks = list(world.endpoint.received)
    for hook in hooks:
        payloads.envelope(hook.envelope)
        assert len(json.dumps(hook.envelope, ensure_ascii=False).encode()) < 128 * 1024
    for store, currency in (("en", "EUR"), ("pl", "PLN")):
        mine = [hook for hook in hooks if hook.envelope["store"] == store]
        products = {
            p["product_id"]: p for hook in mine if hook.type == "product.updated" for p in hook.data["products"]
        }
        assert set(site.shop.catalogues[store].variants) | set(site.shop.catalogues[store].products) == set(products)
        assert {entry["currency"] for entry in products.values()} == {currency}
        assert products["hala-moss-m"]["parent_id"] == "hala"
        assert products["hala-lake-l"]["in_stock"] is False
        assert "parent_id" not in products["care-kit"]
        kinds = {p["kind"] for hook in mine if hook.type == "policy.updated" for p in hook.data["policies"]}
        assert {"shipping", "returns", "payment", "size_guide"} <= kinds
        assert len([hook for hook in mine if hook.type == "order.placed"]) == 2


async def test_a_first_line_is_told_without_an_address(browser: Browser) -> None:
    await browser.fill("hala-moss-m")
    cart = (await browser.told()).last("cart.updated")
    payloads.cart(cart)
    assert cart["version"] == 1
    assert cart["checkout_stage"] == "cart"
    assert cart["total"] == 23900
    assert "customer" not in cart
    assert "shipping" not in cart
    assert [(line["product_id"], line["parent_id"]) for line in cart["items"]] == [("hala-moss-m", "hala")]
    assert cart["items"][0]["options"] == [
        {"name": "Colour", "value": "Moss green"},
        {"name": "Size", "value": "M"},
    ]


async def test_the_checkout_is_told_stage_by_stage(browser: Browser) -> None:
    await browser.fill("socks-39-41")
    await browser.give_email(newsletter=True)
    await browser.post("checkout/shipping", method="courier")
    await browser.post("checkout/payment", method="card")
    endpoint = await browser.told()
    carts = [hook.data for hook in endpoint.of("cart.updated")]
    assert [cart["checkout_stage"] for cart in carts] == payloads.STAGES
    assert [cart["version"] for cart in carts] == [1, 2, 3, 4, 5]
    assert carts[1]["customer"] == {"email": "anna@example.com", "registered": False}
    assert carts[1]["consent"]["marketing"] is True
    assert (carts[2]["shipping"], carts[2]["total"]) == (690, 1900 + 690)
    assert all(cart["quote_id"] == carts[0]["quote_id"] for cart in carts)
    for hook in endpoint.received:
        payloads.envelope(hook.envelope)


async def test_going_back_does_not_lower_the_stage(browser: Browser) -> None:
    await browser.fill()
    await browser.give_email()
    await browser.post("checkout/shipping", method="locker")
    await browser.give_email("other@example.com")
    cart = (await browser.told()).last("cart.updated")
    assert cart["checkout_stage"] == "shipping"
    assert cart["customer"]["email"] == "other@example.com"


async def test_an_address_that_is_none_is_refused_with_a_hint(browser: Browser) -> None:
    await browser.fill()
    answer = await browser.post("checkout/contact", email="anna at example")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "anna at example" in answer.text
    assert "customer" not in (await browser.told()).last("cart.updated")


async def test_a_changed_tick_is_told_on_its_own(browser: Browser, world: DemoWorld) -> None:
    await browser.fill()
    await browser.give_email(newsletter=True)
    assert not (await browser.told()).of("consent.updated")
    world.clock.advance(5)
    await browser.give_email(newsletter=False)
    endpoint = await browser.told()
    change = endpoint.last("consent.updated")
    assert change["email"] == "anna@example.com"
    assert change["consent"]["marketing"] is False
    assert endpoint.last("cart.updated")["consent"] == change["consent"]
    await browser.give_email(newsletter=False)
    assert len((await browser.told()).of("consent.updated")) == 1


async def test_quantities_coupon_and_removal(browser: Browser) -> None:
    await browser.fill("rosa-lake-s", 2)
    await browser.post("cart/quantity", variant="rosa-lake-s", quantity="3")
    await browser.post("cart/coupon", code="trail5")
    cart = (await browser.told()).last("cart.updated")
    payloads.cart(cart)
    assert (cart["coupon_codes"], cart["subtotal"], cart["discount"], cart["total"]) == (["TRAIL5"], 19500, 975, 18525)
    unknown = await browser.post("cart/coupon", code="<b>nope</b>")
    assert unknown.status_code == 422
    assert "<b>nope</b>" not in unknown.text
    await browser.post("cart/coupon", code="")
    await browser.post("cart/remove", variant="rosa-lake-s")
    cart = (await browser.told()).last("cart.updated")
    assert (cart["items"], cart["total"], cart["coupon_codes"]) == ([], 0, [])


async def test_nobody_gets_more_than_there_is(browser: Browser) -> None:
    answer = await browser.post("cart/add", product="hala", variant="hala-moss-s", quantity="9")
    assert "do not have that many" in answer.text
    assert (await browser.told()).last("cart.updated")["items"][0]["quantity"] == 2
    await browser.post("cart/add", product="hala", variant="hala-lake-l", quantity="1")
    assert len((await browser.told()).last("cart.updated")["items"]) == 1


async def test_a_product_without_a_chosen_size_asks_for_it(browser: Browser) -> None:
    answer = await browser.post("cart/add", product="hala", shown="hala-lake-s", quantity="1")
    assert answer.status_code == 422
    assert "Choose a size first" in answer.text
    assert not browser.site.shop.records.carts


async def test_a_declined_card_is_told_and_another_way_clears_it(browser: Browser) -> None:
    await browser.fill()
    await browser.give_email()
    await browser.post("checkout/shipping", method="courier")
    answer = await browser.post("checkout/payment", method="declined")
    assert "declined this payment" in answer.text
    cart = (await browser.told()).last("cart.updated")
    assert (cart["payment_failed"], cart["checkout_stage"]) == (True, "payment")
    await browser.post("checkout/payment", method="card")
    assert (await browser.told()).last("cart.updated")["payment_failed"] is False


async def test_an_order_is_told_and_can_be_cancelled_and_taken_back(browser: Browser) -> None:
    quote_id = (await browser.fill("sarnia-rust-s")).quote_id
    page = await browser.check_out("transfer")
    assert "H-1001" in page.text
    endpoint = await browser.told()
    order = endpoint.last("order.placed")
    payloads.order(order)
    assert (order["quote_id"], order["state"], order["version"]) == (quote_id, "pending", 1)
    assert "ref" not in order
    stock = {p["product_id"]: p["in_stock"] for p in endpoint.last("product.updated")["products"]}
    assert stock["sarnia-rust-s"] is False
    path = f"order/{order['order_id']}"
    await browser.post(f"{path}/cancel")
    await browser.post(f"{path}/cancel")
    cancelled = (await browser.told()).of("order.cancelled")
    assert [(hook.data["state"], hook.data["version"]) for hook in cancelled] == [("cancelled", 2)]
    await browser.post(f"{path}/reopen")
    cart = (await browser.told()).last("cart.updated")
    assert (cart["quote_id"], cart["active"]) == (quote_id, True)
    assert cart["version"] > 5


async def test_a_card_pays_at_once_and_the_next_cart_is_a_new_one(browser: Browser) -> None:
    first = (await browser.fill()).quote_id
    await browser.check_out("card")
    assert (await browser.told()).last("order.placed")["state"] == "paid"
    assert (await browser.fill("cap-moss")).quote_id != first


async def test_only_the_one_who_placed_an_order_sees_it(browser: Browser, world: DemoWorld) -> None:
    await browser.fill()
    page = await browser.check_out()
    stranger = world.browser(browser.site)
    assert (await stranger.get(page.url.path)).status_code == 404
    assert (await stranger.post(f"{page.url.path}/cancel")).status_code == 404
    assert not (await browser.told()).of("order.cancelled")


async def test_a_registered_customer_brings_earlier_orders(browser: Browser) -> None:
    await browser.fill()
    await browser.post("login", customer="c-101", next="checkout")
    await browser.post("checkout/contact", newsletter="yes")
    cart = (await browser.told()).last("cart.updated")
    assert cart["customer"] == {
        "id": "c-101",
        "email": "robin.hartley@example.com",
        "registered": True,
        "first_name": "Robin",
        "orders_count": 2,
    }
    await browser.post("logout")
    assert "Your cart is empty" in (await browser.get("cart")).text


async def test_an_account_of_the_other_store_does_not_open_here(browser: Browser) -> None:
    await browser.post("login", customer="c-201", next="account")
    assert "You are not logged in" in (await browser.get("account")).text


async def test_two_browsers_have_two_carts_and_two_stores_too(browser: Browser, world: DemoWorld) -> None:
    other, polish = world.browser(browser.site), world.browser(browser.site, "pl")
    carts = {(await each.fill("cap-moss")).quote_id for each in (browser, other, polish)}
    assert len(carts) == 3
    assert (await browser.told()).last("cart.updated")["currency"] == "PLN"


async def test_a_restart_keeps_carts_and_numbers(browser: Browser, world: DemoWorld) -> None:
    quote_id = (await browser.fill()).quote_id
    await browser.told()
    await browser.site.stop()
    later = world.browser(await world.open())
    later.client.cookies = browser.client.cookies
    await later.post("cart/quantity", variant="hala-moss-m", quantity="2")
    cart = (await later.told()).last("cart.updated")
    assert (cart["quote_id"], cart["version"]) == (quote_id, 2)


@pytest.mark.parametrize("name", ["shop.json", "deliveries.json", "outbox/000000001-msg_x.json"])
async def test_a_damaged_state_file_is_named_with_the_way_out(world: DemoWorld, name: str) -> None:
    damaged = world.state_dir / name
    damaged.parent.mkdir(parents=True)
    damaged.write_text('{"carts": 1')
    with pytest.raises(SetupError, match=f"{damaged.name}.*Reset the demo"):
        await world.open()


async def test_hooks_carry_business_time(browser: Browser, world: DemoWorld) -> None:
    await browser.fill()
    await browser.post("/demo/clock", minutes="90", next="/inbox/")
    await browser.post("cart/quantity", variant="hala-moss-m", quantity="2")
    first, second = (await browser.told()).of("cart.updated")
    apart = datetime.fromisoformat(second.envelope["occurred_at"]) - datetime.fromisoformat(
        first.envelope["occurred_at"]
    )
    assert apart.total_seconds() >= 90 * 60
    assert abs(int(second.timestamp) - int(first.timestamp)) < 60


async def test_time_moves_only_forward_and_leads_only_to_own_pages(browser: Browser, world: DemoWorld) -> None:
    for wrong in ("0", "-5", "x", "", "99999"):
        assert (await browser.post("/demo/clock", minutes=wrong, next="/")).status_code == 422
    assert world.clock.offset_seconds() == 0
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        answer = await browser.post("/demo/clock", minutes="1", next=target)
        assert str(answer.url) == "http://shop.test/"


async def test_a_form_from_another_site_changes_nothing(browser: Browser) -> None:
    fields = {"product": "cap", "variant": "cap-moss", "quantity": "1"}
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}):
        answer = await browser.client.post("/shop/en/cart/add", data=fields, headers=headers)
        assert answer.status_code == 403
    assert not browser.site.shop.records.carts


async def test_a_forged_session_counts_as_none(browser: Browser) -> None:
    await browser.fill()
    genuine = str(browser.client.cookies["demo_shop"])
    browser.client.cookies.clear()
    # Not the last character: some of its bits say nothing.
    browser.client.cookies.set("demo_shop", genuine[:-5] + ("A" if genuine[-5] != "A" else "B") + genuine[-4:])
    assert "Your cart is empty" in words((await browser.get("cart")).text)


async def test_leaving_says_what_keeps_cartback_from_writing(browser: Browser) -> None:
    assert "Your cart is empty" in words((await browser.get("left")).text)
    await browser.fill()
    assert "does not know an e-mail address" in words((await browser.get("left")).text)
    await browser.give_email(newsletter=False)
    assert "box is not ticked" in words((await browser.get("left")).text)
    await browser.give_email(newsletter=True)
    page = words((await browser.get("left")).text)
    assert "1 item worth €239.00 stayed in the cart" in page
    assert "30 minutes later" in page
