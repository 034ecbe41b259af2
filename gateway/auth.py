"""Who asks. An `Authenticator` tries its schemes in turn; each knows one sort of credentials."""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import orjson
from aiohttp import web

from shared.batch import Batcher
from shared.crypto import seal, unseal
from shared.db import Database
from shared.domains import accounts, idempotency, sessions, users
from shared.domains.accounts import FoundKey, Role, Scope
from shared.errors import Forbidden, Unauthenticated
from shared.ids import parse_id
from shared.log import get_logger

log = get_logger(__name__)

CACHE_S = 5.0
CACHE_SIZE = 10_000
TICKET_S = 30.0
WS_BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `key_id` is the public part of the API key, `api_key_id` its row.

    `kinds`, if any, are all that the key may have made, and `project_id` where it may have it made.
    """

    account_id: UUID
    scopes: frozenset[Scope]
    role: Role = Role.USER
    key_id: str | None = None
    api_key_id: UUID | None = None
    session_id: UUID | None = None
    kinds: frozenset[str] = frozenset()
    project_id: UUID | None = None

    @property
    def credential(self) -> str:
        """What proved who they are, for `revive`; no secret."""
        if self.key_id is not None:
            return f"key:{self.key_id}"
        if self.session_id is not None:
            return f"session:{self.session_id}"
        return f"account:{self.account_id}"

    def require(self, scope: Scope) -> None:
        """Raises Forbidden."""
        if scope not in self.scopes:
            who = "Your role is viewer, which" if self.key_id is None else "This key"
            raise Forbidden(f"{who} lacks the scope {scope.value!r}.", required=scope.value)

    def require_role(self, role: Role) -> None:
        """For what concerns the whole installation. Raises Forbidden."""
        if not self.role.covers(role):
            what = (
                f"the role {role.value!r} may do"
                if role is not Role.VIEWER
                else "viewers and operators may see"
            )
            raise Forbidden(f"Only {what} that.", required=role.value)

    def require_kind(self, kind: str) -> None:
        """Raises Forbidden for a kind that the key is not for."""
        if self.kinds and kind not in self.kinds:
            allowed = sorted(self.kinds)
            raise Forbidden(
                f"This key is for {', '.join(allowed)} only, not for {kind}.", field="kind", allowed=allowed
            )

    def project_for(self, asked: UUID | None) -> UUID | None:
        """The project of what is made: the one asked for, else the key's own.

        Raises Forbidden when the key is for another.
        """
        if self.project_id is not None and asked not in (None, self.project_id):
            raise Forbidden("This key is for another project.", field="project_id")
        return asked or self.project_id


class Beliefs:
    """Callers whose credentials were good a moment ago, by the hash of these."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[float, Principal]] = {}

    def get(self, digest: bytes) -> Principal | None:
        kept = self._kept.get(digest)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def keep(self, digest: bytes, caller: Principal, at_most_s: float = CACHE_S) -> None:
        if len(self._kept) >= CACHE_SIZE:
            self._kept.clear()
        self._kept[digest] = (time.monotonic() + min(CACHE_S, at_most_s), caller)

    def forget(self, whom: Callable[[Principal], bool]) -> None:
        """Ask again about these; other processes find out by themselves within five seconds."""
        self._kept = {digest: kept for digest, kept in self._kept.items() if not whom(kept[1])}


class Scheme(Protocol):
    """One sort of credentials."""

    async def principal(self, request: web.Request) -> Principal | None:
        """The caller, or None when the request carries no such credentials.

        Raises Unauthenticated when it does and they are no good.
        """
        ...


class RememberingScheme(Scheme, Protocol):
    """One that believes credentials for a while that were good."""

    beliefs: Beliefs


