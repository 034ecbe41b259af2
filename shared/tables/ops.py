"""The fleet: worker processes and the queues that they serve."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, text
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
    started_at: datetime = Field(sa_column=moment(now=True))
    beat_at: datetime = Field(sa_column=moment(now=True))
    stats: dict[str, Any] = Field(sa_column=document("{}"))


class Queue(SQLModel, table=True):
    """A kind's queue. `paused_until` ends a pause by itself."""

    __tablename__ = "queues"

    kind: str = Field(sa_column=Column(Text, primary_key=True))
    paused: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    paused_until: datetime | None = Field(default=None, sa_column=moment())
    note: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime = Field(sa_column=moment(now=True))
