"""Reads Magento's CMS pages and blocks, and makes of their HTML what an assistant can read."""

import html
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from recovery.stores.base import PageKind, ShopFront, ShopText
from recovery.stores.magento_criteria import Criteria
from recovery.stores.magento_http import MagentoHttp
from recovery.stores.magento_reading import identifier, listed, mapped, text
from recovery.text import html_to_text

#: Shops have a few dozen of each; who has more finds the others by their identifier.
MOST_LISTED = 300
LONGEST_TEXT = 20_000
ALL_VIEWS = "0"
_PATHS: dict[PageKind, tuple[str, str]] = {
    "page": ("cmsPage/search", "page_id"),
    "block": ("cmsBlock/search", "block_id"),
}
_DIRECTIVE = re.compile(r"\{\{.*?\}\}", re.S)
_PASTED = re.compile(r'(<div[^>]*data-content-type="html"[^>]*>)(.*?)(</div>)', re.S)


async def of_front(http: MagentoHttp, front: ShopFront) -> list[ShopText]:
    """The pages and blocks that a store view shows, without their texts; its own go before those of all views."""
    found: dict[tuple[PageKind, str], ShopText] = {}
    for kind, (path, _) in _PATHS.items():
        # The filter takes one view at a time, and those for all views are filed under 0.
        for view in (front.external_id, ALL_VIEWS):
            asked = Criteria().where("store_id", "eq", view).first(MOST_LISTED)
            asked.only("items[id,identifier,title,active],total_count")
            for told in _read(kind, await http.get(path, asked), front):
                found.setdefault((kind, told.identifier), told)
    return sorted(found.values(), key=lambda told: (told.kind, told.title))


async def by_id(
    http: MagentoHttp, kind: PageKind, ids: Iterable[str], front: ShopFront, since: datetime | None
) -> list[ShopText]:
    """These with their texts, all or those changed since then; the missing ones are gone or as they were."""
    path, column = _PATHS[kind]
    wanted = sorted(ids)
    asked = Criteria().where(column, "in", wanted).first(len(wanted))
    if since is not None:
        asked.where("update_time", "gteq", http.to_shop(since))
    return _read(kind, await http.get(path, asked), front)


def readable(content: str) -> str:
    """The text of a page: tables as rows with bars, Magento's own directives left out.

    Page Builder keeps pasted HTML escaped inside its own.
    """
    told = _PASTED.sub(lambda m: m[1] + html.unescape(m[2]) + m[3], content)
    return html_to_text(_DIRECTIVE.sub("", told), LONGEST_TEXT)


def _read(kind: PageKind, answer: Any, front: ShopFront) -> list[ShopText]:
    return [told for row in listed(mapped(answer).get("items")) if (told := _one(kind, mapped(row), front))]


def _one(kind: PageKind, row: dict[str, Any], front: ShopFront) -> ShopText | None:
    number, name = identifier(row.get("id")), text(row.get("identifier"))
    if number is None or not name:
        return None
    content = row.get("content")
    url = f"{front.link_url.rstrip('/')}/{name}" if kind == "page" and front.link_url else None
    return ShopText(
        kind=kind,
        external_id=number,
        identifier=name,
        title=text(row.get("title")) or name,
        text=readable(content) if isinstance(content, str) else "",
        url=url,
        active=row.get("active") not in (False, 0, "0"),
    )
