"""Where this process may connect to when a merchant names the address: not into its own network, unless told.

Every address that the name resolves to counts. Link-local addresses, and with them the metadata of cloud machines, are
refused always; private ones unless the environment allows them; loopback is this machine's own and allowed.
"""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from recovery.errors import CartbackError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Metadata of clouds outside the link-local range.
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "168.63.129.16")))
_NAT64 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48")))
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")


class AddressRefused(CartbackError):
    """An address that nothing may be sent to; the message says why."""


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
