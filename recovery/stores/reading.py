"""How one hook is read: which links are the shop's own, which addresses are addresses, and what was dropped."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from recovery import money
from recovery.text import email_address

LONGEST_URL = 2048


@dataclass(slots=True)
class Reading:
    """How one hook is read: the hosts its links may name, the moment, and the warnings met on the way."""

    hosts: frozenset[str]
    occurred_at: datetime
    now: datetime
    warnings: list[dict[str, str]] = field(default_factory=list)

    def url(self, value: str | None, path: str) -> str | None:
        """``value`` if it is a link into the shop, else None and a warning."""
        if value is None:
            return None
        code = url_fault(value, self.hosts)
        if code:
            self.warnings.append({"path": path, "code": code})
            return None
        return value

    def email(self, value: str | None, path: str) -> str | None:
        """``value`` as one plain address, else None and a warning."""
        address = email_address(value) if value else None
        if value and address is None:
            self.warnings.append({"path": path, "code": "not_an_address"})
        return address


def digits_told(currency: str, told: int | None) -> int:
    return money.digits_of(currency) if told is None else told


def url_fault(value: str, hosts: frozenset[str]) -> str | None:
    """Why a link is none into the shop, as a code; None if it is one."""
    if len(value) > LONGEST_URL:
        return "url_too_long"
    # Browsers read a backslash as a slash, so the host they see is not the one that urlsplit sees.
    if re.search(r"[\\\s]", value):
        return "not_a_url"
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return "not_a_url"
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        return "url_not_https"
    return None if host in hosts and "@" not in parts.netloc else "url_host_unknown"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
