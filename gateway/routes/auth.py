"""Signing up, in and out; refreshing a session."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field

from gateway.access_tokens import LIFETIME_S
from gateway.addresses import client_address
from gateway.cookies import REFRESH
from gateway.deps import Deps
from gateway.envelope import enveloped, enveloped_answer
from gateway.http import Body, Reply, Request, operation
from gateway.resources import Resource
from gateway.routes.profile import NOT_KEPT, TAG, PersonName, Secret, UserResource, profile_of, stripped
from shared.domains import sessions, users
from shared.domains.accounts import Role
from shared.domains.sessions import Device, Ended, Opened, RefreshToken
from shared.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from shared.ids import new_id
from shared.log import get_logger
from shared.settings import SignupMode

log = get_logger(__name__)

WRONG = "The e-mail address or the password is wrong."

_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}").fullmatch


def _address(text: str) -> str:
    if not _ADDRESS(text) or not text.isprintable():
        raise ValueError("is not an e-mail address")
    return text


Email = Annotated[str, BeforeValidator(stripped), AfterValidator(_address), Field(max_length=254)]


class SignupRequest(Body):
    email: Email
    password: Secret
    name: PersonName | None = None


class LoginRequest(Body):
    email: Email
    password: str = Field(max_length=500, repr=False)


class RefreshRequest(Body):
    refresh_token: str | None = Field(
        None, max_length=500, repr=False, description="For programs; browsers have it in a cookie."
    )


class TokensResource(Resource):
    session_id: UUID
    access_token: str = Field(
        description="Send it as `Authorization: Bearer …`; browsers have it in a cookie."
    )
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")
    refresh_token: str | None = Field(
        description="Good once: each use gives its successor. Null when the cookie was used, which holds it."
    )
    csrf_token: str = Field(description="For the header X-CSRF-Token of writes that a cookie authenticates.")


class SignedInResource(TokensResource):
    user: UserResource


@operation(
    "POST",
    "/api/auth/signup",
    tag=TAG,
    summary="Sign up",
    scope=None,
    answers=(enveloped_answer(201, "The account is made and signed in", SignedInResource),),
    errors=(InvalidInput, Conflict, Forbidden, RateLimited, Unavailable),
    example={"email": "ada@example.com", "password": "correct horse battery", "name": "Ada"},
)
async def signup(request: Request[SignupRequest, None]) -> Reply:
    """The first to sign up at an installation becomes its admin. With SIGNUP=closed nobody can.

    Limited per network address: 429 with Retry-After.
    """
    deps, asked = request.deps, request.body
    if deps.settings.signup is SignupMode.CLOSED:
        raise Forbidden("Nobody can sign up here; ask whoever runs this installation.")
    await deps.attempts.take_signup(client_address(request.raw, deps.settings.trusted_proxies))
    password_hash = await deps.passwords.hash(asked.password)
    person = await users.sign_up(deps.db, email=asked.email, name=asked.name, password_hash=password_hash)
    return await _signed_in(request, person.account_id, person.role, "Welcome.", 201)


@operation(
    "POST",
    "/api/auth/login",
    tag=TAG,
    summary="Sign in",
    scope=None,
    answers=(enveloped_answer(200, "A session, as tokens and as cookies", SignedInResource),),
    errors=(InvalidInput, Unauthenticated, RateLimited, Unavailable),
    example={"email": "ada@example.com", "password": "correct horse battery"},
)
async def login(request: Request[LoginRequest, None]) -> Reply:
    """Failed logins are limited per e-mail address and per network address: 429 with Retry-After."""
    deps, asked = request.deps, request.body
    address = client_address(request.raw, deps.settings.trusted_proxies)
    await deps.attempts.take(asked.email, address)
    found = await users.find_login(deps.db, asked.email)
    verdict = await deps.passwords.check(found.password_hash if found else None, asked.password)
    if found is None or not verdict.right or not found.active:
        raise Unauthenticated(WRONG)
    await deps.attempts.forgive(asked.email, address)
    if verdict.fresh is not None:
        async with deps.db.transaction(found.account_id) as tx:
            await users.set_password(tx, found.account_id, verdict.fresh)
    person = await users.find(deps.db, found.account_id)
    if person is None:
        raise Unauthenticated(WRONG)
    return await _signed_in(request, person.account_id, person.role, "Signed in.")


async def _signed_in(
    request: Request[Any, Any], account_id: UUID, role: Role, message: str, status: int = 200
) -> Reply:
    deps, session_id = request.deps, new_id()
    async with deps.db.transaction(account_id) as tx:
        token = await sessions.open_session(tx, session_id, account_id, _device(request), _lifetime(deps))
    opened = Opened(session_id, account_id, role, token)
    user = await profile_of(deps.db, account_id, role, role.scopes)
    return _with_tokens(deps, opened, {"user": user}, message, status=status, shows_refresh=True)


def _with_tokens(
    deps: Deps, opened: Opened, data: dict[str, Any], message: str, *, status: int = 200, shows_refresh: bool
) -> Reply:
    """The tokens in the body and in cookies. A page that used the cookie cannot read the refresh token."""
    access = deps.access_tokens.issue(opened.account_id, opened.session_id, opened.role)
    refresh = opened.token.text(deps.access_tokens.server_key)
    headers = deps.cookies.given(access, refresh, opened.session_id)
    headers.extend(NOT_KEPT)
    tokens = {
        "session_id": opened.session_id,
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": LIFETIME_S,
        "refresh_token": refresh if shows_refresh else None,
        "csrf_token": deps.cookies.csrf_token(opened.session_id),
    }
    return enveloped(tokens | data, message, status, headers)


def _device(request: Request[Any, Any]) -> Device:
    agent = "".join(c for c in request.headers.get("User-Agent", "") if c.isprintable())
    return Device(agent or None, client_address(request.raw, request.deps.settings.trusted_proxies))


def _lifetime(deps: Deps) -> timedelta:
    return timedelta(days=deps.settings.session_days)


@operation(
    "POST",
    "/api/auth/refresh",
    tag=TAG,
    summary="Go on with a session",
    scope=None,
    answers=(enveloped_answer(200, "New tokens", TokensResource),),
    errors=(InvalidInput, Unauthenticated, Forbidden, Unavailable),
)
async def refresh(request: Request[RefreshRequest, None]) -> Reply:
    """Takes the refresh token of the body or of the cookie and gives its successor. One that was used before ends
    the session, for then two have it; so let one tab at a time refresh.
    """
    deps, given = request.deps, request.body.refresh_token
    token = _refresh_token(deps, request.raw, given)
    if token is None:
        raise Unauthenticated("There is no refresh token that we have given out; sign in.")
    if given is None:
        deps.cookies.guard(request.raw, token.session_id)
    opened = await sessions.refresh(deps.db, token, _device(request), _lifetime(deps))
    if opened is None:
        _forget(deps, token.session_id)
        raise Unauthenticated("This session has ended; sign in.")
    return _with_tokens(deps, opened, {}, "Refreshed.", shows_refresh=given is not None)


def _refresh_token(deps: Deps, raw: web.Request, given: str | None) -> RefreshToken | None:
    text = given if given is not None else raw.cookies.get(REFRESH)
    return RefreshToken.read(deps.access_tokens.server_key, text) if text else None


def _forget(deps: Deps, session_id: UUID) -> None:
    deps.authenticator.forget(lambda caller: caller.session_id == session_id)


@operation(
    "POST",
    "/api/auth/logout",
    tag=TAG,
    summary="Sign out",
    scope=None,
    answers=(enveloped_answer(200, "The session has ended and its cookies are gone"),),
    errors=(Unauthenticated, Forbidden, Unavailable),
)
async def logout(request: Request[None, None]) -> Reply:
    """Ends the session of the access token, or of the refresh cookie when that is all there is."""
    deps = request.deps
    account_id, session_id = await _session_of(request)
    async with deps.db.transaction(account_id) as tx:
        await sessions.revoke_if_live(tx, account_id, session_id, Ended.LOGOUT)
    _forget(deps, session_id)
    headers = deps.cookies.taken_back()
    headers.extend(NOT_KEPT)
    return enveloped(None, "Signed out.", headers=headers)


async def _session_of(request: Request[Any, Any]) -> tuple[UUID, UUID]:
    """The account and session of the caller. Raises Unauthenticated, Forbidden."""
    deps, raw = request.deps, request.raw
    token = _refresh_token(deps, raw, None) if "Authorization" not in raw.headers else None
    if token is not None:
        deps.cookies.guard(raw, token.session_id)
        return token.account_id, token.session_id
    caller = await deps.authenticator.authenticate(raw)
    if caller.session_id is None:
        raise Forbidden(
            "This is no session: API keys are revoked, and other tokens end where they were given."
        )
    return caller.account_id, caller.session_id


operations = (signup, login, refresh, logout)
