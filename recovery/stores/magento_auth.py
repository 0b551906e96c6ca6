"""How a request to Magento is authorised: an integration's token as a bearer, or OAuth 1.0a with HMAC-SHA256."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from urllib.parse import quote, unquote, urlsplit

import orjson

Pairs = Sequence[tuple[str, str]]
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, repr=False)
class Credentials:
    """The keys of an integration; only ``token`` is needed where bearers are allowed."""

    token: str
    token_secret: str | None = None
    consumer_key: str | None = None
    consumer_secret: str | None = None

    def sealed_form(self) -> str:
        """As one text, to be encrypted."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_sealed_form(cls, text: str) -> "Credentials":
        return cls(**orjson.loads(text))


def authorization(credentials: Credentials, method: str, url: str, query: Pairs, *, with_port: bool = True) -> str:
    """The value of the Authorization header; ``url`` without its query, which comes as raw pairs."""
    if credentials.consumer_key is None:
        return f"Bearer {credentials.token}"
    told = {
        "oauth_consumer_key": credentials.consumer_key,
        "oauth_token": credentials.token,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": secrets.token_hex(16),
        "oauth_version": "1.0",
    }
    told["oauth_signature"] = signature(credentials, method, url, [*query, *told.items()], with_port=with_port)
    return "OAuth " + ",".join(f'{name}="{_escape(value)}"' for name, value in told.items())


def signature(credentials: Credentials, method: str, url: str, pairs: Pairs, *, with_port: bool = True) -> str:
    """RFC 5849 as Magento reads it: the path decoded and written anew, ``%2F`` as a slash.

    Args:
        with_port: some web servers hide the port from PHP, and Magento then signs without it.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if with_port and parts.port and parts.port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{parts.port}"
    address = f"{parts.scheme}://{host}{quote(unquote(parts.path), safe='/-._~')}"
    joined = "&".join(f"{name}={value}" for name, value in sorted((_escape(n), _escape(v)) for n, v in pairs))
    base = "&".join([method.upper(), _escape(address), _escape(joined)])
    key = f"{_escape(credentials.consumer_secret or '')}&{_escape(credentials.token_secret or '')}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _escape(text: str) -> str:
    return quote(text, safe="-._~")
