"""The commands about outgoing webhooks: endpoints, their secrets, what was delivered, and sending it again."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from recovery import console, webhooks_endpoints
from recovery.clock import SystemClock
from recovery.models import WebhookEndpoint, WebhookMessage
from recovery.runtime import Runtime, with_runtime
from recovery.webhooks import EVENTS

webhooks_app = typer.Typer(help="Tell another system what happens.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
EndpointArgument = Annotated[int, typer.Argument(metavar="ENDPOINT", help="The endpoint's number in the list.")]


@webhooks_app.command("add")
def add_endpoint(
    url: Annotated[str, typer.Argument(help="Where events are sent to.")],
    connection: Annotated[str, typer.Option(help="Key of the shop installation.")],
    event: Annotated[
        list[str] | None, typer.Option("--event", help=f"An event, repeatable: {', '.join(EVENTS)}. Default: all.")
    ] = None,
    with_email: Annotated[
        bool, typer.Option("--with-email", help="Put the customer's address into the events.")
    ] = False,
) -> None:
    """Send events to an address; its secret is shown once."""

    async def work(runtime: Runtime) -> None:
        endpoint, secret = await webhooks_endpoints.add(runtime, connection, url, event or (), with_email=with_email)
        console.note(f"Endpoint {endpoint.id}; its secret, shown only now:")
        console.line(secret)

    asyncio.run(with_runtime(work))


@webhooks_app.command("list")
def list_endpoints(as_document: JsonOption = False) -> None:
    """The endpoints with what waits for them and what failed."""

    async def work(runtime: Runtime) -> None:
        told = [await _told(row) for row in await WebhookEndpoint.all().prefetch_related("connection").order_by("id")]
        _show(told, as_document, "No endpoints yet. Make one with: cartback webhooks add")

    asyncio.run(with_runtime(work))


@webhooks_app.command("remove")
def remove_endpoint(endpoint: EndpointArgument) -> None:
    """Send nothing there any more and forget what was sent."""

    async def work(runtime: Runtime) -> None:
        await (await webhooks_endpoints.find(endpoint)).delete()
        console.note(f"Endpoint {endpoint} is removed.")

    asyncio.run(with_runtime(work))


@webhooks_app.command("enable")
def enable_endpoint(endpoint: EndpointArgument) -> None:
    """Send events again to an endpoint that had answered 410 Gone."""

    async def work(runtime: Runtime) -> None:
        await webhooks_endpoints.enable(await webhooks_endpoints.find(endpoint))
        console.note(f"Endpoint {endpoint} gets events again; what waited for it is sent now.")

    asyncio.run(with_runtime(work))


@webhooks_app.command("rotate-secret")
def rotate_secret(
    endpoint: EndpointArgument,
    grace_hours: Annotated[int, typer.Option(min=0, max=720, help="Hours the old secret still signs, too.")] = 24,
) -> None:
    """Make a new secret; the old one still signs beside it for a while."""

    async def work(runtime: Runtime) -> None:
        row = await webhooks_endpoints.find(endpoint)
        console.line(await webhooks_endpoints.rotate(runtime, row, grace_hours, SystemClock().now()))
        console.note(f"This is the new secret, shown only now; the old one signs, too, for {grace_hours} h more.")

    asyncio.run(with_runtime(work))


@webhooks_app.command("deliveries")
def list_deliveries(
    endpoint: Annotated[int | None, typer.Option("--endpoint", help="Only of this endpoint.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only pending, delivered or failed ones.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many, newest first.")] = 50,
    as_document: JsonOption = False,
) -> None:
    """The newest events with what became of them."""

    async def work(runtime: Runtime) -> None:
        wanted = {"endpoint_id": endpoint, "status": status}
        rows = WebhookMessage.filter(**{name: value for name, value in wanted.items() if value is not None})
        told = [_message(row) for row in await rows.order_by("-id").limit(limit)]
        _show(told, as_document, "Nothing has been sent yet.")

    asyncio.run(with_runtime(work))


@webhooks_app.command("resend")
def resend_message(
    message: Annotated[int, typer.Argument(metavar="MESSAGE", help="Its number in `deliveries`.")],
) -> None:
    """Send an event again, under the same id, from the first attempt on."""

    async def work(runtime: Runtime) -> None:
        row = await webhooks_endpoints.resend(message, runtime.now())
        await runtime.doorbell.ring("webhooks")
        console.note(f"{row.webhook_id} goes out with the next sweep.")

    asyncio.run(with_runtime(work))


async def _told(row: WebhookEndpoint) -> dict[str, Any]:
    mine = WebhookMessage.filter(endpoint_id=row.id)
    return {
        "id": row.id,
        "connection": row.connection.key,
        "url": row.url,
        "events": row.events,
        "with_email": row.with_email,
        "state": f"disabled: {row.disabled_reason}" if row.disabled_at else "enabled",
        "pending": await mine.filter(status="pending").count(),
        "failed": await mine.filter(status="failed").count(),
    }


def _message(row: WebhookMessage) -> dict[str, Any]:
    return {
        "id": row.id,
        "endpoint": row.endpoint_id,
        "webhook_id": row.webhook_id,
        "type": row.type,
        "status": row.status,
        "created_at": row.created_at,
        "attempts": row.attempts,
        "next_attempt_at": row.next_attempt_at if row.status == "pending" else None,
        "answer": row.last_status or row.last_error,
    }


def _show(told: Sequence[dict[str, Any]], as_document: bool, nothing: str) -> None:
    if as_document:
        console.data(told)
    elif told:
        heads = tuple(name.upper().replace("_", " ") for name in told[0])
        console.table([tuple(_cell(value) for value in row.values()) for row in told], heads)
    else:
        console.note(nothing)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)
