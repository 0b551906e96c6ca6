"""Composition root of the web process: every route, the shared state, the middleware and the error pages."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from admin import routes as admin_routes
from chatbot import routes as chat_routes
from chatbot import storefront
from recovery import db, health, hooks, links, pages, provider_events, sharing
from recovery.language import Texts
from recovery.logs import AccessLog

ASSETS = Path(__file__).parents[1] / "frontend" / "dist"

log = structlog.get_logger()


def create_app(state: Mapping[str, Any], more_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The web application over shared objects that the caller opened and will close (``state``, see ``State``)."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        yield dict(state)

    return Starlette(
        routes=[
            *health.routes(),
            *hooks.routes(),
            *provider_events.routes(),
            *links.routes(),
            *sharing.routes(),
            *chat_routes.routes(),
            *storefront.routes(),
            *admin_routes.routes(),
            Mount("/static", StaticFiles(packages=[("recovery", "static")])),
            # Only these are compressed: they hold nothing that is anybody's.
            Mount("/assets", StaticFiles(directory=ASSETS, check_dir=False), middleware=[Middleware(GZipMiddleware)]),
            *more_routes,
        ],
        lifespan=lifespan,
        middleware=[Middleware(AccessLog)],
        exception_handlers={404: _not_found, 500: _broken} | dict.fromkeys(db.UNAVAILABLE, _database_away),
    )


async def _not_found(request: Request, error: Exception) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return pages.page("refused", Texts(request.headers.get("accept-language", "en")[:2]), status=404)
    detail = error.detail if isinstance(error, HTTPException) else "Not Found"
    return JSONResponse({"title": detail, "status": 404}, 404)


async def _database_away(request: Request, error: Exception) -> Response:
    log.warning("database_away", error=db.describe(error))
    return JSONResponse(
        {"title": "The database is away for a moment; try again.", "status": 503}, 503, headers={"Retry-After": "5"}
    )


async def _broken(request: Request, error: Exception) -> Response:
    log.error("broken", error=type(error).__name__, exc_info=error)
    return JSONResponse({"title": "Something broke on our side; it is logged.", "status": 500}, 500)
