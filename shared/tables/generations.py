"""The record: what was asked, what was paid, what happened, what was delivered."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment, nanos

TERMINAL_SQL = "('completed', 'failed', 'canceled', 'expired')"
LIVE_SUBMISSION_SQL = "('intent', 'accepted', 'unknown')"


class Generation(SQLModel, table=True):
    """One request for media. `shared.domains.generations` holds its state diagram and every change.

    `wake_at` is the one clock: null exactly when the state is terminal. `owner` is the worker process
    that holds it, `epoch` the fencing token that every write names, `dispatch_no` the number that a bell
    must carry to be believed. `rung` says that a bell is under way.
    """

    __tablename__ = "generations"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'submitting', 'waiting', 'storing',"
            " 'completed', 'failed', 'canceled', 'expired')",
            name="generations_state",
        ),
        CheckConstraint(f"(wake_at IS NULL) = (state IN {TERMINAL_SQL})", name="generations_clock"),
        CheckConstraint("owner IS NULL OR wake_at IS NOT NULL", name="generations_owner"),
        CheckConstraint(
            "cost_status IN ('reserved', 'final', 'released', 'unpriced', 'reconciling')",
            name="generations_cost_status",
        ),
        CheckConstraint("billed_to IN ('platform', 'byok')", name="generations_billed_to"),
        # One index for each clock: a long queue is never read to find what waits, or the other way round.
        Index(
            "generations_queued",
            "kind",
            "account_id",
            text("priority DESC"),
            "id",
            "wake_at",
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "generations_stepping",
            "kind",
            "wake_at",
            postgresql_where=text("state IN ('submitting', 'storing')"),
        ),
        Index("generations_waiting", "kind", "wake_at", postgresql_where=text("state = 'waiting'")),
        Index("generations_busy", "kind", "owner", postgresql_where=text("owner IS NOT NULL OR rung")),
        Index("generations_asked", "kind", postgresql_where=text("run_now AND state = 'queued'")),
        Index("generations_ended", "completed_at", postgresql_where=text("completed_at IS NOT NULL")),
        Index(
            "generations_failed",
            text("error_fingerprint(error)"),
            "completed_at",
            postgresql_where=text("state = 'failed'"),
        ),
        Index("generations_start_deadline", "start_deadline_at", postgresql_where=text("state = 'queued'")),
        Index("generations_active", "account_id", "id", postgresql_where=text("wake_at IS NOT NULL")),
        Index(
            "generations_completed",
            "account_id",
            "completed_at",
            postgresql_where=text("completed_at IS NOT NULL"),
        ),
        Index(
            "generations_unsettled",
            "cost_status",
            "provider",
            postgresql_where=text("cost_status IN ('reconciling', 'unpriced')"),
        ),
        # The next four have the names that the workbench's contract gives them.
        Index("idx_generations_user_id", "account_id", "id"),
        Index(
            "idx_generations_project_id",
            "project_id",
            postgresql_include=["cost_nanos"],
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        Index("idx_generations_created_at", "created_at", postgresql_using="brin"),
        # Written once, at the end.
        Index(
            "idx_generations_provider",
            "provider",
            "completed_at",
            postgresql_where=text("completed_at IS NOT NULL"),
        ),
        Index("generations_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(sa_column=account_ref())
    api_key_id: UUID | None = None
    kind: str = Field(sa_type=Text)
    model: str = Field(sa_type=Text)
    """The name that was asked for, such as `flux-2`; `provider` and `provider_model` say what ran."""
    input: dict[str, Any] = Field(sa_column=document("{}"))
    files: dict[str, Any] = Field(sa_column=document("{}"))
    """Resolved file inputs: {field: {key, mime, bytes} or {url}}."""
    routes: list[dict[str, Any]] = Field(sa_column=document("[]"))
    """Candidate routes in the order of preference, prices frozen; see `shared.catalog.Route`."""
    prefer: dict[str, Any] = Field(sa_column=document("{}"))
    """The request's provider preference: {order, fallbacks}."""

    state: str = Field(default="queued", sa_column=Column(Text, nullable=False, server_default="queued"))
    stage: str | None = Field(default=None, sa_type=Text)
    seq: int = Field(default=1, sa_column=Column(BigInteger, nullable=False, server_default="1"))
    priority: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default="0"))
    """Higher goes first within its account: -10 low, 0 normal, 10 high."""
    wake_at: datetime | None = Field(sa_column=moment())
    owner: UUID | None = None
    epoch: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    dispatch_no: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    rung: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    run_now: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """An operator wants it run next, also while its queue is paused; forgotten once it is submitted."""
    pokes: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    pokes_seen: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    crashes: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    polls: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    progress: float | None = Field(default=None, sa_column=Column(Float))
    provider_queue_position: int | None = None
    cancel_requested_at: datetime | None = Field(default=None, sa_column=moment())
    waiting_for: str | None = Field(default=None, sa_type=Text)
    """Why nobody works on it until `wake_at`: cooldown, limit, doubt or retry."""
    start_deadline_at: datetime | None = Field(default=None, sa_column=moment())
    deadline_at: datetime = Field(sa_column=moment(nullable=False))

    provider: str | None = Field(default=None, sa_type=Text)
    provider_model: str | None = Field(default=None, sa_type=Text)
    decision: dict[str, Any] = Field(sa_column=document("{}"))
    """Why that route: {reason, fallbacks, skipped: [{provider, why}]}."""

    price_id: str | None = Field(default=None, sa_type=Text)
    estimate_nanos: int | None = Field(default=None, sa_column=nanos())
    reserved_nanos: int = Field(default=0, sa_column=nanos(default=0))
    cost_nanos: int | None = Field(default=None, sa_column=nanos())
    cost_status: str = Field(
        default="reserved", sa_column=Column(Text, nullable=False, server_default="reserved")
    )
    billed_to: str = Field(
        default="platform", sa_column=Column(Text, nullable=False, server_default="platform")
    )

    error: dict[str, Any] | None = Field(default=None, sa_column=document())
    warnings: list[dict[str, Any]] = Field(sa_column=document("[]"))
    moderation: dict[str, Any] = Field(sa_column=document("{}"))
    """What moderation found, by phase: {input: {mode, verdict, categories, by}, output: {…}}."""
    details: dict[str, Any] = Field(sa_column=document("{}"))
    """The caller's `metadata`, returned as it came."""
    webhook: dict[str, Any] | None = Field(default=None, sa_column=document())
    project_id: UUID | None = None
    project_name: str | None = Field(default=None, sa_type=Text)
    """What the project was called, once it is deleted."""
    parent_id: UUID | None = None
    group_id: UUID | None = None
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))
    started_at: datetime | None = Field(default=None, sa_column=moment())
    completed_at: datetime | None = Field(default=None, sa_column=moment())
    deleted_at: datetime | None = Field(default=None, sa_column=moment())


