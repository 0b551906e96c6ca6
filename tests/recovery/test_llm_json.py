"""Structured answers of language models: validated, tried once more at most, and never half used."""

import logging
import time

import pytest
from pydantic import BaseModel, ConfigDict, Field

from recovery.llm import (
    BATCH,
    Cause,
    Llm,
    LlmCut,
    LlmUnavailable,
    ModelProfile,
)
from recovery.llm_wire import strict_schema
from tests.llm_server import HTML, KEY, LlmServer, Reply, refuses, says
from tests.recovery.llm_calls import CANARY, QUICK, SLACK, anything_said, ask


class Size(BaseModel):
    model_config = ConfigDict(extra="forbid")

    label: str = Field(max_length=3)
    certain: bool = False


class Judgement(BaseModel):
    score: float = Field(ge=0, le=1)
    reason: str = Field(max_length=40)
    sizes: list[Size] = []
    note: str | None = None


async def test_a_structured_answer_is_validated(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    text = '{"score": 0.5, "reason": "a\\u0000b", "sizes": [{"label": "XL", "certain": true}], "note": null}'
    llm_server.script(Reply((text,)))
    completed = await llm.complete_json(profile, ask(), Judgement, QUICK)
    assert completed.value == Judgement(score=0.5, reason="ab", sizes=[Size(label="XL", certain=True)])
    assert completed.usage is not None
    form = llm_server.asked[0].body["response_format"]["json_schema"]
    assert (form["name"], form["strict"]) == ("Judgement", True)
    assert llm_server.asked[0].body["stream"] is False


def test_a_strict_schema_keeps_only_what_every_server_enforces() -> None:
    assert strict_schema(Judgement) == {
        "type": "object",
        "properties": {
            "score": {"type": "number"},
            "reason": {"type": "string"},
            "sizes": {"type": "array", "items": {"$ref": "#/$defs/Size"}},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["score", "reason", "sizes", "note"],
        "additionalProperties": False,
        "$defs": {
            "Size": {
                "type": "object",
                "properties": {"label": {"type": "string"}, "certain": {"type": "boolean"}},
                "required": ["label", "certain"],
                "additionalProperties": False,
            }
        },
    }


UNUSABLE = {
    "not the schema": (Reply(('{"score": 7, "reason": "canary-answer"}',)), Cause.BROKEN),
    "not JSON": (says("canary-answer as prose"), Cause.BROKEN),
    "html": (HTML, Cause.BROKEN),
    "bad json": (Reply(("{}",), fault="bad_json"), Cause.BROKEN),
    "bad utf-8": (Reply(("{}",), fault="bad_utf8"), Cause.BROKEN),
    "cut": (Reply(("{}",), fault="cut"), Cause.BROKEN),
    "an error with 200": (Reply(body=b'{"error":{"code":"server_error"}}'), Cause.SERVER_FAILS),
    "no choices": (Reply(body=b'{"choices":[]}'), Cause.BROKEN),
    "hang": (Reply(fault="hang"), Cause.TOO_SLOW),
    "401": (refuses(401), Cause.KEY_REFUSED),
    "500": (refuses(500), Cause.SERVER_FAILS),
}


@pytest.mark.parametrize("name", UNUSABLE)
async def test_an_unusable_structured_answer(
    name: str, llm: Llm, llm_server: LlmServer, profile: ModelProfile, caplog: pytest.LogCaptureFixture
) -> None:
    reply, cause = UNUSABLE[name]
    llm_server.script(reply)
    with caplog.at_level(logging.DEBUG), pytest.raises(LlmUnavailable) as caught:
        await llm.complete_json(profile, ask(), Judgement, QUICK, retries=0)
    assert caught.value.cause is cause
    for secret in (KEY, CANARY, "canary-answer"):
        assert secret not in anything_said(caught.value) + caplog.text


@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_a_cut_structured_answer(finish: str, llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(Reply(('{"score": 0.5, "reason": "x", "sizes": [], "note": null}',), finish=finish))
    with pytest.raises(LlmCut):
        await llm.complete_json(profile, ask(), Judgement, QUICK)
    assert len(llm_server.asked) == 1


async def test_a_passing_fault_is_tried_once_more(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    good = Reply(('{"score": 0.5, "reason": "x", "sizes": [], "note": null}',))
    llm_server.script(refuses(429, retry_after="0"), good, refuses(500), refuses(500), good)
    assert (await llm.complete_json(profile, ask(), Judgement, BATCH)).value.score == 0.5
    with pytest.raises(LlmUnavailable, match="its server fails"):
        await llm.complete_json(profile, ask(), Judgement, BATCH)
    assert len(llm_server.asked) == 4


async def test_an_answer_that_was_paid_for_is_not_asked_for_again(
    llm: Llm, llm_server: LlmServer, profile: ModelProfile
) -> None:
    llm_server.script(says("prose"))
    with pytest.raises(LlmUnavailable, match="not the JSON of Judgement"):
        await llm.complete_json(profile, ask(), Judgement, BATCH)
    assert len(llm_server.asked) == 1


async def test_nobody_waits_for_a_long_retry_after(llm: Llm, llm_server: LlmServer, profile: ModelProfile) -> None:
    llm_server.script(refuses(429, retry_after="60"))
    started = time.monotonic()
    with pytest.raises(LlmUnavailable, match="too many requests"):
        await llm.complete_json(profile, ask(), Judgement, BATCH)
    assert time.monotonic() - started < SLACK
    assert len(llm_server.asked) == 1
