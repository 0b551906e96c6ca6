"""Every way in which a model's server breaks: the cause in words, in time, with the partial text, without the key."""

import logging
import time

import pytest

from recovery.llm import (
    Cause,
    Llm,
    LlmCut,
    LlmUnavailable,
    ModelProfile,
)
from tests.llm_server import HTML, KEY, MODEL, LlmServer, Reply, refuses, says
from tests.recovery.llm_calls import CANARY, QUICK, SEARCH, SLACK, anything_said, ask, collect, read_into

# What fails before the first piece

BEFORE = {
    "401": (refuses(401, "invalid_api_key"), Cause.KEY_REFUSED),
    "403": (refuses(403), Cause.KEY_REFUSED),
    "402": (refuses(402), Cause.NO_CREDIT),
    "429 without quota": (refuses(429, "insufficient_quota"), Cause.NO_CREDIT),
    "400 without credit": (refuses(400, "", "Your credit balance is too low"), Cause.NO_CREDIT),
    "404 model": (refuses(404, "model_not_found"), Cause.MODEL_UNKNOWN),
    "400 model": (refuses(400, "", "Model Not Exist"), Cause.MODEL_UNKNOWN),
    "403 model": (refuses(403, "model_not_found"), Cause.MODEL_UNKNOWN),
    "404 address": (refuses(404, "", "Invalid URL (POST /chat/completions)"), Cause.NOT_REACHABLE),
    "404 page": (Reply(status=404, body=b"<html>nginx</html>"), Cause.NOT_REACHABLE),
    "403 country": (refuses(403, "unsupported_country_region_territory"), Cause.NOT_REACHABLE),
    "302": (Reply(status=302, headers={"location": "http://127.0.0.1:1/"}, body=b""), Cause.NOT_REACHABLE),
    "429": (refuses(429, "rate_limit_exceeded"), Cause.TOO_MANY),
    "429 for a minute": (refuses(429, "rate_limit_exceeded", retry_after="60"), Cause.TOO_MANY),
    "400": (refuses(400, "context_length_exceeded"), Cause.REQUEST_REFUSED),
    "500": (refuses(500), Cause.SERVER_FAILS),
    "503 page": (Reply(status=503, body=b"<html>down</html>"), Cause.SERVER_FAILS),
    "500 that is no text": (Reply(status=500, body=b"\xff\xfe\x00"), Cause.SERVER_FAILS),
    "html": (HTML, Cause.BROKEN),
    "not a stream": (Reply(body=b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}'), Cause.BROKEN),
    "an error with 200": (Reply(body=b'data: {"error":{"message":"overloaded"}}\n\n'), Cause.SERVER_FAILS),
    "hang": (Reply(fault="hang"), Cause.TOO_SLOW),
    "stall": (Reply(("x",), fault="stall"), Cause.TOO_SLOW),
    "comments": (Reply(("x",), fault="comments"), Cause.TOO_SLOW),
    "cut": (Reply(("x",), fault="cut"), Cause.BROKEN),
    "bad json": (Reply(("x",), fault="bad_json"), Cause.BROKEN),
    "bad utf-8": (Reply(("x",), fault="bad_utf8"), Cause.BROKEN),
    "error event": (Reply(("x",), fault="error_event"), Cause.SERVER_FAILS),
    "nothing said": (Reply(()), Cause.BROKEN),
}


@pytest.mark.parametrize("name", BEFORE)
async def test_a_fault_before_the_first_piece(
    name: str, llm: Llm, llm_server: LlmServer, profile: ModelProfile, caplog: pytest.LogCaptureFixture
) -> None:
    reply, cause = BEFORE[name]
    llm_server.script(reply)
    started = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(LlmUnavailable) as caught:
        await collect(llm, profile)
    assert time.monotonic() - started < QUICK.first + SLACK
    assert caught.value.cause is cause
    assert str(caught.value).startswith(cause.value)
    assert cause.advice
    assert len(llm_server.asked) == 1  # never asked again
    for secret in (KEY, CANARY):
        assert secret not in anything_said(caught.value) + caplog.text


async def test_a_server_that_is_not_there(llm: Llm) -> None:
    with pytest.raises(LlmUnavailable) as caught:
        await collect(llm, ModelProfile("http://127.0.0.1:1/v1", MODEL, KEY))
    assert caught.value.cause is Cause.NOT_REACHABLE
    with pytest.raises(LlmUnavailable, match="not reachable"):
        await collect(llm, ModelProfile("http://model.invalid/v1", MODEL, KEY))


async def test_a_key_that_the_server_repeats_is_told_to_nobody(llm: Llm, llm_server: LlmServer) -> None:
    wrong = ModelProfile(llm_server.base_url, MODEL, "sk-another-canary-0000")
    with pytest.raises(LlmUnavailable, match="key refused: HTTP 401 invalid_api_key") as caught:
        await llm.check(wrong)
    assert caught.value.told == "Incorrect API key: Bearer ***"
    assert "another-canary" not in anything_said(caught.value) + repr(wrong)


async def test_a_request_shows_nothing_of_its_texts() -> None:
    assert CANARY not in repr(ask())


# What fails within the answer

WITHIN = {
    "cut": ("cut", Cause.BROKEN),
    "clean_cut": ("clean_cut", Cause.BROKEN),
    "short": ("short", Cause.BROKEN),
    "stall": ("stall", Cause.TOO_SLOW),
    "comments": ("comments", Cause.TOO_SLOW),
    "bad_json": ("bad_json", Cause.BROKEN),
    "bad_utf8": ("bad_utf8", Cause.BROKEN),
    "error_event": ("error_event", Cause.SERVER_FAILS),
}


@pytest.mark.parametrize("name", WITHIN)
async def test_a_fault_within_the_answer_leaves_the_partial_text(
    name: str, llm: Llm, llm_server: LlmServer, profile: ModelProfile, caplog: pytest.LogCaptureFixture
) -> None:
    fault, cause = WITHIN[name]
    llm_server.script(says("canary-answer one two three four", fault=fault, after=3))
    pieces: list[object] = []
    started = time.monotonic()
    with caplog.at_level(logging.DEBUG):
        async with llm.stream_chat(profile, ask(), QUICK) as stream:
            with pytest.raises(LlmCut) as caught:
                await read_into(pieces, stream)
    assert time.monotonic() - started < QUICK.first + QUICK.between + SLACK
    assert caught.value.cause is cause
    assert "".join(map(str, pieces)) == caught.value.partial == "canary-answer one two "
    assert stream.finish is None
    for secret in (KEY, CANARY, "canary-answer"):
        assert secret not in anything_said(caught.value) + caplog.text


@pytest.mark.parametrize(("finish", "cause"), [("content_filter", Cause.FILTERED), ("banana", Cause.BROKEN)])
async def test_a_finish_that_is_not_understood_is_a_cut(
    finish: str, cause: Cause, llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(says("so far", finish=finish))
    with pytest.raises(LlmCut) as caught:
        await collect(llm, profile)
    assert (caught.value.cause, caught.value.partial) == (cause, "so far")


async def test_a_cut_before_any_text_without_a_finish_is_a_cut(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(Reply(("x",), fault="clean_cut"))
    with pytest.raises(LlmCut) as caught:
        await collect(llm, profile)
    assert caught.value.partial == ""


async def test_half_a_tool_call_is_none(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    call = (("search_products", '{"query": "wool"}'),)
    llm_server.script(Reply(calls=call, fault="clean_cut"), Reply(calls=call, finish="length"))
    with pytest.raises(LlmCut):
        await collect(llm, profile, ask("x", SEARCH))
    _, pieces = await collect(llm, profile, ask("x", SEARCH))
    assert pieces == []


async def test_an_answer_without_an_end_ends_at_the_total(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(says("word " * 500, pause=0.05))
    started = time.monotonic()
    with pytest.raises(LlmCut, match="too slow") as caught:
        await collect(llm, profile)
    assert QUICK.total <= time.monotonic() - started < QUICK.total + SLACK
    assert len(caught.value.partial) > 50


async def test_an_answer_that_is_far_too_long_is_cut(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(Reply(("x" * 150_000,) * 3))
    with pytest.raises(LlmCut, match="without an end"):
        await collect(llm, profile)
