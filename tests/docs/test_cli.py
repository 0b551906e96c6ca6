"""The JSON of the commands has the shape that docs/cli.md says."""

import asyncio
import json
import re
import sys
from dataclasses import fields
from typing import Any

import httpx2

from admin.findings import Finding
from recovery.demo.story import Step
from recovery.store_settings import StoreSettings
from tests.docs.conftest import Running
from tests.docs.pages import page
from tests.docs.test_hooks import examples
from tests.shop import signed_headers

CLI = page("docs/cli.md")


def keys(value: Any) -> set[str]:
    """The names in a document and in what its first list holds."""
    while isinstance(value, list):
        value = value[0]
    return set(value)


def told(command: str) -> set[str]:
    """The names that the page says are in the JSON of ``command``."""
    shape = CLI.section(f"`cartback {command}`").rows()["--json"][0]
    return set(re.findall(r'"(\w+)"', shape))


async def test_json_has_the_shape_that_is_told(running: Running) -> None:
    body = json.dumps(examples()[0]).encode()
    async with httpx2.AsyncClient() as client:
        await client.post(running.hook_url, content=body, headers=signed_headers(running.secret, body))

    async def document(*words: str) -> Any:
        return json.loads(await running.run(sys.executable, "-m", "recovery.cli", *words, "--json"))

    stores, settings, job, explain = await asyncio.gather(
        document("stores", "list"),
        document("settings", "list", "--store", "myshop/default"),
        document("send-emails", "--limit", "5"),
        document("explain", "4720"),
    )
    assert keys(stores) == told("stores list")
    assert keys(settings) == set(StoreSettings.model_fields)
    assert keys(job) == told("send-emails") == told("detect") == told("score")
    assert job["job"] == "email"
    assert keys(explain) == told("explain")
    assert explain[0]["customer"] == "a***@example.com"


def test_the_shapes_of_the_story_and_the_doctor_are_those_of_their_records() -> None:
    assert told("story") == {field.name for field in fields(Step)} | {"held", "seconds", "steps"}
    assert told("doctor") == {field.name for field in fields(Finding)}
