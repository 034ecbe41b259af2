"""Who may ask what: every operation refuses nobody, a bad key, and a key without the scope."""

import re
from dataclasses import replace

import pytest

from gateway.http import Operation
from gateway.openapi import plain_path
from gateway.routes import OPERATIONS
from shared.crypto import new_api_key
from shared.domains.accounts import Scope
from tests.gateway.api import Api

GUARDED = [op for op in OPERATIONS if op.scope is not None]
UNGUARDED = [op for op in OPERATIONS if op.scope is None]
PROVES_ITSELF = {"Callbacks", "Files", "Identity"}
"""Tags of operations whose URL, password or token says who asks: their own tests see to them."""
PUBLIC = [op for op in UNGUARDED if op.tag not in PROVES_ITSELF]
SOME_ID = "01960000-0000-7000-8000-000000000000"


def _path(op: Operation) -> str:
    known = plain_path(op.path).replace("{id}", SOME_ID).replace("{n}", "0").replace("{code}", "not-found")
    return re.sub(r"\{\w+\}", "x", known)


def _name(op: Operation) -> str:
    return op.name


def test_only_health_and_documents_are_public() -> None:
    assert {op.tag for op in PUBLIC} == {"Health", "About"}
    assert not any(op.path.startswith("/api/v1") for op in PUBLIC)
    others = {op.path for op in UNGUARDED if op.tag == "Identity"}
    assert others == {f"/api/auth/{word}" for word in ("signup", "login", "refresh", "logout")}


@pytest.mark.parametrize("op", PUBLIC, ids=_name)
async def test_public_operations_need_no_key(nobody: Api, op: Operation) -> None:
    assert (await nobody.call(op.method, _path(op))).status in {200, 302, 503}


@pytest.mark.parametrize("op", GUARDED, ids=_name)
async def test_nobody_is_refused(nobody: Api, op: Operation) -> None:
    answer = await nobody.call(op.method, _path(op))
    assert answer.problem[:2] == (401, "UNAUTHENTICATED")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="penstock"'


@pytest.mark.parametrize("op", [op for op in GUARDED if op.scope is not Scope.READ], ids=_name)
async def test_a_key_without_the_scope_is_refused(api: Api, op: Operation) -> None:
    weaker = Scope.WRITE if op.scope is Scope.ADMIN else Scope.READ
    answer = await (await api.with_key(weaker)).call(op.method, _path(op))
    assert answer.problem[:2] == (403, "FORBIDDEN")
    assert answer.json["details"]["required"] == op.scope


def _typo(key: str) -> str:
    return key[:20] + ("A" if key[20] != "A" else "B") + key[21:]


async def test_credentials_that_are_none_are_refused(api: Api, nobody: Api) -> None:
    assert api.key is not None
    for header in (
        f"Bearer {_typo(api.key)}",
        f"Bearer {new_api_key().text}",
        f"Bearer {api.key[:-1]}",
        f"Bearer {api.key}x",
        "Bearer ",
        "Bearer",
        f"Basic {api.key}",
        api.key,
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ):
        answer = await nobody.get("/api/v1/models", headers={"Authorization": header})
        assert answer.problem[:2] == (401, "UNAUTHENTICATED"), header


async def test_a_key_elsewhere_is_no_key(api: Api, nobody: Api) -> None:
    assert (await nobody.get("/api/v1/models", headers={"X-Api-Key": str(api.key)})).status == 401
    assert (await nobody.get(f"/api/v1/models?api_key={api.key}")).status == 401


async def test_a_typo_costs_no_query(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise AssertionError("asked the database")

    monkeypatch.setattr(api.gateway.deps.db, "fetchrow", fail)
    assert (await replace(api, key=_typo(str(api.key))).get("/api/v1/models")).status == 401


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE api_keys SET revoked_at = now() WHERE account_id = $1",
        "UPDATE api_keys SET expires_at = now() WHERE account_id = $1",
        "UPDATE accounts SET status = 'suspended' WHERE id = $1",
    ],
)
async def test_a_dead_key_is_refused(api: Api, change: str) -> None:
    await api.gateway.worker.execute(change, api.account_id)
    assert (await api.get("/api/v1/models")).problem[:2] == (401, "UNAUTHENTICATED")


async def test_the_last_use_is_noted_once_a_minute(api: Api) -> None:
    async def last_used() -> object:
        return await api.gateway.worker.fetchval(
            "SELECT last_used_at FROM api_keys WHERE account_id = $1", api.account_id
        )

    assert await last_used() is None
    await api.get("/api/v1/models")
    first = await last_used()
    assert first is not None
    await api.get("/api/v1/models")
    assert await last_used() == first
