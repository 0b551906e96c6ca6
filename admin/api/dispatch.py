"""How a call reaches its operation: let in, checked, run once, answered."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tortoise.exceptions import IntegrityError

from admin.access import keys, sessions
from admin.access.passwords import Passwords
from admin.access.scopes import Caller
from admin.access.users import Refused, TooManyTries, WrongPassword
from admin.api.call import Call
from admin.api.operations import Operation
from admin.api.problems import Problem, invalid, not_found, respond
from admin.models import IdempotentAnswer
from chatbot.counters import client_address
from recovery.clock import SystemClock
from recovery.errors import CartbackError, NotFound
from recovery.runtime import Runtime
from recovery.store_settings import SettingRefused

LARGEST_BODY = 256 * 1024
#: Browsers send it to other sites only after asking them (CORS), and we never agree.
CSRF_HEADER = "x-cartback"
IDEMPOTENCY_HEADER = "idempotency-key"
LONGEST_IDEMPOTENCY_KEY = 255
#: Nothing of it is anybody else's, and nobody keeps it.
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

log = structlog.get_logger()


class Rate:
    """At most so many calls a minute of each caller, per process; bursts of half of it."""

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / 60
        self._burst = per_minute / 2
        self._left: dict[str, tuple[float, float]] = {}

    def seconds_to_wait(self, who: str) -> int:
        """Count a call; 0 if it may go on, else in how many seconds."""
        now = time.monotonic()
        if len(self._left) > 10_000:
            self._left = {name: state for name, state in self._left.items() if state[1] > now - 60}
        left, at = self._left.get(who, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        self._left[who] = (left - 1 if left >= 1 else left, now)
        return 0 if left >= 1 else max(1, round((1 - left) / self._per_second))


class Dispatch:
    """Makes routes of operations; holds what all calls of a process share."""

    def __init__(self, per_minute: int = 1200) -> None:
        self._passwords = Passwords()
        self._rate = Rate(per_minute)

    def route(self, operation: Operation) -> Route:
        """The route of an operation."""

        async def endpoint(request: Request) -> Response:
            try:
                response = await self._answer(operation, request)
            except Problem as problem:
                response = respond(problem)
            except CartbackError as error:
                response = respond(_problem(error))
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return Route(operation.path, endpoint, methods=[operation.method], name=operation.name)

    async def _answer(self, operation: Operation, request: Request) -> Response:
        runtime: Runtime = request.state.runtime
        caller = await self._admit(operation, request, runtime)
        try:
            values = operation.path_values(request.path_params)
        except ValidationError:
            raise not_found("thing") from None
        if operation.query is not None:
            values["query"] = _query(operation.query, request)
        raw = await _body(request) if operation.unsafe else b""
        if operation.body is not None:
            values["body"] = _parsed(operation.body, request, raw)
        call = Call(request, runtime, self._passwords, caller)
        key = request.headers.get(IDEMPOTENCY_HEADER)
        if operation.repeatable and key is not None and caller is not None:
            return await _once(caller, key, request, raw, lambda: _run(operation, call, values))
        return await _run(operation, call, values)

    async def _admit(self, operation: Operation, request: Request, runtime: Runtime) -> Caller | None:
        """Who calls, if they may.

        Raises:
            Problem: nobody we know, not allowed, too often, or sent by another site.
        """
        address = client_address(request, runtime.settings)
        wait = self._rate.seconds_to_wait(f"address:{address}") if operation.open else 0
        caller = None
        if not operation.open:
            caller, by_cookie = await _caller(request, runtime)
            if caller is None:
                raise Problem(401, "sign-in", "Sign in, or send an API key.", headers={"WWW-Authenticate": "Bearer"})
            wait = self._rate.seconds_to_wait(f"{caller.kind}:{caller.id}")
            if by_cookie and operation.unsafe:
                _same_site(request, runtime)
        elif operation.unsafe:
            _same_site(request, runtime)
        if wait:
            raise Problem(429, "too-often", f"Try again in {wait} s.", headers={"Retry-After": str(wait)})
        if caller is not None and operation.scope is not None and not caller.may(operation.scope):
            raise Problem(403, "not-allowed", f"This needs the right {operation.scope}.")
        return caller


async def _caller(request: Request, runtime: Runtime) -> tuple[Caller | None, bool]:
    """Who calls, and whether a browser's cookie says so."""
    now = SystemClock().now()
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return (await keys.caller_of(key.strip(), now) if scheme.lower() == "bearer" else None), False
    token = sessions.token_in(request, runtime.settings)
    return (await sessions.caller_of(token, now) if token else None), True


