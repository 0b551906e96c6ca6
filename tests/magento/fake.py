"""A fake Magento 2.4.6: the REST interface of ``state``, with a switch for each way in which real shops misbehave."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from tests.magento import render
from tests.magento.columns import ProductRow, QuoteRow
from tests.magento.criteria import BadRequest, Row, SqlError, only_fields, parse, search
from tests.magento.fake_coupons import ROUTES as COUPON_ROUTES
from tests.magento.fake_coupons import InvalidCode, NoSuchThing
from tests.magento.fake_pages import ROUTES as PAGE_ROUTES
from tests.magento.http import HttpServer, HttpThread, Reply, Request, json_reply
from tests.magento.oauth import Consumer, Unauthorized, check
from tests.magento.state import VIEWS, Order, Quote, State, sample_products

TOKEN = "integration-token-of-the-fake-shop"
CARTS, ORDERS = "Magento_Cart::manage", "Magento_Sales::actions_view"
PRODUCTS, STORES = "Magento_Catalog::products", "Magento_Backend::store"
NEEDED = frozenset({CARTS, ORDERS, PRODUCTS, STORES})
ANYBODY = ""
HTML = {"content-type": "text/html; charset=utf-8"}

_QUOTE_COLUMNS = set(
    "entity_id store_id created_at updated_at is_active is_virtual items_count items_qty grand_total base_grand_total "
    "subtotal coupon_code customer_id customer_email customer_is_guest reserved_order_id".split()
)
_ORDER_COLUMNS = set(
    "entity_id increment_id quote_id store_id created_at updated_at state status customer_id customer_email "
    "coupon_code grand_total base_grand_total".split()
)
_PRODUCT_COLUMNS = set("entity_id sku name type_id status visibility created_at updated_at price".split())


class NotFound(Exception):
    """A 404: the message and its parameters."""

    def __init__(self, message: str, parameters: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.parameters = parameters


class Missing(Exception):
    """A 400 about several missing parameters."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(str(names))
        self.names = names


@dataclass
class Switches:
    """How this shop differs from an obliging one."""

    granted: frozenset[str] = NEEDED
    #: Off is Magento's default: then an integration's token is refused as a bearer.
    bearer: bool = True
    #: Older versions answer the last page again where there is none.
    clamp: bool = False
    #: The largest page with webapi/validation/input_limit_enabled; only camelCase asks are refused.
    input_limit: int | None = None
    #: Quotes that break every list they stand in: "500", or "hang".
    poison: dict[int, str] = field(default_factory=dict)
    #: Quotes whose items can't be read: totals and items answer 500.
    broken_totals: set[int] = field(default_factory=set)
    #: The whole shop: "503" (maintenance), "502", "fatal", "refuse" (connections are closed), "hang".
    down: str | None = None
    #: So many of the next requests are answered 429, with Retry-After.
    too_many: int = 0
    retry_after: str = "1"
    slow: float = 0
    #: So many of the next changes are made, but their answers get lost.
    lost_answers: int = 0


