"""Where this process may connect to when a merchant names the address: not into its own network, unless told.

Every address that the name resolves to counts. Link-local addresses, and with them the metadata of cloud machines, are
refused always; private ones unless that is allowed; loopback, this machine's own, as whoever asks says. What was looked
at is what is connected to (``GuardedTransport``): a name can't lead elsewhere in between.
"""

import asyncio
import ipaddress
import socket
import ssl
from functools import cache
from urllib.parse import urlsplit

import httpx2

from recovery.errors import CartbackError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Metadata of clouds outside the link-local range.
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "168.63.129.16")))
_NAT64 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48")))
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")


class AddressRefused(CartbackError):
    """An address that nothing may be sent to; the message says why."""


class UnknownHost(AddressRefused):
    """A host that has no address."""


@cache
def _tls() -> ssl.SSLContext:
    """The roots of trust, read once: it takes longer than many a request."""
    return httpx2.create_ssl_context()


async def allowed_addresses(host: str, port: int, *, private: bool, loopback: bool) -> list[str]:
    """The addresses of ``host``, all of which may be connected to.

    Raises:
        UnknownHost: the name has no address.
        AddressRefused: one of its addresses may not be connected to.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(f"There is no host {host!r}.") from error
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    for address in addresses:
        # A scope such as %eth0 says only which way; the address is the same.
        parsed = ipaddress.ip_address(address.partition("%")[0])
        why = refusal_of(parsed, private=private)
        if why is None and _inner(parsed).is_loopback and not loopback:
            why = "it is this machine itself"
        if why is not None:
            raise AddressRefused(f"{host} is at {address}, which is no public address: {why}.")
    return addresses


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Looks a host up once per request and connects to just the address that was looked at.

    Otherwise a name could lead to a public address when it is checked and to a private one when it is used. Each host
    has connections of its own: two hosts at one address must not share one, since it was made for one of their names.
    """

    def __init__(self, *, private: bool, loopback: bool = True, limits: httpx2.Limits | None = None) -> None:
        self._private = private
        self._loopback = loopback
        self._limits = limits or httpx2.Limits()
        self._hosts: dict[str, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to an address of its host that may be connected to.

        Raises:
            AddressRefused: it has one that may not, or none.
        """
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await allowed_addresses(url.host, port, private=self._private, loopback=self._loopback)
        # IPv4 first: a host's IPv6 is the likelier to be half configured.
        address = min(addresses, key=lambda one: ":" in one)
        if url.host not in self._hosts:
            self._hosts[url.host] = httpx2.AsyncHTTPTransport(verify=_tls(), limits=self._limits)
        # The certificate is checked for the name, and the Host header has it already.
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=address)
        return await self._hosts[url.host].handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        for transport in self._hosts.values():
            await transport.aclose()


async def check_address(url: str, *, private: bool) -> None:
    """Nothing, if all that ``url`` leads to may be connected to; a name that nobody knows is left to the connection.

    Raises:
        AddressRefused: one of its addresses may not.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("its port is none") from None
    if not host:
        raise AddressRefused("it names no host")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for *_, place in found:
        # A scope such as %eth0 says only which way; the address is the same.
        why = refusal_of(ipaddress.ip_address(str(place[0]).partition("%")[0]), private=private)
        if why is not None:
            raise AddressRefused(why)


def refusal_of(address: Address, *, private: bool) -> str | None:
    """Why nothing may be sent to ``address``; None if it may."""
    address = _inner(address)
    if address in _METADATA or address.is_link_local:
        return "link-local and metadata addresses are never asked"
    if address.is_loopback:
        return None
    if address.is_multicast or address.is_unspecified or (address.is_reserved and not address.is_private):
        return "it is no address of a server"
    inside = not address.is_global or (isinstance(address, ipaddress.IPv4Address) and address in _SHARED)
    if inside and not private:
        return "private addresses need CARTBACK_ALLOW_PRIVATE_HOSTS"
    return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    compatible = address in _COMPATIBLE and int(address) > 0xFFFF
    if compatible or any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
