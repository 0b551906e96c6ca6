"""Delivers webhooks: claims what is due, signs and posts it, and tries again for days until somebody says yes.

At least once: a process that dies between the answer and writing it down delivers the same message again, under the
same id. Order is not promised. An endpoint that hangs or fails keeps neither the others nor the sweep waiting.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import structlog
from standardwebhooks.webhooks import Webhook

from recovery import db
from recovery.models import WebhookEndpoint, WebhookMessage
from recovery.outgoing import AddressRefused, GuardedTransport
from recovery.runtime import Runtime
from recovery.secrets import Keys

#: How long to wait before each attempt, as the Standard Webhooks specification suggests: more than three days in all.
SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: Up to so much of a delay on top, so that what failed together does not come back together.
JITTER = 0.1
LONGEST_WAIT = timedelta(hours=24)
#: Attempts on their way at once, in all and to one endpoint.
SLOTS = 16
PER_ENDPOINT = 4
#: Failures in a row after which an endpoint is left alone until the next sweep.
ENOUGH_FAILURES = 3
#: No new attempt is begun after this, so that a sweep ends.
SWEEP_SECONDS = 60
GONE = 410

_DUE = "status = 'pending' AND next_attempt_at <= $1 AND (lease_until IS NULL OR lease_until < now())"
_ENDPOINTS = f"""
SELECT DISTINCT endpoint_id FROM webhook_message m JOIN webhook_endpoint e ON e.id = m.endpoint_id
 WHERE e.disabled_at IS NULL AND {_DUE}
