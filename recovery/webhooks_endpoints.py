"""The endpoints of a merchant: added, rotated, disabled and enabled, removed; messages sent again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from recovery.errors import CartbackError, NotFound
from recovery.models import Connection, WebhookEndpoint, WebhookMessage
from recovery.outgoing import check_address
from recovery.runtime import Runtime
from recovery.secrets import new_hook_secret
from recovery.webhooks import EVENTS

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_URL = 2048


async def add(
    runtime: Runtime, connection_key: str, url: str, events: Sequence[str], *, with_email: bool
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; its secret is returned once and only kept encrypted.

    Raises:
        NotFound: there is no such connection.
        CartbackError: the address can't be used, or an event does not exist.
    """
    connection = await Connection.get_or_none(key=connection_key)
    if connection is None:
        raise NotFound(f"There is no connection {connection_key!r}; `cartback stores list` shows them.")
    unknown = [event for event in events if event not in EVENTS]
    if unknown:
        raise CartbackError(f"There is no event {unknown[0]!r}; there are {', '.join(EVENTS)}.")
    fault = _fault(url)
    if fault is not None:
        raise CartbackError(f"That address can't be used: {fault}.")
    await check_address(url, private=runtime.settings.allow_private_hosts)
    secret = new_hook_secret()
    endpoint = await WebhookEndpoint.create(
        connection_id=connection.id,
        url=url,
        events=list(dict.fromkeys(events)) or list(EVENTS),
        with_email=with_email,
        secret=runtime.keys.vault.seal(secret),
        created_at=runtime.now(),
    )
    return endpoint, secret


async def find(endpoint_id: int) -> WebhookEndpoint:
    """An endpoint by its number.

    Raises:
        NotFound: there is none.
    """
    endpoint = await WebhookEndpoint.get_or_none(id=endpoint_id)
    if endpoint is None:
        raise NotFound(f"There is no endpoint {endpoint_id}; `cartback webhooks list` shows them.")
    return endpoint


async def rotate(runtime: Runtime, endpoint: WebhookEndpoint, grace_hours: int, now: datetime) -> str:
    """Make a new secret and sign with the old one, too, for a while; the new one is returned once.

    ``now`` is real time: signatures are made and checked by the real clock.
    """
    secret = new_hook_secret()
    endpoint.previous_secret, endpoint.previous_secret_until = endpoint.secret, now + timedelta(hours=grace_hours)
    endpoint.secret = runtime.keys.vault.seal(secret)
    await endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return secret


async def enable(endpoint: WebhookEndpoint) -> None:
    """Let an endpoint that said it was gone have events again."""
    endpoint.disabled_at = endpoint.disabled_reason = None
    await endpoint.save(update_fields=["disabled_at", "disabled_reason"])


async def resend(message_id: int, now: datetime) -> WebhookMessage:
    """Try a message again from the first attempt on, under the same id.

    Raises:
        NotFound: there is none; messages are kept for 30 days.
    """
    message = await WebhookMessage.get_or_none(id=message_id)
    if message is None:
        raise NotFound(f"There is no message {message_id}; `cartback webhooks deliveries` shows them.")
    await WebhookMessage.filter(id=message_id).update(
        status="pending", attempts=0, next_attempt_at=now, closed_at=None, lease_until=None, fence=message.fence + 1
    )
    await message.refresh_from_db()
    return message


def _fault(url: str) -> str | None:
    """Why nothing can be sent to an address, if it is written wrong."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is no web address"
    if parts.scheme not in {"https", "http"} or not host or len(url) > LONGEST_URL or not url.isprintable():
        return "it must look like https://shop.example.com/webhooks"
    if parts.username is not None or parts.password is not None:
        return "it must not hold a user name or password"
    return None if parts.scheme == "https" or host in _LOOPBACK else "it must begin with https://"
