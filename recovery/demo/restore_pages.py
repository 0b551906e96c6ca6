"""Pages of the way back from an e-mail: the hand-off is checked and the cart put into this browser."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recovery.demo.cart_state import Cart
from recovery.demo.handoff import check_handoff, swaps_of
from recovery.demo.storefront import Guest, Storefront
from recovery.demo.views import go, own_forms_only


class RestorePages:
    """Gives a cart back without logging anybody in."""

    def __init__(self, front: Storefront, key: bytes) -> None:
        self._front = front
        self._shop = front.shop
        self._key = key

    def routes(self) -> list[Route]:
        return [
            Route("/shop/{store}/restore", self.restore),
            Route("/shop/{store}/restore/switch", own_forms_only(self.switch), methods=["POST"]),
            Route("/shop/{store}/restore/aside", own_forms_only(self.decide), methods=["POST"]),
            Route("/shop/{store}/restored", self.restored),
        ]

    async def restore(self, request: Request) -> Response:
        """The address Cartback leads to, with ``?cartback=<hand-off>``."""
        if request.method == "HEAD":
            # Somebody's link checker: nobody is back.
            return Response()
        guest = self._front.guest(request)
        return self._open(guest, request.query_params.get("cartback", ""))

    async def switch(self, request: Request) -> Response:
        """Form: cartback. Log out here and open the cart of the e-mail."""
        guest = self._front.guest(request)
        guest.visit.accounts.pop(guest.store, None)
        guest.visit.carts.pop(guest.store, None)
        guest.customer, guest.cart = None, None
        return self._open(guest, str((await request.form()).get("cartback", "")))

    async def decide(self, request: Request) -> Response:
        """Form: choice ("merge" or "leave") about the cart that was here before."""
        guest = self._front.guest(request)
        other = self._front.aside(guest)
        choice = (await request.form()).get("choice")
        if other and guest.cart and choice in {"merge", "leave"}:
            if choice == "merge":
                self._shop.merge(guest.cart, other)
            else:
                self._shop.drop(other)
            guest.visit.aside.pop(guest.store, None)
        return self._front.send(guest, go(guest.path("cart")))

    async def restored(self, request: Request) -> Response:
        guest = self._front.guest(request)
        if guest.cart is None or guest.cart.ref is None:
            return go(guest.path("cart"))
        other = self._front.aside(guest)
        values = {
            "changes": guest.cart.restored,
            "priced": self._shop.priced(guest.cart),
            "other": self._shop.priced(other) if other else None,
        }
        return self._front.page(guest, "restored.html.jinja", values)

    def _open(self, guest: Guest, token: str) -> Response:
        claims = check_handoff(token, self._key, guest.store) or {}
        cart, ref = self._shop.cart(str(claims.get("quote_id", ""))), claims.get("ref")
        if cart is None or cart.store != guest.store or not isinstance(ref, str) or not ref:
            return self._front.page(guest, "refused.html.jinja", {"kind": "refused"}, status=410)
        if cart.status != "open":
            kind = "ordered" if cart.status == "ordered" else "closed"
            return self._front.page(guest, "refused.html.jinja", {"kind": kind})
        if guest.customer and cart.email != guest.customer.email:
            return self._front.page(guest, "other_person.html.jinja", {"token": token})
        self._take(guest, cart)
        self._shop.take_instead(cart, swaps_of(claims))
        self._shop.restore(cart, ref, str(claims.get("coupon", "")))
        # On to an address without the hand-off: it must not stay in the history or be shared by copying the address.
        return self._front.send(guest, go(guest.path("restored")))

    def _take(self, guest: Guest, cart: Cart) -> None:
        before = guest.cart
        if before and before is not cart and before.lines:
            guest.visit.aside[guest.store] = before.quote_id
        self._front.use_cart(guest, cart)
