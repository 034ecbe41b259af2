"""Who one is: what is said of the caller, and their password."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.addresses import client_address
from gateway.envelope import enveloped, enveloped_answer
from gateway.http import Body, Reply, Request, operation
from gateway.resources import Resource
from shared.db import Database
from shared.domains import sessions, users
from shared.domains.accounts import Role, Scope
from shared.domains.sessions import Ended
from shared.errors import Conflict, InvalidInput, RateLimited

TAG = "Identity"
NOT_KEPT = {"Cache-Control": "no-store"}


_OWN_PICTURE = re.compile(r"/api/v1/assets/[0-9a-f-]{36}/(?:file|thumbnail)").fullmatch


def _picture(url: str) -> str:
    if _OWN_PICTURE(url):
        return url
    if not url.startswith("https://") or not url.isprintable() or " " in url:
        raise ValueError("must begin with https://, or be the path of an asset's file")
    return url


def stripped(value: Any) -> Any:
    """Text without the white space around it."""
    return value.strip() if isinstance(value, str) else value


Secret = Annotated[str, Field(min_length=8, max_length=500, repr=False)]
PersonName = Annotated[str, BeforeValidator(stripped), Field(min_length=1, max_length=100)]


class ProfileRequest(Body):
    name: PersonName | None = None
    avatar_url: Annotated[str, AfterValidator(_picture), Field(max_length=2000)] | None = None
    timezone: str | None = Field(None, max_length=64, description="Its IANA name, such as Europe/Berlin.")
    preferences: dict[str, Any] | None = Field(
        None, description="Those to set, by name; null removes one, the others stay. Any JSON, 16 kB in all."
    )


class PasswordRequest(Body):
    current_password: str = Field(max_length=500, repr=False)
    new_password: Secret


class UserResource(Resource):
    id: UUID = Field(description="The account's id too.")
    object: Literal["user"]
    email: str | None = Field(
        description="Null for an account that nobody signed up for, which has only keys."
    )
    name: str
    avatar_url: str | None
    timezone: str = Field(description="Days, weeks and months of quotas and budgets begin there.")
    preferences: dict[str, Any] = Field(
        description="What pages keep for you: theme, last settings and the like."
    )
    role: Role = Field(description="What the caller is to the installation.")
    scopes: list[Scope] = Field(description="What the caller may do in this account.")
    created_at: datetime
    updated_at: datetime


@operation(
    "GET",
    "/api/auth/me",
    tag=TAG,
    summary="Who am I?",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "The caller", UserResource),),
)
async def get_me(request: Request[None, None]) -> Reply:
    """Works for sessions, API keys and tokens of trusted issuers alike."""
    return await _me(request, "OK")


@operation(
    "PATCH",
    "/api/auth/me",
    tag=TAG,
    summary="Change what is said of me",
    scope=Scope.WRITE,
    answers=(enveloped_answer(200, "The caller, changed", UserResource),),
    errors=(InvalidInput, Conflict),
    example={"name": "Ada Lovelace", "timezone": "Europe/London"},
)
async def update_me(request: Request[ProfileRequest, None]) -> Reply:
    """What is left out stays; `avatar_url` null removes the picture."""
    changes = request.body.model_dump(exclude_unset=True)
    preferences = changes.pop("preferences", None)
    async with request.deps.db.transaction(request.account_id) as tx:
        if preferences:
            await users.prefer(tx, request.account_id, preferences)
        await users.update(tx, request.account_id, changes)
    return await _me(request, "Saved.")


async def _me(request: Request[Any, Any], message: str) -> Reply:
    caller = request.principal
    user = await profile_of(request.deps.db, caller.account_id, caller.role, caller.scopes)
    return enveloped(user, message, headers=NOT_KEPT)


async def profile_of(db: Database, account_id: UUID, role: Role, scopes: frozenset[Scope]) -> dict[str, Any]:
    """A UserResource, to be encoded."""
    async with db.transaction(account_id) as tx:
        return render_user(await users.profile(tx, account_id), role, scopes)


def render_user(row: Mapping[str, Any], role: Role, scopes: frozenset[Scope]) -> dict[str, Any]:
    """The UserResource of a row of `users.profile`."""
    return {
        "object": "user",
        **row,
        "role": role.value,
        "scopes": [scope.value for scope in Scope if scope in scopes],
    }


@operation(
    "POST",
    "/api/auth/password",
    tag=TAG,
    summary="Change the password",
    scope=Scope.ADMIN,
    answers=(enveloped_answer(200, "It is changed, and all other sessions have ended"),),
    errors=(InvalidInput, Conflict, RateLimited),
)
async def change_password(request: Request[PasswordRequest, None]) -> Reply:
    """The current password must be right, however the caller is signed in; tries count as logins."""
    deps, account_id, asked = request.deps, request.account_id, request.body
    async with deps.db.transaction(account_id) as tx:
        email, stored = await users.password_of(tx, account_id)
    if email is None or stored is None:
        raise Conflict("This account has no password: it signs in elsewhere, or by API keys.")
    address = client_address(request.raw, deps.settings.trusted_proxies)
    await deps.attempts.take(email, address)
    if not (await deps.passwords.check(stored, asked.current_password)).right:
        raise InvalidInput("The current password is wrong.", field="current_password", status=422)
    await deps.attempts.forgive(email, address)
    fresh = await deps.passwords.hash(asked.new_password)
    async with deps.db.transaction(account_id) as tx:
        await users.set_password(tx, account_id, fresh)
        await sessions.revoke_others(tx, account_id, request.principal.session_id, Ended.PASSWORD)
    deps.authenticator.forget(lambda caller: caller.account_id == account_id)
    return enveloped(None, "The password is changed.", headers=NOT_KEPT)


operations = (get_me, update_me, change_password)
