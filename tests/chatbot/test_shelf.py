"""Finding products by words: forms, slips and compounds; a fresh index, a stale one, and how many there may be."""

import asyncio
import itertools
import random
import sys
import time
from typing import Any

import pytest

from chatbot.knowledge import read_items
from chatbot.shelf import SERVES_SECONDS, Shelves
from chatbot.shelf_index import Index, IndexBuilder, Row
from chatbot.texts import load_texts
from chatbot.typos import near
from chatbot.words import fold
from recovery.models import Store
from recovery.products import take_products
from recovery.runtime import Runtime
from recovery.stems import stem
from recovery.stores.snapshots import ProductSnapshot
from tests.chatbot.rows import make_shop

TEXTS = load_texts()
FORMS = {
    "pl": [
        "kurtka kurtkę kurtki kurtce kurtek", "płytki płytek płytkami", "rower roweru rowerowy rowerze",
        "kulki kulek", "podłoga podłodze", "wodoodporny wodoodporna", "haczyk haczyków", "zimowy zima", "klej kleju",
    ],
    "en": ["jackets jacket", "tiles tile", "batteries battery", "fits fitting", "boxes box", "sizes size"],
}  # fmt: skip
APART = {"pl": ["kulki kule", "kask klej"], "en": ["hood hoodie", "tile title", "ring rod"]}


def product(product_id: str, name: str, text: str = "", *, parent: str | None = None, **attributes: str) -> Row:
    named = [{"name": name, "value": value} for name, value in attributes.items()]
    return Row(product_id, parent, name, named, ["Things"], "Brand", "", text)


def shelf(*rows: Row, language: str = "en") -> Index:
    builder = IndexBuilder(language, TEXTS.of(language).stopwords)
    builder.add(rows)
    return builder.finish()


SHOP = (
    product("alarm", "Bite alarm", "Beeps when a carp takes the bait. Needs a 9 V battery."),
    product("rod", "Carp rod", "3.6 m long, 3 lb test curve"),
    product("jacket", "Rain jacket", "Keeps rain out, also on a bicycle"),
    product("jacket-s", "Rain jacket, red, S", "Keeps rain out, also on a bicycle", parent="jacket"),
    product("jacket-m", "Rain jacket, blue, M", "Keeps rain out, also on a bicycle", parent="jacket"),
    product("trousers", "Waterproof trousers", "For rain", Material="nylon"),
)


@pytest.mark.parametrize(("language", "forms"), [(lang, one) for lang, all_of in FORMS.items() for one in all_of])
def test_forms_of_a_word_have_one_stem(language: str, forms: str) -> None:
    assert len({stem(word, language) for word in fold(forms).split()}) == 1


@pytest.mark.parametrize(("language", "words"), [(lang, one) for lang, all_of in APART.items() for one in all_of])
def test_other_words_have_another(language: str, words: str) -> None:
    one, other = fold(words).split()
    assert stem(one, language) != stem(other, language)


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [("jacket", "jcaket", 1), ("jacket", "jackt", 1), ("jacket", "jackett", 1), ("jacket", "jakcte", 2)],
)
def test_slips_are_counted(one: str, other: str, slips: int) -> None:
    assert near(one, other, slips)
    assert not near(one, other, slips - 1)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("do you have bite alarms?", "alarm"),
        ("trosers", "trousers"),
        ("waterprof", "trousers"),
        ("rainjacket", "jacket"),
        ("the jacket in blue", "jacket-m"),
        ("rain jacket S red", "jacket-s"),
        ("nylon", "trousers"),
        ("9v battery", "alarm"),
        ("water", "trousers"),
    ],
)
def test_words_lead_to_the_product(query: str, first: str) -> None:
    assert shelf(*SHOP).search(query, 3)[0] == first


def test_the_name_counts_more_than_the_text_and_variants_are_found_once() -> None:
    found = shelf(*SHOP).search("rain", 8)
    assert found == ["jacket", "trousers"]


@pytest.mark.parametrize("query", ["", "???", "xylophone", "the of and"])
def test_what_is_not_there_is_not_found(query: str) -> None:
    assert shelf(*SHOP).search(query, 3) == []


def test_polish_without_accents_and_with_endings() -> None:
    row = product("kurtka", "Kurtka przeciwdeszczowa", "Na długie, mokre dni")
    found = shelf(row, product("czapka", "Czapka"), language="pl")
    for query in ("kurtke przeciwdeszczowa", "kurtek", "dlugie dni", "kutrka"):
        assert found.search(query, 1) == ["kurtka"], query


