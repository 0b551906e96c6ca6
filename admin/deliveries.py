"""The page of the hooks: the last ones taken, and the refused ones with what to do about each."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from admin.pages import page
from recovery.models import Connection, HookDelivery, RejectedDelivery
from recovery.runtime import Runtime

LAST = 50

_ADVICE = {
    "signature": "Sign id.timestamp.body with this connection's secret; the sender's clock must be right to 5 minutes. "
    "A lost secret is replaced by: cartback stores rotate-secret",
    "unknown_store": "Name a store of this connection, or make it: cartback stores add",
    "unknown_event": "Use one of the events that /hooks/v1/schemas lists.",
    "json": "Send one JSON object in UTF-8.",
    "too_large": "Send at most 256 KiB; split a catalogue into several hooks.",
    "cut_off": "The sender hung up early; let it send the hook again.",
    "reused": "Give every new hook its own webhook-id; only a repetition keeps the old one.",
    "missing": "Add this field; it is required.",
}
_SCHEMA = "Compare this field with the event's schema under /hooks/v1/schemas."


@dataclass(frozen=True)
class Refused:
    """The refused hooks of one connection, the newest first, each with advice."""

    connection: Connection
    hooks: Sequence[tuple[RejectedDelivery, str]]


async def show(request: Request) -> Response:
    """``GET /admin/hooks``."""
    runtime: Runtime = request.state.runtime
    connections = await Connection.all().order_by("key")
    deliveries = (
        await HookDelivery.all()
        .order_by("-id")
        .limit(LAST)
        .prefetch_related("connection")
        .only("id", "type", "status", "warnings", "received_at", "connection_id")
    )
    # Each connection keeps its last fifty only, so this is bounded.
    rejected = await RejectedDelivery.all().order_by("-id")
    refused = [
        Refused(each, [(row, advice(row)) for row in rejected if row.connection_id == each.id]) for each in connections
    ]
    return page(
        "hooks",
        request,
        now=runtime.now(),
        public_url=runtime.settings.public_url,
        connections=connections,
        deliveries=deliveries,
        refused=[each for each in refused if each.hooks],
    )


def advice(row: RejectedDelivery) -> str:
    """What the shop's engineer does about a refusal."""
    return _ADVICE.get(row.code, _SCHEMA)
