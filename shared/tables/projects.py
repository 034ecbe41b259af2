"""What belongs together: generations and assets, a budget, settings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Computed, Index, Integer, Uuid, text
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment, nanos

CENTS = "LEAST((({column} + 5000000) / 10000000), '2147483647'::bigint)::integer"
"""A column of cents, derived from one of nano-dollars: half up, and no more than its type can hold."""


class Project(SQLModel, table=True):
    """A project of a user, whose id is the account's. `budget_nanos` 0 is no budget.

    Generations name their project without a foreign key: deleting one leaves them and their ledger in place.
    """

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("budget_nanos >= 0", name="projects_budget"),
        CheckConstraint("spent_nanos >= 0", name="projects_spent"),
        Index("idx_projects_user_id", "user_id", "id"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
    user_id: UUID = Field(sa_column=account_ref())
    name: str = Field(sa_type=Text)
    description: str | None = Field(default=None, sa_type=Text)
    thumbnail_url: str | None = Field(default=None, sa_type=Text)
    budget_nanos: int = Field(default=0, sa_column=nanos(default=0))
    spent_nanos: int = Field(default=0, sa_column=nanos(default=0))
    budget_cents: int = Field(
        sa_column=Column(Integer, Computed(CENTS.format(column="budget_nanos"), persisted=True))
    )
    spent_cents: int = Field(
        sa_column=Column(Integer, Computed(CENTS.format(column="spent_nanos"), persisted=True))
    )
    settings: dict[str, Any] = Field(sa_column=document("{}"))
    archived_at: datetime | None = Field(default=None, sa_column=moment())
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))
