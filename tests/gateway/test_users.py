"""Admins look after the people of their installation."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.gateway.api import Api
from tests.gateway.people import Person

USERS, ME = "/api/v1/users", "/api/auth/me"


@pytest.fixture
async def admin(api: Api) -> Person:
    return await (await Person.sign_up(api.gateway)).become("admin")


@pytest.fixture
async def ada(api: Api) -> Person:
    return await (await Person.sign_up(api.gateway, name="Ada")).become("user")


async def test_an_admin_sees_everybody_page_by_page(admin: Person, ada: Person) -> None:
    first = (await admin.api.get(f"{USERS}?limit=1")).json
    assert [(one["email"], one["name"], one["role"], one["status"]) for one in first["data"]] == [
        (ada.email, "Ada", "user", "active")
    ]
    second = (await admin.api.get(f"{USERS}?limit=1&after={first['next']}")).json
    assert [one["email"] for one in second["data"]] == [admin.email]


async def test_one_person_is_given_a_plan(admin: Person, ada: Person) -> None:
    given = await admin.api.call("PUT", f"/api/v1/accounts/{ada.account_id}/plan", {"plan": "premium"})
    assert given.json == {"account_id": str(ada.account_id), "plan": "premium"}
    listed = {one["email"]: one["plan"] for one in (await admin.api.get(USERS)).json["data"]}
    assert listed[ada.email] == "premium"
    assert listed[admin.email] != "premium"
    (entry,) = (await admin.api.get("/api/v1/ops/audit?action=plan.assign&limit=1")).json["data"]
    assert (entry["target"], entry["details"]) == (f"account:{ada.account_id}", {"plan": "premium"})


async def test_a_role_is_changed_and_holds_at_once(admin: Person, ada: Person) -> None:
    assert (await ada.api.submit())["status"] == "queued"
    changed = await admin.api.call("PATCH", f"{USERS}/{ada.account_id}", {"role": "viewer"})
    assert (changed.json["role"], changed.json["email"]) == ("viewer", ada.email)
    assert (await ada.api.get(ME)).json["data"]["scopes"] == ["read"]
    assert (await ada.api.call("PATCH", ME, {"name": "x"})).problem[:2] == (403, "FORBIDDEN")


async def test_who_is_suspended_is_out_until_they_are_active_again(admin: Person, ada: Person) -> None:
    path = f"{USERS}/{ada.account_id}"
    assert (await ada.api.get(ME)).status == 200
    assert (await admin.api.call("PATCH", path, {"status": "suspended"})).json["status"] == "suspended"
    assert (await ada.api.get(ME)).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await admin.api.call("PATCH", path, {"status": "active"})).json["role"] == "user"
    assert (await ada.api.get(ME)).status == 200


async def test_nobody_changes_themselves_or_who_is_not_there(admin: Person) -> None:
    own = await admin.api.call("PATCH", f"{USERS}/{admin.account_id}", {"role": "user"})
    assert own.problem[:2] == (409, "CONFLICT")
    nobody = await admin.api.call("PATCH", f"{USERS}/{uuid4()}", {"role": "user"})
    assert nobody.problem[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize("role", ["viewer", "user", "operator"])
async def test_others_neither_see_nor_change_anybody(admin: Person, ada: Person, role: str) -> None:
    other = await ada.become(role)
    assert (await other.api.get(USERS)).problem[:2] == (403, "FORBIDDEN")
    answer = await other.api.call("PATCH", f"{USERS}/{admin.account_id}", {"status": "suspended"})
    assert answer.problem[:2] == (403, "FORBIDDEN")
    app = other.gateway.deps.db
    async with app.transaction(other.account_id) as tx:
        assert await tx.fetch("SELECT * FROM auth.list_users(NULL, 10)") == []
        found = await tx.fetch("SELECT * FROM auth.change_user($1, 'admin', NULL)", admin.account_id)
        assert found == []
    async with app.transaction() as tx:
        assert await tx.fetch("SELECT * FROM auth.list_users(NULL, 10)") == []


@pytest.mark.parametrize(
    ("body", "field"), [({"role": "root"}, "role"), ({"status": "gone"}, "status"), ({"email": "x"}, "email")]
)
async def test_a_wrong_field_is_named(admin: Person, ada: Person, body: dict[str, Any], field: str) -> None:
    answer = await admin.api.call("PATCH", f"{USERS}/{ada.account_id}", body)
    assert answer.problem == (422, "INVALID_INPUT", field)


async def test_a_role_that_is_none_cannot_be_kept(ada: Person) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await ada.become("root")
