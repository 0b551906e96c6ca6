"""What the shop remembers about one browser, in one signed cookie."""

from dataclasses import dataclass, field

from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

_COOKIE = "demo_shop"
_DAYS = 30
_ORDERS = 10


@dataclass
class Visit:
    """One browser: its cart and account per store, and what it may see.

    ``typed`` are carts whose e-mail was typed here: only then is the address shown in full again.
    """

    carts: dict[str, str] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)


_SHAPE = TypeAdapter(Visit)


class Sessions:
    """Reads and writes the cookie; a changed or foreign one counts as none."""

    def __init__(self, key: str, base_url: str) -> None:
        self._serializer = URLSafeSerializer(key, salt="demo shop session")
        self._secure = base_url.startswith("https:")

    def read(self, request: Request) -> Visit:
        try:
            return _SHAPE.validate_python(self._serializer.loads(request.cookies.get(_COOKIE, "")))
        except (BadSignature, ValidationError):
            return Visit()

    def write(self, response: Response, visit: Visit) -> None:
        visit.typed, visit.orders = visit.typed[-_ORDERS:], visit.orders[-_ORDERS:]
        response.set_cookie(
            _COOKIE,
            self._serializer.dumps(_SHAPE.dump_python(visit)),
            max_age=_DAYS * 86400,
            path="/shop",
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )
