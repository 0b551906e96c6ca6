"""Pages of the checkout, step by step, and of logging in."""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recovery.demo.cart_state import Cart, shipping_price
from recovery.demo.customers import CUSTOMERS, customers_of
from recovery.demo.storefront import Guest, Storefront
from recovery.demo.views import go, own_forms_only

_EMAIL = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]{1,180}\.[^@\s<>,;.]{2,63}")

_LONGEST_EMAIL = 254


class CheckoutPages:
    """Contact, delivery, payment, review; a step that is not ready leads back to the first that misses."""

    def __init__(self, front: Storefront) -> None:
        self._front = front
        self._shop = front.shop

    def routes(self) -> list[Route]:
        return [
            Route("/shop/{store}/checkout/contact", self.contact),
            Route("/shop/{store}/checkout/contact", own_forms_only(self.take_contact), methods=["POST"]),
            Route("/shop/{store}/checkout/shipping", self.shipping),
            Route("/shop/{store}/checkout/shipping", own_forms_only(self.take_shipping), methods=["POST"]),
            Route("/shop/{store}/checkout/payment", self.payment),
            Route("/shop/{store}/checkout/payment", own_forms_only(self.take_payment), methods=["POST"]),
            Route("/shop/{store}/checkout/review", self.review),
            Route("/shop/{store}/login", own_forms_only(self.log_in), methods=["POST"]),
            Route("/shop/{store}/logout", own_forms_only(self.log_out), methods=["POST"]),
        ]

    async def contact(self, request: Request) -> Response:
        guest = self._front.guest(request)
        if not _filled(guest):
            return go(guest.path("cart"))
        return self._contact_page(guest)

    async def take_contact(self, request: Request) -> Response:
        """Form: email, newsletter ("yes" when ticked)."""
        guest = self._front.guest(request)
        cart = _filled(guest)
        if not cart:
            return go(guest.path("cart"))
        form = await request.form()
        typed = str(form.get("email", "")).strip()
        if guest.customer:
            email = guest.customer.email
        elif not typed and cart.email:
            email = cart.email
        elif len(typed) <= _LONGEST_EMAIL and _EMAIL.fullmatch(typed):
            email = typed
            guest.visit.typed.append(cart.quote_id)
        else:
            return self._contact_page(guest, wrong=typed)
        self._shop.set_contact(cart, email, form.get("newsletter") == "yes")
        return self._front.send(guest, go(guest.path("checkout/shipping")))

    async def shipping(self, request: Request) -> Response:
        guest = self._front.guest(request)
        cart = _filled(guest)
        if not cart or not cart.email:
            return go(guest.path("checkout/contact"))
        return self._shipping_page(guest, cart)

    async def take_shipping(self, request: Request) -> Response:
        """Form: method."""
        guest = self._front.guest(request)
        cart = _filled(guest)
        if not cart or not cart.email:
            return go(guest.path("checkout/contact"))
        method = str((await request.form()).get("method", ""))
        if guest.catalogue.shipping_method(method) is None:
            return self._shipping_page(guest, cart, error=True)
        self._shop.set_shipping(cart, method)
        return self._front.send(guest, go(guest.path("checkout/payment")))

    async def payment(self, request: Request) -> Response:
        guest = self._front.guest(request)
        cart = _filled(guest)
        if not cart or not cart.shipping:
            return go(guest.path("checkout/shipping"))
        return self._payment_page(guest, cart)

    async def take_payment(self, request: Request) -> Response:
        """Form: method; "declined" is a card the bank refuses."""
        guest = self._front.guest(request)
        cart = _filled(guest)
        if not cart or not cart.shipping:
            return go(guest.path("checkout/shipping"))
        method = str((await request.form()).get("method", ""))
        if guest.catalogue.payment_method(method) is None:
            return self._payment_page(guest, cart, error=True)
        accepted = self._shop.set_payment(cart, method)
        return self._front.send(guest, go(guest.path("checkout/review" if accepted else "checkout/payment")))

    async def review(self, request: Request) -> Response:
        guest = self._front.guest(request)
        cart = _filled(guest)
        if not cart or not cart.payment:
            return go(guest.path("checkout/payment"))
        self._shop.reach(cart, "review")
        values = {
            "cart": cart,
            "priced": self._shop.priced(cart),
            "method": guest.catalogue.shipping_method(cart.shipping or ""),
            "payment": guest.catalogue.payment_method(cart.payment),
            "email": self._shown_email(guest, cart),
            "step": "review",
        }
        return self._front.page(guest, "review.html.jinja", values)

    async def log_in(self, request: Request) -> Response:
        """Form: customer, next ("account" or "checkout")."""
        guest = self._front.guest(request)
        form = await request.form()
        customer = CUSTOMERS.get(str(form.get("customer", "")))
        if customer and customer.store == guest.store:
            guest.visit.accounts[guest.store] = customer.id
            if guest.cart and guest.cart.customer_id in {None, customer.id}:
                self._shop.log_in(guest.cart, customer)
            elif guest.cart:
                # Somebody else's cart, brought here by a link: it stays theirs.
                guest.visit.carts.pop(guest.store)
                guest.cart = None
        target = "checkout/contact" if form.get("next") == "checkout" and guest.cart else "account"
        return self._front.send(guest, go(guest.path(target)))

    async def log_out(self, request: Request) -> Response:
        """The account's cart stays with the account; this browser starts anew."""
        guest = self._front.guest(request)
        if guest.customer:
            guest.visit.accounts.pop(guest.store, None)
            guest.visit.carts.pop(guest.store, None)
        return self._front.send(guest, go(guest.path("account")))

    def _contact_page(self, guest: Guest, wrong: str | None = None) -> Response:
        cart = guest.cart
        own = cart is not None and cart.quote_id in guest.visit.typed
        values = {
            "cart": cart,
            "priced": self._shop.priced(cart) if cart else None,
            "typed": wrong if wrong is not None else (cart.email if cart and own else None) or "",
            "masked": _masked(cart.email) if cart and cart.email and not own else None,
            "wrong": wrong is not None,
            "accounts": customers_of(guest.store),
            "orders_of": self._shop.orders_of,
            "step": "contact",
        }
        return self._front.page(guest, "contact.html.jinja", values, 422 if wrong is not None else 200)

    def _shipping_page(self, guest: Guest, cart: Cart, *, error: bool = False) -> Response:
        priced = self._shop.priced(cart)
        goods = priced.subtotal - priced.discount
        prices = {method.code: shipping_price(method, goods) for method in guest.catalogue.shipping}
        values = {"cart": cart, "priced": priced, "prices": prices, "error": error, "step": "shipping"}
        return self._front.page(guest, "shipping.html.jinja", values, 422 if error else 200)

    def _payment_page(self, guest: Guest, cart: Cart, *, error: bool = False) -> Response:
        values = {"cart": cart, "priced": self._shop.priced(cart), "error": error, "step": "payment"}
        return self._front.page(guest, "payment.html.jinja", values, 422 if error else 200)

    def _shown_email(self, guest: Guest, cart: Cart) -> str:
        known = cart.quote_id in guest.visit.typed or guest.customer is not None
        return (cart.email or "") if known else _masked(cart.email or "")


def _filled(guest: Guest) -> Cart | None:
    return guest.cart if guest.cart and guest.cart.lines else None


def _masked(email: str) -> str:
    """A hint for its owner, nothing for anybody else who holds the link."""
    name, _, host = email.partition("@")
    return f"{name[:1]}•••@{host}"
