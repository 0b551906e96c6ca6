"""Magento's side of OAuth 1.0a: checks a signature over method, address as PHP sees it and decoded query."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from tests.magento.criteria import BadRequest
from tests.magento.http import Request


@dataclass
class Consumer:
    """An integration's four keys, and the nonces it has used."""

    key: str = "ckey00000000000000000000000000ck"
    secret: str = "csecret0000000000000000000000000"
    token: str = "tokn00000000000000000000000000tk"
    token_secret: str = "tsecret0000000000000000000000000"
    nonces: set[str] = field(default_factory=set)
    drops_port: bool = False


class Unauthorized(Exception):
    """A 401: the message and its parameters."""

    def __init__(self, message: str, parameters: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.parameters = parameters


def _escape(text: str) -> str:
    return quote(text, safe="-._~")


def signature(consumer: Consumer, method: str, url: str, pairs: list[tuple[str, str]]) -> str:
    """RFC 5849 with HMAC-SHA256."""
    joined = "&".join(f"{name}={value}" for name, value in sorted((_escape(n), _escape(v)) for n, v in pairs))
    base = "&".join([method, _escape(url), _escape(joined)])
    secret = f"{_escape(consumer.secret)}&{_escape(consumer.token_secret)}"
    return base64.b64encode(hmac.new(secret.encode(), base.encode(), hashlib.sha256).digest()).decode()


def check(consumer: Consumer, request: Request) -> None:
    """Raise what Magento answers unless the request is signed rightly and for the first time."""
    told = {n: unquote(v) for n, v in re.findall(r'(oauth_\w+)="([^"]*)"', request.headers.get("authorization", ""))}
    if told.get("oauth_signature_method") != "HMAC-SHA256":
        raise BadRequest("Signature method %1 is not supported", [told.get("oauth_signature_method")])
    if told.get("oauth_consumer_key") != consumer.key:
        raise Unauthorized("A consumer having the specified key does not exist")
    if told.get("oauth_token") != consumer.token:
        raise Unauthorized("Specified token does not exist")
    if told["oauth_nonce"] in consumer.nonces:
        raise Unauthorized("The nonce is already being used by the consumer with ID %1", ["1"])
    consumer.nonces.add(told["oauth_nonce"])
    host = request.headers["host"].lower()
    if consumer.drops_port:
        host = host.partition(":")[0]
    path = quote(unquote(request.path), safe="/-._~")
    # rawurldecode, as Magento: a + stays a +.
    query = [part.partition("=")[::2] for part in request.target.partition("?")[2].split("&") if part]
    pairs = [(unquote(name), unquote(value)) for name, value in query]
    pairs += [(name, value) for name, value in told.items() if name != "oauth_signature"]
    if signature(consumer, request.method, f"http://{host}{path}", pairs) != told.get("oauth_signature"):
        raise Unauthorized("The signature is invalid. Verify and try again.")
