"""Lists read page by page: around a row that breaks them, past clamped pages, and never by a store's own path."""

from datetime import timedelta

import pytest

from recovery.stores.magento import MagentoConnector
from recovery.stores.magento_errors import MagentoError
from tests.magento.fake import FakeMagento
from tests.magento.scenes import with_items
from tests.magento.test_client import connected
from tests.shop import Clock


def shop_of(fake: FakeMagento, quote_ids: list[int]) -> None:
    for quote_id in quote_ids:
        cart = fake.state.new_cart(1, quote_id)
        fake.state.add(cart, "BP-30")


async def read_all(connector: MagentoConnector, clock: Clock) -> tuple[list[str], list[int]]:
    found: list[str] = []
    skipped: list[int] = []
    after: int | None = 0
    while after is not None:
        page = await connector.carts(clock.now() - timedelta(days=1), after, ())
        found += [cart.quote_id for cart in page.carts]
        skipped += page.skipped
        after = page.last
    return found, skipped


@pytest.mark.parametrize("poison", [[1], [50, 51], [120], list(range(40, 44))])
async def test_all_but_the_poison_carts_are_read(magento: FakeMagento, clock: Clock, poison: list[int]) -> None:
    shop_of(magento, list(range(1, 121)))
    magento.switches.poison = dict.fromkeys(poison, "500")
    async with connected(magento, clock) as connector:
        found, skipped = await read_all(connector, clock)
    assert found == [str(n) for n in range(1, 121) if n not in poison]
    assert set(skipped) <= set(poison)
    assert skipped


async def test_a_cart_that_hangs_is_passed_too(magento: FakeMagento, clock: Clock) -> None:
    shop_of(magento, [3, 7, 900])
    magento.switches.poison = {7: "hang"}
    async with connected(magento, clock, read_seconds=0.1) as connector:
        assert await read_all(connector, clock) == (["3", "900"], [7])


async def test_a_clamped_page_is_no_news(magento: FakeMagento, clock: Clock) -> None:
    magento.switches.clamp = True
    shop_of(magento, list(range(1, 101)))
    async with connected(magento, clock) as connector:
        found, _ = await read_all(connector, clock)
    assert found == [str(n) for n in range(1, 101)]
    assert magento.count("carts/search") == 3


async def test_a_shop_that_goes_down_poisons_nothing(magento: FakeMagento, clock: Clock) -> None:
    shop_of(magento, [1])
    magento.switches.down = "fatal"
    async with connected(magento, clock) as connector:
        with pytest.raises(MagentoError):
            await read_all(connector, clock)


async def test_every_cart_is_read_where_no_store_code_is(magento: FakeMagento, clock: Clock) -> None:
    with_items(magento)
    async with connected(magento, clock) as connector:
        (cart,) = (await connector.carts(clock.now() - timedelta(days=1), 0, ())).carts
        await connector.cart(cart, (await connector.fronts())[0], {})
    carts = [target for target in magento.asked if "/carts/" in target]
    assert [target.partition("/V1/")[0] for target in carts] == ["GET /rest/all", "GET /rest/default"]
    assert "totals" in carts[1]
