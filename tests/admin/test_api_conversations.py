"""Conversations over the API: found by state, thumb, failure and words; whole for a manager, masked for a viewer."""

import uuid
from typing import Any

import pytest

from chatbot.models import Conversation, Turn
from recovery.models import Cart
from tests.admin.api import Visitor, key_holder, make_user, sign_in
from tests.admin.test_talks import failed_turn
from tests.shop import ADDRESS, Shop


async def talk(shop: Shop, quote_id: str, question: str, **turn: Any) -> Conversation:
    await shop.cart(quote_id)
    cart = await Cart.get(quote_id=quote_id)
    now = shop.clock.advance(minutes=1)
    row = await Conversation.create(
        id=uuid.uuid4(), store_id=shop.store.id, cart=cart, link_jti=quote_id, language="en", created_at=now,
        expires_at=now,
    )  # fmt: skip
    await Turn.create(
        conversation=row, client_id=uuid.uuid4(), status="done", finish="stop", question=question, answer="Yes.",
        answered_by="built-in", asked_at=now, **turn,
    )  # fmt: skip
    return row


async def ids(visitor: Visitor, query: str = "") -> list[str]:
    return [row["id"] for row in (await visitor.get(f"/conversations?{query}"))["items"]]


async def test_conversations_are_found(shop: Shop) -> None:
    failed = str((await failed_turn(shop)).id)
    good = str((await talk(shop, "8", "Is it 100% wool?", vote=1)).id)
    bad = str((await talk(shop, "9", "Does it_fit?", vote=-1)).id)
    await Conversation.filter(id=bad).update(waiting_since=shop.now)
    await Cart.filter(quote_id="8").update(status="ordered")
    await make_user()
    visitor = await sign_in(shop)
    assert await ids(visitor) == [bad, good, failed]
    assert await ids(visitor, "state=waiting") == [bad]
    assert await ids(visitor, "state=ordered") == [good]
    assert await ids(visitor, "vote=up") == [good]
    assert await ids(visitor, "vote=down") == [bad]
    assert await ids(visitor, "model_failed=true") == [failed]
    assert await ids(visitor, "model_failed=false") == [bad, good]
    assert await ids(visitor, "q=100%25%20wool") == [good]
    assert await ids(visitor, "q=it_f") == [bad]
    assert await ids(visitor, "q=t%25f") == []
    assert await ids(visitor, "asked=false") == []
    page = await visitor.get("/conversations?limit=2")
    assert (page["total"], len(page["items"])) == (3, 2)
    assert await ids(visitor, f"limit=2&after={page['next']}") == [failed]
    for wrong in ("after=WyJ4IiwieSJd", "after=x", "vote=sideways"):
        response = await visitor.call("GET", f"/conversations?{wrong}")
        assert response.status_code in {404, 422}


async def test_a_transcript_tells_how_each_answer_came_about(shop: Shop) -> None:
    row = await failed_turn(shop)
    async with key_holder(shop, ["conversations:read", "personal:read"]) as manager:
        told = await manager.get(f"/conversations/{row.id}")
    (turn,) = told["turns"]
    assert (turn["model_failed"], turn["cost"], turn["question"]) == ("no credit", 0.0022, f"I am {ADDRESS}")
    assert turn["withheld"] == [{"sentence": "It is only €9 today.", "kind": "price", "claim": "€9"}]


@pytest.mark.parametrize("path", ["", "/text"])
async def test_a_viewer_reads_no_addresses(shop: Shop, path: str) -> None:
    row = await failed_turn(shop)
    await Conversation.filter(id=row.id).update(waiting_since=shop.now, waiting_address=ADDRESS)
    async with key_holder(shop, ["conversations:read"]) as viewer:
        response = await viewer.call("GET", f"/conversations/{row.id}{path}")
        listed = await viewer.get("/conversations")
    assert response.status_code == 200
    assert "Thirty days." in response.text
    assert ADDRESS not in response.text + str(listed)


async def test_other_stores_talks_do_not_exist(shop: Shop) -> None:
    row = await failed_turn(shop)
    async with key_holder(shop, ["conversations:read"], []) as program:
        assert await ids(program) == []
        await program.get(f"/conversations/{row.id}", 404)
        await program.get(f"/conversations/{row.id}/text", 404)
        await program.get(f"/conversations/{uuid.uuid4()}", 404)
