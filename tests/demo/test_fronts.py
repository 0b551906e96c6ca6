"""Several shops in one demo: each is announced, has its own pages, and sells tiles by the square metre."""

import asyncio

import pytest

from recovery.demo.fronts import CATALOGUES, FIRST, beginning_with, fronts
from tests.demo import payloads
from tests.demo.conftest import Browser, DemoWorld, words


@pytest.fixture
async def tiles(world: DemoWorld) -> Browser:
    return world.browser(await world.open(catalogues=("tiles",)), "tiles-en")


def test_the_outdoor_shop_keeps_its_short_codes() -> None:
    assert list(fronts([FIRST])) == ["en", "pl"]
    assert set(fronts(CATALOGUES)) >= {"en", "pl", "tiles-en", "tiles-pl"}


def test_the_named_catalogue_comes_first_and_none_is_lost() -> None:
    names = beginning_with("airsoft")
    assert names[0] == "airsoft"
    assert sorted(names) == sorted(CATALOGUES)


async def test_every_shop_is_announced_in_turn(world: DemoWorld) -> None:
    site = await world.open(catalogues=CATALOGUES)
    async with asyncio.timeout(20):
        while {hook.envelope["store"] for hook in world.endpoint.of("policy.updated")} != set(site.shop.catalogues):
            await site.sender.flush()
            await asyncio.sleep(0.01)
    for hook in world.endpoint.received:
        payloads.envelope(hook.envelope)
    for store, catalogue in site.shop.catalogues.items():
        told = {
            product["product_id"]
            for hook in world.endpoint.of("product.updated")
            if hook.envelope["store"] == store
            for product in hook.data["products"]
        }
        assert told == set(catalogue.variants) | set(catalogue.products)


async def test_a_cart_waits_for_no_other_shops_announcement(world: DemoWorld) -> None:
    browser = world.browser(await world.open(catalogues=CATALOGUES))
    await browser.fill()
    told = await browser.told()
    before = [hook.envelope["store"] for hook in told.received][
        : [hook.type for hook in told.received].index("cart.updated")
    ]
    assert "bicycles-pl" not in before


async def test_the_start_page_leads_to_every_shop(world: DemoWorld) -> None:
    browser = world.browser(await world.open(catalogues=beginning_with("carp")))
    page = (await browser.get("/")).text
    links = [part.split('"')[0] for part in page.split('href="/shop/')[1:]]
    shops = [link.rstrip("/") for link in links if link.rstrip("/") in fronts(CATALOGUES)]
    assert set(shops) == set(fronts(CATALOGUES))
    assert shops[0] == "carp-en"
    for store in shops:
        answer = await browser.get(f"/shop/{store}/")
        assert answer.status_code == 200
        assert f'href="/shop/{store[:-2]}{"pl" if store.endswith("en") else "en"}/"' in answer.text


async def test_an_area_is_rounded_up_to_packs(tiles: Browser) -> None:
    await tiles.post("cart/add", product="skala", variant="skala-graphite", quantity="4")
    item = (await tiles.told()).last("cart.updated")["items"][0]
    # 3 packs of 1.44 m² at 29.90 the square metre.
    assert (item["quantity"], item["unit_price"], item["row_total"]) == (4.32, 2990, 12917)
    page = words((await tiles.get("cart")).text)
    assert "€29.90 per m² · 3 packs" in page
    await tiles.post("cart/quantity", variant="skala-graphite", quantity="4,33")
    assert (await tiles.told()).last("cart.updated")["items"][0]["quantity"] == 5.76


async def test_the_product_page_says_how_tiles_are_sold(tiles: Browser) -> None:
    page = words((await tiles.get("product/skala")).text)
    assert "€29.90 / m²" in page
    assert "full packs of 1.44 m² (€43.06 a pack)" in page
    product = next(
        entry
        for hook in (await tiles.told()).of("product.updated")
        for entry in hook.data["products"]
        if entry["product_id"] == "skala-sand"
    )
    assert (product["sold_by"], product["min_quantity"], product["quantity_step"]) == ("m2", 1.44, 1.44)
    assert product["stock_quantity"] == 17.28


async def test_an_order_of_tiles_takes_packs_off_the_shelf(tiles: Browser) -> None:
    await tiles.post("cart/add", product="skala", variant="skala-sand", quantity="17")
    order = await tiles.check_out()
    assert "17.28 m², Skała" in words(order.text)
    told = await tiles.told()
    assert told.last("order.placed")["items"][0]["quantity"] == 17.28
    stock = {entry["product_id"]: entry["stock_quantity"] for entry in told.last("product.updated")["products"]}
    assert stock["skala-sand"] == 0


async def test_a_version_has_its_price_and_its_words(world: DemoWorld) -> None:
    browser = world.browser(await world.open(catalogues=("bicycles",)), "bicycles-en")
    shelf = words((await browser.get("")).text)
    assert "Bicycle chain from €14.90" in shelf
    await browser.post("cart/add", product="chain", variant="chain-11", quantity="1")
    told = await browser.told()
    assert told.last("cart.updated")["items"][0]["row_total"] == 2990
    chain = next(
        entry
        for hook in told.of("product.updated")
        for entry in hook.data["products"]
        if entry["product_id"] == "chain-11"
    )
    fits = [attribute["value"] for attribute in chain["attributes"] if attribute["code"] == "compatible"]
    assert fits == ["Sokół gravel bike; cassettes with 11 sprockets"]
    assert chain["brand"] == "Ogniwo"
