"""The wire to Magento: signatures, criteria, errors in words, retries, pace, and lists with a row that breaks them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from recovery.stores import magento_errors as errors
from recovery.stores.magento import MagentoConnector, open_magento
from recovery.stores.magento_auth import Credentials, signature
from recovery.stores.magento_criteria import Criteria
from recovery.stores.magento_errors import Cause, MagentoAway, MagentoError, NotAllowed, refusal
from recovery.stores.magento_probe import NEEDED, probe, verdict
from tests.magento.fake import TOKEN, FakeMagento
from tests.magento.http import HttpThread, Reply, Request
from tests.magento.records import record
from tests.magento.scenes import with_items
from tests.shop import Clock

KEYS = Credentials(
    token="tokn00000000000000000000000000tk",
    token_secret="tsecret0000000000000000000000000",
    consumer_key="ckey00000000000000000000000000ck",
    consumer_secret="csecret0000000000000000000000000",
)


@asynccontextmanager
async def connected(
    fake: FakeMagento, clock: Clock, credentials: Credentials | None = None, read_seconds: float = 5
) -> AsyncIterator[MagentoConnector]:
    """A connector to the fake that waits as good as not between its attempts."""
    told = credentials or Credentials(TOKEN)
    how: dict[str, Any] = {"allow_private": True, "read_seconds": read_seconds, "pause": 0.01}
    async with open_magento(fake.url, told, clock.now, **how) as connector:
        yield connector


# Authorisation

_SEARCH = [
    ("searchCriteria[filter_groups][0][filters][0][field]", "updated_at"),
    ("searchCriteria[filter_groups][0][filters][0][value]", "2026-11-23 00:00:00"),
    ("searchCriteria[filter_groups][0][filters][0][condition_type]", "gteq"),
    ("searchCriteria[page_size]", "50"),
    ("fields", "items[id],total_count"),
]
_ODD = [("searchCriteria[filter_groups][0][filters][0][value]", "zażółć+x@example.com ~!*()'")]


@pytest.mark.parametrize(
    ("method", "url", "query", "expected"),
    [
        ("GET", "https://shop.example.com/rest/all/V1/store/storeConfigs", [],
         "bbVzo/tlmOgN1ampOoUeE0Sjx8LD9ReYHMnxrv9F1qo="),
        ("GET", "https://shop.example.com/rest/all/V1/carts/search", _SEARCH,
         "Vx709gi2SqTMSExOfAvEYzMSBFW7N8osPsyegweuAG8="),
        ("GET", "http://shop.example.com:8080/rest/V1/orders", _ODD, "E0/As7HeDIrRQ3Otuz2dxqUgksO4Z5yh+Qr/nl4Dj1c="),
        ("POST", "https://shop.example.com:443/rest/all/V1/coupons", [],
         "y5C4gsQZ2Qs4uf54IVuE4H/pkwCDK+DbIooSHnltBC8="),
        ("GET", "https://SHOP.example.com/rest/all/V1/products/LAMP%2F1%20A", [],
         "5fB0a1muoX/q8bj4RIG743wNRa8QynTX216MoO/U0dQ="),
    ],
)  # fmt: skip
def test_signatures_are_those_of_magentos_own_signer(
    method: str, url: str, query: list[tuple[str, str]], expected: str
) -> None:
    told = {
        "oauth_consumer_key": KEYS.consumer_key or "", "oauth_token": KEYS.token,
        "oauth_signature_method": "HMAC-SHA256", "oauth_timestamp": "1760000000", "oauth_nonce": "nonce0001",
        "oauth_version": "1.0",
    }  # fmt: skip
    assert signature(KEYS, method, url, [*query, *told.items()]) == expected


async def test_oauth_works_where_bearers_are_not_allowed(magento: FakeMagento, clock: Clock) -> None:
    magento.switches.bearer = False
    with_items(magento)
    async with connected(magento, clock, KEYS) as connector:
        assert [cart.quote_id for cart in await connector.carts_by_id(["1"])] == ["1"]
        assert len(await connector.fronts()) == 2


async def test_a_web_server_that_hides_the_port_is_found_out_once(magento: FakeMagento, clock: Clock) -> None:
    magento.consumer.drops_port = True
    async with connected(magento, clock, KEYS) as connector:
        await connector.fronts()
    assert magento.count("storeConfigs") == 2
    assert magento.count("storeViews") == 1


def test_credentials_show_no_secret() -> None:
    assert TOKEN not in repr(Credentials(TOKEN))
    assert Credentials.from_sealed_form(KEYS.sealed_form()) == KEYS


# Criteria


def test_criteria_are_written_as_magento_reads_them() -> None:
    asked = (
        Criteria().where("is_active", "eq", True).either(("quote_id", "in", [1, 2]), ("customer_email", "eq", "a@b.c"))
    )
    asked.where("updated_at", "gteq", datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)).by_id(50).only("items[id]")
    stem = "searchCriteria[filter_groups]"
    assert asked.pairs() == [
        (f"{stem}[0][filters][0][field]", "is_active"), (f"{stem}[0][filters][0][value]", "1"),
        (f"{stem}[0][filters][0][condition_type]", "eq"),
        (f"{stem}[1][filters][0][field]", "quote_id"), (f"{stem}[1][filters][0][value]", "1,2"),
        (f"{stem}[1][filters][0][condition_type]", "in"),
        (f"{stem}[1][filters][1][field]", "customer_email"), (f"{stem}[1][filters][1][value]", "a@b.c"),
        (f"{stem}[1][filters][1][condition_type]", "eq"),
        (f"{stem}[2][filters][0][field]", "updated_at"), (f"{stem}[2][filters][0][value]", "2026-11-23 01:02:03"),
        (f"{stem}[2][filters][0][condition_type]", "gteq"),
        ("searchCriteria[sort_orders][0][field]", "entity_id"), ("searchCriteria[sort_orders][0][direction]", "ASC"),
        ("searchCriteria[page_size]", "50"), ("fields", "items[id]"),
    ]  # fmt: skip


# Errors

#: The record of each kind of refusal: its class, its cause, and the words with their placeholders filled.
REFUSALS: list[tuple[str, type[MagentoError], Cause, str]] = [
    ("001", NotAllowed, Cause.ACCESS_REFUSED, "The consumer isn't authorized to access Magento_Cart::manage."),
    ("002", NotAllowed, Cause.ACCESS_REFUSED, "The consumer isn't authorized to access Magento_Cart::manage."),
    ("003", NotAllowed, Cause.ACCESS_REFUSED, "The consumer isn't authorized to access Magento_Cart::manage."),
    ("004", NotAllowed, Cause.ACCESS_REFUSED, "The consumer isn't authorized to access Magento_Backend::store."),
    ("005", NotAllowed, Cause.ACCESS_REFUSED, "The consumer isn't authorized to access Magento_Catalog::products."),
    ("406", NotAllowed, Cause.ACCESS_REFUSED, "The consumer isn't authorized to access Magento_Cart::manage."),
    ("054", NotAllowed, Cause.ACCESS_REFUSED, "The consumer isn't authorized to access Magento_Backend::store."),
    ("011", NotAllowed, Cause.SIGNATURE_REFUSED, "Signature method HMAC-SHA1 is not supported"),
    ("012", NotAllowed, Cause.SIGNATURE_REFUSED, "The signature is invalid. Verify and try again."),
    ("013", NotAllowed, Cause.SIGNATURE_REFUSED, "The signature is invalid. Verify and try again."),
    ("015", NotAllowed, Cause.SIGNATURE_REFUSED, "The nonce is already being used by the consumer with ID 1"),
    ("391", NotAllowed, Cause.SIGNATURE_REFUSED, "The signature is invalid. Verify and try again."),
    ("394", NotAllowed, Cause.SIGNATURE_REFUSED, "The signature is invalid. Verify and try again."),
    ("397", NotAllowed, Cause.SIGNATURE_REFUSED, "A consumer having the specified key does not exist"),
    ("398", NotAllowed, Cause.SIGNATURE_REFUSED, "Specified token does not exist"),
    ("016", errors.NotMagento, Cause.NOT_MAGENTO, "Request does not match any route."),
    ("040", errors.NotMagento, Cause.NOT_MAGENTO, "Request does not match any route."),
    ("017", errors.NotThere, Cause.MISSING, "No such entity with cartId = 999999"),
    ("018", errors.NotThere, Cause.MISSING, "No such entity with cartId = 999999"),
    ("404", errors.NotThere, Cause.MISSING, "No such entity with cartId = 999999"),
    ("019", errors.NotThere, Cause.MISSING,
     "The product that was requested doesn't exist. Verify the product and try again."),
    ("020", errors.NotThere, Cause.MISSING,
     "The entity that was requested doesn't exist. Verify the entity and try again."),
    ("275", errors.NotThere, Cause.MISSING, "No such entity with cartId = 1"),
    ("023", errors.RequestRefused, Cause.REQUEST_REFUSED, "Specified request cannot be processed."),
    ("024", errors.RequestRefused, Cause.REQUEST_REFUSED, '"searchCriteria" is required. Enter and try again.'),
    ("027", errors.RequestRefused, Cause.REQUEST_REFUSED,
     'One or more input exceptions have occurred. "searchCriteria" is required. Enter and try again. "storeId" is '
     'required. Enter and try again. "currencyCode" is required. Enter and try again.'),
    ("033", errors.RequestRefused, Cause.REQUEST_REFUSED,
     "The sort order has to be specified as ASC for ascending order or DESC for descending order."),
    ("039", errors.RequestRefused, Cause.REQUEST_REFUSED,
     'The "abc" value\'s type is invalid. The "int" type was expected. Verify and try again.'),
    ("410", errors.RequestRefused, Cause.REQUEST_REFUSED, "Maximum SearchCriteria pageSize is 100"),
    ("034", errors.MagentoBroken, Cause.FAILS,
     "Internal Error. Details are available in Magento log file. Report ID: webapi-6b03db7b58e25"),
    ("459", errors.MagentoBroken, Cause.FAILS, ""),
    ("463", errors.MagentoBroken, Cause.FAILS, ""),
    ("043", errors.MagentoBroken, Cause.FAILS, "HTTP 500 with text/html"),
    ("056", MagentoAway, Cause.MAINTENANCE, "HTTP 503"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "kind", "cause", "words"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_a_recorded_refusal_is_told_in_words(number: str, kind: type[MagentoError], cause: Cause, words: str) -> None:
    told = record(number)
    error = refusal(told.status, told.raw, told.headers["content-type"])
    assert type(error) is kind
    assert error.cause is cause
    assert error.detail == words or (not words and error.detail)
    assert cause.advice


async def test_the_fatal_shape_and_pages_instead_of_json(magento: FakeMagento, clock: Clock) -> None:
    magento.switches.down = "fatal"
    async with connected(magento, clock) as connector:
        with pytest.raises(errors.MagentoBroken, match="See details in report api/123"):
            await connector.fronts()
    with HttpThread(lambda _: Reply(200, b"<html>Please sign in", {"content-type": "text/html"})) as server:
        async with open_magento(server.url, Credentials("t"), clock.now, allow_private=True) as connector:
            with pytest.raises(errors.NotMagento, match="text/html instead of JSON"):
                await connector.fronts()
    with HttpThread(lambda _: Reply(302, b"", {"location": "https://elsewhere.example/"})) as server:
        async with open_magento(server.url, Credentials("t"), clock.now, allow_private=True) as connector:
            with pytest.raises(errors.NotMagento, match="moved"):
                await connector.fronts()


# Retries, pace and clock


async def test_what_passes_by_itself_is_tried_again(magento: FakeMagento, clock: Clock) -> None:
    magento.switches.too_many, magento.switches.retry_after = 2, "0"
    async with connected(magento, clock) as connector:
        assert len(await connector.fronts()) == 2
    assert magento.count("storeConfigs") == 3


@pytest.mark.parametrize(
    ("down", "cause"), [("502", Cause.DOWN), ("503", Cause.MAINTENANCE), ("refuse", Cause.UNREACHABLE)]
)
async def test_a_shop_that_stays_away_is_left_alone(
    magento: FakeMagento, clock: Clock, down: str, cause: Cause
) -> None:
    magento.switches.down = down
    async with connected(magento, clock) as connector:
        with pytest.raises(MagentoAway) as caught:
            await connector.fronts()
    assert (caught.value.cause, magento.count("storeConfigs")) == (cause, 3)


async def test_a_long_retry_after_is_not_waited_for_but_told(magento: FakeMagento, clock: Clock) -> None:
    magento.switches.too_many, magento.switches.retry_after = 1, "3600"
    async with connected(magento, clock) as connector:
        with pytest.raises(MagentoAway) as caught:
            await connector.fronts()
    assert caught.value.retry_after == 3600


async def test_silence_is_not_asked_twice(magento: FakeMagento, clock: Clock) -> None:
    magento.switches.down = "hang"
    async with connected(magento, clock, read_seconds=0.2) as connector:
        with pytest.raises(MagentoAway) as caught:
            await connector.fronts()
    assert (caught.value.cause, magento.count("storeConfigs")) == (Cause.TOO_SLOW, 1)


async def test_at_most_two_requests_at_once_and_no_cookies(magento: FakeMagento, clock: Clock) -> None:
    magento.switches.slow = 0.05
    async with connected(magento, clock) as connector:
        await asyncio.gather(*(connector.fronts() for _ in range(4)))
    assert magento.server is not None
    assert magento.server.busiest == 2
    assert not any("cookie" in request.headers for request in magento.server.asked)


@pytest.mark.parametrize("minutes", [10, -10, 0])
async def test_times_of_the_shop_are_brought_to_our_clock(magento: FakeMagento, clock: Clock, minutes: int) -> None:
    magento.state.skew = timedelta(minutes=minutes)
    with_items(magento)
    clock.advance(minutes=30)
    async with connected(magento, clock) as connector:
        await connector.fronts()
        (cart,) = (await connector.carts(clock.now() - timedelta(minutes=31), 0, ())).carts
        assert cart.created_at == clock.now() - timedelta(minutes=30)
        assert (await connector.carts(clock.now() - timedelta(minutes=29), 0, ())).carts == ()


# Addresses


async def test_a_private_address_needs_permission(magento: FakeMagento, clock: Clock) -> None:
    async with open_magento(magento.url, Credentials(TOKEN), clock.now) as connector:
        with pytest.raises(MagentoError) as caught:
            await connector.fronts()
    assert caught.value.cause is Cause.PRIVATE
    assert magento.asked == []


async def test_the_name_is_what_the_shop_is_asked_for(magento: FakeMagento, clock: Clock) -> None:
    """We connect to the address that was checked, and ask for the host by its name."""
    named = magento.url.replace("127.0.0.1", "localhost")
    async with open_magento(named, Credentials(TOKEN), clock.now, allow_private=True) as connector:
        await connector.fronts()
    assert magento.server is not None
    assert magento.server.asked[0].headers["host"] == named.removeprefix("http://")


async def test_a_host_that_does_not_exist(clock: Clock) -> None:
    async with open_magento("http://nowhere.invalid", Credentials(TOKEN), clock.now, pause=0) as connector:
        with pytest.raises(MagentoAway, match="no host"):
            await connector.fronts()


# The test of a connection


@pytest.mark.parametrize("missing", NEEDED, ids=lambda right: right.resource)
async def test_a_missing_right_is_named_with_where_to_click(magento: FakeMagento, clock: Clock, missing: Any) -> None:
    magento.switches.granted = magento.switches.granted - {missing.resource}
    async with connected(magento, clock) as connector:
        (sentence,) = verdict(await probe(connector.http))
    assert missing.resource in sentence
    assert missing.box in sentence


@pytest.mark.parametrize("cause", ["bearer", "token"])
async def test_both_causes_of_a_refused_token_are_told(magento: FakeMagento, clock: Clock, cause: str) -> None:
    magento.switches.bearer = cause != "bearer"
    credentials = Credentials("another" if cause == "token" else TOKEN)
    async with connected(magento, clock, credentials) as connector:
        (sentence,) = verdict(await probe(connector.http))
    assert "active integration" in sentence
    assert "standalone Bearer tokens" in sentence
    assert "--oauth" in sentence


async def test_a_good_connection_needs_no_words(magento: FakeMagento, clock: Clock) -> None:
    async with connected(magento, clock) as connector:
        assert verdict(await probe(connector.http)) == []
    assert len(magento.asked) == len(NEEDED)


async def test_what_is_asked_can_be_read_by_a_proxy(magento: FakeMagento, clock: Clock) -> None:
    """Spaces go as %20: a plus would break the signature."""
    async with connected(magento, clock, KEYS) as connector:
        await connector.carts(clock.now(), 0, ())
    assert magento.server is not None
    target = magento.server.asked[-1].target
    assert "+" not in target
    assert "2026-11-23 10:00:00" in unquote(target)


def answer_nothing(request: Request) -> Reply:
    return Reply(200, b"[]", {"content-type": "application/json"})


async def test_a_null_written_as_a_list(clock: Clock) -> None:
    with HttpThread(answer_nothing) as server:
        async with open_magento(server.url, Credentials("t"), clock.now, allow_private=True) as connector:
            assert await connector.fronts() == []
            assert await connector.orders_of(["1"]) == []