@dataclass
class FakeMagento:
    """The shop, its switches, and what it was asked."""

    state: State = field(default_factory=lambda: State(products=sample_products()))
    switches: Switches = field(default_factory=Switches)
    consumer: Consumer = field(default_factory=Consumer)
    server: HttpServer | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        assert self.server is not None
        return self.server.url

    @property
    def asked(self) -> list[str]:
        """Method and decoded target of each request so far."""
        assert self.server is not None
        return [f"{request.method} {unquote(request.target)}" for request in self.server.asked]

    def forget(self) -> None:
        assert self.server is not None
        self.server.asked.clear()

    def count(self, part: str) -> int:
        """How many requests had ``part`` in them."""
        return sum(part in target for target in self.asked)

    def place(self, quote: Quote, **how: str) -> Order:
        """Buy a cart."""
        return self.state.order(quote, render.sums(self.state, quote), **how)

    def answer(self, request: Request) -> Reply:
        """One answer, with the shop's own Date."""
        with self.lock:
            reply = self._down(request) or self._answer(request)
            date = format_datetime(self.state.clock(), usegmt=True)
        return replace(reply, headers={"date": date} | dict(reply.headers))

    def _down(self, request: Request) -> Reply | None:
        switches = self.switches
        if switches.too_many > 0:
            switches.too_many -= 1
            return Reply(429, b"<html>Too many requests</html>", HTML | {"retry-after": switches.retry_after})
        if switches.down == "503":
            return Reply(503, b"<!doctype html><title>Error 503: Service Unavailable</title>", HTML)
        if switches.down == "502":
            return Reply(502, b"<html><h1>502 Bad Gateway</h1></html>", HTML)
        if switches.down == "fatal":
            error = {"code": 500, "message": "Server internal error. See details in report api/123"}
            return json_reply({"messages": {"error": [error]}}, 500)
        if switches.down is not None:
            return Reply(hangs=switches.down == "hang", drops=True)
        return None

    def _answer(self, request: Request) -> Reply:
        try:
            reply = self._route(request)
        except BadRequest as error:
            return _fault(400, error.message, error.parameters)
        except Missing as error:
            text = '"%fieldName" is required. Enter and try again.'
            errors = [{"message": text, "parameters": {"fieldName": name}} for name in error.names]
            return json_reply({"message": "One or more input exceptions have occurred.", "errors": errors}, 400)
        except Unauthorized as error:
            return _fault(401, error.message, error.parameters)
        except NotFound as error:
            return _fault(404, error.message, error.parameters)
        except InvalidCode as error:
            return _fault(404, str(error))
        except NoSuchThing:
            return _fault(404, "No such entity.")
        except SqlError:
            return _fault(500, "Internal Error. Details are available in Magento log file. Report ID: webapi-655f0c1e9")
        return replace(reply, wait=self.switches.slow)

    def _route(self, request: Request) -> Reply:
        if "text/html" in request.headers.get("accept", ""):
            return Reply(500, b"<!doctype html><title>There has been an error</title>", HTML)
        found = re.fullmatch(r"/rest(?:/(\w+))?/V1/(.*)", request.path)
        if found is None:
            raise NotFound("Request does not match any route.")
        scope, rest = found[1], found[2]
        if scope not in {None, "all", *(view.code for view in VIEWS)}:
            raise BadRequest("Specified request cannot be processed.")
        for methods, pattern, right, handler in [*(("GET", *route) for route in _ROUTES), *COUPON_ROUTES, *PAGE_ROUTES]:
            match = re.fullmatch(pattern, rest)
            if match and request.method in methods.split("|"):
                self._authorise(request, right)
                arguments = [unquote(part) for part in match.groups()]
                made = handler(self, request, scope, *arguments)
                if request.method != "GET" and self.switches.lost_answers > 0:
                    self.switches.lost_answers -= 1
                    return Reply(drops=True)
                if isinstance(made, Reply):
                    return made
                return json_reply(only_fields(made, dict(request.query).get("fields")))
        raise NotFound("Request does not match any route.")

    def _authorise(self, request: Request, right: str) -> None:
        if right == ANYBODY:
            return
        told = request.headers.get("authorization", "")
        if told.startswith("OAuth "):
            check(self.consumer, request)
        elif told != f"Bearer {TOKEN}" or not self.switches.bearer:
            raise _denied(right)
        if right not in self.switches.granted:
            raise _denied(right)

    # Carts

    def quote(self, told: str, *, active: bool = False) -> Quote:
        if not told.isdigit():
            raise BadRequest(
                f'The "{told}" value\'s type is invalid. The "int" type was expected. Verify and try again.'
            )
        quote = self.state.quotes.get(int(told))
        if quote is None or (active and not quote.is_active):
            parameters = {"fieldName": "cartId", "fieldValue": int(told)}
            raise NotFound("No such entity with %fieldName = %fieldValue", parameters)
        return quote

    def _cart(self, request: Request, scope: str | None, told: str) -> Any:
        quote = self.quote(told)
        saved = self.state.read_by_id(quote)
        # An explicit store code in the path overwrites what the cart says of itself.
        claimed = next((view.id for view in VIEWS if view.code == scope), None)
        return render.cart(self.state, quote, store_id=claimed, saved=saved)

    def _totals(self, request: Request, scope: str | None, told: str) -> Any:
        quote = self.quote(told, active=True)
        if quote.id in self.switches.broken_totals:
            raise SqlError("options")
        self.state.read_by_id(quote)
        return render.totals(self.state, quote, next((view.id for view in VIEWS if view.code == scope), 0))

    def _items(self, request: Request, scope: str | None, told: str) -> Any:
        quote = self.quote(told, active=True)
        if quote.id in self.switches.broken_totals:
            raise SqlError("options")
        self.state.read_by_id(quote)
        return render.cart(self.state, quote)["items"]

    def _payment(self, request: Request, scope: str | None, told: str) -> Any:
        quote = self.quote(told)
        self.state.read_by_id(quote)
        return {"method": quote.payment_method} if quote.payment_method else []

    def _coupon(self, request: Request, scope: str | None, told: str) -> Any:
        quote = self.quote(told, active=True)
        self.state.read_by_id(quote)
        return quote.coupon or []

    def _carts(self, request: Request, scope: str | None) -> Any:
        rows: list[Row] = [QuoteRow(self.state, quote) for quote in self.state.quotes.values()]
        found, criteria, total = self.find(request, rows, _QUOTE_COLUMNS)
        shown = [self.state.quotes[row["entity_id"]] for row in found]
        poisoned = [self.switches.poison[quote.id] for quote in shown if quote.id in self.switches.poison]
        if "hang" in poisoned:
            return Reply(hangs=True)
        if poisoned:
            raise SqlError("poison")
        return _listed([render.cart(self.state, quote) for quote in shown], criteria, total)

    # Orders

    def _orders(self, request: Request, scope: str | None) -> Any:
        documents = {placed.id: render.order(self.state, placed) for placed in self.state.orders.values()}
        rows = [{name: document.get(name) for name in _ORDER_COLUMNS} for document in documents.values()]
        found, criteria, total = self.find(request, rows, _ORDER_COLUMNS)
        return _listed([documents[row["entity_id"]] for row in found], criteria, total)

    def _order(self, request: Request, scope: str | None, told: str) -> Any:
        placed = self.state.orders.get(int(told))
        if placed is None:
            raise NotFound("The entity that was requested doesn't exist. Verify the entity and try again.")
        return render.order(self.state, placed)

    # Stores and products

    def _store_configs(self, request: Request, scope: str | None) -> Any:
        return render.store_configs(self.url)

    def _store_views(self, request: Request, scope: str | None) -> Any:
        return render.store_views()

    def _websites(self, request: Request, scope: str | None) -> Any:
        admin = {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0}
        return [admin, {"id": 1, "code": "base", "name": "Main Website", "default_group_id": 1}]

    def _products(self, request: Request, scope: str | None) -> Any:
        store_id = next((view.id for view in VIEWS if view.code == scope), 0)
        rows: list[Row] = [ProductRow(item, store_id) for item in self.state.products.values()]
        found, criteria, total = self.find(request, rows, _PRODUCT_COLUMNS)
        shown = [self.state.products[row["entity_id"]] for row in found]
        return _listed([render.product(self.state, item, store_id) for item in shown], criteria, total)

    def _product(self, request: Request, scope: str | None, sku: str) -> Any:
        store_id = next((view.id for view in VIEWS if view.code == scope), 0)
        try:
            return render.product(self.state, self.state.product(sku), store_id)
        except StopIteration:
            raise NotFound("The product that was requested doesn't exist. Verify the product and try again.") from None

    def _render_info(self, request: Request, scope: str | None) -> Any:
        told = dict(request.query)
        criteria = any(name.startswith("searchCriteria") for name in told)
        missing = [] if criteria else ["searchCriteria"]
        missing += [name for name in ("storeId", "currencyCode") if name not in told]
        if missing:
            raise Missing(missing)
        view = self.state.view(int(told["storeId"]))
        rows = [{"entity_id": item.id} for item in self.state.products.values()]
        found, _, _ = self.find(request, rows, {"entity_id"})
        items = (self.state.products[row["entity_id"]] for row in found)
        shown = [render.render_info(self.state, item, view, told["currencyCode"], self.url) for item in items]
        return {"items": [item for item in shown if item is not None]}

    def find(self, request: Request, rows: list[Row], columns: set[str]) -> tuple[list[Row], Any, int]:
        limit = self.switches.input_limit
        criteria = parse(request.query)
        if limit is not None:
            asked = dict(request.query).get("searchCriteria[pageSize]")
            if asked is not None and int(asked) > limit:
                raise BadRequest("Maximum SearchCriteria pageSize is %max", {"max": limit})
            criteria.setdefault("page_size", 20)
        found, total = search(rows, criteria, columns, clamp=self.switches.clamp)
        return found, criteria, total


