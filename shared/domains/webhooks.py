"""Endpoints that are told of an account's events, and the secrets that sign what they are told.

Each endpoint has a secret of its own. What goes to a URL that a request named is signed with the account's own
secret, which is made when it is first needed and can be read again. Secrets are kept encrypted under SECRET_KEY.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.crypto import decrypt, encrypt
from shared.db import Tx
from shared.domains import deliveries
from shared.errors import Conflict, NotFound
from shared.ids import new_id

MAX_ENDPOINTS = 20
MAX_OVERLAP_S = 7 * 86_400
SECRET_BYTES = 32
_PURPOSE = "webhook-secret"

_INSERT = """
INSERT INTO webhook_endpoints (id, account_id, url, events, description, enabled)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
"""
_COUNT = "SELECT count(*) FROM webhook_endpoints WHERE account_id = $1"
_LIST = "SELECT * FROM webhook_endpoints ORDER BY id DESC"
_GET = "SELECT * FROM webhook_endpoints WHERE id = $1"
_CHANGE = """
UPDATE webhook_endpoints SET url = coalesce($2, url), events = coalesce($3, events),
    description = coalesce($4, description), enabled = coalesce($5, enabled),
    disabled_reason = CASE WHEN $5 THEN NULL ELSE disabled_reason END
WHERE id = $1 RETURNING *
"""
_DISABLE = "UPDATE webhook_endpoints SET enabled = false, disabled_reason = $2 WHERE id = $1 AND enabled"
_DELETE = "DELETE FROM webhook_endpoints WHERE id = $1"

_SECRETS = """
SELECT id, sealed, created_at, expires_at FROM webhook_secrets
WHERE account_id = $1 AND endpoint_id IS NOT DISTINCT FROM $2 AND (expires_at IS NULL OR expires_at > now())
ORDER BY id DESC
"""
_ADD_SECRET = """
INSERT INTO webhook_secrets (id, account_id, endpoint_id, sealed) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, endpoint_id) WHERE expires_at IS NULL DO NOTHING
"""  # noqa: S105  # a statement
# There are never more than two: one that was ending already ends now.
_END_SECRETS = """
WITH old AS (
    DELETE FROM webhook_secrets
    WHERE account_id = $1 AND endpoint_id IS NOT DISTINCT FROM $2 AND expires_at IS NOT NULL
)
UPDATE webhook_secrets SET expires_at = now() + $3::float8 * interval '1 second'
WHERE account_id = $1 AND endpoint_id IS NOT DISTINCT FROM $2 AND expires_at IS NULL
"""
_PRUNE_SECRETS = "DELETE FROM webhook_secrets WHERE expires_at < now()"


@dataclass(frozen=True, slots=True)
class Signing:
    """A secret `whsec_…`, and until when the one before it still signs too."""

    secret: str = field(repr=False)
    created_at: datetime
    previous_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What is to be different; None leaves it as it is."""

    url: str | None = None
    events: Sequence[str] | None = None
    description: str | None = None
    enabled: bool | None = None


async def create(
    tx: Tx,
    account_id: UUID,
    server_key: str,
    *,
    url: str,
    events: Sequence[str],
    description: str,
    enabled: bool,
) -> tuple[Mapping[str, Any], str]:
    """The endpoint's row and its secret. Raises Conflict when the account has too many."""
    # One at a time per account, so that the count holds.
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('webhooks:' || $1::text, 0))", str(account_id)
    )
    if await tx.fetchval(_COUNT, account_id) >= MAX_ENDPOINTS:
        raise Conflict(f"An account has at most {MAX_ENDPOINTS} webhook endpoints; delete one first.")
    row = await tx.fetchrow(_INSERT, new_id(), account_id, url, list(events), description, enabled)
    assert row is not None  # noqa: S101  # an INSERT returns its row
    await _add_secret(tx, account_id, row["id"], server_key)
    return row, (await _signing(tx, account_id, row["id"], server_key)).secret


async def list_endpoints(tx: Tx) -> Sequence[Mapping[str, Any]]:
    """The account's, newest first."""
    return await tx.fetch(_LIST)


