"""The examples of docs/hooks.md do what the page says, sent to the real application over HTTP."""

import json
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from frontend.npm import WHEEL
from recovery.models import Cart, Order
from recovery.stores import generic
from recovery.stores.reading import LONGEST_URL
from recovery.tokens import HANDOFF_SECONDS, sign_handoff
from tests.docs.conftest import SHOP, Running
from tests.docs.pages import page
from tests.shop import signed_headers

HOOKS = page("docs/hooks.md")
HANDOFF = HOOKS.section("Give the cart back")
SHORT = 15
# No registry that the tests may use has a PHP; where one is installed, the examples are run.
with_php = pytest.mark.skipif(shutil.which("php") is None, reason="there is no PHP on this machine")


async def post(running: Running, event: dict[str, Any]) -> httpx2.Response:
    body = json.dumps(event).encode()
    async with httpx2.AsyncClient() as client:
        return await client.post(running.hook_url, content=body, headers=signed_headers(running.secret, body))


def examples() -> list[dict[str, Any]]:
    """Every event that the page shows."""
    return [json.loads(block.text) for block in HOOKS.section("Events").blocks("json")]


async def test_the_curl_example_is_applied(running: Running) -> None:
    (block,) = HOOKS.section("With curl").blocks("bash")
    answer = await running.run("bash", "-euo", "pipefail", "-c", block.text)
    assert answer in HOOKS.section("With curl").text
    cart = await Cart.get(quote_id="4711").prefetch_related("items")
    assert (cart.email, cart.total, cart.checkout_stage, len(cart.items)) == ("anna@example.com", 45999, "contact", 1)


@pytest.mark.parametrize(
    "heading", ["With Python, standard library only", "With Python and the `standardwebhooks` package"]
)
async def test_the_python_examples_are_applied(running: Running, heading: str, tmp_path: Path) -> None:
    (block,) = HOOKS.section(heading).blocks("python")
    script = tmp_path / "send.py"
    script.write_text(block.text)
    assert await running.run(sys.executable, "-W", "error", str(script)) == "{'status': 'applied', 'warnings': []}\n"
    if "standard library" in heading:
        assert (await Order.get(order_id="900017")).total == 46999
        assert "webhooks" not in " ".join(re.findall(r"^(?:import|from) .*", block.text, re.M))
    else:
        assert (await Cart.get(quote_id="4712")).status == "deleted"


def test_the_php_example_signs_like_the_python_one() -> None:
    (php,) = HOOKS.section("With PHP").blocks("php")
    (python,) = HOOKS.section("With Python, standard library only").blocks("python")
    headers = r"(?:webhook-[a-z]+|content-type)(?=\W)"
    assert set(re.findall(headers, php.text)) == set(re.findall(headers, python.text))
    for piece in ("hash_hmac('sha256', \"$id.$timestamp.$body\", $key, true)", '"webhook-signature: v1,$signature"'):
        assert piece in php.text


@with_php
async def test_the_php_example_is_applied(running: Running, tmp_path: Path) -> None:
    (php,) = HOOKS.section("With PHP").blocks("php")
    script = tmp_path / "send.php"
    script.write_text(php.text)
    assert "[status] => applied" in await running.run("php", str(script))
    assert (await Cart.get(quote_id="4713")).total == 45999


async def test_every_event_shown_is_applied_without_a_warning(running: Running) -> None:
    shown = examples()
    assert {event["type"] for event in shown} == set(generic.EVENTS)
    for event in shown:
        response = await post(running, event)
        assert response.json() == {"status": "applied", "warnings": []}, event


async def test_the_answers_of_the_table_are_given(running: Running) -> None:
    """All but 400, 500 and 503, which need something broken."""
    event = examples()[0]
    body, large = json.dumps(event).encode(), b" " * 300_000
    later = json.dumps(event | {"occurred_at": "2026-11-23T10:15:31Z"}).encode()
    earlier = json.dumps(event | {"data": event["data"] | {"version": 6}}).encode()
    elsewhere = json.dumps(event | {"store": "nowhere"}).encode()
    first = signed_headers(running.secret, body, "msg_1")
    tried: list[tuple[bytes, dict[str, str], int, str]] = [
        (body, first, 200, "applied"),
        (body, first, 200, "duplicate"),
        (earlier, signed_headers(running.secret, earlier), 200, "older"),
        (body, first | {"webhook-timestamp": "1"}, 401, "signature"),
        (later, signed_headers(running.secret, later, "msg_1"), 409, "reused"),
        (large, signed_headers(running.secret, large), 413, "too_large"),
        (elsewhere, signed_headers(running.secret, elsewhere), 422, "unknown_store"),
    ]
    async with httpx2.AsyncClient() as client:
        for content, headers, status, word in tried:
            answer = await client.post(running.hook_url, content=content, headers=headers)
            assert answer.status_code == status
            assert word in answer.text
    told = {int(row[0]) for row in HOOKS.section("Answers and retries").tables()[0] if row[0].isdecimal()}
    assert told == {400, 500, 503} | {status for _, _, status, _ in tried}


