"""Signing up, in and out; refreshing; sessions; and who is let in how often."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher

from shared.domains.accounts import Role, Scope
from shared.domains.passwords import Verdict
from shared.settings import Settings, SignupMode
from tests.gateway.api import Api, Gateway, Response, open_gateway
from tests.gateway.people import PASSWORD, Person, stranger

ME, LOGIN, SIGNUP = "/api/auth/me", "/api/auth/login", "/api/auth/signup"
REFRESH, LOGOUT, PASSWORD_PATH = "/api/auth/refresh", "/api/auth/logout", "/api/auth/password"
SESSIONS = "/api/v1/sessions"
WRONG = "not the password"


@pytest.fixture
def forgetful(api: Api) -> Api:
    """A client whose gateway believes nobody for longer than a request."""
    api.gateway.deps.authenticator.forget(lambda _: True)
    return api


# Signing up and in.


async def test_who_signs_up_is_signed_in(ada: Person) -> None:
    answer = await ada.api.get(ME)
    assert answer.json["success"] is True
    assert answer.headers["Content-Type"] == "application/json"
    me = answer.json["data"]
    assert (me["email"], me["name"], me["role"], me["timezone"]) == (ada.email, "Ada", "user", "UTC")
    assert me["scopes"] == ["read", "write", "admin"]
    assert (await ada.api.submit())["status"] == "queued"
    assert "password" not in answer.content.decode()


async def test_the_account_is_made_with_its_user(ada: Person) -> None:
    row = await ada.gateway.worker.fetchrow(
        "SELECT a.name, u.password_hash FROM users u JOIN accounts a USING (id) WHERE id = $1", ada.account_id
    )
    assert row is not None
    assert row["name"] == "Ada"
    assert row["password_hash"].startswith("$argon2id$")


async def test_an_email_address_signs_up_once_however_it_is_written(ada: Person) -> None:
    body = {"email": f" {ada.email.upper()} ", "password": PASSWORD}
    assert (await stranger(ada.gateway).post(SIGNUP, body)).problem == (409, "CONFLICT", "email")
    signed_in = await stranger(ada.gateway).post(LOGIN, body)
    assert signed_in.json["data"]["user"]["email"] == ada.email
    made = await asyncio.gather(
        *(
            stranger(ada.gateway).post(SIGNUP, {"email": f"{name}@twins.example", "password": PASSWORD})
            for name in ("Eve", "eve", "EVE")
        )
    )
    assert sorted(answer.status for answer in made) == [201, 409, 409]


async def test_the_first_of_an_installation_is_its_admin(api: Api) -> None:
    await api.gateway.worker.execute("DELETE FROM accounts WHERE id IN (SELECT id FROM users)")
    several = await asyncio.gather(*(Person.sign_up(api.gateway) for _ in range(4)))
    assert sorted(person.tokens["user"]["role"] for person in several) == ["admin", "user", "user", "user"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": PASSWORD}, "email"),
        ({"email": "ada", "password": PASSWORD}, "email"),
        ({"email": "ada@", "password": PASSWORD}, "email"),
        ({"email": "a b@c.example", "password": PASSWORD}, "email"),
        ({"email": f"{'a' * 250}@c.example", "password": PASSWORD}, "email"),
        ({"email": "ada@c.example", "password": "2short!"}, "password"),
        ({"email": "ada@c.example", "password": "x" * 501}, "password"),
        ({"email": "ada@c.example", "password": PASSWORD, "role": "admin"}, "role"),
        ({"email": "ada@c.example", "password": PASSWORD, "name": " "}, "name"),
    ],
)
async def test_a_wrong_field_of_a_signup_is_named_and_not_echoed(
    nobody: Api, body: dict[str, Any], field: str
) -> None:
    answer = await nobody.post(SIGNUP, body)
    assert answer.problem == (422, "INVALID_INPUT", field)
    assert body.get("password", "-").encode() not in answer.content


async def test_closed_means_that_nobody_signs_up(settings: Settings) -> None:
    async with open_gateway(settings.model_copy(update={"signup": SignupMode.CLOSED})) as gateway:
        answer = await stranger(gateway).post(SIGNUP, {"email": "a@b.example", "password": PASSWORD})
    assert answer.problem[:2] == (403, "FORBIDDEN")


async def test_a_wrong_password_and_an_unknown_address_are_told_apart_by_nobody(ada: Person) -> None:
    wrong, unknown = [
        await stranger(ada.gateway).post(LOGIN, {"email": email, "password": "not the password"})
        for email in (ada.email, "nobody@people.example")
    ]
    assert wrong.problem == unknown.problem == (401, "UNAUTHENTICATED", None)
    same = {"error", "message", "details", "title", "detail"}
    assert {key: wrong.json[key] for key in same} == {key: unknown.json[key] for key in same}


async def test_an_unknown_address_costs_a_check_too(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    passwords = ada.gateway.deps.passwords
    original = passwords._check

    def check(stored: str, given: str) -> Verdict:
        checked.append(stored)
        return original(stored, given)

    monkeypatch.setattr(passwords, "_check", check)
    await stranger(ada.gateway).post(LOGIN, {"email": "nobody@people.example", "password": PASSWORD})
    await stranger(ada.gateway).post(LOGIN, {"email": ada.email, "password": "not the password"})
    unknown, known = checked
    assert unknown.split("$")[:4] == known.split("$")[:4], "by the same parameters"


async def test_a_hash_of_other_parameters_is_renewed_at_login(ada: Person) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    worker = ada.gateway.worker
    await worker.execute("UPDATE users SET password_hash = $2 WHERE id = $1", ada.account_id, old)
    await ada.sign_in()
    renewed = await worker.fetchval("SELECT password_hash FROM users WHERE id = $1", ada.account_id)
    assert renewed != old
    assert "t=1" in renewed
    await ada.sign_in()


async def test_a_suspended_account_neither_signs_in_nor_goes_on(ada: Person, forgetful: Api) -> None:
    worker = ada.gateway.worker
    await worker.execute("UPDATE accounts SET status = 'suspended' WHERE id = $1", ada.account_id)
    body = {"email": ada.email, "password": PASSWORD}
    assert (await stranger(ada.gateway).post(LOGIN, body)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await ada.api.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")
    refreshed = await stranger(ada.gateway).post(REFRESH, {"refresh_token": ada.tokens["refresh_token"]})
    assert refreshed.problem[:2] == (401, "UNAUTHENTICATED")


# Attempts.


@pytest.fixture
async def strict(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway with low limits, at which nobody has failed yet."""
    changes = {"login_attempts_per_account": 3, "login_attempts_per_address": 6}
    async with open_gateway(settings.model_copy(update=changes)) as gateway:
        await gateway.worker.execute("DELETE FROM login_attempts")
        yield gateway
        await gateway.worker.execute("DELETE FROM login_attempts")


