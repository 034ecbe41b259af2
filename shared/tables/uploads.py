"""Files that callers bring: pictures to upscale, voices to clone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Index, text
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, moment


class Upload(SQLModel, table=True):
    """`pending` until its bytes are stored and checked; only a `ready` upload can be an input.

    `bytes` of a pending one is what was announced, and counts against the account's room already.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'ready', 'rejected')", name="uploads_state"),
        Index("uploads_account", "account_id", "id"),
        Index("uploads_stale", "created_at", postgresql_where=text("state <> 'ready'")),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(sa_column=account_ref())
    state: str = Field(default="pending", sa_column=Column(Text, nullable=False, server_default="pending"))
    filename: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    mime: str = Field(sa_type=Text)
    bytes: int = Field(sa_type=BigInteger)
    sha256: str | None = Field(default=None, sa_type=Text)
    """Of the bytes that are kept; while it is pending, what the caller says of those that are to come."""
    multipart_id: str | None = Field(default=None, sa_type=Text)
    """The store's name for an upload in parts that is under way."""
    width: int | None = None
    height: int | None = None
    duration_s: float | None = Field(default=None, sa_column=Column(Float))
    created_at: datetime = Field(sa_column=moment(now=True))
    completed_at: datetime | None = Field(default=None, sa_column=moment())
    thumbnail_key: str | None = Field(default=None, sa_type=Text)
    poster_key: str | None = Field(default=None, sa_type=Text)
    peaks_key: str | None = Field(default=None, sa_type=Text)
