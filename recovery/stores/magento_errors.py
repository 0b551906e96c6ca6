"""Why Magento was not of use: one error tree with causes that a merchant can read, made from any answer.

MagentoError (a ShopError)
├── MagentoAway       down, too slow, unreachable, or asking for patience; it may work later
├── NotAllowed        401: the token or its signature was refused, or a right is missing
├── NotThere          404: what was asked for does not exist
├── RequestRefused    400: Magento does not take the request
├── MagentoBroken     500: this one thing can't be read
└── NotMagento        the address answers, but not as Magento's REST interface
"""

import re
from enum import StrEnum
from typing import Any

import orjson

from recovery.stores.base import ShopAway, ShopError

_LONGEST = 300


class Cause(StrEnum):
    """Why, in words."""

    ACCESS_REFUSED = "access refused"
    SIGNATURE_REFUSED = "signature refused"
    MISSING = "not there"
    REQUEST_REFUSED = "request refused"
    FAILS = "fails on this"
    DOWN = "the shop is down"
    MAINTENANCE = "the shop is in maintenance"
    TOO_SLOW = "too slow"
    TOO_MANY = "asks for fewer requests"
    UNREACHABLE = "not reachable from here"
    PRIVATE = "a private address"
    NOT_MAGENTO = "not Magento's REST interface"
    MOVED = "the address has moved"

    @property
    def advice(self) -> str:
        """What the merchant can do about it."""
        return _ADVICE[self]


_BEARER = (
    "Check that the token is that of an active integration and that its rights are ticked. Since 2.4.4 Magento also "
    "refuses such tokens until Stores > Configuration > Services > OAuth > Consumer Settings > Allow OAuth Access "
    "Tokens to be used as standalone Bearer tokens is Yes; or connect again with --oauth, which needs no switch."
)
_ADVICE = {
    Cause.ACCESS_REFUSED: _BEARER,
    Cause.SIGNATURE_REFUSED: "Check the four keys of the integration, and that this machine's clock is right.",
    Cause.MISSING: "Nothing to do: it was deleted meanwhile.",
    Cause.REQUEST_REFUSED: "This version of Magento does not take what Cartback asks; please report it.",
    Cause.FAILS: "Magento's own log (var/log/exception.log) says why.",
    Cause.DOWN: "Nothing to do if it comes back: Cartback goes on by itself.",
    Cause.MAINTENANCE: "Nothing to do: Cartback goes on when the maintenance ends.",
    Cause.TOO_SLOW: "Nothing to do if it passes; else ask the host of the shop.",
    Cause.TOO_MANY: "Nothing to do: Cartback waits. If it stays, allow this server in the shop's firewall.",
    Cause.UNREACHABLE: "Check the address, and that this machine may connect to it.",
    Cause.PRIVATE: "If the shop really is in your own network, connect with --allow-private.",
    Cause.NOT_MAGENTO: "The address must be the shop's base URL, as in Stores > Configuration > Web; a firewall or a "
    "login page in front of /rest must let this server through.",
    Cause.MOVED: "Connect with the address that the shop redirects to.",
}


class MagentoError(ShopError):
    """An answer of no use; ``detail`` is Magento's own words, with their placeholders filled."""

    def __init__(self, cause: Cause, detail: str = "", *, status: int = 0, resource: str | None = None) -> None:
        super().__init__(f"Magento: {cause}: {detail}" if detail else f"Magento: {cause}")
        self.cause = cause
        self.detail = detail
        self.status = status
        self.resource = resource


class MagentoAway(MagentoError, ShopAway):
    """It may work later."""

    def __init__(self, cause: Cause, detail: str = "", *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(cause, detail, status=status)
        self.retry_after = retry_after


class NotAllowed(MagentoError):
    """The token, its signature or a right; ``resource`` is the right that was asked for, if told."""


class NotThere(MagentoError):
    """What was asked for does not exist."""


class RequestRefused(MagentoError):
    """Magento does not take the request."""


class MagentoBroken(MagentoError):
    """Magento fails on this one thing."""


class NotMagento(MagentoError):
    """Something else answers at this address."""


def refusal(status: int, body: bytes, content_type: str, retry_after: str | None = None) -> MagentoError:
    """An answer other than 200 with JSON, read as one of ours."""
    document = _parsed(body)
    words = _words(document)
    if status in {429, 502, 503, 504}:
        return MagentoAway(_away(status), f"HTTP {status}", status=status, retry_after=_seconds(retry_after))
    if 300 <= status < 400:
        return NotMagento(Cause.MOVED, f"HTTP {status}", status=status)
    if document is None:
        return _page(status, content_type)
    if status == 401:
        resource = _resource(document)
        return NotAllowed(
            Cause.ACCESS_REFUSED if resource else Cause.SIGNATURE_REFUSED, words, status=401, resource=resource
        )
    if status == 404:
        if "Request does not match any route" in words:
            return NotMagento(Cause.NOT_MAGENTO, words, status=404)
        return NotThere(Cause.MISSING, words, status=404)
    if status >= 500:
        return MagentoBroken(Cause.FAILS, words or f"HTTP {status}", status=status)
    if "Signature method" in words or "oauth_" in words:
        return NotAllowed(Cause.SIGNATURE_REFUSED, words, status=status)
    return RequestRefused(Cause.REQUEST_REFUSED, words or f"HTTP {status}", status=status)


def _away(status: int) -> Cause:
    return {429: Cause.TOO_MANY, 503: Cause.MAINTENANCE, 504: Cause.TOO_SLOW}.get(status, Cause.DOWN)


def _page(status: int, content_type: str) -> MagentoError:
    """An answer that is no JSON: a page of the shop, of its firewall or of a proxy."""
    kind = content_type.partition(";")[0] or "no content type"
    if status >= 500:
        return MagentoBroken(Cause.FAILS, f"HTTP {status} with {kind}", status=status)
    return NotMagento(Cause.NOT_MAGENTO, f"HTTP {status} with {kind}", status=status)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _words(document: Any) -> str:
    """Magento's message with its placeholders filled, whichever of its shapes it has."""
    if not isinstance(document, dict):
        return ""
    fatal = document.get("messages")
    if isinstance(fatal, dict):
        errors = fatal.get("error")
        return (
            "; ".join(str(e.get("message")) for e in errors if isinstance(e, dict)) if isinstance(errors, list) else ""
        )
    parts = [document, *(document.get("errors") or [])]
    told = [filled(str(p.get("message", "")), p.get("parameters")) for p in parts if isinstance(p, dict)]
    return " ".join(told)[:_LONGEST]


def filled(message: str, parameters: Any) -> str:
    """``message`` with ``%name`` and ``%1`` replaced; what has no parameter stays as it is."""
    if isinstance(parameters, list):
        values = {str(number): value for number, value in enumerate(parameters, 1)}
    else:
        values = parameters if isinstance(parameters, dict) else {}
    return re.sub(r"%(\w+)", lambda m: str(values.get(m[1], m[0])), message)


def _resource(document: Any) -> str | None:
    parameters = document.get("parameters") if isinstance(document, dict) else None
    return str(parameters["resources"]) if isinstance(parameters, dict) and "resources" in parameters else None


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.strip().isdigit() else None
