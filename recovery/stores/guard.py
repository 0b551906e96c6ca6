"""Connects a connector to its shop: only to an address that was looked at, private ones by permission."""

import asyncio
import socket
import ssl
from functools import cache
from ipaddress import ip_address

import httpx2

from recovery.outgoing import AddressRefused, refusal_of


class UnknownHost(AddressRefused):
    """A host that has no address."""


@cache
def _tls() -> ssl.SSLContext:
    """The roots of trust, read once: it takes longer than many a request."""
    return httpx2.create_ssl_context()


async def allowed_addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of ``host``, all of which may be connected to.

    Raises:
        UnknownHost: the name has no address.
        AddressRefused: one of its addresses is private and that was not permitted, or never is.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(f"There is no host {host!r}.") from error
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    for address in addresses:
        parsed = ip_address(address.partition("%")[0])
        # Unlike a model's server, a shop on this very machine needs permission too.
        if refusal_of(parsed, private=allow_private) or (parsed.is_loopback and not allow_private):
            raise AddressRefused(f"{host} is at {address}, which is no public address.")
    return addresses


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """Looks a host up once per request and connects to just the address that was looked at.

    Otherwise a name could lead to a public address when it is checked and to a private one when it is used.
    """

    def __init__(self, *, allow_private: bool, limits: httpx2.Limits) -> None:
        super().__init__(verify=_tls(), limits=limits)
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await allowed_addresses(url.host, port, allow_private=self._allow_private)
        # IPv4 first: a shop's IPv6 is the likelier to be half configured.
        address = min(addresses, key=lambda one: ":" in one)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=address)
        return await super().handle_async_request(request)
