"""Tokens of trusted issuers: whose are believed, what becomes of their people, and where keys are read."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError

from shared.settings import ClaimNames, Settings, TrustedIssuer
from tests.emulators.base import Effect
from tests.emulators.oidc import OpenIdIssuer, SigningKey, new_ec_key, new_rsa_key, sign
from tests.gateway.api import Api, Gateway, open_gateway
from tests.gateway.people import Person, stranger

ME = "/api/auth/me"
KEYS = (new_rsa_key("rsa-1"), new_ec_key("ec-1"))
STRANGERS = new_rsa_key("rsa-1")


@pytest.fixture
async def issuer() -> AsyncIterator[OpenIdIssuer]:
    emulator = OpenIdIssuer()
    emulator.keys = list(KEYS)
    async with emulator:
        yield emulator


@pytest.fixture
async def gateway(settings: Settings, issuer: OpenIdIssuer) -> AsyncIterator[Gateway]:
    """A gateway that trusts the emulated issuer, found by discovery."""
    async with open_gateway(_trusting(settings, issuer)) as opened:
        yield opened
        await opened.worker.execute("DELETE FROM accounts WHERE id IN (SELECT account_id FROM identities)")


def _trusting(settings: Settings, issuer: OpenIdIssuer, /, **changes: Any) -> Settings:
    trusted = {"issuer": issuer.url, "audience": "penstock", "algorithms": ("RS256", "ES256")} | changes
    return settings.model_copy(
        update={"trusted_issuers": (TrustedIssuer(**trusted),), "allow_private_urls": True}
    )


def _client(gateway: Gateway, token: str) -> Api:
    return Api(gateway, stranger(gateway).account_id, token)


async def _status(gateway: Gateway, token: str) -> int:
    return (await _client(gateway, token).get(ME)).status


@pytest.mark.parametrize("key", KEYS, ids=["RS256", "ES256"])
async def test_first_sight_makes_the_account(gateway: Gateway, issuer: OpenIdIssuer, key: SigningKey) -> None:
    token = issuer.token(key=key, email="Ada@Id.example", name="Ada", picture="https://img.example/a.png")
    ada = _client(gateway, token)
    me = (await ada.get(ME)).json["data"]
    assert (me["email"], me["name"], me["avatar_url"]) == (
        "ada@id.example",
        "Ada",
        "https://img.example/a.png",
    )
    again = await _client(gateway, issuer.token(jti="another", email="new@id.example")).get(ME)
    assert (again.json["data"]["id"], again.json["data"]["email"]) == (me["id"], "ada@id.example")
    other = await _client(gateway, issuer.token("bob")).get(ME)
    assert other.json["data"]["id"] != me["id"]
    rows = await gateway.worker.fetch("SELECT issuer, subject, account_id FROM identities ORDER BY subject")
    assert [(row["issuer"], row["subject"]) for row in rows] == [(issuer.url, "ada"), (issuer.url, "bob")]
    assert (await ada.get("/api/v1/generations")).json["data"] == []


async def test_many_first_sights_at_once_make_one_account(gateway: Gateway, issuer: OpenIdIssuer) -> None:
    tokens = [issuer.token(jti=str(n), email="ada@id.example") for n in range(8)]
    seen = await asyncio.gather(*(_client(gateway, token).get(ME) for token in tokens))
    assert len({answer.json["data"]["id"] for answer in seen}) == 1
    assert await gateway.worker.fetchval("SELECT count(*) FROM identities") == 1


async def test_an_email_address_that_is_taken_is_not_taken_over(
    gateway: Gateway, issuer: OpenIdIssuer
) -> None:
    ada = await Person.sign_up(gateway)
    me = (await _client(gateway, issuer.token(email=ada.email, email_verified=True)).get(ME)).json["data"]
    assert me["id"] != str(ada.account_id)
    assert me["email"].endswith("@identity.invalid")


async def test_they_do_what_others_do(gateway: Gateway, issuer: OpenIdIssuer) -> None:
    await Person.sign_up(gateway)
    ada = _client(gateway, issuer.token())
    me = (await ada.get(ME)).json["data"]
    assert (me["role"], me["scopes"]) == ("user", ["read", "write", "admin"])
    assert (await ada.call("PATCH", ME, {"timezone": "Asia/Tokyo"})).status == 200
    ticket = (await ada.post("/api/v1/tickets")).json["ticket"]
    url = f"{gateway.url}/api/v1/ws?ticket={ticket}"
    async with gateway.http.ws_connect(url) as socket:
        await socket.send_json({"op": "ping"})
        assert (await socket.receive_json())["type"] == "pong"
    changed = {"current_password": "x", "new_password": "correct horse battery"}
    assert (await ada.post("/api/auth/password", changed)).problem[:2] == (409, "CONFLICT")
    assert (await ada.post("/api/auth/logout")).problem[:2] == (403, "FORBIDDEN")


async def test_a_suspended_person_is_refused(gateway: Gateway, issuer: OpenIdIssuer) -> None:
    token = issuer.token()
    account_id = (await _client(gateway, token).get(ME)).json["data"]["id"]
    await gateway.worker.execute("UPDATE accounts SET status = 'suspended' WHERE id = $1", account_id)
    assert await _status(gateway, issuer.token(jti="later")) == 401


# What is refused.


def _in(seconds: int) -> int:
    return int(time.time()) + seconds


def _without_signature(issuer: OpenIdIssuer) -> str:
    claims = issuer.token().split(".")[1]
    return f"eyJhbGciOiJub25lIiwia2lkIjoicnNhLTEifQ.{claims}."  # {"alg":"none","kid":"rsa-1"}


def _signed_with_the_public_key(issuer: OpenIdIssuer) -> str:
    """The classic confusion: what is published, used as a shared secret."""
    claims = issuer.token().split(".")[1]
    signed = f"eyJhbGciOiJIUzI1NiIsImtpZCI6InJzYS0xIn0.{claims}"  # {"alg":"HS256","kid":"rsa-1"}
    mac = hmac.digest(KEYS[0].as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "forge",
    [
        _without_signature,
        _signed_with_the_public_key,
        lambda i: i.token(aud="another"),
        lambda i: i.token(aud=["another", "third"]),
        lambda i: i.token(aud=None),
        lambda i: i.token(iss="https://evil.example"),
        lambda i: i.token(iss=i.url + "/"),
        lambda i: i.token(iss=None),
        lambda i: i.token(exp=_in(-1)),
        lambda i: i.token(exp=None),
        lambda i: i.token(exp="never"),
        lambda i: i.token(nbf=_in(120)),
        lambda i: i.token(iat=_in(120)),
        lambda i: i.token(""),
        lambda i: i.token("a\0b"),
        lambda i: i.token("x" * 256),
        lambda i: i.token(sub=None),
        lambda i: i.token(sub=7),
        lambda i: i.token(key=STRANGERS),
        lambda i: sign({"iss": i.url, "sub": "a", "aud": "penstock", "exp": _in(9)}, KEYS[0], kid="unknown"),
        lambda i: sign({"iss": i.url, "sub": "a", "aud": "penstock", "exp": _in(9)}, KEYS[0], kid="ec-1"),
        lambda i: i.token()[:-4] + "AAAA",
        lambda i: ".".join([*i.token("ada").split(".")[:1], *i.token("eve").split(".")[1:2], "x"]),
    ],
)
async def test_the_forged_and_the_misdirected_get_the_plain_401(
    gateway: Gateway, issuer: OpenIdIssuer, forge: Any
) -> None:
    answer = await _client(gateway, forge(issuer)).get(ME)
    assert answer.problem == (401, "UNAUTHENTICATED", None)
    assert answer.json["message"] == "This token is not valid: it is altered, expired, or not meant for us."
    assert answer.json["details"] == {}
    assert await gateway.worker.fetchval("SELECT count(*) FROM identities") == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["other", "penstock"]},
        {"nbf": 10, "iat": 10},
        {"nbf": _in(5), "iat": _in(5)},
        {"email": "no address"},
        {"email": {"a": 1}, "name": 7},
    ],
)
async def test_the_unusual_is_taken(gateway: Gateway, issuer: OpenIdIssuer, claims: dict[str, Any]) -> None:
    assert await _status(gateway, issuer.token(**claims)) == 200


async def test_an_algorithm_must_be_listed_for_the_issuer(settings: Settings, issuer: OpenIdIssuer) -> None:
    async with open_gateway(_trusting(settings, issuer, algorithms=("RS256",))) as gateway:
        assert await _status(gateway, issuer.token(key=KEYS[0])) == 200
        assert await _status(gateway, issuer.token(key=KEYS[1])) == 401


async def test_an_authorized_party_stands_in_for_an_audience(
    settings: Settings, issuer: OpenIdIssuer
) -> None:
    changes = {"audience": (), "authorized_parties": ("https://app.example",)}
    async with open_gateway(_trusting(settings, issuer, **changes)) as gateway:
        assert await _status(gateway, issuer.token(aud=None, azp="https://app.example")) == 200
        assert await _status(gateway, issuer.token(aud=None, azp="https://evil.example")) == 401
        assert await _status(gateway, issuer.token(aud=None)) == 401


async def test_claims_are_found_where_the_issuer_puts_them(settings: Settings, issuer: OpenIdIssuer) -> None:
    names = ClaimNames(name="user_metadata.full_name", email="contact.mail")
    async with open_gateway(_trusting(settings, issuer, claims=names)) as gateway:
        token = issuer.token("carl", user_metadata={"full_name": "Carl"}, contact={"mail": "carl@id.example"})
        me = (await _client(gateway, token).get(ME)).json["data"]
        await gateway.worker.execute("DELETE FROM accounts WHERE id = $1", me["id"])
    assert (me["name"], me["email"]) == ("Carl", "carl@id.example")


async def test_nobody_is_trusted_unless_listed(api: Api, issuer: OpenIdIssuer) -> None:
    assert await _status(api.gateway, issuer.token()) == 401
    assert issuer.seen("keys") == []


# Keys.


async def test_keys_are_read_once(gateway: Gateway, issuer: OpenIdIssuer) -> None:
    for n in range(5):
        assert await _status(gateway, issuer.token(jti=str(n))) == 200
    assert (len(issuer.seen("configuration")), len(issuer.seen("keys"))) == (1, 1)


async def test_a_new_key_is_found_and_an_unknown_one_asked_for_once(
    gateway: Gateway, issuer: OpenIdIssuer
) -> None:
    assert await _status(gateway, issuer.token()) == 200
    unknown = new_rsa_key("rsa-9")
    for n in range(3):
        assert await _status(gateway, issuer.token(jti=str(n), key=unknown)) == 401
    assert len(issuer.seen("keys")) == 2
    fresh = new_rsa_key("rsa-2")
    issuer.keys = [fresh]
    assert await _status(gateway, issuer.token(key=fresh)) == 200
    assert len(issuer.seen("keys")) == 3
    assert await _status(gateway, issuer.token(jti="late", key=KEYS[0])) == 401, "withdrawn"


async def test_invented_keys_are_no_way_to_trouble_the_issuer(gateway: Gateway, issuer: OpenIdIssuer) -> None:
    claims = {"iss": issuer.url, "sub": "a", "aud": "penstock", "exp": _in(600)}
    tokens = [sign(claims, STRANGERS, kid=f"invented-{n}") for n in range(30)]
    assert {await _status(gateway, token) for token in tokens} == {401}
    assert len(issuer.seen("keys")) <= 10


async def test_old_keys_serve_while_the_issuer_is_away(
    gateway: Gateway, issuer: OpenIdIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await _status(gateway, issuer.token()) == 200
    keys = gateway.deps.authenticator._schemes[2].issuers[issuer.url].keys  # type: ignore[attr-defined]
    monkeypatch.setattr("gateway.published_keys.PAUSE_S", 0.0)
    monkeypatch.setattr(keys, "_stale_at", float("-inf"))
    issuer.faults.add("configuration", Effect.REFUSE, status=503)
    assert await _status(gateway, issuer.token(jti="later")) == 200
    assert len(issuer.seen("configuration")) == 2


async def test_without_any_key_it_may_come_again(gateway: Gateway, issuer: OpenIdIssuer) -> None:
    issuer.faults.add("keys", Effect.REFUSE, status=503)
    answer = await _client(gateway, issuer.token()).get(ME)
    assert answer.problem[:2] == (503, "UNAVAILABLE")


async def test_keys_at_a_private_address_are_not_read(settings: Settings, issuer: OpenIdIssuer) -> None:
    careful = _trusting(settings, issuer).model_copy(update={"allow_private_urls": False})
    async with open_gateway(careful) as gateway:
        assert await _status(gateway, issuer.token()) == 503
    assert list(issuer.requests) == []


async def test_a_configuration_of_somebody_else_is_not_followed(
    settings: Settings, issuer: OpenIdIssuer
) -> None:
    async with OpenIdIssuer() as other:
        trusted = {"issuer": f"{issuer.url}/"}
        async with open_gateway(_trusting(settings, issuer, **trusted)) as gateway:
            assert await _status(gateway, issuer.token(iss=f"{issuer.url}/")) == 503
    assert other.seen("keys") == issuer.seen("keys") == []


# The setting.


def _settings(*issuers: dict[str, Any], **more: Any) -> Settings:
    return Settings(_env_file=None, trusted_issuers=issuers, **more)


GOOD = {"issuer": "https://id.example", "audience": "penstock"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"audience": ""},
        {"audience": []},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"issuer": "http://id.example"},
        {"jwks_uri": "http://id.example/keys"},
        {"surprise": 1},
    ],
)
def test_an_issuer_that_cannot_be_trusted_is_refused_at_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _settings(GOOD | wrong)


def test_an_issuer_is_listed_once() -> None:
    with pytest.raises(ValidationError):
        _settings(GOOD, GOOD | {"audience": "another"})


def test_the_setting_is_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_ISSUERS", json.dumps([GOOD | {"claims": {"name": "nickname"}}]))
    (trusted,) = Settings(_env_file=None).trusted_issuers
    assert (trusted.audiences, trusted.algorithms) == (("penstock",), ("RS256",))
    assert (trusted.claims.name, trusted.claims.email) == ("nickname", "email")
