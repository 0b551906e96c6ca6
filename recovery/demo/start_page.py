"""The demo's start page, its clock and the page of what the shop told Cartback."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from recovery.clock import ShiftedClock
from recovery.demo.catalogue.model import Catalogue
from recovery.demo.hook_sender import HookSender
from recovery.demo.mailbox import Mailbox
from recovery.demo.views import Views, go, local_path, own_forms_only

_LONGEST_LEAP = 60 * 24 * 30


class StartPages:
    """The way in, and time that moves on request."""

    def __init__(
        self,
        views: Views,
        clock: ShiftedClock,
        sender: HookSender,
        mailbox: Mailbox,
        admin_url: str,
        catalogues: Mapping[str, Catalogue],
        *,
        trick: bool = False,
    ) -> None:
        self._views = views
        self._clock = clock
        self._sender = sender
        self._mailbox = mailbox
        self._admin_url = admin_url
        self._first_store = next(iter(catalogues))
        self._shops = _by_catalogue(catalogues)
        self._trick = trick

    def routes(self) -> list[Route]:
        return [
            Route("/", self.start),
            Route("/demo/clock", own_forms_only(self.move_clock), methods=["POST"]),
            Route("/shop/", self.shop),
            Route("/shop/hooks", self.hooks),
        ]

    async def start(self, request: Request) -> Response:
        values = {
            "lang": "en",
            "now": self._clock.now(),
            "ahead": self._clock.offset_seconds() // 60,
            "admin_url": self._admin_url,
            "shops": self._shops,
            "has_mail": bool(self._mailbox.newest()),
            "trick": self._trick,
        }
        return self._views.page("start.html.jinja", values)

    async def move_clock(self, request: Request) -> Response:
        """Form: minutes (1 to 43200), next (a page of this site)."""
        form = await request.form()
        told = str(form.get("minutes", ""))
        minutes = int(told) if told.isascii() and told.isdigit() and len(told) < 6 else 0
        if not 1 <= minutes <= _LONGEST_LEAP:
            return PlainTextResponse(f"minutes must be a whole number from 1 to {_LONGEST_LEAP}.", 422)
        self._clock.advance(minutes)
        return go(local_path(str(form.get("next", "")), "/"))

    async def shop(self, request: Request) -> Response:
        return RedirectResponse(f"/shop/{self._first_store}/", 307)

    async def hooks(self, request: Request) -> Response:
        values = {"lang": "en", "deliveries": self._sender.deliveries(), "waiting": self._sender.waiting()}
        return self._views.page("hooks.html.jinja", values)


def _by_catalogue(catalogues: Mapping[str, Catalogue]) -> list[dict[str, tuple[str, Catalogue]]]:
    """Each catalogue's stores by language, in the order the demo offers them."""
    shops: dict[str, dict[str, tuple[str, Catalogue]]] = {}
    for store, catalogue in catalogues.items():
        shops.setdefault(catalogue.code, {})[catalogue.language] = (store, catalogue)
    return list(shops.values())
