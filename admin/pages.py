"""How the admin pages are drawn: their templates, headers, and money, times and addresses as people read them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from recovery.llm_errors import cause_words
from recovery.money import format_money, format_quantity
from recovery.pages import PRIVATE
from recovery.runtime import Runtime
from recovery.text import duration, mask_address, mask_addresses

#: Nothing from elsewhere, nothing that runs, nothing kept, nobody told where one came from.
HEADERS = PRIVATE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
LOCALE = "en"


@dataclass(frozen=True)
class Pager:
    """One page of a list: which one, how many there are, and where its neighbours are."""

    path: str
    number: int
    size: int
    total: int
    filters: dict[str, str]

    @property
    def pages(self) -> int:
        """How many pages there are, one at least."""
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.number - 1) * self.size

    def link(self, number: int) -> str:
        """The address of another page of the same list."""
        return f"{self.path}?{urlencode({**self.filters, 'page': number})}"


def page_number(request: Request) -> int:
    """``?page=`` as a number from 1; anything else is the first page."""
    told = request.query_params.get("page", "")
    return max(1, min(int(told), 1_000_000)) if told.isascii() and told.isdigit() else 1


def page(name: str, request: Request, *, status: int = 200, **context: object) -> HTMLResponse:
    """The page ``templates/<name>.html``."""
    runtime: Runtime = request.state.runtime
    body = (
        _environment()
        .get_template(f"{name}.html")
        .render(path=request.url.path, demo=runtime.settings.clock_file is not None, **context)
    )
    return HTMLResponse(body, status, headers=HEADERS)


def moment(at: datetime, zone: str = "UTC") -> Markup:
    """A time in a store's time zone, exact for programs and for whoever asks."""
    local = at.astimezone(ZoneInfo(zone))
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S} {zone}",
        f"{local:%d %b %Y, %H:%M}",
    )


def ago(at: datetime, now: datetime) -> str:
    """How long before ``now`` something was."""
    minutes = int((now - at).total_seconds() // 60)
    return f"{duration(minutes)} ago" if minutes > 0 else "just now"


def money(minor: int | None, currency: str, digits: int | None = None) -> str:
    """An amount, or a dash where there is none."""
    return "–" if minor is None else format_money(minor, currency, LOCALE, digits)


def words(code: str | None) -> str:
    """A code such as ``shipping_cost`` as words."""
    return (code or "–").replace("_", " ").replace("-", " ")


def address(value: str | None) -> str:
    """A masked e-mail address, or a dash."""
    return mask_address(value) if value else "–"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("admin"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=moment,
        money=money,
        words=words,
        address=address,
        hide=mask_addresses,
        cause=cause_words,
        quantity=lambda quantity: format_quantity(quantity, LOCALE),
    )
    environment.globals.update(ago=ago)
    return environment