@pytest.mark.asyncio(loop_scope="module")
async def test_a_stale_shelf_serves_while_the_new_one_is_built(runtime: Runtime, empty: None) -> None:
    shop = await make_shop(runtime)
    now = 0.0
    shelves = Shelves(TEXTS, monotonic=lambda: now)
    old = await shelves.of(shop.store)
    assert old.search("care kit")[0] == "kit"

    await take_products(shop.store, [snapshot(runtime, "umbrella", "Umbrella")])
    store = await Store.get(id=shop.store.id)
    assert await shelves.of(store) is old
    now = SERVES_SECONDS
    assert (await shelves.of(store)).search("umbrella") == []
    async with asyncio.timeout(10):
        while (new := await shelves.of(store)) is old:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert new.search("umbrella") == ["umbrella"]
    await shelves.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_only_what_a_search_looks_at_makes_a_shelf_stale(runtime: Runtime, empty: None) -> None:
    shop = await make_shop(runtime)

    async def version_after(**told: Any) -> Any:
        await take_products(shop.store, [snapshot(runtime, "umbrella", **({"name": "Umbrella"} | told))])
        return (await Store.get(id=shop.store.id)).catalogue_version

    assert await version_after() == 1
    assert await version_after(price=2, in_stock=False) == 1
    assert await version_after(name="Parasol") == 2


@pytest.mark.asyncio(loop_scope="module")
async def test_the_shelves_used_least_make_room(runtime: Runtime, empty: None) -> None:
    stores = [(await make_shop(runtime, name=f"shop{number}")).store for number in range(3)]
    size = (await Shelves(TEXTS).of(stores[0])).bytes
    shelves = Shelves(TEXTS, max_bytes=int(size * 2.5))
    first, second = await shelves.of(stores[0]), await shelves.of(stores[1])
    assert await shelves.of(stores[0]) is first
    await shelves.of(stores[2])
    assert await shelves.of(stores[0]) is first
    assert await shelves.of(stores[1]) is not second


@pytest.mark.asyncio(loop_scope="module")
async def test_items_come_in_the_order_asked_for_with_the_name_of_their_product(runtime: Runtime, empty: None) -> None:
    shop = await make_shop(runtime)
    items = await read_items(shop.store.id, ["kit", "gone", "hala-moss-m", "hala"])
    assert [(item.id, item.called) for item in items] == [
        ("kit", "Care kit"), ("hala-moss-m", "Hala rain jacket"), ("hala", "Hala rain jacket"),
    ]  # fmt: skip


def snapshot(runtime: Runtime, product_id: str, name: str, **told: Any) -> ProductSnapshot:
    values: dict[str, Any] = {"price": 1, "currency": "EUR", "currency_digits": 2, "in_stock": True} | told
    return ProductSnapshot(product_id=product_id, name=name, occurred_at=runtime.now(), **values)


@pytest.mark.large
def test_fifty_thousand_products_are_indexed_in_seconds_and_searched_in_milliseconds() -> None:
    rng = random.Random(7)
    words = ["".join(rng.choices("aeioubcdfgklmnprst", k=rng.randint(4, 9))) for _ in range(20_000)]
    # As in any language, some words stand everywhere and most hardly anywhere.
    weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(words))))

    def said(count: int) -> str:
        return " ".join(rng.choices(words, cum_weights=weights, k=count))

    rows = [
        product(f"p{number}", said(4), said(100), **{said(1): said(2) for _ in range(5)}) for number in range(50_000)
    ]
    builder = IndexBuilder("en", frozenset())
    started = time.perf_counter()
    builder.add(rows)
    built = builder.finish()
    seconds = time.perf_counter() - started
    times = []
    for row in rng.sample(rows, 200):
        name = row.name.split()
        name[0] = name[0][:2] + name[0][3:]
        started = time.perf_counter()
        built.search(" ".join(name), 8)
        times.append(time.perf_counter() - started)
    times.sort()
    found = sum(row.product_id in built.search(row.name, 8) for row in rng.sample(rows, 200))
    sys.stdout.write(
        f"\n50,000 products: {seconds:.1f} s to build, {built.bytes / 1e6:.0f} MB, "
        f"search p50 {times[100] * 1e3:.1f} ms, p95 {times[190] * 1e3:.1f} ms, {found} of 200 found by name\n"
    )
    assert built.bytes < 128 * 1024 * 1024
    assert seconds < 60
    assert times[100] < 0.05
    assert found >= 195
