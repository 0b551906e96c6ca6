"""The fake shop's CMS pages and blocks, made after Magento's interfaces: of these nothing was recorded."""

from collections.abc import Callable
from typing import Any

from tests.magento.criteria import Row
from tests.magento.fake_coupons import Shop
from tests.magento.http import Request

PAGES, BLOCKS = "Magento_Cms::page", "Magento_Cms::block"
FOR_PAGES = frozenset({PAGES, BLOCKS})


def pages(shop: Shop, request: Request, scope: str | None) -> Any:
    return _search(shop, request, "page")


def blocks(shop: Shop, request: Request, scope: str | None) -> Any:
    return _search(shop, request, "block")


def _search(shop: Shop, request: Request, kind: str) -> Row:
    mine = [text for text in shop.state.texts if text["kind"] == kind]
    # One row for each view a text is filed under: the filter is on the table of views.
    rows = [
        {f"{kind}_id": text["id"], "store_id": view, "identifier": text["identifier"], "title": text["title"],
         "is_active": int(text["active"]), "update_time": text["update_time"], "position": place}
        for place, text in enumerate(mine) for view in text["stores"]
    ]  # fmt: skip
    columns = {f"{kind}_id", "store_id", "identifier", "title", "is_active", "update_time"}
    found, criteria, total = shop.find(request, rows, columns)
    items = [{name: value for name, value in mine[row["position"]].items() if name not in {"kind", "stores"}}
             for row in found]  # fmt: skip
    return {"items": items, "search_criteria": criteria, "total_count": total}


ROUTES: list[tuple[str, str, str, Callable[..., Any]]] = [
    ("GET", r"cmsPage/search", PAGES, pages),
    ("GET", r"cmsBlock/search", BLOCKS, blocks),
]
