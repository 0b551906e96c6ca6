"""The map of the admin page: every address and who answers it."""

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from admin import carts, conversations, deliveries, overview, signin


def routes() -> list[BaseRoute]:
    """The read-only pages, on this machine only and with a session."""
    return [
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
