"""AUTH_MODE=open: no credentials on this machine, and nobody else's web page or machine in."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from pydantic import ValidationError

from shared.settings import DEV_SECRET, AuthMode, Settings, is_loopback
from tests.gateway.api import Api, Gateway, open_gateway
from tests.gateway.people import Person, stranger

ME = "/api/auth/me"
EVERYWHERE = ["0.0.0.0", "192.168.1.5", "::", "penstock.example", ""]  # noqa: S104  # they are refused


@pytest.fixture
async def opened(api: Api, settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway in open mode; there is an account already."""
    changes = {"auth_mode": AuthMode.OPEN, "allowed_origins": ("http://localhost:5173",)}
    async with open_gateway(settings.model_copy(update=changes)) as gateway:
        yield gateway


async def test_no_credentials_act_as_the_oldest_account(opened: Gateway) -> None:
    oldest = await opened.worker.fetchval("SELECT id FROM accounts ORDER BY created_at, id LIMIT 1")
    me = (await stranger(opened).get(ME)).json["data"]
    assert UUID(me["id"]) == oldest
    assert (me["role"], me["scopes"]) == ("admin", ["read", "write", "admin"])
    made = await stranger(opened).call("PATCH", ME, {"timezone": "Europe/Oslo"})
    assert made.json["data"]["timezone"] == "Europe/Oslo"
    assert (await stranger(opened).get("/api/v1/keys")).status == 200


async def test_credentials_go_before(opened: Gateway, api: Api) -> None:
    mine = Api(opened, api.account_id, api.key)
    assert (await mine.get(ME)).json["data"]["id"] == str(api.account_id)
    wrong = Api(opened, api.account_id, "ps_live_wrong")
    assert (await wrong.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")
    ada = await Person.sign_up(opened)
    by_cookie = await stranger(opened).get(ME, headers=ada.own)
    assert by_cookie.json["data"]["email"] == ada.email
    ended = await stranger(opened).get(ME, headers={"Cookie": "penstock_access=x.y.z"})
    assert ended.status == 200, "a cookie that is good no more is none"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": "10.0.0.7:{port}"},
        {"Host": "0.0.0.0:{port}"},
        {"Host": "[::"},
        {"Host": ""},
        {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Via": "1.1 proxy"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_other_pages_names_and_machines_stay_out(
    opened: Gateway, method: str, headers: dict[str, str]
) -> None:
    port = opened.url.rpartition(":")[2]
    sent = {name: value.format(port=port) for name, value in headers.items()}
    body = {"name": "Eve"} if method == "PATCH" else None
    answer = await stranger(opened).call(method, ME, body, headers=sent)
    assert answer.status in {400, 403}
    if answer.status == 403:
        assert answer.json["details"]["reason"] in {"not_local", "other_origin"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:{port}"},
        {"Host": "[::1]:{port}"},
        {"Host": "127.0.0.2"},
        {"Origin": "http://127.0.0.1:{port}"},
        {"Host": "localhost:{port}", "Origin": "http://localhost:{port}"},
        {"Origin": "http://localhost:5173"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_ones_own_pages_come_in(opened: Gateway, headers: dict[str, str]) -> None:
    port = opened.url.rpartition(":")[2]
    sent = {name: value.format(port=port) for name, value in headers.items()}
    assert (await stranger(opened).get(ME, headers=sent)).status == 200


async def test_live_connections_and_tickets_work_too(opened: Gateway) -> None:
    url = f"{opened.url}/api/v1/ws"
    ticket = (await stranger(opened).post("/api/v1/tickets")).json["ticket"]
    for address in (url, f"{url}?ticket={ticket}"):
        async with opened.http.ws_connect(address, headers={"Origin": opened.url}) as socket:
            await socket.send_json({"op": "ping"})
            assert (await socket.receive_json())["type"] == "pong"
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await opened.http.ws_connect(url, headers={"Origin": "https://evil.example"})


async def test_the_first_request_of_all_makes_the_account(
    settings: Settings, empty_open_database: Settings
) -> None:
    async with open_gateway(empty_open_database) as gateway:
        first, second = (await stranger(gateway).get(ME)), (await stranger(gateway).get(ME))
        assert first.json["data"]["name"] == "local"
        assert first.json["data"]["id"] == second.json["data"]["id"]
        assert await gateway.worker.fetchval("SELECT count(*) FROM accounts") == 1


@pytest.fixture
async def empty_open_database(api: Api, settings: Settings) -> AsyncIterator[Settings]:
    await api.gateway.worker.execute("DELETE FROM generations")
    await api.gateway.worker.execute("DELETE FROM accounts")
    yield settings.model_copy(update={"auth_mode": AuthMode.OPEN})
    await api.gateway.worker.execute("DELETE FROM accounts")


async def test_without_the_setting_nobody_comes_in(nobody: Api) -> None:
    assert (await nobody.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")


# The setting.


@pytest.mark.parametrize("host", EVERYWHERE)
def test_open_on_another_address_refuses_to_start(host: str) -> None:
    with pytest.raises(ValidationError, match="HOST must name a loopback address"):
        Settings(_env_file=None, auth_mode="open", host=host)


def test_open_behind_a_public_name_refuses_to_start() -> None:
    with pytest.raises(ValidationError, match="PUBLIC_BASE_URL must name a loopback address"):
        Settings(_env_file=None, auth_mode="open", public_base_url="https://penstock.example")


@pytest.mark.parametrize("unsafe", [{"auth_mode": "open"}, {"cheap_passwords": True}])
def test_production_refuses_what_is_for_laptops_and_tests(unsafe: dict[str, Any]) -> None:
    safe: dict[str, Any] = {"PENSTOCK_ENV": "production", "secret_key": "s" * 40, "s3_secret_access_key": "x" * 20,
            "encryption_master_key": b64encode(bytes(32)).decode()}  # fmt: skip
    Settings(_env_file=None, **safe)
    with pytest.raises(ValidationError, match=f"unsafe in production: {next(iter(unsafe))}"):
        Settings(_env_file=None, **safe, **unsafe)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost"])
def test_open_on_loopback_is_fine(host: str) -> None:
    assert Settings(_env_file=None, auth_mode="open", host=host).auth_mode is AuthMode.OPEN
    assert is_loopback(host)


def test_the_default_asks_for_credentials() -> None:
    assert Settings(_env_file=None).auth_mode is AuthMode.REQUIRED


def test_the_gateway_says_why_it_does_not_start() -> None:
    environment = os.environ | {"AUTH_MODE": "open", "HOST": EVERYWHERE[0], "SECRET_KEY": DEV_SECRET}
    ended = subprocess.run(
        [sys.executable, "-m", "gateway"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "HOST must name a loopback address such as 127.0.0.1, not '0.0.0.0'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert DEV_SECRET not in ended.stderr
