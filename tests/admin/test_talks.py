"""The admin sees who answered, what it cost, why a model did not, and what was held back; addresses masked."""

import json
import os
import subprocess
import sys
import uuid

import pytest

from admin import doctor_use, talks
from chatbot.models import Conversation, Turn, WithheldSentence
from recovery.errors import NotFound
from recovery.models import Cart
from tests.shop import ADDRESS, SECRET_KEY, Shop


async def failed_turn(shop: Shop, cause: str = "no_credit") -> Conversation:
    await shop.cart("7", email=ADDRESS)
    cart = await Cart.get(quote_id="7")
    now = shop.runtime.now()
    row = await Conversation.create(
        id=uuid.uuid4(), store_id=shop.store.id, cart=cart, link_jti="j", language="en", created_at=now, expires_at=now
    )
    turn = await Turn.create(
        conversation=row, client_id=uuid.uuid4(), status="done", finish="fallback", question=f"I am {ADDRESS}",
        answer="Thirty days.", answered_by="built-in", model="model-a", input_tokens=1000, output_tokens=20,
        cost_micros=2200, first_text_ms=900, total_ms=1500, fallback_cause=cause, fallback_detail="HTTP 429",
        asked_at=now,
    )  # fmt: skip
    await WithheldSentence.create(turn=turn, sentence="It is only €9 today.", kind="price", claim="€9")
    return row


async def test_a_conversation_tells_why_the_model_did_not_answer(shop: Shop) -> None:
    row = await failed_turn(shop)
    (listed,) = await talks.latest(10)
    assert (listed["turns"], listed["failed"], listed["tokens"], listed["cost"]) == (1, 1, 1020, 0.0022)
    told = await talks.one(str(row.id))
    (turn,) = told["turns"]
    assert (turn["model_failed"], turn["cost"]) == ("no credit", 0.0022)
    assert "Add credit" in turn["advice"]
    assert turn["withheld"][0]["sentence"] == "It is only €9 today."
    assert ADDRESS not in str(told) + str(listed)


async def test_who_asked_for_a_person_is_seen(shop: Shop) -> None:
    row = await failed_turn(shop)
    assert not [f for f in await doctor_use.examine_assistant(shop.runtime.now()) if "asked for a person" in f.words]
    await Conversation.filter(id=row.id).update(waiting_since=shop.runtime.now(), waiting_address=ADDRESS)
    (listed,) = await talks.latest(10)
    told = await talks.one(str(row.id))
    assert listed["waiting_since"] == told["waiting_since"] == shop.runtime.now()
    assert told["waiting_address"] == "a***@example.com"
    found = [f for f in await doctor_use.examine_assistant(shop.runtime.now()) if "asked for a person" in f.words]
    assert [f.words for f in found] == ["1 customer asked for a person in 30 days"]


@pytest.mark.parametrize("name", ["", "x", "00000000-0000-0000-0000-000000000000", "'; DROP TABLE turn"])
async def test_no_such_conversation(shop: Shop, name: str) -> None:
    with pytest.raises(NotFound, match="no conversation"):
        await talks.one(name)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("key_refused", "key refused"),
        ("no_credit", "no credit"),
        ("model_unknown", "model unknown"),
        ("not_reachable", "not reachable from here"),
        ("too_slow", "too slow"),
        ("budget", "token budget used up"),
    ],
)
async def test_the_doctor_says_it_in_words(shop: Shop, cause: str, words: str) -> None:
    await failed_turn(shop, cause)
    found = [
        f for f in await doctor_use.examine_assistant(shop.runtime.now()) if f.state == "wrong" and words in f.words
    ]
    assert len(found) == 1
    assert found[0].fix


async def test_the_command_line_shows_it(shop: Shop) -> None:
    row = await failed_turn(shop)
    settings = shop.runtime.settings
    environment = os.environ | {
        "DATABASE_URL": str(settings.database_url), "REDIS_URL": str(settings.redis_url),
        "CARTBACK_SECRET_KEY": SECRET_KEY,
    }  # fmt: skip

    def command(*words: str) -> str:
        run = [sys.executable, "-m", "recovery.cli", "conversations", *words]
        return subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout

    await Conversation.filter(id=row.id).update(waiting_since=row.created_at, waiting_address=ADDRESS)
    assert str(row.id) in command("list")
    assert json.loads(command("list", "--json"))[0]["waiting_since"] == row.created_at.isoformat()
    told = command("show", str(row.id))
    assert "model-a did not answer: no credit (HTTP 429)" in told
    assert "; answer to a***@example.com" in told
    assert "not shown (price): It is only €9 today." in told
    assert ADDRESS not in told
    assert json.loads(command("show", str(row.id), "--json"))["turns"][0]["output_tokens"] == 20
