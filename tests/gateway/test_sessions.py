"""Sessions: access tokens, refreshing, cookies, how they end, and the live connections that they open."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from gateway.access_tokens import AUDIENCE, ISSUER, AccessTokens
from shared.crypto import derived_key
from shared.domains.accounts import Role
from shared.domains.sessions import MAX_LIVE, RefreshToken
from shared.ids import new_id
from shared.settings import Settings
from tests.gateway.api import Api, open_gateway
from tests.gateway.people import Person, cookies_of, stranger

ME, LOGIN, SIGNUP = "/api/auth/me", "/api/auth/login", "/api/auth/signup"
REFRESH, LOGOUT, PASSWORD_PATH = "/api/auth/refresh", "/api/auth/logout", "/api/auth/password"
SESSIONS = "/api/v1/sessions"
WRONG = "not the password"


@pytest.fixture
def forgetful(api: Api) -> Api:
    """A client whose gateway believes nobody for longer than a request."""
    api.gateway.deps.authenticator.forget(lambda _: True)
    return api


# Access tokens.


def _claims(person: Person, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(person.account_id), "sid": person.session_id, "jti": "j",
        "role": "user", "iat": now, "exp": now + 900,
    }  # fmt: skip
    return {name: value for name, value in (claims | changes).items() if value is not None}


def _signed(person: Person, claims: dict[str, Any], *, purpose: str = "access-token", **header: Any) -> str:
    server_key = person.gateway.deps.access_tokens.server_key
    key = OctKey.import_key(derived_key(server_key, purpose))
    return jwt.encode({"alg": "HS256", "typ": "at+jwt"} | header, claims, key, algorithms=["HS256", "HS512"])


def _unsigned(person: Person) -> str:
    parts = _signed(person, _claims(person)).split(".")
    # {"alg":"none","typ":"at+jwt"}
    return f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{parts[1]}."


async def test_what_is_forged_below_would_be_good_unforged(ada: Person) -> None:
    good = _signed(ada, _claims(ada))
    assert (await replace(ada.api, key=good).get(ME)).status == 200


@pytest.mark.parametrize(
    "forge",
    [
        _unsigned,
        lambda p: _signed(p, _claims(p, exp=int(time.time()) - 1)),
        lambda p: _signed(p, _claims(p, exp=None)),
        lambda p: _signed(p, _claims(p, aud="another")),
        lambda p: _signed(p, _claims(p, aud=None)),
        lambda p: _signed(p, _claims(p, iat=int(time.time()) + 600)),
        lambda p: _signed(p, _claims(p, nbf=int(time.time()) + 600)),
        lambda p: _signed(p, _claims(p, sub=str(new_id()))),
        lambda p: _signed(p, _claims(p, sid=str(new_id()))),
        lambda p: _signed(p, _claims(p, sid="x")),
        lambda p: _signed(p, _claims(p, sid=None)),
        lambda p: _signed(p, _claims(p), typ="JWT"),
        lambda p: _signed(p, _claims(p), alg="HS512"),
        lambda p: _signed(p, _claims(p), purpose="refresh"),
        lambda p: jwt.encode({"alg": "RS256"}, _claims(p), RSAKey.generate_key(2048)),
        lambda p: p.tokens["access_token"][:-2] + ("AA" if p.tokens["access_token"][-2:] != "AA" else "BB"),
        lambda p: p.tokens["access_token"] + ".x",
        lambda p: p.tokens["refresh_token"],
        lambda _: "eyJhbGciOiJIUzI1NiJ9..",
        lambda _: "a.b.c",
        lambda _: "\u00e9.\u00e9.\u00e9",
    ],
)
async def test_a_token_that_is_not_ours_or_not_good_is_refused(ada: Person, forge: Any) -> None:
    assert (await replace(ada.api, key=forge(ada)).get(ME)).problem[:2] == (401, "UNAUTHENTICATED")


async def test_another_installations_token_is_refused(ada: Person) -> None:
    other = AccessTokens("another-secret-that-is-long-enough-too")
    forged = other.issue(ada.account_id, new_id(), Role.ADMIN)
    assert (await replace(ada.api, key=forged).get(ME)).status == 401


async def test_the_token_says_what_it_should(ada: Person) -> None:
    server_key = ada.gateway.deps.access_tokens.server_key
    key = OctKey.import_key(derived_key(server_key, "access-token"))
    claims = jwt.decode(ada.tokens["access_token"], key, algorithms=["HS256"]).claims
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "role", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == ada.tokens["expires_in"] == 900


async def test_a_role_in_the_token_is_not_believed(ada: Person) -> None:
    forged = _signed(ada, _claims(ada, role="admin"))
    assert (await replace(ada.api, key=forged).get(ME)).json["data"]["role"] == "user"


# Refreshing.


async def _refresh(person: Person, token: str) -> Any:
    return await stranger(person.gateway).post(REFRESH, {"refresh_token": token})


async def test_each_refresh_gives_the_next_token(ada: Person) -> None:
    token, seen = ada.tokens["refresh_token"], set()
    for _ in range(3):
        answer = await _refresh(ada, token)
        assert answer.status == 200
        data = answer.json["data"]
        token = data["refresh_token"]
        seen |= {token}
        assert (await replace(ada.api, key=data["access_token"]).get(ME)).status == 200
        assert data["session_id"] == ada.session_id
    assert len(seen) == 3


async def test_a_refresh_token_used_twice_ends_the_session(ada: Person, bob: Person) -> None:
    stolen = ada.tokens["refresh_token"]
    thiefs = (await _refresh(ada, stolen)).json["data"]
    assert (await _refresh(ada, stolen)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await _refresh(ada, thiefs["refresh_token"])).problem[:2] == (401, "UNAUTHENTICATED")
    for token in (ada.tokens["access_token"], thiefs["access_token"]):
        assert (await replace(ada.api, key=token).get(ME)).problem[:2] == (401, "UNAUTHENTICATED")
    why = await ada.gateway.worker.fetchval(
        "SELECT revoked_why FROM sessions WHERE account_id = $1", ada.account_id
    )
    assert why == "reuse"
    assert (await bob.api.get(ME)).status == 200


async def test_of_many_who_refresh_at_once_one_wins_and_the_session_ends(ada: Person) -> None:
    answers = await asyncio.gather(*(_refresh(ada, ada.tokens["refresh_token"]) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 5


@pytest.mark.parametrize("change", ["expires_at = now()", "revoked_at = now()"])
async def test_a_session_that_has_ended_is_not_refreshed(ada: Person, forgetful: Api, change: str) -> None:
    await ada.gateway.worker.execute(f"UPDATE sessions SET {change} WHERE id = $1", ada.session_id)
    assert (await _refresh(ada, ada.tokens["refresh_token"])).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await ada.api.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")


async def test_what_is_no_refresh_token_of_ours_is_refused(ada: Person, nobody: Api) -> None:
    genuine = ada.tokens["refresh_token"]
    forged = RefreshToken(new_id(), ada.account_id, 0).text("another-secret-that-is-long-enough-too")
    for token in (
        "",
        "x",
        ("A" if genuine[0] != "A" else "B") + genuine[1:],
        forged,
        ada.tokens["access_token"],
    ):
        assert (await nobody.post(REFRESH, {"refresh_token": token})).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await nobody.post(REFRESH)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await _refresh(ada, genuine)).status == 200


# Cookies.


async def test_the_cookies_are_out_of_reach_of_scripts(ada: Person) -> None:
    access, refresh, csrf = (ada.cookies[f"penstock_{name}"] for name in ("access", "refresh", "csrf"))
    assert [one["httponly"] for one in (access, refresh, csrf)] == [True, True, ""]
    assert {one["samesite"] for one in (access, refresh, csrf)} == {"Lax"}
    assert [one["path"] for one in (access, refresh, csrf)] == ["/", "/api/auth", "/"]
    assert (access["max-age"], refresh["max-age"]) == ("900", str(30 * 86_400))
    assert access["secure"] == "", "the tests' gateway is reached by http"
    assert csrf.value == ada.tokens["csrf_token"]


async def test_over_https_cookies_are_secure(settings: Settings) -> None:
    changes = {"public_base_url": "https://penstock.example"}
    async with open_gateway(settings.model_copy(update=changes)) as gateway:
        person = await Person.sign_up(gateway)
        assert {morsel["secure"] for morsel in person.cookies.values()} == {True}
        same = {"Cookie": person.cookie, "Origin": "https://penstock.example"}
        assert (await stranger(gateway).call("PATCH", ME, {"name": "A"}, headers=same)).status == 200
        plain = {"Cookie": person.cookie, "Origin": gateway.url}
        assert (await stranger(gateway).call("PATCH", ME, {"name": "A"}, headers=plain)).status == 403


async def test_a_cookie_reads_from_any_page_and_writes_from_ours(ada: Person, nobody: Api) -> None:
    read = await nobody.get(ME, headers={"Cookie": ada.cookie})
    assert read.json["data"]["email"] == ada.email
    write = await nobody.call("PATCH", ME, {"name": "Ada L."}, headers=ada.own)
    assert write.json["data"]["name"] == "Ada L."


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "{url}.evil.example"}, False),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"X-CSRF-Token": "x"}, False),
        ({"X-CSRF-Token": ""}, False),
        ({"X-CSRF-Token": "{others}"}, False),
        ({"Referer": "{url}/"}, False),
        ({"Origin": "{url}"}, True),
        ({"Origin": "https://app.example"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"X-CSRF-Token": "{own}"}, True),
        ({"X-CSRF-Token": "{own}", "Origin": "https://evil.example"}, True),
    ],
)
async def test_a_write_by_cookie_shows_where_it_comes_from(
    ada: Person, bob: Person, nobody: Api, headers: dict[str, str], passes: bool
) -> None:
    known = {"url": ada.gateway.url, "own": ada.tokens["csrf_token"], "others": bob.tokens["csrf_token"]}
    sent = {name: value.format(**known) for name, value in headers.items()} | {"Cookie": ada.cookie}
    for method, path, body in (("PATCH", ME, {"name": "Eve"}), ("DELETE", f"{SESSIONS}/{new_id()}", None)):
        answer = await nobody.call(method, path, body, headers=sent)
        assert (answer.status != 403) is passes, answer.content
        if not passes:
            assert answer.json["details"]["reason"] == "csrf"


async def test_a_bearer_needs_no_origin_and_goes_before_the_cookie(ada: Person, bob: Person) -> None:
    sent = {"Cookie": bob.cookie, "Origin": "https://evil.example"}
    answer = await ada.api.call("PATCH", ME, {"name": "A"}, headers=sent)
    assert answer.json["data"]["email"] == ada.email


async def test_a_cookie_that_is_good_no_more_counts_as_none(ada: Person, nobody: Api) -> None:
    for value in ("", "x", _signed(ada, _claims(ada, exp=1)), _unsigned(ada)):
        answer = await nobody.get(ME, headers={"Cookie": f"penstock_access={value}"})
        assert answer.problem[:2] == (401, "UNAUTHENTICATED")


async def test_a_browser_refreshes_by_its_cookie_from_our_pages_only(ada: Person, nobody: Api) -> None:
    foreign = ada.own | {"Origin": "https://evil.example"}
    assert (await nobody.post(REFRESH, headers=foreign)).problem[:2] == (403, "FORBIDDEN")
    answer = await nobody.post(REFRESH, headers=ada.own)
    assert answer.status == 200
    assert answer.json["data"]["refresh_token"] is None, "a script has no use for it"
    fresh = cookies_of(answer)
    assert fresh["penstock_refresh"].value != ada.cookies["penstock_refresh"].value
    cookie = f"penstock_access={fresh['penstock_access'].value}"
    assert (await nobody.get(ME, headers={"Cookie": cookie})).status == 200


async def test_allowed_origins_may_send_cookies_and_others_may_not(nobody: Api) -> None:
    allowed = await nobody.get("/livez", headers={"Origin": "https://app.example"})
    assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
    other = await nobody.get("/livez", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Credentials" not in other.headers


# Signing out, and sessions.


async def test_logout_ends_the_session_and_takes_the_cookies_back(ada: Person, nobody: Api) -> None:
    elsewhere = await ada.sign_in()
    answer = await nobody.post(LOGOUT, headers=ada.own)
    assert answer.json == {"success": True, "data": None, "message": "Signed out."}
    assert {morsel["max-age"] for morsel in cookies_of(answer).values()} == {"0"}
    assert (await ada.api.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await _refresh(ada, ada.tokens["refresh_token"])).status == 401
    assert (await elsewhere.api.get(ME)).status == 200


async def test_logout_works_by_bearer_and_by_what_is_left_of_the_cookies(ada: Person, nobody: Api) -> None:
    assert (await ada.api.post(LOGOUT)).status == 200
    later = await ada.sign_in()
    refresh = f"penstock_refresh={later.cookies['penstock_refresh'].value}"
    answer = await nobody.post(LOGOUT, headers={"Cookie": refresh, "Origin": ada.gateway.url})
    assert answer.status == 200
    assert (await later.api.get(ME)).status == 401


async def test_nobody_is_logged_out_by_another_page_or_without_a_session(
    ada: Person, api: Api, nobody: Api
) -> None:
    foreign = ada.own | {"Origin": "https://evil.example"}
    assert (await nobody.post(LOGOUT, headers=foreign)).problem[:2] == (403, "FORBIDDEN")
    assert (await ada.api.get(ME)).status == 200
    assert (await nobody.post(LOGOUT)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await api.post(LOGOUT)).problem[:2] == (403, "FORBIDDEN")


async def test_sessions_are_listed_and_ended(ada: Person, bob: Person) -> None:
    laptop = await ada.sign_in()
    listed = (await ada.api.get(SESSIONS)).json["data"]
    assert [(one["id"], one["current"]) for one in listed] == [
        (laptop.session_id, False),
        (ada.session_id, True),
    ]
    assert listed[0]["address"] == "127.0.0.1"
    assert "aiohttp" in listed[0]["user_agent"]
    assert (await bob.api.delete(f"{SESSIONS}/{laptop.session_id}")).problem[:2] == (404, "NOT_FOUND")
    assert (await ada.api.delete(f"{SESSIONS}/{laptop.session_id}")).status == 204
    assert (await laptop.api.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await ada.api.delete(f"{SESSIONS}/{laptop.session_id}")).problem[:2] == (404, "NOT_FOUND")
    assert [one["id"] for one in (await ada.api.get(SESSIONS)).json["data"]] == [ada.session_id]


async def test_another_process_believes_a_revoked_session_for_five_seconds_at_most(
    ada: Person, settings: Settings
) -> None:
    async with open_gateway(settings) as other:
        there = replace(ada.api, gateway=other)
        assert (await there.get(ME)).status == 200
        assert (await ada.api.delete(f"{SESSIONS}/{ada.session_id}")).status == 204
        scheme = other.deps.authenticator._schemes[1]
        (until, _caller) = next(iter(scheme.beliefs._kept.values()))
        assert until - time.monotonic() <= 5
        scheme.beliefs._kept = {key: (0.0, who) for key, (_, who) in scheme.beliefs._kept.items()}
        assert (await there.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")


async def test_one_more_session_than_allowed_ends_the_idlest(ada: Person) -> None:
    await ada.gateway.worker.execute(
        "INSERT INTO sessions (id, account_id, last_used_at, expires_at) SELECT gen_random_uuid(), $1,"
        " now() + interval '1 second', now() + interval '1 day' FROM generate_series(2, $2)",
        ada.account_id,
        MAX_LIVE,
    )
    latest = await ada.sign_in()
    assert len((await latest.api.get(SESSIONS)).json["data"]) == MAX_LIVE
    ada.gateway.deps.authenticator.forget(lambda _: True)
    assert (await ada.api.get(ME)).status == 401


# Live connections.


async def test_a_session_draws_tickets(ada: Person, nobody: Api) -> None:
    generation_id = (await ada.api.submit())["id"]
    await ada.api.post(f"/api/v1/generations/{generation_id}/cancel")
    ticket = (await ada.api.post("/api/v1/tickets")).json["ticket"]
    path = f"/api/v1/generations/{generation_id}/events?ticket={ticket}"
    assert (await nobody.get(path)).status == 200
    assert (await nobody.get(path)).problem[:2] == (401, "UNAUTHENTICATED")
    last = (await ada.api.post("/api/v1/tickets")).json["ticket"]
    await ada.api.post(LOGOUT)
    assert (await nobody.get(path.replace(ticket, last))).problem[:2] == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("way", ["cookie", "protocol", "ticket"])
async def test_a_browser_opens_a_websocket(ada: Person, way: str) -> None:
    url = f"{ada.gateway.url}/api/v1/ws"
    headers = {"Origin": ada.gateway.url}
    if way == "cookie":
        headers["Cookie"] = ada.cookie
    if way == "ticket":
        url += "?ticket=" + (await ada.api.post("/api/v1/tickets")).json["ticket"]
    protocols = ("bearer", ada.tokens["access_token"]) if way == "protocol" else ()
    async with ada.gateway.http.ws_connect(url, headers=headers, protocols=protocols) as socket:
        await socket.send_json({"op": "ping"})
        assert (await socket.receive_json())["type"] == "pong"


async def test_another_page_opens_no_websocket_by_cookie(ada: Person) -> None:
    headers = {"Cookie": ada.cookie, "Origin": "https://evil.example"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await ada.gateway.http.ws_connect(f"{ada.gateway.url}/api/v1/ws", headers=headers)
    assert refused.value.status == 403


async def test_a_revoked_sessions_websocket_is_closed(ada: Person) -> None:
    headers = {"Cookie": ada.cookie, "Origin": ada.gateway.url}
    async with ada.gateway.http.ws_connect(f"{ada.gateway.url}/api/v1/ws", headers=headers) as socket:
        await ada.gateway.deps.hub.sweep()
        assert not socket.closed
        await ada.api.post(LOGOUT)
        await ada.gateway.deps.hub.sweep()
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4401
