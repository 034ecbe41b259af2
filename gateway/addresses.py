"""The network address that a request comes from."""

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

UNKNOWN = "unknown"


def client_address(request: web.Request, proxies: Sequence[IPv4Network | IPv6Network]) -> str:
    """The peer's, or what trusted `proxies` say of whom they speak for.

    X-Forwarded-For is read from its end: every proxy adds whom it got the request from, and what stands before
    the first address that is no proxy of ours may be anybody's invention.
    """
    address = request.remote or UNKNOWN
    if not proxies:
        return address
    hops = [hop.strip() for line in request.headers.getall("X-Forwarded-For", ()) for hop in line.split(",")]
    while hops and _is_among(address, proxies):
        address = hops.pop() or UNKNOWN
    return address[:64]


def _is_among(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
