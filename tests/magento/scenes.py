"""Carts and orders at the stages in which the real shop's were recorded."""

from tests.magento.fake import FakeMagento
from tests.magento.state import Quote, blank_address


def guest(fake: FakeMagento, quote_id: int, store_id: int) -> Quote:
    return fake.state.new_cart(store_id, quote_id)


def empty(fake: FakeMagento) -> None:
    guest(fake, 1, 1)


def with_items(fake: FakeMagento) -> None:
    cart = guest(fake, 1, 1)
    fake.state.add(cart, "BP-30", 2)
    fake.state.add(cart, "WJ-01-M-NAVY")


def shipped(fake: FakeMagento) -> None:
    with_items(fake)
    fake.state.ship(fake.state.quotes[1])


def paid(fake: FakeMagento) -> None:
    shipped(fake)
    fake.state.pay(fake.state.quotes[1], "anna@example.com")


def with_coupon(fake: FakeMagento) -> None:
    paid(fake)
    fake.state.quotes[1].coupon, fake.state.quotes[1].discount = "BACK-AAAA2222", 5


def ordered(fake: FakeMagento) -> None:
    with_coupon(fake)
    fake.state.ship(fake.state.quotes[1], email="anna@example.com", region_id=1017)
    fake.place(fake.state.quotes[1])


def several(fake: FakeMagento) -> None:
    for quote_id in range(1, 7):
        fake.state.add(guest(fake, quote_id, 1), "BP-30")


def polish(fake: FakeMagento) -> None:
    cart = guest(fake, 2, 2)
    fake.state.add(cart, "WJ-01-M-NAVY", 2)
    fake.state.add(cart, "BP-30")


def polish_shipped(fake: FakeMagento) -> None:
    polish(fake)
    fake.state.ship(fake.state.quotes[2], email="ola@example.com")


def polish_paid(fake: FakeMagento) -> None:
    polish_shipped(fake)
    fake.state.pay(fake.state.quotes[2], "ola@example.com", "cashondelivery")


def only_email(fake: FakeMagento) -> None:
    cart = guest(fake, 3, 2)
    fake.state.add(cart, "SOCK-3")
    fake.state.ship(cart)
    cart.billing = blank_address()
    fake.state.pay(cart, "ola@example.com")


def virtual(fake: FakeMagento) -> None:
    fake.state.add(guest(fake, 4, 1), "EBOOK-1")


def virtual_paid(fake: FakeMagento) -> None:
    virtual(fake)
    fake.state.ship(fake.state.quotes[4], method=None)
    fake.state.pay(fake.state.quotes[4], "eva@example.com")


def registered_empty(fake: FakeMagento) -> None:
    cart = guest(fake, 10, 2)
    fake.state.log_in(cart, 1, "john@example.com")


def registered(fake: FakeMagento) -> None:
    cart = guest(fake, 10, 2)
    fake.state.add(cart, "BP-30")
    fake.state.log_in(cart, 1, "john@example.com")


def deleted_customer(fake: FakeMagento) -> None:
    cart = guest(fake, 329, 2)
    fake.state.add(cart, "BP-30")
    cart.customer = {"id": 2, "email": "gone@example.com", "subscribed": False}
    cart.billing["email"] = cart.shipping["email"] = "gone@example.com"
    fake.state.delete_customer(cart)


def repriced(fake: FakeMagento) -> None:
    cart = guest(fake, 12, 2)
    fake.state.add(cart, "BP-30")
    cart.trigger_recollect = True


def hidden_row(fake: FakeMagento) -> None:
    cart = guest(fake, 13, 2)
    fake.state.add(cart, "BP-30")
    fake.state.add(cart, "HOOK-8")
    fake.state.product("HOOK-8").status = 2


def all_hidden(fake: FakeMagento) -> None:
    cart = guest(fake, 17, 2)
    fake.state.add(cart, "HOOK-8")
    fake.state.product("HOOK-8").status = 2


def refunded(fake: FakeMagento) -> None:
    polish_paid(fake)
    fake.state.next_id("order", 1)
    order = fake.place(fake.state.quotes[2])
    order.set("closed", "closed", fake.state.stamp())
    order.refunded = True


def cancelled(fake: FakeMagento) -> None:
    polish_paid(fake)
    fake.state.next_id("order", 2)
    order = fake.place(fake.state.quotes[2])
    order.coupon = "BACK-ONCE0001"
    order.set("canceled", "canceled", fake.state.stamp())


def broken(fake: FakeMagento) -> None:
    for quote_id in (343, 345):
        fake.state.add(guest(fake, quote_id, 2), "BP-30")
        fake.switches.broken_totals.add(quote_id)


def nothing(fake: FakeMagento) -> None:
    """Products and stores only."""
