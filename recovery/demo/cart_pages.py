"""Pages of the cart: what is in it, changes to it, and the way out of the shop."""

import re
from decimal import Decimal

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recovery.demo.cart_state import Cart
from recovery.demo.catalogue.model import Measure
from recovery.demo.shelf_pages import product_page
from recovery.demo.storefront import Guest, Storefront
from recovery.demo.views import go, own_forms_only

_AMOUNT = re.compile(r"[0-9]{1,5}(\.[0-9]{1,4})?")


class CartPages:
    """The cart and its forms; each form leads back to the cart."""

    def __init__(self, front: Storefront) -> None:
        self._front = front
        self._shop = front.shop

    def routes(self) -> list[Route]:
        return [
            Route("/shop/{store}/cart", self.cart),
            Route("/shop/{store}/cart/add", own_forms_only(self.add), methods=["POST"]),
            Route("/shop/{store}/cart/quantity", own_forms_only(self.quantity), methods=["POST"]),
            Route("/shop/{store}/cart/remove", own_forms_only(self.remove), methods=["POST"]),
            Route("/shop/{store}/cart/coupon", own_forms_only(self.coupon), methods=["POST"]),
            Route("/shop/{store}/left", self.left),
        ]

    async def cart(self, request: Request) -> Response:
        guest = self._front.guest(request)
        return self._page(guest, fewer="fewer" in request.query_params)

    async def add(self, request: Request) -> Response:
        """Form: product, variant, quantity."""
        guest = self._front.guest(request)
        form = await request.form()
        product = guest.catalogue.products.get(_text(form, "product"))
        variant = guest.catalogue.variants.get(_text(form, "variant"))
        if variant is None:
            if product is None:
                return self._front.page(guest, "not_found.html.jinja", status=404)
            by_size = product.axes[-1:] and product.axes[-1].code == "size"
            error = "choose_size_error" if by_size else "choose_error"
            return product_page(self._front, guest, product, _text(form, "shown"), error=error)
        cart = guest.cart or self._shop.open_cart(guest.store, guest.customer)
        self._front.use_cart(guest, cart)
        enough = self._shop.add(cart, variant.id, max(_packs(form, variant.measure), 1))
        return self._front.send(guest, go(guest.path("cart" if enough else "cart?fewer")))

    async def quantity(self, request: Request) -> Response:
        """Form: variant, quantity (0 removes)."""
        guest = self._front.guest(request)
        form = await request.form()
        variant_id, wanted = _text(form, "variant"), 0
        line = None
        if guest.cart:
            variant = guest.catalogue.variants.get(variant_id)
            wanted = _packs(form, variant.measure) if variant else 0
            self._shop.set_quantity(guest.cart, variant_id, wanted)
            line = guest.cart.line(variant_id)
        fewer = line.quantity < wanted if line else wanted > 0
        return self._front.send(guest, go(guest.path("cart?fewer" if fewer else "cart")))

    async def remove(self, request: Request) -> Response:
        """Form: variant."""
        guest = self._front.guest(request)
        form = await request.form()
        if guest.cart:
            self._shop.set_quantity(guest.cart, _text(form, "variant"), 0)
        return self._front.send(guest, go(guest.path("cart")))

    async def coupon(self, request: Request) -> Response:
        """Form: code (empty takes the code away)."""
        guest = self._front.guest(request)
        code = _text(await request.form(), "code")
        if guest.cart and not self._shop.use_coupon(guest.cart, code):
            return self._page(guest, unknown_code=code[:64], status=422)
        return self._front.send(guest, go(guest.path("cart")))

    async def left(self, request: Request) -> Response:
        """The visitor is outside: what Cartback will do now, and a button for the waiting."""
        guest = self._front.guest(request)
        cart = guest.cart
        filled = cart if cart and cart.lines else None
        priced = self._shop.priced(filled) if filled else None
        return self._front.page(guest, "left.html.jinja", {"cart": filled, "priced": priced, "hurdle": _hurdle(filled)})

    def _page(
        self, guest: Guest, *, fewer: bool = False, unknown_code: str | None = None, status: int = 200
    ) -> Response:
        cart = guest.cart
        full = self._shop.priced(cart) if cart else None
        priced = full if full and full.lines else None
        missing = 0
        if priced:
            missing = max(guest.catalogue.free_shipping_from - (priced.subtotal - priced.discount), 0)
        values = {
            "cart": cart,
            "priced": priced,
            "free_missing": missing,
            "fewer": fewer,
            "unknown_code": unknown_code,
        }
        return self._front.page(guest, "cart.html.jinja", values, status)


def _hurdle(cart: Cart | None) -> str | None:
    """The word key of what keeps Cartback from writing about this cart, if anything does."""
    if cart is None:
        return "left_empty"
    if cart.email is None:
        return "left_no_email"
    return None if cart.consent and cart.consent.marketing else "left_no_consent"


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def _packs(form: FormData, measure: Measure) -> int:
    """The typed quantity in whole pieces or packs, rounded up; what is no number counts as one."""
    told = _text(form, "quantity").replace(",", ".")
    return measure.packs(Decimal(told)) if _AMOUNT.fullmatch(told) else 1
