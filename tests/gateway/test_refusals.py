"""Who is refused what: every operation that is not public × every sort of caller that it is not for.

The lists are made from `OPERATIONS`, so a new operation is asked too, and a new exception has to be named here.
"""

import base64
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.access_tokens import ALGORITHMS, AUDIENCE, ISSUER, TYPE
from gateway.http import Operation
from gateway.routes import OPERATIONS
from shared.crypto import derived_key
from shared.domains.accounts import Scope
from shared.ids import new_id
from tests.gateway.api import Api
from tests.gateway.people import Person
from tests.rows import insert_everything, owner_of

PRIVATE = tuple(op for op in OPERATIONS if op.scope is not None)
PUBLIC = {
    "/api/asyncapi.json", "/api/auth/login", "/api/auth/logout", "/api/auth/refresh", "/api/auth/signup",
    "/api/errors/{code}", "/api/openapi.json", "/api/v1/callbacks/{provider}/{submission}", "/cdn/{bucket}/{key:.+}",
    "/docs", "/docs/docs.css", "/docs/docs.js", "/healthz", "/livez", "/metrics", "/readyz",
}  # fmt: skip
"""They need no caller, or look for one themselves, as their own tests show."""
WRITES_NOTHING = {
    "/api/v1/assets/zip", "/api/v1/generations:estimate", "/api/v1/generations:validate", "/api/v1/retention/report",
    "/api/v1/tickets",
}  # fmt: skip
"""Operations for readers that have a body, so they are no GET."""
ROWS = {
    "/api/v1/generations": "generations", "/api/api-keys": "user_api_keys", "/api/v1/uploads": "uploads",
    "/api/projects": "projects", "/api/v1/projects": "projects", "/api/assets": "assets", "/api/v1/assets": "assets",
    "/api/v1/budgets/alerts": "budget_alerts", "/api/v1/budgets": "budgets", "/api/v1/webhooks": "webhook_endpoints",
    "/api/v1/deliveries": "webhook_deliveries", "/api/v1/keys": "api_keys", "/api/v1/sessions": "sessions",
}  # fmt: skip
"""Where a path's `{id}` is a row of."""
NOTHING_MADE = (
    "/outputs/{n}", "/download", "/thumbnail", "/poster", "/peaks", "/file", "/events", "webhooks/{id}/rotate",
)  # fmt: skip
"""Even its owner gets none of a bare row, or gets it without end."""


def _claims(person: Person) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": str(person.account_id), "sid": person.session_id, "jti": "j",
            "role": "admin", "iat": now, "exp": now + 60}  # fmt: skip


def _signed(person: Person, secret: str | None = None, **changes: Any) -> str:
    secret = secret or person.gateway.deps.settings.secret_key.get_secret_value()
    key = OctKey.import_key(derived_key(secret, "access-token"))
    claims = _claims(person) | changes
    return jwt.encode({"alg": ALGORITHMS[0], "typ": TYPE}, claims, key, algorithms=ALGORITHMS)


def _unsigned(person: Person) -> str:
    parts = ({"alg": "none", "typ": TYPE}, _claims(person))
    return ".".join(base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in parts) + "."


def _altered(person: Person) -> str:
    head, _, signature = _signed(person).split(".")
    body = (
        base64.urlsafe_b64encode(orjson.dumps(_claims(person) | {"sub": str(new_id())})).decode().rstrip("=")
    )
    return f"{head}.{body}.{signature}"


STRANGERS: dict[str, Callable[[Person], str | None]] = {
    "anonymous": lambda _: None,
    "expired": lambda person: _signed(person, exp=int(time.time()) - 1),
    "forged": lambda person: _signed(person, "another secret that is long enough"),
    "altered": _altered,
    "algorithm none": _unsigned,
    "wrong audience": lambda person: _signed(person, aud="another-api"),
    "wrong issuer": lambda person: _signed(person, iss="https://issuer.example"),
    "a key that is none": lambda _: "ps_live_1234567812345678123456781234567812345678",
}


async def _answers(
    api: Api, operations: tuple[Operation, ...], id_: UUID | None = None
) -> dict[tuple[str, str], tuple[int, str]]:
    """Status and code of each operation, asked with what its documentation gives as an example."""
    found = {}
    for op in operations:
        body = {} if op.body is not None and op.example is None else op.example
        path = re.sub(
            r"\{\w+(:[^}]*)?\}", "scripted", op.path.replace("{id}", str(id_ or new_id())).replace("{n}", "0")
        )
        answer = await api.call(op.method, path, body)
        code = answer.problem[1] if answer.status >= 400 else ""
        found[op.method, op.path] = (answer.status, code)
    return found


def test_what_is_public_is_meant_to_be() -> None:
    assert {op.path for op in OPERATIONS if op.scope is None} == PUBLIC


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_stranger_gets_nowhere(ada: Person, stranger: str) -> None:
    assert (await Api(ada.gateway, ada.account_id, _signed(ada)).get("/api/auth/me")).status == 200, (
        "a good one"
    )
    api = Api(ada.gateway, ada.account_id, STRANGERS[stranger](ada))
    answers = await _answers(api, PRIVATE)
    assert {op: found for op, found in answers.items() if found != (401, "UNAUTHENTICATED")} == {}


async def test_a_viewer_writes_nothing(ada: Person) -> None:
    viewer = (await ada.become("viewer")).api
    readers = {op.path for op in PRIVATE if op.scope is Scope.READ and op.method != "GET"}
    assert readers == WRITES_NOTHING
    answers = await _answers(viewer, tuple(op for op in PRIVATE if op.scope is not Scope.READ))
    assert {op: found for op, found in answers.items() if found != (403, "FORBIDDEN")} == {}


async def test_only_operators_do_what_concerns_all(ada: Person) -> None:
    answers = await _answers(ada.api, tuple(op for op in PRIVATE if op.role is not None))
    assert {op: found for op, found in answers.items() if found != (403, "FORBIDDEN")} == {}


BY_ID = tuple(op for op in PRIVATE if "{id}" in op.path and op.role is None)


@pytest.mark.parametrize("collection", sorted({op.path.partition("/{id}")[0] for op in BY_ID}))
async def test_what_is_anothers_is_not_there(api: Api, collection: str) -> None:
    worker, owner, generation_id = api.gateway.worker, new_id(), new_id()
    await insert_everything(worker, owner, generation_id)
    table = ROWS[collection]
    id_ = await worker.fetchval(f"SELECT id FROM {table} WHERE {owner_of(table)} = $1", owner)
    operations = tuple(op for op in BY_ID if op.path.partition("/{id}")[0] == collection)
    answers = await _answers(api, operations, id_)
    assert {op: found for op, found in answers.items() if found != (404, "NOT_FOUND")} == {}

    mine = await Api(api.gateway, owner, None).with_key()
    for op in sorted(operations, key=lambda op: op.method == "DELETE"):
        if not op.path.endswith(NOTHING_MADE):
            ((status, _),) = (await _answers(mine, (op,), id_)).values()
            assert status not in (404, 500), (op.method, op.path)