def _same_site(request: Request, runtime: Runtime) -> None:
    """Let only our own pages change something with a browser's cookie.

    Raises:
        Problem: it came from elsewhere.
    """
    origin = request.headers.get("origin")
    ours = {urlsplit(runtime.settings.public_url).netloc, request.headers.get("host")}
    if CSRF_HEADER not in request.headers or (origin is not None and urlsplit(origin).netloc not in ours):
        raise Problem(403, "other-site", f"Send the header {CSRF_HEADER}: 1, from a page of this address.")


def _query(model: type[BaseModel], request: Request) -> BaseModel:
    told: dict[str, Any] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        told[name] = values if len(values) > 1 else values[0]
    try:
        return model.model_validate(told)
    except ValidationError as error:
        raise invalid(error) from error


async def _body(request: Request) -> bytes:
    """The body, if it is of a decent size.

    Raises:
        Problem: it is not.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise Problem(413, "too-large", f"Send at most {LARGEST_BODY // 1024} KiB.")
        parts.append(part)
    return b"".join(parts)


def _parsed(model: type[BaseModel], request: Request, raw: bytes) -> BaseModel:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "not-json", "Send Content-Type: application/json.")
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        if any(each["type"] == "json_invalid" for each in error.errors()):
            raise Problem(400, "not-json", "The body is not JSON.") from error
        raise invalid(error) from error


async def _run(operation: Operation, call: Call, values: dict[str, Any]) -> Response:
    answer = await operation.handler(call, **values)
    if isinstance(answer, Response):
        response = answer
    elif isinstance(answer, BaseModel):
        response = Response(answer.model_dump_json(), operation.status, media_type="application/json")
    else:
        response = Response(status_code=operation.status)
    response.headers.update(call.headers)
    if call.drop_session:
        sessions.drop_cookie(response, call.runtime.settings)
    return response


async def _once(
    caller: Caller, key: str, request: Request, raw: bytes, run: Callable[[], Awaitable[Response]]
) -> Response:
    """Run an action once for each ``Idempotency-Key`` of a caller; a repetition gets the first answer.

    Raises:
        Problem: the key stands for something else, or its first call still runs.
    """
    if not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        raise Problem(422, "invalid", f"An Idempotency-Key has 1 to {LONGEST_IDEMPOTENCY_KEY} characters.")
    actor = f"{caller.kind}:{caller.id}"
    mark = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + raw).hexdigest()
    try:
        row = await IdempotentAnswer.create(actor=actor, key=key, request_hash=mark, created_at=SystemClock().now())
    except IntegrityError:
        return _repeated(await IdempotentAnswer.get(actor=actor, key=key), mark)
    try:
        response = await run()
    except (Exception, asyncio.CancelledError):
        await IdempotentAnswer.filter(id=row.id).delete()
        raise
    await IdempotentAnswer.filter(id=row.id).update(status=response.status_code, body=bytes(response.body).decode())
    return response


def _repeated(first: IdempotentAnswer, mark: str) -> Response:
    if first.request_hash != mark:
        raise Problem(422, "key-reused", "This Idempotency-Key stood for another call; use a new one.")
    if first.status is None:
        raise Problem(409, "still-running", "The first call still runs.", headers={"Retry-After": "2"})
    return Response(first.body or b"", first.status, media_type="application/json")


def _problem(error: CartbackError) -> Problem:
    """An error of ours as what the caller can do about it."""
    if isinstance(error, TooManyTries):
        return Problem(429, "too-many-tries", str(error), headers={"Retry-After": str(error.seconds)})
    if isinstance(error, WrongPassword):
        return Problem(401, "wrong-password", str(error))
    if isinstance(error, NotFound):
        return Problem(404, "not-found", str(error))
    if isinstance(error, SettingRefused | Refused):
        return Problem(422, "refused", str(error))
    return Problem(409, "refused", str(error))