def _listed(items: list[Any], criteria: Any, total: int) -> Any:
    return {"items": items, "search_criteria": criteria, "total_count": total}


def _denied(right: str) -> Unauthorized:
    return Unauthorized("The consumer isn't authorized to access %resources.", {"resources": right})


def _fault(status: int, message: str, parameters: object = None) -> Reply:
    return json_reply({"message": message} | ({} if parameters is None else {"parameters": parameters}), status)


_ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    (r"carts/search", CARTS, FakeMagento._carts),
    (r"carts/([^/]+)/totals", CARTS, FakeMagento._totals),
    (r"carts/([^/]+)/items", CARTS, FakeMagento._items),
    (r"carts/([^/]+)/selected-payment-method", CARTS, FakeMagento._payment),
    (r"carts/([^/]+)/coupons", CARTS, FakeMagento._coupon),
    (r"carts/([^/]+)", CARTS, FakeMagento._cart),
    (r"orders", ORDERS, FakeMagento._orders),
    (r"orders/(\d+)", ORDERS, FakeMagento._order),
    (r"store/storeConfigs", STORES, FakeMagento._store_configs),
    (r"store/storeViews", STORES, FakeMagento._store_views),
    (r"store/websites", STORES, FakeMagento._websites),
    (r"products", PRODUCTS, FakeMagento._products),
    (r"products/([^/]+)", PRODUCTS, FakeMagento._product),
    (r"products-render-info", ANYBODY, FakeMagento._render_info),
]


@contextmanager
def running_magento(now: Callable[[], Any] | None = None, skew: timedelta = timedelta(0)) -> Iterator[FakeMagento]:
    """A fake shop that listens until the block ends."""
    fake = FakeMagento()
    if now is not None:
        fake.state.now = now
    fake.state.skew = skew
    with HttpThread(fake.answer) as server:
        fake.server = server
        yield fake
