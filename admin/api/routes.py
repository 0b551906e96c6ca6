"""The map of the API: every operation, the application that answers them, and its description."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from admin.api import (
    abandonment_actions,
    abandonments,
    analytics,
    audit,
    conversations,
    coupons,
    dashboard,
    emails,
    people,
    session,
    settings,
    stores,
    system,
    users,
)
from admin.api.dispatch import HEADERS, Dispatch
from admin.api.openapi import PREFIX, describe
from admin.api.operations import Operation
from admin.api.problems import Problem, respond
from recovery import db

log = structlog.get_logger()

OPERATIONS: tuple[Operation, ...] = (
    *session.api.declared,
    *dashboard.api.declared,
    *analytics.api.declared,
    *abandonments.api.declared,
    *abandonment_actions.api.declared,
    *emails.api.declared,
    *conversations.api.declared,
    *coupons.api.declared,
    *people.api.declared,
    *system.api.declared,
    *stores.api.declared,
    *settings.api.declared,
    *users.api.declared,
    *audit.api.declared,
)


def route() -> BaseRoute:
    """The API as one part of the web application, with errors of its own shape."""
    dispatch = Dispatch()
    document = describe(OPERATIONS, version("cartback"))

    async def description(request: Request) -> Response:
        return JSONResponse(document, headers=HEADERS)

    handlers: Mapping[Any, Any] = {HTTPException: _refused, 500: _broken} | dict.fromkeys(db.UNAVAILABLE, _away)
    application = Starlette(
        routes=[
            Route("/openapi.json", description, methods=["GET"]),
            *(dispatch.route(operation) for operation in OPERATIONS),
        ],
        exception_handlers=handlers,
    )
    return Mount(PREFIX, application)


async def _refused(request: Request, error: HTTPException) -> Response:
    return respond(Problem(error.status_code, "not-found" if error.status_code == 404 else "refused"))


async def _away(request: Request, error: Exception) -> Response:
    log.warning("database_away", error=db.describe(error))
    return respond(Problem(503, "database-away", headers={"Retry-After": "5"}))


async def _broken(request: Request, error: Exception) -> Response:
    log.error("broken", error=type(error).__name__, exc_info=error)
    return respond(Problem(500, "broken"))
