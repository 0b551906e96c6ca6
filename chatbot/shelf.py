"""Finds products of a store by words: an index per store, built aside, kept while there is room."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import structlog

from chatbot.shelf_index import Index, IndexBuilder, Row
from chatbot.texts import AllTexts, Texts
from recovery.models import Product, Store

MAX_BYTES = 256 * 1024 * 1024
ROWS_A_READ = 2_000
#: How long a question waits for a first index, and how long a stale one serves at least, so that a store that is
#: telling its whole catalogue does not have it built for each piece.
FIRST_SECONDS = 2.0
SERVES_SECONDS = 20.0
_COLUMNS = (
    "id", "product_id", "parent_id", "name", "attributes", "categories", "brand", "short_description", "description",
)  # fmt: skip

log = structlog.get_logger()


class Shelf:
    """The products of one store as they were at one version of its catalogue."""

    def __init__(self, index: Index, version: int, built_at: float) -> None:
        self._index = index
        self.version = version
        self.built_at = built_at

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        return self._index.bytes

    def search(self, query: str, limit: int = 8) -> list[str]:
        """Ids of the best products, best first; of several variants the one that the words name, else the product."""
        return self._index.search(query, limit)

    def strange(self, query: str) -> set[str]:
        """The words of a query that no product has in any form."""
        return self._index.strange(query)


class Shelves:
    """The shelves of a process, the least recently used ones forgotten when they take more than ``max_bytes``."""

    def __init__(
        self, texts: AllTexts, max_bytes: int = MAX_BYTES, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._texts = texts
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._shelves: OrderedDict[int, Shelf] = OrderedDict()
        self._building: dict[int, asyncio.Task[Shelf]] = {}

    def texts_of(self, store: Store) -> Texts:
        """The words of the store's language."""
        return self._texts.of(store.language)

    async def of(self, store: Store) -> Shelf:
        """The store's shelf; a stale one while the new one is built, an empty one where the first takes too long."""
        known = self._shelves.get(store.id)
        if known is not None:
            self._shelves.move_to_end(store.id)
            if known.version != store.catalogue_version and self._monotonic() - known.built_at >= SERVES_SECONDS:
                self._build(store)
            return known
        done, _ = await asyncio.wait({self._build(store)}, timeout=FIRST_SECONDS)
        return next((task.result() for task in done if task.exception() is None), None) or self._empty(store)

    def _empty(self, store: Store) -> Shelf:
        return Shelf(IndexBuilder(store.language, frozenset()).finish(), -1, self._monotonic())

    def _build(self, store: Store) -> asyncio.Task[Shelf]:
        running = self._building.get(store.id)
        if running is None:
            running = self._building[store.id] = asyncio.create_task(self._built(store), name=f"shelf {store.id}")
            running.add_done_callback(lambda task: self._settled(store.id, task))
        return running

    async def _built(self, store: Store) -> Shelf:
        started = self._monotonic()
        # Read first: what changes meanwhile makes the new shelf stale, not wrongly fresh.
        version = (await Store.get(id=store.id)).catalogue_version
        builder = IndexBuilder(store.language, self._texts.of(store.language).stopwords)
        last = 0
        while rows := await _read(store.id, last):
            last = rows[-1][0]
            await asyncio.to_thread(builder.add, [Row(*row[1:]) for row in rows])
        shelf = Shelf(await asyncio.to_thread(builder.finish), version, self._monotonic())
        log.info("shelf.built", store=store.id, seconds=round(shelf.built_at - started, 2), bytes=shelf.bytes)
        return shelf

    def _settled(self, store_id: int, task: asyncio.Task[Shelf]) -> None:
        del self._building[store_id]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.warning("shelf.unbuilt", store=store_id, error=type(error).__name__)
            return
        self._shelves[store_id] = task.result()
        self._shelves.move_to_end(store_id)
        # The newest stays however big it is: to build it anew for each question would be worse.
        while len(self._shelves) > 1 and sum(shelf.bytes for shelf in self._shelves.values()) > self._max_bytes:
            self._shelves.popitem(last=False)

    async def close(self) -> None:
        """Stop building."""
        building = list(self._building.values())
        for task in building:
            task.cancel()
        await asyncio.gather(*building, return_exceptions=True)


async def _read(store_id: int, after: int) -> list[tuple[Any, ...]]:
    found = Product.filter(store_id=store_id, active=True, id__gt=after).order_by("id").limit(ROWS_A_READ)
    return list(await found.values_list(*_COLUMNS))