async def _try(gateway: Gateway, email: str, password: str = WRONG) -> int:
    return (await stranger(gateway).post(LOGIN, {"email": email, "password": password})).status


async def test_logins_are_limited_per_account(strict: Gateway) -> None:
    ada, bob = await Person.sign_up(strict), await Person.sign_up(strict)
    assert sorted([await _try(strict, ada.email) for _ in range(3)]) == [401] * 3
    blocked = await stranger(strict).post(LOGIN, {"email": ada.email.upper(), "password": PASSWORD})
    assert blocked.problem[:2] == (429, "RATE_LIMITED")
    assert 800 < int(blocked.headers["Retry-After"]) <= 900
    assert await _try(strict, bob.email, PASSWORD) == 200
    assert (await ada.api.get(ME)).status == 200, "who is signed in stays so"
    await strict.worker.execute("UPDATE login_attempts SET ends_at = now()")
    assert await _try(strict, ada.email, PASSWORD) == 200


async def test_logins_are_limited_per_address_of_the_network(strict: Gateway) -> None:
    tried = [await _try(strict, f"guess{n}@people.example") for n in range(8)]
    assert tried == [401] * 6 + [429] * 2


async def test_attempts_at_once_are_counted_one_by_one(strict: Gateway) -> None:
    ada = await Person.sign_up(strict)
    tried = await asyncio.gather(*(_try(strict, ada.email) for _ in range(10)))
    assert sorted(tried) == [401] * 3 + [429] * 7


async def test_success_is_forgiven(strict: Gateway) -> None:
    ada = await Person.sign_up(strict)
    for _ in range(3):
        assert [await _try(strict, ada.email), await _try(strict, ada.email, PASSWORD)] == [401, 200]
    assert await strict.worker.fetchval("SELECT max(tries) FROM login_attempts") == 3
    kept = await strict.worker.fetch("SELECT subject FROM login_attempts")
    assert all(ada.email.encode() not in row["subject"] for row in kept)


# Me.


async def test_me_is_changed_in_parts(ada: Person, bob: Person) -> None:
    answer = await ada.api.call(
        "PATCH", ME, {"timezone": "Europe/Berlin", "avatar_url": "https://img.example/a.png"}
    )
    me = answer.json["data"]
    assert (me["name"], me["timezone"], me["avatar_url"]) == (
        "Ada",
        "Europe/Berlin",
        "https://img.example/a.png",
    )
    own = f"/api/v1/assets/{UUID(int=1)}/thumbnail"
    drawn = (await ada.api.call("PATCH", ME, {"avatar_url": own})).json["data"]
    assert drawn["avatar_url"] == own
    cleared = (await ada.api.call("PATCH", ME, {"avatar_url": None})).json["data"]
    assert (cleared["avatar_url"], cleared["timezone"]) == (None, "Europe/Berlin")
    assert (await bob.api.get(ME)).json["data"]["timezone"] == "UTC"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"avatar_url": "javascript:alert(1)"}, "avatar_url"),
        ({"avatar_url": "http://img.example/a.png"}, "avatar_url"),
        ({"avatar_url": "/api/v1/assets/../../secret/file"}, "avatar_url"),
        ({"email": "eve@people.example"}, "email"),
        ({"role": "admin"}, "role"),
    ],
)
async def test_what_may_not_be_said_of_me_is_refused(ada: Person, body: dict[str, Any], field: str) -> None:
    assert (await ada.api.call("PATCH", ME, body)).problem == (422, "INVALID_INPUT", field)


