"""Where the process may connect on a merchant's word: public addresses; private ones only by explicit permission."""

import asyncio
import socket
import ssl
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx2

from recovery.errors import CartbackError

_NAT64 = IPv6Network("64:ff9b::/96")


@cache
def _tls() -> ssl.SSLContext:
    """The roots of trust, read once: it takes longer than many a request."""
    return httpx2.create_ssl_context()


class UnknownHost(CartbackError):
    """A host that has no address."""


class AddressRefused(CartbackError):
    """A host that leads into a private network without permission."""


async def public_addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of ``host``, all of which may be connected to.

    Raises:
        UnknownHost: the name has no address.
        AddressRefused: one of its addresses is private and that was not permitted.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(f"There is no host {host!r}.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not allow_private and not is_public(ip_address(address.partition("%")[0])):
            raise AddressRefused(f"{host} is at {address}, a private address.")
    return addresses


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the open Internet, also when it is wrapped into IPv6."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


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
        addresses = await public_addresses(url.host, port, allow_private=self._allow_private)
        # IPv4 first: a shop's IPv6 is the likelier to be half configured.
        address = min(addresses, key=lambda one: ":" in one)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=address)
        return await super().handle_async_request(request)
