"""Accounts and their API keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from shared.crypto import new_api_key, parse_api_key, same_secret, secret_hmac
from shared.db import Database, Tx
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.tables import ApiKey

MAX_KEYS = 100
MAX_OVERLAP = timedelta(days=7)


class Scope(StrEnum):
    """What a key may do. Each includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Role(StrEnum):
    """What somebody is to the installation, beyond what they may do in their own account. Each may what those
    before it may, save that a user does not look at the whole installation, and a viewer does."""

    VIEWER = "viewer"
    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        if needed is Role.VIEWER:
            return self is not Role.USER
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)

    @property
    def scopes(self) -> frozenset[Scope]:
        """What they may do in their own account: all, or only look."""
        return _INCLUDES[Scope.READ if self is Role.VIEWER else Scope.ADMIN]


_INCLUDES = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.WRITE: frozenset({Scope.READ, Scope.WRITE}),
    Scope.ADMIN: frozenset(Scope),
}


def expand(scopes: Sequence[str]) -> frozenset[Scope]:
    """The scopes with all that they include; unknown words give nothing."""
    known = [Scope(word) for word in scopes if word in _INCLUDES]
    return frozenset().union(*(_INCLUDES[scope] for scope in known))


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A live key of an active account. `used_recently` says that its last use needs no new record.

    A key is never more than its owner is: scopes and role are those of both. `kinds` empty is all kinds.
    """

    id: UUID
    account_id: UUID
    key_id: str
    scopes: frozenset[Scope]
    expires_at: datetime | None
    used_recently: bool
    role: Role
    kinds: frozenset[str]
    project_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `text` is shown once and stored nowhere."""

    row: ApiKey
    text: str = field(repr=False)


# Whoever needs account and key takes the account first.
_HOLD_ACCOUNT = text("SELECT FROM accounts WHERE id = auth.uid() FOR UPDATE")
_HAND_ON_BUDGETS = text("UPDATE budgets SET api_key_id = :new WHERE api_key_id = :old")

# The clock that decides is Postgres'.
_FIND = """
SELECT id, account_id, key_id, secret_hmac, scopes, expires_at, account_status, user_role, kinds, project_id,
       revoked_at IS NOT NULL AND revoked_at <= now() AS revoked,
       expires_at IS NOT NULL AND expires_at <= now() AS expired,
       coalesce(last_used_at > now() - interval '1 minute', false) AS used_recently
FROM auth.find_api_key($1)
"""


async def authenticate(db: Database, server_key: str, text: str) -> FoundKey | None:
    """The key that `text` is, if it is genuine and live. A typo costs no query."""
    parts = parse_api_key(text)
    if parts is None:
        return None
    row = await db.fetchrow(_FIND, parts.id)
    # An unknown id takes as long as a wrong secret.
    computed = secret_hmac(server_key, parts.secret)
    if not same_secret(row["secret_hmac"] if row else b"\0" * len(computed), computed) or row is None:
        return None
    return _live(row)


async def key_by_id(db: Database, key_id: str) -> FoundKey | None:
    """The live key with this public id: for tickets, whose holder proved the key before."""
    row = await db.fetchrow(_FIND, key_id)
    return _live(row) if row else None


def _live(row: Any) -> FoundKey | None:
    if row["revoked"] or row["expired"] or row["account_status"] != "active":
        return None
    owner = role_of(row["user_role"])
    scopes = expand(row["scopes"]) & owner.scopes
    return FoundKey(
        row["id"],
        row["account_id"],
        row["key_id"],
        scopes,
        row["expires_at"],
        row["used_recently"],
        _role_of_key(owner, scopes),
        frozenset(row["kinds"]),
        row["project_id"],
    )


def role_of(user_role: str | None) -> Role:
    """An account without a user was made by whoever runs the installation."""
    return Role.ADMIN if user_role is None else Role(user_role)


def _role_of_key(owner: Role, scopes: frozenset[Scope]) -> Role:
    """Only a key with the scope admin passes its owner's role on, and a viewer's, which can only read anyway."""
    return owner if owner is Role.VIEWER or Scope.ADMIN in scopes else Role.USER


