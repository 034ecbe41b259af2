"""What providers tell unasked, and what their own lists of jobs say about the record."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import document, moment


class ProviderCallback(SQLModel, table=True):
    """One callback as it came. `verified` says that the provider's own signature was checked, not only our
    token in its URL."""

    __tablename__ = "provider_callbacks"
    __table_args__ = (
        UniqueConstraint("submission_id", "event_id", name="provider_callbacks_once"),
        Index("provider_callbacks_received", "received_at"),
    )

    id: UUID = Field(primary_key=True)
    submission_id: UUID = Field(
        sa_column=Column(ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False)
    )
    provider: str = Field(sa_type=Text)
    event_id: str = Field(sa_type=Text)
    """The provider's id of the event, or the body's hash where it gives none."""
    received_at: datetime = Field(sa_column=moment(now=True))
    headers: dict[str, Any] = Field(sa_column=document("{}"))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    verified: bool


class ProviderAudit(SQLModel, table=True):
    """A provider's list of the jobs made from `since` until `until`, against `submissions`.

    `finished_at` is null while it runs and after it failed with `error`. Of the listed jobs `known` belong to
    submissions, `foreign_jobs` do not bear our mark, and `orphans` bear it but belong to nothing that is
    recorded; `missing` counts submissions that the list lacks. `findings` details the first of these two.
    """

    __tablename__ = "provider_audits"
    __table_args__ = (Index("provider_audits_latest", "provider", "finished_at"),)

    id: UUID = Field(primary_key=True)
    provider: str = Field(sa_type=Text)
    since: datetime = Field(sa_column=moment(nullable=False))
    until: datetime = Field(sa_column=moment(nullable=False))
    started_at: datetime = Field(sa_column=moment(now=True))
    finished_at: datetime | None = Field(default=None, sa_column=moment())
    listed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    known: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    foreign_jobs: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    orphans: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    missing: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    findings: list[dict[str, Any]] = Field(sa_column=document("[]"))
    error: str | None = Field(default=None, sa_type=Text)
