"""The map of the admin: the API, the pages of this machine, and who answers each address."""

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from admin import carts, conversations, deliveries, overview, signin
from admin.api import routes as api_routes


def routes() -> list[BaseRoute]:
    """The API, and the read-only pages, on this machine only and with a session."""
    return [
        api_routes.route(),
        Mount(
            "/admin/static",
            StaticFiles(packages=[("admin", "static")]),
            middleware=[Middleware(signin.LoopbackOnly)],
        ),
        Route("/admin/open/{token}", signin.open_link, methods=["GET"]),
        Route("/admin", signin.signed_in(overview.show), methods=["GET"]),
        Route("/admin/carts/{id:int}", signin.signed_in(carts.show), methods=["GET"]),
        Route("/admin/conversations", signin.signed_in(conversations.show), methods=["GET"]),
        Route("/admin/hooks", signin.signed_in(deliveries.show), methods=["GET"]),
    ]
