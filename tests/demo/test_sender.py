"""The sender keeps order, repeats until answered and forgets nothing."""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recovery.demo.hook_sender import HookSender
from tests.demo.hook_endpoint import SECRET, HookEndpoint, hook_endpoint

NOW = datetime(2026, 11, 23, 10, 15, 30, 120_000, UTC)


def sender_of(endpoint: HookEndpoint, folder: Path) -> HookSender:
    return HookSender(endpoint.url, SECRET, folder, retry_seconds=(0.02, 0.05))


async def settle(sender: HookSender) -> None:
    await sender.start()
    await asyncio.wait_for(sender.flush(), 10)
    await sender.stop()


async def test_hooks_arrive_in_order_and_as_written(endpoint: HookEndpoint, tmp_path: Path) -> None:
    sender = sender_of(endpoint, tmp_path)
    for number in range(20):
        sender.send("cart.updated", "en", NOW, {"version": number})
    await settle(sender)
    assert [hook.data["version"] for hook in endpoint.received] == list(range(20))
    assert endpoint.received[0].envelope == {
        "type": "cart.updated",
        "occurred_at": "2026-11-23T10:15:30.120+00:00",
        "store": "en",
        "data": {"version": 0},
    }
    assert abs(float(endpoint.received[0].timestamp) - time.time()) < 30


async def test_a_busy_service_gets_the_same_hook_again_and_the_next_one_waits(
    endpoint: HookEndpoint, tmp_path: Path
) -> None:
    endpoint.answers.extend([(503, {}), (429, {"retry-after": "0"}), (500, {})])
    sender = sender_of(endpoint, tmp_path)
    first = sender.send("cart.updated", "en", NOW, {"version": 1})
    second = sender.send("cart.updated", "en", NOW, {"version": 2})
    await settle(sender)
    assert [hook.id for hook in endpoint.received] == [first, first, first, first, second]
    newest, oldest = sender.deliveries()
    assert (oldest.result, oldest.status, oldest.attempts) == ("accepted", 200, 4)
    assert (newest.id, newest.attempts) == (second, 1)


async def test_retry_after_is_honoured(endpoint: HookEndpoint, tmp_path: Path) -> None:
    endpoint.answers.append((503, {"retry-after": "1"}))
    sender = sender_of(endpoint, tmp_path)
    sender.send("cart.updated", "en", NOW, {})
    began = time.monotonic()
    await settle(sender)
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("status", [400, 401, 409, 422])
async def test_a_refusal_is_shown_and_not_repeated(endpoint: HookEndpoint, tmp_path: Path, status: int) -> None:
    endpoint.answers.append((status, {}))
    endpoint.body = {"errors": [{"path": "data.total", "code": "money", "message": "must be whole"}]}
    sender = sender_of(endpoint, tmp_path)
    sender.send("cart.updated", "en", NOW, {})
    sender.send("cart.updated", "en", NOW, {})
    await settle(sender)
    assert len(endpoint.received) == 2
    refused = sender.deliveries()[1]
    assert (refused.result, refused.status) == ("refused", status)
    assert refused.notes == ("data.total: money must be whole",)


async def test_what_nobody_answered_survives_a_restart(tmp_path: Path) -> None:
    async with hook_endpoint() as gone:
        port = int(gone.url.split(":")[2].split("/")[0])
        sender = sender_of(gone, tmp_path)
    hook_id = sender.send("cart.updated", "en", NOW, {"version": 7})
    await sender.start()
    async with asyncio.timeout(10):
        while not sender.deliveries()[0].notes:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await sender.stop()
    assert sender.waiting() == 1
    assert sender.deliveries()[0].notes == ("no answer",)
    async with hook_endpoint(port) as back:
        again = sender_of(back, tmp_path)
        again.send("cart.updated", "en", NOW, {"version": 8})
        await settle(again)
        assert [hook.data["version"] for hook in back.received] == [7, 8]
        assert back.received[0].id == hook_id
    assert [delivery.result for delivery in sender_of(back, tmp_path).deliveries()] == ["accepted", "accepted"]
    assert not list((tmp_path / "outbox").iterdir())


async def test_only_the_newest_deliveries_are_remembered(endpoint: HookEndpoint, tmp_path: Path) -> None:
    sender = sender_of(endpoint, tmp_path)
    for number in range(210):
        sender.send("cart.updated", "en", NOW, {"version": number})
    await settle(sender)
    assert len(sender.deliveries()) == 200
    assert len(json.loads((tmp_path / "deliveries.json").read_bytes())) == 200
