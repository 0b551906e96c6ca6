"""The chosen model answers over the socket: rounds and tools, what it is told, what it costs, how it ends."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from chatbot import turns
from chatbot.conversations import open_session
from chatbot.models import Turn
from recovery import budgets
from recovery.models import CartItem, LlmBudget, LlmReservation, Policy, Product
from recovery.runtime import Runtime
from recovery.stores.registry import save_settings
from tests.chatbot.conftest import Node, StartNode, wait_until
from tests.chatbot.model_shop import PATIENT, Answered, another_talk, answered, choose, ended, make_model_shop, talk
from tests.chatbot.rows import EMAIL, Shop, make_shop
from tests.chatbot.test_faults import SHORT
from tests.llm_server import KEY, Asked, LlmServer, LlmThread, Reply, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Where time plays no part.
CALM = replace(PATIENT, first_text_seconds=8, next_text_seconds=8, turn_seconds=20)
HOOD = "The hood fits over a helmet."


@pytest.fixture
def model() -> Iterator[LlmServer]:
    """This test's model server."""
    with LlmThread() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def calm(start_node: StartNode) -> AsyncIterator[Node]:
    """A node of this module."""
    async with start_node(CALM) as started:
        yield started


async def test_the_answer_streams_and_its_row_tells_what_it_cost(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    shop = await make_model_shop(runtime, model, ai_input_price=2.0, ai_output_price=10.0)
    model.script(says(f"{HOOD} It is made of recycled polyamide. [[p:1]]", pause=0.02))
    async with talk(calm, shop) as client:
        got = await answered(client, "Does it fit over a helmet?")
    assert got.text == f"{HOOD} It is made of recycled polyamide."
    assert sum(frame["t"] == "d" for frame in client.frames) >= 2
    assert [card["id"] for card in got.cards] == ["hala-moss-m"]
    row = got.row
    assert (got.finish, row.answered_by, row.model, row.fallback_cause) == ("stop", "model-a", "model-a", None)
    assert row.input_tokens is not None
    assert row.output_tokens is not None
    assert row.cost_micros == 2 * row.input_tokens + 10 * row.output_tokens
    assert row.first_text_ms is not None
    assert row.total_ms is not None
    assert 0 <= row.first_text_ms <= row.total_ms
    for budget in await LlmBudget.all():
        assert (budget.used, budget.reserved) == (row.input_tokens + row.output_tokens, 0)


def calls(*wanted: tuple[str, str]) -> Reply:
    """An answer that asks for tools."""
    return Reply(calls=wanted)


def results(asked: Asked) -> list[dict[str, object]]:
    """What the tools answered in a request."""
    return [json.loads(m["content"]) for m in asked.body["messages"] if m["role"] == "tool"]


async def test_tools_answer_from_the_database(calm: Node, runtime: Runtime, empty: None, model: LlmServer) -> None:
    shop = await make_model_shop(runtime, model)
    model.script(
        calls(("search_products", '{"query": "care kit"}'), ("get_cart", "{}")),
        calls(("get_policy", '{"kind": "returns"}'), ("compare_products", '{"numbers": [1, 2]}')),
        says("The care kit goes with it. [[p:1]]"),
    )
    async with talk(calm, shop) as client:
        got = await answered(client, "What goes with it?")
    assert got.finish == "stop"
    found, cart, returns, compared = results(model.asked[-1])
    assert "Care kit" in json.dumps(found)
    assert "€239.00" in json.dumps(cart, ensure_ascii=False)
    assert "30 days" in json.dumps(returns)
    assert len(compared["products"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("empty_cart", "{}", "no such tool"),
        ("get_product", '{"n": 999}', "no product 999"),
        ("get_product", '{"n": "1"}', "do not fit"),
        ("get_product", '{"n": 1, "store": 2}', "do not fit"),
        ("search_products", "not json", "do not fit"),
        ("search_products", "", "do not fit"),
        ("compare_products", '{"numbers": [1]}', "do not fit"),
        ("get_policy", '{"kind": "secrets"}', "do not fit"),
    ],
)
async def test_a_wrong_call_is_answered_by_what_to_do(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer, name: str, arguments: str, words: str
) -> None:
    shop = await make_model_shop(runtime, model)
    model.script(calls((name, arguments)), says(HOOD))
    async with talk(calm, shop) as client:
        assert (await answered(client, "Hello?")).text == HOOD
    (result,) = results(model.asked[-1])
    assert words in str(result["error"])


async def test_a_model_that_only_asks_for_tools_is_given_up(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    shop = await make_model_shop(runtime, model)
    model.script(*[calls(("get_cart", "{}"))] * 5)
    async with talk(calm, shop) as client:
        got = await answered(client, "Can I send it back?")
    assert (got.finish, got.row.fallback_cause, len(model.asked)) == ("fallback", "broken", 4)
    assert "30 days" in got.text


async def test_an_unbacked_claim_is_not_shown_and_kept_for_the_admin(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    shop = await make_model_shop(runtime, model)
    model.script(says(f"{HOOD} Today it costs only €9.99 for you. See https://evil.example/x now."))
    async with talk(calm, shop) as client:
        got = await answered(client, "Price?")
    assert "9.99" not in got.text
    assert "evil" not in got.text
    assert got.text.startswith(HOOD)
    assert "€9.99" in " ".join(each.sentence for each in await got.withheld())


async def test_what_the_model_is_told_holds_no_personal_data(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    shop = await make_model_shop(runtime, model, conversation_prompt="Speak of {shop} in {language} like a guide.")
    other = await make_shop(runtime, name="other")
    await CartItem.filter(cart_id=other.cart.id).update(name="Foreign jacket")
    await Product.filter(store_id=other.store.id).update(description="Foreign words")
    shop.cart.customer_id, shop.cart.customer_group = "customer-canary", "group-canary"
    await shop.cart.save()
    model.script(says("Write to me at anna@example.com."), calls(("search_products", '{"query": "jacket"}')))
    async with talk(calm, shop) as client:
        await answered(client, "I am jan.kowalski@example.com, +48 600 100 200, card 4111 1111 1111 1111")
        await answered(client, "PL61 1090 1014 0000 0712 1981 2874 is my account. What jackets are there?")
    whole = json.dumps([asked.body for asked in model.asked], ensure_ascii=False)
    for canary in (
        EMAIL, "anna@", "Jan", "600 100", "4111", "1090", "canary", "Foreign", KEY, shop.token, shop.link.jti,
        shop.cart.quote_id, str(shop.cart.email_hash), "cart_url",
    ):  # fmt: skip
        assert canary not in whole, canary
    assert "Speak of Hala & Co. in English like a guide." in whole
    assert "[e-mail]" in whole
    assert len(model.asked) >= 3


async def test_a_changed_provider_takes_effect_with_the_next_question(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    shop = await make_shop(runtime)
    model.behaviour = lambda _: says(HOOD)
    async with talk(calm, shop) as client:
        assert (await answered(client, "Can I send it back?")).row.answered_by == "built-in"
        await choose(runtime, "demo-en/en", model)
        assert (await answered(client, "Does it fit?")).row.answered_by == "model-a"
        await save_settings(runtime.keys.vault, "demo-en/en", {"ai_provider": "heuristic"})
        last = await answered(client, "Can I send it back?")
        assert (last.row.answered_by, last.finish) == ("built-in", "stop")
    assert len(model.asked) == 1


async def test_a_cancelled_answer_hangs_up_and_settles(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    shop = await make_model_shop(runtime, model)
    model.script(Reply((f"{HOOD} ", "It is warm. ") * 200, pause=0.02))
    async with talk(calm, shop) as client:
        turn = await client.ask("Tell me everything")
        await client.until("d")
        await client.send(t="cancel", turn=turn)
        got = await ended(client, turn)
    assert got.finish == "cancelled"
    async with asyncio.timeout(3):
        await wait_until(model.asked[0].hung_up.is_set)
    assert await LlmReservation.all().count() == 0
    budget = await LlmBudget.get(key=f"conversation:{got.row.conversation_id}")
    assert (budget.reserved, budget.used > 0) == (0, True)
    assert got.row.input_tokens


async def test_parallel_talks_never_ask_more_than_the_budget_allows(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    """The store has 8,000 tokens left of its day; six customers ask at once."""
    left, customers = 8_000, 6
    shop = await make_model_shop(runtime, model)
    model.behaviour = lambda _: says(f"{HOOD} {HOOD}", pause=0.1)
    day = budgets.of_store(shop.store.id, runtime.now())
    await LlmBudget.create(key=day.key, cap=day.cap, used=day.cap - left, reserved=0, changed_at=runtime.now())
    talks = [shop, *[await another_talk(runtime, shop) for _ in range(customers - 1)]]

    async def one(mine: Shop) -> Answered:
        async with talk(calm, mine) as client:
            return await answered(client, "Can I send it back?")

    got = await asyncio.gather(*map(one, talks))
    needed = max(len(json.dumps(asked.body["messages"])) / 3 + asked.body["max_tokens"] for asked in model.asked)
    assert 1 <= len(model.asked) <= left / needed * 1.2 < customers
    assert [each.finish for each in got].count("fallback") == customers - len(model.asked)
    assert all("30 days" in each.text for each in got if each.finish == "fallback")
    row = await LlmBudget.get(key=day.key)
    assert row.used <= row.cap
    assert row.reserved == 0


async def test_a_used_up_budget_means_built_in_answers(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    shop = await make_model_shop(runtime, model)
    day = budgets.of_store(shop.store.id, runtime.now())
    await LlmBudget.create(key=day.key, cap=day.cap, used=day.cap, reserved=0, changed_at=runtime.now())
    async with talk(calm, shop) as client:
        got = await answered(client, "Can I send it back?")
    assert (got.finish, got.row.fallback_cause, got.row.fallback_detail) == ("fallback", "budget", "store")
    assert "30 days" in got.text
    assert model.asked == []


@pytest.mark.parametrize(("deaths", "by"), [(1, "model-a"), (2, "built-in")])
async def test_a_question_whose_producer_died_is_asked_once_more_of_the_model(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer, deaths: int, by: str
) -> None:
    shop = await make_model_shop(runtime, model)
    model.behaviour = lambda _: says(HOOD)
    opened = await open_session(runtime, shop.token, runtime.now())
    turn = uuid.uuid4()
    asked = await turns.ask(opened.conversation.id, turn, "Can I send it back?", SHORT, runtime.now())
    assert asked.id is not None
    await turns.claim(asked.id, opened.conversation.id, "one that died", SHORT, runtime.now())
    for _ in range(deaths - 1):
        await asyncio.sleep(SHORT.turn_lease_seconds + 0.05)
        await turns.take_over(asked.id, opened.conversation.id, "another that died", SHORT, runtime.now())
    await asyncio.sleep(SHORT.turn_lease_seconds + 0.05)
    assert await calm.chat.sweep_orphans() == 1
    for _ in range(160):
        row = await Turn.get(client_id=turn)
        if row.status == "done":
            break
        await asyncio.sleep(0.05)
    assert (row.answered_by, row.finish) == (by, "stop")


async def test_a_look_up_of_very_much_is_whole_json_all_the_same(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    shop = await make_model_shop(runtime, model)
    for number in range(12):
        await Policy.create(
            store=shop.store, key=f"faq-{number}", kind="faq", locale="en", title="Questions", text='"a" ' * 400,
            occurred_at=runtime.now(),
        )  # fmt: skip
    model.script(calls(("get_policy", '{"kind": "faq"}')), says(HOOD))
    async with talk(calm, shop) as client:
        assert (await answered(client, "What do others ask?")).text == HOOD
    (result,) = results(model.asked[-1])
    assert "shortened" in str(result["note"])