async def get(tx: Tx, endpoint_id: UUID) -> Mapping[str, Any]:
    """Raises NotFound."""
    return _found(await tx.fetchrow(_GET, endpoint_id), endpoint_id)


async def change(tx: Tx, endpoint_id: UUID, wanted: EndpointChange) -> Mapping[str, Any]:
    """Raises NotFound. What is still to be sent to an endpoint that is switched off is given up."""
    events = list(wanted.events) if wanted.events is not None else None
    row = await tx.fetchrow(_CHANGE, endpoint_id, wanted.url, events, wanted.description, wanted.enabled)
    if row is not None and wanted.enabled is False:
        await deliveries.abandon(tx, endpoint_id, "The endpoint was disabled.")
    return _found(row, endpoint_id)


async def disable(tx: Tx, endpoint_id: UUID, reason: str) -> None:
    """Switches an endpoint off because of what it answered; its account may switch it on again."""
    await tx.execute(_DISABLE, endpoint_id, reason)
    await deliveries.abandon(tx, endpoint_id, f"The endpoint was disabled. {reason}")


async def delete(tx: Tx, endpoint_id: UUID) -> None:
    """Raises NotFound. Its log stays until it is old."""
    if await tx.execute(_DELETE, endpoint_id) == "DELETE 0":
        raise _missing(endpoint_id)
    await deliveries.abandon(tx, endpoint_id, "The endpoint was deleted.")


async def rotate(
    tx: Tx, account_id: UUID, server_key: str, endpoint_id: UUID | None, overlap_s: float
) -> Signing:
    """A new secret of an endpoint, or without one the account's own; the old one signs too for `overlap_s`.

    Raises NotFound.
    """
    if endpoint_id is not None:
        # Locked, so that of two rotations at once one comes after the other.
        _found(await tx.fetchrow(f"{_GET} FOR UPDATE", endpoint_id), endpoint_id)
    await tx.execute(_END_SECRETS, account_id, endpoint_id, overlap_s)
    await _add_secret(tx, account_id, endpoint_id, server_key)
    return await _signing(tx, account_id, endpoint_id, server_key)


async def own_secret(tx: Tx, account_id: UUID, server_key: str) -> Signing:
    """The account's own secret, which is made if there is none yet."""
    await _add_secret(tx, account_id, None, server_key)
    return await _signing(tx, account_id, None, server_key)


async def prune_secrets(tx: Tx) -> None:
    """Drops secrets whose overlap is over."""
    await tx.execute(_PRUNE_SECRETS)


def open_secret(server_key: str, secret_id: UUID, sealed: bytes) -> str | None:
    """The secret as text, or None when SECRET_KEY is not the one that it was kept under."""
    plain = decrypt(server_key, _PURPOSE, sealed, bound_to=str(secret_id))
    return None if plain is None else plain.decode()


async def _add_secret(tx: Tx, account_id: UUID, endpoint_id: UUID | None, server_key: str) -> None:
    """Makes a secret where there is no current one."""
    secret_id = new_id()
    text = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    sealed = encrypt(server_key, _PURPOSE, text.encode(), bound_to=str(secret_id))
    await tx.execute(_ADD_SECRET, secret_id, account_id, endpoint_id, sealed)


async def _signing(tx: Tx, account_id: UUID, endpoint_id: UUID | None, server_key: str) -> Signing:
    current, *previous = await tx.fetch(_SECRETS, account_id, endpoint_id)
    text = open_secret(server_key, current["id"], current["sealed"])
    if text is None:
        raise Conflict("The secret was kept under another SECRET_KEY and cannot be read; rotate it.")
    return Signing(text, current["created_at"], previous[0]["expires_at"] if previous else None)


def _found(row: Mapping[str, Any] | None, endpoint_id: UUID) -> Mapping[str, Any]:
    if row is None:
        raise _missing(endpoint_id)
    return row


def _missing(endpoint_id: UUID) -> NotFound:
    return NotFound(f"There is no webhook endpoint {endpoint_id}.")
