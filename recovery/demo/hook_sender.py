"""Sends the shop's hooks in order, signed, from a folder that survives a restart."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import orjson
from pydantic import TypeAdapter, ValidationError
from standardwebhooks import Webhook

from recovery.demo.files import unreadable, write_atomically

log = logging.getLogger(__name__)

# Standard Webhooks proposes seconds to a day; a demo is watched, so the same shape in a minute.
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0)
_LONGEST_WAIT = 300.0
_REMEMBERED = 200


@dataclass(frozen=True)
class Delivery:
    """What became of one hook: ``status`` is the last HTTP status, 0 while nobody answered."""

    id: str
    type: str
    store: str
    created_at: datetime
    status: int = 0
    attempts: int = 0
    result: str = "waiting"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Waiting:
    path: Path
    id: str
    type: str
    store: str
    body: bytes
    created_at: datetime


class HookSender:
    """An ordered queue: a hook is sent only when the one before it is settled.

    Answers 2xx and 4xx settle a hook; anything else (429, 5xx, no answer) is tried again with the same ``webhook-id``
    until it is answered. Needs a running event loop only between ``start`` and ``stop``.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        folder: Path,
        *,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        self._url = url
        self._signer = Webhook(secret)
        self._folder = folder / "outbox"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._history = folder / "deliveries.json"
        self._retry_seconds = tuple(retry_seconds)
        self._waiting = deque(_stored(self._folder))
        self._number = int(self._waiting[-1].path.name.split("-")[0]) if self._waiting else 0
        self._deliveries = _remembered(self._history)
        for hook in self._waiting:
            self._note(Delivery(hook.id, hook.type, hook.store, hook.created_at))
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        if not self._waiting:
            self._idle.set()

    def deliveries(self) -> list[Delivery]:
        """The last deliveries, newest first."""
        return list(reversed(self._deliveries.values()))

    def waiting(self) -> int:
        """How many hooks are not settled yet."""
        return len(self._waiting)

    def send(self, type_: str, store: str, occurred_at: datetime, data: dict[str, object]) -> str:
        """Put one hook in the queue, on disk before this returns; the answer is its ``webhook-id``."""
        envelope = {"type": type_, "occurred_at": stamp(occurred_at), "store": store, "data": data}
        self._number += 1
        hook_id = f"msg_{secrets.token_urlsafe(16)}"
        path = self._folder / f"{self._number:09d}-{hook_id}.json"
        created_at = datetime.now(UTC)
        write_atomically(path, orjson.dumps({"created_at": created_at, "envelope": envelope}))
        self._waiting.append(_Waiting(path, hook_id, type_, store, orjson.dumps(envelope), created_at))
        self._note(Delivery(hook_id, type_, store, created_at))
        self._idle.clear()
        self._news.set()
        return hook_id

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="demo hook sender")

    async def stop(self) -> None:
        """Stop sending; what is left stays in the folder for the next start."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def flush(self) -> None:
        """Wait until every hook sent so far is settled."""
        await self._idle.wait()

    async def _run(self) -> None:
        # The service is on this machine; a proxy from the environment would only be in the way.
        async with httpx2.AsyncClient(timeout=10, trust_env=False) as client:
            while True:
                while self._waiting:
                    await self._settle(client, self._waiting[0])
                self._idle.set()
                self._news.clear()
                await self._news.wait()

    async def _settle(self, client: httpx2.AsyncClient, hook: _Waiting) -> None:
        attempt = 0
        while True:
            attempt += 1
            response = await self._post(client, hook)
            delivery = replace(
                self._deliveries.get(hook.id) or Delivery(hook.id, hook.type, hook.store, hook.created_at),
                status=response.status_code if response is not None else 0,
                attempts=attempt,
            )
            if response is not None and _settles(response.status_code):
                break
            self._note(replace(delivery, result="waiting", notes=_notes(response)))
            await asyncio.sleep(self._pause(attempt, response))
        accepted = response.is_success
        if not accepted:
            log.warning("hook %s (%s) was refused with %s", hook.id, hook.type, response.status_code)
        self._note(replace(delivery, result="accepted" if accepted else "refused", notes=_notes(response)))
        self._waiting.popleft()
        write_atomically(self._history, orjson.dumps(list(self._deliveries.values())))
        hook.path.unlink(missing_ok=True)

    async def _post(self, client: httpx2.AsyncClient, hook: _Waiting) -> httpx2.Response | None:
        # Signed anew for each attempt: the id stays, the timestamp must be fresh and is the machine's, not the demo's.
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": hook.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(hook.id, now, hook.body.decode()),
        }
        try:
            return await client.post(self._url, content=hook.body, headers=headers)
        except httpx2.HTTPError:
            return None

    def _pause(self, attempt: int, response: httpx2.Response | None) -> float:
        planned = self._retry_seconds[min(attempt, len(self._retry_seconds)) - 1]
        asked = _retry_after(response) if response is not None else None
        return planned if asked is None else min(asked, _LONGEST_WAIT)

    def _note(self, delivery: Delivery) -> None:
        self._deliveries[delivery.id] = delivery
        while len(self._deliveries) > _REMEMBERED:
            del self._deliveries[next(iter(self._deliveries))]


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as hooks carry times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _settles(status: int) -> bool:
    return status < 300 or (400 <= status < 500 and status != 429)


def _retry_after(response: httpx2.Response) -> float | None:
    told = response.headers.get("retry-after", "")
    if told.isdigit():
        return float(told)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((aware - datetime.now(UTC)).total_seconds(), 0.0)


def _notes(response: httpx2.Response | None) -> tuple[str, ...]:
    if response is None:
        return ("no answer",)
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return ()
    if not isinstance(answer, dict):
        return ()
    listed = [*_entries(answer.get("warnings")), *_entries(answer.get("errors"))]
    found = [f"{entry.get('path', '')}: {entry.get('code', '')} {entry.get('message', '')}".strip() for entry in listed]
    status = answer.get("status")
    return (*([status] if isinstance(status, str) else []), *found)[:20]


def _entries(value: object) -> list[dict[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _stored(folder: Path) -> list[_Waiting]:
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> _Waiting:
    try:
        stored = orjson.loads(path.read_bytes())
        envelope = stored["envelope"]
        created_at = datetime.fromisoformat(stored["created_at"])
        hook_id = path.stem.split("-", 1)[1]
        return _Waiting(path, hook_id, envelope["type"], envelope["store"], orjson.dumps(envelope), created_at)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise unreadable(path) from error


def _remembered(path: Path) -> dict[str, Delivery]:
    if not path.exists():
        return {}
    try:
        deliveries = TypeAdapter(list[Delivery]).validate_json(path.read_bytes())
    except ValidationError as error:
        raise unreadable(path) from error
    return {delivery.id: delivery for delivery in deliveries}
