"""The port to language models against a server on a real socket: what works, and who walks away."""

import asyncio
import os
import time
from decimal import Decimal

import pytest

from recovery.llm import (
    CHAT,
    Cause,
    Deadlines,
    Llm,
    LlmUnavailable,
    Message,
    ModelProfile,
    Request,
    ToolCall,
    Usage,
    profile_of,
)
from recovery.llm_breaker import Breaker
from recovery.llm_wire import Dialect
from recovery.secrets import Vault
from recovery.store_settings import StoreSettings, merge, seal_secrets
from tests.llm_server import KEY, MODEL, LlmServer, Reply, refuses, says
from tests.recovery.llm_calls import QUICK, SEARCH, SLACK, Search, ask, collect

VAULT = Vault(["a-secret-key-that-only-tests-would-use"])


async def test_text_streams_and_is_whole(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(says("Take size 43, 👩‍🔧 żółw."))
    stream, pieces = await collect(llm, profile)
    assert pieces == ["Take ", "size ", "43, ", "👩‍🔧 ", "żółw."]
    assert (stream.text, stream.finish) == ("Take size 43, 👩‍🔧 żółw.", "stop")
    assert stream.usage is not None
    assert stream.usage.output == 5


async def test_pieces_come_as_they_are_sent(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(says("one two three", pause=0.15))
    arrivals = []
    async with llm.stream_chat(profile, ask(), QUICK) as stream:
        async for _ in stream:
            arrivals.append(time.monotonic())
    assert arrivals[1] - arrivals[0] > 0.1
    assert arrivals[2] - arrivals[1] > 0.1


async def test_the_request_is_what_a_server_expects(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(Reply(calls=(("search_products", '{"query": "wool socks"}'),)), says("Here."))
    _, pieces = await collect(llm, profile, ask("socks?", SEARCH))
    call = ToolCall("call-0", "search_products", '{"query": "wool socks"}')
    assert pieces == [call]
    history = (*ask("socks?").messages, Message("assistant", "", (call,)), Message("tool", "[]", call_id=call.id))
    stream, _ = await collect(llm, profile, Request(history, (SEARCH,)))
    assert stream.text == "Here."
    first, second = (asked.body for asked in llm_server.asked)
    assert first["max_tokens"] == 100
    assert first["stream_options"] == {"include_usage": True}
    assert "store" not in first  # not every server knows it
    assert first["tools"][0]["function"]["parameters"]["required"] == ["query"]
    assert second["messages"][2]["tool_calls"][0]["function"] == {"name": call.name, "arguments": call.arguments}
    assert second["messages"][3] == {"role": "tool", "content": "[]", "tool_call_id": "call-0"}
    assert llm_server.asked[0].headers["authorization"] == f"Bearer {KEY}"


async def test_several_tool_calls_come_whole_and_in_order(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(Reply(("Let me look.",), calls=(("search_products", '{"query":"a b"}'), ("get_cart", "{}"))))
    stream, pieces = await collect(llm, profile, ask("both", SEARCH))
    assert [piece.name for piece in pieces if isinstance(piece, ToolCall)] == ["search_products", "get_cart"]
    assert (stream.text, stream.finish) == ("Let me look.", "tool_calls")


async def test_the_limit_of_tokens_is_told_apart(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(says("half an", finish="length"))
    stream, _ = await collect(llm, profile)
    assert (stream.text, stream.finish) == ("half an", "length")


async def test_without_counted_tokens_usage_is_none(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(says("yes", usage=False))
    stream, _ = await collect(llm, profile)
    assert stream.usage is None


async def test_an_answer_whose_end_was_seen_is_whole_whatever_follows(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(says("all of it", fault="no_done"))
    stream, _ = await collect(llm, profile)
    assert (stream.text, stream.finish, stream.usage) == ("all of it", "stop", None)


async def test_a_connection_is_used_again(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    for _ in range(3):
        await collect(llm, profile)
    assert (len(llm_server.asked), llm_server.connections) == (3, 1)


async def test_what_no_database_can_keep_is_dropped(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(Reply(("a\x00b ", "c\U000e0041d\n")))
    stream, _ = await collect(llm, profile)
    assert stream.text == "ab cd\n"


async def test_without_a_key_no_key_is_sent(llm: Llm, llm_server: LlmServer) -> None:
    llm_server.key = None
    await collect(llm, ModelProfile(llm_server.base_url, MODEL))
    assert "authorization" not in llm_server.asked[0].headers


async def test_nothing_of_the_environment_goes_to_the_server(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "OPENAI_ORG_ID", "org-of-somebody")
    monkeypatch.setitem(os.environ, "OPENAI_PROJECT_ID", "project-of-somebody")
    monkeypatch.setitem(os.environ, "OPENAI_API_KEY", "sk-of-somebody")
    await collect(llm, profile)
    assert "somebody" not in str(llm_server.asked[0].headers)


async def test_fields_that_a_server_refuses_are_left_out_and_remembered(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.unknown_fields = ("stream_options", "max_tokens")
    for _ in range(2):
        stream, _ = await collect(llm, profile)
        assert stream.finish == "stop"
    assert len(llm_server.asked) == 4  # twice refused, then twice understood
    assert "max_completion_tokens" in llm_server.asked[3].body


async def test_a_server_that_refuses_every_dialect_is_not_asked_for_ever(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.unknown_fields = ("max_completion_tokens", "max_tokens")
    with pytest.raises(LlmUnavailable, match="request refused"):
        await collect(llm, profile)
    assert len(llm_server.asked) == 2


def test_openai_itself_is_told_not_to_store() -> None:
    assert ModelProfile("https://api.openai.com/v1", "m").dialect == Dialect("max_completion_tokens", store=True)
    assert ModelProfile("https://eu.api.openai.com/v1", "m").dialect.store
    assert ModelProfile("https://api.openai.com.example.org/v1", "m").dialect == Dialect()


# Who is slow, and who walks away


async def test_the_time_a_consumer_takes_is_not_the_models(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(says("one two three", pause=0.1))
    async with llm.stream_chat(profile, ask(), QUICK) as stream:
        assert await anext(stream) == "one "
        await asyncio.sleep(QUICK.first)
        assert [piece async for piece in stream] == ["two ", "three"]


async def test_leaving_closes_the_connection(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(says("one two", fault="stall", after=1), says("one two", fault="stall", after=1))
    async with llm.stream_chat(profile, ask(), CHAT) as stream:
        assert await anext(stream) == "one "
    assert await asyncio.to_thread(llm_server.asked[0].hung_up.wait, 2)

    async def consume() -> None:
        async with llm.stream_chat(profile, ask(), CHAT) as stream:
            async for _ in stream:
                began.set()

    began = asyncio.Event()
    task = asyncio.create_task(consume())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(llm_server.asked[1].hung_up.wait, 2)


async def test_cancelling_before_the_answer_closes_the_connection(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(Reply(fault="hang"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), llm.stream_chat(profile, ask(), CHAT):
            raise AssertionError("unreachable")
    assert await asyncio.to_thread(llm_server.asked[0].hung_up.wait, 2)


# The breaker, the check, the price


def test_a_breaker_opens_probes_and_closes() -> None:
    breaker = Breaker(failures=3, pause=10, longest=35)
    for _ in range(3):
        assert breaker.wait(100) == 0
        breaker.failed(100)
    assert breaker.wait(104) == 6
    assert breaker.wait(110) == 0  # one probe
    assert breaker.wait(110) == 20  # and nobody else meanwhile
    breaker.failed(111)
    assert breaker.wait(130) == 1
    assert breaker.wait(131) == 0  # a probe that never reports back
    assert breaker.wait(166) == 0  # costs one pause, the longest there is
    breaker.succeeded()
    assert breaker.wait(166) == 0
    breaker.failed(166)
    assert breaker.wait(166) == 0


async def test_a_dead_model_is_left_alone_and_tried_again(llm_server: LlmServer, profile: ModelProfile) -> None:
    seconds = [1000.0]
    llm = Llm(lambda: seconds[0])
    try:
        llm_server.script(*[refuses(500)] * 6, says("back"))
        for _ in range(5):
            with pytest.raises(LlmUnavailable, match="its server fails"):
                await collect(llm, profile)
        with pytest.raises(LlmUnavailable, match="tried again in 15 s") as caught:
            await collect(llm, profile)
        assert caught.value.cause is Cause.RESTING
        assert len(llm_server.asked) == 5
        seconds[0] += 15
        with pytest.raises(LlmUnavailable, match="its server fails"):
            await collect(llm, profile)
        seconds[0] += 29
        with pytest.raises(LlmUnavailable, match="left alone"):
            await llm.complete_json(profile, ask(), Search)
        seconds[0] += 1
        assert (await collect(llm, profile))[0].text == "back"
        assert (await collect(llm, profile))[0].finish == "stop"
        other = ModelProfile(llm_server.base_url, MODEL, "sk-another")
        with pytest.raises(LlmUnavailable, match="key refused"):
            await collect(llm, other)
    finally:
        await llm.close()


async def test_a_refused_request_says_nothing_about_the_model(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(*[refuses(400)] * 8)
    for _ in range(8):
        with pytest.raises(LlmUnavailable, match="request refused"):
            await collect(llm, profile)


async def test_the_check_says_how_it_is(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    checked = await llm.check(profile)
    assert 0 < checked.seconds < SLACK
    assert checked.usage is not None
    llm_server.script(Reply((), finish="length"))  # a model that only thinks is there all the same
    assert (await llm.check(profile)).usage is not None
    for _ in range(7):  # whatever the breaker would say
        llm_server.script(refuses(402, "", "Insufficient Balance"))
        with pytest.raises(LlmUnavailable, match="no credit") as caught:
            await llm.check(profile)
        assert caught.value.told == "Insufficient Balance"


def test_a_cost_needs_both_prices() -> None:
    priced = ModelProfile("http://x", "m", None, Decimal("0.15"), Decimal("0.60"))
    assert priced.cost(Usage(1_000_000, 500_000)) == Decimal("0.45")
    assert ModelProfile("http://x", "m", None, Decimal("0.15")).cost(Usage(1, 1)) is None


def test_the_estimate_is_a_third_of_the_characters_and_the_longest_answer() -> None:
    small = Request((Message("user", "x" * 300),), max_tokens=50)
    assert 150 <= small.estimate <= 165
    with_tool = Request(small.messages, (SEARCH,), max_tokens=50)
    assert with_tool.estimate > small.estimate + 30


async def test_two_hundred_streams_at_once_are_each_their_own(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    patient = Deadlines(connect=5, first=10, between=10, total=20)

    async def one(number: int) -> str:
        async with llm.stream_chat(profile, ask(f"SAY: answer {number}"), patient) as stream:
            async for _ in stream:
                pass
        return stream.text

    assert await asyncio.gather(*map(one, range(200))) == [f"answer {number}" for number in range(200)]


def chosen(**changes: object) -> StoreSettings:
    return merge({}, seal_secrets(VAULT, changes), {})[1]


def test_the_port_gets_what_was_set() -> None:
    everything = chosen(ai_provider="openai", ai_model="m", ai_api_key=KEY, ai_input_price=0.1, ai_output_price=2)
    profile = profile_of(everything, VAULT)
    assert profile is not None
    assert (profile.base_url, profile.model, profile.api_key) == ("https://api.openai.com/v1", "m", KEY)
    assert (profile.input_price, profile.output_price) == (Decimal("0.1"), Decimal("2.0"))
    assert KEY not in repr(profile)
    assert profile_of(chosen(ai_model="m", ai_api_key=KEY), VAULT) is None
    assert profile_of(chosen(ai_provider="openai"), VAULT) is None
    keyless = profile_of(chosen(ai_provider="openai", ai_model="m"), VAULT)
    assert keyless is not None
    assert keyless.api_key is None
