"""The connector to Magento 2 by its REST interface, without a module of our own in the shop."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from recovery.stores import (
    magento_carts,
    magento_coupons,
    magento_forms,
    magento_orders,
    magento_pages,
    magento_stores,
)
from recovery.stores import magento_products as shelf
from recovery.stores.base import (
    CartSeen,
    CouponWanted,
    OrderSeen,
    Page,
    PageKind,
    ProductRef,
    ShopFront,
    ShopText,
    WrongRule,
)
from recovery.stores.magento_auth import Credentials
from recovery.stores.magento_criteria import Criteria
from recovery.stores.magento_errors import MagentoBroken, MagentoError
from recovery.stores.magento_http import PAUSE, READ_SECONDS, MagentoHttp, Pace, open_magento_http
from recovery.stores.magento_paging import Pages
from recovery.stores.magento_reading import decimal, identifier, listed, mapped, text
from recovery.stores.snapshots import CartSnapshot

#: Each cart costs the shop some 30 ms; bigger pages are no faster per cart and time out sooner.
CARTS_A_PAGE = 50
ORDERS_A_PAGE = 50
PRODUCTS_A_PAGE = 100
#: An address's earlier orders only tell that there were some.
ORDERS_OF_A_PERSON = 20

Row = dict[str, Any]


class MagentoConnector:
    """One Magento; see ``base.Connector``."""

    def __init__(self, http: MagentoHttp, now: Callable[[], datetime]) -> None:
        self.http = http
        self._now = now
        self._parents: dict[str, Row] | None = None

    async def fronts(self) -> list[ShopFront]:
        """One per store view."""
        configs = await self.http.get("store/storeConfigs")
        return magento_stores.fronts(configs, await self.http.get("store/storeViews"))

    async def carts(self, since: datetime, after: int, skip: tuple[int, ...]) -> Page:
        """Active carts with rows, changed since then.

        Not filtered by address: guests' addresses stand in the billing address, which no filter reaches.
        """

        async def fetch(above: int, size: int) -> list[Row]:
            asked = Criteria().where("is_active", "eq", True).where("items_count", "gt", 0)
            asked.where("updated_at", "gteq", self.http.to_shop(since)).where("entity_id", "gt", above)
            if skip:
                asked.where("entity_id", "nin", skip)
            return await self._rows("carts/search", asked.by_id(size))

        rows, last, skipped = await Pages(fetch, self._alive, CARTS_A_PAGE).next(after)
        return Page(last, skipped, carts=tuple(self._seen(rows)))

    async def carts_by_id(self, quote_ids: list[str]) -> list[CartSeen]:
        """By the list, which shows carts without touching them: a read of one cart may recollect and save it."""
        asked = Criteria().where("entity_id", "in", quote_ids).by_id(len(quote_ids))
        return self._seen(await self._rows("carts/search", asked))

    async def cart(self, seen: CartSeen, front: ShopFront, products: dict[str, ProductRef]) -> CartSnapshot:
        """With its totals, and the payment method where that step can have been reached."""
        asked_at = self._now()
        # Only the cart's own code gives the labels of options in its language; elsewhere no store code is safe.
        kinds = {mapped(item).get("product_type") for item in listed(seen.row.get("items"))}
        labelled = not kinds.isdisjoint({"configurable", "bundle"})
        totals = await self.http.get(f"carts/{seen.quote_id}/totals", scope=front.code if labelled else "all")
        payment = None
        if magento_carts.may_have_payment(seen.row):
            payment = await self.http.get(f"carts/{seen.quote_id}/selected-payment-method")
        return magento_carts.snapshot(seen, totals, payment, front, products, asked_at)

    async def forms(self, quote_id: str) -> dict[str, dict[str, str] | None]:
        """By the rows of the cart, which tell the ids of the chosen options."""
        rows = [mapped(row) for row in listed(await self.http.get(f"carts/{quote_id}/items", attempts=1))]
        return {text(row.get("item_id"), 64): magento_forms.fields_of(row) for row in rows}

    async def guest_cart(self, secret_id: str) -> str | None:
        """By the masked id, which whoever knows it may ask with."""
        try:
            row = mapped(await self.http.get(f"guest-carts/{secret_id}", attempts=1))
        except MagentoError as error:
            if error.status == 404:
                return None
            raise
        return identifier(row.get("id")) if row.get("is_active") is True else None

    async def orders(self, since: datetime, after: int) -> Page:
        """Orders that changed since then."""

        async def fetch(above: int, size: int) -> list[Row]:
            asked = Criteria().where("updated_at", "gteq", self.http.to_shop(since)).where("entity_id", "gt", above)
            return await self._rows("orders", asked.by_id(size).only(_fields(magento_orders.FIELDS)))

        pages = Pages(fetch, self._alive, ORDERS_A_PAGE, "entity_id")
        rows, last, skipped = await pages.next(after)
        return Page(last, skipped, orders=tuple(self._orders(rows)))

    async def orders_of(self, quote_ids: list[str], email: str | None = None) -> list[OrderSeen]:
        """By quote, and by address in whatever case it was typed; the newest of them."""
        asked = Criteria()
        if email:
            asked.either(("quote_id", "in", quote_ids), ("customer_email", "eq", email))
        else:
            asked.where("quote_id", "in", quote_ids)
        asked.newest(max(len(quote_ids), ORDERS_OF_A_PERSON)).only(_fields(magento_orders.FIELDS))
        return self._orders(await self._rows("orders", asked))

    async def products(self, front: ShopFront, since: datetime | None, after: int) -> Page:
        """Products in a store view's language, with what a visitor would see of price, link and picture."""

        async def fetch(above: int, size: int) -> list[Row]:
            asked = Criteria().where("entity_id", "gt", above)
            if since is not None:
                asked.where("updated_at", "gteq", self.http.to_shop(since))
            return await self._rows("products", asked.by_id(size), front.code)

        rows, last, skipped = await Pages(fetch, self._alive, PRODUCTS_A_PAGE).next(after)
        return await self._shelf(front, rows, last, skipped)

    async def products_by_sku(self, front: ShopFront, skus: list[str]) -> Page:
        """These and, of variants, their parents, which have the page and the picture."""
        # A comma in a SKU would be read as two.
        plain = [sku for sku in skus if "," not in sku]
        rows = await self._rows("products", Criteria().where("sku", "in", plain).by_id(len(plain)), front.code)
        parents = {text(p.get("id")) for row in rows if (p := await self._parent(row))}
        missing = sorted(parents - {text(row.get("id")) for row in rows})
        if missing:
            asked = Criteria().where("entity_id", "in", missing).by_id(len(missing))
            rows += await self._rows("products", asked, front.code)
        return await self._shelf(front, rows, None, ())

    async def texts(self, front: ShopFront) -> list[ShopText]:
        """CMS pages and blocks of a store view."""
        return await magento_pages.of_front(self.http, front)

    async def texts_by_id(
        self, kind: PageKind, ids: list[str], front: ShopFront, since: datetime | None
    ) -> list[ShopText]:
        """Read in any view: their texts are the same in all they are shown in."""
        return await magento_pages.by_id(self.http, kind, ids, front, since)

    async def make_coupon(self, wanted: CouponWanted) -> list[WrongRule]:
        """On a price rule of its website and percent that all such codes share."""
        return await magento_coupons.make(self.http, wanted)

    async def forget_coupon(self, code: str, *, at_once: bool) -> None:
        """Deleted, unless a cart holds it."""
        await magento_coupons.forget(self.http, code, at_once=at_once)

    # What they are made of

    async def _rows(self, path: str, asked: Criteria, scope: str = "all") -> list[Row]:
        return [mapped(row) for row in listed(mapped(await self.http.get(path, asked, scope=scope)).get("items"))]

    async def _alive(self) -> None:
        """Whether it is one row that fails or the whole shop."""
        await self.http.get("store/storeViews", attempts=1)

    def _seen(self, rows: list[Row]) -> list[CartSeen]:
        return [magento_carts.seen(row, self.http.from_shop) for row in rows]

    def _orders(self, rows: list[Row]) -> list[OrderSeen]:
        found = []
        for row in rows:
            try:
                found.append(magento_orders.seen(row, self.http.from_shop))
            except MagentoBroken:  # an order that other software wrote without a currency is nobody's recovery
                continue
        return found

    async def _parent(self, row: Row) -> Row | None:
        """The configurable product that a variant belongs to; the list of them is read once."""
        if not shelf.is_variant(row):
            return None
        if self._parents is None:
            self._parents = await self._all_parents()
        return self._parents.get(text(row.get("id")))

    async def _all_parents(self) -> dict[str, Row]:
        async def fetch(above: int, size: int) -> list[Row]:
            asked = Criteria().where("type_id", "eq", "configurable").where("entity_id", "gt", above).by_id(size)
            asked.only("items[id,sku,name,extension_attributes[configurable_product_links]],total_count")
            return await self._rows("products", asked)

        found: dict[str, Row] = {}
        after: int | None = 0
        while after is not None:
            rows, after, _ = await Pages(fetch, self._alive, PRODUCTS_A_PAGE).next(after)
            found |= {child: row for row in rows for child in shelf.children(row)}
        return found

    async def _shelf(self, front: ShopFront, rows: list[Row], last: int | None, skipped: tuple[int, ...]) -> Page:
        """The snapshots of a page of products, with everything of other products that they need."""
        asked_at = self._now()
        parents = {text(row.get("id")): parent for row in rows if (parent := await self._parent(row))}
        wanted = {text(row.get("id")) for row in rows} | {text(parent.get("id")) for parent in parents.values()}
        infos = await self._render_infos(front, sorted(wanted)) if wanted else []
        ids = await self._ids_of(rows)
        made = shelf.Shelf(front, infos, parents, ids, await self._dearest(infos, parents), asked_at)
        snapshots = [(row, made.snapshot(row)) for row in rows]
        unpriced = {text(row.get("id")): row.get("status") != shelf.ENABLED for row, told in snapshots if told is None}
        priced = tuple(told for _, told in snapshots if told is not None)
        known = {
            text(row.get("sku"), 64).lower(): (number, text(parents[number].get("id")) if number in parents else None)
            for row in rows
            if (number := text(row.get("id")))
        }
        return Page(last, skipped, products=priced, unpriced=unpriced, ids=known)

    async def _render_infos(self, front: ShopFront, ids: list[str]) -> list[Row]:
        asked = Criteria().where("entity_id", "in", ids).by_id(len(ids)).pairs()
        told = [*asked, ("storeId", front.external_id), ("currencyCode", front.currency)]
        answer = await self.http.get("products-render-info", told, scope=front.code)
        return [mapped(info) for info in listed(mapped(answer).get("items"))]

    async def _ids_of(self, rows: list[Row]) -> dict[str, str]:
        """The ids of the products offered beside these, which are told by SKU."""
        known = {text(row.get("sku"), 64): text(row.get("id")) for row in rows}
        missing = sorted(sku for sku in shelf.linked_skus(rows) - set(known) if sku and "," not in sku)
        for start in range(0, len(missing), PRODUCTS_A_PAGE):
            part = missing[start : start + PRODUCTS_A_PAGE]
            asked = Criteria().where("sku", "in", part).by_id(len(part)).only("items[id,sku],total_count")
            known |= {text(row.get("sku"), 64): text(row.get("id")) for row in await self._rows("products", asked)}
        return known

    async def _dearest(self, infos: list[Row], parents: dict[str, Row]) -> dict[str, Decimal]:
        """The highest price entered for a variant, of each product whose variants differ in price."""
        ranges = {text(info.get("id")): mapped(info.get("price_info")) for info in infos}
        differ = {i for i, prices in ranges.items() if prices.get("minimal_price") != prices.get("max_price")}
        mine = {text(p.get("id")): shelf.children(p) for p in parents.values() if text(p.get("id")) in differ}
        variants = sorted({child for ids in mine.values() for child in ids})
        prices: dict[str, Decimal] = {}
        for start in range(0, len(variants), PRODUCTS_A_PAGE):
            part = variants[start : start + PRODUCTS_A_PAGE]
            asked = Criteria().where("entity_id", "in", part).by_id(len(part)).only("items[id,price],total_count")
            prices |= {text(row.get("id")): decimal(row.get("price")) for row in await self._rows("products", asked)}
        return {
            parent: max((prices.get(i, Decimal(0)) for i in ids), default=Decimal(0)) for parent, ids in mine.items()
        }


def _fields(names: str) -> str:
    return f"items[{names}],total_count"


@asynccontextmanager
async def open_magento(
    base_url: str,
    credentials: Credentials,
    now: Callable[[], datetime],
    *,
    allow_private: bool = False,
    read_seconds: float = READ_SECONDS,
    pause: float = PAUSE,
    pace: Pace | None = None,
) -> AsyncIterator[MagentoConnector]:
    """A connector to the Magento at ``base_url``, closed on the way out."""
    async with open_magento_http(
        base_url, credentials, now, allow_private=allow_private, read_seconds=read_seconds, pause=pause, pace=pace
    ) as http:
        yield MagentoConnector(http, now)
