"""Reads a list by id in small pages, and around the row that breaks every page it stands in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from recovery.stores.magento_errors import Cause, MagentoAway, MagentoBroken
from recovery.stores.magento_reading import decimal

Rows = list[dict[str, Any]]
#: Asks for at most so many rows with an id above the given one, in the order of ids.
Fetch = Callable[[int, int], Awaitable[Rows]]


@dataclass(frozen=True)
class Pages:
    """How one list is read."""

    fetch: Fetch
    #: Raises if the shop as a whole does not answer.
    alive: Callable[[], Awaitable[None]]
    size: int
    key: str = "id"

    async def next(self, after: int) -> tuple[Rows, int | None, tuple[int, ...]]:
        """The next page after ``after``: its rows, where to go on (None at the end), and the ids that can't be read.

        Raises:
            MagentoError: the shop does not answer at all.
        """
        size = self.size
        while True:
            try:
                return self._page(await self.fetch(after, size), after, size)
            except (MagentoBroken, MagentoAway) as error:
                if isinstance(error, MagentoAway) and error.cause is not Cause.TOO_SLOW:
                    raise
                await self.alive()
            if size == 1:
                return await self._past_poison(after)
            size = max(1, size // 2)

    def _page(self, rows: Rows, after: int, size: int) -> tuple[Rows, int | None, tuple[int, ...]]:
        # Older versions answer the last page again instead of none: ids not above the asked one are no news.
        fresh = [row for row in rows if int(decimal(row.get(self.key))) > after]
        if not fresh:
            return [], None, ()
        last = max(int(decimal(row[self.key])) for row in fresh)
        return fresh, last if len(rows) >= size else None, ()

    async def _past_poison(self, after: int) -> tuple[Rows, int | None, tuple[int, ...]]:
        """The first row above ``after`` can't be read; its id is the least bound from which reading works again.

        Asked for with the bound a step, two steps, four steps up until it works, then halving.
        """
        broken, step = after, 1
        while not await self._works(after + step):
            broken, step = after + step, step * 2
        working = after + step
        while working - broken > 1:
            middle = (working + broken) // 2
            if await self._works(middle):
                working = middle
            else:
                broken = middle
        return [], working, (working,)

    async def _works(self, after: int) -> bool:
        try:
            await self.fetch(after, 1)
        except (MagentoBroken, MagentoAway) as error:
            if isinstance(error, MagentoAway) and error.cause is not Cause.TOO_SLOW:
                raise
            return False
        return True
