"""The fleet: worker processes, the queues that they serve, and what operators did to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Uuid, text
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import document, moment, words


class Worker(SQLModel, table=True):
    """One worker process, alive while `beat_at` is fresh. Its id is the `owner` of what it holds."""

    __tablename__ = "workers"

    id: UUID = Field(primary_key=True)
    kinds: list[str] = Field(sa_column=words())
    slots: int
    """Steps it runs at once, per kind."""
    host: str = Field(sa_type=Text)
    pid: int
    version: str = Field(sa_type=Text)
    draining: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    quiet: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """It begins nothing new until an operator says otherwise."""
    started_at: datetime = Field(sa_column=moment(now=True))
    beat_at: datetime = Field(sa_column=moment(now=True))
    stats: dict[str, Any] = Field(sa_column=document("{}"))


class Queue(SQLModel, table=True):
    """A kind's queue. `paused_until` ends a pause by itself.

    While it is `paused`, `mode` tells what goes on: under `pause` no paid call is begun, under `drain` only what was
    begun before is carried on, its further attempts included.
    """

    __tablename__ = "queues"
    __table_args__ = (CheckConstraint("mode IN ('pause', 'drain')", name="queues_mode"),)

    kind: str = Field(sa_column=Column(Text, primary_key=True))
    paused: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    mode: str = Field(default="pause", sa_column=Column(Text, nullable=False, server_default="pause"))
    paused_until: datetime | None = Field(default=None, sa_column=moment())
    note: str | None = Field(default=None, sa_type=Text)
    """Why."""
    changed_by: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime = Field(sa_column=moment(now=True))


class AuditEntry(SQLModel, table=True):
    """What an operator did. A trigger lets nothing be changed, and nothing go before it is seven years old.

    It names its actor in words as well, because it outlives the account.
    """

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_target", "target", "id"),)

    id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_column=moment(now=True))
    actor_id: UUID
    actor: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    credential: str = Field(sa_type=Text)
    """What proved who it was, such as `key:…`; no secret."""
    address: str | None = Field(default=None, sa_type=Text)
    action: str = Field(sa_type=Text)
    target: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(sa_column=document("{}"))


class DiscardedFailure(SQLModel, table=True):
    """A cause of failures that was set aside; what failed of it before counts no more."""

    __tablename__ = "discarded_failures"

    fingerprint: str = Field(sa_column=Column(Text, primary_key=True))
    discarded_at: datetime = Field(sa_column=moment(now=True))


class Purge(SQLModel, table=True):
    """What somebody canceled by emptying a queue, less what was taken back of it since."""

    __tablename__ = "purges"

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    at: datetime = Field(sa_column=moment(now=True))
    ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))


class ProviderCheck(SQLModel, table=True):
    """An operator's question whether a provider answers, for a maintenance worker to ask."""

    __tablename__ = "provider_checks"
    __table_args__ = (
        CheckConstraint(
            "outcome IN ('valid', 'refused', 'unreachable', 'unset')", name="provider_checks_outcome"
        ),
        CheckConstraint("(done_at IS NULL) = (outcome IS NULL)", name="provider_checks_done"),
        Index("provider_checks_open", "asked_at", postgresql_where=text("done_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    provider: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_column=moment(now=True))
    done_at: datetime | None = Field(default=None, sa_column=moment())
    outcome: str | None = Field(default=None, sa_type=Text)
    took_ms: float | None = None