class GenerationEvent(SQLModel, table=True):
    """One change of one generation; `seq` has no gap."""

    __tablename__ = "generation_events"
    __table_args__ = (PrimaryKeyConstraint("generation_id", "seq"),)

    generation_id: UUID = Field(
        sa_column=Column(ForeignKey("generations.id", ondelete="CASCADE"), nullable=False)
    )
    seq: int = Field(sa_type=BigInteger)
    account_id: UUID = Field(sa_column=account_ref())
    type: str = Field(sa_type=Text)
    data: dict[str, Any] = Field(sa_column=document("{}"))
    created_at: datetime = Field(sa_column=moment(now=True))


class Submission(SQLModel, table=True):
    """One paid call to a provider, recorded before it is made. Its id is the tag that the provider gets.

    `check_at` is its own clock, set only while it is open and its generation no longer looks after it.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        CheckConstraint(
            "state IN ('intent', 'accepted', 'rejected', 'unknown', 'lost', 'possibly_billed',"
            " 'done', 'duplicate')",
            name="submissions_state",
        ),
        UniqueConstraint("generation_id", "n"),
        Index(
            "submissions_live",
            "generation_id",
            unique=True,
            postgresql_where=text(f"state IN {LIVE_SUBMISSION_SQL}"),
        ),
        Index(
            "submissions_remote",
            "provider",
            "credential",
            "remote_id",
            unique=True,
            postgresql_where=text("remote_id IS NOT NULL"),
        ),
        Index("submissions_check", "check_at", postgresql_where=text("check_at IS NOT NULL")),
        Index("submissions_account", "account_id"),
    )

    id: UUID = Field(primary_key=True)
    generation_id: UUID = Field(
        sa_column=Column(ForeignKey("generations.id", ondelete="CASCADE"), nullable=False)
    )
    account_id: UUID = Field(sa_column=account_ref())
    n: int
    provider: str = Field(sa_type=Text)
    credential: str = Field(
        default="platform", sa_column=Column(Text, nullable=False, server_default="platform")
    )
    model: str = Field(sa_type=Text)
    route: dict[str, Any] = Field(sa_column=document("{}"))
    state: str = Field(default="intent", sa_column=Column(Text, nullable=False, server_default="intent"))
    remote_id: str | None = Field(default=None, sa_type=Text)
    request_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    intent_at: datetime = Field(sa_column=moment(now=True))
    accepted_at: datetime | None = Field(default=None, sa_column=moment())
    ended_at: datetime | None = Field(default=None, sa_column=moment())
    resolve_until: datetime | None = Field(default=None, sa_column=moment())
    """Until when an unknown submission may still turn up at the provider."""
    check_at: datetime | None = Field(default=None, sa_column=moment())
    result: dict[str, Any] | None = Field(default=None, sa_column=document())
    """What the provider delivered, enough to store it again: {outputs: [{url or key, mime}], ...}."""
    usage: dict[str, Any] | None = Field(default=None, sa_column=document())
    cost_nanos: int | None = Field(default=None, sa_column=nanos())
    error: dict[str, Any] | None = Field(default=None, sa_column=document())


class Output(SQLModel, table=True):
    """One delivered file. The row exists only if the object does, with this hash.

    It stays when its generation goes to the archive, and is deleted with it, by a trigger.
    """

    __tablename__ = "outputs"
    __table_args__ = (
        PrimaryKeyConstraint("generation_id", "n"),
        Index("outputs_account", "account_id", postgresql_include=["bytes"]),
    )

    generation_id: UUID
    n: int
    account_id: UUID = Field(sa_column=account_ref())
    submission_id: UUID | None = None
    kind: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    mime: str = Field(sa_type=Text)
    bytes: int = Field(sa_type=BigInteger)
    sha256: str = Field(sa_type=Text)
    width: int | None = None
    height: int | None = None
    duration_s: float | None = Field(default=None, sa_column=Column(Float))
    thumbnail_key: str | None = Field(default=None, sa_type=Text)
    poster_key: str | None = Field(default=None, sa_type=Text)
    peaks_key: str | None = Field(default=None, sa_type=Text)
    text: str | None = Field(default=None, sa_type=Text)
    """Text outputs of up to 64 kB, inline beside the stored file."""
    details: dict[str, Any] = Field(sa_column=document("{}"))
    """What its maker says of how it was made: seed, tempo, key … A `seed` makes it again."""
    created_at: datetime = Field(sa_column=moment(now=True))