async def test_an_account_without_a_user_is_somebody_too(api: Api) -> None:
    me = (await api.get(ME)).json["data"]
    assert (me["id"], me["email"], me["name"]) == (str(api.account_id), None, "test")
    changed = await api.call("PATCH", ME, {"name": "Lab", "timezone": "Asia/Tokyo"})
    assert (changed.json["data"]["name"], changed.json["data"]["timezone"]) == ("Lab", "Asia/Tokyo")
    picture = {"avatar_url": "https://img.example/a.png"}
    assert (await api.call("PATCH", ME, picture)).problem == (409, "CONFLICT", "avatar_url")


async def test_a_new_password_ends_the_other_sessions(ada: Person) -> None:
    elsewhere = await ada.sign_in()
    body = {"current_password": PASSWORD, "new_password": "another good password"}
    assert (await ada.api.post(PASSWORD_PATH, body)).status == 200
    assert (await ada.api.get(ME)).status == 200
    assert (await elsewhere.api.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")
    old = await stranger(ada.gateway).post(LOGIN, {"email": ada.email, "password": PASSWORD})
    assert old.status == 401
    await ada.sign_in("another good password")


async def test_the_current_password_must_be_right_and_tries_are_counted(strict: Gateway) -> None:
    ada = await Person.sign_up(strict)
    body = {"current_password": "not the password", "new_password": "another good password"}
    tried = [(await ada.api.post(PASSWORD_PATH, body)).status for _ in range(4)]
    assert tried == [422, 422, 422, 429]


async def test_an_account_without_a_password_has_none_to_change(api: Api) -> None:
    body = {"current_password": PASSWORD, "new_password": "another good password"}
    assert (await api.post(PASSWORD_PATH, body)).problem[:2] == (409, "CONFLICT")


# Roles.


async def test_a_viewer_looks_and_writes_nothing(ada: Person) -> None:
    key = (await ada.api.post("/api/v1/keys", {"name": "k", "scopes": ["admin"]})).json["key"]
    viewer = (await ada.become("viewer")).api
    for client in (viewer, replace(viewer, key=key)):
        assert (await client.get(ME)).json["data"]["role"] == "viewer"
        assert (await client.get("/api/v1/generations")).status == 200
        for method, path, body in (
            ("POST", "/api/v1/generations", {}),
            ("PATCH", ME, {"name": "x"}),
            ("DELETE", f"{SESSIONS}/{ada.session_id}", None),
            ("POST", PASSWORD_PATH, {}),
            ("POST", "/api/v1/keys", {"name": "k"}),
        ):
            answer = await client.call(method, path, body)
            assert answer.problem[:2] == (403, "FORBIDDEN"), path
    assert (await viewer.post(LOGOUT)).status == 200


@pytest.mark.parametrize(("role", "passes"), [("user", False), ("operator", False), ("admin", True)])
async def test_prices_are_for_the_admins_of_the_installation(ada: Person, role: str, passes: bool) -> None:
    person = await ada.become(role)
    answer = await person.api.post("/api/v1/prices:diff", {"prices": []})
    assert (answer.status != 403) is passes
    if not passes:
        assert answer.json["details"] == {"required": "admin"}
    key = (await person.api.post("/api/v1/keys", {"name": "k", "scopes": ["admin"]})).json["key"]
    by_key = await replace(person.api, key=key).post("/api/v1/prices:diff", {"prices": []})
    assert (by_key.status != 403) is passes, "a key is no more than its owner"
    weak = (await person.api.post("/api/v1/keys", {"name": "k", "scopes": ["write"]})).json["key"]
    assert (await replace(person.api, key=weak).get(ME)).json["data"]["role"] == "user"


def test_scopes_of_roles() -> None:
    assert Role.VIEWER.scopes == {Scope.READ}
    assert all(role.scopes == set(Scope) for role in Role if role is not Role.VIEWER)
    assert [role for role in Role if role.covers(Role.OPERATOR)] == [Role.OPERATOR, Role.ADMIN]


async def test_sign_ups_are_limited_per_network_address(settings: Settings, api: Api) -> None:
    changes = {"signups_per_address": 2, "trusted_proxies": (ip_network("127.0.0.0/8"),)}
    async with open_gateway(settings.model_copy(update=changes)) as gateway:

        async def sign_up(address: str) -> Response:
            body = {"email": f"{uuid4().hex}@people.example", "password": PASSWORD}
            return await stranger(gateway).post(SIGNUP, body, headers={"X-Forwarded-For": address})

        here, same = "2001:db8:7:8::1", "2001:db8:7:8:9::2"
        assert [(await sign_up(at)).status for at in (here, same)] == [201, 201]
        refused = await sign_up(here)
        assert refused.problem[:2] == (429, "RATE_LIMITED")
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
        assert (await sign_up("2001:db8:7:9::1")).status == 201
