"""Who asks. An `Authenticator` tries its schemes in turn; each knows one sort of credentials."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import orjson
from aiohttp import web

from shared.batch import Batcher
from shared.crypto import seal, unseal
from shared.db import Database
from shared.domains import accounts, idempotency
from shared.domains.accounts import FoundKey, Scope
from shared.errors import Forbidden, Unauthenticated
from shared.log import get_logger

log = get_logger(__name__)

CACHE_S = 5.0
CACHE_SIZE = 10_000
TICKET_S = 30.0
WS_BEARER = "bearer"


class Role(StrEnum):
    """What its holder is to the installation, beyond what the key may do in its own account."""

    VIEWER = "viewer"
    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `key_id` is the public part of the API key, `api_key_id` its row."""

    account_id: UUID
    scopes: frozenset[Scope]
    role: Role = Role.USER
    key_id: str | None = None
    api_key_id: UUID | None = None

    def require(self, scope: Scope) -> None:
        """Raises Forbidden."""
        if scope not in self.scopes:
            raise Forbidden(f"This key lacks the scope {scope.value!r}.", required=scope.value)


class Scheme(Protocol):
    """One sort of credentials."""

    async def principal(self, request: web.Request) -> Principal | None:
        """The caller, or None when the request carries no such credentials.

        Raises Unauthenticated when it does and they are no good.
        """
        ...


@dataclass(slots=True)
class ApiKeys:
    """Bearer API keys, in `Authorization` or, for websockets, in `Sec-WebSocket-Protocol: bearer,<key>`.

    A key that was good is believed for five seconds; a revoked one works no longer than that.
    """

    db: Database
    server_key: str = field(repr=False)
    _seen: dict[bytes, tuple[float, Principal]] = field(default_factory=dict, repr=False)
    _lookups: Batcher[bytes, str, Principal | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._lookups = Batcher(self._look_up)

    async def principal(self, request: web.Request) -> Principal | None:
        token = bearer_token(request)
        if token is None:
            return None
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        cached = self._seen.get(digest)
        if cached is not None and cached[0] > time.monotonic():
            return cached[1]
        caller = await self._lookups(digest, token)
        if caller is None:
            raise Unauthenticated("This API key is not valid: it is mistyped, revoked or expired.")
        return caller

    async def _look_up(self, digest: bytes, tokens: list[str]) -> list[Principal | None]:
        """One look for all requests that came with the same token meanwhile."""
        found = await accounts.authenticate(self.db, self.server_key, tokens[0])
        caller = principal_of(found) if found is not None else None
        if found is not None and caller is not None:
            self._remember(digest, caller)
            if not found.used_recently:
                await accounts.record_use(self.db, found)
        return [caller] * len(tokens)

    def _remember(self, digest: bytes, caller: Principal) -> None:
        if len(self._seen) >= CACHE_SIZE:
            self._seen.clear()
        self._seen[digest] = (time.monotonic() + CACHE_S, caller)


def principal_of(found: FoundKey) -> Principal:
    role = Role.ADMIN if Scope.ADMIN in found.scopes else Role.USER
    if Scope.WRITE not in found.scopes:
        role = Role.VIEWER
    return Principal(found.account_id, found.scopes, role, found.key_id, found.id)


def bearer_token(request: web.Request) -> str | None:
    """The bearer token of the request. Raises Unauthenticated for another sort of Authorization."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != WS_BEARER or not token:
            raise Unauthenticated("Send `Authorization: Bearer <API key>`.")
        return token.strip()
    protocols = request.headers.get("Sec-WebSocket-Protocol")
    if protocols is not None:
        words = [word.strip() for word in protocols.split(",")]
        if len(words) >= 2 and words[0].lower() == WS_BEARER:
            return words[1]
    return None


@dataclass(slots=True)
class Tickets:
    """One-time tickets in `?ticket=`: browsers cannot send headers with a WebSocket or an EventSource.

    A ticket is sealed, so any gateway process can read it; Postgres remembers which have been used. The key
    behind it is looked up again, so a revoked key's ticket is worth nothing.
    """

    db: Database
    server_key: str = field(repr=False)

    async def issue(self, caller: Principal) -> str:
        """A ticket good for one connection within 30 seconds. Raises Forbidden without an API key."""
        if caller.key_id is None:
            raise Forbidden("Only API keys can draw tickets.")
        payload = orjson.dumps([caller.key_id, secrets.token_hex(12), time.time() + TICKET_S])
        return seal(self.server_key, "ticket", payload)

    async def principal(self, request: web.Request) -> Principal | None:
        ticket = request.query.get("ticket")
        if ticket is None:
            return None
        payload = unseal(self.server_key, "ticket", ticket)
        if payload is not None:
            key_id, nonce, expires_at = orjson.loads(payload)
            found = await accounts.key_by_id(self.db, key_id)
            if (
                found is not None
                and expires_at > time.time()
                and await idempotency.use_once(self.db, found.account_id, "ticket", nonce, 2 * TICKET_S)
            ):
                return principal_of(found)
        raise Unauthenticated("This ticket is not valid: it is altered, used or older than 30 seconds.")


class Authenticator:
    """Tries each scheme; `tickets` only where the operation takes them."""

    def __init__(self, schemes: Sequence[Scheme], tickets: Tickets) -> None:
        self._schemes = tuple(schemes)
        self.tickets = tickets

    async def authenticate(self, request: web.Request, *, ticket: bool = False) -> Principal:
        """Raises Unauthenticated when no scheme knows the caller."""
        for scheme in self._schemes:
            caller = await scheme.principal(request)
            if caller is not None:
                return caller
        if ticket:
            caller = await self.tickets.principal(request)
            if caller is not None:
                return caller
        raise Unauthenticated("Send an API key: `Authorization: Bearer ps_live_…`.")
