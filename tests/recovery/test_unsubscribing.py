"""The page that stops mails: how far it reaches, the way back, and that scanners find no way to change anything."""

import re
from typing import Any

import pytest

from recovery.emails import unsubscribe_link
from recovery.models import Suppression
from recovery.stores.registry import add_store
from tests.recovery.test_links import snapshot
from tests.shop import ADDRESS, Shop

ALL_SHOPS = {"confirm": "1", "everywhere": "1"}


def link(shop: Shop, store_id: int | None = None) -> str:
    return unsubscribe_link(shop.runtime, store_id or shop.store.id, shop.runtime.keys.email_hash(ADDRESS))


async def second_store(shop: Shop) -> Any:
    return await add_store(shop.connection, "pl", "Tatry", language="pl", currency="PLN", timezone="Europe/Warsaw")


async def page(shop: Shop, address: str) -> str:
    """A page without what differs in each."""
    response = await shop.client.get(address)
    assert response.status_code == 200
    return response.text


def fields(text: str) -> set[str]:
    """The names of everything a form on the page would send."""
    return set(re.findall(r'name="(\w+)"', text.partition("<body>")[2]))


async def test_one_shop_alone_offers_no_choice_and_several_do(live: Shop) -> None:
    assert fields(await page(live, link(live))) == {"confirm"}
    await second_store(live)
    assert fields(await page(live, link(live))) == {"confirm", "everywhere"}


async def test_all_shops_of_the_connection_fall_silent_at_once(live: Shop) -> None:
    polish = await second_store(live)
    mail = await live.queue()
    response = await live.client.post(link(live, polish.id), data=ALL_SHOPS)
    assert "Dotyczy: wszystkie sklepy grupy Demo" in response.text
    (row,) = await Suppression.all()
    assert (row.store_id, row.cause) == (None, "unsubscribe")
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason) == ("suppressed", "unsubscribe")
    assert (await live.deliver()).counts == {}


async def test_the_undo_takes_back_as_much_as_was_stopped(live: Shop) -> None:
    polish = await second_store(live)
    await live.client.post(link(live), data=ALL_SHOPS)
    response = await live.client.post(link(live, polish.id), data={"undo": "1"})
    assert "Cofnięto" in response.text
    assert await Suppression.filter(lifted_at=None).count() == 0
    assert await live.queue() is not None


async def test_whoever_comes_back_later_sees_how_it_stands_and_finds_the_way_back(live: Shop) -> None:
    await live.client.post(link(live), data={"confirm": "1"})
    shown = await page(live, link(live))
    assert "Mails about carts left behind are stopped: Tatra." in shown
    assert fields(shown) == set()
    assert fields(await page(live, link(live) + "?again=1")) == {"undo"}
    await live.client.post(link(live) + "?again=1", data={"undo": "1"})
    assert "confirm" in fields(await page(live, link(live)))


async def test_a_page_says_so_when_undoing_is_not_enough(live: Shop) -> None:
    await live.client.post(link(live), data={"confirm": "1"})
    await live.tell("email.complained", {"email": ADDRESS, "at": live.now.isoformat()})
    response = await live.client.post(link(live), data={"undo": "1"})
    assert "Undone, but there are still no mails" in response.text
    assert [row.cause for row in await Suppression.filter(lifted_at=None)] == ["complaint"]


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_scanner_that_fetches_changes_nothing(live: Shop, stopped: bool) -> None:
    if stopped:
        await live.client.post(link(live), data={"confirm": "1"})
    before = await snapshot()
    for address in (link(live), link(live) + "?again=1", link(live) + "?undo=1&confirm=1"):
        for method in ("GET", "HEAD"):
            assert (await live.client.request(method, address)).status_code == 200
    assert await snapshot() == before


async def test_a_scanner_that_submits_what_it_finds_never_lets_mails_come_again(live: Shop) -> None:
    await second_store(live)
    for _ in range(3):
        found = fields(await page(live, link(live)))
        if found:
            await live.client.post(link(live), data=dict.fromkeys(found, "1"))
    assert await Suppression.filter(lifted_at=None).count() == 1


@pytest.mark.parametrize("formal", ["informal", "formal"])
async def test_polish_pages_are_polish(live: Shop, formal: str) -> None:
    polish = await second_store(live)
    live.store = polish
    await live.set(form_of_address=formal)
    asked = await page(live, link(live))
    done = (await live.client.post(link(live), data={"confirm": "1"})).text
    again = await page(live, link(live) + "?again=1")
    for shown in (asked, done, again):
        assert '<html lang="pl">' in shown
        assert not re.search(r"\b(mails|shop|again)\b", re.sub(r"<[^>]*>|\{.*?\}", "", shown.partition("<main>")[2]))
    assert ("Rezygnuję" in asked) == (formal == "formal")