async def test_every_warning_of_the_table_is_given(running: Running) -> None:
    event = examples()[0]
    item = event["data"]["items"][0]
    wrong = {
        "url_host_unknown": {"url": "https://elsewhere.example.com/"},
        "url_not_https": {"url": SHOP.replace("https", "http")},
        "url_too_long": {"url": SHOP + "/" * LONGEST_URL},
        "not_a_url": {"url": "https://[shop"},
    }
    for code, change in wrong.items():
        changed = event | {"data": event["data"] | {"items": [item | change]}}
        assert (await post(running, changed)).json()["warnings"] == [{"path": "data.items.0.url", "code": code}]
    customer = event | {"data": event["data"] | {"customer": {"email": "anna and ewa"}}}
    assert [w["code"] for w in (await post(running, customer)).json()["warnings"]] == ["not_an_address"]
    told = HOOKS.section("Answers and retries").tables()[1]
    assert {row[0].strip("`") for row in told} == {*wrong, "not_an_address"}


async def test_the_types_of_the_table_take_and_refuse_what_it_says(running: Running) -> None:
    cart = {"quote_id": "1", "currency": "PLN", "total": 1, "items": []}
    row = next(row for row in HOOKS.section("The envelope").tables()[1] if row[0] == "money")
    refused = [json.loads(value) for value in re.findall(r"`([^`]+)`", row[1].partition("is taken")[2])]
    assert refused == [459.99, "45999", True]
    for total, status in [(45999, 200), (45999.0, 200), *((value, 422) for value in refused)]:
        event = {"type": "cart.updated", "occurred_at": "2026-11-23T10:15:30.120Z", "data": cart | {"total": total}}
        assert (await post(running, event)).status_code == status, total


# The hand-off


def handoff(secret: str, issued_at: float | None = None, swap: list[list[str]] | None = None) -> str:
    more = {"swap": swap, "coupon": "BACK-7KQM-2VHX-D4RTN"}
    return sign_handoff(secret, "4711", "default", "a-ref", int(issued_at or time.time()), more)


def test_both_checks_are_short_and_look_at_the_same() -> None:
    (php,), (node,) = HANDOFF.blocks("php"), HANDOFF.blocks("js")
    for block, compare in ((php, "hash_equals"), (node, "timingSafeEqual")):
        lines = [line for line in block.text.splitlines() if line.strip() and "<?php" not in line]
        assert len(lines) <= SHORT
        assert compare in block.text
        for word in ("whsec_", "sha256", "handoff", "cartback", "iss", "aud", "store", "exp"):
            assert word in block.text
    told = {name for row in HANDOFF.tables()[0] for name in re.findall(r"`(\w+)`", row[0])}
    assert told == {"iss", "aud", "quote_id", "store", "ref", "swap", "coupon", "iat", "exp"}


def cases(secret: str) -> dict[str, tuple[str, str, bool]]:
    """Tokens with the store that looks at them, and whether the check must take them."""
    good = handoff(secret)
    head, body, signature = good.split(".")
    changed = signature[:-2] + ("AA" if signature[-2:] != "AA" else "BB")
    return {
        "good": (good, "default", True),
        "with a swap": (handoff(secret, swap=[["K-12-M", "K-12-L"]]), "default", True),
        "of another store": (good, "other", False),
        "changed": (f"{head}.{body}.{changed}", "default", False),
        "unsigned": (f"{head}.{body}.", "default", False),
        "cut": (head, "default", False),
        "of another secret": (handoff("whsec_" + "A" * 44), "default", False),
        "old": (handoff(secret, time.time() - HANDOFF_SECONDS - 60), "default", False),
    }


def node() -> str:
    """The system's Node.js, or the one that make brings."""
    found = shutil.which("node") or str(WHEEL / "bin" / "node")
    assert Path(found).exists(), "there is no Node.js: run make setup-test"
    return found


async def test_the_node_check_takes_genuine_hand_offs_only(running: Running, tmp_path: Path) -> None:
    (block,) = HANDOFF.blocks("js")
    script = tmp_path / "check.mjs"
    script.write_text(
        block.text + "const [, , secret, ...given] = process.argv;\n"
        "const told = [];\n"
        "for (let i = 0; i < given.length; i += 2) told.push(checkHandoff(given[i], secret, given[i + 1]));\n"
        "console.log(JSON.stringify(told));\n"
    )
    tried = cases(running.secret)
    arguments = [word for token, store, _ in tried.values() for word in (token, store)]
    answers = json.loads(await running.run(node(), str(script), running.secret, *arguments))
    for (name, (_, _, genuine)), claims in zip(tried.items(), answers, strict=True):
        assert (claims is not None) == genuine, name
    assert (answers[0]["quote_id"], answers[0]["ref"], "swap" in answers[0]) == ("4711", "a-ref", False)
    assert answers[1]["swap"] == [["K-12-M", "K-12-L"]]


@with_php
async def test_the_php_check_takes_genuine_hand_offs_only(running: Running, tmp_path: Path) -> None:
    (block,) = HANDOFF.blocks("php")
    script = tmp_path / "check.php"
    script.write_text(block.text + "echo json_encode(check_handoff($argv[2], $argv[1], $argv[3]));\n")
    for name, (token, store, genuine) in cases(running.secret).items():
        answer = await running.run("php", str(script), running.secret, token, store)
        assert (answer != "null") == genuine, name
