"""Renders the demo's pages and puts the security headers on them."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from recovery.demo.catalogue.model import Variant
from recovery.demo.prices import format_amount, format_price, unit_of

_FOLDER = Path(__file__).parent / "templates"
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

Handler = Callable[[Request], Awaitable[Response]]


class Views:
    """The templates with the few functions they use."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["price"] = format_price
        self._templates.globals["amount"] = format_amount
        self._templates.globals["unit"] = unit_of
        self._templates.filters["when"] = _when
        self._templates.filters["pieces"] = _pieces

    def page(self, template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
        content = self._templates.get_template(template).render(values)
        return HTMLResponse(content, status, headers=_HEADERS)


def go(path: str) -> RedirectResponse:
    """On to another page after a POST."""
    return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})


def own_forms_only(handler: Handler) -> Handler:
    """Let a POST through only when it comes from a page of this site or from no browser at all."""

    async def guarded(request: Request) -> Response:
        site = request.headers.get("sec-fetch-site", "none")
        origin = request.headers.get("origin", "")
        foreign = bool(origin) and urlsplit(origin).netloc != request.headers.get("host")
        if site not in {"none", "same-origin"} or foreign:
            return PlainTextResponse("This form was sent from another site, so nothing was changed.", 403)
        return await handler(request)

    return guarded


def local_path(path: str, otherwise: str) -> str:
    """``path`` when it stays on this site, else ``otherwise``."""
    parts = urlsplit(path)
    stays = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if stays else otherwise


def _pieces(variant: Variant, stock: Callable[[Variant], int]) -> int:
    """The variant's stock, as a filter so that a template can sum it."""
    return stock(variant)


def _when(moment: datetime, language: str = "en") -> str:
    return format_datetime(moment, "d MMM y, HH:mm", locale=language)
