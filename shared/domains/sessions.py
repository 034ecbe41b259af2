"""Sessions: what a login opens, what its refresh tokens keep alive, and how it ends.

A refresh token is good once. Each use makes its successor; whoever shows an older one has a copy that they
should not have, or somebody else does, and the session ends for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from shared.crypto import seal, unseal
from shared.db import Database, Tx
from shared.domains.accounts import Role, role_of
from shared.errors import NotFound
from shared.log import get_logger

log = get_logger(__name__)

MAX_LIVE = 100
"""Sessions of one account; one more ends the one that was used least recently."""

_LIVE = "revoked_at IS NULL AND expires_at > now()"
_MAX_TEXT = 300


class Ended(StrEnum):
    """Why a session was revoked."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    REUSE = "reuse"
    PASSWORD = "password"  # noqa: S105  # a word, not a password
    CROWDED = "crowded"


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Which session, and the how manieth of its tokens. Sealed, so only we can make one."""

    session_id: UUID
    account_id: UUID
    rotation: int

    def text(self, server_key: str) -> str:
        return seal(
            server_key,
            "refresh",
            self.session_id.bytes + self.account_id.bytes + self.rotation.to_bytes(4),
        )

    @classmethod
    def read(cls, server_key: str, text: str) -> Self | None:
        """None for what we have not made."""
        payload = unseal(server_key, "refresh", text)
        if payload is None or len(payload) != 36:
            return None
        return cls(UUID(bytes=payload[:16]), UUID(bytes=payload[16:32]), int.from_bytes(payload[32:]))


@dataclass(frozen=True, slots=True)
class Device:
    """Where a session is used from, as far as one can tell."""

    user_agent: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A live session of an active account."""

    session_id: UUID
    account_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened or refreshed, with the only refresh token that is good from now on."""

    session_id: UUID
    account_id: UUID
    role: Role
    token: RefreshToken = field(repr=False)


async def find(db: Database, session_id: UUID) -> Found | None:
    row = await db.fetchrow("SELECT * FROM auth.find_session($1)", session_id)
    if row is None or not row["live"] or row["account_status"] != "active":
        return None
    return Found(session_id, row["account_id"], role_of(row["user_role"]))


async def open_session(
    tx: Tx, session_id: UUID, account_id: UUID, device: Device, lifetime: timedelta
) -> RefreshToken:
    """Also forgets sessions that ended long ago, and ends the idlest beyond MAX_LIVE."""
    await tx.execute(
        "DELETE FROM sessions WHERE account_id = $1"
        " AND least(expires_at, coalesce(revoked_at, expires_at)) < now() - interval '30 days'",
        account_id,
    )
    await tx.execute(
        "INSERT INTO sessions (id, account_id, user_agent, address, expires_at)"
        " VALUES ($1, $2, $3, $4, now() + $5::interval)",
        session_id,
        account_id,
        _short(device.user_agent),
        _short(device.address),
        lifetime,
    )
    await tx.execute(
        f"UPDATE sessions SET revoked_at = now(), revoked_why = $2 WHERE id IN (SELECT id FROM sessions"  # noqa: S608
        f" WHERE account_id = $1 AND {_LIVE} ORDER BY last_used_at DESC, id DESC OFFSET $3)",
        account_id,
        Ended.CROWDED.value,
        MAX_LIVE,
    )
    return RefreshToken(session_id, account_id, 0)


async def refresh(db: Database, shown: RefreshToken, device: Device, lifetime: timedelta) -> Opened | None:
    """The session with its next token; None when it has ended, or ends now because the token was used before."""
    async with db.transaction(shown.account_id) as tx:
        rotation = await tx.fetchval(
            "UPDATE sessions s SET rotation = rotation + 1, last_used_at = now(), expires_at = now() + $4::interval,"  # noqa: S608
            f" address = coalesce($5, address) FROM accounts a WHERE s.id = $1 AND s.account_id = $2"
            f" AND s.rotation = $3 AND {_LIVE} AND a.id = s.account_id AND a.status = 'active' RETURNING rotation",
            shown.session_id,
            shown.account_id,
            shown.rotation,
            lifetime,
            _short(device.address),
        )
        if rotation is None:
            ended = await tx.execute(
                "UPDATE sessions SET revoked_at = now(), revoked_why = $4"
                " WHERE id = $1 AND account_id = $2 AND rotation > $3 AND revoked_at IS NULL",
                shown.session_id,
                shown.account_id,
                shown.rotation,
                Ended.REUSE.value,
            )
            role = None
        else:
            ended = "UPDATE 0"
            role = role_of(await tx.fetchval("SELECT role FROM users WHERE id = $1", shown.account_id))
    if ended != "UPDATE 0":
        log.warning(
            "refresh_token_reused", session_id=str(shown.session_id), account_id=str(shown.account_id)
        )
    if role is None:
        return None
    token = RefreshToken(shown.session_id, shown.account_id, rotation)
    return Opened(shown.session_id, shown.account_id, role, token)


async def live(tx: Tx, account_id: UUID) -> Sequence[Mapping[str, Any]]:
    """The account's sessions that have not ended, the last used first."""
    return await tx.fetch(
        "SELECT id, user_agent, address, created_at, last_used_at, expires_at FROM sessions"  # noqa: S608
        f" WHERE account_id = $1 AND {_LIVE} ORDER BY last_used_at DESC, id DESC",
        account_id,
    )


async def revoke(tx: Tx, account_id: UUID, session_id: UUID, why: Ended) -> None:
    """Raises NotFound for one that has ended, or is another account's."""
    if not await revoke_if_live(tx, account_id, session_id, why):
        raise NotFound(f"There is no session {session_id}.")


async def revoke_if_live(tx: Tx, account_id: UUID, session_id: UUID, why: Ended) -> bool:
    """Whether there was something to end."""
    done = await tx.execute(
        f"UPDATE sessions SET revoked_at = now(), revoked_why = $3 WHERE id = $1 AND account_id = $2 AND {_LIVE}",  # noqa: S608
        session_id,
        account_id,
        why.value,
    )
    return done == "UPDATE 1"


async def revoke_others(tx: Tx, account_id: UUID, kept: UUID | None, why: Ended) -> None:
    await tx.execute(
        f"UPDATE sessions SET revoked_at = now(), revoked_why = $3"  # noqa: S608
        f" WHERE account_id = $1 AND id IS DISTINCT FROM $2 AND {_LIVE}",
        account_id,
        kept,
        why.value,
    )


def _short(text: str | None) -> str | None:
    return text[:_MAX_TEXT] if text is not None else None
