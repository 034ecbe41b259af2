"""People: signing up, being found by e-mail or by an issuer's word, and what they say of themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.domains.accounts import Role, role_of
from shared.errors import Conflict, InvalidInput, NotFound
from shared.ids import new_id

MAX_PREFERENCES_BYTES = 16 << 10
_PREFER = """
UPDATE accounts SET preferences = (preferences || $2::jsonb) - $3::text[] WHERE id = $1
RETURNING octet_length(preferences::text)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """An active account and what its owner is to the installation."""

    account_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class Login:
    """What a password is checked against; `password_hash` None for who signs in elsewhere."""

    account_id: UUID
    password_hash: str | None = field(repr=False)
    active: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a trusted issuer says of somebody."""

    issuer: str
    subject: str
    email: str | None = None
    name: str | None = None
    avatar_url: str | None = None


async def sign_up(db: Database, *, email: str, name: str | None, password_hash: str) -> Person:
    """A user and the account of the same id; the first of an installation is its admin. Raises Conflict."""
    account_id = new_id()
    role = await db.fetchval(
        "SELECT auth.sign_up($1, $2, $3, NULL, $4)", account_id, email.lower(), name, password_hash
    )
    if role is None:
        raise Conflict("Somebody has signed up with this e-mail address.", field="email")
    return Person(account_id, Role(role))


async def find_login(db: Database, email: str) -> Login | None:
    row = await db.fetchrow("SELECT * FROM auth.find_login($1)", email)
    if row is None:
        return None
    return Login(row["account_id"], row["password_hash"], row["account_status"] == "active")


async def identify(db: Database, who: Claimed) -> Person | None:
    """Whom the issuer means, made at first sight; None while the account is suspended."""
    row = await db.fetchrow(
        "SELECT * FROM auth.identify($1, $2, $3, $4, $5, $6)",
        who.issuer,
        who.subject,
        new_id(),
        who.email.lower() if who.email else None,
        who.name,
        who.avatar_url,
    )
    return _active(row)


async def find(db: Database, account_id: UUID | None) -> Person | None:
    """The active account of this id, or the oldest one, if there is any."""
    return _active(await db.fetchrow("SELECT * FROM auth.find_account($1)", account_id))


def _active(row: Mapping[str, Any] | None) -> Person | None:
    if row is None or row["account_status"] != "active":
        return None
    return Person(row["account_id"], role_of(row["user_role"]))


async def profile(tx: Tx, account_id: UUID) -> Mapping[str, Any]:
    """{id, email, name, avatar_url, timezone, preferences, created_at, updated_at}; `email` null for an account
    without a user."""
    row = await tx.fetchrow(
        "SELECT a.id, u.email, coalesce(u.name, a.name) AS name, u.avatar_url, a.timezone, a.preferences, a.created_at,"
        " coalesce(u.updated_at, a.created_at) AS updated_at"
        " FROM accounts a LEFT JOIN users u ON u.id = a.id WHERE a.id = $1",
        account_id,
    )
    assert row is not None  # noqa: S101  # whoever asks has this account
    return dict(row)


async def update(tx: Tx, account_id: UUID, changes: Mapping[str, Any]) -> None:
    """Sets those of name, avatar_url and timezone that are given.

    Raises Conflict for a picture without a user, InvalidInput for a time zone that Postgres does not know by name.
    """
    zone = changes.get("timezone")
    if zone is not None and not await tx.fetchval(
        "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)", zone
    ):
        raise InvalidInput("This is not the name of a time zone.", field="timezone", status=422)
    await tx.execute(
        "UPDATE accounts SET name = coalesce($2, name), timezone = coalesce($3, timezone) WHERE id = $1",
        account_id,
        changes.get("name"),
        zone,
    )
    done = await tx.execute(
        "UPDATE users SET name = coalesce($2, name), avatar_url = CASE WHEN $3 THEN $4 ELSE avatar_url END,"
        " updated_at = now() WHERE id = $1",
        account_id,
        changes.get("name"),
        "avatar_url" in changes,
        changes.get("avatar_url"),
    )
    if done == "UPDATE 0" and changes.get("avatar_url") is not None:
        raise Conflict("This account has no user who could have a picture.", field="avatar_url")


async def prefer(tx: Tx, account_id: UUID, changes: Mapping[str, Any]) -> None:
    """Sets these of the account's preferences; None removes one. Raises InvalidInput when that makes too many."""
    given = {name: value for name, value in changes.items() if value is not None}
    gone = [name for name, value in changes.items() if value is None]
    kept = await tx.fetchval(_PREFER, account_id, given, gone)
    if kept > MAX_PREFERENCES_BYTES:
        raise InvalidInput(
            f"Preferences must not be larger than {MAX_PREFERENCES_BYTES >> 10} kB in all.",
            field="preferences",
            status=422,
        )


async def listed(tx: Tx, below: UUID | None, limit: int) -> Sequence[Mapping[str, Any]]:
    """{id, email, name, role, status, created_at, plan} of all users, newest first; none unless an admin asks."""
    return await tx.fetch(
        "SELECT u.*, auth.plan_of(u.id) AS plan FROM auth.list_users($1, $2) u", below, limit
    )


async def change(tx: Tx, user_id: UUID, role: Role | None, status: str | None) -> Mapping[str, Any]:
    """Sets what is given; the same columns as `listed`. Raises NotFound, also unless an admin asks."""
    row = await tx.fetchrow(
        "SELECT u.*, auth.plan_of(u.id) AS plan FROM auth.change_user($1, $2, $3) u",
        user_id,
        role.value if role else None,
        status,
    )
    if row is None:
        raise NotFound(f"There is no user {user_id}.")
    return dict(row)


async def password_of(tx: Tx, account_id: UUID) -> tuple[str | None, str | None]:
    """The user's e-mail address and stored hash; both None for an account without a user."""
    row = await tx.fetchrow("SELECT email, password_hash FROM users WHERE id = $1", account_id)
    return (row["email"], row["password_hash"]) if row is not None else (None, None)


async def set_password(tx: Tx, account_id: UUID, password_hash: str) -> None:
    await tx.execute(
        "UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1", account_id, password_hash
    )
