"""The edge to the store: signed hooks, each applied once in the transaction that stores it, then answered."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from recovery import attribution, carts, db, mail_events, orders, products
from recovery.models import Connection, HookDelivery, RejectedDelivery, Store
from recovery.persons import lock_persons, was_erased
from recovery.runtime import Runtime
from recovery.stores import generic
from recovery.stores.reading import Reading
from recovery.stores.registry import hook_secrets, in_force
from recovery.stores.snapshots import CartEnd, not_ahead
from recovery.text import one_line

LARGEST_BODY = 256 * 1024
LONGEST_KEY = 64
LONGEST_ID = 255
KEPT_REJECTIONS = 50
RETRY_AFTER = {"Retry-After": "5"}

# One answer for an unknown connection and a wrong signature: who guesses learns nothing.
_UNSIGNED = (
    "The signature does not fit. Sign id.timestamp.body with this connection's secret (Standard Webhooks); "
    "the timestamp must be within 5 minutes of now."
)

log = structlog.get_logger()


class Refused(Exception):
    """A hook that is not taken: the status, and each problem with its path, code and sentence."""

    def __init__(self, status: int, errors: list[dict[str, str]]) -> None:
        super().__init__(errors[0]["message"])
        self.status = status
        self.errors = errors


@dataclass(frozen=True)
class Outcome:
    """What became of a hook; ``person`` is the hash of the address it told of, ``keep`` whether its body may stay."""

    status: str
    person: str | None = None
    keep: bool = True


@dataclass(frozen=True)
class Event:
    """A verified, validated hook on its way into the core."""

    connection: Connection
    store: Store
    payload: Any
    reading: Reading
    runtime: Runtime


def routes() -> list[BaseRoute]:
    """``POST /hooks/v1/{connection}`` and the published schemas."""
    return [
        Route("/hooks/v1/schemas", list_schemas, methods=["GET"]),
        Route("/hooks/v1/schemas/{event}.json", show_schema, methods=["GET"]),
        Route("/hooks/v1/{connection}", receive, methods=["POST"]),
    ]


async def list_schemas(request: Request) -> Response:
    """The events a shop may send, each with the address of its JSON Schema."""
    return JSONResponse({event: f"/hooks/v1/schemas/{event}.json" for event in generic.EVENTS})


async def show_schema(request: Request) -> Response:
    """The JSON Schema of one event."""
    event = request.path_params["event"]
    if event not in generic.EVENTS:
        return JSONResponse({"errors": [_problem("type", "unknown_event", f"There is no event {event!r}.")]}, 404)
    return JSONResponse(generic.json_schema(event))


async def receive(request: Request) -> Response:
    """Take one hook: 200 only once it is stored and applied; 503 while the database is away, so that it comes again."""
    runtime: Runtime = request.state.runtime
    now = runtime.now()
    webhook_id = request.headers.get("webhook-id", "")
    connection = None
    try:
        connection = await find_connection(request.path_params["connection"])
        body = await read_body(request)
        if connection is None or not _is_signed(runtime, connection, body, request, now):
            raise Refused(401, [_problem("", "signature", _UNSIGNED)])
        return await _take(runtime, connection, webhook_id, body, now)
    except Refused as refused:
        if connection is not None:
            await _remember(connection, one_line(webhook_id, LONGEST_ID) or None, refused, now)
        return JSONResponse({"errors": refused.errors}, refused.status)
    except db.UNAVAILABLE as error:
        log.warning("hook.database_away", error=db.describe(error))
        message = "The database is away for a moment; send this hook again."
        return JSONResponse({"errors": [_problem("", "unavailable", message)]}, 503, headers=RETRY_AFTER)


async def find_connection(key: str) -> Connection | None:
    """The connection that an address names, if there is one."""
    # What can't be a key is nobody's, and the database would stumble over a NUL or 500 characters.
    return await Connection.get_or_none(key=key) if key == one_line(key, LONGEST_KEY) else None


async def read_body(request: Request) -> bytes:
    """The body as it came.

    Raises:
        Refused: it is too large or was cut off.
    """
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > LARGEST_BODY:
                raise Refused(413, [_problem("", "too_large", f"A hook has at most {LARGEST_BODY} bytes.")])
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise Refused(400, [_problem("", "cut_off", "The body ended too early.")]) from error
    return b"".join(chunks)


def _is_signed(runtime: Runtime, connection: Connection, body: bytes, request: Request, now: datetime) -> bool:
    headers = {name: request.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    for secret in hook_secrets(runtime.keys, connection, now):
        try:
            Webhook(secret).verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            continue
        return True
    return False


async def _take(runtime: Runtime, connection: Connection, webhook_id: str, body: bytes, now: datetime) -> Response:
    if webhook_id != one_line(webhook_id) or len(webhook_id) > LONGEST_ID:
        # Cut to fit, two ids that begin alike would be one, and the second hook lost.
        message = f"An id has 1 to {LONGEST_ID} ordinary characters."
        raise Refused(422, [_problem("webhook-id", "id", message)])
    envelope, payload = _parse(body)
    store = await Store.get_or_none(connection_id=connection.id, code=envelope.store)
    if store is None:
        message = f"This connection has no store {envelope.store!r}."
        raise Refused(422, [_problem("store", "unknown_store", message)])
    occurred_at = not_ahead(envelope.occurred_at, now)
    reading = Reading(frozenset(connection.hosts), occurred_at, now)
    event = Event(connection, store, payload, reading, runtime)
    delivery = HookDelivery(
        connection_id=connection.id,
        webhook_id=webhook_id,
        type=envelope.type,
        occurred_at=occurred_at,
        received_at=now,
        body_sha256=hashlib.sha256(body).hexdigest(),
        body=body.decode().replace("\x00", ""),
        status="applied",
    )
    async with db.in_transaction():
        earlier = await _store_once(delivery)
        if earlier is not None:
            if earlier.body_sha256 != delivery.body_sha256:
                raise Refused(409, [_problem("webhook-id", "reused", "This id came before with another body.")])
            return JSONResponse({"status": "duplicate", "warnings": earlier.warnings})
        outcome = await _HANDLERS[envelope.type](event)
        stored = HookDelivery.filter(connection_id=connection.id, webhook_id=webhook_id)
        await stored.update(status=outcome.status, email_hash=outcome.person, warnings=reading.warnings)
        if not outcome.keep or await was_erased(connection.id, outcome.person, occurred_at):
            await stored.update(body=None, email_hash=None)
    return JSONResponse({"status": outcome.status, "warnings": reading.warnings})


async def _store_once(delivery: HookDelivery) -> HookDelivery | None:
    """Store the delivery; the one that came before under the same id, if any, once its transaction is over."""
    columns = ("connection_id", "webhook_id", "type", "occurred_at", "received_at", "body_sha256", "body", "status")
    marks = ", ".join(f"${position}" for position in range(1, len(columns) + 1))
    # Rows, not the count of execute_query: Tortoise reads "INSERT 0 1" as 0.
    stored = await db.client().execute_query_dict(
        f"INSERT INTO hook_delivery ({', '.join(columns)}, warnings) VALUES ({marks}, '[]') "  # noqa: S608
        "ON CONFLICT (connection_id, webhook_id) DO NOTHING RETURNING id",
        [getattr(delivery, column) for column in columns],
    )
    if stored:
        return None
    return await HookDelivery.get(connection_id=delivery.connection_id, webhook_id=delivery.webhook_id)


def _parse(body: bytes) -> tuple[generic.Envelope, Any]:
    document = _document(body)
    try:
        envelope = generic.Envelope.model_validate(document)
    except ValidationError as error:
        raise Refused(422, _problems(error, "")) from error
    model = generic.EVENTS.get(envelope.type)
    if model is None:
        message = f"There is no event {one_line(envelope.type, 64)!r}; GET /hooks/v1/schemas lists them."
        raise Refused(422, [_problem("type", "unknown_event", message)])
    try:
        return envelope, model.model_validate(envelope.data)
    except ValidationError as error:
        raise Refused(422, _problems(error, "data.")) from error


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        refused = Refused(422, [_problem("", "json", f"The body is not JSON: {error}.")])
    try:
        # JavaScript writes a text cut in the middle of an emoji as half a pair, which orjson refuses: drop that half
        # rather than the cart.
        whole = json.dumps(json.loads(body.decode()), ensure_ascii=False).encode("utf-8", "ignore")
        return orjson.loads(whole)
    except (ValueError, RecursionError) as error:
        raise refused from error


def _problems(error: ValidationError, prefix: str) -> list[dict[str, str]]:
    return [
        _problem(prefix + ".".join(str(part) for part in e["loc"]), e["type"], e["msg"].removeprefix("Value error, "))
        for e in error.errors(include_url=False, include_input=False)[:50]
    ]


def _problem(path: str, code: str, message: str) -> dict[str, str]:
    return {"path": path, "code": code, "message": message}


async def _remember(connection: Connection, webhook_id: str | None, refused: Refused, now: datetime) -> None:
    """Keep the last refusals of a connection for whoever looks for a lost hook; losing one of these harms nobody."""
    first = refused.errors[0]
    try:
        await RejectedDelivery.create(
            connection_id=connection.id,
            webhook_id=webhook_id,
            status=refused.status,
            path=first["path"][:255],
            code=first["code"][:64],
            at=now,
        )
        keep = (
            await RejectedDelivery.filter(connection_id=connection.id).order_by("-id").offset(KEPT_REJECTIONS).first()
        )
        if keep is not None:
            await RejectedDelivery.filter(connection_id=connection.id, id__lte=keep.id).delete()
    except db.UNAVAILABLE as error:
        log.warning("hook.rejection_not_kept", error=db.describe(error))


async def _cart_updated(event: Event) -> Outcome:
    snapshot = event.payload.snapshot(event.reading)
    status, person = await carts.take(event.store, snapshot, event.runtime.keys, event.reading.now)
    erased = status == "older" and await carts.was_erased(event.connection.id, snapshot, person, event.runtime.keys)
    return Outcome(status, person, keep=not erased)


async def _cart_ended(event: Event) -> Outcome:
    told = event.payload
    end = CartEnd(told.quote_id, event.reading.occurred_at, told.version, getattr(told, "into_quote_id", None))
    return Outcome(await carts.end(event.store, end, event.reading.now))


async def _cart_restored(event: Event) -> Outcome:
    told = event.payload
    # As an order does, before any row: it locks its own row first and the cart's after it.
    await db.lock(event.connection.id, f"quote {told.quote_id}")
    taken = await carts.restored(event.store, told.quote_id, told.at)
    await attribution.note_restored(event.connection.id, told.ref, not_ahead(told.at, event.reading.now))
    await orders.attribute_again(event.store, told.quote_id, (await in_force(event.store)).settings)
    return Outcome(taken)


async def _order(event: Event) -> Outcome:
    snapshot = event.payload.snapshot(event.reading)
    settings = (await in_force(event.store)).settings
    keys = event.runtime.keys
    status, person = await orders.take(event.store, settings, snapshot, keys, event.reading.now)
    return Outcome(status, person, keep=not await orders.was_erased(event.connection.id, snapshot, keys))


async def _products(event: Event) -> Outcome:
    told = [
        product.snapshot(event.reading, f"data.products.{index}")
        for index, product in enumerate(event.payload.products)
    ]
    return Outcome("applied" if await products.take_products(event.store, told) else "older")


async def _policies(event: Event) -> Outcome:
    told = [
        policy.snapshot(event.reading, f"data.policies.{index}") for index, policy in enumerate(event.payload.policies)
    ]
    return Outcome("applied" if await products.take_policies(event.store, told) else "older")


async def _consent(event: Event) -> Outcome:
    person = _person(event)
    if person is None:
        return Outcome("applied")
    await lock_persons(event.connection.id, [person])
    await carts.hear_consent(event.connection.id, person, event.payload.consent.snapshot(), event.reading.now)
    return Outcome("applied", person)


async def _delivered(event: Event) -> Outcome:
    return await _report(event, "delivered", hard=False, reason=None)


async def _bounced(event: Event) -> Outcome:
    return await _report(event, "bounced", hard=event.payload.hard, reason=event.payload.reason)


async def _complained(event: Event) -> Outcome:
    return await _report(event, "complained", hard=False, reason=event.payload.reason)


async def _report(event: Event, kind: mail_events.Kind, *, hard: bool, reason: str | None) -> Outcome:
    told = event.payload
    report = mail_events.Report(kind, "hook", told.at, _person(event), told.message_id, hard, reason)
    _, person = await mail_events.take(event.connection.id, report, event.reading.now)
    return Outcome("applied", person)


def _person(event: Event) -> str | None:
    told = event.payload.email
    address = event.reading.email(told, "data.email") if told else None
    return event.runtime.keys.email_hash(address) if address else None


_HANDLERS: dict[str, Callable[[Event], Awaitable[Outcome]]] = {
    "cart.updated": _cart_updated,
    "cart.deleted": _cart_ended,
    "cart.merged": _cart_ended,
    "cart.restored": _cart_restored,
    "order.placed": _order,
    "order.updated": _order,
    "order.cancelled": _order,
    "product.updated": _products,
    "policy.updated": _policies,
    "consent.updated": _consent,
    "email.delivered": _delivered,
    "email.bounced": _bounced,
    "email.complained": _complained,
}