"""  # noqa: S608
_CLAIM = f"""
UPDATE webhook_message SET attempts = attempts + 1, fence = fence + 1, lease_until = now() + $3::interval
 WHERE id = (SELECT id FROM webhook_message WHERE endpoint_id = $2 AND {_DUE}
              ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, webhook_id, body, attempts, fence
"""  # noqa: S608

log = structlog.get_logger()


@dataclass(frozen=True)
class Answer:
    """What became of an attempt: a status, or why there is none; how long the receiver asks to be left alone."""

    status: int | None
    error: str | None = None
    retry_after: timedelta = timedelta(0)

    @property
    def is_yes(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


async def count_due(now: datetime) -> int:
    """How many messages an attempt is due for."""
    rows = await db.client().execute_query_dict(f"SELECT count(*) AS due FROM webhook_message WHERE {_DUE}", [now])  # noqa: S608
    return int(rows[0]["due"])


async def sweep(runtime: Runtime) -> dict[str, int]:
    """Deliver what is due to every endpoint; how many of each outcome."""
    counts: dict[str, int] = {}
    due = await db.client().execute_query_dict(_ENDPOINTS, [runtime.now()])
    endpoints = await WebhookEndpoint.filter(id__in=[row["endpoint_id"] for row in due])
    slots = asyncio.Semaphore(SLOTS)
    # A proxy of the environment is none of the merchant's business; where a redirect leads nobody has allowed.
    transport = GuardedTransport(private=runtime.settings.allow_private_hosts)
    timeout = runtime.settings.webhook_timeout
    async with httpx2.AsyncClient(timeout=timeout, trust_env=False, transport=transport) as client:
        courses = [_Course(runtime, client, endpoint, slots, counts) for endpoint in endpoints]
        runs = [course.run() for course in courses for _ in range(PER_ENDPOINT)]
        ended = await asyncio.gather(*runs, return_exceptions=True)
    for error in ended:
        if error is not None:
            raise error
    return counts


class _Course:
    """One sweep's way through the messages of one endpoint."""

    def __init__(
        self,
        runtime: Runtime,
        client: httpx2.AsyncClient,
        endpoint: WebhookEndpoint,
        slots: asyncio.Semaphore,
        counts: dict[str, int],
    ) -> None:
        self._runtime, self._client, self._endpoint, self._slots, self._counts = (
            runtime,
            client,
            endpoint,
            slots,
            counts,
        )
        self._failures = 0
        self._until = time.monotonic() + SWEEP_SECONDS

    async def run(self) -> None:
        """Deliver one message after the other until there is none, or the endpoint is in trouble."""
        while self._failures < ENOUGH_FAILURES and time.monotonic() < self._until:
            async with self._slots:
                claim = await self._claim()
                if claim is None:
                    return
                answer = await self._post(claim)
                outcome = await self._note(claim, answer)
            self._failures = 0 if answer.is_yes else self._failures + 1
            self._counts[outcome] = self._counts.get(outcome, 0) + 1
            if answer.status == GONE:
                return

    async def _claim(self) -> dict[str, Any] | None:
        """Take one message; the lease outlives the attempt, and ends by itself if this process dies."""
        lease = timedelta(seconds=self._runtime.settings.webhook_timeout + 30)
        rows = await db.client().execute_query_dict(_CLAIM, [self._runtime.now(), self._endpoint.id, lease])
        return rows[0] if rows else None

    async def _post(self, claim: dict[str, Any]) -> Answer:
        try:
            async with asyncio.timeout(self._runtime.settings.webhook_timeout):
                headers = signed_headers(self._runtime.keys, self._endpoint, claim["webhook_id"], claim["body"])
                content = claim["body"].encode()
                # The status is all that counts: whatever body follows is never read.
                async with self._client.stream(
                    "POST", self._endpoint.url, content=content, headers=headers
                ) as response:
                    return Answer(response.status_code, None, _retry_after(response.headers.get("retry-after", "")))
        except AddressRefused as error:
            return Answer(None, f"the address is refused: {error}"[:255])
        except TimeoutError:
            return Answer(None, "no answer in time")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return Answer(None, f"no answer ({type(error).__name__})")

    async def _note(self, claim: dict[str, Any], answer: Answer) -> str:
        """Write down what became of an attempt, unless somebody else has the message meanwhile."""
        now = self._runtime.now()
        told: dict[str, Any] = {"lease_until": None, "last_status": answer.status, "last_error": answer.error}
        if answer.is_yes:
            outcome, told = "delivered", told | {"status": "delivered", "closed_at": now}
        elif answer.status == GONE or claim["attempts"] >= len(SCHEDULE):
            outcome, told = "failed", told | {"status": "failed", "closed_at": now}
        else:
            outcome, told = "put off", told | {"next_attempt_at": now + wait_after(claim["attempts"], answer)}
        await WebhookMessage.filter(id=claim["id"], fence=claim["fence"]).update(**told)
        if answer.status == GONE:
            await self._disable(now)
        return outcome

    async def _disable(self, now: datetime) -> None:
        await WebhookEndpoint.filter(id=self._endpoint.id, disabled_at=None).update(
            disabled_at=now, disabled_reason="it answered 410 Gone"
        )
        log.warning("webhook.endpoint_gone", endpoint=self._endpoint.id)


def wait_after(attempts: int, answer: Answer) -> timedelta:
    """How long to wait after so many failed attempts, or for as long as the receiver asks (a day at most)."""
    planned = SCHEDULE[attempts] * (1 + random.random() * JITTER)  # noqa: S311
    return max(planned, min(answer.retry_after, LONGEST_WAIT))


def signed_headers(keys: Keys, endpoint: WebhookEndpoint, webhook_id: str, body: str) -> dict[str, str]:
    """The headers of Standard Webhooks, signed anew for each attempt by the real clock, with each secret in force."""
    signed_at = datetime.fromtimestamp(int(time.time()), UTC)
    secrets = [keys.vault.open(endpoint.secret)]
    until = endpoint.previous_secret_until
    if endpoint.previous_secret and until is not None and signed_at <= until:
        secrets.append(keys.vault.open(endpoint.previous_secret))
    return {
        "content-type": "application/json",
        "user-agent": "Cartback-Webhooks/1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(signed_at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(webhook_id, signed_at, body) for secret in secrets),
    }


def _retry_after(header: str) -> timedelta:
    """The seconds of a Retry-After header; a date, or nonsense, says nothing."""
    return timedelta(seconds=int(header)) if header.isascii() and header.isdigit() and len(header) < 7 else timedelta(0)