@dataclass(slots=True)
class ApiKeys:
    """Bearer API keys, in `Authorization` or, for websockets, in `Sec-WebSocket-Protocol: bearer,<key>`.

    A key that was good is believed for five seconds; a revoked one works no longer than that.
    """

    db: Database
    server_key: str = field(repr=False)
    beliefs: Beliefs = field(default_factory=Beliefs, repr=False)
    _lookups: Batcher[bytes, str, Principal | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._lookups = Batcher(self._look_up)

    async def principal(self, request: web.Request) -> Principal | None:
        token = bearer_token(request)
        if token is None or "." in token:  # a JSON Web Token has dots, a key has none
            return None
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        believed = self.beliefs.get(digest)
        if believed is not None:
            return believed
        caller = await self._lookups(digest, token)
        if caller is None:
            raise Unauthenticated("This API key is not valid: it is mistyped, revoked or expired.")
        return caller

    async def _look_up(self, digest: bytes, tokens: list[str]) -> list[Principal | None]:
        """One look for all requests that came with the same token meanwhile."""
        found = await accounts.authenticate(self.db, self.server_key, tokens[0])
        caller = principal_of(found) if found is not None else None
        if found is not None and caller is not None:
            self.beliefs.keep(digest, caller)
            if not found.used_recently:
                await accounts.record_use(self.db, found)
        return [caller] * len(tokens)


def principal_of(found: FoundKey) -> Principal:
    return Principal(
        found.account_id,
        found.scopes,
        found.role,
        found.key_id,
        found.id,
        kinds=found.kinds,
        project_id=found.project_id,
    )


def principal_of_session(found: sessions.Found) -> Principal:
    return Principal(found.account_id, found.role.scopes, found.role, session_id=found.session_id)


def principal_of_person(person: users.Person) -> Principal:
    return Principal(person.account_id, person.role.scopes, person.role)


async def revive(db: Database, credential: str) -> Principal | None:
    """The caller with this `Principal.credential`, as things are now; None when it is no longer good."""
    sort, _, name = credential.partition(":")
    if sort == "key":
        key = await accounts.key_by_id(db, name)
        return principal_of(key) if key is not None else None
    id_ = parse_id(name)
    if id_ is None:
        return None
    if sort == "session":
        session = await sessions.find(db, id_)
        return principal_of_session(session) if session is not None else None
    person = await users.find(db, id_)
    return principal_of_person(person) if person is not None else None


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

    A ticket is sealed, so any gateway process can read it; Postgres remembers which have been used. The key or
    session behind it is looked up again, so the ticket of one that was revoked is worth nothing.
    """

    db: Database
    server_key: str = field(repr=False)

    async def issue(self, caller: Principal) -> str:
        """A ticket good for one connection within 30 seconds."""
        payload = orjson.dumps([caller.credential, secrets.token_hex(12), time.time() + TICKET_S])
        return seal(self.server_key, "ticket", payload)

    async def principal(self, request: web.Request) -> Principal | None:
        ticket = request.query.get("ticket")
        if ticket is None:
            return None
        payload = unseal(self.server_key, "ticket", ticket)
        if payload is not None:
            credential, nonce, expires_at = orjson.loads(payload)
            caller = await revive(self.db, credential)
            if (
                caller is not None
                and expires_at > time.time()
                and await idempotency.use_once(self.db, caller.account_id, "ticket", nonce, 2 * TICKET_S)
            ):
                return caller
        raise Unauthenticated("This ticket is not valid: it is altered, used or older than 30 seconds.")


class Authenticator:
    """Tries each scheme; `tickets` only where the operation takes them, `fallback` when there is nothing else."""

    def __init__(
        self, schemes: Sequence[RememberingScheme], tickets: Tickets, fallback: Scheme | None = None
    ) -> None:
        self._schemes = tuple(schemes)
        self._fallback = fallback
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
        if self._fallback is not None:
            caller = await self._fallback.principal(request)
            if caller is not None:
                return caller
        raise Unauthenticated("Sign in, or send an API key: `Authorization: Bearer ps_live_…`.")

    def forget(self, whom: Callable[[Principal], bool]) -> None:
        """Ask again about these callers when they come next."""
        for scheme in self._schemes:
            scheme.beliefs.forget(whom)
