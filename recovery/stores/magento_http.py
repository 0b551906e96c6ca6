"""The wire to one Magento: authorised requests at a polite pace, answers understood, the shop's clock read."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal
from urllib.parse import quote

import httpx2
import orjson

from recovery.outgoing import AddressRefused, GuardedTransport, UnknownHost
from recovery.stores.magento_auth import Credentials, Pairs, authorization
from recovery.stores.magento_criteria import Criteria
from recovery.stores.magento_errors import Cause, MagentoAway, MagentoError, NotAllowed, NotMagento, refusal

#: Right after Magento's cache was cleaned a page of carts was seen to take 20 s.
READ_SECONDS = 60.0
CONNECT_SECONDS = 10.0
MOST_AT_ONCE = 2
MOST_PER_SECOND = 20.0
ATTEMPTS = 3
PAUSE = 0.25
LONGEST_PAUSE = 30.0
LARGEST_ANSWER = 64 * 1024 * 1024


class Pace:
    """At most so many requests at once and, beyond a burst of that many, per second."""

    def __init__(self, at_once: int = MOST_AT_ONCE, per_second: float = MOST_PER_SECOND) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._per_second = per_second
        self._left = per_second
        self._at = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it for one request."""
        async with self._slots:
            now = asyncio.get_running_loop().time()
            self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
            self._at = now
            self._left -= 1
            if self._left < 0:
                await asyncio.sleep(-self._left / self._per_second)
            yield


class MagentoHttp:
    """Asks one Magento. A GET may be tried again; what changes something is sent once, and whoever sends it looks."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        client: httpx2.AsyncClient,
        now: Callable[[], datetime],
        pause: float = PAUSE,
        pace: Pace | None = None,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._credentials = credentials
        self._client = client
        self._now = now
        self._pace = pace or Pace()
        self._pause = pause
        self._with_port = True
        self._skew = timedelta(0)
        self.requests = 0

    @property
    def shop_now(self) -> datetime:
        """What the shop's clock shows now, by its last answer."""
        return self._now() + self._skew

    def to_shop(self, moment: datetime) -> datetime:
        """A moment of ours on the shop's clock."""
        return moment + self._skew

    def from_shop(self, moment: datetime) -> datetime:
        """A moment of the shop's on our clock, never later than now."""
        return min(moment - self._skew, self._now())

    async def get(
        self, path: str, query: Pairs | Criteria = (), *, scope: str = "all", attempts: int = ATTEMPTS
    ) -> Any:
        """The document at ``/rest/{scope}/V1/{path}``.

        Tries again after what passes by itself: no connection, 429, 502, 503, 504. A time-out is not tried again, as
        the same question would take as long.

        Raises:
            MagentoError: there is none; the subclass says whose fault it is.
        """
        pairs = query.pairs() if isinstance(query, Criteria) else list(query)
        url = self._url(path, scope)
        for attempt in range(1, attempts + 1):
            try:
                return await self._ask("GET", url, pairs)
            except MagentoAway as away:
                if attempt == attempts or away.cause is Cause.TOO_SLOW:
                    raise
                pause = away.retry_after if away.retry_after is not None else self._pause * 2**attempt
                if pause > LONGEST_PAUSE:
                    raise
                await asyncio.sleep(pause)
            except NotAllowed as refused:
                if attempt == attempts or not self._without_port(refused):
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def change(self, method: Literal["POST", "PUT", "DELETE"], path: str, body: Any = None) -> Any:
        """Send what changes something in the shop, once: after a time-out nobody knows whether it was done.

        Always by ``/rest/all``: the code of a store view in the address would move a cart to that view.

        Raises:
            MagentoError: there is no answer that says it was done; the subclass says whose fault it is.
        """
        url = self._url(path, "all")
        try:
            return await self._ask(method, url, [], body)
        except NotAllowed as refused:
            if not self._without_port(refused):
                raise
            return await self._ask(method, url, [], body)  # a refused signature did nothing

    def _url(self, path: str, scope: str) -> str:
        return f"{self._base}/rest/{scope}/V1/{path}"

    def _without_port(self, refused: NotAllowed) -> bool:
        """Whether to sign anew without the port: behind some web servers PHP, and so Magento, does not see it."""
        again = refused.cause is Cause.SIGNATURE_REFUSED and self._with_port
        self._with_port = self._with_port and not again
        return again

    async def _ask(self, method: str, url: str, pairs: Pairs, body: Any = None) -> Any:
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
        headers = {
            "Accept": "application/json",
            "Authorization": authorization(self._credentials, method, url, pairs, with_port=self._with_port),
        }
        content = None if body is None else orjson.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        async with self._pace.turn():
            self.requests += 1
            try:
                target = f"{url}?{query}" if query else url
                response = await self._client.request(method, target, headers=headers, content=content)
            except UnknownHost as error:
                raise MagentoAway(Cause.UNREACHABLE, str(error)) from error
            except AddressRefused as error:
                raise MagentoError(Cause.PRIVATE, str(error)) from error
            except httpx2.ConnectTimeout as error:
                raise MagentoAway(Cause.UNREACHABLE, "no connection in time") from error
            except httpx2.TimeoutException as error:
                raise MagentoAway(Cause.TOO_SLOW, f"no answer in {READ_SECONDS:.0f} s") from error
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
                raise MagentoAway(Cause.UNREACHABLE, type(error).__name__) from error
        self._read_clock(response)
        return _document(response)

    def _read_clock(self, response: httpx2.Response) -> None:
        try:
            told = parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError, TypeError):
            return
        skew = told - self._now()
        # The header has whole seconds: below that, and below the time a request takes, clocks agree.
        agree = abs(skew) < timedelta(seconds=5)
        self._skew = timedelta(0) if agree else timedelta(seconds=math.floor(skew.total_seconds()))


def _document(response: httpx2.Response) -> Any:
    """The JSON of an answer.

    Raises:
        MagentoError: it is none.
    """
    kind = response.headers.get("content-type", "")
    if response.status_code != 200:
        raise refusal(response.status_code, response.content, kind, response.headers.get("retry-after"))
    if len(response.content) > LARGEST_ANSWER:
        raise MagentoError(Cause.FAILS, "the answer is too large", status=200)
    try:
        return orjson.loads(response.content)
    except ValueError as error:
        raise NotMagento(Cause.NOT_MAGENTO, f"{kind.partition(';')[0]} instead of JSON", status=200) from error


@asynccontextmanager
async def open_magento_http(
    base_url: str,
    credentials: Credentials,
    now: Callable[[], datetime],
    *,
    allow_private: bool = False,
    read_seconds: float = READ_SECONDS,
    pause: float = PAUSE,
    pace: Pace | None = None,
) -> AsyncIterator[MagentoHttp]:
    """The wire to a Magento, closed on the way out."""
    limits = httpx2.Limits(max_connections=MOST_AT_ONCE, max_keepalive_connections=MOST_AT_ONCE)
    # Unlike a model's server, a shop on this very machine needs permission too.
    transport = GuardedTransport(private=allow_private, loopback=allow_private, limits=limits)
    timeout = httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS)
    # Cookies would tie the requests to one PHP session, which answers one at a time.
    async with httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False) as client:
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield MagentoHttp(base_url, credentials, client, now, pause, pace)
