"""Who asks: accounts, their API keys, and the requests that they may repeat."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    text,
)
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment, nanos, words


class Account(SQLModel, table=True):
    """Somebody who owns generations, files and a bill.

    `budget_nanos` null is no limit. `held_nanos` is the sum of the account's ledger, kept only while a
    budget is set: rows without a budget are never locked by admissions.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended')", name="accounts_status"),
        CheckConstraint("budget_nanos >= 0", name="accounts_budget"),
        CheckConstraint("storage_limit_bytes >= 0", name="accounts_storage_limit"),
    )

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    status: str = Field(default="active", sa_column=Column(Text, nullable=False, server_default="active"))
    budget_nanos: int | None = Field(default=None, sa_column=nanos())
    held_nanos: int = Field(default=0, sa_column=nanos(default=0))
    max_running: int | None = None
    """How many generations may be unfinished at a provider at once; null is no limit."""
    last_served_at: datetime | None = Field(default=None, sa_column=moment())
    """When dispatch last took work of this account: the order of fairness."""
    storage_limit_bytes: int | None = Field(default=None, sa_type=BigInteger)
    """How much outputs and uploads may take up together; null is no limit."""
    timezone: str = Field(default="UTC", sa_column=Column(Text, nullable=False, server_default="UTC"))
    """IANA's name; days, weeks and months of the account begin there."""
    plan: str = Field(
        default="unlimited",
        sa_column=Column(Text, ForeignKey("plans.name"), nullable=False, server_default="unlimited"),
    )
    preferences: dict[str, Any] = Field(sa_column=document("{}"))
    """What pages keep for whoever uses them, by name."""
    created_at: datetime = Field(sa_column=moment(now=True))


class ApiKey(SQLModel, table=True):
    """A key `ps_live_<key_id><secret><checksum>`; the secret is kept only as an HMAC.

    `kinds` empty is all kinds, `budget_nanos` null no limit. What is made with a key that names a project
    belongs to it. A key that succeeds another has the first one's id as `family_id`.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        Index("api_keys_account", "account_id"),
        CheckConstraint("budget_nanos >= 0", name="api_keys_budget"),
        CheckConstraint("budget_period IN ('day', 'week', 'month', 'total')", name="api_keys_budget_period"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(sa_column=account_ref())
    key_id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    secret_hmac: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    name: str = Field(sa_type=Text)
    scopes: list[str] = Field(sa_column=words())
    created_at: datetime = Field(sa_column=moment(now=True))
    expires_at: datetime | None = Field(default=None, sa_column=moment())
    revoked_at: datetime | None = Field(default=None, sa_column=moment())
    last_used_at: datetime | None = Field(default=None, sa_column=moment())
    project_id: UUID | None = None
    kinds: list[str] = Field(default_factory=list, sa_column=words())
    budget_nanos: int | None = Field(default=None, sa_column=nanos())
    family_id: UUID | None = None
    budget_period: str = Field(
        default="total", sa_column=Column(Text, nullable=False, server_default="total")
    )


class IdempotencyKey(SQLModel, table=True):
    """The first answer to a request with an Idempotency-Key; null while that request still runs."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "route", "key"),
        Index("idempotency_keys_expiry", "expires_at"),
    )

    account_id: UUID = Field(sa_column=account_ref())
    route: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int | None = None
    headers: dict[str, Any] | None = Field(default=None, sa_column=document())
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    generation_id: UUID | None = None
    created_at: datetime = Field(sa_column=moment(now=True))
    expires_at: datetime = Field(
        sa_column=Column(
            moment(now=True).type, nullable=False, server_default=text("now() + interval '24 hours'")
        )
    )
    implicit: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Made of the request itself; see `shared.domains.admission.Idempotency`."""
