"""The edge to mail providers: their own webhooks, checked as each of them signs in, taken as reports of mails."""

import base64
import hmac
import secrets
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from recovery import db, mail_events, provider_reports
from recovery.errors import CartbackError
from recovery.hooks import Refused, find_connection, read_body
from recovery.models import Connection, MailProvider
from recovery.provider_reports import PROVIDERS, WITH_PASSWORD, Provider
from recovery.runtime import Runtime
from recovery.secrets import Vault
from recovery.text import email_address

USER = "cartback"
# Amazon SNS shows its password only after it was asked for one.
_WHO = {"WWW-Authenticate": 'Basic realm="cartback"'}

log = structlog.get_logger()


def routes() -> list[BaseRoute]:
    """``POST /events/{provider}/{connection}``."""
    return [Route("/events/{provider}/{connection}", receive, methods=["POST"])]


async def add(vault: Vault, connection: Connection, provider: Provider, key: str | None, now: datetime) -> str | None:
    """Let a provider report, by the key it signs with or a fresh password, which is returned.

    Raises:
        CartbackError: a key is missing or not wanted.
    """
    if (provider in WITH_PASSWORD) != (key is None):
        raise CartbackError("Mailgun needs its webhook signing key (--key -); the others get a password from here.")
    secret = key or secrets.token_urlsafe(24)
    values = {"secret": vault.seal(secret), "confirm_url": None, "created_at": now}
    await MailProvider.update_or_create(connection_id=connection.id, kind=provider, defaults=values)
    return secret if key is None else None


async def receive(request: Request) -> Response:
    """Take what a provider tells; 200 once it is stored and acted on, else the provider sends it again."""
    runtime: Runtime = request.state.runtime
    provider = next((known for known in PROVIDERS if known == request.path_params["provider"]), None)
    connection = await find_connection(request.path_params["connection"])
    row = await MailProvider.get_or_none(connection=connection, kind=provider) if connection and provider else None
    try:
        body = await read_body(request)
    except Refused as refused:
        return JSONResponse({"errors": refused.errors}, refused.status)
    document = _document(body)
    if connection is None or provider is None or row is None or not _is_genuine(runtime, row, request, document):
        return JSONResponse({"title": "This provider may not report here.", "status": 401}, 401, headers=_WHO)
    try:
        return await _take(runtime, connection, provider, row, document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # Not the text, which would quote what was sent.
        log.warning("provider.not_understood", provider=provider, error=type(error).__name__)
        return JSONResponse({"title": f"This is no event of {provider}.", "status": 422}, 422)


async def _take(
    runtime: Runtime, connection: Connection, provider: Provider, row: MailProvider, document: Any
) -> Response:
    confirm = provider_reports.confirmation(provider, document)
    if confirm is not None:
        await MailProvider.filter(id=row.id).update(confirm_url=confirm)
        return JSONResponse({"reports": 0})
    told = provider_reports.read(provider, document)
    for one in told:
        address = email_address(one.address)
        person = runtime.keys.email_hash(address) if address else None
        async with db.in_transaction():
            await mail_events.take(connection.id, replace(one.report, person=person), runtime.now())
    if told and row.confirm_url is not None:
        await MailProvider.filter(id=row.id).update(confirm_url=None)
    return JSONResponse({"reports": len(told)})


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _is_genuine(runtime: Runtime, row: MailProvider, request: Request, document: Any) -> bool:
    secret = runtime.keys.vault.open(row.secret)
    if row.kind not in WITH_PASSWORD:
        return provider_reports.is_signed_by_mailgun(secret, document)
    expected = "Basic " + base64.b64encode(f"{USER}:{secret}".encode()).decode()
    return hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode())
