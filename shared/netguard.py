"""Where a URL that somebody else chose may lead: public addresses only.

`check_url` answers early, when a request is admitted. What holds is the check at connect time, because a name
can resolve differently a second later (DNS rebinding): `public_connector` refuses the address itself, whether
it came from DNS, from a redirect, or stood in the URL.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from shared.errors import InvalidInput

DNS_TIMEOUT_S = 2.0
MAX_URL_LENGTH = 2000

# IETF protocol assignments: not all of them count as private in the standard library.
_ASSIGNMENTS = ipaddress.ip_network("192.0.0.0/24")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_6TO4 = ipaddress.ip_network("2002::/16")
_COMPATIBLE = ipaddress.ip_network("::/96")


class PrivateAddress(OSError):
    """The name or URL leads to an address that is not public. An OSError, as resolvers must raise."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet; text that is no address is not.

    Private, loopback, link-local (cloud metadata), carrier-grade NAT, multicast, reserved and unspecified
    ranges are not, nor any IPv6 form that embeds such an IPv4 address.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        inner = _embedded(parsed)
        if inner is not None:
            return is_public(str(inner))
        if parsed.is_site_local:
            return False
    elif parsed in _ASSIGNMENTS:
        return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for (mapped, compatible, 6to4, NAT64)."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _6TO4:
        return address.sixtofour
    if address in _NAT64 or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


async def check_url(url: str, *, field: str, allow_private: bool = False) -> None:
    """Raises InvalidInput (422, with the field) unless `url` is https and leads to public addresses.

    With `allow_private`, http and private addresses pass too. A name server that does not answer in time is
    no reason to refuse: the check at connect time follows.
    """
    parsed = _parse(url, field)
    if parsed.scheme not in (("https", "http") if allow_private else ("https",)):
        raise InvalidInput("The URL must begin with https://.", field=field, status=422)
    if parsed.user is not None or parsed.password is not None:
        raise InvalidInput("The URL must not hold a user name or password.", field=field, status=422)
    if not allow_private:
        await _check_host(parsed, field)


def _parse(url: str, field: str) -> URL:
    try:
        parsed = URL(url)
        usable = len(url) <= MAX_URL_LENGTH and bool(parsed.host) and parsed.port is not None
    except ValueError:
        usable = False
    if not usable or any(character.isspace() or ord(character) < 32 for character in url):
        raise InvalidInput("This is not a usable URL.", field=field, status=422)
    return parsed


async def _check_host(url: URL, field: str) -> None:
    assert url.host is not None  # noqa: S101  # `_parse` made sure
    try:
        async with asyncio.timeout(DNS_TIMEOUT_S):
            found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return
    except (socket.gaierror, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            return
        raise InvalidInput(f"The host {url.host} is not known.", field=field, status=422) from None
    if not all(is_public(str(info[4][0])) for info in found):
        raise InvalidInput("The URL leads to a private address.", field=field, status=422)


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that have an address which is not public.

    It never sees an address that stands in a URL, so it is not enough alone: use `public_connector`.
    """

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises PrivateAddress, and OSError when the name is not known."""
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(result["host"]) for result in found):
            raise PrivateAddress(f"{host} leads to a private address")
        return found

    async def close(self) -> None:
        await self._inner.close()


def public_connector(*, allow_private: bool = False, **options: Any) -> TCPConnector:
    """A connector that opens sockets to public addresses only, whatever the URL or a redirect says.

    Requests through it fail with aiohttp.ClientConnectorError, whose `os_error` is a PrivateAddress.
    """
    if allow_private:
        return TCPConnector(**options)
    return TCPConnector(resolver=PublicResolver(), socket_factory=_public_socket, **options)


def _public_socket(info: Sequence[Any]) -> socket.socket:
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddress(f"{address[0]} is not a public address")
    return socket.socket(family, kind, protocol)