async def record_use(db: Database, key: FoundKey) -> None:
    """Notes the time of use, at most once a minute however many processes ask."""
    async with db.transaction(key.account_id) as tx:
        await tx.execute(
            "UPDATE api_keys SET last_used_at = now() WHERE id = $1"
            " AND (last_used_at IS NULL OR last_used_at <= now() - interval '1 minute')",
            key.id,
        )


async def create_account(tx: Tx, account_id: UUID, name: str) -> None:
    """The transaction must be that account's own, or a worker's."""
    await tx.execute("INSERT INTO accounts (id, name) VALUES ($1, $2)", account_id, name)


async def insert_key(tx: Tx, account_id: UUID, server_key: str, *, name: str, scopes: Sequence[Scope]) -> str:
    """Makes a key and returns its text."""
    parts = new_api_key()
    await tx.execute(
        "INSERT INTO api_keys (id, account_id, key_id, secret_hmac, name, scopes) VALUES ($1, $2, $3, $4, $5, $6)",
        new_id(),
        account_id,
        parts.id,
        secret_hmac(server_key, parts.secret),
        name,
        [scope.value for scope in scopes],
    )
    return parts.text


async def create_key(
    session: AsyncSession,
    account_id: UUID,
    server_key: str,
    *,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
    project_id: UUID | None = None,
    kinds: Sequence[str] = (),
    budget_nanos: int | None = None,
    budget_period: str = "total",
    family_id: UUID | None = None,
) -> NewKey:
    """Raises Conflict when the account has too many live keys."""
    if len(await list_keys(session)) >= MAX_KEYS:
        raise Conflict(f"An account has at most {MAX_KEYS} keys; revoke one first.")
    parts = new_api_key()
    row = ApiKey(
        id=new_id(),
        account_id=account_id,
        key_id=parts.id,
        secret_hmac=secret_hmac(server_key, parts.secret),
        name=name,
        scopes=[scope.value for scope in scopes],
        created_at=datetime.now(UTC),
        expires_at=expires_at,
        project_id=project_id,
        kinds=list(kinds),
        budget_nanos=budget_nanos,
        budget_period=budget_period,
        family_id=family_id,
    )
    session.add(row)
    await session.flush()
    return NewKey(row, parts.text)


async def list_keys(session: AsyncSession) -> Sequence[ApiKey]:
    """The account's keys that are not revoked, newest first."""
    rows = await session.scalars(
        select(ApiKey)
        .where(col(ApiKey.revoked_at).is_(None) | (col(ApiKey.revoked_at) > datetime.now(UTC)))
        .order_by(col(ApiKey.id).desc())
    )
    return rows.all()


async def get_key(session: AsyncSession, key_id: UUID) -> ApiKey:
    """Raises NotFound, also for keys of other accounts and for revoked ones."""
    row = await session.get(ApiKey, key_id, with_for_update=True)
    if row is None or (row.revoked_at is not None and row.revoked_at <= datetime.now(UTC)):
        raise NotFound(f"There is no API key {key_id}.")
    return row


async def revoke_key(session: AsyncSession, key_id: UUID) -> None:
    """Ends the key at once; processes that have just seen it may take it for a few seconds more."""
    row = await get_key(session, key_id)
    row.revoked_at = datetime.now(UTC)


async def rotate_key(session: AsyncSession, server_key: str, key_id: UUID, overlap: timedelta) -> NewKey:
    """A new key like the old one, which goes on working for `overlap`.

    Both draw on the same budgets, of which what was spent stays spent.
    """
    await session.execute(_HOLD_ACCOUNT)
    old = await get_key(session, key_id)
    new = await create_key(
        session,
        old.account_id,
        server_key,
        name=old.name,
        scopes=[Scope(word) for word in old.scopes],
        expires_at=old.expires_at,
        project_id=old.project_id,
        kinds=old.kinds,
        budget_period=old.budget_period,
        family_id=old.family_id or old.id,
    )
    await session.execute(_HAND_ON_BUDGETS, {"new": new.row.id, "old": old.id})
    # Only now, when it finds its budget there.
    new.row.budget_nanos = old.budget_nanos
    await session.flush()
    old.revoked_at = datetime.now(UTC) + overlap
    return new
