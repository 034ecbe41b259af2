"""Where foreign URLs may lead."""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.errors import InvalidInput
from shared.netguard import PrivateAddress, PublicResolver, check_url, is_public, public_connector


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "localhost",
        "",
    ],
)
def test_every_other_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://localhost/",
        "https://localhost./",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://169.254.169.254/latest/",
        "https://no-such-host.invalid/",
        "http://1.1.1.1/",
        "gopher://1.1.1.1/",
        "https://a:b@1.1.1.1/",
        "https:///path",
        "https://1.1.1.1:99999/",
        "https://1.1.1.1/a b",
        "//1.1.1.1/",
        "1.1.1.1",
        "",
        "https://1.1.1.1/" + "x" * 2000,
    ],
)
async def test_a_url_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await check_url(url, field="input.image")
    assert (refused.value.http_status, refused.value.field) == (422, "input.image")


async def test_a_public_url_passes() -> None:
    await check_url("https://1.1.1.1/a.png?b=c", field="input.image")


async def test_closed_networks_may_allow_private_urls() -> None:
    await check_url("http://127.0.0.1:9000/a.png", field="input.image", allow_private=True)
    with pytest.raises(InvalidInput):
        await check_url("file:///etc/passwd", field="input.image", allow_private=True)


class Rebinding(AbstractResolver):
    """A name server that gives a public address first and the loopback ever after."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        address = "1.1.1.1" if self.asked == 1 else "127.0.0.1"
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


async def test_a_name_that_is_rebound_is_refused() -> None:
    resolver = PublicResolver(Rebinding())
    assert (await resolver.resolve("evil.example", 443))[0]["host"] == "1.1.1.1"
    with pytest.raises(PrivateAddress):
        await resolver.resolve("evil.example", 443)


@pytest.fixture
async def inside() -> AsyncIterator[str]:
    """A server on the loopback, which nobody outside should reach through us."""

    async def secret(_: web.Request) -> web.Response:
        return web.Response(text="secret")

    app = web.Application()
    app.router.add_get("/", secret)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_connector_opens_no_private_connection(inside: str, host: str) -> None:
    async with aiohttp.ClientSession(connector=public_connector()) as http:
        with pytest.raises(aiohttp.ClientConnectorError) as refused:
            await http.get(inside.replace("127.0.0.1", host))
    assert isinstance(refused.value.os_error, PrivateAddress)


async def test_the_connector_can_be_told_to_allow_it(inside: str) -> None:
    async with (
        aiohttp.ClientSession(connector=public_connector(allow_private=True)) as http,
        http.get(inside) as answer,
    ):
        assert await answer.text() == "secret"
