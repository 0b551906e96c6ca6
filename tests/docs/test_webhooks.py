"""The examples of docs/webhooks.md take what Cartback really sends, and nothing else."""

import asyncio
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from recovery import webhooks
from recovery.models import WebhookEndpoint
from recovery.webhooks_delivery import SCHEDULE, signed_headers
from tests.docs.pages import page
from tests.docs.test_hooks import SHORT, node, with_php
from tests.shop import Shop, sign

PAGE = page("docs/webhooks.md")
CHECKS = PAGE.section("Check the signature")
SECRET, OTHER = "whsec_" + "QUJD" * 8, "whsec_" + "WFla" * 8
BODY = '{"type":"suppression.created","data":{"name":"Zażółć"}}'


def cases(shop: Shop) -> dict[str, tuple[dict[str, str], str, bool]]:
    """Headers and bodies, and whether a check with SECRET must take them; the genuine ones are Cartback's own."""
    vault = shop.runtime.keys.vault
    plain = WebhookEndpoint(secret=vault.seal(SECRET))
    good = signed_headers(shop.runtime.keys, plain, "msg_1", BODY)
    rotated = WebhookEndpoint(
        secret=vault.seal(OTHER), previous_secret=vault.seal(SECRET), previous_secret_until=shop.now.replace(year=2200)
    )
    foreign = signed_headers(shop.runtime.keys, WebhookEndpoint(secret=vault.seal(OTHER)), "msg_1", BODY)
    old = str(int(time.time()) - 301)
    return {
        "good": (good, BODY, True),
        "rotated": (signed_headers(shop.runtime.keys, rotated, "msg_2", BODY), BODY, True),
        "another body": (good, BODY + " ", False),
        "another id": (good | {"webhook-id": "msg_3"}, BODY, False),
        "of another secret": (foreign, BODY, False),
        "old": (
            good | {"webhook-timestamp": old, "webhook-signature": sign(SECRET, "msg_1", old, BODY.encode())},
            BODY,
            False,
        ),
        "no time": (good | {"webhook-timestamp": "x"}, BODY, False),
        "no signature": (good | {"webhook-signature": "v1,"}, BODY, False),
    }


async def answers(command: list[str], tried: dict[str, tuple[dict[str, str], str, bool]]) -> dict[str, bool]:
    told: list[Any] = [[headers, body] for headers, body, _ in tried.values()]
    process = await asyncio.create_subprocess_exec(
        *command, SECRET, json.dumps(told), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return dict(zip(tried, json.loads(out), strict=True))


def written(tmp_path: Path, language: str, name: str, more: str) -> str:
    (block,) = CHECKS.blocks(language)
    script = tmp_path / name
    script.write_text(block.text + more)
    return str(script)


async def test_the_python_check(shop: Shop, tmp_path: Path) -> None:
    more = (
        "\nimport json, sys\n"
        "print(json.dumps([is_genuine(h, b.encode(), sys.argv[1]) for h, b in json.loads(sys.argv[2])]))\n"
    )
    tried = cases(shop)
    found = await answers([sys.executable, "-W", "error", written(tmp_path, "python", "check.py", more)], tried)
    assert found == {name: genuine for name, (_, _, genuine) in tried.items()}


async def test_the_node_check(shop: Shop, tmp_path: Path) -> None:
    more = (
        "\nconst [, , secret, given] = process.argv;\n"
        "console.log(JSON.stringify(JSON.parse(given).map(([h, b]) => isGenuine(h, Buffer.from(b), secret))));\n"
    )
    tried = cases(shop)
    found = await answers([node(), written(tmp_path, "js", "check.mjs", more)], tried)
    assert found == {name: genuine for name, (_, _, genuine) in tried.items()}


@with_php
async def test_the_php_check(shop: Shop, tmp_path: Path) -> None:
    more = (
        "\necho json_encode(array_map(fn ($c) => is_genuine($c[0], $c[1], $argv[1]), json_decode($argv[2], true)));\n"
    )
    tried = cases(shop)
    found = await answers([shutil.which("php") or "php", written(tmp_path, "php", "check.php", more)], tried)
    assert found == {name: genuine for name, (_, _, genuine) in tried.items()}


@pytest.mark.parametrize(
    ("language", "compares"), [("python", "compare_digest"), ("js", "timingSafeEqual"), ("php", "hash_equals")]
)
def test_the_checks_are_short_and_compare_in_constant_time(language: str, compares: str) -> None:
    (block,) = CHECKS.blocks(language)
    lines = [line for line in block.text.splitlines() if line.strip() and "<?php" not in line]
    assert len(lines) <= SHORT
    for word in (compares, "whsec_", "sha256", "v1,", "webhook-id", "webhook-timestamp", "webhook-signature", "300"):
        assert word in block.text


def test_the_page_names_every_event_and_the_whole_schedule() -> None:
    assert {row[0].strip("`") for row in PAGE.section("Events").tables()[0]} == set(webhooks.EVENTS)
    (example,) = PAGE.section("Events").blocks("json")
    told = {row[0].strip("`"): row[2] for row in PAGE.section("Events").tables()[0]}
    named = json.loads(example.text)
    assert all(f"`{name}`" in told[named["type"]] for name in named["data"] if name != "person")
    words = {60: "min", 3600: "h", 1: "s"}
    for delay in SCHEDULE[1:]:
        seconds = int(delay.total_seconds())
        unit = max(size for size in words if seconds % size == 0 and size <= seconds)
        assert f"{seconds // unit} {words[unit]}" in " ".join(PAGE.section("What is promised").text.split())
