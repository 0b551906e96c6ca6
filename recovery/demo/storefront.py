"""What every page of one store's front shares: who is there, which cart is theirs, and the frame of the page."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from recovery.demo.cart_state import Cart
from recovery.demo.catalogue.model import Catalogue
from recovery.demo.customers import CUSTOMERS, Customer
from recovery.demo.session import Sessions, Visit
from recovery.demo.shop import DemoShop
from recovery.demo.views import Views
from recovery.demo.wording import Wording


@dataclass
class Guest:
    """One request: the store it is for, the browser's session, its open cart and its account."""

    store: str
    catalogue: Catalogue
    visit: Visit
    cart: Cart | None
    customer: Customer | None

    def path(self, rest: str = "") -> str:
        return f"/shop/{self.store}/{rest}"


class Storefront:
    """Finds the guest of a request and renders pages for them."""

    def __init__(self, shop: DemoShop, sessions: Sessions, views: Views) -> None:
        self.shop = shop
        self._sessions = sessions
        self._views = views
        self._wordings = {store: Wording(catalogue.language) for store, catalogue in shop.catalogues.items()}

    def words(self, guest: Guest) -> Wording:
        return self._wordings[guest.store]

    def guest(self, request: Request) -> Guest:
        """Who is there; a store this shop does not have ends in a 404."""
        store = request.path_params["store"]
        catalogue = self.shop.catalogues.get(store)
        if catalogue is None:
            raise HTTPException(404, "There is no such store in this shop.")
        visit = self._sessions.read(request)
        cart = self.shop.cart(visit.carts.get(store))
        customer = CUSTOMERS.get(visit.accounts.get(store, ""))
        mine = cart if cart and cart.status == "open" and cart.store == store else None
        return Guest(store, catalogue, visit, mine, customer if customer and customer.store == store else None)

    def use_cart(self, guest: Guest, cart: Cart) -> None:
        """Make this the guest's cart."""
        guest.cart = cart
        guest.visit.carts[guest.store] = cart.quote_id

    def aside(self, guest: Guest) -> Cart | None:
        """The cart that was here before a restored one took its place, while nobody has decided about it."""
        cart = self.shop.cart(guest.visit.aside.get(guest.store))
        return cart if cart and cart.status == "open" and cart.lines and cart is not guest.cart else None

    def page(
        self, guest: Guest, template: str, values: Mapping[str, object] | None = None, status: int = 200
    ) -> Response:
        """One page of the store, with its frame."""
        wording = self._wordings[guest.store]
        priced = self.shop.priced(guest.cart) if guest.cart else None
        others = [
            store
            for store, catalogue in self.shop.catalogues.items()
            if catalogue.code == guest.catalogue.code and store != guest.store
        ]
        frame: dict[str, object] = {
            "say": wording.say,
            "count": wording.count,
            "lang": guest.catalogue.language,
            "currency": guest.catalogue.currency,
            "catalogue": guest.catalogue,
            "here": guest.path(),
            "customer": guest.customer,
            "cart_count": priced.count if priced else 0,
            "other_store": others[0] if others else None,
            "stock": self.shop.stock,
        }
        return self.send(guest, self._views.page(template, {**frame, **(values or {})}, status))

    def send(self, guest: Guest, response: Response) -> Response:
        """The response with the guest's session on it."""
        self._sessions.write(response, guest.visit)
        return response
