"""However a model breaks, the customer gets a whole built-in answer or a part that is marked as cut, in time."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from recovery.runtime import Runtime
from tests.chatbot.conftest import Node, StartNode
from tests.chatbot.model_shop import PATIENT, SLACK, answered, make_model_shop, talk
from tests.llm_server import HTML, LlmServer, LlmThread, Reply, refuses, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "Can I send it back?"
BUILT_IN = "30 days"
WHOLE = "The hood fits over a helmet. "

BEFORE = {
    "429": (refuses(429, "rate_limit_exceeded"), "too_many"),
    "429 for a minute": (refuses(429, "rate_limit_exceeded", retry_after="60"), "too_many"),
    "no credit": (refuses(429, "insufficient_quota"), "no_credit"),
    "401": (refuses(401, "invalid_api_key"), "key_refused"),
    "404": (refuses(404, "model_not_found"), "model_unknown"),
    "500": (refuses(500), "server_fails"),
    "hang": (Reply(fault="hang"), "too_slow"),
    "html": (HTML, "broken"),
    "cut": (Reply(("The hood",), fault="cut", after=1), "broken"),
    "clean cut": (Reply(("The hood",), fault="clean_cut", after=1), "broken"),
    "stall": (Reply(fault="stall"), "too_slow"),
    "comments": (Reply(fault="comments"), "too_slow"),
    "bad json": (Reply(fault="bad_json"), "broken"),
    "bad utf-8": (Reply(fault="bad_utf8"), "broken"),
    "error event": (Reply(fault="error_event"), "server_fails"),
    "length": (Reply((), finish="length"), "broken"),
    "nothing": (Reply(()), "broken"),
}
AFTER = {
    "cut": (Reply((WHOLE, "It", " is"), fault="cut", after=3), "broken"),
    "clean cut": (Reply((WHOLE, "It", " is"), fault="clean_cut", after=3), "broken"),
    "short": (Reply((WHOLE, "It"), fault="short", after=2), "broken"),
    "stall": (Reply((WHOLE, "It"), fault="stall", after=2), "too_slow"),
    "comments": (Reply((WHOLE, "It"), fault="comments", after=2), "too_slow"),
    "bad json": (Reply((WHOLE, "It"), fault="bad_json", after=2), "broken"),
    "bad utf-8": (Reply((WHOLE, "It"), fault="bad_utf8", after=2), "broken"),
    "error event": (Reply((WHOLE, "It"), fault="error_event", after=2), "server_fails"),
    "length": (Reply((WHOLE, "It is"), finish="length"), "broken"),
}


@pytest.fixture(scope="module")
def model() -> Iterator[LlmServer]:
    """This module's model server."""
    with LlmThread() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def patient(start_node: StartNode) -> AsyncIterator[Node]:
    """A node whose customers wait for a second."""
    async with start_node(PATIENT) as started:
        yield started


@pytest.mark.parametrize("name", BEFORE)
async def test_before_the_first_text_the_built_in_assistant_answers(
    name: str, patient: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    reply, cause = BEFORE[name]
    # A model of its own for each fault, or the breaker would rest after five of them.
    model.models, own = ("model-a", name), {"ai_model": name}
    model.script(reply)
    shop = await make_model_shop(runtime, model, **own)
    async with talk(patient, shop) as client:
        began = time.monotonic()
        got = await answered(client, QUESTION)
    assert time.monotonic() - began < PATIENT.first_text_seconds + SLACK
    assert (got.finish, got.row.finish) == ("fallback", "fallback")
    assert BUILT_IN in got.text
    assert "hood" not in got.text
    assert (got.row.answered_by, got.row.model, got.row.fallback_cause) == ("built-in", name, cause)
    assert got.row.first_text_ms is not None


@pytest.mark.parametrize("name", AFTER)
async def test_after_it_the_answer_is_marked_as_cut_and_can_be_asked_anew(
    name: str, patient: Node, runtime: Runtime, empty: None, model: LlmServer
) -> None:
    reply, cause = AFTER[name]
    model.models, own = ("model-a", name), {"ai_model": name}
    model.script(reply, says("It fits over a helmet."))
    shop = await make_model_shop(runtime, model, **own)
    async with talk(patient, shop) as client:
        began = time.monotonic()
        got = await answered(client, QUESTION)
        assert time.monotonic() - began < PATIENT.first_text_seconds + PATIENT.next_text_seconds + SLACK
        assert (got.finish, got.row.fallback_cause, got.row.answered_by) == ("cut", cause, name)
        assert got.text.startswith(WHOLE.strip())
        assert got.cards == []
        await client.send(t="retry", turn=str(got.row.client_id))
        again = await client.until("ok")
        await client.until_done(again["id"])
    assert client.seen.texts[again["id"]] == "It fits over a helmet."
    assert client.seen.finished[again["id"]]["finish"] == "stop"


async def test_a_dead_model_is_left_alone(patient: Node, runtime: Runtime, empty: None, model: LlmServer) -> None:
    model.models, model.behaviour = ("dead",), lambda _: refuses(500)
    shop = await make_model_shop(runtime, model, ai_model="dead")
    asked = len(model.asked)
    async with talk(patient, shop) as client:
        for _ in range(8):
            got = await answered(client, QUESTION)
            assert got.finish == "fallback"
            assert BUILT_IN in got.text
    assert len(model.asked) - asked == 5
    assert got.row.fallback_cause == "resting"
