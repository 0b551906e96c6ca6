"""The JSON of the commands has the shape that docs/cli.md says."""

import asyncio
import json
import os
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx2

from admin.findings import Finding
from recovery.demo.story import Step
from recovery.store_settings import StoreSettings
from tests.coupon_shop import CouponShop
from tests.docs.conftest import Running
from tests.docs.pages import page
from tests.docs.test_hooks import examples
from tests.recovery.coupons import coupon, send, with_coupons
from tests.shop import SECRET_KEY, Shop, signed_headers

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


async def test_json_has_the_shape_that_is_told(running: Running, tmp_path: Path) -> None:
    codes = tmp_path / "codes.txt"
    codes.write_text("AAA-1\nAAA-2\n")
    body = json.dumps(examples()[0]).encode()
    async with httpx2.AsyncClient() as client:
        await client.post(running.hook_url, content=body, headers=signed_headers(running.secret, body))

    async def document(*words: str) -> Any:
        return json.loads(await running.run(sys.executable, "-m", "recovery.cli", *words, "--json"))

    stores, settings, job, explain, budget, loaded = await asyncio.gather(
        document("stores", "list"),
        document("settings", "list", "--store", "myshop/default"),
        document("send-emails", "--limit", "5"),
        document("explain", "4720"),
        document("coupons", "budget"),
        document("coupons", "load", str(codes), "--percent", "5", "--store", "myshop/default"),
    )
    assert keys(budget) == told("coupons budget")
    assert loaded == {"loaded": 2, "known": 0}
    assert keys(loaded) == told("coupons load")
    assert keys(stores) == told("stores list")
    assert keys(settings) == set(StoreSettings.model_fields)
    assert keys(job) == told("send-emails") == told("detect") == told("score")
    assert job["job"] == "email"
    assert keys(explain) == told("explain")
    assert explain[0]["customer"] == "a***@example.com"


async def test_coupons_are_listed_and_withdrawn(live: Shop, till: CouponShop) -> None:
    await with_coupons(live, till)
    await live.queue()
    await send(live)
    environment = os.environ | {
        "DATABASE_URL": live.runtime.settings.database_url or "",
        "REDIS_URL": live.runtime.settings.redis_url or "",
        "CARTBACK_SECRET_KEY": SECRET_KEY,
    }

    async def document(*words: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recovery.cli", "coupons", *words, "--json",
            env=environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return json.loads((await process.communicate())[0])

    code = (await coupon()).code
    listed = await document("list")
    assert keys(listed) == told("coupons list")
    assert (listed[0]["status"], listed[0]["percent"]) == ("issued", 5)
    assert code not in json.dumps(listed)
    assert (await document("withdraw", code))["status"] == "withdrawing"


def test_the_shapes_of_the_story_and_the_doctor_are_those_of_their_records() -> None:
    assert told("story") == {field.name for field in fields(Step)} | {"held", "seconds", "steps"}
    assert told("doctor") == {field.name for field in fields(Finding)}
