"""Pages of orders and of the account they belong to."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recovery.demo.cart_state import Order
from recovery.demo.customers import customers_of
from recovery.demo.storefront import Guest, Storefront
from recovery.demo.views import go, own_forms_only


class OrderPages:
    """Placing, showing and cancelling orders; an order is shown only to the browser or account that placed it."""

    def __init__(self, front: Storefront) -> None:
        self._front = front
        self._shop = front.shop

    def routes(self) -> list[Route]:
        return [
            Route("/shop/{store}/order", own_forms_only(self.place), methods=["POST"]),
            Route("/shop/{store}/order/{order_id}", self.order),
            Route("/shop/{store}/order/{order_id}/cancel", own_forms_only(self.cancel), methods=["POST"]),
            Route("/shop/{store}/order/{order_id}/reopen", own_forms_only(self.reopen), methods=["POST"]),
            Route("/shop/{store}/account", self.account),
        ]

    async def place(self, request: Request) -> Response:
        """Form without fields: everything was chosen in the checkout."""
        guest = self._front.guest(request)
        cart = guest.cart
        if not (cart and cart.lines and cart.email and cart.shipping and cart.payment):
            return go(guest.path("checkout/review"))
        short = [
            line.variant for line in self._shop.priced(cart).lines if self._shop.stock(line.variant) < line.quantity
        ]
        for variant in short:
            self._shop.set_quantity(cart, variant.id, self._shop.stock(variant))
        if short:
            return go(guest.path("cart?fewer"))
        order = self._shop.place_order(cart)
        guest.visit.orders.append(order.order_id)
        guest.visit.carts.pop(guest.store, None)
        return self._front.send(guest, go(guest.path(f"order/{order.order_id}")))

    async def order(self, request: Request) -> Response:
        guest = self._front.guest(request)
        order = self._mine(request, guest)
        if order is None:
            return self._front.page(guest, "not_found.html.jinja", status=404)
        cart = self._shop.cart(order.quote_id)
        reopens = order.state == "cancelled" and cart is not None and cart.status == "ordered"
        return self._front.page(guest, "order.html.jinja", {"order": order, "reopens": reopens})

    async def cancel(self, request: Request) -> Response:
        guest = self._front.guest(request)
        order = self._mine(request, guest)
        if order is None:
            return self._front.page(guest, "not_found.html.jinja", status=404)
        if order.state in {"pending", "paid"}:
            self._shop.cancel_order(order)
        return self._front.send(guest, go(guest.path(f"order/{order.order_id}")))

    async def reopen(self, request: Request) -> Response:
        guest = self._front.guest(request)
        order = self._mine(request, guest)
        cart = self._shop.reopen(order) if order else None
        if cart is None:
            return self._front.page(guest, "not_found.html.jinja", status=404)
        self._front.use_cart(guest, cart)
        return self._front.send(guest, go(guest.path("cart")))

    async def account(self, request: Request) -> Response:
        guest = self._front.guest(request)
        orders = self._shop.orders_of(guest.customer.id) if guest.customer else []
        values = {"orders": orders, "accounts": customers_of(guest.store), "orders_of": self._shop.orders_of}
        return self._front.page(guest, "account.html.jinja", values)

    def _mine(self, request: Request, guest: Guest) -> Order | None:
        order = self._shop.order(request.path_params["order_id"])
        if order is None or order.store != guest.store:
            return None
        account = guest.customer is not None and order.customer_id == guest.customer.id
        return order if account or order.order_id in guest.visit.orders else None
